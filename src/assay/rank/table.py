"""One table: scores with intervals, tiers of ties, silence bands, for versions that sat the same items. Pure and seeded.

A tier holds what cannot be told apart from its best version: the paired test does not separate them at 5 %, shared out among all
comparisons with the versions enrolled (Bonferroni), or the difference lies inside a silence band (what a version could gain if
its silent items were left out of the count).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.metrics import Metric
from assay.rank import estimates
from assay.rank.estimates import Interval, Table
from assay.types import SCORE_ONE, Address, ModelId, Outcome, Phase, RoundId, Standing, Sums, TaskId, VersionId

SAMPLES = 2000
SAMPLES_PER_COMPARISON = 80
"""The smallest p-value is 2 / (samples + 1); so many samples leave room below a shared significance."""
SIGNIFICANCE = 0.05
NOWHERE = Interval(0.0, 0.0)

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VersionResult:
    """What one version got: the chain's view and the metric's words of each scored item, in the order of the positions.

    `other` holds the words of the metric shown beside the round's, which nobody attested; empty where there is none. `number`
    counts the versions of its model.
    """

    version: VersionId
    model: ModelId
    number: int
    standing: Standing
    score: int
    answered: int
    silent: int
    outcomes: Sequence[Outcome]
    statistics: Sequence[Sums]
    other: Sequence[Sums] = ()


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A round as the ranking needs it. `groups` names the document of each scored item."""

    round: RoundId
    task: TaskId
    benchmarker: Address
    phase: Phase
    metric: Metric
    groups: Sequence[str]
    versions: Sequence[VersionResult]
    gas: Mapping[str, int]
    other: Metric | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Versions of one benchmarker that sat the same items: those of one round, or of several put together.

    `enrolled` counts all versions that sat these rounds, scored or not.
    """

    rounds: tuple[RoundId, ...]
    benchmarker: Address
    final: bool
    metric: Metric
    other: Metric | None
    groups: Sequence[str]
    versions: Sequence[VersionResult]
    enrolled: int

    @property
    def seed(self) -> str:
        """The named seed of the draws; all versions share them, which is what makes the test paired."""
        return "assay rank " + "+".join(sorted(round_.hex() for round_ in self.rounds))

    @property
    def comparisons(self) -> int:
        """Tests that share the significance: of the best one against all others that were enrolled."""
        return max(1, self.enrolled - 1)

    @property
    def samples(self) -> int:
        """Samples that are drawn."""
        return max(SAMPLES, SAMPLES_PER_COMPARISON * self.comparisons)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; scores and bounds on the scale 0 to 1.

    `interval` holds for this version alone, `joint` for all versions of the table at once. `tier` counts from one; 0 where
    there is no score. `p` is the paired p-value against the tier's best before it is shared out, 1 for that one itself.
    """

    version: VersionId
    standing: Standing
    answered: int
    silent: int
    score: float = 0.0
    interval: Interval = NOWHERE
    joint: Interval = NOWHERE
    band_high: float = 0.0
    tier: int = 0
    p: float = 1.0
    other: float = 0.0
    other_interval: Interval = NOWHERE


def section_of(result: RoundResult) -> Section:
    """One round as a section of its own."""
    final = result.phase is Phase.FINAL
    owner, sat = result.benchmarker, result.versions
    return Section((result.round,), owner, final, result.metric, result.other, result.groups, sat, len(sat))


def rows(section: Section, samples: int = 0) -> list[Row]:
    """Rows of a section, best first; versions without a score last, in the order of their ids.

    `samples` 0 takes the section's own number. OverflowError where the items leave the metric's lanes.
    """
    counts = estimates.draws(len(set(section.groups)), samples or section.samples, section.seed)
    scored = sorted((v for v in section.versions if v.standing is Standing.SCORED), key=lambda v: (-v.score, v.version))
    everyone = [*scored, *sorted((v for v in section.versions if v not in scored), key=lambda v: v.version)]
    tables = [estimates.group_table(version.statistics, section.groups) for version in everyone]
    drawn = [estimates.resampled_scores(section.metric, table, counts) for table in tables]
    joint = estimates.joint_intervals([estimates.corpus_score(section.metric, table) / SCORE_ONE for table in tables], drawn)
    found = [_row(section, version, counts) for version in everyone]
    for at, version in enumerate(scored):
        band, interval = band_high(section.metric, version), estimates.interval(drawn[at])
        score = version.score / SCORE_ONE
        found[at] = replace(found[at], score=score, interval=interval, joint=joint[at], band_high=band)
    return [*_tiered(section, found[: len(scored)], drawn), *found[len(scored) :]]


def band_high(metric: Metric, version: VersionResult) -> float:
    """Score of the answered items alone, 0 to 1: the most that silence can have cost. Never below the score itself."""
    answered = [words for words, outcome in zip(version.statistics, version.outcomes, strict=True) if outcome is Outcome.ANSWERED]
    table = estimates.group_table(answered, ["all"] * len(answered)) if answered else None
    bare = estimates.corpus_score(metric, table) if table is not None else 0
    return max(version.score, bare) / SCORE_ONE


def _row(section: Section, version: VersionResult, counts: Table) -> Row:
    row = Row(version.version, version.standing, version.answered, version.silent)
    if section.other is None or not version.other:
        return row
    table = estimates.group_table(version.other, section.groups)
    interval = estimates.interval(estimates.resampled_scores(section.other, table, counts))
    return replace(row, other=estimates.corpus_score(section.other, table) / SCORE_ONE, other_interval=interval)


def _tiered(section: Section, scored: Sequence[Row], drawn: Sequence[Scores]) -> list[Row]:
    """The scored rows with their tiers."""
    ranked: list[Row] = []
    best, best_scores, tier = 0.0, np.zeros(0), 0
    for row, scores in zip(scored, drawn, strict=False):
        p = 1.0 if not tier else estimates.paired_p(best_scores, scores)
        if not tier or (p * section.comparisons < SIGNIFICANCE and row.band_high < best):
            best, best_scores, tier, p = row.score, scores, tier + 1, 1.0
        ranked.append(replace(row, tier=tier, p=p))
    return ranked
