"""The node client against real servers: an Anvil, and small HTTP servers that misbehave."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from assay.chain import node as node_module
from assay.chain.client import Chain
from assay.chain.logs import logs
from assay.chain.node import Node, RpcError
from assay.encoding.hashing import checksum
from assay.errors import BadInput, NotYet, Unreachable

pytestmark = pytest.mark.chain


@contextmanager
def server(answer: Callable[[BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()


def says(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def test_request__nobody_there__unreachable_names_devnet() -> None:
    with Node("http://127.0.0.1:1") as node, pytest.raises(Unreachable) as raised:
        node.chain_id()
    assert "assay devnet" in raised.value.remedy


def test_request__silent_server__unreachable_in_time() -> None:
    with server(lambda _: time.sleep(3)) as url, Node(url, timeout=0.3) as node:
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"within 0\.3 s"):
            node.chain_id()
        assert time.monotonic() - began < 2


def test_request__dripping_server__unreachable_in_time() -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(30):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.1)

    with server(drip) as url, Node(url, timeout=0.5) as node:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            node.chain_id()
        assert time.monotonic() - began < 2


def test_request__endless_answer__unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "MAX_ANSWER_BYTES", 1 << 20)
    with server(says(b" " * (3 << 20))) as url, Node(url) as node, pytest.raises(Unreachable, match="MiB"):
        node.chain_id()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"3", b"\xff", b"[" * 100_000, b'{"jsonrpc":"2.0"}'])
def test_request__no_json_rpc__unreachable(body: bytes) -> None:
    with server(says(body)) as url, Node(url) as node, pytest.raises(Unreachable, match="no Ethereum node"):
        node.chain_id()


@pytest.mark.parametrize(
    ("error", "data"),
    [
        ({"code": 3, "message": "execution reverted", "data": "0x1234"}, b"\x12\x34"),
        ({"code": 3, "message": "execution reverted", "data": {"data": "0x1234"}}, b"\x12\x34"),
        ({"code": 3, "message": "execution reverted", "data": "Reverted 0x1234"}, b"\x12\x34"),
        ({"code": -32000, "message": "no"}, None),
        ({"code": -32000, "message": "no", "data": "rubbish"}, None),
        ("no", None),
    ],
)
def test_request__error__rpc_error_with_its_data(error: object, data: bytes | None) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()
    with server(says(body)) as url, Node(url) as node, pytest.raises(RpcError) as raised:
        node.chain_id()
    assert raised.value.data == data


def test_errors__address_with_a_key__keep_it_to_themselves() -> None:
    with Node("http://127.0.0.1:1/v3/SECRET-TOKEN?key=SECRET") as node, pytest.raises(Unreachable) as raised:
        node.chain_id()
    assert "SECRET" not in str(raised.value) + raised.value.remedy + repr(raised.value.__cause__)


@pytest.mark.parametrize("url", ["", "localhost:8545", "ftp://x", "http://", "file:///etc/passwd"])
def test_node__no_address__bad_input(url: str) -> None:
    with pytest.raises(BadInput):
        Node(url)


def test_block__beyond_the_head__not_yet(chain: Chain) -> None:
    with pytest.raises(NotYet):
        chain.block(10**9)


def test_finalized__two_blocks_behind(chain: Chain) -> None:
    chain.node.request("anvil_mine", ["0x5"])
    assert chain.finalized().number == chain.head().number - 2
    assert chain.block(chain.head().number) == chain.head()


@pytest.mark.parametrize("result", ["null", "[]", "7", '"0xzz"', '"ab"', "{}"])
def test_code_call_and_logs__rubbish__unreachable(result: str) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"result":' + result.encode() + b"}"
    address = "0x" + "ab" * 20
    with server(says(body)) as url, Node(url) as node:
        for ask in (lambda: node.code(address), lambda: node.call(address, b"")):
            with pytest.raises(Unreachable):
                ask()
    shapes = ["null", "7", "{}", '"0xzz"', "[7]", "[{}]", '[{"topics":[],"data":"0x","blockNumber":"0x1","transactionHash":7}]']
    for shape in shapes:
        body = b'{"jsonrpc":"2.0","id":1,"result":' + shape.encode() + b"}"
        with server(says(body)) as url, Node(url) as node, pytest.raises(Unreachable):
            list(logs(node, checksum(b"\xab" * 20), [], 0, 1))
