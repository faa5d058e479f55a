"""An audit log as a page that people read: one HTML file, nothing fetched, no script, every foreign text escaped."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

from assay.storage.lines import Record

__all__ = ["page"]

STYLE = """
:root{--bg:#fff;--ink:#1c1e21;--soft:#5c6168;--line:#d9dce0;--stripe:#f5f6f8;--good:#1e7f5c;--bad:#b3261e;color-scheme:light dark}
@media(prefers-color-scheme:dark){:root{--bg:#16181c;--ink:#e8eaed;--soft:#a3a9b1;--line:#3a3f47;--stripe:#1e2126;--good:#5fd0a5;
--bad:#f2b8b5}}
body{background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.soft{color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid
var(--line)}th{color:var(--soft);font-weight:500;white-space:nowrap}tbody tr:nth-child(even){background:var(--stripe)}
code{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}.wide{overflow-x:auto}.time{white-space:nowrap}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
HOW = (
    "Every signature and every hash above follows from the JSON of this log: <code>assay audit-log --check FILE</code> "
    "recomputes them without a network; with <code>--against-chain</code> it also compares each link with a node."
)
HIDDEN = frozenset({"params", "round"})
"""Arguments that are in the log and not on the page: a task's long list, and the round that the page is about."""
Row = Sequence[str]
"""Cells, each HTML that was escaped where it had to be."""


def page(record: Record) -> str:
    """The whole page; the same record gives the same bytes. KeyError, TypeError or ValueError for what is no audit log."""
    found = record["round"]
    title = f"Chain of custody of round {found['id'][:14]}…"
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width,initial-scale=1">',
            f"<title>{_text(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{_text(title)}</h1>",
            f'<p class="soft">{_as_of(record)} Times are those of blocks, in UTC.</p>',
            "<h2>The round</h2>",
            _table((), _facts(record)),
            "<h2>Who signed with which key</h2>",
            _table(("key", "used as"), ((_code(k["address"]), "<br>".join(map(_text, k["roles"]))) for k in record["keys"])),
            "<h2>Block by block</h2>",
            _table(("block", "time", "what", "sender and transaction"), map(_link, record["links"])),
            "<h2>Questions, answers and acknowledgements</h2>",
            _exchanges(record),
            "<h2>How to check it</h2>",
            f"<p>{HOW} The head of that file is {_code(record['head'])}.</p>",
            "</body></html>\n",
        ]
    )


def _as_of(record: Record) -> str:
    block = record["as_of"]
    return f"As the chain {_text(record['chain_id'])} has it at block {_text(block['block'])}, {_time(block['time'])}."


def _facts(record: Record) -> Iterator[Row]:
    found = record["round"]
    yield "id", _code(found["id"])
    yield "phase", _text(found["phase"]) + (f", {_text(found['fault'])}" if found["fault"] != "none" else "")
    yield "benchmarker", _code(found["benchmarker"])
    yield "task", f"{_code(found['task'])}<br>{_text(found['metric'])}"
    yield "sealed", f"{_time(found['sealed_at'])}, {_text(found['items'])} items under {_code(found['set_root'])}"
    yield (
        "deadlines",
        f"answers {_time(found['answer_by'])}, attest {_time(found['attest_by'])}, reveal {_time(found['reveal_by'])}",
    )
    yield "bundle", _code(found["bundle"]) if found["bundle"] else "not revealed"


def _link(link: Mapping[str, Any]) -> Row:
    what = [_event(event) for event in link["events"]] + [_signature(signed) for signed in link["signatures"]]
    proven = "signed bytes in the log" if link["raw"] else "as the node says"
    who = f"{_code(link['sender'])} <span class=soft>({proven})</span><br>{_code(link['tx'])}"
    return _text(link["block"]), _time(link["time"]), "<br>".join(what), who


def _event(event: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{_text(name)} {_value(value)}" for name, value in event["arguments"].items() if name not in HIDDEN)
    return f"<strong>{_text(event['event'])}</strong> <span class=soft>{shown}</span>"


def _signature(signed: Mapping[str, Any]) -> str:
    where = f" of item {_text(signed['position'])}" if "position" in signed else ""
    return f"{_text(signed['kind'])}{where} for {_value(signed['version'])}, signed by {_code(signed['signer'])}"


def _exchanges(record: Record) -> str:
    if record["exchanges"] is None:
        return '<p class="soft">The bundle was not at hand, so that none are counted.</p>'
    headings = ("version", "Asks", "Answers", "Acks", "running hash over all of them")
    return _table(headings, (_exchange(exchange) for exchange in record["exchanges"]))


def _exchange(exchange: Mapping[str, Any]) -> Row:
    counts = [_count(exchange[kind]) for kind in ("ask", "answer", "ack")]
    return (_code(exchange["version"]), *counts, _code(exchange["digest"]))


def _count(count: Mapping[str, int]) -> str:
    good = count["signed"] == count["by_the_key"]
    text = f"{count['signed']}" if good else f"{count['by_the_key']} of {count['signed']} by the key"
    return f'<span class="{"good" if good else "bad"}">{_text(text)}</span>'


def _table(headings: Row, rows: Iterable[Row]) -> str:
    head = "".join(f"<th>{_text(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table>{f"<thead><tr>{head}</tr></thead>" if head else ""}<tbody>{body}</tbody></table></div>'


def _value(value: Any) -> str:
    if isinstance(value, str) and value.startswith("0x") and len(value) > 20:
        return f'<code title="{_text(value)}">{_text(value[:12])}…</code>'
    return _text(value)


def _time(seconds: int) -> str:
    return f'<span class="time">{_text(datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S"))}</span>'


def _code(value: Any) -> str:
    return f"<code>{_text(value)}</code>"


def _text(value: Any) -> str:
    return escape("".join(letter if letter.isprintable() else " " for letter in str(value)))
