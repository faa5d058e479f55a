"""given a Dask cluster of real processes / when a round is audited and a worker is killed meanwhile / the report is the same."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from assay.audit.report import as_record
from assay.audit.verify import verify
from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from assay.cli.common import plain
from assay.cli.workers import executor
from assay.errors import BadInput, Unreachable
from assay.storage import slices
from assay.storage.bundle import Bundle
from unit.audit.exam import Exam, some_items
from unit.audit.faults import wrong_statistic
from unit.audit.test_on_chain import LiveExam, Reader
from unit.audit.test_parts import faults_all_over

pytestmark = [pytest.mark.loopback, pytest.mark.slow]


@contextmanager
def running(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list["subprocess.Popen[bytes]"]]]:
    """A scheduler and two workers, each a process of its own, on this machine."""
    file = tmp_path / "scheduler.json"
    with ExitStack() as stack:
        common = ("--scheduler-file", str(file), "--no-dashboard")
        options = ("--host", "127.0.0.1", "--port", "0")
        stack.enter_context(running("distributed.cli.dask_scheduler", *common, *options))
        _wait(file.exists)
        one_each = (*common, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--local-directory", str(tmp_path))
        workers = [stack.enter_context(running("distributed.cli.dask_worker", *one_each)) for _ in range(2)]
        yield json.loads(file.read_text())["address"], workers


def _wait(ready: Any) -> None:
    until = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.05)


class Assassin(Executor):
    """Kills a process once the first part is done, while others wait or are being checked."""

    def __init__(self, inner: Executor, victim: "subprocess.Popen[bytes]") -> None:
        self._inner, self._victim = inner, victim
        self.unfinished = 0
        self._futures: list[Future[Any]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = self._inner.submit(fn, *args, **kwargs)
        if not self._futures:
            future.add_done_callback(self._strike)
        self._futures.append(future)
        return future

    def _strike(self, _: Future[Any]) -> None:
        self._victim.send_signal(signal.SIGKILL)
        self._victim.wait()
        self.unfinished = sum(not future.done() for future in self._futures)


def test_verify__by_a_cluster_that_loses_a_worker__is_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: tuple[str, list["subprocess.Popen[bytes]"]]
) -> None:
    address, workers = cluster
    monkeypatch.setattr(slices, "POSITIONS", 4)
    exam = Exam(some_items(90))
    faults_all_over(exam)
    folder = exam.write(tmp_path / "bundle")
    facts, bundle = exam.facts(folder), Bundle(folder)
    alone = json.dumps(plain(as_record(verify(facts, bundle))))
    with executor(None, address) as remote:
        assert remote is not None
        _wait(lambda: len(remote._client.scheduler_info()["workers"]) == 2)
        assassin = Assassin(remote, workers[0])
        assert json.dumps(plain(as_record(verify(facts, bundle, executor=assassin)))) == alone
        assert workers[0].returncode == -signal.SIGKILL
        assert assassin.unfinished > 0
        assert json.dumps(plain(as_record(verify(facts, bundle, executor=remote)))) == alone, "the other worker goes on"


@pytest.mark.chain
def test_command__several_rounds_by_a_cluster__are_reported_in_turn_and_end_with_the_worst(
    chain: Chain,
    devnet: Devnet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cluster: tuple[str, list["subprocess.Popen[bytes]"]],
) -> None:
    monkeypatch.setattr(slices, "POSITIONS", 2)
    sound, faulty = LiveExam(chain, "one of several"), LiveExam(chain, "another of several")
    wrong_statistic(faulty)
    folders = [exam.play(tmp_path / exam.name) for exam in (faulty, sound)]
    reader = Reader(devnet, tmp_path, capsys)
    alone = reader.run("--json", "verify", *folders, "--workers", 1)
    assert [json.loads(line)["exit_code"] for line in alone[1].splitlines()] == [1, 0]
    assert alone[0] == 1
    assert reader.run("--json", "verify", *folders, "--workers", 2) == alone
    assert reader.run("--json", "verify", *folders, "--scheduler", cluster[0])[:2] == alone[:2]
    assert reader.run("verify", *folders, "--workers", 2, "--scheduler", cluster[0])[0] == 2


def test_executor__nobody_at_the_address__is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.cli.workers._CONNECT_SECONDS", 0.5)
    with pytest.raises(Unreachable), executor(None, "tcp://127.0.0.1:1"):
        pass


def test_executor__no_address__is_bad_input() -> None:
    with pytest.raises(BadInput), executor(None, "nonsense://?"):
        pass
