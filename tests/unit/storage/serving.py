"""A trustless gateway over CAR files, real down to the socket; `bend` makes it lie, stall, redirect or never end."""

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from assay.storage.cars import CarFile
from assay.storage.cids import RAW as RAW_CODEC
from assay.storage.cids import cid_bytes, codec_of, digest_of
from assay.storage.unixfs import decode_node
from unit.storage.forge_car import Forge

CAR, RAW = "application/vnd.ipld.car", "application/vnd.ipld.raw"


class Reply:
    """What is answered. `pause` seconds before each piece of the body."""

    def __init__(self, body: bytes | Iterator[bytes] = b"", *, status: int = 200, kind: str = CAR, pause: float = 0.0) -> None:
        self.body, self.status, self.kind, self.pause = body, status, kind, pause
        self.headers: dict[str, str] = {}


def exported(path: Path, cid: str) -> bytes:
    """A bundle as nodes and gateways export it: each block before those that it links to, none twice."""
    forge, seen, root = Forge(), set(), cid_bytes(digest_of(cid), codec_of(cid))
    waiting = [root]
    with CarFile(path) as car:
        while waiting:
            block = waiting.pop()
            if block in seen:
                continue
            seen.add(block)
            forge.blocks.append((block, car.block(block)))
            if block[1] != RAW_CODEC:
                waiting += [link.cid for link in reversed(decode_node(forge.blocks[-1][1]).links)]
    return forge.car(root)


Bend = Callable[[str, str, Reply], Reply]
"""From format, CID and the honest answer to the one that is sent."""


class Gateway:
    """Use as a context manager. `forms` are the formats that it serves; `asked` is what it was asked for."""

    def __init__(
        self, car: Path, *, forms: tuple[str, ...] = ("car", "raw"), bend: Bend = lambda _form, _cid, reply: reply
    ) -> None:
        self.car, self.forms, self.bend = car, forms, bend
        self.asked: list[tuple[str, str]] = []
        self._blocks, self._lock, gateway = CarFile(car), threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gateway.answer(self)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                gateway.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._blocks.__exit__()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        cid, form = parts.path.rsplit("/", 1)[-1], parse_qs(parts.query).get("format", [""])[0]
        self.asked.append((form, cid))
        reply = self.bend(form, cid, self._honest(form, cid))
        try:
            self._send(handler, reply)
        except OSError:
            handler.close_connection = True

    def _honest(self, form: str, cid: str) -> Reply:
        if form not in self.forms:
            return Reply(b"no such format", status=406, kind="text/plain")
        if form == "car":
            return Reply(exported(self.car, cid))
        with self._lock:
            return Reply(self._blocks.block(cid_bytes(digest_of(cid), codec_of(cid))), kind=RAW)

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        handler.send_header("content-type", reply.kind)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        pieces = [reply.body] if isinstance(reply.body, bytes) else reply.body
        if isinstance(reply.body, bytes):
            handler.send_header("content-length", str(len(reply.body)))
        else:
            handler.send_header("connection", "close")
            handler.close_connection = True
        handler.end_headers()
        for piece in pieces:
            time.sleep(reply.pause)
            handler.wfile.write(piece)
