"""A task's rounds side by side: which are ranked, what each benchmarker's rounds say together, who sat without ever being scored.

Nothing is merged across benchmarkers. Within one, versions are put together that were scored in the very same rounds: their items
are pooled, documents of different rounds stay apart, and only they are compared with each other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assay.rank import estimates
from assay.rank.table import RoundResult, Row, Section, VersionResult, rows, section_of
from assay.types import Address, ModelId, Phase, RoundId, Standing, TaskId, VersionId

STANDS = {Phase.CHALLENGING, Phase.FINAL}


@dataclass(frozen=True, slots=True)
class Entry:
    """An enrolled version of a round that is not ranked."""

    version: VersionId
    model: ModelId
    number: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Unranked:
    """A round that is not ranked, and why."""

    round: RoundId
    benchmarker: Address
    phase: Phase
    reason: str
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """A section with its rows."""

    section: Section
    rows: Sequence[Row]


@dataclass(slots=True)
class Attempts:
    """What became of a version's enrolments: `scored` and `incomplete` in ranked rounds, `struck` in rounds that were slashed or
    forfeited, `elsewhere` in rounds that are not ranked for another reason or not over."""

    version: VersionId
    model: ModelId
    number: int
    scored: int = 0
    incomplete: int = 0
    struck: int = 0
    elsewhere: int = 0

    @property
    def enrolled(self) -> int:
        """All of them."""
        return self.scored + self.incomplete + self.struck + self.elsewhere


@dataclass(frozen=True, slots=True)
class Board:
    """Rounds in the order given, then what benchmarkers with several rounds have in common; `notes` says what was left out."""

    rounds: Sequence[RoundResult]
    ranked: Sequence[Ranked]
    pooled: Sequence[Ranked]
    unranked: Sequence[Unranked]
    attempts: Sequence[Attempts]
    notes: Sequence[str] = field(default=())

    @property
    def never(self) -> list[Attempts]:
        """Versions that were enrolled and have no score in any ranked round."""
        return [entry for entry in self.attempts if not entry.scored]

    @property
    def benchmarkers(self) -> list[Address]:
        """Whose rounds are ranked, in the order of their first one."""
        return list(dict.fromkeys(result.benchmarker for result in self.rounds))

    def standing_of(self, benchmarker: Address, version: VersionId) -> tuple[Section, Row] | None:
        """A version's line over all rounds of a benchmarker in which it was scored; None where it was scored in none."""
        for ranked in (*self.pooled, *self.ranked):
            if ranked.section.benchmarker != benchmarker:
                continue
            for row in ranked.rows:
                if row.version == version and row.tier:
                    return ranked.section, row
        return None


def build(results: Sequence[RoundResult], unranked: Sequence[Unranked], notes: Sequence[str] = ()) -> Board:
    """The board of some rounds. Those whose sums leave the metric's lanes go to the unranked ones."""
    kept: list[RoundResult] = []
    ranked: list[Ranked] = []
    left = list(unranked)
    for result in results:
        try:
            ranked.append(_ranked(section_of(result)))
        except OverflowError as error:
            left.append(Unranked(result.round, result.benchmarker, result.phase, str(error), entries_of(result)))
        else:
            kept.append(result)
    pooled, overflowed = _pooled(kept)
    return Board(kept, ranked, pooled, left, _attempts(kept, left), (*notes, *overflowed))


def entries_of(result: RoundResult) -> tuple[Entry, ...]:
    """Who sat a round."""
    return tuple(Entry(v.version, v.model, v.number, v.standing) for v in result.versions)


def common(results: Sequence[RoundResult]) -> Iterator[Section]:
    """Sections of benchmarkers with several rounds: for each set of two rounds or more, the versions scored in exactly these.

    Rounds are told apart by task and metric too. OverflowError as `rows`.
    """
    by_owner: dict[tuple[Address, TaskId, str], list[RoundResult]] = {}
    for result in results:
        by_owner.setdefault((result.benchmarker, result.task, result.metric.signature), []).append(result)
    for own in by_owner.values():
        sat: dict[tuple[int, ...], list[VersionId]] = {}
        for version in sorted({version.version for result in own for version in result.versions}):
            where = tuple(at for at, result in enumerate(own) if _scored(result, version))
            sat.setdefault(where, []).append(version)
        yield from (pool([own[at] for at in where], versions) for where, versions in sorted(sat.items()) if len(where) > 1)


def pool(results: Sequence[RoundResult], versions: Sequence[VersionId]) -> Section:
    """Rounds of one benchmarker and metric as one section of these versions, each of which was scored in all of them."""
    first = results[0]
    groups = [f"{result.round.hex()} {group}" for result in results for group in result.groups]
    final = all(result.phase is Phase.FINAL for result in results)
    joined = []
    for version in versions:
        parts = [found for result in results if (found := _scored(result, version)) is not None]
        joined.append(_joined(first, groups, parts))
    enrolled = len({version.version for result in results for version in result.versions})
    rounds = tuple(result.round for result in results)
    return Section(rounds, first.benchmarker, final, first.metric, first.other, groups, joined, enrolled)


def _joined(first: RoundResult, groups: Sequence[str], parts: Sequence[VersionResult]) -> VersionResult:
    statistics = [words for part in parts for words in part.statistics]
    return VersionResult(
        parts[0].version,
        parts[0].model,
        parts[0].number,
        Standing.SCORED,
        estimates.corpus_score(first.metric, estimates.group_table(statistics, groups)),
        sum(part.answered for part in parts),
        sum(part.silent for part in parts),
        [outcome for part in parts for outcome in part.outcomes],
        statistics,
        [words for part in parts for words in part.other],
    )


def _pooled(results: Sequence[RoundResult]) -> tuple[list[Ranked], list[str]]:
    try:
        return [_ranked(section) for section in common(results)], []
    except OverflowError as error:
        return [], [f"nothing is pooled: {error}"]


def _ranked(section: Section) -> Ranked:
    return Ranked(section, rows(section))


def _scored(result: RoundResult, version: VersionId) -> VersionResult | None:
    return next((v for v in result.versions if v.version == version and v.standing is Standing.SCORED), None)


def _attempts(results: Sequence[RoundResult], unranked: Sequence[Unranked]) -> list[Attempts]:
    found: dict[VersionId, Attempts] = {}
    for result in results:
        for entry in entries_of(result):
            _count(found, entry, "scored" if entry.standing is Standing.SCORED else "incomplete")
    for round_ in unranked:
        struck = round_.phase in {Phase.SLASHED, Phase.FORFEITED}
        for entry in round_.entries:
            incomplete = entry.standing is Standing.INCOMPLETE and round_.phase in STANDS
            _count(found, entry, "struck" if struck else "incomplete" if incomplete else "elsewhere")
    return sorted(found.values(), key=lambda entry: (entry.model, entry.number, entry.version))


def _count(found: dict[VersionId, Attempts], entry: Entry, what: str) -> None:
    attempts = found.setdefault(entry.version, Attempts(entry.version, entry.model, entry.number))
    setattr(attempts, what, getattr(attempts, what) + 1)
