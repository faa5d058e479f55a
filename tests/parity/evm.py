"""The metric contracts in a real EVM, many items to a call: Anvil, `eth_call` and the harness `BatchMeasure`."""

import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector as selector

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "node_modules/@foundry-rs"
BUILD = ROOT / ".build/metrics"
GAS = 1 << 40
HARNESS, BLEU, EXACT_MATCH = (f"0x{0xA55A0000 + number:040x}" for number in range(3))
CONTRACTS = {HARNESS: "BatchMeasure", BLEU: "Bleu", EXACT_MATCH: "ExactMatch"}

Pair = tuple[bytes, bytes]


def build() -> None:
    """Compiles the metrics and the harness, and nothing else."""
    settings = {
        "SRC": "contracts/metrics",
        "TEST": "tests/forge/metrics",
        "OUT": str(BUILD / "out"),
        "CACHE_PATH": str(BUILD / "cache"),
    }
    environment = os.environ | {f"FOUNDRY_{name}": value for name, value in settings.items()}
    forge = TOOLS / "forge-linux-amd64/bin/forge"
    subprocess.run([forge, "build", "--quiet"], cwd=ROOT, env=environment, check=True)


class Evm:
    """One Anvil with the contracts in it, and a connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        for address, name in CONTRACTS.items():
            artifact = json.loads((BUILD / f"out/{name}.sol/{name}.json").read_text())
            self._request("anvil_setCode", [address, artifact["deployedBytecode"]["object"]])

    def close(self) -> None:
        """Ends the connection, not the chain."""
        self._connection.close()

    def measure(self, metric: str, pairs: Sequence[Pair], seed: int) -> list[int]:
        """The word of each (response, reference)."""
        words: list[int] = []
        for batch in _batches(pairs):
            responses, references = zip(*batch, strict=True)
            types = ["address", "bytes[]", "bytes[]", "uint256"]
            words += self._harness("measure", types, [metric, responses, references, seed], "uint256[]")
        return words

    def score(self, metric: str, words: Sequence[int]) -> list[int]:
        """The score of each word of totals."""
        return list(self._harness("score", ["address", "uint256[]"], [metric, words], "uint256[]"))

    def tokens(self, texts: Sequence[bytes]) -> list[bytes]:
        """One digest of the tokens of each text."""
        digests: list[bytes] = []
        for start in range(0, len(texts), 1000):
            digests += self._harness("tokens", ["bytes[]"], [texts[start : start + 1000]], "bytes32[]")
        return digests

    def gas(self, metric: str, pair: Pair, seed: int = 1) -> int:
        """Gas of one call of `measure`."""
        return int(self._harness("gasOf", ["address", "bytes", "bytes", "uint256"], [metric, *pair, seed], "uint256"))

    def gas_of_score(self, metric: str, word: int) -> int:
        """Gas of one call of `score`."""
        return int(self._harness("gasOfScore", ["address", "uint256"], [metric, word], "uint256"))

    def call(self, address: str, name: str, result: str) -> Any:
        """A view without arguments."""
        return self._call(address, selector(f"{name}()"), result)

    def _harness(self, name: str, types: list[str], values: list[Any], result: str) -> Any:
        return self._call(HARNESS, selector(f"{name}({','.join(types)})") + encode(types, values), result)

    def _call(self, address: str, data: bytes, result: str) -> Any:
        answer = self._request("eth_call", [{"to": address, "data": "0x" + data.hex(), "gas": hex(GAS)}, "latest"])
        return decode([result], bytes.fromhex(answer[2:]))[0]

    def _request(self, method: str, params: list[Any]) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self._connection.getresponse().read())
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


def _batches(pairs: Sequence[Pair], items: int = 250, size: int = 100_000) -> Iterator[list[Pair]]:
    batch: list[Pair] = []
    weight = 0
    for pair in pairs:
        batch.append(pair)
        weight += len(pair[0]) + len(pair[1])
        if len(batch) == items or weight >= size:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


@contextmanager
def anvil() -> Iterator[Evm]:
    """An Anvil of one's own on a free port, with the contracts as the working tree has them."""
    build()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--silent", "--hardfork", "cancun", "--gas-limit", str(GAS), "--no-request-size-limit"]
    with subprocess.Popen([TOOLS / "anvil-linux-amd64/bin/anvil", *options]) as process:
        try:
            _wait(port, process)
            with closing(Evm(port)) as evm:
                yield evm
        finally:
            process.terminate()


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(500):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError(f"Anvil ended with {process.returncode}")
        time.sleep(0.02)
    raise RuntimeError("Anvil did not open its port within ten seconds")
