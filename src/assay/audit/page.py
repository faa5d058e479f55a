"""A verification as a page that people read: one HTML file, nothing fetched, no script, every foreign text escaped and cut."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import NamedTuple

from assay.audit.report import Finding, Report, ScoreRow, State, Step
from assay.errors import BadInput, Tampered
from assay.metrics import METRICS
from assay.storage.bundle import Bundle
from assay.types import VersionId

__all__ = ["ItemTexts", "failed_items", "page"]

MAX_TEXT = 2_000
"""Characters of one text that are shown."""

PROMISES: Mapping[str, str] = {
    "P1": "Questions, references, decoys and metric were fixed before the first model was asked",
    "P2": "A model answers under a version that was committed before the questions were sealed",
    "P3": "Neither side can invent, alter or deny an exchange",
    "P4": "Every score follows from the published texts by a public metric",
    "P5": "A wrong score, sum or signature, a dropped answer or a reused question is proven on chain and costs the bond",
    "P6": "After a delay every item that anyone asks for is public, or the bond is lost",
    "P7": "Once enrolled, no model can be left out, and no acknowledged or posted answer dropped",
    "P8": "A benchmarker that is also a competitor declares it, is visible, and can be left out",
    "P9": "Best-of-many tries are visible under one identity",
    "P10": "No owner, no admin key, no upgrade, no vote can touch a round, a score or a bond",
    "P11": "Anyone can check everything from the chain and the published bundle alone",
}
ENDS = {
    0: ("good", "Sound", "Everything that was promised holds."),
    1: ("bad", "A fault was found", "What it is stands below, with what was expected and what was found."),
    2: ("open", "Cannot tell everything", "What is missing stands below; nothing that could be checked was wrong."),
    3: ("bad", "Tampered with", "The bundle's bytes are not those that the chain names, so they say nothing of the round."),
}
STATES = {State.PASSED: ("good", "✓ passed"), State.FAILED: ("bad", "✗ failed"), State.CANNOT_TELL: ("open", "? cannot tell")}
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
:root{--bg:#fff;--ink:#1c1e21;--soft:#5c6168;--line:#d9dce0;--card:#f5f6f8;--good:#1e7f5c;--bad:#b3261e;--open:#8a5a00;
color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--bg:#16181c;--ink:#e8eaed;--soft:#a3a9b1;--line:#3a3f47;--card:#1e2126;--good:#5fd0a5;
--bad:#f2b8b5;--open:#e8c268}}
body{background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}.soft{color:var(--soft)}
.good{color:var(--good)}.bad{color:var(--bad)}.open{color:var(--open)}
.end{border:1px solid var(--line);border-left:.4rem solid currentColor;border-radius:.3rem;padding:.7rem 1rem;margin:1rem 0}
.end b{font-size:1.15rem}.end span{color:var(--ink);display:block}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.35rem .6rem;
border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:500;white-space:nowrap}td.num,th.num{text-align:right}
code,pre{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere;white-space:pre-wrap;margin:0}.wide{overflow-x:auto}
thead+tbody code{white-space:nowrap}
details{border-bottom:1px solid var(--line)}summary{display:flex;gap:.75rem;padding:.45rem .25rem;cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}summary .n{width:1.6rem;text-align:right;color:var(--soft)}
summary .p{width:2.4rem;color:var(--soft)}summary .t{flex:1}summary .s{white-space:nowrap;font-weight:500}
.in{padding:.1rem .25rem .8rem 5.6rem}.card{background:var(--card);border-radius:.3rem;padding:.6rem .8rem;margin:.5rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.4rem 0 0}dt{color:var(--soft)}
dd{margin:0;min-width:0}@media(max-width:40rem){.in{padding-left:.25rem}}
"""


class ItemTexts(NamedTuple):
    """The published texts of one item for one version; `response` None where there is none."""

    prompt: bytes
    reference: bytes
    response: bytes | None


Key = tuple[VersionId, int]


def failed_items(report: Report, bundle: Bundle | None) -> dict[Key, ItemTexts]:
    """The texts of all items that the report's findings name, as far as the bundle can be read."""
    wanted = {(f.version, f.position) for step in report.steps for f in step.findings if f.version and f.position is not None}
    if bundle is None or not wanted or report.tampered:
        return {}
    found: dict[Key, ItemTexts] = {}
    try:
        positions = {position for _, position in wanted}
        items = {line.position: line for line in bundle.items() if line.position in positions}
        for version in sorted({version for version, _ in wanted if version is not None}):
            for line in bundle.answers(version):
                item = items.get(line.position)
                if (version, line.position) in wanted and item is not None:
                    found[version, line.position] = ItemTexts(item.prompt, item.reference, line.response)
    except (BadInput, Tampered):
        return found
    return found


def page(report: Report, items: Mapping[Key, ItemTexts]) -> str:
    """The whole page; the same report and items give the same bytes."""
    title = f"Verification of round 0x{report.round.hex()[:12]}…"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{_text(title)}</h1>",
            f'<p class="soft">{_text(report.phase.capitalize())}, as the chain has it at block {report.block}.</p>',
            _end(report),
            _facts(report),
            "<h2>Scores</h2>",
            _scores(report),
            "<h2>What was checked</h2>",
            *(_step(step, report, items) for step in report.steps),
            "<h2>The promises</h2>",
            _table((), (((f"<b>{name}</b>"), _text(text)) for name, text in PROMISES.items())),
            f'<p class="soft">{_again(report)}</p>',
            "</body></html>\n",
        ]
    )


def _end(report: Report) -> str:
    kind, name, text = ENDS[report.exit_code]
    states = [step.state for step in report.steps]
    counts = ", ".join(f"{states.count(state)} {words.split(maxsplit=1)[1]}" for state, (_, words) in STATES.items())
    return f'<div class="end {kind}"><b>{name}</b><span>{text} Of {len(states)} steps: {counts}.</span></div>'


def _facts(report: Report) -> str:
    rows = [("round", _code(f"0x{report.round.hex()}")), ("metric", _code(report.metric))]
    rows.append(("bundle", _code(report.bundle) if report.bundle else "not revealed"))
    return _table((), rows)


def _scores(report: Report) -> str:
    if not report.scores:
        return '<p class="soft">None could be recomputed.</p>'
    heads = ("version", "standing", "attested", "recomputed", "answered", "silent", "decoys")
    return _table(heads, (_score(row, report.metric) for row in report.scores), numbers=2)


def _score(row: ScoreRow, signature: str) -> tuple[str, ...]:
    metric = METRICS.get(signature)

    def shown(score: int | None) -> str:
        return "?" if score is None else _text(metric.display(score) if metric else score)

    kind = "good" if row.attested == row.recomputed else "bad" if row.recomputed is not None else "open"
    recomputed = f'<span class="{kind}">{shown(row.recomputed)}</span>'
    counts = (str(row.answered), str(row.silent), str(row.decoys))
    return _code(f"0x{row.version.hex()}"), _text(row.standing), shown(row.attested), recomputed, *counts


def _step(step: Step, report: Report, items: Mapping[Key, ItemTexts]) -> str:
    kind, state = STATES[step.state]
    title, is_open = step.title, "" if step.state is State.PASSED else " open"
    head = (
        f'<summary><span class="n">{step.number}</span><span class="p" title="{_text(PROMISES.get(title.promise, ""))}">'
        f'{_text(title.promise)}</span><span class="t">{_text(title.text)}</span><span class="s {kind}">{state}</span></summary>'
    )
    return f'<details{is_open}>{head}<div class="in">{"".join(_inside(step, report, items))}</div></details>'


def _inside(step: Step, report: Report, items: Mapping[Key, ItemTexts]) -> Iterator[str]:
    yield f'<div class="soft">{_text(PROMISES.get(step.title.promise, ""))}.</div>'
    for finding in step.findings:
        yield f'<div class="card"><b>{_text(finding.item)}</b>{_list(_finding(finding, report, items))}</div>'
    if step.failures > len(step.findings):
        yield f"<div>and {step.failures - len(step.findings)} more</div>"
    yield from (f'<div><span class="open">missing</span> {_text(what)}</div>' for what in step.missing)
    yield from (f'<div><span class="soft">note</span> {_text(note)}</div>' for note in step.notes)


def _finding(finding: Finding, report: Report, items: Mapping[Key, ItemTexts]) -> Iterator[tuple[str, str]]:
    yield "expected", _code(finding.expected)
    yield "got", _code(finding.got)
    if finding.where:
        yield "where", _code(finding.where)
    if finding.version is None or finding.position is None:
        return
    texts = items.get((finding.version, finding.position))
    if texts is not None:
        yield from ((name, _pre(text)) for name, text in texts._asdict().items() if text is not None)
    if finding.is_provable:
        kind = f"{finding.proof} " if finding.proof else ""
        yield "prove it", _code(f"assay challenge {kind}0x{report.round.hex()} 0x{finding.version.hex()} {finding.position}")


def _again(report: Report) -> str:
    given = " --bundle PATH" if report.bundle else ""
    return f"Check it again: {_code(f'assay verify 0x{report.round.hex()}{given}')}. This page proves nothing by itself."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 99) -> str:
    """A table of cells that are HTML already; columns from `numbers` on hold numbers."""

    def cells(name: str, values: Sequence[str]) -> str:
        tags = [f"{name} class=num" if index >= numbers else name for index in range(len(values))]
        return "<tr>" + "".join(f"<{tag}>{value}</{name}>" for tag, value in zip(tags, values, strict=True)) + "</tr>"

    head = f"<thead>{cells('th', heads)}</thead>" if heads else ""
    body = "".join(cells("td", row) for row in rows)
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def _list(pairs: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in pairs)}</dl>"


def _code(value: object) -> str:
    return f"<code>{_text(value)}</code>"


def _pre(text: bytes) -> str:
    return f"<pre>{_text(text.decode('utf-8', 'backslashreplace'))}</pre>" if text else '<span class="soft">empty</span>'


def _text(value: object) -> str:
    """A value as text for HTML: escaped, cut, and with what would steer a reader's eye or screen spelt out."""
    text = str(value)
    cut = text[:MAX_TEXT] + "…" * (len(text) > MAX_TEXT)
    plain = "".join(char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in cut)
    return escape(plain)
