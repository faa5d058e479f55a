"""A gateway for tests: a real server on the loopback interface that signs for real, and misbehaves on request."""

import asyncio
import base64
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import uvicorn

from assay.encoding.hashing import keccak
from assay.encoding.receipts import Domain, LocalSigner

JSON = "application/json"


class Raw(Exception):
    """Raised by a behaviour to answer with these bytes instead."""

    def __init__(self, body: bytes, *, status: int = 200, kind: str = JSON, headers: dict[str, str] | None = None) -> None:
        self.body, self.status = body, status
        self.headers = {"content-type": kind} | (headers or {})


def problem(slug: str, status: int, **headers: str) -> Raw:
    body = json.dumps({"type": f"urn:assay:{slug}", "title": slug, "status": status, "detail": "because"}).encode()
    return Raw(body, status=status, kind="application/problem+json", headers={k.replace("_", "-"): v for k, v in headers.items()})


class FakeGateway:
    """Use as a context manager. `respond` gives the text to a prompt, `bend` may change an answer's body or raise Raw."""

    def __init__(self, domain: Domain, signer: LocalSigner | None = None, versions: tuple[bytes, ...] = ()) -> None:
        self.domain, self.signer = domain, signer or LocalSigner(secrets.token_bytes(32))
        self.versions = versions or (secrets.token_bytes(32),)
        self.respond: Callable[[dict[str, Any]], bytes] = lambda ask: ask["prompt"].upper().encode()
        self.bend: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]] = lambda _, body: body
        self.delay = 0.0
        self.asks: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.acks: list[dict[str, Any]] = []
        self.given: dict[tuple[str, int], bytes] = {}

    # The server

    def __enter__(self) -> "FakeGateway":
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self._app, log_config=None, lifespan="off", interface="asgi3", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        try:
            raw = Raw(json.dumps(await self._answer(scope["path"], json.loads(body or b"{}"))).encode())
        except Raw as bent:
            raw = bent
        headers = [(key.encode(), value.encode()) for key, value in raw.headers.items()]
        await send({"type": "http.response.start", "status": raw.status, "headers": headers})
        await send({"type": "http.response.body", "body": raw.body})

    # What it says

    async def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/v1":
            versions = ["0x" + version.hex() for version in self.versions]
            d = self.domain
            return {
                "protocol": 1,
                "chain_id": d.chain_id,
                "rounds": d.rounds,
                "operator": self.signer.address,
                "versions": versions,
            }
        if path == "/v1/enrol":
            digest = self.domain.enrol(*(bytes.fromhex(body[name][2:]) for name in ("round", "version")))
            return self.bend(body, {**body, "signature": self._sign(digest)})
        if path == "/v1/ack":
            self.acks += body["acks"]
            return self.bend(body, {"accepted": len(body["acks"])})
        self.asks.append(body)
        self.times.append(time.monotonic())
        await asyncio.sleep(self.delay)
        answer = self.answer(body)
        answer = self.bend(body, answer)
        self.acks += body["acks"]
        return answer

    def answer(self, ask: dict[str, Any], response: bytes | None = None) -> dict[str, Any]:
        """A rightly signed answer."""
        response = self.respond(ask) if response is None else response
        self.given[(ask["version"], ask["position"])] = response
        round_, version = bytes.fromhex(ask["round"][2:]), bytes.fromhex(ask["version"][2:])
        prompt_hash = keccak(ask["prompt"].encode())
        digest = self.domain.answer(round_, version, ask["position"], prompt_hash, keccak(response))
        body = {name: ask[name] for name in ("round", "version", "position")} | {"prompt_hash": "0x" + prompt_hash.hex()}
        try:
            text = {"response": response.decode()}
        except UnicodeDecodeError:
            text = {"response_b64": base64.b64encode(response).decode()}
        return body | text | {"signature": self._sign(digest)}

    def _sign(self, digest: bytes) -> str:
        return "0x" + self.signer.sign(digest).hex()


def wrong_signature(_ask: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Signed by nobody who matters."""
    return body | {"signature": "0x" + LocalSigner(b"\x01" * 32).sign(keccak(b"anything")).hex()}
