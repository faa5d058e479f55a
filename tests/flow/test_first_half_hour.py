"""What a newcomer does in the first half hour, word for word, and what it gets to read."""

import csv
import json
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from stage import Person

from flow.world import QUESTIONS, ROOT, Candidate, World, failed
from unit.gateway.endpoints import endpoint, reply, services

pytestmark = pytest.mark.slow

CAST = ROOT / "node_modules" / "@foundry-rs" / "cast-linux-amd64" / "bin" / "cast"
FIRST = ("assay verify ROUND", "assay bench init", "assay provider init")
QUOTA = {"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}
OWN = """﻿prompt,reference,group
"A line
that goes on.","Uma linha
que continua.",one
Nobody answers.,,one
The same twice.,O mesmo duas vezes.,two
The same twice.,O mesmo de novo.,two
Fine.,Tudo bem.,three
"""


class Sat(NamedTuple):
    """A revealed round and its benchmarker."""

    examiner: Person
    round: str


@pytest.fixture(scope="module")
def sat(world: World, parrot: Candidate) -> Sat:
    examiner = world.benchmarker("first")
    return Sat(examiner, world.exam(examiner, world.task(examiner), parrot))


def test_assay_alone__three_roles__each_first_command_is_one(world: World) -> None:
    visitor = Person(world, "visitor")
    shown = visitor.assay().out
    assert [first for first in FIRST if first in shown] == list(FIRST)
    assert visitor.json("bench", "init", "--light")["made"] == ["owner", "operator", "salts"]
    assert visitor.json("provider", "init", "--light")["owner"]
    unknown = visitor.assay("--json", "verify", "0x" + "11" * 32, codes=(2,)).json
    assert unknown["remedy"]


def test_judge__asked_with_cast__sound__and_one_changed_byte_named_and_explained(
    world: World, parrot: Candidate, sat: Sat
) -> None:
    words, response = opened(world, sat, parrot)
    assert asked(world.reader, words) == "0"
    changed = response[:-2] + f"{int(response[-2:], 16) ^ 1:02x}"
    before, _, after = words[-1].rpartition(response)  # the reference may be the same text; it stands before the response
    verdict = asked(world.reader, [*words[:-1], before + changed + after])
    (told,) = world.reader.json("explain", verdict)
    assert (told["kind"], told["name"]) == ("verdict", "NotAttested")
    assert "not what was attested" in told["says"]
    assert told["then"]


def opened(world: World, sat: Sat, candidate: Candidate) -> tuple[list[str], str]:
    """The command that `assay open` prints for the first answered item, and the response in it."""
    for position in range(len(QUESTIONS)):
        store = ("--store", sat.examiner.home / "store")
        item: dict[str, Any] = world.reader.json("open", sat.round, candidate.version, str(position), *store)
        if item["opening"]["response"] != "0x":
            return shlex.split(item["cast"]), item["opening"]["response"]
    raise AssertionError("nothing is answered")


def asked(reader: Person, words: list[str]) -> str:
    assert words[0] == "cast"
    return reader.run(CAST, *words[1:]).out.split()[0]


def test_own_csv__every_mistake_by_line__then_its_price_before_the_seal(world: World) -> None:
    owner = world.benchmarker("own-csv")
    task, file = world.task(owner), owner.home / "own.csv"
    file.write_text(OWN, "utf-8")
    message = failed(owner.assay("--json", "bench", "import", file, "--set", "own", codes=(2,)))
    assert "own.csv:5" in message
    assert "own.csv:7" in message
    assert owner.json("bench", "list")["sets"] == []
    rows = list(csv.reader(OWN.splitlines(keepends=True)))
    file.write_text(OWN.replace("Nobody answers.,,one\n", "").replace("The same twice.,O mesmo de novo.,two\n", ""), "utf-8")
    assert owner.json("bench", "import", file, "--set", "own")["scored"] == len(rows) - 3
    price = owner.json("bench", "cost", "own", "--task", task)
    assert (price["items"], price["groups"], price["round_bond"]) == (3, 3, str(2 * 10**18))
    assert float(price["half_width"]) > 0
    assert f"assay bench seal own --task {task}" in owner.assay("bench", "cost", "own", "--task", task).out
    round_ = owner.json("bench", "seal", "own", "--task", task)["round"]
    assert owner.json("bench", "show", round_)["phase"] == "answering"


def test_own_model__bad_key_and_quota_name_the_remedy__joining_shows_from_when_it_may_sit(world: World, examiner: Person) -> None:
    provider, words = world.provider("own-model"), ("provider", "try", "Good morning", "--upstream", "openai")
    right, wrong = secret(provider.home / "right", "sk-right"), secret(provider.home / "wrong", "sk-wrong")
    with services("--key-file", right) as url, endpoint(reply(QUOTA, 429)) as poor:
        at = ("--url", f"{url}/v1", "--model", "word-by-word")
        refused = provider.assay("--json", *words, *at, "--api-key-file", wrong, codes=(1,)).json
        assert (refused["answered"], refused["failure"]) == (False, "bad-key")
        assert "--api-key-file" in refused["remedy"]
        broke = provider.assay("--json", *words, "--url", f"{poor.url}/v1", "--model", "any", codes=(1,)).json
        assert (broke["failure"], "top it up" in broke["remedy"]) == ("no-quota", True)
        assert provider.json(*words, *at, "--api-key-file", right)["answer"] == "Bom manhã"
        version = provider.commit("own-model")
        invitation = examiner.home / "invitation.json"
        examiner.assay("bench", "invite", world.task(examiner), "--out", invitation)
        joined = provider.json("provider", "join", invitation, "--yes")
        (candidate,) = joined["versions"]
        assert (candidate["version"], candidate["lacks"]) == (version, [])
        assert candidate["eligible_from"] <= world.node.head().timestamp
        assert "eligible for seals from" in provider.assay("provider", "join", invitation, "--dry-run").out
        server = provider.serve_model(version, "--upstream", "openai", *at, "--api-key-file", str(right))
        round_ = world.seal(examiner, json.loads(invitation.read_text())["task"])
        server.kill()
        server = provider.serve_model(version, "--upstream", "openai", *at, "--api-key-file", str(right))
        assert examiner.json("bench", "enrol", round_, str(server.ready["url"]))["enrolled"] == [version]
        server.kill()
        moved = provider.serve_model(version, "--upstream", "openai", *at, "--api-key-file", str(right))
        examiner.assay("bench", "enrol", round_, str(moved.ready["url"]))
        assert examiner.json("bench", "ask", round_)["versions"][0]["answered"] == len(QUESTIONS)
        moved.stop()


def secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path
