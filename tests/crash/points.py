"""Where a process can die by its own hand: around the k-th commit of its journal, around the k-th thing that it sends.

Nothing in the package knows of this. The nursery calls `watch` in a child that it has just forked, before the command begins: the
child's `sqlite3.connect` gives connections that count commits, and httpx's transports count what leaves. Each point is a line
of the trace, so that an undisturbed run says which points there are. A process that reaches its end kills itself with SIGKILL:
nothing is flushed, closed or rolled back, its threads stop where they are, and the k-th point is met exactly, which no observer
outside could promise.
"""

import http.client
import json
import os
import signal
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

BEGIN, COMMIT, INSERT = "BEGIN", "COMMIT", "INSERT"
SEND = "eth_sendRawTransaction"
STEP = 2
"""The column of the agent's table of transactions that names the step."""


class End(NamedTuple):
    """Where to die: before or after the n-th commit or sending of the name `what`, or of any name.

    `held`: the development chain stops mining before a transaction leaves, so that it is still waiting when the process is dead.
    """

    kind: str
    when: str
    number: int
    what: str = ""
    held: bool = False

    def means(self, kind: str, what: str) -> bool:
        """Whether a point is one of those that are counted."""
        return self.kind == kind and self.what in ("", what)


class Trace:
    """Counts points, notes each in a file, and kills at the chosen one."""

    def __init__(self, path: Path, end: End | None) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._end, self._left = end, end.number if end else 0
        self._lock = threading.Lock()

    def before(self, kind: str, what: str) -> bool:
        """A point is near; whether it is the one. Dies where the end is before it."""
        end = self._end
        with self._lock:
            if end is None or not end.means(kind, what):
                return False
            self._left -= 1
            if self._left:
                return False
        if end.held:
            _mining_stops()
        if end.when == "before":
            self._die(kind, what, end.when)
        return True

    def after(self, kind: str, what: str, *, last: bool) -> None:
        """A point is passed."""
        self._note(kind=kind, what=what)
        if last:
            self._die(kind, what, "after")

    def _die(self, kind: str, what: str, when: str) -> None:
        self._note(died=when, kind=kind, what=what)
        os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, **facts: str) -> None:
        os.write(self._file, json.dumps(facts | {"pid": os.getpid()}).encode() + b"\n")


def watch(path: Path, end: End | None) -> None:
    """Trace this process from now on, and let it die where it is told to."""
    trace = Trace(path, end)
    _watch_journals(trace)
    _watch_sendings(trace)


def _watch_journals(trace: Trace) -> None:
    connect = sqlite3.connect

    class Watched(sqlite3.Connection):
        """A connection that knows which tables its open transaction has written."""

        began, tables = 0, ()

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if sql.startswith(BEGIN):
                self.began, self.tables = self.total_changes, ()
            if sql == COMMIT and self.total_changes > self.began:
                what = "+".join(self.tables)
                last = trace.before("commit", what)
                done = super().execute(sql, *values)
                trace.after("commit", what, last=last)
                return done
            self._wrote(sql, values[0] if values else ())
            return super().execute(sql, *values)

        def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
            rows = list(rows)
            if rows:
                self._wrote(sql, rows[0])
            return super().executemany(sql, rows)

        def _wrote(self, sql: str, row: Any) -> None:
            if sql.startswith(INSERT):
                table = sql.split("INTO ", 1)[1].split(maxsplit=1)[0]
                step = f":{row[STEP]}" if table == "transactions" and isinstance(row[STEP], str) else ""
                self.tables = tuple(dict.fromkeys((*self.tables, table + step)))

    def watched(*words: Any, **named: Any) -> sqlite3.Connection:
        return connect(*words, factory=Watched, **named)

    sqlite3.connect = watched  # type: ignore[assignment]


def _watch_sendings(trace: Trace) -> None:
    """What changes anything elsewhere: transactions to a node, requests to a gateway. Reading is no point."""
    to_node, to_gateway = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def handle(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if SEND.encode() not in request.read():
            return to_node(self, request)
        last = trace.before("send", SEND)
        response = to_node(self, request)
        trace.after("send", SEND, last=last)
        return response

    async def handle_async(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.method != "POST":
            return await to_gateway(self, request)
        last = trace.before("send", request.url.path)
        response = await to_gateway(self, request)
        trace.after("send", request.url.path, last=last)
        return response

    httpx.HTTPTransport.handle_request = handle  # type: ignore[method-assign]
    httpx.AsyncHTTPTransport.handle_async_request = handle_async  # type: ignore[method-assign]


def _mining_stops() -> None:
    where = urlsplit(os.environ["ASSAY_RPC"])
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=10)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "evm_setAutomine", "params": [False]})
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    connection.getresponse().read()
    connection.close()


def read_trace(path: Path) -> list[Mapping[str, str]]:
    """All points of a trace, in their order; empty where there is none yet."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]
