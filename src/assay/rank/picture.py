"""Intervals as a picture: one self-contained SVG, the same bytes for the same rows."""

from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from assay.rank.table import Row
from assay.types import Standing

WIDTH, LABEL, VALUE, ROW, TOP, BOTTOM = 720, 190, 120, 30, 46, 34
PLOT = WIDTH - LABEL - VALUE
TIERS = ("#1b4f8a", "#2f7f6f", "#8a6d1b", "#8a3d1b", "#6b3fa0")
STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#222}.muted{fill:#666;font-size:11px}.grid{stroke:#ddd}"
    "@media (prefers-color-scheme:dark){svg{background:#16181c}text{fill:#e6e6e6}.muted{fill:#a0a0a0}.grid{stroke:#383c44}}"
)


def intervals_svg(title: str, rows: Sequence[Row], label: Callable[[Row], str]) -> str:
    """Dots with 95 % bars for all scored rows, coloured by tier; scores are shown on the scale 0 to 100.

    Rows without a score are listed with their standing.
    """
    scored = [row for row in rows if row.standing is Standing.SCORED]
    low = min((row.low for row in scored), default=0.0)
    high = max((max(row.high, row.band_high) for row in scored), default=1.0)
    margin = max((high - low) * 0.06, 0.005)
    low, high = max(0.0, low - margin), min(1.0, high + margin)
    height = TOP + ROW * len(rows) + BOTTOM

    def x(score: float) -> float:
        return LABEL + PLOT * (score - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text x="16" y="24" font-weight="600">{escape(title)}</text>',
        *(_tick(x, low + (high - low) * step / 4, height) for step in range(5)),
        *(_line(x, row, TOP + ROW * index + ROW / 2, label(row)) for index, row in enumerate(rows)),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _tick(x: Callable[[float], float], score: float, height: int) -> str:
    at = x(score)
    return (
        f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP - 8}" y2="{height - BOTTOM + 4}"/>'
        f'<text class="muted" x="{at:.1f}" y="{height - 12}" text-anchor="middle">{100 * score:.1f}</text>'
    )


def _line(x: Callable[[float], float], row: Row, y: float, label: str) -> str:
    name = f'<text x="16" y="{y + 4:.1f}">{escape(label)}</text>'
    if row.standing is not Standing.SCORED:
        return name + f'<text class="muted" x="{LABEL}" y="{y + 4:.1f}">{row.standing.name.lower()}</text>'
    colour = TIERS[(row.tier - 1) % len(TIERS)]
    band = f'{_bar(x(row.score), x(row.band_high), y)} stroke="{colour}" stroke-width="9" opacity=".3"/>'
    bar = f'{_bar(x(row.low), x(row.high), y)} stroke="{colour}" stroke-width="2"/>'
    dot = f'<circle cx="{x(row.score):.1f}" cy="{y}" r="5" fill="{colour}"/>'
    tier = f'<tspan class="muted">tier {row.tier}</tspan>'
    value = f'<text x="{WIDTH - VALUE + 14}" y="{y + 4:.1f}">{100 * row.score:.2f} {tier}</text>'
    return name + band + bar + dot + value


def _bar(start: float, end: float, y: float) -> str:
    return f'<line x1="{start:.1f}" x2="{end:.1f}" y1="{y}" y2="{y}"'
