"""Endpoints on the loopback interface, well-behaved and hostile, each a real server."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

SERVICES = Path(__file__).resolve().parents[2] / "models" / "services.py"


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    line: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def json(self):
        return json.loads(self.body)


Behaviour = Callable[[socket.socket], None]


@dataclass
class Endpoint:
    """A socket that gives each request the next behaviour, the last one for ever, and hangs up."""

    behaviours: Sequence[Behaviour]
    received: list[Received] = field(default_factory=list)

    def __post_init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)  # a thread in accept would hold it open
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                request = read_request(connection)
                if request is None:
                    return
                with self._lock:
                    self.received.append(request)
                    behave = self.behaviours[min(len(self.received), len(self.behaviours)) - 1]
                behave(connection)
            except OSError:
                return


def read_request(connection):
    raw = b""
    while b"\r\n\r\n" not in raw:
        chunk = connection.recv(65_536)
        if not chunk:
            return None
        raw += chunk
    head, body = raw.split(b"\r\n\r\n", 1)
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (entry.split(":", 1) for entry in rest)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65_536)
    return Received(line, headers, body, time.monotonic())


def reply(body: object, status: int = 200, *headers: str, length: int | None = None) -> Behaviour:
    """A whole reply, with a Content-Length of one's own if wanted."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "Content-Type: application/json", "Connection: close", *headers]
    lines.append(f"Content-Length: {len(data) if length is None else length}")
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


def hang(connection):
    connection.recv(1)  # until the other side gives up


def drip(connection):
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.02)


def drip_headers(connection):
    connection.sendall(b"HTTP/1.1 200 X\r\n")
    while True:
        connection.sendall(b"x-a: b\r\n")
        time.sleep(0.02)


def flood(connection):
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b'"' * 65_536 + b"\r\n")


def flood_headers(connection):
    connection.sendall(b"HTTP/1.1 200 X\r\n")
    while True:
        connection.sendall(b"x-a: " + b"y" * 65_536 + b"\r\n")


def nonsense(connection):
    connection.sendall(b"\x00\xff SSH-2.0 hello\r\n\r\n")


def hang_up(connection):
    connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def endpoint(*behaviours: Behaviour) -> Iterator[Endpoint]:
    running = Endpoint(behaviours)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def services(*arguments: str | Path) -> Iterator[str]:
    """The services of tests/models as a process of their own; their address."""
    words = [sys.executable, str(SERVICES), *map(str, arguments)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.kill()
