"""A second EVM: geth, driven as a consensus client drives it, through the Engine API.

Blocks come one after the other, at least a second apart in their own time, and each makes its parent final, so waiting for
finality takes little; `jump` moves that time. ASSAY_GETH names the program.
"""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from assay.types import Address

CHAIN_ID = 1337  # any but the development chain's, so that all bounds on tasks hold
START_SECONDS = 60
PAUSE_SECONDS = 0.25
BUILD_SECONDS = 0.1
ZERO = "0x" + "00" * 32
FORKS = ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul", "berlin", "london")


@dataclass(frozen=True)
class Ports:
    """What a client listens on."""

    rpc: int
    engine: int
    peers: int


@dataclass(frozen=True)
class Head:
    """The newest block: its hash, its parent's, its time."""

    hash: str
    parent: str
    timestamp: int

    @property
    def choice(self) -> dict[str, str]:
        """What a consensus client says of the chain: this is its head, and the parent is final."""
        return {"headBlockHash": self.hash, "safeBlockHash": self.parent, "finalizedBlockHash": self.parent}


class EngineError(Exception):
    """The client refused what a consensus client asks of it."""


def genesis(rich: Address) -> dict[str, Any]:
    """The first block of a chain under the Cancun rules; one account has a million ether."""
    forks = {f"{name}Block": 0 for name in FORKS}
    config = forks | {
        "chainId": CHAIN_ID,
        "mergeNetsplitBlock": 0,
        "terminalTotalDifficulty": 0,
        "terminalTotalDifficultyPassed": True,
        "shanghaiTime": 0,
        "cancunTime": 0,
        "blobSchedule": {"cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3_338_477}},
    }
    return {
        "config": config,
        "nonce": "0x0",
        "timestamp": hex(int(time.time()) - 3_600),
        "extraData": "0x",
        "gasLimit": hex(30_000_000),
        "difficulty": "0x0",
        "mixHash": ZERO,
        "coinbase": "0x" + "00" * 20,
        "number": "0x0",
        "gasUsed": "0x0",
        "parentHash": ZERO,
        "baseFeePerGas": hex(10**9),
        "excessBlobGas": "0x0",
        "blobGasUsed": "0x0",
        "alloc": {rich: {"balance": hex(10**24)}},
    }


def commands(geth: str, folder: Path, ports: Ports) -> tuple[Sequence[str], Sequence[str]]:
    """What prepares the client's folder, and what runs it."""
    data = f"--datadir={folder / 'data'}"
    api = ("--http", f"--http.port={ports.rpc}", "--http.api=eth,net,web3", "--rpc.allow-unprotected-txs", "--ipcdisable")
    engine = (f"--authrpc.port={ports.engine}", f"--authrpc.jwtsecret={folder / 'secret'}")
    alone = ("--nodiscover", "--maxpeers=0", f"--port={ports.peers}", f"--networkid={CHAIN_ID}")
    whole = ("--syncmode=full", "--gcmode=archive", "--miner.recommit=100ms")
    return (geth, "init", data, str(folder / "genesis.json")), (geth, data, *api, *engine, *alone, *whole)


class Client:
    """A running client and the thread that makes its blocks. Use as a context manager."""

    def __init__(self, folder: Path, ports: Ports, rich: Address) -> None:
        """Starts it. EngineError where it does not come up."""
        folder.mkdir()
        (folder / "genesis.json").write_text(json.dumps(genesis(rich)))
        (folder / "secret").write_text(os.urandom(32).hex())
        self.log, self._secret = folder / "log", bytes.fromhex((folder / "secret").read_text())
        self._http = httpx.Client(timeout=30)
        self._rpc, self._engine = f"http://127.0.0.1:{ports.rpc}", f"http://127.0.0.1:{ports.engine}"
        prepare, run = commands(os.environ["ASSAY_GETH"], folder, ports)
        with self.log.open("w") as out:
            subprocess.run(prepare, stdout=out, stderr=out, check=True)
            self._process = subprocess.Popen(run, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="blocks")
        self._head: Head | None = None
        self.failed: BaseException | None = None

    def __enter__(self) -> "Client":
        self._wait()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._process.kill()  # its data is worth nothing
        self._process.wait()
        self._http.close()

    def jump(self, timestamp: int) -> None:
        """Makes a block of this time or later, and the one that makes it final."""
        with self._lock:
            self._make(timestamp)
            self._make()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._ask(self._rpc, "eth_chainId")
                self._ask(self._engine, "eth_chainId")
                return
            except httpx.TransportError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__()
                    raise EngineError(f"the client did not start:\n{self.log.read_text()[-2000:]}") from None
                time.sleep(0.05)

    def _work(self) -> None:
        while not self._stopping.wait(PAUSE_SECONDS):
            try:
                with self._lock:
                    self._make()
            except (EngineError, httpx.TransportError) as error:
                self.failed = error
                return

    def _make(self, timestamp: int = 0) -> None:
        """One block: ask for a payload on the head, take it, say that it is the head, and that its parent is final."""
        if self._head is None:
            first = self._ask(self._rpc, "eth_getBlockByNumber", "latest", False)
            self._head = Head(first["hash"], first["parentHash"], int(first["timestamp"], 16))
        asked = {
            "timestamp": hex(max(self._head.timestamp + 1, timestamp)),
            "prevRandao": ZERO,
            "suggestedFeeRecipient": "0x" + "00" * 20,
            "withdrawals": [],
            "parentBeaconBlockRoot": ZERO,
        }
        found = self._ask(self._engine, "engine_forkchoiceUpdatedV3", self._head.choice, asked)
        if not found["payloadId"]:
            raise EngineError(f"no payload: {found}")
        time.sleep(BUILD_SECONDS)  # there is an empty one at once, which is filled meanwhile
        payload = self._ask(self._engine, "engine_getPayloadV3", found["payloadId"])["executionPayload"]
        if (said := self._ask(self._engine, "engine_newPayloadV3", payload, [], ZERO))["status"] != "VALID":
            raise EngineError(f"its own payload is {said}")
        self._head = Head(payload["blockHash"], self._head.hash, int(payload["timestamp"], 16))
        said = self._ask(self._engine, "engine_forkchoiceUpdatedV3", self._head.choice, None)["payloadStatus"]
        if said["status"] != "VALID":
            raise EngineError(f"its own head is {said}")

    def _ask(self, url: str, method: str, *params: object) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._http.post(url, json=body, headers={"Authorization": f"Bearer {self._token()}"}).json()
        if answer.get("error"):
            raise EngineError(f"{method}: {answer['error']}")
        return answer["result"]

    def _token(self) -> str:
        """The JSON web token by which a client knows its consensus client."""
        head, body = (_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, {"iat": int(time.time())}))
        signed = hmac.new(self._secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
        return f"{head}.{body}.{_base64(signed)}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
