"""Who plays: a case, and a process in all its lives."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crash.ground import Citizen
from crash.nursery import Child
from crash.points import End, read_trace

READY_SECONDS = 60.0


class Failed(Exception):
    """A case did not come to its end as it should."""


@dataclass(frozen=True)
class Case:
    """Who dies where.

    `mode`: the agent is the daemon, or its step commands. `ends`: one for each life of the victim; `moments`: fractions of an
    undisturbed round's time at which it is killed from outside. `forget`: the node loses what waits when mining was held.
    `withhold`: the agent is away once it has all answers, until the gateways have posted them.
    """

    name: str
    victim: str = ""
    mode: str = "daemon"
    ends: tuple[End, ...] = ()
    moments: tuple[float, ...] = ()
    forget: bool = False
    withhold: bool = False


@dataclass
class Process:
    """One of the processes of a case, in all its lives."""

    who: Citizen
    words: Sequence[str | Path]
    trace: Path
    ends: list[End]
    child: Child | None = None
    deaths: int = 0
    tries: int = 0
    pause: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.child is not None and self.child.code is None

    @property
    def log(self) -> Path:
        """Where its errors go."""
        return self.trace.with_suffix(".err")


def passed(trace: Path, end: End) -> int:
    """How many points of this kind were passed since the last death."""
    count = 0
    for point in read_trace(trace):
        if "died" in point:
            count = 0
        elif end.means(point["kind"], point["what"]):
            count += 1
    return count


def until_ready(process: Process, out: Path, size: int) -> None:
    """A gateway says a line when it serves; one that is told to die may die before."""
    deadline = time.monotonic() + READY_SECONDS
    while out.stat().st_size <= size and process.alive:
        if time.monotonic() > deadline:
            raise Failed(f"{process.words[:2]} does not start: {process.log.read_text()[-1500:]}")
        time.sleep(0.02)


def began_without_a_node(process: Process) -> bool:
    """Whether it ended at its start because the chain was away: a supervisor tries again."""
    lines = process.trace.with_suffix(".out").read_text().splitlines()
    return bool(lines) and json.loads(lines[-1]).get("error") == "Unreachable"
