"""A development chain in the background: started from a folder that holds its state, found again by its pid, stopped by it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from assay.errors import BadInput, Refused, Unreachable

__all__ = ["STATE", "Running", "running", "start", "stop"]

STATE, DEPLOYMENT, PID, LOG = "chain.state", "deployment.json", "devnet.pid", "devnet.log"
START_SECONDS = 60.0
STOP_SECONDS = 20.0
PROGRAM = "from assay.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Running:
    """A chain that runs: its address and the process that holds it."""

    rpc: str
    pid: int


def start(folder: Path, port: int = 0) -> Running:
    """Start the chain of a folder; it goes on after this process. BadInput without a state, Refused if it runs already."""
    if not (folder / STATE).is_file():
        raise BadInput("no chain was kept here", "play it first: make demo", where=str(folder / STATE))
    if (pid := running(folder)) is not None:
        raise Refused(f"this chain runs already, as process {pid}", "use it, or end it: assay demo stop")
    process = _spawn(folder.resolve(), port)
    (folder / PID).write_text(f"{process.pid}\n")
    try:
        return Running(_ready(process, folder / LOG), process.pid)
    except BaseException:
        stop(folder)
        raise


def stop(folder: Path) -> bool:
    """End the chain of a folder, which writes its state; False where none runs. Unreachable if it does not end."""
    pid = running(folder)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        _wait_gone(folder, pid)
    (folder / PID).unlink(missing_ok=True)
    return pid is not None


def running(folder: Path) -> int | None:
    """The process that holds the chain of a folder. A pid that another program has by now is none."""
    try:
        pid = int((folder / PID).read_text())
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if os.fsencode(folder.resolve() / STATE) in words else None


def _spawn(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    words = ["--json", "--deployment", folder / DEPLOYMENT, "devnet", "--port", port, "--state", folder / STATE]
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        said = log.read_text("utf-8", "replace")
        if "\n" in said:
            break
        time.sleep(0.05)
    try:
        record = json.loads(log.read_text("utf-8", "replace").splitlines()[0])
        if "error" in record:
            raise Unreachable(f"the chain did not start: {record['message']}", str(record["remedy"]))
        return str(record["rpc"])
    except (ValueError, KeyError, IndexError):
        raise Unreachable("the chain did not start", f"see {log}") from None


def _wait_gone(folder: Path, pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while running(folder) == pid:
        if time.monotonic() > deadline:
            raise Unreachable(f"the chain does not end: process {pid}", "try again, or kill it")
        time.sleep(0.05)
