"""Rounds that end otherwise: Void, and the two ways to forfeit. Everybody's money is followed to the wei."""

import pytest
from stage import Person

from flow.world import ETHER, QUESTIONS, Candidate, World, program, variant

pytestmark = pytest.mark.slow

ECHO = "import sys\nsys.stdout.write(sys.stdin.read())\n"


@pytest.fixture(scope="module")
def echo(world: World) -> Candidate:
    """A candidate that repeats every question."""
    return world.candidate("echo", *program(world.root / "echo.py", ECHO, per_text=True))


def test_nobody_enrolled__void__bond_free_questions_unused_and_the_daemon_says_so(
    world: World, examiner: Person, echo: Candidate
) -> None:
    staked, task = world.stake(examiner), world.task(examiner)
    round_ = world.seal(examiner, task)
    daemon = examiner.serve("bench", "run", "--settings", world.plan(examiner, task))
    assert "void" in status(examiner)["why"]
    world.pass_deadline(examiner, round_, "answer_by")
    assert daemon.process.wait(120) == 0
    told = status(examiner)
    assert (told["phase"], told["step"]) == ("void", "")
    assert "seal the set again" in told["why"]
    assert world.stake(examiner) == staked
    again = examiner.json("bench", "seal", "questions", "--task", task)["round"]
    assert again != round_
    world.sit(examiner, again, echo)
    assert status(examiner, again)["step"] == "score"


def status(examiner: Person, round_: str | None = None) -> dict[str, str]:
    """What `bench status` says of a round, by default the only one."""
    return next(row for row in examiner.json("bench", "status")["rounds"] if round_ in (None, row["round"]))


def test_attest_and_reveal_missed__forfeited__half_to_whoever_says_so_and_half_burned(
    world: World, examiner: Person, echo: Candidate
) -> None:
    finder = world.benchmarker("usher")
    people = (examiner, echo.person, finder)
    before, burned = [world.stake(who) for who in people], world.burned(examiner)
    task = world.task(examiner, attest=60, reveal=60, challenge=10)
    unattested = world.seal(examiner, task, QUESTIONS, "unattested")
    world.sit(examiner, unattested, echo)
    unrevealed = world.seal(examiner, task, variant("again"), "unrevealed")
    world.sit(examiner, unrevealed, echo)
    world.pass_deadline(examiner, unrevealed, "answer_by")
    for step in ("score", "attest"):
        examiner.assay("bench", step, unrevealed)
    world.pass_deadline(examiner, unrevealed, "reveal_by")
    for round_ in (unattested, unrevealed):
        shown = examiner.json("bench", "show", round_)
        assert shown["phase"] == "forfeited"
        assert {int(row["score"]) for row in shown["versions"]} == {0}
        late = examiner.assay("--json", "bench", "reveal", round_, codes=(1,)).json
        assert (late["error"], bool(late["remedy"])) == ("TooLate", True)
        finder.assay("challenge", "forfeit", round_, "--send")
        assert finder.assay("--json", "challenge", "forfeit", round_, "--send", codes=(1,)).json["remedy"]
    world.pass_deadline(examiner, unrevealed, "versions_released_at")
    for round_ in (unattested, unrevealed):
        echo.person.assay("provider", "release", round_)
    after = [world.stake(who) for who in people]
    assert [a.free - b.free for a, b in zip(after, before, strict=True)] == [-4 * ETHER, 0, 2 * ETHER]
    assert [a.locked - b.locked for a, b in zip(after, before, strict=True)] == [0, 0, 0]
    assert world.burned(examiner) - burned == 2 * ETHER
