"""A benchmarker's daemon brings rounds to their end by itself; the story only moves the clock, and kills."""

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stage import Person, Server

from flow.world import QUESTIONS, Candidate, World, failed, program

ECHO = "import sys, time\ntime.sleep(0.5)\nsys.stdout.write(sys.stdin.read())\n"
WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def slow(world: World) -> Candidate:
    """A candidate that thinks for half a second about each question."""
    return world.candidate("slow", *program(world.root / "slow.py", ECHO, per_text=True))


def plan(world: World, examiner: Person, *candidates: Candidate, title: str) -> Path:
    """Imports a set and writes the daemon's settings; nothing is sealed."""
    file = examiner.home / f"{title}.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([("prompt", "reference", "group", "kind"), *QUESTIONS])
    examiner.assay("bench", "import", file, "--set", title)
    gateways = ", ".join(f'"{candidate.url}"' for candidate in candidates)
    settings = examiner.home / f"{title}.toml"
    settings.write_text(
        "schema = 1\npoll_seconds = 1\nbackoff_seconds = 1\nlongest_backoff_seconds = 2\n"
        f'[[round]]\nset = "{title}"\ntask = "{world.task(examiner)}"\ngateways = [{gateways}]\nconcurrency = 1\n'
    )
    return settings


def until(what: Callable[[], Any], server: Server) -> Any:
    """What it gives once that is true; the daemon's log where it never is."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, server.log.read_text()[-3000:]
        time.sleep(0.2)
    return found


def state(examiner: Person, title: str) -> dict[str, Any]:
    """What `bench status` says of a round."""
    rows = examiner.json("bench", "status")["rounds"]
    return dict(next((row for row in rows if row["set"] == title), {"phase": "none", "step": "", "round": ""}))


def received(examiner: Person, round_: str) -> int:
    return sum(row["received"] for row in examiner.json("bench", "show", round_)["versions"])


def test_daemon__killed_while_it_asks__the_next_one_brings_the_round_to_a_sound_end(
    world: World, examiner: Person, parrot: Candidate, slow: Candidate
) -> None:
    settings = plan(world, examiner, parrot, slow, title="news")
    (foreseen,) = examiner.json("bench", "run", "--settings", settings, "--dry-run")["rounds"]
    assert (foreseen["phase"], foreseen["step"], foreseen["round"]) == ("unknown", "seal", None)
    price = examiner.json("bench", "cost", "news", "--task", foreseen["task"], "--versions", "2")
    assert (price["items"], price["groups"], price["round_bond"]) == (6, 3, str(2 * 10**18))
    assert examiner.json("doctor", "--settings", settings)["failed"] == 0
    examiner.password_file.chmod(0o644)
    assert examiner.json("doctor", "--settings", settings, codes=(1,))["failed"] == 1
    examiner.password_file.chmod(0o600)

    first = examiner.serve("bench", "run", "--settings", settings)
    round_ = until(lambda: state(examiner, "news")["round"], first)
    until(lambda: received(examiner, round_) > 1, first)
    first.kill()
    first.process.wait(10)
    assert 1 < received(examiner, round_) < 14

    second = examiner.serve("bench", "run", "--settings", settings)
    assert "another process" in failed(examiner.assay("--json", "bench", "run", "--settings", settings, codes=(1,)))
    assert "another process" in failed(examiner.assay("--json", "bench", "ask", round_, codes=(1,)))
    until(lambda: state(examiner, "news")["step"] == "score", second)
    assert received(examiner, round_) == 14
    waiting = state(examiner, "news")
    assert waiting["bond"] == str(2 * 10**18)
    assert waiting["seconds_left"] > 600

    world.pass_deadline(examiner, round_, "answer_by")
    until(lambda: state(examiner, "news")["phase"] == "challenging", second)
    assert world.reader.json("verify", round_, "--store", examiner.home / "store")["exit_code"] == 0
    assert {row["standing"] for row in examiner.json("bench", "show", round_)["versions"]} == {"scored"}

    world.pass_deadline(examiner, round_, "versions_released_at")
    assert second.process.wait(WAIT_SECONDS) == 0
    assert int(examiner.json("bench", "balance")["locked"]) == 0
    assert state(examiner, "news")["step"] == ""
    assert "password" not in second.log.read_text()


def test_daemon__one_round_cannot_go_on__stops_and_the_other_is_finished(
    world: World, examiner: Person, parrot: Candidate
) -> None:
    settings = plan(world, examiner, parrot, title="sport")
    with settings.open("a") as out:
        out.write(f'[[round]]\nset = "nowhere"\ntask = "0x{"00" * 32}"\n')
    server = examiner.serve("bench", "run", "--settings", settings)
    until(lambda: state(examiner, "sport")["step"] == "score", server)
    assert server.process.poll() is None
    assert server.stop() == 0


def test_daemon__sigterm_while_it_asks__ends_with_0_and_nothing_is_lost(world: World, examiner: Person, slow: Candidate) -> None:
    settings = plan(world, examiner, slow, title="arts")
    server = examiner.serve("bench", "run", "--settings", settings)
    round_ = until(lambda: state(examiner, "arts")["round"], server)
    until(lambda: received(examiner, round_) > 0, server)
    assert server.stop() == 0
    shown = examiner.json("bench", "show", round_)
    assert 0 < shown["versions"][0]["received"] < 7
    assert shown["unacknowledged"] == 0
