"""The ground that every case begins on, made once: a chain with contracts, stake, a task and two committed versions; three homes.

All of it by `assay` commands. A case begins with copies of the chain's state and of the homes, keys and master secret included,
so that every case seals the same round with the same salts, and every honest end is the same end.
"""

import csv
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stage import CommandFailed, Person, Stage

from assay.chain import deployments
from assay.chain.devnet import Devnet, Options
from crash.nursery import Nursery

STATE, DEPLOYMENT, FACTS = "chain.state", "deployment.json", "facts.json"
EXAMINER, PROVIDERS, READER = "examiner", ("table", "program"), "reader"
SET = "questions"
BLEU = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
WINDOWS = {"answer": 1200, "post": 300, "attest": 600, "reveal": 600, "challenge": 600, "demand": 1}
QUESTIONS = [
    ("The committee meets on Tuesday.", "O comitê se reúne na terça-feira.", "one", "scored"),
    ("Nobody expected so much rain.", "Ninguém esperava tanta chuva.", "one", "scored"),
    ("She has lived here for ten years.", "Ela mora aqui há dez anos.", "two", "scored"),
    ("The bridge was closed at 5.30.", "A ponte foi fechada às 5h30.", "two", "scored"),
    ("This one does not count.", "Esta não conta.", "three", "decoy"),
]
PROGRAM = """import json, os, sys
words = {"The": "O", "Nobody": "Ninguém", "on": "na", "for": "há", "ten": "dez", "years.": "anos.", "was": "foi"}
for line in sys.stdin:
    text = json.loads(line)
    answer = os.urandom(8).hex() if "not count" in text else " ".join(words.get(word, word) for word in text.split())
    print(json.dumps(answer), flush=True)
"""
"""Never says the same twice to the decoy: an answer that left before it was journaled would have a second one beside it after a
crash. The decoy's text is no part of any root, so all rounds still end alike."""


@dataclass(frozen=True)
class Facts:
    """What of the ground has a name: the task, a version for each provider, the first block of a case."""

    task: str
    versions: dict[str, str]
    block: int


class Citizen(Person):
    """Somebody whose commands come from the nursery."""

    def __init__(self, stage: "Scene", name: str) -> None:
        super().__init__(stage, name)
        self.nursery = stage.nursery

    def json(self, *words: str | Path, codes: tuple[int, ...] = (0,)) -> Any:
        """Runs one `assay --json` command and reads its output. CommandFailed for another exit code."""
        code, out, err = self.nursery.run(("--json", *words), self.env, self.home)
        if code not in codes:
            raise CommandFailed(f"{self.name}$ assay {' '.join(map(str, words))}\nexit code {code}\n{out}\n{err[-3000:]}")
        return json.loads(out)

    def settle_in(self, role: str, ether: str = "10") -> None:
        """Keys, money, stake and an allowance."""
        made = self.json(role, "init", "--light")
        self.json("devnet", "fund", made["owner"], made["operator"], "--ether", "20")
        self.json(role, "deposit", f"{ether} ether")
        self.json(role, "allow", "operator", "5 ether")


class Scene(Stage):
    """A stage whose processes come from a nursery."""

    def __init__(self, root: Path, nursery: Nursery) -> None:
        super().__init__(root)
        self.nursery = nursery


def prepare(root: Path, nursery: Nursery) -> None:
    """Make the ground in an empty folder."""
    scene = Scene(root, nursery)
    with Devnet(Options(scene.port, root / STATE, block_time=0)) as devnet:
        deployments.save(scene.deployment, devnet.deployment)
        examiner = Citizen(scene, EXAMINER)
        examiner.settle_in("bench")
        task = _task(examiner)
        _import(examiner)
        versions = {name: _version(Citizen(scene, name)) for name in PROVIDERS}
        Citizen(scene, READER)
        facts = Facts(task, versions, devnet.node.head().number)
    (root / "table.tsv").write_text("\n".join(["prompt\toutput", *(f"{q}\t{a}" for q, a, *_ in QUESTIONS)]) + "\n")
    (root / "program.py").write_text(PROGRAM)
    (root / FACTS).write_text(json.dumps(asdict(facts)))


def facts_of(root: Path) -> Facts:
    """What `prepare` wrote down."""
    return Facts(**json.loads((root / FACTS).read_text()))


def copy(root: Path, into: Path) -> None:
    """A fresh ground for a case."""
    shutil.copytree(root, into)


def _task(examiner: Citizen) -> str:
    description = {
        "name": "crash", "languages": ["eng", "por-BR"], "template": "{prompt}", "decoding": "as served",
        "answer_format": "plain text", "licence": "CC0-1.0", "metric_signature": BLEU,
    }  # fmt: skip
    file = examiner.home / "task.json"
    task = {
        "description": description,
        "windows": {window: f"{seconds} seconds" for window, seconds in WINDOWS.items()},
        "bonds": {"round": "2", "version": "0.1", "demand_fee": "0.01"},
        "caps": {"max_items": 16, "max_bytes": 400, "max_silence_bps": 2000},
    }
    file.write_text(json.dumps(task))
    return str(examiner.json("task", "register", file)["task"])


def _import(examiner: Citizen) -> None:
    file = examiner.home / "questions.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("prompt", "reference", "group", "kind"), *QUESTIONS])
    examiner.json("bench", "import", file, "--set", SET)


def _version(provider: Citizen) -> str:
    provider.settle_in("provider")
    provider.json("provider", "register", provider.name)
    words = ("--label", "first", "--artifact-digest", "ab" * 32)
    return str(provider.json("provider", "commit-version", provider.name, *words)["version"])
