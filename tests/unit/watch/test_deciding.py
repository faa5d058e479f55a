"""given a round at one block / when it is decided what it asks of a watchtower / each task begins and ends at its second."""

from dataclasses import replace

import pytest

from assay.chain.index import DemandRecord
from assay.types import Closing, Deadlines, DemandState, Fault, Phase, Round, TaskParams, VersionId
from assay.watch.deciding import GRACE_SECONDS, Deed, Look, Rank, Task, decide, sampled
from assay.watch.records import Audit, Found
from assay.watch.settings import Plan
from unit.audit.exam import Exam, address, seeded

ME, OTHER = address("me"), address("another")
REVEALED, WINDOW = 10_000, 4_000
FIRST, SECOND = sorted((VersionId(seeded("one")), VersionId(seeded("two"))))
BUNDLE = seeded("bundle")
TASK: TaskParams = replace(Exam().params, challenge_window=WINDOW)
ROUND = Round(
    Exam().round, seeded("root"), Exam().facts(None).round.task, OTHER, OTHER, 9, 1_000, REVEALED, 2, 2, Fault.NONE, BUNDLE
)
PLAN = Plan(serve_seconds=600, sample=2)


def audit(**changes: object) -> Audit:
    return replace(Audit(ROUND.id, b"", 5, served=True, exit_code=0, bundle=BUNDLE), **changes)  # type: ignore[arg-type]


def look(now: int = REVEALED + 1, **changes: object) -> Look:
    made = Look(
        round=ROUND,
        phase=Phase.CHALLENGING,
        now=now,
        deadlines=Deadlines(8_000, 9_000, 11_000, 15_000),
        closing=Closing(REVEALED + WINDOW, 0),
        task=TASK,
        audit=audit(),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def demanded(
    by: object = ME, deadline: int = REVEALED + 100, position: int = 3, state: DemandState = DemandState.OPEN
) -> DemandRecord:
    return DemandRecord(FIRST, position, by, deadline, state, 7)  # type: ignore[arg-type]


def deeds(found: Look, plan: Plan = PLAN) -> list[Deed]:
    return [task.deed for task in decide(found, plan, ME, "seed")]


def test_decide__honest_and_audited__nothing() -> None:
    assert deeds(look()) == []


@pytest.mark.parametrize("phase", [Phase.ANSWERING, Phase.ATTESTING, Phase.REVEALING])
def test_decide__before_the_reveal__only_evidence_is_looked_at(phase: Phase) -> None:
    before = look(phase=phase, round=replace(ROUND, revealed_at=0), audit=None)
    assert deeds(before) == []
    assert deeds(replace(before, evidence=b"e")) == [Deed.AUDIT]
    early = audit(served=False, early=True, evidence=b"e", found=(Found("leak", None, 2),))
    assert deeds(replace(before, evidence=b"e", audit=early)) == [Deed.PROVE]


def test_decide__revealed__audited_anew_for_another_bundle_or_evidence() -> None:
    assert deeds(look(audit=None)) == [Deed.AUDIT]
    assert deeds(look(evidence=b"e")) == [Deed.AUDIT]
    assert deeds(look(audit=audit(early=True, served=False))) == [Deed.AUDIT]
    assert deeds(look(audit=audit(bundle=seeded("another")))) == [Deed.AUDIT]
    assert deeds(look(audit=None, phase=Phase.FINAL)) == []


def unserved(now: int, *, may_fetch: bool = False, **changes: object) -> Look:
    shut = {FIRST: "unserved", SECOND: "unserved"}
    return look(now, audit=audit(served=False, exit_code=2, shut=shut), may_fetch=may_fetch, **changes)


def test_decide__unserved__is_fetched_again_and_demanded_after_patience_until_half_of_the_window() -> None:
    assert deeds(unserved(REVEALED + 599)) == []
    assert deeds(unserved(REVEALED + 1, may_fetch=True)) == [Deed.AUDIT]
    assert deeds(unserved(REVEALED + 600)) == [Deed.DEMAND] * 4
    assert deeds(unserved(REVEALED + WINDOW // 2 - 1)) == [Deed.DEMAND] * 4
    assert deeds(unserved(REVEALED + WINDOW // 2)) == []
    patient = replace(PLAN, serve_seconds=10**6)
    assert deeds(unserved(REVEALED + WINDOW // 4 - 1), patient) == []
    assert deeds(unserved(REVEALED + WINDOW // 4), patient) == [Deed.DEMAND] * 4
    assert deeds(unserved(REVEALED + 600), replace(PLAN, demand=False)) == []
    assert deeds(unserved(REVEALED + 600), replace(PLAN, least_bond=TASK.round_bond + 1)) == []


def test_decide__unserved__nobody_is_accused_before_a_deadline_has_passed() -> None:
    found = unserved(REVEALED + 700, demands=(demanded(deadline=REVEALED + 701),))
    assert Deed.EXPIRE not in deeds(found)
    assert Deed.PROVE not in deeds(found)
    assert deeds(replace(found, now=REVEALED + 701))[0] is Deed.EXPIRE


def test_decide__sampled_positions__are_drawn_by_name_and_not_demanded_twice() -> None:
    found = unserved(REVEALED + 600)
    wanted = [(task.version, task.position) for task in decide(found, PLAN, ME, "seed")]
    assert wanted == [(version, at) for version in (FIRST, SECOND) for at in sampled("seed", found, version, 2)]
    assert sampled("seed", found, FIRST, 9) != sampled("other", found, FIRST, 9)
    assert sorted(sampled("seed", found, FIRST, 99)) == list(range(9))
    known = tuple(DemandRecord(version, at, OTHER, 99_999, DemandState.ANSWERED, 7) for version, at in wanted[:3])  # type: ignore[arg-type]
    left = decide(replace(found, demands=known), PLAN, ME, "seed")
    assert [(task.version, task.position) for task in left] == wanted[3:]


@pytest.mark.parametrize("why", ["items", "lines"])
def test_decide__unreadable_bundle__is_demanded_at_once(why: str) -> None:
    assert deeds(look(audit=audit(failed=(7,), shut={FIRST: why}))) == [Deed.DEMAND] * 2


def test_decide__fees_near_half_of_the_bond_or_a_task_that_is_not_accepted__nothing_is_demanded() -> None:
    asked = 5 * 2  # depth of nine items and one, of two versions
    dear = replace(TASK, demand_fee=TASK.round_bond // 2 // asked + 1)
    assert deeds(unserved(REVEALED + 600, task=replace(dear, demand_fee=dear.demand_fee - 1))) == [Deed.DEMAND] * 4
    assert deeds(unserved(REVEALED + 600, task=dear)) == []
    assert deeds(unserved(REVEALED + 600, accepted=False)) == []
    guilty = audit(found=(Found("item", FIRST, 2),))
    assert deeds(look(audit=guilty)) == [Deed.PROVE]
    assert deeds(look(audit=guilty, accepted=False)) == []


def test_decide__other_root__is_bisected_one_demand_at_a_time() -> None:
    found = look(audit=audit(failed=(19,), shut={FIRST: "root"}))
    assert deeds(found) == [Deed.BISECT]
    assert deeds(replace(found, demands=(demanded(deadline=99_999),))) == []
    assert deeds(replace(found, demands=(demanded(state=DemandState.ANSWERED),))) == [Deed.BISECT]


def test_decide__open_demand__is_answered_before_its_deadline_where_nothing_failed() -> None:
    found = look(REVEALED + 99, demands=(demanded(OTHER),))
    assert deeds(found) == [Deed.ANSWER]
    assert deeds(replace(found, audit=audit(failed=(13,)))) == []
    assert deeds(replace(found, may_fetch=False, audit=audit(served=False))) == []
    assert deeds(found, replace(PLAN, answer=False)) == []
    assert deeds(replace(found, demands=(demanded(OTHER, state=DemandState.ANSWERED),))) == []


def test_decide__past_a_deadline__own_at_once_and_anothers_after_a_grace() -> None:
    end = REVEALED + 100
    assert deeds(look(end, demands=(demanded(ME),))) == [Deed.EXPIRE]
    assert deeds(look(end + GRACE_SECONDS - 1, demands=(demanded(OTHER),))) == []
    assert deeds(look(end + GRACE_SECONDS, demands=(demanded(OTHER),))) == [Deed.EXPIRE]
    late = look(end + 50, demands=(demanded(OTHER),), closing=Closing(end + 100, end))
    assert deeds(late) == [Deed.EXPIRE]
    poor = replace(PLAN, least_bond=TASK.round_bond + 1)
    assert deeds(look(end, demands=(demanded(ME),)), poor) == [Deed.EXPIRE]
    assert deeds(look(end + GRACE_SECONDS, demands=(demanded(OTHER),)), poor) == []


def test_decide__found_proofs__go_first_and_answers_stand_until_the_version_bond_is_free() -> None:
    found = audit(exit_code=1, failed=(18,), found=(Found("item", FIRST, 2), Found("answers", SECOND, 4)))
    shown = look(audit=found, demands=(demanded(ME, REVEALED),))
    assert deeds(shown) == [Deed.EXPIRE, Deed.PROVE, Deed.PROVE]
    assert deeds(shown, replace(PLAN, prove=False)) == [Deed.EXPIRE]
    over = look(14_999, audit=found, phase=Phase.SLASHED)
    assert [task.found for task in decide(over, PLAN, ME, "seed")] == [found.found[1]]
    assert deeds(replace(over, now=15_000)) == []
    assert deeds(replace(over, is_final=True, now=15_000)) == [Deed.CLOSE]


def test_decide__over__forfeit_reclaim_close() -> None:
    mine = (demanded(ME), demanded(OTHER, position=4), demanded(ME, position=5, state=DemandState.RECLAIMED))
    assert deeds(look(phase=Phase.FORFEITED, audit=None)) == [Deed.FORFEIT]
    for phase in (Phase.SLASHED, Phase.FINAL):
        tasks = decide(look(20_000, phase=phase, demands=mine, is_final=True), PLAN, ME, "seed")
        assert [(task.deed, task.position) for task in tasks] == [(Deed.RECLAIM, 3)]
    assert deeds(look(20_000, phase=Phase.VOID, is_final=True)) == [Deed.CLOSE]
    assert deeds(look(14_999, phase=Phase.VOID, is_final=True)) == []


def test_urgency__audits_and_answers__go_by_their_deadlines() -> None:
    tasks = [Task(Deed.AUDIT, 50), Task(Deed.ANSWER, 40), Task(Deed.DEMAND, 1), Task(Deed.EXPIRE, 99), Task(Deed.ANSWER, 60)]
    assert [t.deadline for t in sorted(tasks, key=lambda task: task.urgency)] == [99, 40, 50, 60, 1]


def test_urgency__worthless_rounds_and_bundles_that_nobody_serves__come_after_everything_else() -> None:
    bondless = replace(TASK, round_bond=0)
    hidden = audit(served=False, shut={FIRST: "unserved"})
    asking = [
        look(audit=None, closing=Closing(20_000, 0)),
        look(evidence=b"e"),
        look(audit=hidden),
        look(audit=None, task=bondless),
        look(audit=hidden, task=bondless, closing=Closing(20, 0)),
        look(evidence=b"e", accepted=False, closing=Closing(21, 0)),
    ]
    tasks = [task for each in asking for task in decide(each, PLAN, ME, "seed")]
    assert [task.rank for task in tasks] == [Rank.NOW, Rank.ANEW, Rank.RETRY, Rank.IDLE, Rank.IDLE, Rank.IDLE]
    urgent = sorted([*reversed(tasks), Task(Deed.CLOSE, 1)], key=lambda task: task.urgency)
    assert [(task.deed, task.deadline) for task in urgent] == [
        (Deed.AUDIT, 20_000), (Deed.CLOSE, 1), (Deed.AUDIT, 14_000), (Deed.AUDIT, 14_000),
        (Deed.AUDIT, 20), (Deed.AUDIT, 21), (Deed.AUDIT, 14_000),
    ]  # fmt: skip


def test_decide__new_evidence__waits_where_there_was_some_a_moment_ago_and_another_bundle_does_not() -> None:
    assert deeds(look(evidence=b"e", may_renew=False)) == []
    assert deeds(look(evidence=b"e", may_renew=False, audit=audit(bundle=seeded("another")))) == [Deed.AUDIT]
    assert deeds(look(evidence=b"e", may_renew=False, audit=audit(served=False))) == [Deed.AUDIT]


def test_decide__reuse__is_brought_by_a_worthless_round_too_where_another_one_pays() -> None:
    shared = audit(found=(Found("reuse", None, 2, ROUND.id), Found("item", FIRST, 2)))
    assert [task.found for task in decide(look(audit=shared, accepted=False), PLAN, ME, "seed")] == [shared.found[0]]
    for phase, deed in ((Phase.FINAL, [Deed.PROVE]), (Phase.SLASHED, [Deed.PROVE]), (Phase.VOID, [])):
        assert deeds(look(audit=shared, phase=phase)) == deed
