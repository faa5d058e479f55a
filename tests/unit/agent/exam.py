"""A benchmarker's agent on a development chain, with providers whose gateways are fakes that really sign."""

import hashlib
import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from assay.agent.asking import AskOptions
from assay.agent.context import Agent
from assay.agent.importer import read_set
from assay.agent.journal import Journal
from assay.agent.records import SetItem
from assay.agent.salts import set_digest
from assay.agent.steps import ask as ask_step
from assay.agent.steps import attest, enrol, reveal, score, seal
from assay.chain.client import Chain
from assay.chain.devnet import ETHER, fund
from assay.chain.door import Door
from assay.encoding.hashing import keccak
from assay.encoding.ids import model_id, task_id, version_id
from assay.encoding.receipts import LocalSigner
from assay.storage.lines import canonical
from assay.storage.store import Store
from assay.types import RoundId, TaskId, TaskParams, VersionId
from unit.agent.fakes import FakeGateway

QUICK = AskOptions(answer_timeout=3, concurrency=4, attempts=2)
SCORED = "".join(f"question {n},answer {n} of some words,g{n % 3},\n" for n in range(7))
SET = f"prompt,reference,group,kind\n{SCORED}trap,,,decoy\n"


def rich(chain: Chain) -> LocalSigner:
    """A new key with money."""
    signer = LocalSigner(secrets.token_bytes(32))
    fund(chain.node, signer.address, 100 * ETHER)
    return signer


def stake(chain: Chain, owner: LocalSigner, operator: LocalSigner, ether: int = 5) -> None:
    door = Door(chain, owner)
    door.send(chain.vault.deposit(owner.address, ether * ETHER))
    door.send(chain.vault.allow(operator.address, ether * ETHER))


def pass_time(chain: Chain, until: int) -> None:
    """Mine until a block from `until` on is final."""
    chain.node.request("evm_setNextBlockTimestamp", [max(until, chain.head().timestamp + 1)])
    finalize(chain)


def finalize(chain: Chain) -> None:
    """Make everything up to now final."""
    chain.node.request("anvil_mine", ["0x4"])


def description(signature: str, target: str = "eng") -> bytes:
    return canonical({"name": "test", "languages": [target], "metric_signature": signature})


def register_task(
    chain: Chain, folder: Path, sender: LocalSigner, *, metric: str = "Bleu", target: str = "eng", **changes: int
) -> TaskId:
    """A task whose description lies in the folder."""
    address = chain.deployment.metrics[metric]
    text = description(chain.metric(address).signature(), target)
    values = {
        "max_items": 100, "max_bytes": 500, "max_silence_bps": 2000, "answer_window": 1000, "post_window": 100,
        "attest_window": 1000, "reveal_window": 1000, "challenge_window": 1000, "demand_window": 10,
        "round_bond": ETHER, "version_bond": ETHER // 10, "demand_fee": ETHER // 1000,
    }  # fmt: skip
    params = TaskParams(hashlib.sha256(text).digest(), address, chain.metric(address).words(), **(values | changes))
    Door(chain, sender).send(chain.tasks.register(params))
    folder.mkdir(exist_ok=True)
    (folder / f"0x{task_id(params).hex()}.json").write_bytes(text)
    return task_id(params)


@dataclass
class Provider:
    """A version on chain and the fake gateway in front of it."""

    chain: Chain
    owner: LocalSigner = field(init=False)
    operator: LocalSigner = field(init=False)
    version: VersionId = field(init=False)

    def __post_init__(self) -> None:
        self.owner, self.operator = rich(self.chain), rich(self.chain)
        stake(self.chain, self.owner, self.operator)
        name_hash, commitment = secrets.token_bytes(32), secrets.token_bytes(32)
        door = Door(self.chain, self.operator)
        door.send(self.chain.models.register_model(self.owner.address, name_hash))
        model = model_id(self.owner.address, name_hash)
        door.send(self.chain.models.commit_version(model, commitment, self.operator.address))
        self.version = version_id(model, 1, commitment, self.operator.address)


@dataclass
class Exam:
    """One home on one chain. Leaving it stops the gateways."""

    chain: Chain
    home: Path
    stack: ExitStack = field(default_factory=ExitStack)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def __enter__(self) -> "Exam":
        self.owner, self.operator = rich(self.chain), rich(self.chain)
        stake(self.chain, self.owner, self.operator)
        self.task = register_task(self.chain, self.home / "tasks", self.operator)
        self.agent = self.open()
        return self

    def __exit__(self, *error: object) -> None:
        self.agent.journal.close()
        self.stack.__exit__(None, None, None)

    def open(self) -> Agent:
        """The agent as after a restart."""
        journal, store = Journal(self.home / "bench.sqlite"), Store(self.home / "store")
        door = Door(self.chain, self.operator)
        return Agent(self.chain, door, self.operator, journal, store, self.home / "tasks", self.secret)

    def reopen(self) -> None:
        """A crash and a new start."""
        self.agent.journal.close()
        self.agent = self.open()

    def import_set(self, text: str = SET, name: str = "set") -> str:
        path = self.home / f"{name}.csv"
        path.write_text(text)
        source = read_set(path)
        items = [SetItem(n, i.kind, i.prompt, i.reference, i.group, i.tags, keccak(i.prompt)) for n, i in enumerate(source)]
        self.agent.journal.add_set(name, set_digest(items), items)
        return name

    def seal(self, text: str = SET, name: str = "set", task: TaskId | None = None) -> RoundId:
        self.import_set(text, name)
        pass_time(self.chain, 0)  # versions count that were committed before the second of the seal
        return seal.run(self.agent, name, task or self.task, self.owner.address).round

    def gateways(self, count: int) -> list[FakeGateway]:
        """Fresh providers, each behind a gateway; call it before the seal."""
        providers = [Provider(self.chain) for _ in range(count)]
        return [self.stack.enter_context(FakeGateway(self.chain.domain, p.operator, (p.version,))) for p in providers]

    def enrol(self, round_: RoundId, *gateways: FakeGateway) -> enrol.EnrolReport:
        report = enrol.run(self.agent, round_, [gateway.url for gateway in gateways])
        assert not report.refused, report.refused
        finalize(self.chain)
        return report

    def ask(self, round_: RoundId, options: AskOptions = QUICK) -> ask_step.AskReport:
        return ask_step.run(self.agent, round_, options)

    def settle(self, round_: RoundId) -> reveal.RevealReport:
        """Score, attest and reveal, past the answers."""
        self.pass_answers(round_)
        score.run(self.agent, round_)
        attest.run(self.agent, round_)
        return reveal.run(self.agent, round_)

    def pass_answers(self, round_: RoundId) -> None:
        deadlines = self.chain.rounds.deadlines(round_)
        assert deadlines
        pass_time(self.chain, deadlines.answer_by)
