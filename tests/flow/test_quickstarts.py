"""The quickstarts, typed line by line: each capital word is replaced by what the page says that it stands for."""

import csv
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from stage import ASSAY, Person

from assay.cli.quickstart import ROLES, lines, page
from assay.storage.cids import cid_of
from flow.world import QUESTIONS, Candidate, World
from unit.gateway.endpoints import services

PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")
Meanings = dict[str, Callable[[], str]]


class Typist:
    """Somebody who types a page, in a folder of their own."""

    def __init__(self, world: World, person: Person, meanings: Mapping[str, Callable[[], str]]) -> None:
        self.world, self.person, self.meanings = world, person, meanings
        self.known: dict[str, str] = {}

    def filled(self, line: str) -> str:
        """The line with its placeholders replaced; one that has no meaning fails."""
        return PLACEHOLDER.sub(lambda match: shlex.quote(self.meaning(match[0])), line)

    def meaning(self, word: str) -> str:
        if word not in self.known:
            self.known[word] = self.meanings[word]()
        return self.known[word]

    def type(self, line: str) -> str:
        words = shlex.split(self.filled(line))
        program = ASSAY.with_name(words[0])
        ran = subprocess.run(
            [str(program), *words[1:]],
            check=False,
            cwd=self.person.home,
            env=self.person.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
        return ran.stdout


def read(path: Path, text: str) -> str:
    path.touch(mode=0o600)
    path.write_text(text)
    return path.name


@pytest.mark.parametrize("role", ROLES)
def test_page__of_each_role__one_page_of_prose_and_commands(role: str) -> None:
    text = page(role)
    assert len(text.splitlines()) <= 60
    assert len(lines(text)) >= 5
    assert all(line.split()[0] in ("assay", "sacrebleu") for line in lines(text))


def test_benchmarker__line_by_line__ends_with_the_bond_free(world: World, parrot: Candidate) -> None:
    person = Person(world, "newcomer")
    with (person.home / "questions.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("prompt", "reference", "group", "kind"), *QUESTIONS])
    meanings: Meanings = {
        "OWNER": lambda: person.address("owner"),
        "OPERATOR": lambda: person.address("operator"),
        "TASK": lambda: str(person.json("task", "list")[-1]["task"]),
        "ROUND": lambda: str(person.json("bench", "list")["rounds"][0]["round"]),
        "GATEWAY": lambda: parrot.url,
    }
    typist = Typist(world, person, meanings)
    said = ""
    for line in lines(page("benchmarker")):
        if line.startswith("assay bench score"):
            world.pass_deadline(person, typist.meaning("ROUND"), "answer_by")
        if line.startswith("assay bench release"):
            world.move_to(world.node.head().timestamp + 150)
        said = typist.type(line)
    assert re.search(r", 0 ether locked, 0 ether burned$", said, re.MULTILINE)


def test_provider__line_by_line__is_enrolled_by_its_host(world: World, examiner: Person) -> None:
    person, key = Person(world, "endpoint"), "sk-quickstart"
    task = world.task(examiner)
    with services("--key-file", examiner.home / read(examiner.home / "key", key)) as url:
        meanings: Meanings = {
            "OWNER": lambda: person.address("owner"),
            "OPERATOR": lambda: person.address("operator"),
            "ENDPOINT": lambda: f"{url}/v1",
            "MODEL": lambda: "word-by-word",
            "KEYFILE": lambda: str(person.home / read(person.home / "key", key)),
            "ARTIFACT": lambda: read(person.home / "artifact", "word-by-word, settings as served"),
            "INVITATION": lambda: str(invite(examiner, task)),
            "VERSION": lambda: str(person.json("provider", "list")["versions"][0]["version"]),
            "PORT": lambda: "0",
        }
        typist = Typist(world, person, meanings)
        url_of_gateway = ""
        for line in lines(page("provider")):
            if line.startswith("assay provider serve"):
                url_of_gateway = str(person.serve(*shlex.split(typist.filled(line))[1:]).ready["url"])
                continue
            typist.type(line)
        round_ = world.seal(examiner, task)
        enrolled = examiner.json("bench", "enrol", round_, url_of_gateway)["enrolled"]
    assert enrolled == [typist.meaning("VERSION")]


def invite(examiner: Person, task: str) -> Path:
    file = examiner.home / "invitation.json"
    examiner.assay("bench", "invite", task, "--out", file)
    return file


def test_reader__line_by_line__sound_and_sacrebleu_agrees(world: World, examiner: Person, parrot: Candidate) -> None:
    round_ = world.exam(examiner, world.task(examiner), parrot)
    reader = Person(world, "stranger")
    shutil.copy(examiner.home / "store" / f"{cid_of(world.digest(round_))}.car", reader.home / "bundle.car")
    meanings: Meanings = {
        "RPC": lambda: world.rpc,
        "ROUND": lambda: round_,
        "VERSION": lambda: parrot.version,
        "FILE": lambda: f"{parrot.version[2:]}.txt",
    }
    typist = Typist(world, reader, meanings)
    said = [typist.type(line) for line in lines(page("reader"))]
    assert "Sound" in said[0]
    shown = int(world.score(examiner, round_, parrot.version)["score"]) / 1e16
    assert json.loads(said[-1])["score"] == pytest.approx(shown, abs=5e-5)
