"""A board as plain data, as tables and as Markdown. Every score carries its metric's signature."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from assay.rank.board import Attempts, Board, Ranked, Unranked
from assay.rank.estimates import Interval
from assay.rank.table import SIGNIFICANCE, RoundResult, Row, Section
from assay.types import Address, RoundId, Standing, VersionId

Names = Mapping[VersionId, str]
SCHEMA = 2


class Table(NamedTuple):
    """A table to be printed: a title, notes below it, the names of its columns, its rows in groups."""

    title: str
    notes: tuple[str, ...]
    headings: tuple[str, ...]
    groups: tuple[tuple[tuple[str, ...], ...], ...]


def label(version: VersionId, names: Names) -> str:
    """What a version is called: the reader's name for it, else the beginning of its id."""
    return names.get(version) or f"0x{version.hex()[:10]}…"


def short(round_: RoundId) -> str:
    """The beginning of a round's id."""
    return f"0x{round_.hex()[:10]}…"


def state(*, final: bool) -> str:
    """Whether a score stands: final, or provisional while it can be challenged."""
    return "final" if final else "provisional"


def signatures(section: Section | RoundResult) -> str:
    """Both metrics in full. Only the first is attested."""
    beside = f"; beside it, not attested, {section.other.signature}" if section.other else ""
    return section.metric.signature + beside


def gas_line(result: RoundResult) -> str:
    """What the round cost, step by step."""
    return "gas: " + ", ".join(f"{step} {gas:,}" for step, gas in result.gas.items())


def tables(board: Board, names: Names) -> Iterator[Table]:
    """One table a benchmarker, then all of them side by side, then the attempts."""
    for benchmarker in board.benchmarkers:
        yield _of_benchmarker(board, benchmarker, names)
    if len(board.benchmarkers) > 1:
        yield _side_by_side(board, names)
    yield _attempts(board, names)


def unranked_line(entry: Unranked) -> str:
    """A round that is not ranked, and why."""
    return f"not ranked: round {short(entry.round)} of {entry.benchmarker}, {entry.phase.name.lower()}: {entry.reason}"


def as_markdown(board: Board, names: Names) -> str:
    """The board as Markdown."""
    lines: list[str] = []
    for table in tables(board, names):
        lines += [f"### {table.title}", "", *(f"{note}  " for note in table.notes), ""]
        lines += ["| " + " | ".join(table.headings) + " |", "|" + "---|" * len(table.headings)]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for group in table.groups for row in group]
        lines.append("")
    lines += [f"* {unranked_line(entry)}" for entry in board.unranked] + [f"* {note}" for note in board.notes]
    return "\n".join(lines) + "\n"


def as_record(board: Board, names: Names) -> dict[str, object]:
    """The board as JSON types; scores on the scale 0 to 1."""
    facts = {result.round: result for result in board.rounds}
    return {
        "schema": SCHEMA,
        "significance": SIGNIFICANCE,
        "rounds": [
            {
                "round": ranked.section.rounds[0],
                "phase": facts[ranked.section.rounds[0]].phase,
                "task": facts[ranked.section.rounds[0]].task,
                "gas": facts[ranked.section.rounds[0]].gas,
                **_section_record(ranked, names),
            }
            for ranked in board.ranked
        ],
        "pooled": [{"rounds": ranked.section.rounds, **_section_record(ranked, names)} for ranked in board.pooled],
        "unranked": board.unranked,
        "attempts": [_attempts_record(entry, names) for entry in board.attempts],
        "never_scored": [entry.version for entry in board.never],
        "notes": board.notes,
    }


def _section_record(ranked: Ranked, names: Names) -> dict[str, object]:
    section = ranked.section
    return {
        "benchmarker": section.benchmarker,
        "state": state(final=section.final),
        "signature": section.metric.signature,
        "other_signature": section.other.signature if section.other else None,
        "seed": section.seed,
        "samples": section.samples,
        "comparisons": section.comparisons,
        "items": len(section.groups),
        "groups": len(set(section.groups)),
        "versions": [_row_record(row, names) for row in ranked.rows],
    }


def _row_record(row: Row, names: Names) -> dict[str, object]:
    return {
        "version": row.version,
        "name": names.get(row.version),
        "standing": row.standing,
        "score": row.score,
        "low": row.interval.low,
        "high": row.interval.high,
        "joint_low": row.joint.low,
        "joint_high": row.joint.high,
        "band_high": row.band_high,
        "tier": row.tier,
        "p": row.p,
        "answered": row.answered,
        "silent": row.silent,
        "other": row.other,
        "other_low": row.other_interval.low,
        "other_high": row.other_interval.high,
    }


def _attempts_record(entry: Attempts, names: Names) -> dict[str, object]:
    counts = {what: getattr(entry, what) for what in ("enrolled", "scored", "incomplete", "struck", "elsewhere")}
    return {
        "version": entry.version,
        "name": names.get(entry.version),
        "model": entry.model or None,
        "number": entry.number,
        **counts,
    }


def _of_benchmarker(board: Board, benchmarker: Address, names: Names) -> Table:
    own = [ranked for ranked in (*board.ranked, *board.pooled) if ranked.section.benchmarker == benchmarker]
    first = own[0].section
    gas = [f"{short(result.round)} {gas_line(result)}" for result in board.rounds if result.benchmarker == benchmarker]
    notes = (*dict.fromkeys(signatures(ranked.section) for ranked in own), _method(own), *gas)
    name, other = (metric.signature.partition("|")[0] if metric else "" for metric in (first.metric, first.other))
    headings = (
        "round",
        "tier",
        "version",
        name,
        "95 % interval",
        "without silence",
        other,
        "95 % interval",
        "answered",
        "standing",
    )
    groups = tuple(tuple(_cells(ranked.section, row, names) for row in ranked.rows) for ranked in own)
    return Table(f"Benchmarker {benchmarker}", notes, headings, groups)


def _method(own: Sequence[Ranked]) -> str:
    sizes = ", ".join(f"{len(r.section.groups)} items in {len(set(r.section.groups))} documents" for r in own)
    return (
        f"{sizes}; whole documents resampled {max(r.section.samples for r in own):,} times; ties at 5 % shared by all comparisons"
    )


def _cells(section: Section, row: Row, names: Names) -> tuple[str, ...]:
    where = short(section.rounds[0]) if len(section.rounds) == 1 else f"{len(section.rounds)} rounds"
    answers = f"{row.answered} + {row.silent} silent" if row.silent else f"{row.answered}"
    other = (f"{100 * row.other:.2f}", _span(row.other_interval)) if section.other else ("", "")
    if row.standing is not Standing.SCORED:
        return (where, "", label(row.version, names), "", "", "", *other, answers, row.standing.name.lower())
    band = f"≤ {100 * row.band_high:.2f}" if row.silent else ""
    score = (f"{100 * row.score:.2f}", _span(row.interval), band)
    return (where, str(row.tier), label(row.version, names), *score, *other, answers, state(final=section.final))


def _side_by_side(board: Board, names: Names) -> Table:
    best: dict[VersionId, float] = {}
    for ranked in board.ranked:
        for row in ranked.rows:
            best[row.version] = max(best.get(row.version, 0.0), row.score)
    order = sorted(best, key=lambda version: (-best[version], version))
    cells = tuple(
        (label(version, names), *(_cell(board, benchmarker, version) for benchmarker in board.benchmarkers)) for version in order
    )
    notes = (
        "each benchmarker by itself, over all of its rounds in which the version was scored; no rule merges them",
        "tiers only among versions that were scored in the same rounds",
        *dict.fromkeys(ranked.section.metric.signature for ranked in board.ranked),
    )
    return Table("Side by side", notes, ("version", *board.benchmarkers), (cells,))


def _cell(board: Board, benchmarker: Address, version: VersionId) -> str:
    found = board.standing_of(benchmarker, version)
    if found is None:
        return "–"
    section, row = found
    rounds = f", {len(section.rounds)} rounds" if len(section.rounds) > 1 else ""
    return f"{100 * row.score:.2f} ({_span(row.interval)}) tier {row.tier}{rounds}"


def _attempts(board: Board, names: Names) -> Table:
    enrolled = sum(entry.enrolled for entry in board.attempts)
    without = enrolled - sum(entry.scored for entry in board.attempts)
    never = f"{len(board.never)} of {len(board.attempts)} versions never got one"
    notes = (f"{without} of {enrolled} enrolments have no score here; {never}",)
    headings = ("version", "model", "number", "enrolled", "scored", "incomplete", "struck", "not ranked")
    cells = tuple(
        (
            label(entry.version, names),
            f"0x{entry.model.hex()[:10]}…" if entry.model else "",
            *map(str, (entry.number, entry.enrolled, entry.scored, entry.incomplete, entry.struck, entry.elsewhere)),
        )
        for entry in board.attempts
    )
    return Table("Attempts", notes, headings, (cells,))


def _span(interval: Interval) -> str:
    return f"{100 * interval.low:.2f} – {100 * interval.high:.2f}"
