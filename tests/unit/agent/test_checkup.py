"""The doctor: what is well is said, what is not has a remedy, and one broken thing hides no other."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.agent import checkup
from assay.agent.checkup import Health, Line
from assay.agent.cycle import Job
from assay.agent.plans import RoundPlan
from assay.chain.client import Chain
from assay.encoding.receipts import Domain
from assay.errors import Unreachable
from assay.types import TaskId
from unit.agent.exam import ETHER, Exam
from unit.agent.fakes import FakeGateway

OK, WARNING, FAILED = Health.OK, Health.WARNING, Health.FAILED


@pytest.fixture
def exam(chain: Chain, tmp_path: Path) -> Iterator[Exam]:
    with Exam(chain, tmp_path) as running:
        running.import_set()
        yield running


def job(exam: Exam, *urls: str) -> Job:
    return Job(RoundPlan("set", exam.task, urls), exam.owner.address)


def seen(lines: Iterator[Line]) -> list[tuple[str, Health]]:
    found = list(lines)
    assert all(line.remedy for line in found if line.health is not OK)
    return [(line.check, line.health) for line in found]


def funds(exam: Exam, *jobs: Job) -> list[tuple[str, Health]]:
    return seen(checkup.funds(exam.chain, exam.agent.journal, jobs, exam.operator.address))


@pytest.mark.chain
def test_funds__of_a_set_to_seal__gas_and_stake(exam: Exam) -> None:
    assert funds(exam, job(exam)) == [("gas", OK), ("stake", OK)]
    assert funds(exam) == [("gas", OK)]
    exam.chain.node.request("anvil_setBalance", [exam.operator.address, hex(1_000)])
    assert funds(exam, job(exam)) == [("gas", FAILED), ("stake", OK)]


@pytest.mark.chain
def test_funds__stake_or_allowance_below_the_bonds__failed(exam: Exam) -> None:
    six = [replace(job(exam), plan=RoundPlan(f"set {n}", exam.task)) for n in range(6)]
    assert ("stake", FAILED) in funds(exam, *six)  # 6 ether of bonds, 5 are there
    exam.agent.door.send(exam.chain.vault.deposit(exam.owner.address, 5 * ETHER))
    assert ("stake", FAILED) in funds(exam, *six)  # 10 are there, 5 are allowed
    assert ("stake", OK) in funds(exam, *six[:5])


@pytest.mark.chain
def test_funds__gas_enough_for_now_only__warning(exam: Exam) -> None:
    exam.seal()
    needed = sum(checkup.gas_of(step, 1) for step in ("enrol", "attest", "reveal", "release"))
    balance = needed * exam.chain.node.gas_price() * 2
    exam.chain.node.request("anvil_setBalance", [exam.operator.address, hex(balance)])
    named = Job(RoundPlan("set", exam.task, ("http://127.0.0.1:9",)), exam.owner.address)
    assert funds(exam, named) == [("gas", WARNING)]


@pytest.mark.chain
def test_gateways__away_of_another_chain_and_well(exam: Exam) -> None:
    (well,) = exam.gateways(1)
    stranger = FakeGateway(Domain(1, exam.chain.deployment.rounds))
    with stranger:
        named = [job(exam, "http://127.0.0.1:9", stranger.url, well.url)]
        found = seen(checkup.gateways(exam.chain, exam.agent.journal, named))
    assert found == [("gateway", WARNING), ("gateway", FAILED), ("gateway", OK)]


@pytest.mark.chain
def test_metrics__shipped_and_unknown_task(exam: Exam) -> None:
    unknown = Job(RoundPlan("other", TaskId(b"\xff" * 32)), exam.owner.address)
    assert seen(checkup.metrics(exam.chain, [job(exam), unknown])) == [("metric", OK), ("metric", FAILED)]


@pytest.mark.chain
def test_clock__development_chain__never_fails(chain: Chain) -> None:
    (alive, clock) = seen(checkup.clock(chain))
    assert alive == ("chain", OK)
    assert clock[1] in (OK, WARNING)


def test_modes__others_may_read__named_with_chmod(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    key = tmp_path / "keys" / "operator.json"
    key.touch(mode=0o600)
    assert seen(checkup.modes(tmp_path)) == [("modes", OK)]
    key.chmod(0o644)
    (line,) = checkup.modes(tmp_path)
    assert (line.health, line.remedy) == (FAILED, f"chmod 600 {key}")


def test_store__a_file_in_its_place__failed(tmp_path: Path) -> None:
    assert seen(checkup.store(tmp_path / "store")) == [("store", OK)]
    assert list((tmp_path / "store").iterdir()) == []
    (tmp_path / "file").touch()
    assert seen(checkup.store(tmp_path / "file")) == [("store", FAILED)]


def test_guarded__a_check_that_raises__is_a_failed_line_after_the_others() -> None:
    def look() -> Iterator[Line]:
        yield checkup.ok("a", "well")
        raise Unreachable("gone", "start it")

    found = checkup.guarded("a", look)
    assert [(line.health, line.remedy) for line in found] == [(OK, ""), (FAILED, "start it")]
