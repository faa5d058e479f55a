"""The daemon's cycle on a real chain, in this process: rounds side by side, errors that stop one and no other."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.agent import exchanges
from assay.agent.cycle import Cycle, Job, all_jobs, backoff
from assay.agent.plans import Plans, RoundPlan
from assay.chain.client import Chain
from assay.types import Phase, RoundId, TaskId
from unit.agent.exam import SET, Exam, register_task
from unit.agent.fakes import FakeGateway

PLANS = Plans(poll_seconds=1, backoff_seconds=1, longest_backoff_seconds=1)
OTHER = SET.replace("question", "riddle").replace("trap", "bait")


@pytest.fixture
def exam(chain: Chain, tmp_path: Path) -> Iterator[Exam]:
    with Exam(chain, tmp_path) as running, running.agent.journal.lease():
        yield running


def until(cycle: Cycle, what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline
        cycle.once()
        time.sleep(0.05)


def phase(exam: Exam, round_: RoundId) -> Phase:
    return exam.chain.rounds.phase(round_)


@pytest.mark.chain
def test_once__one_models_answers_hang__the_other_round_is_attested_and_revealed_meanwhile(exam: Exam) -> None:
    quick, hanging = exam.gateways(2)
    short = register_task(exam.chain, exam.home / "tasks", exam.operator, answer_window=300, post_window=10, attest_window=5_000)
    first = exam.seal(name="first", task=short)
    exam.enrol(first, quick)
    exam.ask(first)
    second = exam.seal(OTHER, "second")
    exam.enrol(second, hanging)
    exam.pass_answers(first)

    go, stop = threading.Event(), threading.Event()
    hanging.respond = lambda _: b"late" if go.wait(60) else b""
    agent = replace(exam.agent, stopping=stop.is_set)
    cycle = Cycle(agent, all_jobs(exam.chain, agent.journal, []), PLANS)
    until(cycle, lambda: phase(exam, first) is Phase.CHALLENGING)
    assert phase(exam, second) is Phase.ANSWERING
    assert hanging.asks
    assert exchanges.answered(agent.journal, second) == set()

    stop.set()
    go.set()
    assert cycle.run()
    assert 0 < len(exchanges.answered(agent.journal, second)) < 8  # what was asked is kept, and nothing more was asked
    assert exchanges.undelivered(agent.journal, second) == []


@pytest.mark.chain
def test_run__a_round_that_nobody_can_seal__is_stopped_and_the_others_are_brought_to_their_end(exam: Exam) -> None:
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    exam.enrol(round_, gateway)
    exam.ask(round_)
    exam.settle(round_)
    ends = exam.chain.rounds.deadlines(round_)
    assert ends
    exam.chain.node.request("evm_setNextBlockTimestamp", [ends.versions_released_at])
    exam.chain.node.request("evm_mine")
    lost = Job(RoundPlan("nowhere", TaskId(bytes(32))), exam.owner.address)
    jobs = all_jobs(exam.chain, exam.agent.journal, [lost])
    assert len(jobs) == 2
    assert not Cycle(exam.agent, jobs, PLANS).run()
    assert exam.chain.vault.balance(exam.owner.address).locked == 0
    assert Cycle(exam.agent, jobs[1:], PLANS).run()  # again: nothing is left, and that is no error


@pytest.mark.chain
def test_once__gateway_is_away__asks_the_others_when_its_time_to_consent_is_over(exam: Exam) -> None:
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    exam.import_set()
    plan = RoundPlan("set", exam.task, (gateway.url, "http://127.0.0.1:9"), enrol_within=100)
    cycle = Cycle(exam.agent, [Job(plan, exam.owner.address)], PLANS)
    until(cycle, lambda: _enrolled(exam, round_) == 1)
    assert gateway.asks == []
    exam.chain.node.request("evm_increaseTime", [101])
    exam.chain.node.request("anvil_mine", ["0x4"])
    until(cycle, lambda: len(exchanges.answered(exam.agent.journal, round_)) == 8)
    until(cycle, lambda: not exchanges.undelivered(exam.agent.journal, round_))


def _enrolled(exam: Exam, round_: RoundId) -> int:
    facts = exam.chain.rounds.round(round_)
    return facts.enrolled if facts else 0


@pytest.mark.chain
def test_all_jobs__rounds_of_one_set_sealed_twice__each_its_own_job(exam: Exam) -> None:
    first = exam.seal()
    exam.pass_answers(first)  # nobody came: void
    second = exam.seal()
    assert first != second
    jobs = all_jobs(exam.chain, exam.agent.journal, [Job(RoundPlan("set", exam.task), exam.owner.address)])
    records = [job.record(exam.agent.journal) for job in jobs]
    assert [record.round for record in records if record] == [second, first]
    stranger = FakeGateway(exam.chain.domain).signer.address
    assert all_jobs(exam.chain, exam.agent.journal, [], stranger) == []


def test_backoff__doubles_up_to_its_bounds_and_is_drawn_from_the_seed() -> None:
    plans = Plans(backoff_seconds=2, longest_backoff_seconds=60)
    for failures, whole in ((1, 2), (2, 4), (5, 32), (6, 60), (1_000, 60)):
        drawn = [backoff(plans, failures, None, random.Random(n)) for n in range(50)]
        assert all(whole / 2 <= pause <= whole for pause in drawn)
        assert len(set(drawn)) == 50
    assert backoff(plans, 9, 100, random.Random(1)) <= 10
    assert backoff(plans, 9, -5, random.Random(1)) <= 1
    assert backoff(plans, 3, None, random.Random("a")) == backoff(plans, 3, None, random.Random("a"))
