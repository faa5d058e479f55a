"""The escape hatch: answers whose acknowledgement stays away are posted on chain, with their Ask and full text.

An answer is due when its Ask has run out and a quarter of the post window with it, or when so many answers of a round wait that
the gateway has stopped answering. It costs gas, and it is what makes refusing acknowledgements worth nothing. Only a final post
is kept as one: what a reorganisation takes away is posted again. Where the money or the gas budget is at its end, the round is
answered no more until it can be paid for again, and what waits is told with the last moment for it.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import structlog

from assay.chain.node import At
from assay.errors import AssayError, NoFunds, Refused, Reverted
from assay.gateway.chainview import ChainView, RoundFacts
from assay.gateway.journal import Journal, Kept
from assay.gateway.messages import Place, Seat
from assay.types import PostedAnswer, RoundId
from assay.units import date

log = structlog.get_logger()
T = TypeVar("T")
CYCLE_SECONDS = 2.0
PATIENCE_SECONDS = 30.0
POOR_SECONDS = 60.0
MOST_SECONDS = 300.0
SHOWN = 20


class Mined(NamedTuple):
    """A post and the block that it is in; no hash where somebody else posted it."""

    tx_hash: bytes
    block: int


class Board(Protocol):
    """Where answers are posted. Each may take as long as a transaction and raise any AssayError."""

    def posted(self, place: Place, at: At = "latest") -> bool:
        """Whether an answer was posted there before, by anyone."""
        ...

    def post(self, round_: RoundId, answer: PostedAnswer) -> Mined:
        """Post an answer, once whatever happens; the mined transaction."""
        ...

    def head(self) -> int:
        """Number of the newest block."""
        ...

    def final(self) -> int:
        """Number of the newest block that cannot be reorganised away."""
        ...


class Waiting(Protocol):
    """Where answers wait: a running gateway, or its journal alone."""

    def seats(self) -> Sequence[Seat]:
        """Versions in rounds that were consented to."""
        ...

    def unsettled(self, seat: Seat) -> Collection[int]:
        """Positions whose answer waits for its Ack."""
        ...

    def posted(self, place: Place) -> None:
        """The answer of a place is on chain."""
        ...

    def stop(self, seat: Seat, why: str | None) -> None:
        """Answer no more in a round, since nobody could post it, for what its answers wait; None: go on."""
        ...


class Poster:
    """Looks after unacknowledged answers, one a cycle: of all rounds' the one that is lost first.

    A crash anywhere is harmless: a post is signed once and taken up again.
    """

    def __init__(
        self,
        service: Waiting,
        journal: Journal,
        chain: ChainView,
        board: Board,
        *,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit` is the policy's number of answers that may wait in one round, `clock` gives seconds."""
        self._service, self._journal, self._chain, self._board = service, journal, chain, board
        self._limit, self._clock = limit, clock
        self._full_since: dict[Seat, float] = {}
        self._given_up: set[Place] = set()
        self._mined: dict[Place, Mined] = {}
        self._poor: dict[Seat, float] = {}
        self.refusals: dict[Seat, AssayError] = {}
        """Why the answers of a seat cannot be posted now, where that is for want of money."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="poster")

    async def run(self) -> None:
        """Cycle until cancelled; no error ends it, or the gateway would answer on without a way to the chain."""
        pause, failures = 0.0, 0
        while True:
            await asyncio.sleep(pause)
            try:
                pause = 0.0 if await self.cycle() else CYCLE_SECONDS
                failures = 0
            except AssayError as error:
                log.warning("posting waits", reason=error.message)
                pause = CYCLE_SECONDS
            except Exception as error:  # noqa: BLE001 - a full disk, or a defect
                failures += 1
                log.error("posting failed", error=type(error).__name__)
                pause = min(CYCLE_SECONDS * 2.0 ** min(failures, 10), MOST_SECONDS)

    def close(self) -> None:
        """End the thread, after the transaction that is under way."""
        self._thread.shutdown(cancel_futures=True)

    async def cycle(self) -> bool:
        """Post one answer that is due; whether there was one. If there was none, keep the posts that became final."""
        now, due = await self._chain.now(), []
        for seat in self._service.seats():
            facts = await self._chain.facts(seat.round)
            if facts is not None and (kept := await self._due(seat, facts, now)):
                due.append((kept, facts))
        for kept, facts in sorted(due, key=lambda one: _end(*one)):
            if await self._settle(kept, facts):
                return True
        await self._confirm()
        return False

    async def _due(self, seat: Seat, facts: RoundFacts, now: int) -> Kept | None:
        """The answer of a seat that is lost first, of those that should be posted now and can be paid for."""
        waiting, first = self._service.unsettled(seat), None
        full, left = self._is_full(seat, len(waiting)), any(place.seat == seat for place in self._mined)
        for position in sorted(waiting):
            place = Place(*seat, position)
            if place in self._given_up or place in self._mined:
                continue
            kept = await self._in_thread(partial(self._journal.answer, place))
            if kept is None:
                continue
            if now >= _end(kept, facts):
                await self._lose(place, _end(kept, facts))
                continue
            left = True
            is_due = full or now >= kept.answer_until + facts.task.post_window // 4
            if is_due and (first is None or kept.answer_until < first.answer_until):
                first = kept
        is_poor = self._clock() < self._poor.get(seat, 0.0)
        if not left or (first is None and not is_poor):  # nothing waits any more, or nothing that is due
            self._go_on(seat)
        return None if is_poor else first

    def _is_full(self, seat: Seat, waiting: int) -> bool:
        if waiting < self._limit:
            self._full_since.pop(seat, None)
            return False
        return self._clock() - self._full_since.setdefault(seat, self._clock()) >= PATIENCE_SECONDS

    async def _settle(self, kept: Kept, facts: RoundFacts) -> bool:
        """Post an answer, or find that it cannot be; False where it could if there were money."""
        place = kept.answer.place
        try:
            mined = await self._in_thread(lambda: self._post(kept))
        except Reverted as error:
            log.error("an answer could not be posted", round=place.round.hex(), position=place.position, reason=error.message)
            self._given_up.add(place)
            self._mined.pop(place, None)
            return True
        except (NoFunds, Refused) as error:
            await self._stop(place.seat, facts, error)
            return False
        self._mined[place] = mined
        self._service.posted(place)
        self._go_on(place.seat)
        log.info("answer posted", round=place.round.hex(), position=place.position, tx=mined.tx_hash.hex())
        return True

    async def _stop(self, seat: Seat, facts: RoundFacts, error: NoFunds | Refused) -> None:
        """Answer no more there, and say what waits, until when it can be posted, and what helps."""
        waiting = [one for one in sorted(self._service.unsettled(seat)) if Place(*seat, one) not in self._given_up]
        self._poor[seat] = self._clock() + POOR_SECONDS
        self.refusals[seat] = error
        why = "there is no money left" if isinstance(error, NoFunds) else "the gas budget is spent"
        self._service.stop(seat, f"{len(waiting)} answers of this round wait for an acknowledgement, and {why} to post them")
        found = [await self._in_thread(partial(self._journal.answer, Place(*seat, position))) for position in waiting]
        ends = [_end(kept, facts) for kept in found if kept is not None]
        log.error(
            "answers cannot be posted, and none is given any more",
            round=seat.round.hex(),
            version=seat.version.hex(),
            waiting=len(waiting),
            positions=waiting[:SHOWN],
            first_lost_at=date(min(ends)) if ends else "",
            last_lost_at=date(max(ends)) if ends else "",
            reason=error.message,
            remedy=f"{error.remedy}; or the examiner acknowledges them; see `assay provider status`",
        )

    def _go_on(self, seat: Seat) -> None:
        if self.refusals.pop(seat, None) is not None:
            self._service.stop(seat, None)
            log.info("answers can be posted again, or need not be", round=seat.round.hex(), version=seat.version.hex())
        self._poor.pop(seat, None)

    async def _lose(self, place: Place, end: int) -> None:
        if await self._in_thread(partial(self._board.posted, place)):  # before a crash, or by somebody else
            self._mined[place] = Mined(b"", await self._in_thread(self._board.head))
            self._service.posted(place)
            return
        self._given_up.add(place)
        log.error(
            "an answer can no longer be posted",
            round=place.round.hex(),
            position=place.position,
            lost_at=date(end),
            remedy="keep its signatures (`assay provider evidence`): the examiner may still count it, and need not",
        )

    def _post(self, kept: Kept) -> Mined:
        place = kept.answer.place
        if not self._board.posted(place):
            try:
                return self._board.post(place.round, _posted(kept))
            except Reverted:
                if not self._board.posted(place):  # unless another's post of it was mined first
                    raise
        return Mined(b"", self._board.head())

    async def _confirm(self) -> None:
        """Keep every post that is final; what a reorganisation took away is posted again."""
        if not self._mined:
            return
        final = await self._in_thread(self._board.final)
        for place, mined in list(self._mined.items()):
            if mined.block > final:
                continue
            if await self._in_thread(partial(self._board.posted, place, final)):
                await self._in_thread(partial(self._journal.add_post, place, mined.tx_hash))
                del self._mined[place]
            elif self._clock() >= self._poor.get(place.seat, 0.0):
                kept, facts = await self._in_thread(partial(self._journal.answer, place)), await self._chain.facts(place.round)
                if kept is not None and facts is not None:
                    await self._settle(kept, facts)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _end(kept: Kept, facts: RoundFacts) -> int:
    """When an answer can no longer be posted, Unix seconds."""
    return kept.answer_until + facts.task.post_window


def _posted(kept: Kept) -> PostedAnswer:
    answer = kept.answer
    return PostedAnswer(
        answer.place.version,
        answer.place.position,
        answer.prompt_hash,
        kept.answer_until,
        answer.response,
        kept.ask_signature,
        answer.signature,
    )
