"""One run of asking: sweeps over the positions, all enrolled models at the same moment, every write before its send.

A sweep puts each missing question once. What failed is asked again in the next sweep, with a later `answer_until`. A gateway that
fails is a suspect (see `lines.py`) and delays no other.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from assay.agent import exchanges
from assay.agent.accept import check_reply
from assay.agent.clock import ChainClock
from assay.agent.committing import Committer
from assay.agent.context import Agent
from assay.agent.exchanges import Kept
from assay.agent.gateways import Gateway, GatewayRefused, NotNow
from assay.agent.lines import Line
from assay.agent.records import Ack, Answer, Ask, Enrolment
from assay.encoding.hashing import keccak
from assay.errors import AssayError
from assay.types import RoundId, VersionId

GRACE_SECONDS = 2.0
PAUSE_SECONDS = 1.0
ACKS_A_BATCH = 256
DELIVERIES_A_COMMIT = 256
PLACE_SLUGS = frozenset({"silent", "too-slow", "internal"})

Place = tuple[VersionId, int]


@dataclass(frozen=True, slots=True)
class AskOptions:
    """How to ask.

    `answer_timeout` in seconds of chain time, `concurrency` in positions, `attempts` in sweeps that bring nothing.
    """

    answer_timeout: int = 60
    concurrency: int = 4
    attempts: int = 3


@dataclass(frozen=True)
class Plan:
    """What is to be asked: prompts by position, the order, who sits, and the last second that an Ask may name."""

    round: RoundId
    prompts: Sequence[bytes]
    order: Sequence[int]
    seats: Sequence[Enrolment]
    cap: int
    latest: int
    now: int


@dataclass
class Tally:
    """What a run saw, by version."""

    failures: dict[VersionId, Counter[str]] = field(default_factory=dict)
    contradictions: int = 0
    refused_acks: int = 0

    def fail(self, version: VersionId, slug: str) -> None:
        """Count a failed attempt."""
        self.failures.setdefault(version, Counter())[slug] += 1


class Session:
    """Asks what is missing of one round. Build it, then `run` it once."""

    def __init__(self, agent: Agent, plan: Plan, options: AskOptions) -> None:
        """Reads what the journal has; nothing is sent yet."""
        self._agent, self._plan, self._options = agent, plan, options
        self._domain = agent.chain.domain
        self._hashes = [keccak(prompt) for prompt in plan.prompts]
        self._answered = exchanges.answered(agent.journal, plan.round)
        self._asked = exchanges.last_asks(agent.journal, plan.round)
        self._lines: dict[str, Line] = {}
        self.tally = Tally()

    async def run(self) -> Tally:
        """Deliver old Acks, sweep, deliver the new ones."""
        async with AsyncExitStack() as stack:
            for url in dict.fromkeys(seat.url for seat in self._plan.seats):
                gateway = await stack.enter_async_context(Gateway(url, connections=self._options.concurrency + 4))
                self._lines[url] = Line(gateway)
            self._committer = await stack.enter_async_context(Committer(self._agent.journal))
            self._clock = await stack.enter_async_context(ChainClock(self._agent.chain, self._plan.now))
            self._owe_old_acks()
            await self._deliver()
            await self._sweeps()
            await self._deliver()
        return self.tally

    async def _sweeps(self) -> None:
        """Sweep while anything is missing, until the time is over or several sweeps in a row brought nothing."""
        fruitless, first = 0, True
        while self._missing() and not self._over() and fruitless < self._options.attempts:
            before = len(self._answered)
            await self._sweep(again=not first)
            fruitless = 0 if len(self._answered) > before else fruitless + 1
            first = False

    # What is to be done

    def _missing(self) -> dict[int, list[Enrolment]]:
        """Seats without an answer, by position, in the order of the draw."""
        found = {p: [s for s in self._plan.seats if (s.version, p) not in self._answered] for p in self._plan.order}
        return {position: seats for position, seats in found.items() if seats}

    def _over(self) -> bool:
        return self._agent.stopping() or self._clock.now >= self._plan.latest

    def _sign(self, seat: Enrolment, position: int) -> Ask | None:
        """The Ask to send: a new one, the last one again if no later one is possible, or none when the time is over."""
        now, last = self._clock.now, self._asked.get((seat.version, position))
        until = min(now + self._options.answer_timeout, self._plan.latest)
        if last is not None and until <= last.answer_until:
            return last if last.answer_until > now else None
        if until <= now:
            return None
        prompt_hash = self._hashes[position]
        signature = self._agent.signer.sign(self._domain.ask(self._plan.round, seat.version, position, prompt_hash, until))
        return Ask(self._plan.round, seat.version, position, until, prompt_hash, signature, time.time())

    # Sweeps

    async def _sweep(self, *, again: bool) -> None:
        slots = asyncio.Semaphore(self._options.concurrency)
        missing = self._missing()
        if again:
            await asyncio.sleep(PAUSE_SECONDS)
            await self._wake_suspects(missing)
        async with asyncio.TaskGroup() as group:
            for position, seats in missing.items():
                await slots.acquire()
                if self._over():
                    slots.release()
                    break
                group.create_task(self._position(group, slots, position, seats))

    async def _wake_suspects(self, missing: Mapping[int, Sequence[Enrolment]]) -> None:
        """Before a later sweep, put one question to each suspect when its turn comes: a gateway that is back is used again."""
        first: dict[str, tuple[int, Enrolment]] = {}
        for position, seats in missing.items():
            for seat in seats:
                first.setdefault(seat.url, (position, seat))
        suspects = [(self._lines[url], *place) for url, place in first.items() if not self._lines[url].healthy]
        await asyncio.gather(*(self._wake(line, position, seat) for line, position, seat in suspects))

    async def _wake(self, line: Line, position: int, seat: Enrolment) -> None:
        await asyncio.sleep(max(0.0, min(line.not_before - time.monotonic(), self._plan.latest - self._clock.now)))
        ask = self._sign(seat, position)
        if ask is not None:
            await self._keep_asks([ask])
            await self._put(line, seat, ask)

    async def _position(
        self, group: asyncio.TaskGroup, slots: asyncio.Semaphore, position: int, seats: Sequence[Enrolment]
    ) -> None:
        """Put one question to everyone who still owes it. Suspects are asked at the same moment, but nobody waits for them."""
        try:
            questions = []
            for seat in seats:
                line = self._lines[seat.url]
                ask = self._sign(seat, position) if line.healthy or line.may_probe else None
                if ask is not None:
                    line.probing = line.probing or not line.healthy
                    questions.append((line, seat, ask, line.healthy))
            await self._keep_asks([ask for _, _, ask, _ in questions])
            waited_for = []
            for line, seat, ask, healthy in questions:
                task = group.create_task(self._put(line, seat, ask, probe=not healthy))
                if healthy:
                    waited_for.append(task)
            if waited_for:
                await asyncio.wait(waited_for)
        finally:
            slots.release()

    async def _keep_asks(self, asks: Sequence[Ask]) -> None:
        """Write new Asks, all of a position in one commit; one that is sent again word for word is there already."""
        new = [ask for ask in asks if self._asked.get((ask.version, ask.position)) != ask]
        if new:
            await self._committer.write(lambda: exchanges.add_asks(self._agent.journal, new))
            self._asked.update({(ask.version, ask.position): ask for ask in new})

    # One question

    async def _put(self, line: Line, seat: Enrolment, ask: Ask, *, probe: bool = False) -> None:
        acks = line.take_acks()
        began = time.monotonic()
        within = max(1.0, ask.answer_until - self._clock.now + GRACE_SECONDS)
        try:
            prompt = self._plan.prompts[ask.position]
            reply = await line.gateway.ask(ask, prompt, acks, cap=self._plan.cap, within=within)
            check_reply(self._domain, ask, seat.operator, reply, self._plan.cap)
        except AssayError as error:
            self._note(line, seat, error, acks)
            return
        finally:
            line.probing = line.probing and not probe
        line.worked()
        line.delivered += acks
        latency = (time.monotonic() - began) * 1000
        await self._keep(line, seat, ask, reply.response, reply.signature, latency)

    def _note(self, line: Line, seat: Enrolment, error: AssayError, acks: list[Ack]) -> None:
        """What a failure means: for the line if the gateway is away or busy, for the place alone if it is about this question."""
        slug = error.slug if isinstance(error, (NotNow, GatewayRefused)) else "unreachable"
        self.tally.fail(seat.version, slug)
        if acks and isinstance(error, GatewayRefused) and slug in ("unknown-answer", "wrong-signature"):
            self.tally.refused_acks += len(acks)  # they stay in the journal, and the next run tries them again
            return
        line.give_back(acks)
        if isinstance(error, GatewayRefused) or slug in PLACE_SLUGS:
            line.worked()
        else:
            line.failed(error.pause if isinstance(error, NotNow) else 0.0)

    async def _keep(self, line: Line, seat: Enrolment, ask: Ask, response: bytes, signature: bytes, latency: float) -> None:
        """Write the Answer and its Ack; only then may the Ack leave."""
        place, response_hash = (ask.round, ask.version, ask.position), keccak(response)
        answer = Answer(*place, ask.answer_until, response, response_hash, signature, time.time(), latency)
        ack = Ack(*place, response_hash, self._agent.signer.sign(self._domain.ack(*place, response_hash)))
        (kept,) = await self._committer.write(lambda: exchanges.add_answers(self._agent.journal, [(answer, ack)]))
        if kept is Kept.CONTRADICTION:
            self.tally.contradictions += 1
        if kept is Kept.NEW:
            line.owe([ack])
        self._answered.add((seat.version, ask.position))
        self._agent.progress(len(self._answered), len(self._plan.order) * len(self._plan.seats))
        if len(line.delivered) >= DELIVERIES_A_COMMIT:
            await self._write_deliveries(line)

    # Acknowledgements

    def _owe_old_acks(self) -> None:
        urls = {seat.version: seat.url for seat in self._plan.seats}
        for ack in exchanges.undelivered(self._agent.journal, self._plan.round):
            if ack.version in urls:
                self._lines[urls[ack.version]].owe([ack])

    async def _deliver(self) -> None:
        await asyncio.gather(*(self._deliver_to(line) for line in self._lines.values()))

    async def _deliver_to(self, line: Line) -> None:
        """Hand over what is owed, in batches; a gateway that is away gets it from the next run."""
        while acks := line.take_acks(ACKS_A_BATCH):
            try:
                await line.gateway.acknowledge(acks)
            except GatewayRefused:
                await self._deliver_singly(line, acks)
            except AssayError:
                line.give_back(acks)
                break
            else:
                line.delivered += acks
        await self._write_deliveries(line)

    async def _deliver_singly(self, line: Line, acks: Sequence[Ack]) -> None:
        """One wrong Ack refuses a whole batch: find out which, and deliver the others."""
        for ack in acks:
            try:
                await line.gateway.acknowledge([ack])
            except AssayError:
                self.tally.refused_acks += 1
            else:
                line.delivered.append(ack)

    async def _write_deliveries(self, line: Line) -> None:
        delivered, line.delivered = line.delivered, []
        if delivered:
            await self._committer.write(lambda: exchanges.add_deliveries(self._agent.journal, delivered))
