"""A development chain: Anvil on the loopback interface with every contract deployed. Its money and its keys are worth nothing."""

import os
import secrets
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from assay.chain.deploy import deploy
from assay.chain.deployments import Deployment
from assay.chain.node import Node
from assay.encoding.receipts import LocalSigner
from assay.errors import BadInput, Refused, Unreachable
from assay.types import Address
from assay.units import ETHER

CHAIN_ID = 31337
HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
NPM_ANVIL = Path("node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil")


def find_anvil() -> Path:
    """The anvil binary: ASSAY_ANVIL, on PATH, or in ./node_modules. BadInput where there is none."""
    named = os.environ.get("ASSAY_ANVIL")
    # npm's node_modules/.bin/anvil is a wrapper that leaves the real one running when it is killed, so the binary comes first
    for candidate in (named, NPM_ANVIL if NPM_ANVIL.is_file() else None, shutil.which("anvil")):
        if candidate and Path(candidate).is_file():
            return Path(candidate).resolve()
    raise BadInput("anvil is not here", "npm ci in the repository, or set ASSAY_ANVIL to its path", where="anvil")


@dataclass(frozen=True, slots=True)
class Options:
    """How the chain runs. Port 0 takes a free one, `state` keeps the chain in a file, 0 seconds of `block_time` automine."""

    port: int = 0
    state: Path | None = None
    block_time: int = 1


class Devnet:
    """A running Anvil with all contracts. Use as a context manager, or call `stop`."""

    def __init__(self, options: Options | None = None) -> None:
        """Start it, wait until it answers and deploy. Unreachable where it does not start."""
        options = options or Options()
        self._process = subprocess.Popen(_command(options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            self.rpc = f"http://{HOST}:{self._port()}"
            self.node = Node(self.rpc)
            _mend_time(self.node)
            self.deployment: Deployment = _deploy(self.node)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def wait(self) -> int:
        """Wait until Anvil ends by itself; its exit code."""
        return self._process.wait()

    def stop(self) -> None:
        """End it; Anvil writes its state, if it keeps one."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if hasattr(self, "node"):  # not where Anvil did not start
            self.node.close()

    def _port(self) -> int:
        """The port that Anvil says it listens on; what it says after that is thrown away."""
        output = self._process.stdout
        if output is None:
            raise AssertionError("its output is a pipe")
        said: list[str] = []
        watchdog = threading.Timer(START_SECONDS, self._process.kill)
        watchdog.start()
        try:
            for line in output:
                said.append(line.strip())
                if line.startswith("Listening on "):
                    threading.Thread(target=_drain, args=(output,), daemon=True).start()
                    return int(line.rsplit(":", 1)[1])
        finally:
            watchdog.cancel()
        output.close()
        reason = next((line for line in reversed(said) if line), "it said nothing")
        raise Unreachable(f"anvil did not start: {reason:.300}", "is the port taken? Choose another: --port")


def _drain(output: IO[str]) -> None:
    with output:
        for _ in output:
            pass


def fund(node: Node, address: Address, wei: int) -> int:
    """Give an account money out of nothing; its new balance. Refused on any other chain."""
    if node.chain_id() != CHAIN_ID:
        raise Refused(f"{node.name} is no development chain", "only chain 31337 gives money away")
    balance = node.balance(address) + wei
    node.request("anvil_setBalance", [address, hex(balance)])
    return balance


def _command(options: Options) -> list[str]:
    command = [str(find_anvil()), "--host", HOST, "--port", str(options.port), "--chain-id", str(CHAIN_ID)]
    command += ["--accounts", "0", "--slots-in-an-epoch", "1"]
    if options.block_time:
        command += ["--block-time", str(options.block_time), "--mixed-mining"]
    if options.state is not None:
        command += ["--state", str(options.state), "--state-interval", "5"]
    return command


def _mend_time(node: Node) -> None:
    """Go on after the last block: Anvil forgets at a restart how far its clock had been moved."""
    newest = node.head().timestamp
    if newest >= time.time():
        node.request("anvil_setTime", [newest + 1])


def _deploy(node: Node) -> Deployment:
    """Deploy with a key made for this moment."""
    payer = LocalSigner(secrets.token_bytes(32))
    fund(node, payer.address, 1_000 * ETHER)
    return deploy(node, payer)
