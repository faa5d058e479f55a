"""Intervals and paired tests over integer item statistics, resampled by document group.

Sentences of one document are not independent, so whole groups are drawn with replacement (Efron and Tibshirani 1993, chapter 8;
for machine translation Koehn 2004). Every draw comes from a named seed, and the raw PCG64 stream is the same on every machine.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.metrics import Metric
from assay.metrics.base import LANE, lane
from assay.metrics.base import pack as pack_word
from assay.types import SCORE_ONE

LANES_PER_WORD = 9

Table = NDArray[np.int64]


class Interval(NamedTuple):
    """Bounds of a score, on the scale 0 to 1."""

    low: float
    high: float


def unpack(words: Sequence[int]) -> list[int]:
    """Lanes of the metric's words, nine of 28 bits each."""
    return [lane(word, index) for word in words for index in range(LANES_PER_WORD)]


def pack(lanes: Sequence[int]) -> tuple[int, ...]:
    """Words from lanes. OverflowError where a lane does not fit: the groups are then too unequal to be resampled."""
    if any(value > LANE for value in lanes):
        raise OverflowError("a summed lane exceeds 28 bits: too much text for one score, or one group holds nearly all of it")
    return tuple(pack_word(lanes[start : start + LANES_PER_WORD]) for start in range(0, len(lanes), LANES_PER_WORD))


def group_table(statistics: Sequence[Sequence[int]], groups: Sequence[str]) -> Table:
    """Lanes summed by group, shape (groups, lanes), groups in the order of their names.

    `statistics` holds the metric's words of each item, `groups` the group of each.
    """
    names = {name: row for row, name in enumerate(sorted(set(groups)))}
    table = np.zeros((len(names), LANES_PER_WORD * len(statistics[0])), dtype=np.int64)
    for words, group in zip(statistics, groups, strict=True):
        table[names[group]] += np.array(unpack(words), dtype=np.int64)
    return table


def corpus_score(metric: Metric, table: Table) -> int:
    """Score of all groups together, 1e18 = perfect. OverflowError where their sums leave the metric's lanes."""
    return metric.score(pack(table.sum(axis=0).tolist()))


def draws(groups: int, samples: int, seed: str) -> Table:
    """How often each group is drawn in each sample, shape (samples, groups); rows add up to `groups`."""
    stream = np.random.PCG64(int.from_bytes(hashlib.sha256(seed.encode()).digest()))
    picks = stream.random_raw(samples * groups).reshape(samples, groups) % np.uint64(groups)
    counts = np.zeros((samples, groups), dtype=np.int64)
    np.add.at(counts, (np.arange(samples)[:, None], picks.astype(np.int64)), 1)
    return counts


def resampled_scores(metric: Metric, table: Table, counts: Table) -> NDArray[np.float64]:
    """Corpus score of each sample on the scale 0 to 1, by the metric's own integer score."""
    totals = counts @ table
    return np.array([metric.score(pack(row)) / SCORE_ONE for row in totals.tolist()])


def interval(scores: NDArray[np.float64], level: float = 0.95) -> Interval:
    """Percentile interval of resampled scores."""
    tail = (1 - level) / 2
    low, high = np.quantile(scores, [tail, 1 - tail])
    return Interval(float(low), float(high))


def joint_intervals(centres: Sequence[float], scores: Sequence[NDArray[np.float64]], level: float = 0.95) -> list[Interval]:
    """Bounds that hold for all of these scores at once, on the scale 0 to 1: centre plus or minus c standard errors.

    `scores` are resampled under the same draws; c is the `level` quantile of the largest deviation among them, in standard errors
    (sup-t bands: Montiel Olea and Plagborg-Møller 2019). Whoever enters many models makes c larger, for all of them.
    """
    errors = [float(row.std()) for row in scores]
    deviations = [abs(row - centre) / error for row, centre, error in zip(scores, centres, errors, strict=True) if error > 0]
    c = float(np.quantile(np.max(deviations, axis=0), level)) if deviations else 0.0
    return [
        Interval(max(0.0, centre - c * error), min(1.0, centre + c * error))
        for centre, error in zip(centres, errors, strict=True)
    ]


def paired_p(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Two-sided p-value that the two differ, from scores of the same samples: twice the smaller share on one side of zero.

    The count starts at one on either side, so that no finite number of samples claims certainty.
    """
    difference = first - second
    samples = len(difference)
    below, above = int((difference <= 0).sum()), int((difference >= 0).sum())
    return min(1.0, 2 * (min(below, above) + 1) / (samples + 1))
