"""The decision of the daemon, as a table: phase and journal in, the next act out."""

from dataclasses import replace

import pytest

from assay.agent.deciding import PATIENCE_SECONDS, Act, Facts, decide
from assay.types import Deadlines, Phase

SEALED, LATEST, ANSWER_BY, ATTEST_BY, REVEAL_BY, FINAL, VERSIONS = 1_000, 1_900, 2_000, 3_000, 4_000, 4_700, 5_000
ENDS = Deadlines(ANSWER_BY, ATTEST_BY, REVEAL_BY, VERSIONS)
WITHIN = 300
ANSWERING = Facts(Phase.ANSWERING, 1_010, ENDS, latest_ask=LATEST, sealed_at=SEALED, items=10, enrolled=2, asked=True, answered=5)
DONE = replace(ANSWERING, answered=20)
FRESH = replace(ANSWERING, enrolled=0, unenrolled=2, asked=False, answered=0)
ATTESTING = replace(DONE, phase=Phase.ATTESTING, now=ANSWER_BY)
REVEALING = replace(ATTESTING, phase=Phase.REVEALING, now=2_500, scored=2)
CHALLENGING = replace(REVEALING, phase=Phase.CHALLENGING, now=3_800, final_from=FINAL)
OVER = replace(CHALLENGING, phase=Phase.FINAL, now=FINAL, versions_left=2)

TABLE = {
    "unknown": (Facts(Phase.UNKNOWN, 7), "seal", 7, 0),
    "nobody enrolled": (FRESH, "enrol", 1_010, LATEST),
    "nobody enrolled, long after the seal": (replace(FRESH, now=1_800), "enrol", 1_800, LATEST),
    "nobody enrolled, too late to ask": (replace(FRESH, now=LATEST), "release", ANSWER_BY, 0),
    "nobody enrolled, no gateway named": (replace(FRESH, unenrolled=0), "release", ANSWER_BY, 0),
    "one gateway missing": (replace(FRESH, enrolled=1, unenrolled=1), "enrol", 1_010, SEALED + WITHIN),
    "one gateway missing, last second": (replace(FRESH, enrolled=1, unenrolled=1, now=1_299), "enrol", 1_299, 1_300),
    "one gateway missing for too long": (replace(FRESH, enrolled=1, unenrolled=1, now=1_300), "ask", 1_300, LATEST),
    "one gateway missing, others are being asked": (replace(ANSWERING, unenrolled=1), "ask", 1_010, LATEST),
    "all enrolled, nothing asked": (replace(FRESH, enrolled=2, unenrolled=0), "ask", 1_010, LATEST),
    "answers missing": (ANSWERING, "ask", 1_010, LATEST),
    "answers missing, last second": (replace(ANSWERING, now=LATEST - 1), "ask", LATEST - 1, LATEST),
    "answers missing, too late": (replace(ANSWERING, now=LATEST), "score", ANSWER_BY, ATTEST_BY),
    "only acknowledgements missing": (replace(DONE, unacknowledged=1), "ask", 1_010, LATEST),
    "only acknowledgements missing, too late": (replace(DONE, unacknowledged=1, now=LATEST), "score", ANSWER_BY, ATTEST_BY),
    "all answered": (DONE, "score", ANSWER_BY, ATTEST_BY),
    "answers over": (ATTESTING, "score", ANSWER_BY, ATTEST_BY),
    "one scored": (replace(ATTESTING, scored=1), "score", ANSWER_BY, ATTEST_BY),
    "all scored": (replace(ATTESTING, scored=2), "attest", ANSWER_BY, ATTEST_BY),
    "all attested": (REVEALING, "reveal", 2_500, REVEAL_BY),
    "revealed": (CHALLENGING, "release", FINAL, 0),
    "revealed, demands wait": (replace(CHALLENGING, now=FINAL), "release", FINAL + PATIENCE_SECONDS, 0),
    "final": (OVER, "release", FINAL, 0),
    "final, round bond free": (replace(OVER, released=True), "release", VERSIONS, 0),
    "final, version bonds ripe": (replace(OVER, released=True, now=VERSIONS + 5), "release", VERSIONS + 5, 0),
    "final, all free": (replace(OVER, released=True, versions_left=0), "", 0, 0),
    "void": (replace(FRESH, phase=Phase.VOID, now=ANSWER_BY), "release", ANSWER_BY, 0),
    "void, free": (replace(FRESH, phase=Phase.VOID, now=ANSWER_BY, released=True), "", 0, 0),
    "forfeited": (replace(OVER, phase=Phase.FORFEITED), "", 0, 0),
    "slashed": (replace(OVER, phase=Phase.SLASHED), "", 0, 0),
}


@pytest.mark.parametrize("name", TABLE)
def test_decide__each_phase_and_journal__one_act_with_its_window(name: str) -> None:
    facts, step, at, deadline = TABLE[name]
    act = decide(facts, WITHIN)
    assert (act.step, act.at, act.deadline) == (step, at, deadline)
    assert act.step or act.why


@pytest.mark.parametrize("phase", Phase)
def test_decide__every_phase__is_decided(phase: Phase) -> None:
    assert isinstance(decide(replace(DONE, phase=phase), WITHIN), Act)


def test_bonded__exactly_the_steps_whose_deadline_costs_the_bond() -> None:
    bonded = {act.step for facts, *_ in TABLE.values() if (act := decide(facts, WITHIN)).bonded}
    assert bonded == {"score", "attest", "reveal"}
