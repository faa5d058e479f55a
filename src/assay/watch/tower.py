"""The watchtower's cycle: read the chain at one block that all nodes have, decide, do at most one thing, return when to wake.

Whatever has to survive is in the journal and on the chain. What is kept here in memory are readings that can be made again and
pauses after errors; a killed tower that starts again does what it would have done.
"""

import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

import structlog

from assay.audit import proofs
from assay.audit.bisection import next_demand
from assay.audit.calldata import shown_openings
from assay.audit.proofs import Proof
from assay.chain import index
from assay.chain.client import Chain
from assay.chain.index import DemandRecord
from assay.chain.minima import check_task
from assay.errors import AssayError, BadInput, NotYet, Refused, Retry
from assay.types import Address, Block, Closing, Phase, RoundId, TaskId, TaskParams
from assay.watch.agreement import Disagreement, Witnesses
from assay.watch.auditing import Auditor
from assay.watch.deciding import Deed, Look, Task, decide
from assay.watch.hand import Hand
from assay.watch.inbox import Inbox
from assay.watch.journal import Journal
from assay.watch.library import Library
from assay.watch.meters import Meters
from assay.watch.records import Audit, Known
from assay.watch.settings import Plan

__all__ = ["Done", "Tools", "Tower"]

SLICE_SECONDS = 0.5
MOST_SECONDS = 3_600.0
_OVER = frozenset({Phase.FINAL, Phase.VOID, Phase.FORFEITED, Phase.SLASHED})
_NOTHING = Closing(0, 0)
_Key = tuple[Deed, RoundId, bytes, int | None, str]

log = structlog.get_logger()


@dataclass(frozen=True)
class Tools:
    """What a tower works with. `me` is the address that demands, None where a dry run has no key."""

    chain: Chain
    witnesses: Witnesses
    hand: Hand
    journal: Journal
    auditor: Auditor
    inbox: Inbox
    library: Library
    meters: Meters
    plan: Plan
    me: Address | None


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that a cycle did, or, if dry, would do. `what` is audit, close, or the kind of a proof."""

    what: str
    round: RoundId
    task: Task
    gas: int = 0
    fee: int = 0
    dry: bool = False


@dataclass(slots=True)
class _Pause:
    until: float = 0.0
    failures: int = 0


class Tower:
    """Follows one deployment. Call `run`, or `once` as often as it says."""

    def __init__(self, tools: Tools) -> None:
        """Nothing is read or sent yet; public sets are taken into the journal at the first cycle."""
        self.tools = self._t = tools
        self._plan = tools.plan
        self._seed = tools.plan.seed or tools.journal.fact("seed", secrets.token_hex(16))
        self._pauses: dict[_Key, _Pause] = {}
        self._fetched: dict[RoundId, float] = {}
        self._tasks: dict[TaskId, TaskParams] = {}
        self._accepted: dict[TaskId, bool] = {}
        self._fresh: list[Known] = []
        self._begun = False
        self._stumbles = 0
        self.done: list[Done] = []
        self.error: Exception | None = None
        """What ended the last cycle early, if anything did."""

    def run(self, stopping: Callable[[], bool]) -> None:
        """Cycle until it is to stop; what was signed is waited for."""
        while not stopping():
            wait = self.once()
            self.done.clear()
            _sleep(wait, stopping)

    def until_idle(self, stopping: Callable[[], bool] = lambda: False) -> list[Done]:
        """Cycle until a cycle finds nothing to do now; everything that was done since the start. See `error` for why it ended."""
        second_look = True
        while not stopping():
            wait = self.once()
            if wait and not (second_look and self._t.hand.is_unsure):
                break
            second_look = not wait
            _sleep(wait, stopping)
        return self.done

    def once(self) -> float:
        """One cycle. Seconds until the next is due: 0 where something was done. Any error ends up in log, figures and `error`."""
        self.error = None
        try:
            waited = self._cycle()
        except (Disagreement, NotYet) as error:
            self.error = error
            self._t.meters.disagreements.inc()
            log.warning("no agreement", message=error.message)
            return float(self._plan.poll_seconds)
        except AssayError as error:
            self.error = error
            self._count(error)
            log.warning("chain", error=type(error).__name__, message=error.message)
            return float(self._plan.poll_seconds)
        except Exception as error:  # noqa: BLE001 - neither a full disk nor a defect may end the watch
            self.error = error
            self._count(error)
            self._stumbles += 1
            log.error("the cycle failed", error=type(error).__name__, at=_line_of(error))
            return _doubled(self._plan.retry_seconds, self._stumbles)
        self._stumbles = 0
        self._t.meters.last_cycle.set(time.time())
        return waited

    def _cycle(self) -> float:
        self._begin()
        block = self._t.witnesses.pinned()
        if self._t.hand.settle(block.timestamp):
            return float(self._plan.poll_seconds)
        self._t.inbox.read()
        final = self._follow(block)
        looks = {known.round: self._look(known, block, final) for known in (*self._t.journal.rounds(), *self._fresh)}
        self._t.meters.observe(list(looks.values()), block, self._t.journal, self._plan)
        if self._t.me is not None:
            self._t.meters.balance.set(self._t.chain.node.balance(self._t.me))
            self._t.meters.free_stake.set(self._t.chain.vault.balance(self._t.me).free)
        self._t.meters.evidence_problems.set(len(self._t.inbox.problems))
        wanted = [(task, look) for look in looks.values() for task in decide(look, self._plan, self._t.me, self._seed)]
        for task, look in sorted(wanted, key=lambda pair: pair[0].urgency):
            if not self._is_paused(task, look) and self._try(task, look, block):
                return 0.0
        return float(self._plan.poll_seconds)

    def _begin(self) -> None:
        if not self._begun:
            for path in self._plan.public_sets:
                self._t.library.add_public(path)
            self._begun = True

    # Reading

    def _follow(self, block: Block) -> int:
        """Rounds sealed up to a final block are kept; younger ones are read again in every cycle. The final block's number."""
        chain, journal = self._t.chain, self._t.journal
        final = min(self._t.witnesses.finalized().number, block.number)
        first = chain.deployment.first_block
        scanned = journal.scanned()
        begin = first if scanned is None else scanned + 1
        found: list[Known] = []
        if begin <= block.number:
            read = partial(index.sealed_rounds, to_block=block.number, from_block=begin)
            found = [_known(sealed) for sealed in self._t.witnesses.same(read)]
        journal.add_rounds((known for known in found if known.block <= final), max(final, begin - 1))
        self._fresh = [known for known in found if known.block > final]
        return final

    def _look(self, known: Known, block: Block, final: int) -> Look:
        chain, at, id_ = self._t.chain, block.number, known.round
        witnesses = self._t.witnesses
        facts, phase = witnesses.same(lambda each: (each.rounds.round(id_, at=at), each.rounds.phase(id_, at=at)))
        deadlines = chain.rounds.deadlines(id_, at=at)
        if facts is None or deadlines is None:
            raise NotYet(f"round 0x{id_.hex()} is not in block {at}", "look again")
        closing = chain.rounds.closing(id_, at=at) if facts.revealed_at else _NOTHING
        demands = witnesses.same(lambda each: index.demands_of(each, id_, at)) if closing.queue_end else ()
        over = phase in _OVER and (known.block <= final and chain.rounds.phase(id_, at=final) is phase)
        return Look(
            round=facts,
            phase=phase,
            now=block.timestamp,
            deadlines=deadlines,
            closing=closing,
            task=self._task_of(facts.task, at),
            demands=demands,
            audit=self._t.journal.audit(id_),
            evidence=self._t.auditor.evidence(facts, phase, at),
            may_fetch=time.monotonic() >= self._fetched.get(id_, 0.0),
            is_final=over,
            accepted=self._accepts(facts.task, at),
        )

    def _task_of(self, task: TaskId, at: int) -> TaskParams:
        found = self._tasks.get(task) or self._t.chain.tasks.params(task, at=at)
        if found is None:
            raise NotYet(f"task 0x{task.hex()} is not in block {at}", "look again")
        self._tasks[task] = found
        return found

    def _accepts(self, task: TaskId, at: int) -> bool:
        """Whether the task has a shipped metric and keeps the published bounds; asked once, since tasks never change."""
        if task not in self._accepted:
            try:
                check_task(self._t.chain, self._task_of(task, at))
            except Refused as error:
                log.warning("nothing is spent on a task", task="0x" + task.hex(), why=error.message)
                self._accepted[task] = False
            else:
                self._accepted[task] = True
        return self._accepted[task]

    # Doing

    def _try(self, task: Task, look: Look, block: Block) -> bool:
        """Whether it was done; what went wrong is logged, and tried again after a pause."""
        key, where = _key(task, look), {"round": "0x" + look.round.id.hex(), "task": task.deed.name.lower()}
        try:
            done = self._do(task, look, block)
        except Disagreement:
            raise
        except Exception as error:  # noqa: BLE001 - one round must not blind the tower to the others
            self._count(error)
            self._pause(key, error)
            told = error.message if isinstance(error, AssayError) else ""
            log.warning("not done", **where, position=task.position, error=type(error).__name__, message=told, at=_line_of(error))
            return False
        self._pauses.pop(key, None)
        if done is None:
            return False
        if done.dry:
            self._pauses[key] = _Pause(float("inf"))
        self.done.append(done)
        log.info("would do" if done.dry else "done", **where, what=done.what, position=task.position, gas=done.gas, fee=done.fee)
        return True

    def _do(self, task: Task, look: Look, block: Block) -> Done | None:
        if task.deed is Deed.AUDIT:
            return self._audit(task, look, block)
        if task.deed is Deed.CLOSE:
            self._t.journal.close_round(look.round.id, look.phase.name.lower(), block.timestamp)
            return Done("close", look.round.id, task)
        with ExitStack() as stack:
            proof = self._proof(task, look, block, stack)
        bought = self._t.hand.bring(proof, block)
        kind = proof.kind.value
        self._t.meters.acts.labels(kind, "mined" if bought.receipt else "dry").inc()
        if bought.receipt is None:
            return Done(kind, proof.round, task, bought.gas, dry=True)
        return Done(kind, proof.round, task, bought.receipt.gas_used, bought.receipt.fee)

    def _audit(self, task: Task, look: Look, block: Block) -> Done | None:
        id_ = look.round.id
        try:
            audit = self._t.auditor.audit(id_, block.number)
        finally:
            self._fetched[id_] = time.monotonic() + self._plan.retry_seconds
        before = self._t.journal.audit(id_)
        if before is not None and _same(before, audit):
            return None
        self._t.journal.add_audit(audit, block.timestamp)
        self._t.meters.audits.labels(str(audit.exit_code), str(audit.served).lower()).inc()
        for found in audit.found:
            self._t.meters.faults.labels(found.kind).inc()
        if audit.served:
            self._sight(look, block)
        log.info("audited", round="0x" + id_.hex(), exit_code=audit.exit_code, served=audit.served, failed=audit.failed)
        return Done("audit", id_, task)

    def _sight(self, look: Look, block: Block) -> None:
        """Which of the round's prompts were public before its seal: in rounds that were revealed by then, or in known sets."""
        public = {path.name for path in self._plan.public_sets}
        for known in self._t.journal.rounds(closed=True):
            other = self._t.chain.rounds.round(known.round, at=block.number)
            if other is not None and 0 < other.revealed_at < look.round.sealed_at:
                public.add(known.round.hex())
        found = self._t.library.sightings(look.round.id, frozenset(public))
        self._t.journal.add_sightings(found, block.timestamp)
        for sighting in found:
            self._t.meters.sightings.labels(sighting.kind).inc()

    def _proof(self, task: Task, look: Look, block: Block, stack: ExitStack) -> Proof:
        auditor, id_, at = self._t.auditor, look.round.id, block.number
        if task.deed is Deed.PROVE and task.found is not None:
            return auditor.build(task.found, id_, at)
        if task.deed is Deed.FORFEIT:
            return proofs.forfeit(auditor.facts(id_, at))
        if task.version is None:
            raise BadInput(f"{task.deed.name.lower()} names no version")
        if task.deed is Deed.BISECT:
            facts, openings = auditor.openings(id_, at, stack)
            shown = shown_openings(self._t.chain, facts)
            return proofs.demand(facts, task.version, next_demand(facts, openings, task.version, shown, look.demands).position)
        if task.deed is Deed.DEMAND and task.position is not None:
            return proofs.demand(auditor.facts(id_, at), task.version, task.position)
        record = _record(look, task)
        if task.deed is Deed.ANSWER:
            facts, openings = auditor.openings(id_, at, stack)
            return proofs.answer(facts, openings, record)
        build = proofs.expire if task.deed is Deed.EXPIRE else proofs.reclaim
        return build(auditor.facts(id_, at), record)

    # Pauses

    def _is_paused(self, task: Task, look: Look) -> bool:
        """Whether it has to wait, after an error or because it is a dry run that said it already."""
        pause = self._pauses.get(_key(task, look))
        return pause is not None and time.monotonic() < pause.until

    def _pause(self, key: _Key, error: Exception) -> None:
        pause = self._pauses.setdefault(key, _Pause())
        pause.failures += 1
        first = self._plan.poll_seconds if isinstance(error, (Retry, NotYet)) else self._plan.retry_seconds
        pause.until = time.monotonic() + _doubled(first, pause.failures)

    def _count(self, error: Exception) -> None:
        self._t.meters.errors.labels(type(error).__name__).inc()
        if not isinstance(error, AssayError):
            self._t.meters.unexpected.inc()


def _doubled(first: float, failures: int) -> float:
    """Seconds to wait after so many failures."""
    return min(first * 2.0 ** min(failures - 1, 10), MOST_SECONDS)


def _sleep(seconds: float, stopping: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not stopping() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_SECONDS))


def _line_of(error: Exception) -> str:
    """Where an error arose; its text is not told, since nobody knows what is in it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{PurePath(frame.filename).name}:{frame.lineno}"


def _same(before: Audit, audit: Audit) -> bool:
    """Whether a second try found what the first one did; an unserved bundle is asked for again and again."""
    return not audit.served and (before.served, before.early, before.evidence, before.found, before.shut) == (
        audit.served,
        audit.early,
        audit.evidence,
        audit.found,
        audit.shut,
    )


def _known(sealed: index.Sealed) -> Known:
    return Known(sealed.round, sealed.benchmarker, sealed.task, sealed.block)


def _key(task: Task, look: Look) -> _Key:
    found = f"{task.found}" if task.found else ""
    return task.deed, look.round.id, task.version or b"", task.position, found


def _record(look: Look, task: Task) -> DemandRecord:
    for record in look.demands:
        if (record.version, record.position) == (task.version, task.position):
            return record
    raise BadInput(f"nobody demanded item {task.position}")
