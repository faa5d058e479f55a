"""Intervals as a picture: one self-contained SVG, the same bytes for the same board.

Versions are lines, benchmarkers (or rounds) stand side by side on one scale. Nothing overlaps, whatever the names are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import NamedTuple
from xml.sax.saxutils import escape

from assay.metrics import Metric
from assay.rank.board import Board, Ranked
from assay.rank.lettering import fit, lines, printable, width
from assay.rank.report import Names, label, short, state
from assay.rank.table import Row, Section
from assay.types import VersionId

ROW, PLOT, VALUE, GAP, EDGE = 26, 300, 112, 28, 20
TITLE, TEXT, SMALL = 17, 13, 11
ABREAST = 3
LABEL_LEAST, LABEL_MOST = 90, 260
STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
COLOURS = (("#1b5fa8", "#6db3f2"), ("#1e7f5c", "#5fd0a5"), ("#94620a", "#e3b341"), ("#a8401b", "#f2916d"), ("#6b3fa0", "#b794f0"))
LIGHT = "--bg:#fff;--ink:#1c1e21;--soft:#5c6168;--line:#d9dce0;--stripe:#f5f6f8"
DARK = "--bg:#16181c;--ink:#e8eaed;--soft:#a3a9b1;--line:#3a3f47;--stripe:#1e2126"
LEGEND = (
    "● score (○ provisional)",
    "━ 95 % interval",
    "─ 95 % for all versions at once",
    "▒ up to the score without silent items",
    "┆ best score",
)


@dataclass(frozen=True, slots=True)
class Facet:
    """One column of the picture: a heading in two lines, the unit of its axis, and the row of each version that sat here."""

    heading: str
    below: str
    unit: str
    rows: Mapping[VersionId, tuple[Section, Row]]


class Scale(NamedTuple):
    """Scores from `low` to `high`, 0 to 1, on `PLOT` pixels; a tick every `step`."""

    low: float
    high: float
    step: float

    def x(self, score: float) -> float:
        """Pixels from the plot's left edge."""
        return PLOT * (min(max(score, self.low), self.high) - self.low) / (self.high - self.low)

    def ticks(self) -> Iterator[float]:
        """Scores that have a tick."""
        first, last = round(self.low / self.step), round(self.high / self.step)
        return (at * self.step for at in range(first, last + 1))


def of_round(ranked: Ranked, names: Names) -> str:
    """The picture of one round."""
    facet = _facet(ranked)
    return draw(f"Round {facet.heading}", ranked.section.metric, [facet], [row.version for row in ranked.rows], names)


def of_board(board: Board, metric: Metric, names: Names) -> str:
    """The picture of all ranked rounds under one metric, a column for each benchmarker."""
    own = [ranked for ranked in board.ranked if ranked.section.metric.signature == metric.signature]
    benchmarkers = list(dict.fromkeys(ranked.section.benchmarker for ranked in own))
    best: dict[VersionId, float] = {}
    for ranked in own:
        for row in ranked.rows:
            best[row.version] = max(best.get(row.version, 0.0), row.score)
    facets = []
    for benchmarker in benchmarkers:
        here = [ranked for ranked in own if ranked.section.benchmarker == benchmarker]
        found = {row.version: (ranked.section, row) for ranked in here for row in ranked.rows}  # where it has no score anywhere
        scored = {version: board.standing_of(benchmarker, version) for version in found}
        rounds = len(here)
        below = f"{rounds} round{'s' * (rounds > 1)}"
        facets.append(
            Facet(benchmarker, below, _name(metric), {version: scored[version] or row for version, row in found.items()})
        )
    order = sorted(best, key=lambda version: (-best[version], version))
    return draw(f"{_name(metric)} by benchmarker", metric, facets, order, names)


def draw(title: str, metric: Metric, facets: Sequence[Facet], order: Sequence[VersionId], names: Names) -> str:
    """Dots with bars for all scored rows, coloured by tier; versions without a score are listed with a dash."""
    scale = _scale(row for facet in facets for _, row in facet.rows.values() if row.tier)
    labels = max((width(printable(label(version, names)), TEXT) for version in order), default=0)
    left = EDGE + ceil(min(max(labels, LABEL_LEAST), LABEL_MOST)) + 14
    bands = [facets[at : at + ABREAST] for at in range(0, len(facets), ABREAST)] or [[]]
    whole = left + max(map(len, bands)) * (PLOT + VALUE + GAP) - GAP + EDGE
    head = [*lines([metric.signature], whole - 2 * EDGE, SMALL), f"scores from 0 to 100, higher is better; {_start(scale)}"]
    parts, y = _header(title, head, whole)
    for band in bands:
        parts += _band(band, order, names, scale, left, y)
        y += 44 + ROW * len(order) + 40
    for line in lines(LEGEND, whole - 2 * EDGE, SMALL, "  ·  "):
        parts.append(_text(EDGE, y, line, "soft small"))
        y += 16
    height = y + 4
    return "\n".join([*_opening(title, whole, height), *parts, "</svg>\n"])


def _facet(ranked: Ranked) -> Facet:
    section = ranked.section
    below = f"{len(section.groups)} items in {len(set(section.groups))} documents, {state(final=section.final)}"
    return Facet(short(section.rounds[0]), below, _name(section.metric), {row.version: (section, row) for row in ranked.rows})


def _name(metric: Metric) -> str:
    return metric.signature.partition("|")[0]


def _start(scale: Scale) -> str:
    return f"the axis begins at {100 * scale.low:g}" if scale.low > 0 else "the axis begins at 0"


def _scale(rows: Iterable[Row]) -> Scale:
    bounds = [(min(row.joint.low, row.interval.low), max(row.joint.high, row.interval.high, row.band_high)) for row in rows]
    low, high = min((low for low, _ in bounds), default=0.0), max((high for _, high in bounds), default=1.0)
    step = next((step for step in STEPS if high - low <= 5 * step), STEPS[-1])
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return Scale(first * step, max(last, first + 1) * step, step)


def _opening(title: str, whole: float, height: float) -> Iterator[str]:
    size = f'width="{whole:.0f}" height="{height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole:.0f} {height:.0f}" {size} role="img">'
    yield f"<title>{escape(printable(title))}</title><style>{_style()}</style>"
    yield f'<rect class="bg" width="{whole:.0f}" height="{height:.0f}"/>'


def _style() -> str:
    light = ";".join([LIGHT, *(f"--t{n}:{light}" for n, (light, _) in enumerate(COLOURS))])
    dark = ";".join([DARK, *(f"--t{n}:{dark}" for n, (_, dark) in enumerate(COLOURS))])
    tiers = "".join(f".t{n}{{stroke:var(--t{n});fill:var(--t{n})}}" for n in range(len(COLOURS)))
    return (
        f"svg{{{light};color-scheme:light dark}}@media(prefers-color-scheme:dark){{svg{{{dark}}}}}"
        f"text{{font-family:system-ui,sans-serif;font-size:{TEXT}px;fill:var(--ink)}}.soft{{fill:var(--soft)}}"
        f".small{{font-size:{SMALL}px}}.title{{font-size:{TITLE}px;font-weight:600}}.value{{font-variant-numeric:tabular-nums}}"
        ".bg{fill:var(--bg)}.stripe{fill:var(--stripe)}.grid{stroke:var(--line)}.axis{stroke:var(--soft)}"
        ".best{stroke:var(--soft);stroke-dasharray:2 4}"
        f"{tiers}.joint{{stroke-width:1}}.bar{{stroke-width:3}}.band{{stroke:none;opacity:.25}}.dot{{stroke-width:2}}"
        ".open{fill:var(--bg)}"
    )


def _header(title: str, head: Sequence[str], whole: float) -> tuple[list[str], float]:
    parts = [_text(EDGE, 30, fit(title, whole - 2 * EDGE, TITLE * 1.1), "title")]
    y = 50.0
    for line in head:
        parts.append(_text(EDGE, y, fit(line, whole - 2 * EDGE, SMALL), "soft small"))
        y += 16
    return parts, y + 6


def _band(
    facets: Sequence[Facet], order: Sequence[VersionId], names: Names, scale: Scale, left: float, y: float
) -> Iterator[str]:
    top = y + 44
    bottom = top + ROW * len(order)
    right = left + len(facets) * (PLOT + VALUE + GAP) - GAP
    for at in range(0, len(order), 2):
        yield f'<rect class="stripe" x="{EDGE - 8}" y="{top + ROW * at:.1f}" width="{right - EDGE + 16:.1f}" height="{ROW}"/>'
    for at, version in enumerate(order):
        name = fit(label(version, names), left - EDGE - 14, TEXT)
        yield _text(EDGE, top + ROW * at + 17, name, "name", whole=label(version, names))
    for at, facet in enumerate(facets):
        yield from _column(facet, order, scale, left + at * (PLOT + VALUE + GAP), top, bottom)


def _column(facet: Facet, order: Sequence[VersionId], scale: Scale, x: float, top: float, bottom: float) -> Iterator[str]:
    yield _text(x, top - 26, fit(facet.heading, PLOT + VALUE, TEXT), "heading", whole=facet.heading)
    yield _text(x, top - 10, fit(facet.below, PLOT + VALUE, SMALL), "soft small")
    for score in scale.ticks():
        at = x + scale.x(score)
        yield f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{top:.1f}" y2="{bottom + 4:.1f}"/>'
        yield _text(at, bottom + 18, f"{100 * score:g}", "soft small", anchor="middle")
    yield f'<line class="axis" x1="{x:.1f}" x2="{x + PLOT:.1f}" y1="{bottom:.1f}" y2="{bottom:.1f}"/>'
    yield _text(x + PLOT + 28, bottom + 18, facet.unit, "soft small")
    best = max((row.score for _, row in facet.rows.values() if row.tier), default=None)
    if best is not None:
        at = x + scale.x(best)
        yield f'<line class="best" x1="{at:.1f}" x2="{at:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'
    for at, version in enumerate(order):
        yield from _row(facet.rows.get(version), scale, x, top + ROW * (at + 0.5))


def _row(found: tuple[Section, Row] | None, scale: Scale, x: float, y: float) -> Iterator[str]:
    end = x + PLOT + 12
    if found is None:
        yield _text(end, y + 4, "–", "soft")
        return
    section, row = found
    if not row.tier:
        yield _text(end, y + 4, row.standing.name.lower(), "soft small")
        return
    colour, at = f"t{(row.tier - 1) % len(COLOURS)}", x + scale.x(row.score)
    if row.band_high > row.score:
        band = scale.x(row.band_high) - scale.x(row.score)
        yield f'<rect class="{colour} band" x="{at:.1f}" y="{y - 7:.1f}" width="{band:.1f}" height="14"/>'
    for bounds, kind in ((row.joint, "joint"), (row.interval, "bar")):
        low, high = x + scale.x(bounds.low), x + scale.x(bounds.high)
        yield f'<line class="{colour} {kind}" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield f'<circle class="{colour} dot{"" if section.final else " open"}" cx="{at:.1f}" cy="{y:.1f}" r="4"/>'
    yield _text(end, y + 4, f"{100 * row.score:.2f}", "value")
    yield _text(end + 48, y + 4, f"tier {row.tier}", "soft small")


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "", whole: str = "") -> str:
    """A text; where it was cut, its whole shows when a pointer rests on it."""
    more = f"<title>{escape(printable(whole))}</title>" if whole and printable(whole) != text else ""
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{place}>{escape(text)}{more}</text>'
