"""Tiers, bands, joint intervals and order of a section's table."""

from dataclasses import replace

from assay.rank.table import Row, Section, VersionResult, rows, section_of
from assay.types import Standing
from unit.rank.results import CHRF, round_result, version, with_chrf


def section(*versions: VersionResult) -> Section:
    return section_of(round_result(b"r", versions))


def table(*versions: VersionResult) -> list[Row]:
    return rows(section(*versions), samples=400)


def test_rows__far_apart__ordered_in_tiers() -> None:
    bad, good, fair = version(b"b", 0.7), version(b"g", 0.1), version(b"f", 0.4)
    got = table(bad, good, fair)
    assert [row.version[:1] for row in got] == [b"g", b"f", b"b"]
    assert [row.tier for row in got] == [1, 2, 3]
    assert all(row.interval.low < row.score < row.interval.high for row in got)


def test_rows__near_tie__one_tier() -> None:
    got = table(version(b"x", 0.3, seed="x"), version(b"y", 0.3, seed="y"))
    assert [row.tier for row in got] == [1, 1]
    assert got[1].p > 0.05


def test_rows__difference_inside_the_silence_band__tie() -> None:
    got = table(version(b"a", 0.1), version(b"s", 0.1, silences=6))
    assert got[0].version[:1] == b"a"
    assert got[1].silent == 6
    assert got[1].band_high > got[1].score
    assert got[1].p < 0.05
    assert [row.tier for row in got] == [1, 1]


def test_rows__incomplete__last_and_without_score() -> None:
    incomplete = version(b"a", 0.1, silences=30, standing=Standing.INCOMPLETE)
    got = table(incomplete, version(b"w", 0.3))
    assert [(row.version[:1], row.tier) for row in got] == [(b"w", 1), (b"a", 0)]
    assert (got[1].score, got[1].interval, got[1].joint) == (0, (0, 0), (0, 0))


def test_rows__difference_that_two_could_show__is_a_tie_where_many_were_enrolled() -> None:
    pair = version(b"x", 0.30, seed="x"), version(b"y", 0.36, seed="y")
    (_, alone) = table(*pair)
    assert alone.tier == 2
    crowd = replace(section(*pair), enrolled=40)
    assert [row.tier for row in rows(crowd, samples=400)] == [1, 1]


def test_section__more_enrolled__more_samples_so_that_a_test_can_still_tell() -> None:
    crowd = replace(section(version(b"x", 0.3)), enrolled=200)
    assert 2 / (crowd.samples + 1) * crowd.comparisons < 0.05


def test_rows__joint_interval__wider_for_each_entrant_also_the_incomplete() -> None:
    first = version(b"x", 0.3, seed="x")
    others = [version(bytes([n]), 0.5, seed=str(n)) for n in range(8)]
    incomplete = [version(bytes([n]), 0.5, seed=str(n), standing=Standing.INCOMPLETE) for n in range(8)]

    def width(*versions: VersionResult) -> float:
        row = next(row for row in table(*versions) if row.version == first.version)
        assert row.joint.low <= row.score <= row.joint.high
        return row.joint.high - row.joint.low

    assert width(first) < width(first, *others) == width(first, *incomplete)


def test_rows__metric_beside__score_and_interval_of_its_own() -> None:
    result = round_result(b"r", [with_chrf(version(b"x", 0.3), 0.3)], chrf=True)
    (row,) = rows(section_of(result), samples=400)
    totals = [sum(column) for column in zip(*result.versions[0].other, strict=True)]
    assert row.other == CHRF.score(totals) / 10**18
    assert row.other_interval.low < row.other < row.other_interval.high
    assert row.other != row.score


def test_rows__same_input__same_bytes() -> None:
    versions = (version(b"x", 0.3, seed="x"), version(b"y", 0.4, seed="y"))
    assert repr(table(*versions)) == repr(table(*reversed(versions)))
