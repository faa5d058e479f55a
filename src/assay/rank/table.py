"""One table of a round: scores with intervals, tiers of ties, silence bands. Pure and seeded.

A tier holds what cannot be told apart from its best version: the paired test does not separate them at 5 %, or the
difference lies inside a silence band (what a version could gain if its silent items were left out of the count).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.metrics import Metric
from assay.rank import estimates
from assay.types import SCORE_ONE, Address, Outcome, Phase, RoundId, Standing, Sums, VersionId

SAMPLES = 2000
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class VersionResult:
    """What one version got: the chain's view and the metric's words of each scored item, in the order of the positions.

    `other` is its score by the round's other metric, 1e18 = perfect, which nobody attested.
    """

    version: VersionId
    standing: Standing
    score: int
    answered: int
    silent: int
    outcomes: Sequence[Outcome]
    statistics: Sequence[Sums]
    other: int = 0


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A round as the ranking needs it. `groups` names the document of each scored item."""

    round: RoundId
    benchmarker: Address
    phase: Phase
    metric: Metric
    groups: Sequence[str]
    versions: Sequence[VersionResult]
    gas: Mapping[str, int]
    other: Metric | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; scores and bounds on the scale 0 to 1.

    `tier` counts from one; 0 where there is no score. `p` is the paired p-value against the tier's best, 1 for that one itself.
    """

    version: VersionId
    standing: Standing
    score: float
    low: float
    high: float
    band_high: float
    tier: int
    p: float
    answered: int
    silent: int
    other: float


def seed_of(round_: RoundId) -> str:
    """The named seed of a round's draws; all versions of a round share them, which is what makes the test paired."""
    return f"assay rank {round_.hex()}"


def rows(result: RoundResult, samples: int = SAMPLES) -> list[Row]:
    """Rows of a round, best first; versions without a score last, in the order of their ids."""
    scored = sorted((v for v in result.versions if v.standing is Standing.SCORED), key=lambda v: (-v.score, v.version))
    without = sorted((v for v in result.versions if v.standing is not Standing.SCORED), key=lambda v: v.version)
    counts = estimates.draws(len(set(result.groups)), samples, seed_of(result.round))
    ranked: list[Row] = []
    best, best_scores, tier = None, np.zeros(0), 0
    for version in scored:
        scores = resample(result, version, counts)
        p = 1.0 if best is None else estimates.paired_p(best_scores, scores)
        band = band_high(result.metric, version)
        if best is None or (p < SIGNIFICANCE and band < best.score / SCORE_ONE):
            best, best_scores, tier, p = version, scores, tier + 1, 1.0
        low, high = estimates.interval(scores)
        ranked.append(
            Row(
                version.version,
                version.standing,
                version.score / SCORE_ONE,
                low,
                high,
                band,
                tier,
                p,
                version.answered,
                version.silent,
                version.other / SCORE_ONE,
            )
        )
    return ranked + [Row(v.version, v.standing, 0, 0, 0, 0, 0, 1, v.answered, v.silent, v.other / SCORE_ONE) for v in without]


def resample(result: RoundResult, version: VersionResult, counts: estimates.Table) -> NDArray[np.float64]:
    """Resampled scores of a version under the round's shared draws."""
    return estimates.resampled_scores(result.metric, estimates.group_table(version.statistics, result.groups), counts)


def band_high(metric: Metric, version: VersionResult) -> float:
    """Score of the answered items alone, 0 to 1: the most that silence can have cost. Never below the score itself."""
    answered = [words for words, outcome in zip(version.statistics, version.outcomes, strict=True) if outcome is Outcome.ANSWERED]
    totals = [sum(column) for column in zip(*answered, strict=True)]
    return max(version.score, metric.score(totals) if totals else 0) / SCORE_ONE
