"""given a chain of its own / when `assay watch` runs as a process / it survives kills between steps, and tells what it did."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay import keys
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, Options, fund
from assay.chain.door import Door
from assay.storage.store import Store
from assay.types import Fault, Phase
from unit.audit.faults import wrong_statistic
from unit.audit.test_on_chain import ETHER, LiveExam, Reader
from unit.watch.wire import SECONDS, Wire

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def own() -> Iterator[Devnet]:
    """A chain without other tests' rounds: a watchtower looks at all of them."""
    with Devnet(Options(block_time=0)) as running:
        yield running


@pytest.fixture
def chain(own: Devnet) -> Iterator[Chain]:
    connected = Chain.connect(own.rpc, own.deployment)
    yield connected
    connected.close()


class Post:
    """A home with a key, a password and settings."""

    def __init__(self, own: Devnet, chain: Chain, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.reader, self.chain, self.home, self.own = Reader(own, home, capsys), chain, home, own
        (home / "password").write_text("open sesame\n")
        (home / "password").chmod(0o600)
        self.address = keys.new_key(home / "keys", "operator", "open sesame", light=True)
        fund(chain.node, self.address, 10 * ETHER)
        door = Door(chain, keys.open_key(home / "keys", "operator", "open sesame"))
        door.send(chain.vault.deposit(self.address, ETHER))
        door.send(chain.vault.allow(self.address, ETHER))
        self.settings = home / "watch.toml"
        self.settings.write_text('schema = 1\npoll_seconds = 1\nserve_seconds = 0\nsample = 1\nevidence = "inbox"\n')

    def words(self) -> list[object]:
        return ["--settings", self.settings, "--password-file", self.home / "password"]

    def run_once(self, *more: object) -> list[dict[str, Any]]:
        code, found = self.reader.json("watch", "run", "--once", *self.words(), *more)
        assert code == 0, found
        return found["done"]

    def status(self, *more: object) -> dict[str, Any]:
        code, found = self.reader.json("watch", "status", "--settings", self.settings, *more)
        assert code == 0, found
        return found

    def start(self, rpc: str) -> "subprocess.Popen[str]":
        options = ["--json", "--rpc", rpc, "--deployment", self.home / "deployment.json", "--home", self.home]
        command = [sys.executable, "-c", "from assay.cli.main import main; main()", *options, "watch", "run", *self.words()]
        with (self.home / "log").open("w") as log:
            return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=log, text=True)


@pytest.fixture
def post(own: Devnet, chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Post:
    return Post(own, chain, tmp_path, capsys)


def lying(post: Post, name: str) -> LiveExam:
    exam = LiveExam(post.chain, name)
    wrong_statistic(exam)
    Store(post.home / "store").add(exam.play(post.home / "lie"))
    return exam


@pytest.mark.parametrize(
    ("method", "when", "acts"),
    [
        ("eth_getTransactionCount", "before", ["dropped", "mined"]),
        ("eth_sendRawTransaction", "before", ["mined"]),
        ("eth_sendRawTransaction", "after", ["mined"]),
    ],
)
def test_run__killed_between_two_steps__the_next_one_ends_it_once(post: Post, method: str, when: str, acts: list[str]) -> None:
    exam = lying(post, f"killed {method} {when}")
    sent = post.chain.node.request("eth_getTransactionCount", [post.address, "latest"])
    victim: list[int] = []

    def kill(asked: str) -> None:
        if asked == method and victim:
            os.kill(victim[0], signal.SIGKILL)
            raise ConnectionAbortedError

    with Wire(post.own.rpc, **{when: kill}) as wire, post.start(wire.url) as process:
        victim.append(process.pid)
        assert process.wait(SECONDS) == -signal.SIGKILL
    found = post.status()
    assert [act["state"] for act in found["acts"]] == ["open"]
    assert int(found["spent"]["ever"]) > 0
    post.run_once()
    found = post.status()
    assert [act["state"] for act in found["acts"]] == acts
    assert int(found["spent"]["ever"]) == sum(int(act["fee"]) for act in found["acts"])
    known = post.chain.rounds.round(exam.round)
    assert known is not None
    assert known.fault is Fault.WRONG_STATISTICS
    assert int(post.chain.node.request("eth_getTransactionCount", [post.address, "latest"]), 16) == int(sent, 16) + 1
    assert post.run_once() == []


def test_run__as_a_daemon__says_when_it_watches_and_ends_at_a_signal(post: Post) -> None:
    exam = lying(post, "daemon")
    with post.start(post.own.rpc) as process:
        assert process.stdout is not None
        began = json.loads(process.stdout.readline())
        assert (began["key"], began["dry_run"], began["nodes"]) == (post.address, False, 1)
        for _ in range(SECONDS * 10):
            if post.chain.rounds.phase(exam.round) is Phase.SLASHED:
                break
            threading.Event().wait(0.1)
        code, found = post.reader.json("watch", "run", "--once", *post.words())
        assert (code, found["error"]) == (1, "Refused")
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
    assert post.chain.rounds.phase(exam.round) is Phase.SLASHED
    assert "open sesame" not in (post.home / "log").read_text()
    assert "Traceback" not in (post.home / "log").read_text()


def test_run__dry_run__needs_no_key_and_status_shows_what_was_found(post: Post) -> None:
    exam = lying(post, "dry")
    code, found = post.reader.json("watch", "run", "--once", "--dry-run", "--settings", post.settings, "--key", "nobody")
    assert code == 0
    assert [(each["what"], each["dry"]) for each in found["done"] if each["round"] == "0x" + exam.round.hex()] == [
        ("audit", False),
        ("item", True),
    ]
    shown = post.status("--dry-run")
    (row,) = [row for row in shown["rounds"] if row["round"] == "0x" + exam.round.hex()]
    assert (row["phase"], row["exit_code"], row["served"], row["failed"]) == ("challenging", 1, True, [18, 21])
    assert row["found"][0]["kind"] == "item"
    assert shown["acts"] == []
    assert (int(shown["free_stake"]), shown["allowance"]) == (ETHER, {"limit": str(ETHER), "used": 0})
    code, out, _ = post.reader.run("watch", "status", "--dry-run")
    assert code == 0
    assert row["round"] in out
    post.settings.write_text(post.settings.read_text() + 'public_sets = ["nowhere.txt"]\n')
    assert post.status("--dry-run")["evidence_problems"] == {str(post.home / "nowhere.txt"): "is no file"}
