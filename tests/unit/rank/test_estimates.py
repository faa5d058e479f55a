"""Resampling: each sample's score is what sacreBLEU gives for the same resampled texts, and draws never change."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU

from assay.metrics import by_signature
from assay.metrics.base import LANE
from assay.rank import estimates

METRIC = by_signature("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp")
TEXTS = [
    ("the cat sat on the mat .", "the cat sat on a mat .", "a"),
    ("it was a bright cold day in April", "it was a cold bright day in April", "a"),
    ("all happy families are alike", "happy families are all alike", "b"),
    ("call me Ishmael", "call me Ishmael .", "c"),
    ("the clocks were striking thirteen", "and the clocks were striking thirteen", "b"),
]


def table() -> estimates.Table:
    statistics = [METRIC.measure(hypothesis.encode(), reference.encode()) for hypothesis, reference, _ in TEXTS]
    return estimates.group_table(statistics, [group for *_, group in TEXTS])


def test_resampled_scores__equal_sacrebleu_on_the_same_texts() -> None:
    counts = estimates.draws(3, 20, "test")
    scores = estimates.resampled_scores(METRIC, table(), counts)
    for row, score in zip(counts, scores, strict=True):
        drawn = [text for text in TEXTS for _ in range(row["abc".index(text[2])])]
        expected = BLEU().corpus_score([text[0] for text in drawn], [[text[1] for text in drawn]]).score
        assert 100 * score == pytest.approx(expected, abs=1e-9)


def test_draws__named_seed__the_same_for_ever() -> None:
    counts = estimates.draws(4, 3, "assay")
    assert counts.sum(axis=1).tolist() == [4, 4, 4]
    assert counts.tolist() == estimates.draws(4, 3, "assay").tolist()
    assert counts.tolist() != estimates.draws(4, 3, "another").tolist()


def test_draws__every_group_is_drawn_about_equally() -> None:
    shares = estimates.draws(10, 4000, "assay").mean(axis=0)
    assert np.abs(shares - 1).max() < 0.06


def test_interval__known_scores() -> None:
    low, high = estimates.interval(np.linspace(0, 1, 1001))
    assert (low, high) == (pytest.approx(0.025), pytest.approx(0.975))


def test_paired_p__clear_and_unclear_differences() -> None:
    noise = np.linspace(-1, 1, 999)
    assert estimates.paired_p(noise + 5, noise) == pytest.approx(2 / 1000)
    assert estimates.paired_p(noise, np.zeros(999)) == 1.0


def test_pack__unpack__round_trip_and_overflow() -> None:
    lanes = [LANE, *range(17)]
    assert estimates.unpack(estimates.pack(lanes)) == lanes
    with pytest.raises(OverflowError):
        estimates.pack([LANE + 1] * 9)
