"""What every story needs: a devnet whose clock the story moves, examiners and candidates with homes of their own.

Everything happens through `assay` commands in processes of their own; only time and money come from the development chain itself.
"""

import csv
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from stage import Person, Ran, Server, Stage

from assay import keys
from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.contracts.base import Call
from assay.chain.door import Door, Receipt
from assay.chain.node import Node
from assay.encoding.hashing import keccak
from assay.encoding.receipts import LocalSigner
from assay.storage.cids import cid_of
from assay.storage.store import Store
from assay.types import Address, RoundId, VersionId

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "tests" / "models"
DATA = ROOT / "tests" / "data"
FORGER = ROOT / "tests" / "forger"
PATIENCE_SECONDS = 120.0
ETHER = 10**18
BLEU = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
WINDOWS = {"answer": 600, "post": 20, "attest": 300, "reveal": 300, "challenge": 300, "demand": 1}
QUESTIONS = [
    ("The committee meets on Tuesday.", "O comitê se reúne na terça-feira.", "one", "scored"),
    ("Nobody expected so much rain.", "Ninguém esperava tanta chuva.", "one", "scored"),
    ("She has lived here for ten years.", "Ela mora aqui há dez anos.", "two", "scored"),
    ("The bridge was closed at 5.30.", "A ponte foi fechada às 5h30.", "two", "scored"),
    ("Prices rose by 3.5 % in May.", "Os preços subiram 3,5 % em maio.", "three", "scored"),
    ("They lost the game, 2-1.", "Eles perderam o jogo por 2 a 1.", "three", "scored"),
    ("This one does not count.", "Esta não conta.", "four", "decoy"),
]


def variant(name: str) -> list[tuple[str, ...]]:
    """The questions in other words, so that one benchmarker can seal them again."""
    return [(f"{name}: {prompt}", *others) for prompt, *others in QUESTIONS]


@dataclass(frozen=True)
class Candidate:
    """A provider with one version, and its running gateway."""

    person: Person
    version: str
    server: Server

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return str(self.server.ready["url"])


class Stake(NamedTuple):
    """All wei that a person has in the vault, on both accounts."""

    free: int
    locked: int


class World(Stage):
    """A stage with a devnet, and shortcuts for what each story does."""

    def __init__(self, root: Path, *, keep: bool = False) -> None:
        super().__init__(root, keep=keep)
        self.open_devnet()
        self.node = Node(self.rpc)
        self.chain = Chain.connect(self.rpc, deployments.load(self.deployment))
        self.reader = Person(self, "reader")

    def post(self, url: str, body: object) -> httpx.Response:
        """A bare HTTP request, as somebody without our client would send it."""
        return httpx.post(url, json=body, timeout=30)

    def ask(self, examiner: Person, round_: str, candidate: Candidate, position: int, prompt: str) -> httpx.Response:
        """An Ask that the examiner's operator really signed, sent without the agent."""
        signer = self.signer(examiner)
        until = self.node.head().timestamp + 60
        digest = self.chain.domain.ask(round_of(round_), version_of(candidate.version), position, keccak(prompt.encode()), until)
        body = {"round": round_, "version": candidate.version, "position": position, "prompt": prompt}
        signed = {"answer_until": until, "signature": "0x" + signer.sign(digest).hex()}
        return self.post(f"{candidate.url}/v1/ask", body | signed)

    def unpack(self, person: Person, round_: str, into: Path) -> Path:
        """The bundle of a person's round as a folder."""
        store = Store(person.home / "store")
        return store.fetch(cid_of(self.digest(round_)), into)

    def digest(self, round_: str) -> bytes:
        """Digest of a revealed bundle, from the chain."""
        facts = self.chain.rounds.round(round_of(round_))
        assert facts is not None
        return facts.bundle_digest

    def signer(self, person: Person, key: str = "operator") -> LocalSigner:
        """A person's own key."""
        return keys.open_key(person.home / "keys", key, keys.read_password(person.password_file))

    def send(self, person: Person, call: Call) -> Receipt:
        """A transaction of a person's operator, as anybody can send it without our commands."""
        return Door(self.chain, self.signer(person)).send(call)

    def stake(self, person: Person) -> Stake:
        """What a person has in the vault."""
        accounts = [self.chain.vault.balance(Address(person.address(key))) for key in ("owner", "operator")]
        return Stake(sum(account.free for account in accounts), sum(account.locked for account in accounts))

    def burned(self, person: Person) -> int:
        """What of a person's stake was burned."""
        return self.chain.vault.burned_of(Address(person.address("owner")))

    def forge(self, person: Person, script: str, *words: str, codes: tuple[int, ...] = (0,)) -> Ran:
        """Something dishonest, by a program of this person's own."""
        return person.run(sys.executable, FORGER / f"{script}.py", *words, codes=codes)

    def undo(self, block: int, instead: Iterable[bytes] = ()) -> None:
        """A reorganisation: everything from a block on is gone, and these signed transactions came first instead."""
        depth = self.node.head().number - block + 1
        self.node.request("anvil_reorg", [depth, [["0x" + raw.hex(), 0] for raw in instead]])

    def __exit__(self, *error: object) -> None:
        self.chain.close()
        self.node.close()
        super().__exit__(*error)

    def benchmarker(self, name: str) -> Person:
        """Somebody with stake who can seal."""
        person = Person(self, name)
        person.settle_in("bench")
        return person

    def provider(self, name: str) -> Person:
        """Somebody with stake whose policy admits any round."""
        person = Person(self, name)
        person.settle_in("provider")
        return person

    def candidate(self, name: str, *upstream: str | Path) -> Candidate:
        """A provider whose version is committed and served."""
        person = self.provider(name)
        version = person.commit(name)
        return Candidate(person, version, person.serve_model(version, *upstream))

    def task(
        self,
        benchmarker: Person,
        *,
        items: int = 16,
        cap: int = 400,
        silence_bps: int = 2000,
        name: str = "story",
        **windows: int,
    ) -> str:
        """Registers a task; its id."""
        chosen = WINDOWS | windows
        file = benchmarker.home / "task.json"
        file.write_text(
            json.dumps(
                {
                    "description": {
                        "name": "story",
                        "languages": ["eng", "por-BR"],
                        "template": "{prompt}",
                        "decoding": "as served",
                        "answer_format": "plain text",
                        "licence": "CC0-1.0",
                        "metric_signature": BLEU,
                    },
                    "windows": {window: f"{seconds} seconds" for window, seconds in chosen.items()},
                    "bonds": {"round": "2", "version": "0.1", "demand_fee": "0.01"},
                    "caps": {"max_items": items, "max_bytes": cap, "max_silence_bps": silence_bps},
                }
            )
        )
        return str(benchmarker.json("task", "register", file)["task"])

    def bring(self, benchmarker: Person, questions: Iterable[tuple[str, ...]] = QUESTIONS, title: str = "questions") -> None:
        """Imports a set."""
        file = benchmarker.home / f"{title}.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(("prompt", "reference", "group", "kind"))
            writer.writerows(questions)
        benchmarker.assay("bench", "import", file, "--set", title)

    def seal(
        self, benchmarker: Person, task: str, questions: Iterable[tuple[str, ...]] = QUESTIONS, title: str = "questions"
    ) -> str:
        """Imports and seals a set; the round's id."""
        self.bring(benchmarker, questions, title)
        return str(benchmarker.json("bench", "seal", title, "--task", task)["round"])

    def plan(self, benchmarker: Person, task: str, *candidates: Candidate, title: str = "questions") -> Path:
        """Settings of a daemon that brings a set of this benchmarker to its end, and looks every second."""
        gateways = ", ".join(f'"{candidate.url}"' for candidate in candidates)
        settings = benchmarker.home / f"{title}.toml"
        settings.write_text(
            "schema = 1\npoll_seconds = 1\nbackoff_seconds = 1\nlongest_backoff_seconds = 2\n"
            f'[[round]]\nset = "{title}"\ntask = "{task}"\ngateways = [{gateways}]\n'
        )
        return settings

    def sit(self, benchmarker: Person, round_: str, *candidates: Candidate) -> None:
        """Enrols and asks."""
        benchmarker.assay("bench", "enrol", round_, *(candidate.url for candidate in candidates))
        benchmarker.assay("bench", "ask", round_)

    def settle(self, benchmarker: Person, round_: str) -> None:
        """Scores, attests and reveals, past `answerBy`."""
        self.pass_deadline(benchmarker, round_, "answer_by")
        for step in ("score", "attest", "reveal"):
            benchmarker.assay("bench", step, round_)

    def exam(self, benchmarker: Person, task: str, *candidates: Candidate) -> str:
        """A whole honest round; its id."""
        round_ = self.seal(benchmarker, task)
        self.sit(benchmarker, round_, *candidates)
        self.settle(benchmarker, round_)
        return round_

    def pass_deadline(self, person: Person, round_: str, name: str) -> None:
        """Moves the chain past a deadline of a round, and finalizes that."""
        self.move_to(int(person.json("bench", "show", round_)["deadlines"][name]) + 1)

    def move_to(self, timestamp: int) -> None:
        """Moves the clock of the chain, which goes on from there, and mines until a block from then is final."""
        ahead = timestamp - self.node.head().timestamp
        if ahead > 0:
            self.node.request("evm_increaseTime", [ahead])
        deadline = time.monotonic() + 30
        while self.node.finalized().timestamp < timestamp:
            self.node.request("evm_mine")
            assert time.monotonic() < deadline, "the chain does not move"

    def score(self, person: Person, round_: str, version: str) -> Mapping[str, object]:
        """A version's score as the chain tells it."""
        for row in person.json("bench", "show", round_)["versions"]:
            if row["version"] == version:
                return dict(row)
        raise AssertionError(f"{version} is not in the round")


def until(what: Callable[[], Any], say: Callable[[], object] = str, *, seconds: float = PATIENCE_SECONDS) -> Any:
    """What it gives once that is true; fails with what `say` tells where it never is."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, say()
        time.sleep(0.2)
    return found


def round_of(text: str) -> RoundId:
    """The id of a round as bytes."""
    return RoundId(bytes.fromhex(text[2:]))


def version_of(text: str) -> VersionId:
    """The id of a version as bytes."""
    return VersionId(bytes.fromhex(text[2:]))


def replay(path: Path, answers: Mapping[str, str]) -> tuple[str, ...]:
    """Words that serve a table of answers."""
    lines = ["prompt\toutput", *(f"{prompt}\t{output}" for prompt, output in answers.items())]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return ("--upstream", "replay", "--replay", str(path))


def program(source: Path, code: str, *, per_text: bool = False) -> tuple[str, ...]:
    """Words that serve a small program written for one story."""
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(code, "utf-8")
    words = ("--upstream", "command", "--command", f"{sys.executable} {source}")
    return (*words, "--per-text") if per_text else words


def failed(ran: Ran) -> str:
    """The message of a failed `--json` command."""
    return f"{ran.json['error']}: {ran.json['message']} {ran.json['remedy']}"
