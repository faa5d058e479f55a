"""A provider with a real journal and real keys over a chain whose state the test sets by hand."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assay.encoding.hashing import keccak
from assay.encoding.receipts import Domain, LocalSigner
from assay.errors import Unreachable
from assay.gateway.chainview import Enrolment, RoundFacts
from assay.gateway.database import Database
from assay.gateway.journal import Journal
from assay.gateway.messages import Ack, Answer, Ask, Place, Seat
from assay.gateway.policy import TEMPLATE, Policy, parse
from assay.gateway.service import Service
from assay.types import Deadlines, Fault, ModelId, Phase, Round, RoundId, TaskId, TaskParams, Version, VersionId

PROVIDER = LocalSigner(b"\x01" * 32)
EXAMINER = LocalSigner(b"\x02" * 32)
STRANGER = LocalSigner(b"\x03" * 32)
BENCHMARKER = LocalSigner(b"\x04" * 32).address
DOMAIN = Domain(31337, LocalSigner(b"\x05" * 32).address)
ROUND = RoundId(keccak(b"round"))
VERSION = VersionId(keccak(b"version"))
SEAT = Seat(ROUND, VERSION)
SEALED_AT = 1_000_000
ANSWER_BY = SEALED_AT + 600
ITEMS = 5
TASK = TaskParams(
    description_digest=b"\x07" * 32,
    metric=LocalSigner(b"\x06" * 32).address,
    metric_words=1,
    max_items=100,
    max_bytes=64,
    max_silence_bps=100,
    answer_window=600,
    post_window=60,
    attest_window=600,
    reveal_window=600,
    challenge_window=6000,
    demand_window=60,
    round_bond=10**18,
    version_bond=10**16,
    demand_fee=0,
)
FACTS = RoundFacts(
    Round(
        ROUND,
        b"\x08" * 32,
        TaskId(b"\x09" * 32),
        BENCHMARKER,
        EXAMINER.address,
        ITEMS,
        SEALED_AT,
        0,
        1,
        0,
        Fault.NONE,
        bytes(32),
    ),
    TASK,
    Deadlines(ANSWER_BY, ANSWER_BY + 600, ANSWER_BY + 1200, ANSWER_BY + 7200),
)
UNTIL = ANSWER_BY - TASK.post_window


@dataclass
class StateChain:
    """A chain whose state is set by the test: what a node would say, without the node."""

    time: int = SEALED_AT + 10
    rounds: dict[RoundId, RoundFacts] = field(default_factory=lambda: {ROUND: FACTS})
    versions: dict[VersionId, Version] = field(
        default_factory=lambda: {
            VERSION: Version(VERSION, ModelId(b"\x0a" * 32), PROVIDER.address, PROVIDER.address, SEALED_AT - 1, 1)
        }
    )
    enrolments: dict[Seat, Enrolment] = field(default_factory=lambda: {SEAT: Enrolment.FINALIZED})
    objections: dict[TaskParams, str] = field(default_factory=dict)
    slashed: bool = False
    down: bool = False

    def _reach(self) -> None:
        if self.down:
            raise Unreachable("the node is down", "start it")

    async def now(self) -> int:
        self._reach()
        return self.time

    async def facts(self, round_: RoundId) -> RoundFacts | None:
        self._reach()
        return self.rounds.get(round_)

    async def phase(self, round_: RoundId) -> Phase:
        self._reach()
        if self.slashed:
            return Phase.SLASHED
        return Phase.ANSWERING if self.time < self.rounds[round_].deadlines.answer_by else Phase.ATTESTING

    async def version(self, version: VersionId) -> Version | None:
        self._reach()
        return self.versions.get(version)

    async def enrolment(self, seat: Seat) -> Enrolment:
        self._reach()
        return self.enrolments.get(seat, Enrolment.NONE)

    async def objection(self, task: TaskParams) -> str | None:
        self._reach()
        return self.objections.get(task)


class Echo:
    """A model that answers with the prompt in capitals, and counts; `gate` makes it wait, `before` runs while it thinks."""

    def __init__(self) -> None:
        self.calls = 0
        self.reply: Callable[[str], bytes | None] = lambda prompt: f"{prompt.upper()} {self.calls}".encode()
        self.gate: asyncio.Event | None = None
        self.before: Callable[[], None] = lambda: None

    async def translate(self, prompt: str) -> bytes | None:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        self.before()
        return self.reply(prompt)

    async def close(self) -> None:
        pass


@dataclass
class Stage:
    service: Service
    journal: Journal
    chain: StateChain
    model: Echo


def policy(**changes: Any) -> Policy:
    return replace(parse(TEMPLATE), **changes)


@contextmanager
def stage(path: Path, chain: StateChain | None = None, model: Echo | None = None, rules: Policy | None = None):
    """A provider whose journal is the file; a second one on the same file is a restart."""
    chain, model = chain or StateChain(), model or Echo()
    database = Database(path / "gateway.sqlite")
    journal = Journal(database)
    service = Service(
        domain=DOMAIN, signer=PROVIDER, chain=chain, journal=journal, policy=rules or policy(), upstreams={VERSION: model}
    )
    try:
        yield Stage(service, journal, chain, model)
    finally:
        asyncio.run(service.close())
        database.close()


def ask(position: int = 0, prompt: str = "hello", until: int = UNTIL, signer: LocalSigner = EXAMINER, **place: Any) -> Ask:
    where = Place(place.get("round_", ROUND), place.get("version", VERSION), position)
    unsigned = Ask(where, prompt, until, b"")
    return replace(unsigned, signature=signer.sign(unsigned.digest(place.get("domain", DOMAIN))))


def ack(answer: Answer, signer: LocalSigner = EXAMINER) -> Ack:
    unsigned = Ack(answer.place, answer.response_hash, b"")
    return replace(unsigned, signature=signer.sign(unsigned.digest(DOMAIN)))


def run(*steps: Coroutine[Any, Any, Any]) -> Any:
    """Run steps one after another in one loop; the result of the last."""

    async def all_steps() -> Any:
        result = None
        for step in steps:
            result = await step
        return result

    return asyncio.run(all_steps())
