"""The rules of the gateway, without HTTP: when it consents to a round, when it answers, what it acknowledges having heard.

It signs Enrol and Answer and nothing else. What it signs is on disk before it is returned, and there is one Answer a place
for ever.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

from assay.encoding.receipts import Domain, Signer, recover
from assay.errors import AssayError
from assay.gateway.chainview import ChainView, Enrolment, RoundFacts
from assay.gateway.journal import Journal, Kept
from assay.gateway.messages import Ack, Answer, Ask, Place, Seat, cut
from assay.gateway.policy import Consent
from assay.gateway.problems import Problem
from assay.gateway.upstreams import Occasion, TaskUpstream, Upstream
from assay.gateway.writer import Writer
from assay.types import Phase, RoundId, VersionId

T = TypeVar("T")
MAX_IN_FLIGHT = 256
MAX_LOOKUPS = 8
RETRY_SECONDS = 2
STOPPED_SECONDS = 30


class Service:
    """One provider's key in front of its models."""

    def __init__(
        self,
        *,
        domain: Domain,
        signer: Signer,
        chain: ChainView,
        journal: Journal,
        policy: Consent,
        upstreams: Mapping[VersionId, Upstream],
    ) -> None:
        """`signer` is the operator of all versions, each of which has its model in `upstreams`."""
        self.domain, self.versions, self.operator = domain, tuple(upstreams), signer.address
        self._signer, self._chain, self._journal, self._policy = signer, chain, journal, policy
        self._upstreams = upstreams
        self._seats = set(journal.seats())
        self._unsettled: dict[Seat, dict[int, bytes]] = {}
        self._stopped: dict[Seat, str] = {}
        self._places: dict[Place, tuple[asyncio.Lock, int]] = {}
        self._in_flight = self._lookups = 0
        self._write = Writer(journal.database)

    async def close(self) -> None:
        """Stop the models; the journal stays with whoever opened it."""
        for upstream in self._upstreams.values():
            await upstream.close()
        self._write.close()

    # -- enrol

    async def enrol(self, seat: Seat) -> bytes:
        """The Enrol signature for a round that the policy admits. Problem otherwise."""
        upstream = self._upstream(seat.version)
        facts = await self._facts(seat)
        await self._check_version(seat, facts)
        round_ = facts.round
        reason = self._policy.refusal(round_.benchmarker, round_.task, facts.task, round_.items)
        reason = reason or await self._reading(self._chain.objection(facts.task))
        if reason is None and isinstance(upstream, TaskUpstream):
            reason = upstream.objection(round_.task, facts.task.description_digest)
        if reason is not None:
            raise Problem("not-admitted", reason)
        await self._check_answering(seat.round)
        signature = self._signer.sign(self.domain.enrol(*seat))
        await self._write(lambda: self._journal.add_enrolment(seat, signature))
        self._seats.add(seat)
        return signature

    async def _check_version(self, seat: Seat, facts: RoundFacts) -> None:
        version = await self._reading(self._chain.version(seat.version))
        if version is None or version.operator != self.operator:
            raise Problem("not-admitted", "the chain does not know this version under this gateway's key")
        if version.committed_at >= facts.round.sealed_at:
            raise Problem("not-admitted", "the version was not committed before the round was sealed")

    # -- ask

    async def ask(self, ask: Ask, acks: Sequence[Ack] = ()) -> Answer:
        """The Answer to an Ask: the one kept for its place, or a new one. Problem otherwise."""
        upstream = self._upstream(ask.place.version)
        facts = await self._facts(ask.place.seat)
        self._check_ask(ask, facts)
        await self._check_acks(acks)
        if ask.place.seat not in self._seats:
            raise Problem("not-enrolled", "this gateway gave no consent for this version in this round")
        self._load_unsettled(ask.place.seat)
        with self._counted():
            async with self._alone(ask.place):
                self._settle(acks)
                answer = self._journal.answer(ask.place)
                if answer is None:
                    try:
                        answer = await self._new_answer(ask, acks, facts, upstream)
                    except Exception:
                        await self._write(lambda: self._journal.receive(ask, acks))
                        raise
                else:
                    await self._write(lambda: self._journal.receive(ask, acks))
                return _same_prompt(answer, ask)

    async def _new_answer(self, ask: Ask, acks: Sequence[Ack], facts: RoundFacts, upstream: Upstream) -> Kept:
        await self._check_open(ask)
        await self._check_enrolled(ask.place.seat)
        unsettled = self._unsettled[ask.place.seat]
        if len(unsettled) >= self._policy.largest_unacknowledged:
            detail = f"{len(unsettled)} answers of this round wait for their acknowledgement"
            raise Problem("unacknowledged", detail, retry_after=RETRY_SECONDS)
        if (why := self._stopped.get(ask.place.seat)) is not None:
            raise Problem("unacknowledged", why, retry_after=STOPPED_SECONDS)
        response = await _asked(upstream, ask, facts)
        if response is None:
            raise Problem("silent", "the model gave no answer to this prompt", retry_after=RETRY_SECONDS)
        await self._check_open(ask)  # the model may have taken long
        answer = self._signed(ask, cut(response, facts.task.max_bytes))
        kept = await self._write(lambda: self._journal.add_answer(answer, ask, acks))
        unsettled[ask.place.position] = kept.answer.response_hash
        return kept

    def _signed(self, ask: Ask, response: bytes) -> Answer:
        unsigned = Answer(ask.place, ask.prompt_hash, response, b"")
        digest = self.domain.answer(*ask.place, unsigned.prompt_hash, unsigned.response_hash)
        return Answer(ask.place, unsigned.prompt_hash, response, self._signer.sign(digest))

    def _check_ask(self, ask: Ask, facts: RoundFacts) -> None:
        """What holds of an Ask for ever: signer, position, size, and room to post its answer."""
        if recover(ask.digest(self.domain), ask.signature) != facts.round.operator:
            raise Problem("wrong-signature", f"the Ask is not signed by the round's operator {facts.round.operator}")
        if ask.place.position >= facts.round.items:
            raise Problem("bad-position", f"the round has positions 0 to {facts.round.items - 1}")
        if len(ask.prompt.encode()) > facts.task.max_bytes:
            raise Problem("too-large", f"the task caps texts at {facts.task.max_bytes} bytes")
        if ask.answer_until + facts.task.post_window > facts.deadlines.answer_by:
            latest = facts.deadlines.answer_by - facts.task.post_window
            raise Problem("window-over", f"answer_until leaves no time to post the answer: {latest} is the latest")

    async def _check_open(self, ask: Ask) -> None:
        if await self._reading(self._chain.now()) >= ask.answer_until:
            raise Problem("window-over", f"the Ask was to be answered before {ask.answer_until}")
        await self._check_answering(ask.place.round)

    async def _check_answering(self, round_: RoundId) -> None:
        phase = await self._reading(self._chain.phase(round_))
        if phase is not Phase.ANSWERING:
            raise Problem("window-over", f"the round is {phase.name.capitalize()}, not Answering")

    async def _check_enrolled(self, seat: Seat) -> None:
        standing = await self._reading(self._chain.enrolment(seat))
        if standing is Enrolment.NONE:
            raise Problem("not-enrolled", "the chain has no such enrolment")
        if standing is Enrolment.SEEN:
            raise Problem("not-finalized", "the enrolment is on chain but not final yet", retry_after=RETRY_SECONDS)

    # -- acknowledge

    async def acknowledge(self, acks: Sequence[Ack]) -> int:
        """Keep acknowledgements; how many were taken. One wrong one refuses them all with a Problem."""
        await self._check_acks(acks)
        await self._write(lambda: self._journal.add_acks(acks))
        self._settle(acks)
        return len(acks)

    async def _check_acks(self, acks: Sequence[Ack]) -> None:
        for number, ack in enumerate(acks):
            self._upstream(ack.place.version)
            facts = await self._facts(ack.place.seat)
            if recover(ack.digest(self.domain), ack.signature) != facts.round.operator:
                raise Problem("wrong-signature", f"Ack {number} is not signed by the round's operator {facts.round.operator}")
            self._check_answered(number, ack)

    def _check_answered(self, number: int, ack: Ack) -> None:
        self._load_unsettled(ack.place.seat)
        given = self._unsettled[ack.place.seat].get(ack.place.position)
        if given is None:
            kept = self._journal.answer(ack.place)
            given = kept.answer.response_hash if kept else None
        if given != ack.response_hash:
            raise Problem("unknown-answer", f"Ack {number} is for an answer that this gateway did not give")

    # -- what is not settled yet

    def unsettled(self, seat: Seat) -> frozenset[int]:
        """Positions whose answer was neither acknowledged nor posted."""
        self._load_unsettled(seat)
        return frozenset(self._unsettled[seat])

    def seats(self) -> tuple[Seat, ...]:
        """All seats that this gateway consented to."""
        return tuple(self._seats)

    def posted(self, place: Place) -> None:
        """Take note that the journal holds a post of this place."""
        self._unsettled.get(place.seat, {}).pop(place.position, None)

    def stop(self, seat: Seat, why: str | None) -> None:
        """Give no new answers in a round, with what to say instead; None: go on. Old ones are repeated all the same."""
        if why is None:
            self._stopped.pop(seat, None)
        else:
            self._stopped[seat] = why

    def _settle(self, acks: Iterable[Ack]) -> None:
        for ack in acks:
            self.posted(ack.place)

    def _load_unsettled(self, seat: Seat) -> None:
        if seat not in self._unsettled:
            self._unsettled[seat] = self._journal.unsettled(seat)

    # -- helpers

    def _upstream(self, version: VersionId) -> Upstream:
        upstream = self._upstreams.get(version)
        if upstream is None:
            raise Problem("not-enrolled", "this gateway does not serve that version", status=404)
        return upstream

    async def _facts(self, seat: Seat) -> RoundFacts:
        with self._looked_up(seat):
            facts = await self._reading(self._chain.facts(seat.round))
        if facts is None:
            raise Problem("unknown-round", f"the chain knows no round 0x{seat.round.hex()}")
        return facts

    @contextmanager
    def _looked_up(self, seat: Seat) -> Iterator[None]:
        """A few rounds without our consent at a time: who asks for invented ones must not starve those that we sit."""
        if seat in self._seats:
            yield
            return
        if self._lookups >= MAX_LOOKUPS:
            raise Problem("busy", f"{MAX_LOOKUPS} rounds are being looked up", retry_after=RETRY_SECONDS)
        self._lookups += 1
        try:
            yield
        finally:
            self._lookups -= 1

    async def _reading(self, read: Awaitable[T]) -> T:
        try:
            return await read
        except AssayError as error:
            raise Problem("chain-unreachable", error.message, retry_after=RETRY_SECONDS) from None

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._in_flight >= MAX_IN_FLIGHT:
            raise Problem("busy", f"{MAX_IN_FLIGHT} questions are being answered", retry_after=RETRY_SECONDS)
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    @asynccontextmanager
    async def _alone(self, place: Place) -> AsyncIterator[None]:
        """One at a time a place, so that Asks sent twice reach the model once."""
        lock, waiting = self._places.get(place, (asyncio.Lock(), 0))
        self._places[place] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._places.pop(place)
            if waiting > 1:
                self._places[place] = (lock, waiting - 1)


async def _asked(upstream: Upstream, ask: Ask, facts: RoundFacts) -> bytes | None:
    if isinstance(upstream, TaskUpstream):
        return await upstream.answer(ask.prompt, Occasion(ask.place, facts.round.task, facts.task.description_digest))
    return await upstream.translate(ask.prompt)


def _same_prompt(kept: Kept, ask: Ask) -> Answer:
    if kept.answer.prompt_hash != ask.prompt_hash:
        raise Problem("other-prompt", f"this position was answered for the prompt with hash 0x{kept.answer.prompt_hash.hex()}")
    return kept.answer
