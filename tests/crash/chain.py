"""The development chain of a case: an Anvil of its own, whose clock and pulse the case holds; it can be killed and revived."""

import contextlib
import json
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from assay.chain.devnet import find_anvil
from assay.chain.node import Node
from assay.errors import AssayError

PULSE_SECONDS = 0.2
START_SECONDS = 30.0
SAVED = "chain.saved"
PORTS = (20_000, 32_000)


def open_port() -> int:
    """A free port that no outgoing connection will take meanwhile: a process that was killed needs its own again."""
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Pulse(threading.Thread):
    """Mines a block now and then, unless mining was stopped."""

    def __init__(self, rpc: str) -> None:
        super().__init__(daemon=True)
        self._rpc, self.ended = rpc, threading.Event()

    def run(self) -> None:
        with Node(self._rpc) as node:
            while not self.ended.wait(PULSE_SECONDS):
                with contextlib.suppress(AssayError):
                    if node.request("anvil_getAutomine"):
                        node.request("evm_mine")


class Anvil:
    """A running Anvil on a copy of the prepared state.

    `steady`: blocks come each second as on the devnet, and the state is written each second, so that it can be killed; otherwise
    a pulse mines faster, and nothing is kept.
    """

    def __init__(self, state: Path, *, steady: bool) -> None:
        self.state, self.steady = state, steady
        self.port = open_port()
        self.rpc = f"http://127.0.0.1:{self.port}"
        self.node = Node(self.rpc)
        self._start()
        self._pulse = None if steady else Pulse(self.rpc)
        if self._pulse:
            self._pulse.start()

    def close(self) -> None:
        """End it."""
        if self._pulse:
            self._pulse.ended.set()
            self._pulse.join(10)
        self.node.close()
        self._process.kill()
        self._process.wait(30)

    def kill(self) -> None:
        """SIGKILL, as a power cut: what was not written yet is lost."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(30)
        if _whole(self.state):
            shutil.copyfile(self.state, self.state.with_name(SAVED))
        else:  # it died while it wrote
            shutil.copyfile(self.state.with_name(SAVED), self.state)

    def revive(self) -> None:
        """Start it again from what was kept, its clock past its last block: Anvil forgets how far it had been moved."""
        self._start()
        newest = self.node.head().timestamp
        if newest >= time.time():
            self.node.request("anvil_setTime", [newest + 1])

    def save(self) -> None:
        """Keep a copy of the state, if it is whole: the one to go back to if a kill hits the writing of it."""
        saved = self.state.with_name(SAVED)
        copied = saved.with_suffix(".new")
        shutil.copyfile(self.state, copied)
        if _whole(copied):
            copied.replace(saved)

    def move_to(self, timestamp: int) -> None:
        """Move the clock, which goes on from there, and mine until a block from then is final."""
        ahead = timestamp - self.node.head().timestamp
        if ahead > 0:
            self.node.request("evm_increaseTime", [ahead])
        while self.node.finalized().timestamp < timestamp:
            self.node.request("evm_mine")

    def mining(self) -> bool:
        """Whether it mines; a case may have stopped it (see `points.End`)."""
        return self.steady or bool(self.node.request("anvil_getAutomine"))

    def forget(self, senders: Iterable[str]) -> None:
        """Lose what waits to be mined of these senders, as a node may that is short of memory or was started again."""
        for sender in senders:
            self.node.request("anvil_removePoolTransactions", [sender])

    def mine_again(self) -> None:
        """Go on mining."""
        self.node.request("evm_setAutomine", [True])
        self.node.request("evm_mine")

    def _start(self) -> None:
        words = [str(find_anvil()), "--host", "127.0.0.1", "--port", str(self.port), "--chain-id", "31337", "--accounts", "0"]
        words += ["--slots-in-an-epoch", "1"]
        if self.steady:
            words += ["--block-time", "1", "--mixed-mining", "--state", str(self.state), "--state-interval", "1"]
        else:
            words += ["--load-state", str(self.state)]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.node.chain_id()
                return
            except AssayError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.03)


def _whole(state: Path) -> bool:
    try:
        json.loads(state.read_bytes())
    except (ValueError, OSError):
        return False
    return True
