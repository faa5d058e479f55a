"""Tiers, bands and order of a round's table."""

import random

from assay.metrics import by_signature
from assay.rank.table import RoundResult, Row, VersionResult, rows
from assay.types import Outcome, Phase, RoundId, Standing, VersionId

METRIC = by_signature("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")
TEXT = "the cat sat on a mat and it was a bright cold day in April when clocks were striking thirteen"
WORDS = TEXT.split(" ")


def reference(item: int) -> str:
    return " ".join(random.Random(item).choices(WORDS, k=14))


def answer(item: int, noise: float, seed: str) -> str:
    draw = random.Random(f"{seed} {item}")
    return " ".join(draw.choice(WORDS) if draw.random() < noise else word for word in reference(item).split())


def version(name: bytes, noise: float, items: int, silences: int = 0, seed: str = "") -> VersionResult:
    outcomes = [Outcome.SILENT if item < silences else Outcome.ANSWERED for item in range(items)]
    texts = ["" if item < silences else answer(item, noise, seed) for item in range(items)]
    statistics = [METRIC.measure(text.encode(), reference(item).encode()) for item, text in enumerate(texts)]
    totals = [sum(column) for column in zip(*statistics, strict=True)]
    return VersionResult(
        VersionId(name * 32), Standing.SCORED, METRIC.score(totals), items - silences, silences, outcomes, statistics
    )


def table(*versions: VersionResult, items: int = 60) -> list[Row]:
    groups = [f"document {item // 3}" for item in range(items)]
    return rows(RoundResult(RoundId(b"r" * 32), "0x0", Phase.FINAL, METRIC, groups, versions, {}), samples=400)  # type: ignore[arg-type]


def test_rows__far_apart__ordered_in_tiers() -> None:
    bad, good, fair = version(b"b", 0.7, 60), version(b"g", 0.1, 60), version(b"f", 0.4, 60)
    got = table(bad, good, fair)
    assert [row.version[:1] for row in got] == [b"g", b"f", b"b"]
    assert [row.tier for row in got] == [1, 2, 3]
    assert all(row.low < row.score < row.high for row in got)


def test_rows__near_tie__one_tier() -> None:
    got = table(version(b"x", 0.3, 60, seed="x"), version(b"y", 0.3, 60, seed="y"))
    assert [row.tier for row in got] == [1, 1]
    assert got[1].p > 0.05


def test_rows__difference_inside_the_silence_band__tie() -> None:
    got = table(version(b"a", 0.1, 60), version(b"s", 0.1, 60, silences=6))
    assert got[0].version[:1] == b"a"
    assert got[1].silent == 6
    assert got[1].band_high > got[1].score
    assert [row.tier for row in got] == [1, 1]


def test_rows__incomplete__last_and_without_score() -> None:
    whole, none = version(b"w", 0.3, 60), version(b"a", 0.1, 60)
    incomplete = VersionResult(none.version, Standing.INCOMPLETE, 0, 30, 30, none.outcomes, none.statistics)
    got = table(incomplete, whole)
    assert [(row.version[:1], row.tier) for row in got] == [(b"w", 1), (b"a", 0)]


def test_rows__same_input__same_bytes() -> None:
    versions = (version(b"x", 0.3, 60, seed="x"), version(b"y", 0.4, 60, seed="y"))
    assert repr(table(*versions)) == repr(table(*reversed(versions)))
