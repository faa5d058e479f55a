"""Starts `assay` processes without the second that importing takes: a process that has imported the package forks for each.

A child is a process of its own from its first command on: own session, environment, files and memory; only the imported code is
shared. Run as a program it takes one JSON request a line (`Order`) and says one JSON line when a child begins and when it ends.
"""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODULES = (
    "assay.cli.main", "assay.cli.bench", "assay.cli.provider", "assay.cli.verify", "assay.cli.task", "assay.cli.devnet",
    "assay.cli.keys", "assay.agent.cycle", "assay.agent.overview", "assay.agent.prospects", "assay.agent.importer",
    "assay.gateway.run", "assay.gateway.registrar", "assay.audit.verify", "assay.chain.devnet", "assay.chain.taskfile",
    "sacrebleu", "uvicorn", "uvicorn.protocols.http.h11_impl", "uvicorn.loops.asyncio", "fastapi", "httpx", "coincurve",
)  # fmt: skip
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # a process with threads cannot be forked


@dataclass
class Child:
    """A process that the nursery started. `code` is None while it runs, negative where a signal ended it."""

    pid: int = 0
    code: int | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def wait(self, timeout: float) -> int:
        """Its exit code. TimeoutError where it goes on."""
        if not self.ended.wait(timeout) or self.code is None:
            raise TimeoutError(f"process {self.pid} still runs")
        return self.code

    def kill(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.code is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return


class Nursery:
    """The other side of the program below. Use as a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | dict.fromkeys(THREADS, "1"),
        )
        self._children: dict[int, Child] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(30)

    def start(
        self,
        words: Sequence[str | Path],
        env: Mapping[str, str],
        out: Path,
        err: Path,
        *,
        trace: Path | None = None,
        end: Sequence[Any] | None = None,
    ) -> Child:
        """Fork a child that runs `assay WORDS`; its output is appended to the two files."""
        child = Child()
        order = {
            "words": [str(word) for word in words], "env": dict(env), "out": str(out), "err": str(err),
            "trace": str(trace) if trace else None, "end": end,
        }  # fmt: skip
        with self._lock:
            number = len(self._children)
            self._children[number] = child
            assert self._process.stdin
            self._process.stdin.write(json.dumps({"id": number} | order) + "\n")
            self._process.stdin.flush()
        if not child.begun.wait(60):
            raise TimeoutError("the nursery does not answer")
        return child

    def run(
        self, words: Sequence[str | Path], env: Mapping[str, str], scratch: Path, timeout: float = 120.0
    ) -> tuple[int, str, str]:
        """Run a command to its end: exit code, output, errors."""
        stem = scratch / f"run-{time.monotonic_ns()}"
        out, err = stem.with_suffix(".out"), stem.with_suffix(".err")
        code = self.start(words, env, out, err).wait(timeout)
        told = out.read_text(), err.read_text()
        out.unlink()
        err.unlink()
        return code, *told

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            said = json.loads(line)
            child = self._children[said["id"]]
            if "pid" in said:
                child.pid = said["pid"]
                child.begun.set()
            else:
                child.code = said["code"]
                child.ended.set()


def main() -> None:
    """Fork for every order until there are no more; then end whatever still runs."""
    import gc
    import importlib

    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()
    running: dict[int, int] = {}
    rest, open_ = b"", True
    while open_ or running:
        ready, _, _ = select.select([0] if open_ else [], [], [], 0.01)
        if ready:
            read = os.read(0, 1 << 16)
            open_ = bool(read)
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    _live(order)
                    return
                running[pid] = order["id"]
                _say(id=order["id"], pid=pid)
        if not open_:
            for pid in running:
                os.kill(pid, 9)
        _bury(running)


def _bury(running: dict[int, int]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        _say(id=running.pop(pid), code=os.waitstatus_to_exitcode(status))


def _say(**facts: int) -> None:
    os.write(1, json.dumps(facts).encode() + b"\n")


def _live(order: dict[str, Any]) -> None:
    """Become the command."""
    os.setsid()
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, order["out"], os.O_WRONLY), (2, order["err"], os.O_WRONLY)):
        descriptor = os.open(path, flags | (os.O_CREAT | os.O_APPEND if number else 0), 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = ["assay", *order["words"]]
    if order["trace"]:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        from crash.points import End, watch

        watch(Path(order["trace"]), End(*order["end"]) if order["end"] else None)
    from assay.cli.main import main as assay

    assay()


if __name__ == "__main__":
    main()
