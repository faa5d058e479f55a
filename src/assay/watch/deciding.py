"""What a round asks of a watchtower: a pure function from facts at one block to tasks, the most urgent first."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from assay.chain.index import DemandRecord
from assay.encoding.seals import depth_of
from assay.types import Address, Closing, Deadlines, DemandState, Phase, Round, TaskParams, VersionId
from assay.watch.records import Audit, Found
from assay.watch.settings import Plan

__all__ = ["Deed", "Look", "Rank", "Task", "decide", "sampled", "worth"]

GRACE_SECONDS = 600
"""So long is a demand of somebody else left to its demander, or for half of what is left until Final."""
_OPEN = frozenset({Phase.ANSWERING, Phase.ATTESTING, Phase.REVEALING, Phase.CHALLENGING})
_OVER = frozenset({Phase.FINAL, Phase.VOID, Phase.FORFEITED, Phase.SLASHED})
NEVER = 1 << 62


class Deed(IntEnum):
    """What can be done, in the order of urgency; what has the same tens goes by deadline."""

    EXPIRE = 0
    PROVE = 10
    FORFEIT = 15
    ANSWER = 20
    AUDIT = 21
    DEMAND = 30
    BISECT = 31
    RECLAIM = 40
    CLOSE = 50


class Rank(IntEnum):
    """What waits for what, before any deed or deadline counts: an audit that nothing hangs on may take minutes."""

    NOW = 0
    ANEW = 1
    """Another audit of a round, for new evidence or another bundle."""
    RETRY = 2
    """Another try at a bundle that was not served."""
    IDLE = 3
    """What takes a bundle of a round on which nothing is spent."""


@dataclass(frozen=True, slots=True)
class Look:
    """A round at one block. `evidence` is a digest of what is held outside its bundle.

    `may_fetch`: another try at its bundle is due; `may_renew`: so is another audit for new evidence.

    `accepted` says that the task has a shipped metric and keeps the published bounds: nothing is spent on any other.
    """

    round: Round
    phase: Phase
    now: int
    deadlines: Deadlines
    closing: Closing
    task: TaskParams
    demands: tuple[DemandRecord, ...] = ()
    audit: Audit | None = None
    evidence: bytes = b""
    may_fetch: bool = True
    may_renew: bool = True
    is_final: bool = False
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do for a round, before `deadline`."""

    deed: Deed
    deadline: int
    version: VersionId | None = None
    position: int | None = None
    found: Found | None = None
    rank: Rank = Rank.NOW

    @property
    def urgency(self) -> tuple[int, int, int]:
        """Sorts tasks."""
        return self.rank, self.deed // 10, self.deadline


def decide(look: Look, plan: Plan, me: Address | None, seed: str) -> list[Task]:
    """Everything that could be done now, the most urgent first. Nobody is accused for want of data: that is demanded first."""
    return sorted(_tasks(look, plan, me, seed), key=lambda task: task.urgency)


def sampled(seed: str, look: Look, version: VersionId, count: int) -> list[int]:
    """The positions of a version that are demanded where its items are not shown: drawn from seed, round and version."""
    draw = random.Random(f"{seed}:{look.round.id.hex()}:{version.hex()}")  # noqa: S311 - the seed is kept from the benchmarker
    return draw.sample(range(look.round.items), min(count, look.round.items))


def worth(look: Look, least_bond: int) -> bool:
    """Whether money is spent on a round."""
    return look.accepted and look.task.round_bond >= least_bond


def _tasks(look: Look, plan: Plan, me: Address | None, seed: str) -> Iterator[Task]:
    is_worth = worth(look, plan.least_bond)
    yield from _auditing(look, is_worth=is_worth)
    if look.phase is Phase.CHALLENGING:
        yield from _expiring(look, me, is_worth=is_worth)
        yield from _answering(look, plan, is_worth=is_worth)
        if is_worth and plan.demand:
            yield from _demanding(look, plan, seed)
    if plan.prove:
        yield from _proving(look, plan, is_worth=is_worth)
    if look.phase is Phase.FORFEITED and is_worth and plan.prove:
        yield Task(Deed.FORFEIT, NEVER)
    yield from _ending(look, me)


def _auditing(look: Look, *, is_worth: bool) -> Iterator[Task]:
    audit, revealed = look.audit, bool(look.round.revealed_at)
    if look.phase in _OVER:
        # A provider's two Answers cost it its bond until that is released, however the round ended.
        is_new = look.evidence != (audit.evidence if audit else b"") and look.may_renew
        if is_new and look.phase is not Phase.VOID and look.now < look.deadlines.versions_released_at:
            yield Task(Deed.AUDIT, look.deadlines.versions_released_at, rank=Rank.ANEW if is_worth else Rank.IDLE)
        return
    if not (revealed or look.evidence):
        return
    until = look.closing.final_at or look.deadlines.answer_by
    if audit is None or audit.early == revealed:
        yield Task(Deed.AUDIT, until, rank=Rank.NOW if is_worth else Rank.IDLE)
    elif (audit.evidence != look.evidence and look.may_renew) or (revealed and audit.bundle != look.round.bundle_digest):
        yield Task(Deed.AUDIT, until, rank=Rank.ANEW if is_worth else Rank.IDLE)
    elif revealed and not audit.served and look.may_fetch:
        yield Task(Deed.AUDIT, until, rank=Rank.RETRY if is_worth else Rank.IDLE)


def _expiring(look: Look, me: Address | None, *, is_worth: bool) -> Iterator[Task]:
    for record in look.demands:
        if record.state is not DemandState.OPEN or look.now < record.deadline:
            continue
        grace = min(GRACE_SECONDS, (look.closing.final_at - record.deadline) // 2)
        if record.demander == me or (is_worth and look.now >= record.deadline + grace):
            yield Task(Deed.EXPIRE, look.closing.final_at, record.version, record.position)


def _answering(look: Look, plan: Plan, *, is_worth: bool) -> Iterator[Task]:
    if not plan.answer or look.audit is None or not look.audit.is_honest:
        return
    for record in look.demands:
        if record.state is DemandState.OPEN and look.now < record.deadline:
            rank = Rank.NOW if is_worth else Rank.IDLE  # it opens the bundle, and demands may cost next to nothing
            yield Task(Deed.ANSWER, record.deadline, record.version, record.position, rank=rank)


def _demanding(look: Look, plan: Plan, seed: str) -> Iterator[Task]:
    audit, window, since = look.audit, look.task.challenge_window, look.round.revealed_at
    until = since + window // 2
    if audit is None or audit.early or look.now >= until:
        return
    # Who answers a demand gets half of its fee, so all that could be asked has to be less than what a fault pays.
    asked = max(plan.sample, depth_of(look.round.items) + 1) * len(audit.shut)
    if look.task.demand_fee * asked > look.task.round_bond // 2:
        return
    known = {(record.version, record.position) for record in look.demands}
    patience = min(plan.serve_seconds, window // 4)
    for version, why in sorted(audit.shut.items()):
        if why == "root":
            if not any(r.version == version and r.state is DemandState.OPEN for r in look.demands):
                yield Task(Deed.BISECT, until, version)
        elif why != "unserved" or look.now >= since + patience:
            wanted = sampled(seed, look, version, plan.sample)
            yield from (Task(Deed.DEMAND, until, version, at) for at in wanted if (version, at) not in known)


def _proving(look: Look, plan: Plan, *, is_worth: bool) -> Iterator[Task]:
    for found in look.audit.found if look.audit else ():
        if found.kind == "answers":
            bonded = look.accepted and look.task.version_bond >= plan.least_bond
            if bonded and look.now < look.deadlines.versions_released_at:
                yield Task(Deed.PROVE, look.deadlines.versions_released_at, found.version, found.position, found)
        elif found.other is not None:  # whether the guilty one of the two is worth it, `Peers.guilty` says
            if look.phase is not Phase.VOID:
                yield Task(Deed.PROVE, look.closing.final_at, found.version, found.position, found)
        elif is_worth and look.phase in _OPEN:
            yield Task(Deed.PROVE, look.closing.final_at or look.deadlines.answer_by, found.version, found.position, found)


def _ending(look: Look, me: Address | None) -> Iterator[Task]:
    if look.phase not in _OVER:
        return
    mine = [record for record in look.demands if record.state is DemandState.OPEN and record.demander == me]
    if look.phase in (Phase.SLASHED, Phase.FINAL):
        yield from (Task(Deed.RECLAIM, NEVER, record.version, record.position) for record in mine)
    if look.is_final and not mine and look.now >= look.deadlines.versions_released_at:
        yield Task(Deed.CLOSE, NEVER)
