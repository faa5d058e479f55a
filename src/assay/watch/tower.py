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
from pathlib import Path, PurePath

import structlog

from assay.audit import proofs
from assay.audit.bisection import next_demand
from assay.audit.calldata import shown_openings
from assay.audit.proofs import Proof
from assay.chain.client import Chain
from assay.chain.index import DemandRecord
from assay.errors import AssayError, BadInput, NotYet, Refused, Retry, Reverted
from assay.types import Address, Block, RoundId
from assay.watch.agreement import Disagreement, Witnesses
from assay.watch.auditing import MOST_BYTES, Auditor
from assay.watch.deciding import Deed, Look, Rank, Task, decide
from assay.watch.hand import Hand
from assay.watch.inbox import Inbox
from assay.watch.journal import Journal
from assay.watch.library import Library
from assay.watch.lookout import Lookout
from assay.watch.meters import Meters
from assay.watch.pauses import Pauses, doubled, renewal
from assay.watch.peers import Peers
from assay.watch.records import Audit
from assay.watch.settings import Plan

__all__ = ["Done", "Tools", "Tower"]

SLICE_SECONDS = 0.5
IDLE_BYTES = 64 << 20
"""More is not read of a round on which nothing is spent."""
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
    peers: Peers
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


class Tower:
    """Follows one deployment. Call `run`, or `once` as often as it says."""

    def __init__(self, tools: Tools) -> None:
        """Nothing is read or sent yet."""
        self.tools = self._t = tools
        self._plan = tools.plan
        self._seed = tools.plan.seed or tools.journal.fact("seed", secrets.token_hex(16))
        self._pauses = Pauses()
        self._public: dict[Path, str] = {}
        self._lookout = Lookout(tools.chain, tools.witnesses, tools.journal, tools.auditor, tools.peers, self._pauses)
        self._stumbles = 0
        self.done: list[Done] = []
        self.error: Exception | None = None
        """What ended the last cycle early, if anything did."""
        self.failed: Exception | None = None
        """What first kept `until_idle` from doing something; not what the chain or the plan refused."""

    def run(self, stopping: Callable[[], bool]) -> None:
        """Cycle until it is to stop; what was signed is waited for."""
        while not stopping():
            wait = self.once()
            self.done.clear()
            _sleep(wait, stopping)

    def until_idle(self, stopping: Callable[[], bool] = lambda: False) -> list[Done]:
        """Cycle until a cycle finds nothing to do now; everything that was done since the start.

        See `error` for why it ended, and `failed` for what was left out.
        """
        self.failed, second_look = None, True
        with self._pauses.at_most_once():
            while not stopping():
                wait = self.once()
                if wait and not (second_look and self._t.hand.is_unsure):
                    break
                second_look = not wait
                _sleep(wait, stopping)
        return self.done

    def once(self) -> float:
        """One cycle. Seconds until the next is due: 0 where something was done, or took so long that all has to be read anew.

        Any error ends up in log, figures and `error`.
        """
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
            return doubled(self._plan.retry_seconds, self._stumbles)
        self._stumbles = 0
        self._t.meters.last_cycle.set(time.time())
        return waited

    def _cycle(self) -> float:
        began = time.monotonic()
        self._read_public()
        block = self._t.witnesses.pinned()
        if self._t.hand.settle(block.timestamp):
            return float(self._plan.poll_seconds)
        self._t.inbox.read()
        looks = self._lookout.looks(block)
        self._t.meters.observe(looks, block, self._t.journal, self._plan)
        if self._t.me is not None:
            self._t.meters.balance.set(self._t.chain.node.balance(self._t.me))
            self._t.meters.free_stake.set(self._t.chain.vault.balance(self._t.me).free)
            self._t.meters.limit_left.set(self._t.chain.vault.allowance(self._t.me, self._t.me).left)
        unread = len(self._plan.public_sets) - len(self._public)
        self._t.meters.evidence_problems.set(len(self._t.inbox.problems) + unread)
        wanted = [(task, look) for look in looks for task in decide(look, self._plan, self._t.me, self._seed)]
        for task, look in sorted(wanted, key=lambda pair: pair[0].urgency):
            is_due = self._pauses.is_over(_key(task, look)) and not self._is_moot(task, look)
            if is_due and (self._try(task, look, block) or time.monotonic() - began >= self._plan.poll_seconds):
                return 0.0
        return float(self._plan.poll_seconds)

    def _read_public(self) -> None:
        """Take public sets into the journal; one that cannot be read is tried again, and keeps nothing else waiting."""
        for path in self._plan.public_sets:
            if path in self._public or not self._pauses.is_over(path):
                continue
            try:
                self._public[path] = self._t.library.add_public(path)
            except BadInput as error:
                self._count(error)
                self._pauses.add(path, self._plan.retry_seconds)
                log.warning("a public set is left out", path=str(path), message=error.message)

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
            if not isinstance(error, (Refused, Reverted)):
                self.failed = self.failed or error
            self._pauses.add(key, self._plan.poll_seconds if isinstance(error, (Retry, NotYet)) else self._plan.retry_seconds)
            told = {"message": error.message, "remedy": error.remedy} if isinstance(error, AssayError) else {}
            log.warning("not done", **where, position=task.position, error=type(error).__name__, **told, at=_line_of(error))
            return False
        self._pauses.end(key)
        if done is None:
            return False
        if done.dry:
            self._pauses.for_ever(key)
        self.done.append(done)
        log.info("would do" if done.dry else "done", **where, what=done.what, position=task.position, gas=done.gas, fee=done.fee)
        return True

    def _do(self, task: Task, look: Look, block: Block) -> Done | None:
        if task.deed is Deed.AUDIT:
            return self._audit(task, look, block)
        if task.deed is Deed.CLOSE:
            self._t.journal.close_round(look.round.id, look.phase, block.timestamp)
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
        id_, most_bytes = look.round.id, IDLE_BYTES if task.rank is Rank.IDLE else MOST_BYTES
        audit = self._t.auditor.audit(id_, block.number, look.evidence, most_bytes)
        if audit.served:
            self._pauses.end(id_)
        elif not audit.early:
            self._pauses.add(id_, self._plan.retry_seconds)
        before = self._t.journal.audit(id_)
        if before is not None and not before.early and before.evidence != audit.evidence:
            self._pauses.add(renewal(id_), self._plan.retry_seconds)
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
        rounds = self._t.peers.revealed_before(look.round.sealed_at)
        public = frozenset((*self._public.values(), *(id_.hex() for id_ in rounds)))
        found = self._t.library.sightings(look.round.id, public)
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

    def _is_moot(self, task: Task, look: Look) -> bool:
        """Whether a reuse has nobody left to accuse who would pay for it."""
        other = task.found.other if task.found else None
        return other is not None and self._t.peers.guilty(look.round.id, other) is None

    def _count(self, error: Exception) -> None:
        self._t.meters.errors.labels(type(error).__name__).inc()
        if not isinstance(error, AssayError):
            self._t.meters.unexpected.inc()


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
    return not audit.served and (before.served, before.early, before.bundle, before.evidence, before.found, before.shut) == (
        audit.served,
        audit.early,
        audit.bundle,
        audit.evidence,
        audit.found,
        audit.shut,
    )


def _key(task: Task, look: Look) -> _Key:
    found = f"{task.found}" if task.found else ""
    return task.deed, look.round.id, task.version or b"", task.position, found


def _record(look: Look, task: Task) -> DemandRecord:
    for record in look.demands:
        if (record.version, record.position) == (task.version, task.position):
            return record
    raise BadInput(f"nobody demanded item {task.position}")
