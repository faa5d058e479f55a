"""ask, over real HTTP and a real chain.

given good gateways -> every answer kept, acknowledged, delivered
given bad ones among them -> they lose their own answers and delay nobody
given a crash anywhere -> nothing is asked twice that was answered, and Acks go out with the same bytes
"""

import sqlite3
import threading
import time

import pytest

from assay.agent import asking, exchanges
from assay.agent.asking import AskOptions
from assay.agent.steps import ask as step
from assay.agent.steps import enrol
from assay.encoding.hashing import keccak
from assay.encoding.receipts import recover
from assay.errors import NotYet, Refused, TooLate
from unit.agent.exam import QUICK, Exam, finalize, pass_time
from unit.agent.fakes import Raw, problem, wrong_signature

pytestmark = pytest.mark.chain
ITEMS = 8


@pytest.fixture
def exam(chain, tmp_path):
    with Exam(chain, tmp_path) as running:
        yield running


def sit(exam, count=1):
    gateways = exam.gateways(count)
    round_ = exam.seal()
    exam.enrol(round_, *gateways)
    return round_, gateways


def hexed(raw):
    return "0x" + raw.hex()


def test_ask__two_good_gateways__everything_answered_acknowledged_and_delivered(exam):
    round_, gateways = sit(exam, 2)
    report = exam.ask(round_)
    assert report.complete
    for gateway in gateways:
        assert sorted(ask["position"] for ask in gateway.asks) == list(range(ITEMS))
        assert sorted(ack["position"] for ack in gateway.acks) == list(range(ITEMS))
        for ack in gateway.acks:
            given = gateway.given[(ack["version"], ack["position"])]
            digest = exam.chain.domain.ack(round_, gateway.versions[0], ack["position"], keccak(given))
            assert recover(digest, bytes.fromhex(ack["signature"][2:])) == exam.operator.address


def test_ask__what_is_sent__is_the_sealed_prompt_in_the_drawn_order_within_the_window(exam):
    round_, (gateway,) = sit(exam)
    exam.ask(round_, AskOptions(answer_timeout=3, concurrency=1))
    record = exam.agent.journal.round(round_)
    items = exam.agent.journal.placed_items(round_)
    deadlines, now = exam.chain.rounds.deadlines(round_), exam.chain.head().timestamp
    assert [ask["position"] for ask in gateway.asks] == step.ask_order(record.set_root, ITEMS)
    for ask in gateway.asks:
        assert ask["prompt"].encode() == items[ask["position"]].prompt
        assert now < ask["answer_until"] <= min(now + 3, deadlines.answer_by - 100)
        digest = exam.chain.domain.ask(
            round_, gateway.versions[0], ask["position"], keccak(ask["prompt"].encode()), ask["answer_until"]
        )
        assert recover(digest, bytes.fromhex(ask["signature"][2:])) == exam.operator.address


def test_ask__near_the_end__never_past_the_last_moment_that_leaves_room_to_post(exam):
    round_, (gateway,) = sit(exam)
    latest = exam.chain.rounds.deadlines(round_).answer_by - 100
    pass_time(exam.chain, latest - 6)
    exam.ask(round_, AskOptions(answer_timeout=60))
    assert {ask["answer_until"] for ask in gateway.asks} == {latest}


def test_ask__all_models__at_the_same_moment(exam):
    round_, gateways = sit(exam, 3)
    exam.ask(round_, AskOptions(answer_timeout=3, concurrency=1))
    for moments in zip(*(gateway.times for gateway in gateways), strict=True):
        assert max(moments) - min(moments) < 0.2


def raising(raw):
    def bend(_ask, _body):
        raise raw

    return bend


BAD = {
    "slow": lambda gateway: setattr(gateway, "delay", 60),
    "huge": lambda gateway: setattr(gateway, "bend", lambda _, body: body | {"response": "x" * 1_000_000}),
    "redirecting": lambda gateway: setattr(gateway, "bend", raising(Raw(b"", status=302, headers={"location": "http://a/"}))),
    "wrong signature": lambda gateway: setattr(gateway, "bend", wrong_signature),
    "other round": lambda gateway: setattr(
        gateway, "bend", lambda ask, _: gateway.answer(ask | {"round": hexed(b"\x07" * 32)}) | {"round": ask["round"]}
    ),
    "over the cap": lambda gateway: setattr(gateway, "respond", lambda _: b"x" * 501),
    "silent": lambda gateway: setattr(gateway, "bend", raising(problem("silent", 503))),
    "gone": lambda gateway: gateway.__exit__(),
}


@pytest.mark.parametrize("name", BAD)
def test_ask__one_bad_gateway__loses_its_own_answers_and_delays_nobody(exam, name):
    round_, (good, bad) = sit(exam, 2)
    BAD[name](bad)
    began = time.monotonic()
    report = exam.ask(round_, AskOptions(answer_timeout=2, concurrency=2, attempts=1))
    answered = {version.version: version.answered for version in report.versions}
    assert answered == {good.versions[0]: ITEMS, bad.versions[0]: 0}
    assert not report.complete
    assert time.monotonic() - began < 20
    assert sum(report.versions[1].failures.values()) > 0
    assert len(good.acks) == ITEMS


def test_ask__a_slow_gateway__is_waited_for_once_and_not_for_every_question(exam):
    round_, (good, slow) = sit(exam, 2)
    slow.delay = 60
    exam.ask(round_, AskOptions(answer_timeout=1, concurrency=1, attempts=1))
    assert len(good.times) == ITEMS
    waits = [later - earlier for earlier, later in zip(good.times, good.times[1:], strict=False)]
    assert sum(wait > 1 for wait in waits) == 1


def test_ask__a_gateway_that_comes_back__is_asked_for_all_that_is_missing(exam):
    round_, (good, flaky) = sit(exam, 2)
    flaky.bend = raising(problem("busy", 503, retry_after="1"))
    threading.Timer(1.0, lambda: setattr(flaky, "bend", lambda _, body: body)).start()
    assert exam.ask(round_, AskOptions(answer_timeout=3, concurrency=2, attempts=4)).complete
    assert len(good.times) == ITEMS


def test_ask__asked_again__carries_a_later_answer_until(exam):
    round_, (gateway,) = sit(exam)
    gateway.bend = raising(problem("silent", 503))
    exam.ask(round_)
    pass_time(exam.chain, exam.chain.head().timestamp + 10)
    gateway.bend = lambda _, body: body
    assert exam.ask(round_).complete
    asked = [ask["answer_until"] for ask in gateway.asks if ask["position"] == 0]
    assert asked == sorted(asked)
    assert asked[-1] > asked[0]


def test_ask__again_in_the_same_second__repeats_the_same_bytes(exam):
    round_, (gateway,) = sit(exam)
    gateway.bend = raising(problem("silent", 503))
    exam.ask(round_)
    exam.ask(round_)
    signatures = {(ask["position"], ask["answer_until"]): ask["signature"] for ask in gateway.asks}
    assert len({ask["signature"] for ask in gateway.asks}) == len(signatures)


def test_ask__complete_already__sends_nothing(exam):
    round_, (gateway,) = sit(exam)
    exam.ask(round_)
    exam.reopen()
    assert exam.ask(round_).complete
    assert len(gateway.asks) == ITEMS


def test_ask__acks_were_not_delivered__the_same_bytes_go_out_first(exam):
    round_, (gateway,) = sit(exam)
    gateway.bend = lambda ask, body: body if "prompt" in ask else raising(problem("busy", 503))(ask, body)
    report = exam.ask(round_, AskOptions(answer_timeout=3, concurrency=8, attempts=1))
    assert report.unacknowledged
    promised = exchanges.undelivered(exam.agent.journal, round_)
    exam.reopen()
    gateway.acks.clear()
    gateway.bend = lambda _, body: body
    assert exam.ask(round_).complete
    assert [ack["signature"] for ack in gateway.acks] == [hexed(ack.signature) for ack in promised]


@pytest.mark.parametrize("written", [0, 1, 3])
def test_ask__a_crash_before_an_answer_is_written__it_is_asked_again_and_no_ack_left_before(exam, monkeypatch, written):
    round_, (gateway,) = sit(exam)
    real, count = exchanges.add_answers, [0]

    def failing(journal, answers):
        if count[0] >= written:
            raise sqlite3.OperationalError("disk I/O error")
        count[0] += 1
        return real(journal, answers)

    monkeypatch.setattr(asking.exchanges, "add_answers", failing)
    with pytest.raises(sqlite3.OperationalError):
        exam.ask(round_, AskOptions(answer_timeout=3, concurrency=1))
    kept = exchanges.answered(exam.agent.journal, round_)
    assert len(kept) == written
    assert {ack["position"] for ack in gateway.acks} <= {position for _, position in kept}
    monkeypatch.undo()
    exam.reopen()
    assert exam.ask(round_).complete
    asked = [ask["position"] for ask in gateway.asks]
    assert [asked.count(position) for _, position in kept] == [1] * written


def test_ask__a_crash_before_asks_are_written__nothing_was_sent(exam, monkeypatch):
    round_, (gateway,) = sit(exam)

    def failing(_journal, _asks):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(asking.exchanges, "add_asks", failing)
    with pytest.raises(sqlite3.OperationalError):
        exam.ask(round_)
    assert gateway.asks == []


def test_ask__a_gateway_that_answers_twice_differently__is_evidence(exam):
    round_, (gateway,) = sit(exam)
    exam.ask(round_)
    first = exchanges.exchanges(exam.agent.journal, round_, gateway.versions[0])[0]
    other = gateway.answer(gateway.asks[[ask["position"] for ask in gateway.asks].index(0)], b"something else")
    answer = type(first.answer)(
        round_,
        gateway.versions[0],
        0,
        first.answer.answer_until,
        b"something else",
        keccak(b"something else"),
        bytes.fromhex(other["signature"][2:]),
        0.0,
        0.0,
    )
    assert exchanges.add_answers(exam.agent.journal, [(answer, first.ack)]) == [exchanges.Kept.CONTRADICTION]
    (found,) = exchanges.contradictions(exam.agent.journal, round_)
    digest = exam.chain.domain.answer(round_, found.version, 0, first.ask.prompt_hash, found.response_hash)
    assert recover(digest, found.signature) == gateway.signer.address


def test_ask__a_request_that_carries_acks_fails__they_go_with_a_later_one(exam):
    round_, (gateway,) = sit(exam)
    lost = []

    def once(ask, body):
        if ask["acks"] and not lost:
            lost.extend(ask["acks"])
            raise problem("silent", 503)
        return body

    gateway.bend = once
    assert exam.ask(round_, AskOptions(answer_timeout=3, concurrency=1)).complete
    assert lost[0] in gateway.acks


def test_ask__a_wrong_ack_in_a_batch__does_not_keep_the_others_back(exam):
    round_, (gateway,) = sit(exam)
    lost = []

    def forgetful(body, answer):
        acks = body["acks"]
        lost[:] = lost or [ack["position"] for ack in acks[:1]]
        if any(ack["position"] in lost for ack in acks):
            raise problem("unknown-answer", 409)
        return answer

    gateway.bend = forgetful
    report = exam.ask(round_, AskOptions(answer_timeout=3, concurrency=1, attempts=3))
    exam.ask(round_, QUICK)
    assert report.versions[0].answered == ITEMS
    assert [ack.position for ack in exchanges.undelivered(exam.agent.journal, round_)] == lost


# -- when it may be asked at all


def test_ask__nobody_enrolled__is_refused(exam):
    round_ = exam.seal()
    finalize(exam.chain)
    with pytest.raises(Refused, match="nobody is enrolled"):
        exam.ask(round_)


def test_ask__enrolment_not_final__not_yet_and_nobody_is_asked(exam):
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    finalize(exam.chain)
    enrol.run(exam.agent, round_, [gateway.url])
    with pytest.raises(NotYet):
        enrol.demand_final(exam.agent, round_)
    with pytest.raises(NotYet, match="not final"):
        exam.ask(round_)
    assert gateway.asks == []
    finalize(exam.chain)
    enrol.demand_final(exam.agent, round_)
    assert exam.ask(round_).complete


def test_ask__window_over__too_late_and_says_what_follows(exam):
    round_, (gateway,) = sit(exam)
    pass_time(exam.chain, exam.chain.rounds.deadlines(round_).answer_by - 100)
    with pytest.raises(TooLate, match="silence") as caught:
        exam.ask(round_)
    assert "score" in caught.value.remedy
    assert gateway.asks == []
