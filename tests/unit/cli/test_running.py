"""What people read of `bench status` and `bench cost`: the step, its time, its price, and what is at stake."""

from assay.agent.costs import cost
from assay.agent.prospects import Prospect
from assay.cli.pricing import cost_text
from assay.cli.running import _status_text
from assay.types import Phase, RoundId, TaskId, TaskParams

ETHER = 10**18
TASK = TaskId(b"\x02" * 32)


def test_status_text__bonded_step__says_when_by_when_and_what_is_lost() -> None:
    waits = ("set", RoundId(b"\x01" * 32), TASK, Phase.ANSWERING, "attest", 8_000, 9_000, 8_500, 80_000, 10**15, 2 * ETHER)
    text = "\n".join(_status_text([Prospect(*waits, loses="the round bond", why="")], 500))
    for words in (
        "0x010101010101",
        "attest in 2.1 hours (at 1970-01-01 02:13:20 UTC)",
        "(before 1970-01-01 02:30:00 UTC)",
        "80,000 gas",
        "bond, 2 ether",
    ):
        assert words in text


def test_status_text__nothing_left_and_nothing_at_all() -> None:
    over = Prospect("set", None, TASK, Phase.FINAL, "", 0, 0, None, 0, 0, 0, "", "all is free")
    assert list(_status_text([over], 5)) == ["set  not sealed  final", "  nothing left: all is free"]
    assert "assay bench import" in "".join(_status_text([], 5))


def test_cost_text__every_step_bonds_dates_width_and_references() -> None:
    params = TaskParams(b"", "0x", 1, 9, 9, 9, 86_400, 1, 86_400, 86_400, 86_400, 2 * ETHER, 1, ETHER // 10, 1)  # type: ignore[arg-type]
    text = "\n".join(cost_text(cost(params, "EM|", 2, ["ten words"] * 100, 100, 10**9, now=1_800_000_000)))
    for words in (
        *("seal", "enrol", "attest", "reveal", "release"),
        "2 ether of yours, until 2027-01-19 08:00:00 UTC: 4.0 days",
        "0.1 ether of each",
        "answers until 2027-01-16 08:00:00 UTC",
        "attest before 2027-01-17 08:00:00 UTC, reveal before 2027-01-18 08:00:00 UTC",
        "±9.8 of 100",
        "200 words: 20 to 50 US dollars",
    ):
        assert words in text
