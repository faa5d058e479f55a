"""What the gateway reads of the chain, kept for a moment: no request waits for the node more often than once a second.

Facts that finality has fixed are kept for good, everything else for `FRESH` seconds. A node that fails, is too slow, or whose
head stands still makes every read raise Unreachable.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol, TypeVar

from assay.chain.client import Chain
from assay.chain.minima import check_task
from assay.errors import AssayError, Refused, Unreachable
from assay.gateway.messages import Seat
from assay.types import Block, Deadlines, Phase, Round, RoundId, Standing, TaskParams, Version, VersionId

T = TypeVar("T")
FRESH = 1.0
FOR_GOOD = math.inf
READ_SECONDS = 15.0
STALL_SECONDS = 180.0
MAX_ENTRIES = 8_192


class Enrolment(Enum):
    """What the chain says of a version in a round."""

    NONE = "none"
    SEEN = "seen"
    FINALIZED = "finalized"


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """A round with its task and deadlines."""

    round: Round
    task: TaskParams
    deadlines: Deadlines


class ChainView(Protocol):
    """What the service needs to know. Every method raises Unreachable when the chain cannot be read."""

    async def now(self) -> int:
        """Time of the chain's head, Unix seconds, at most a second old."""
        ...

    async def facts(self, round_: RoundId) -> RoundFacts | None:
        """Facts of a round, or None where there is none."""
        ...

    async def phase(self, round_: RoundId) -> Phase:
        """Where a round stands, at most a second old."""
        ...

    async def version(self, version: VersionId) -> Version | None:
        """A committed version, or None."""
        ...

    async def enrolment(self, seat: Seat) -> Enrolment:
        """Whether a version is enrolled in a round, and whether that is final."""
        ...

    async def objection(self, task: TaskParams) -> str | None:
        """Why no gateway of this release sits such a task, or None: its metric is unknown, a window or a bond out of bounds."""
        ...


class _Entry(NamedTuple):
    until: float
    outcome: "asyncio.Future[Any]"


class _Ends(NamedTuple):
    head: Block
    finalized: Block


class CachedChain:
    """A ChainView over a real chain. Reads run one after another in a thread, each at most once at a time."""

    def __init__(self, chain: Chain, *, fresh: float = FRESH, stall: float = STALL_SECONDS) -> None:
        """`fresh` and `stall` in seconds: how long a reading is kept, and how long the head may stand still."""
        self._chain, self._fresh, self._stall = chain, fresh, stall
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="chain")
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._last_head = (-1, 0.0)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def now(self) -> int:
        """As ChainView says."""
        return (await self._ends()).head.timestamp

    async def facts(self, round_: RoundId) -> RoundFacts | None:
        """As ChainView says."""
        finalized = (await self._ends()).finalized

        def fixed(found: RoundFacts | None) -> bool:
            return found is not None and found.round.sealed_at <= finalized.timestamp

        return await self._read(("facts", round_), lambda: self._read_facts(round_), fixed)

    async def phase(self, round_: RoundId) -> Phase:
        """As ChainView says."""
        return await self._read(("phase", round_), lambda: self._chain.rounds.phase(round_))

    async def version(self, version: VersionId) -> Version | None:
        """As ChainView says."""
        return await self._read(("version", version), lambda: self._chain.models.version(version))

    async def enrolment(self, seat: Seat) -> Enrolment:
        """As ChainView says."""
        finalized = (await self._ends()).finalized
        facts = await self.facts(seat.round)
        if facts is None:
            return Enrolment.NONE
        sealed_at = facts.round.sealed_at

        def read() -> Enrolment:
            if sealed_at <= finalized.timestamp and self._standing(seat, finalized.number) is not Standing.NONE:
                return Enrolment.FINALIZED
            return Enrolment.NONE if self._standing(seat, "latest") is Standing.NONE else Enrolment.SEEN

        return await self._read(("enrolment", seat), read, lambda found: found is Enrolment.FINALIZED)

    async def objection(self, task: TaskParams) -> str | None:
        """As ChainView says."""
        return await self._read(("objection", task), lambda: self._read_objection(task))

    def _read_objection(self, task: TaskParams) -> str | None:
        try:
            check_task(self._chain, task)
        except Refused as error:
            return error.message
        return None

    def _standing(self, seat: Seat, at: int | str) -> Standing:
        return self._chain.rounds.score(*seat, at=at).standing

    def _read_facts(self, round_: RoundId) -> RoundFacts | None:
        found = self._chain.rounds.round(round_)
        if found is None:
            return None
        params = self._chain.tasks.params(found.task)
        deadlines = self._chain.rounds.deadlines(round_)
        return None if params is None or deadlines is None else RoundFacts(found, params, deadlines)

    async def _ends(self) -> _Ends:
        ends = await self._read("ends", lambda: _Ends(self._chain.head(), self._chain.finalized()))
        number, since = self._last_head
        if ends.head.number != number:
            self._last_head = (ends.head.number, time.monotonic())
        elif time.monotonic() - since > self._stall:
            raise Unreachable(f"the node's head stands still at block {number}", "check the node")
        return ends

    async def _read(self, key: Hashable, read: Callable[[], T], fixed: Callable[[T], bool] = lambda _: False) -> T:
        """One reading by key, shared by all who want it now and kept afterwards; errors are kept as long as answers."""
        entry = self._entries.get(key)
        if entry is None or (entry.outcome.done() and entry.until < time.monotonic()):
            entry = self._entries[key] = _Entry(FOR_GOOD, asyncio.ensure_future(self._in_thread(read)))
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)
            try:
                result: T = await asyncio.shield(entry.outcome)
            except BaseException:
                self._keep(key, entry, self._fresh)
                raise
            self._keep(key, entry, FOR_GOOD if fixed(result) else self._fresh)
            return result
        shared: T = await asyncio.shield(entry.outcome)
        return shared

    def _keep(self, key: Hashable, entry: _Entry, seconds: float) -> None:
        if self._entries.get(key) is entry:
            self._entries[key] = _Entry(time.monotonic() + seconds, entry.outcome)

    async def _in_thread(self, read: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self._thread, read), READ_SECONDS)
        except TimeoutError:
            raise Unreachable(f"the node did not answer within {READ_SECONDS:.0f} s", "check the node") from None
        except AssayError:
            raise
        except Exception as error:
            raise Unreachable(f"the node's answer makes no sense: {type(error).__name__}", "check the node") from error
