"""A small world of processes: a devnet, people with homes of their own, servers. The demo and the story tests play on it.

Nothing here reaches into the package: everything is done by `assay` commands, as a user would paste them.
"""

import hashlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

ASSAY = Path(sys.executable).with_name("assay")
READY_SECONDS = 60
COMMAND_SECONDS = 300
STATE, NEXT = "chain.state", "next.json"


class CommandFailed(Exception):
    """A command ended with another exit code than the story allows."""


class Following(NamedTuple):
    """A command to go on with, and what it is good for."""

    words: Sequence[str]
    why: str


@dataclass(frozen=True)
class Ran:
    """What a finished command left behind."""

    line: str
    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def free_port() -> int:
    """A port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Server:
    """A process that runs until it is stopped; its first line of output says that it is ready."""

    process: subprocess.Popen[str]
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)

    def wait_ready(self) -> "Server":
        """Reads the JSON line that says it is ready."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line.strip():
            self.stop()
            raise CommandFailed(f"{self.process.args} did not start:\n{self.log.read_text()[-2000:]}")
        self.ready = json.loads(line)
        return self

    def kill(self) -> None:
        """SIGKILL to the process and all its children."""
        self._signal(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM, then SIGKILL if it does not end in time; the exit code."""
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
        if self.process.stdout:
            self.process.stdout.close()
        return self.process.wait(15)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return


class Person:
    """Somebody with a home folder and a password, who types commands."""

    def __init__(self, stage: "Stage", name: str) -> None:
        self.stage, self.name = stage, name
        self.home = stage.root / name
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.password_file = self.home / "password"
        if not self.password_file.exists():
            self.password_file.touch(mode=0o600)
            self.password_file.write_text(f"password of {name}\n")

    @property
    def env(self) -> dict[str, str]:
        """Environment of this person's commands."""
        return {
            **os.environ,
            "COLUMNS": "140",
            "ASSAY_RPC": self.stage.rpc,
            "ASSAY_DEPLOYMENT": str(self.stage.deployment),
            "ASSAY_HOME": str(self.home),
            "ASSAY_PASSWORD_FILE": str(self.password_file),
        }

    def assay(self, *words: str | Path, codes: tuple[int, ...] = (0,), timeout: float = COMMAND_SECONDS) -> Ran:
        """Runs one `assay` command to its end. CommandFailed for an exit code that is not in `codes`."""
        return self.run(str(ASSAY), *words, codes=codes, timeout=timeout)

    def json(self, *words: str | Path, codes: tuple[int, ...] = (0,)) -> Any:
        """Runs one `assay --json` command and reads its output."""
        return self.assay("--json", *words, codes=codes).json

    def run(self, *words: str | Path, codes: tuple[int, ...] = (0,), timeout: float = COMMAND_SECONDS) -> Ran:
        """Runs any command in this person's environment."""
        line = shlex.join(map(str, words)).replace(str(ASSAY), "assay")
        self.stage.say(self, line)
        began = time.monotonic()
        done = subprocess.run(
            [str(word) for word in words],
            check=False,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        ran = Ran(line, done.returncode, done.stdout, done.stderr, time.monotonic() - began)
        if done.returncode not in codes:
            raise CommandFailed(f"{self.name}$ {line}\nexit code {ran.code}, expected {codes}\n{ran.out}\n{ran.err}")
        return ran

    def serve(self, *words: str | Path) -> Server:
        """Starts an `assay --json` command that runs until it is stopped."""
        return self.stage.start(self, str(ASSAY), "--json", *words)

    def address(self, key: str) -> str:
        """Address of one of this person's keys."""
        return str(self.json("keys", "address", key)["address"])

    def leave_command(self) -> None:
        """Writes `assay` into the home: a command of this person's own, on the chain that `../env` names."""
        file = self.home / "assay"
        file.touch(mode=0o700)
        file.write_text(
            f"#!/bin/sh\n# {self.name}'s assay\n"
            'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)\n'
            '. "$here/../env"\n'
            f'ASSAY_HOME=$here ASSAY_PASSWORD_FILE=$here/password exec {shlex.quote(str(ASSAY))} "$@"\n'
        )

    def settle_in(self, role: str, ether: str = "10") -> None:
        """Makes keys for a role ("bench" or "provider"), with money on both, a deposit and an allowance of half of it."""
        made = self.json(role, "init", "--light")
        self.stage.fund(self, [made["owner"], made["operator"]], 2 * int(ether))
        self.assay(role, "deposit", f"{ether} ether")
        self.assay(role, "allow", "operator", f"{int(ether) // 2} ether")

    def commit(self, model: str, label: str = "first") -> str:
        """Registers a model and commits a version of it; the version's id."""
        self.assay("provider", "register", model)
        digest = hashlib.sha256(model.encode()).hexdigest()
        committed = self.json("provider", "commit-version", model, "--label", label, "--artifact-digest", digest)
        return str(committed["version"])

    def serve_model(self, version: str, *upstream: str | Path, port: int = 0) -> Server:
        """Starts the gateway of a version; its address is `ready["url"]`."""
        return self.serve("provider", "serve", "--version", version, *upstream, "--port", str(port))


class Stage:
    """The world: one devnet and everybody on it. Use as a context manager; leaving it stops every server."""

    def __init__(self, root: Path, tell: Callable[[Person, str], None] | None = None, *, keep: bool = False) -> None:
        self.root, self.keep = root, keep
        self.root.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.rpc = f"http://127.0.0.1:{self.port}"
        self.deployment = root / "deployment.json"
        self.tell = tell
        self.servers: list[Server] = []

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        for server in reversed(self.servers):
            server.stop()

    def open_devnet(self) -> Server:
        """Starts the development chain, which keeps its state in this folder where the stage says so."""
        keep = ("--state", str(self.root / STATE)) if self.keep else ()
        return self.start(Person(self, "chain"), str(ASSAY), "--json", "devnet", "--port", str(self.port), *keep)

    def fund(self, person: Person, addresses: Sequence[str], ether: int) -> None:
        """Gives somebody's addresses money out of nothing."""
        person.assay("devnet", "fund", *addresses, "--ether", str(ether))

    def leave(self, people: Iterable[Person], following: Sequence[Following]) -> None:
        """Leaves behind what `assay demo resume` goes on with: a command for each person, and what to do next.

        DEMO in a word stands for the folder.
        """
        for person in people:
            person.leave_command()
        lines = [entry._asdict() for entry in following]
        (self.root / NEXT).write_text(json.dumps(lines, indent=1) + "\n", "utf-8")

    def say(self, person: Person, line: str) -> None:
        """Shows a command to whoever looks on."""
        if self.tell:
            self.tell(person, line)

    def start(self, person: Person, *words: str | Path) -> Server:
        """Starts a server in a process group of its own and waits until it says that it is ready."""
        self.say(person, shlex.join(map(str, words)).replace(str(ASSAY), "assay"))
        log = person.home / f"server-{len(self.servers)}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [str(word) for word in words],
                env=person.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        server = Server(process, log)
        self.servers.append(server)
        return server.wait_ready()
