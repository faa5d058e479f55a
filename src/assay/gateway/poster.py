"""The escape hatch: answers whose acknowledgement stays away are posted on chain, with their Ask and full text.

An answer is due when its Ask has run out and a quarter of the post window with it, or when so many answers of a round wait that
the gateway has stopped answering. It costs gas, and it is what makes refusing acknowledgements worth nothing.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

import structlog

from assay.errors import AssayError, Reverted
from assay.gateway.chainview import ChainView, RoundFacts
from assay.gateway.journal import Journal, Kept
from assay.gateway.messages import Place, Seat
from assay.gateway.service import Service
from assay.types import PostedAnswer, RoundId

log = structlog.get_logger()
T = TypeVar("T")
CYCLE_SECONDS = 2.0
PATIENCE_SECONDS = 30.0


class Board(Protocol):
    """Where answers are posted. Both may take as long as a transaction and raise any AssayError."""

    def posted(self, place: Place) -> bool:
        """Whether an answer was posted there before, by anyone."""
        ...

    def post(self, round_: RoundId, answer: PostedAnswer) -> bytes:
        """Post an answer; hash of the mined transaction."""
        ...


class Poster:
    """Looks after unacknowledged answers, one a cycle. A crash anywhere is harmless: the chain takes one post a place."""

    def __init__(
        self,
        service: Service,
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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="poster")

    async def run(self) -> None:
        """Cycle until cancelled."""
        while True:
            try:
                did = await self.cycle()
            except AssayError as error:
                log.warning("posting waits", reason=error.message)
                did = False
            await asyncio.sleep(0 if did else CYCLE_SECONDS)

    def close(self) -> None:
        """End the thread, after the transaction that is under way."""
        self._thread.shutdown(cancel_futures=True)

    async def cycle(self) -> bool:
        """Post one answer that is due; whether there was one."""
        now = await self._chain.now()
        for seat in self._service.seats():
            facts = await self._chain.facts(seat.round)
            if facts is None or now >= facts.deadlines.answer_by:
                continue
            kept = await self._due(seat, facts, now)
            if kept is not None:
                await self._settle(kept)
                return True
        return False

    async def _due(self, seat: Seat, facts: RoundFacts, now: int) -> Kept | None:
        waiting = self._service.unsettled(seat)
        full = self._is_full(seat, len(waiting))
        for position in sorted(waiting):
            place = Place(*seat, position)
            if place in self._given_up:
                continue
            kept = await self._in_thread(partial(self._journal.answer, place))
            if kept is None or now >= kept.answer_until + facts.task.post_window:
                continue
            if full or now >= kept.answer_until + facts.task.post_window // 4:
                return kept
        return None

    def _is_full(self, seat: Seat, waiting: int) -> bool:
        if waiting < self._limit:
            self._full_since.pop(seat, None)
            return False
        return self._clock() - self._full_since.setdefault(seat, self._clock()) >= PATIENCE_SECONDS

    async def _settle(self, kept: Kept) -> None:
        place = kept.answer.place
        try:
            tx_hash = await self._in_thread(lambda: self._post(kept))
        except Reverted as error:
            log.error("an answer could not be posted", round=place.round.hex(), position=place.position, reason=error.message)
            self._given_up.add(place)
            return
        self._service.posted(place)
        log.info("answer posted", round=place.round.hex(), position=place.position, tx=tx_hash.hex())

    def _post(self, kept: Kept) -> bytes:
        answer = kept.answer
        place = answer.place
        tx_hash = b""
        if not self._board.posted(place):
            post = PostedAnswer(
                place.version,
                place.position,
                answer.prompt_hash,
                kept.answer_until,
                answer.response,
                kept.ask_signature,
                answer.signature,
            )
            try:
                tx_hash = self._board.post(place.round, post)
            except Reverted:
                if not self._board.posted(place):  # unless another's post of it was mined first
                    raise
        self._journal.add_post(place, tx_hash)
        return tx_hash

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
