"""A provider whose gateways consent to every round and then cheat, each in a way of its own, over plain HTTP.

    python tests/forger/gateway.py --honest http://127.0.0.1:8600

Commits a version for each way, of a model that the home has registered, and serves all of them on one port, each under its path.
Prints one JSON line when it is ready: for each way its address and version.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from assay import keys
from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.hashing import keccak
from assay.encoding.receipts import LocalSigner
from assay.gateway.catalogue import Catalogue
from assay.gateway.database import Database
from assay.gateway.registrar import Registrar, named
from assay.types import RoundId, VersionId

TEXT = "Uma resposta."
HUGE_BYTES = 32 << 20
MODEL = "cheat"
Body = dict[str, Any]


@dataclass(frozen=True)
class Cheat:
    """What all ways share: the deployment, the key, and an honest gateway to point at."""

    chain: Chain
    signer: LocalSigner
    honest: str

    def answer(self, ask: Body, **changed: Any) -> Body:
        """A well-signed Answer to an Ask, or to what it is changed to."""
        place = ask | changed
        round_, version = (bytes.fromhex(place[name][2:]) for name in ("round", "version"))
        prompt_hash, response_hash = keccak(place["prompt"].encode()), keccak(TEXT.encode())
        digest = self.chain.domain.answer(RoundId(round_), VersionId(version), place["position"], prompt_hash, response_hash)
        body = {name: place[name] for name in ("round", "version", "position")}
        return body | {
            "prompt_hash": "0x" + prompt_hash.hex(),
            "response": TEXT,
            "signature": "0x" + self.signer.sign(digest).hex(),
        }


class Handler(BaseHTTPRequestHandler):
    """One request. The first part of the path names the way."""

    protocol_version = "HTTP/1.1"
    cheat: Cheat
    versions: Mapping[str, str]

    def do_GET(self) -> None:
        """What an honest gateway says of itself."""
        deployment = self.cheat.chain.deployment
        facts = {"protocol": 1, "chain_id": deployment.chain_id, "rounds": deployment.rounds}
        self.reply(facts | {"operator": self.cheat.signer.address, "versions": [self.versions[self.way]]})

    def do_POST(self) -> None:
        """A consent to anything, an acknowledgement taken, or an answer with something wrong."""
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/enrol"):
            ids = (RoundId(bytes.fromhex(body["round"][2:])), VersionId(bytes.fromhex(body["version"][2:])))
            self.reply(body | {"signature": "0x" + self.cheat.signer.sign(self.cheat.chain.domain.enrol(*ids)).hex()})
        elif self.path.endswith("/ack"):
            self.reply({"accepted": len(body["acks"])})
        else:
            WAYS[self.way](self, body)

    @property
    def way(self) -> str:
        """First part of the path."""
        return self.path.split("/")[1]

    def reply(self, body: Body, *, status: int = 200, length: int | None = None, **headers: str) -> None:
        """A whole reply, with a Content-Length of its own if wanted."""
        raw = json.dumps(body).encode()
        self.head(status, **{"Content-Length": str(len(raw) if length is None else length), **headers})
        self.wfile.write(raw)
        self.close_connection = length is not None

    def head(self, status: int, **headers: str) -> None:
        """Status and headers."""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what counts is what the agent says."""


def slow(handler: Handler, _ask: Body) -> None:
    """One byte every moment, for ever."""
    handler.head(200, **{"Content-Length": "1000000"})
    while True:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def huge(handler: Handler, ask: Body) -> None:
    """A true answer behind more bytes than any agent should read."""
    raw = b" " * HUGE_BYTES + json.dumps(handler.cheat.answer(ask)).encode()
    handler.head(200, **{"Content-Length": str(len(raw))})
    handler.wfile.write(raw)


def redirect(handler: Handler, ask: Body) -> None:
    """Sends the question on to somebody else's model."""
    handler.reply(handler.cheat.answer(ask), status=307, Location=f"{handler.cheat.honest}/v1/ask")


def says_more(handler: Handler, ask: Body) -> None:
    """A Content-Length above the body's."""
    body = handler.cheat.answer(ask)
    handler.reply(body, length=len(json.dumps(body)) + 100)


def says_less(handler: Handler, ask: Body) -> None:
    """A Content-Length below the body's."""
    body = handler.cheat.answer(ask)
    handler.reply(body, length=len(json.dumps(body)) - 100)


def wrong_signature(handler: Handler, ask: Body) -> None:
    """Signed by a key that is not the version's operator."""
    handler.reply(Cheat(handler.cheat.chain, LocalSigner(b"\x07" * 32), "").answer(ask))


def no_signature(handler: Handler, ask: Body) -> None:
    """Not signed at all."""
    handler.reply({key: value for key, value in handler.cheat.answer(ask).items() if key != "signature"})


def other_round(handler: Handler, ask: Body) -> None:
    """Well signed, for another round."""
    handler.reply(handler.cheat.answer(ask, round="0x" + "11" * 32))


def other_position(handler: Handler, ask: Body) -> None:
    """Well signed, for the next position."""
    handler.reply(handler.cheat.answer(ask, position=ask["position"] + 1))


def relabelled(handler: Handler, ask: Body) -> None:
    """Signed for another round, and said to be for this one."""
    handler.reply(handler.cheat.answer(ask, round="0x" + "11" * 32) | {"round": ask["round"]})


ALL = (slow, huge, redirect, says_more, says_less, wrong_signature, no_signature, other_round, other_position, relabelled)
WAYS: Mapping[str, Callable[[Handler, Body], None]] = {way.__name__: way for way in ALL}


def main() -> None:
    """Serves all ways until it is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--honest", required=True, help="address of somebody else's gateway")
    home, password = Path(os.environ["ASSAY_HOME"]), keys.read_password(Path(os.environ["ASSAY_PASSWORD_FILE"]))
    chain = Chain.connect(os.environ["ASSAY_RPC"], deployments.load(Path(os.environ["ASSAY_DEPLOYMENT"])))
    signer = keys.open_key(home / "keys", "operator", password)
    Handler.cheat = Cheat(chain, signer, parser.parse_args().honest)
    Handler.versions = commit(chain, signer, Catalogue(Database(home / "gateway.sqlite")))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ways = {way: {"url": f"http://127.0.0.1:{server.server_port}/{way}", "version": Handler.versions[way]} for way in WAYS}
    sys.stdout.write(json.dumps(ways) + "\n")
    sys.stdout.flush()
    server.serve_forever()


def commit(chain: Chain, signer: LocalSigner, catalogue: Catalogue) -> dict[str, str]:
    """A version for each way."""
    registrar, model = Registrar(chain, Door(chain, signer), catalogue), named(catalogue, MODEL)
    return {way: "0x" + registrar.commit(model, way, keccak(way.encode()), signer.address).hex() for way in WAYS}


if __name__ == "__main__":
    main()
