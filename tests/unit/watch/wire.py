"""A node's address with something in between: it kills who asks, or lies to them."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

SECONDS = 60
Hook = Callable[[str], bytes | None]


class Wire:
    """Passes requests on to a node. `before` and `after` get each method; what they return is answered in the node's place.

    `bend` gets the method and the node's result, and returns what is answered as result. Where one raises, nothing is answered.
    """

    def __init__(
        self,
        rpc: str,
        before: Hook = lambda _: None,
        after: Hook = lambda _: None,
        bend: Callable[[str, Any], Any] = lambda _, result: result,
    ) -> None:
        self.rpc, self.before, self.after, self.bend = rpc, before, after, bend
        self.client = httpx.Client(timeout=SECONDS)
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                asked = json.loads(body)
                try:
                    answer = wire.before(asked["method"])
                    if answer is None:
                        told = wire.client.post(wire.rpc, content=body, headers={"Content-Type": "application/json"}).content
                        answer = wire.after(asked["method"]) or wire.bent(asked["method"], told)
                except ConnectionAbortedError:
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self) -> "Wire":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.client.close()

    def bent(self, method: str, told: bytes) -> bytes:
        answer = json.loads(told)
        if "result" not in answer:
            return told
        return json.dumps(answer | {"result": self.bend(method, answer["result"])}).encode()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"
