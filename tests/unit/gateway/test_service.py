"""The gateway's rules.

enrol: a round that policy and chain admit -> signature; else -> its problem
ask: given enrolment and open window -> one Answer, kept, repeated; else -> its problem
acknowledge: given an answer of ours -> kept; else -> its problem
"""

import asyncio
from dataclasses import replace

import pytest

from assay.encoding.hashing import keccak
from assay.encoding.receipts import Domain, recover
from assay.gateway.chainview import Enrolment
from assay.gateway.messages import Place, Seat
from assay.gateway.problems import Problem
from assay.gateway.service import MAX_LOOKUPS
from assay.types import RoundId, VersionId
from unit.gateway.stage import (
    ANSWER_BY,
    DOMAIN,
    FACTS,
    ITEMS,
    PROVIDER,
    ROUND,
    SEALED_AT,
    SEAT,
    STRANGER,
    TASK,
    UNTIL,
    VERSION,
    Echo,
    StateChain,
    ack,
    ask,
    policy,
    run,
    stage,
)

OTHER = VersionId(keccak(b"other version"))
NOWHERE = RoundId(keccak(b"no round"))


def refused(slug, *steps):
    with pytest.raises(Problem) as caught:
        run(*steps)
    assert caught.value.slug == slug
    return caught.value


# -- enrol


@pytest.mark.parametrize(
    "rules",
    [
        policy(benchmarkers=frozenset({STRANGER.address})),
        policy(tasks=frozenset({b"\x01" * 32})),
        policy(largest_version_bond=TASK.version_bond - 1),
        policy(least_answer_window=TASK.answer_window + 1),
        policy(least_post_window=TASK.post_window + 1),
        policy(least_bytes=TASK.max_bytes + 1),
        policy(largest_bytes=TASK.max_bytes - 1),
        policy(largest_items=ITEMS - 1),
    ],
)
def test_enrol__policy_says_no__not_admitted_and_nothing_kept(tmp_path, rules):
    with stage(tmp_path, rules=rules) as it:
        refused("not-admitted", it.service.enrol(SEAT))
        assert it.journal.seats() == []


def test_enrol__policy_at_its_edges__signed(tmp_path):
    rules = policy(
        benchmarkers=frozenset({FACTS.round.benchmarker}),
        largest_version_bond=TASK.version_bond,
        least_answer_window=TASK.answer_window,
        least_bytes=TASK.max_bytes,
        largest_bytes=TASK.max_bytes,
        largest_items=ITEMS,
    )
    with stage(tmp_path, rules=rules) as it:
        assert recover(DOMAIN.enrol(*SEAT), run(it.service.enrol(SEAT))) == PROVIDER.address


def test_enrol__task_beyond_the_published_bounds__not_admitted(tmp_path):
    with stage(
        tmp_path, StateChain(objections={TASK: "unknown metric"}), rules=policy(tasks=frozenset({FACTS.round.task}))
    ) as it:
        assert refused("not-admitted", it.service.enrol(SEAT)).detail == "unknown metric"


def test_enrol__listed_task__limits_do_not_matter(tmp_path):
    rules = policy(tasks=frozenset({FACTS.round.task}), least_answer_window=10**9)
    with stage(tmp_path, rules=rules) as it:
        assert len(run(it.service.enrol(SEAT))) == 65


def test_enrol__unknown_round__unknown_round(tmp_path):
    with stage(tmp_path) as it:
        refused("unknown-round", it.service.enrol(Seat(NOWHERE, VERSION)))


def test_enrol__version_not_served__not_enrolled(tmp_path):
    with stage(tmp_path) as it:
        assert refused("not-enrolled", it.service.enrol(Seat(ROUND, OTHER))).status == 404


@pytest.mark.parametrize("committed_at", [SEALED_AT, SEALED_AT + 1])
def test_enrol__version_committed_at_or_after_the_seal__not_admitted(tmp_path, committed_at):
    chain = StateChain()
    chain.versions[VERSION] = replace(chain.versions[VERSION], committed_at=committed_at)
    with stage(tmp_path, chain) as it:
        refused("not-admitted", it.service.enrol(SEAT))


def test_enrol__version_of_another_key__not_admitted(tmp_path):
    chain = StateChain()
    chain.versions[VERSION] = replace(chain.versions[VERSION], operator=STRANGER.address)
    with stage(tmp_path, chain) as it:
        refused("not-admitted", it.service.enrol(SEAT))


def test_enrol__after_answer_by__window_over(tmp_path):
    with stage(tmp_path, StateChain(time=ANSWER_BY)) as it:
        refused("window-over", it.service.enrol(SEAT))


def test_enrol__node_down__chain_unreachable_with_retry(tmp_path):
    with stage(tmp_path, StateChain(down=True)) as it:
        assert refused("chain-unreachable", it.service.enrol(SEAT)).headers() == {"retry-after": "2"}


def test_enrol__twice__same_bytes(tmp_path):
    with stage(tmp_path) as it:
        assert run(it.service.enrol(SEAT)) == run(it.service.enrol(SEAT))
        assert it.journal.seats() == [SEAT]


# -- ask


def seated(it):
    run(it.service.enrol(SEAT))
    return it.service


def test_ask__enrolled_and_open__signed_and_kept(tmp_path):
    with stage(tmp_path) as it:
        answer = run(seated(it).ask(ask(1, "olá")))
        assert answer.response == "OLÁ 1".encode()
        digest = DOMAIN.answer(ROUND, VERSION, 1, keccak("olá".encode()), keccak(answer.response))
        assert recover(digest, answer.signature) == PROVIDER.address
        assert it.journal.answer(Place(ROUND, VERSION, 1)).answer == answer


def test_ask__again__word_for_word_without_the_model(tmp_path):
    with stage(tmp_path) as it:
        first = run(seated(it).ask(ask(until=UNTIL - 100)))
        assert run(it.service.ask(ask(until=UNTIL))) == first
        assert it.model.calls == 1


def test_ask__again_after_restart__word_for_word(tmp_path):
    with stage(tmp_path) as it:
        first = run(seated(it).ask(ask()))
    with stage(tmp_path) as again:
        assert run(again.service.ask(ask())) == first
        assert again.model.calls == 0


@pytest.mark.parametrize("time", [UNTIL, ANSWER_BY, ANSWER_BY + 7199])
def test_ask__again_after_its_window__word_for_word(tmp_path, time):
    with stage(tmp_path) as it:
        first = run(seated(it).ask(ask()))
        it.chain.time = time
        assert run(it.service.ask(ask())) == first


def test_ask__kept_but_never_sent__restart_gives_the_kept_bytes(tmp_path):
    """A crash between the disk and the wire: what was kept is the answer, whatever the model says now."""
    with stage(tmp_path) as it:
        seated(it)
        write = it.service._write

        async def crash(work):
            await write(work)
            raise ZeroDivisionError

        it.service._write = crash
        with pytest.raises(ZeroDivisionError):
            run(it.service.ask(ask()))
        it.service._write = write
    model = Echo()
    model.reply = lambda _: b"something else"
    with stage(tmp_path, model=model) as again:
        assert run(again.service.ask(ask())).response == b"HELLO 1"
        assert model.calls == 0


def test_ask__two_processes_on_one_journal__one_answer(tmp_path):
    with stage(tmp_path) as one:
        seated(one)
        with stage(tmp_path) as two:
            two.model.reply = lambda _: b"something else"
            two.model.before = lambda: answers.append(run_in_thread(one.service.ask(ask())))
            answers = []
            second = run(two.service.ask(ask()))
            assert answers == [second]
            assert second.response == b"HELLO 1"


def run_in_thread(step):
    import threading

    results = []
    thread = threading.Thread(target=lambda: results.append(asyncio.run(step)))
    thread.start()
    thread.join()
    return results[0]


def test_ask__many_at_once__model_called_once(tmp_path):
    with stage(tmp_path) as it:

        async def crowd():
            await it.service.enrol(SEAT)
            it.model.gate = asyncio.Event()
            tasks = [asyncio.create_task(it.service.ask(ask())) for _ in range(20)]
            await asyncio.sleep(0.05)
            it.model.gate.set()
            return await asyncio.gather(*tasks)

        answers = asyncio.run(crowd())
        assert len(set(answers)) == 1
        assert it.model.calls == 1
        assert it.service._places == {}


def test_ask__different_positions__do_not_wait_for_each_other(tmp_path):
    with stage(tmp_path) as it:

        async def crowd():
            await it.service.enrol(SEAT)
            it.model.gate = asyncio.Event()
            tasks = [asyncio.create_task(it.service.ask(ask(position))) for position in range(ITEMS)]
            await asyncio.sleep(0.1)
            begun = it.model.calls
            it.model.gate.set()
            await asyncio.gather(*tasks)
            return begun

        assert asyncio.run(crowd()) == ITEMS


def test_ask__too_many_at_once__busy(tmp_path, monkeypatch):
    monkeypatch.setattr("assay.gateway.service.MAX_IN_FLIGHT", 1)
    with stage(tmp_path) as it:

        async def crowd():
            await it.service.enrol(SEAT)
            it.model.gate = asyncio.Event()
            first = asyncio.create_task(it.service.ask(ask(0)))
            await asyncio.sleep(0.05)
            try:
                await it.service.ask(ask(1))
            finally:
                it.model.gate.set()
                await first

        refused("busy", crowd())


def test_enrol__many_invented_rounds__busy_and_a_seated_round_goes_on(tmp_path):
    """Every look-up is a question to the node: without a bound, strangers would fill the queue in front of it."""

    class SlowChain(StateChain):
        gate: asyncio.Event
        asked = 0

        async def facts(self, round_):
            if round_ == ROUND:
                return await super().facts(round_)
            self.asked += 1
            await self.gate.wait()
            return None

    async def story(made, chain):
        chain.gate = asyncio.Event()
        await made.service.enrol(SEAT)
        rounds = [RoundId(bytes([number]) * 32) for number in range(1, 41)]
        calls = [made.service.enrol(SEAT._replace(round=round_)) for round_ in rounds[:20]]
        calls += [made.service.ask(ask(round_=round_)) for round_ in rounds[20:]]
        flood = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0.05)
        await made.service.ask(ask())
        chain.gate.set()
        return [problem.slug for problem in await asyncio.gather(*flood, return_exceptions=True)]

    chain = SlowChain()
    with stage(tmp_path, chain) as made:
        slugs = run(story(made, chain))
    assert chain.asked == MAX_LOOKUPS
    assert (slugs.count("unknown-round"), slugs.count("busy")) == (MAX_LOOKUPS, 40 - MAX_LOOKUPS)


def test_ask__other_prompt_at_an_answered_position__other_prompt(tmp_path):
    with stage(tmp_path) as it:
        run(seated(it).ask(ask(prompt="one")))
        refused("other-prompt", it.service.ask(ask(prompt="two")))
        assert it.model.calls == 1
        prompts = it.journal.database.rows("SELECT prompt_hash FROM asks ORDER BY at")
        assert prompts == [(keccak(b"one"),), (keccak(b"two"),)]  # evidence against the examiner


@pytest.mark.parametrize(
    "question",
    [
        ask(signer=STRANGER),
        ask(signer=PROVIDER),
        replace(ask(), prompt="another"),
        replace(ask(), answer_until=UNTIL - 1),
        replace(ask(0), place=Place(ROUND, VERSION, 1)),
        replace(ask(), signature=bytes(65)),
        replace(ask(), signature=ask().signature[:64]),
        ask(domain=Domain(1, DOMAIN.rounds)),
        ask(domain=Domain(DOMAIN.chain_id, STRANGER.address)),
    ],
)
def test_ask__signature_of_somebody_or_something_else__wrong_signature(tmp_path, question):
    with stage(tmp_path) as it:
        refused("wrong-signature", seated(it).ask(question))
        assert it.journal.database.rows("SELECT count(*) FROM asks") == [(0,)]


def test_ask__malleable_twin_of_a_signature__wrong_signature(tmp_path):
    from assay.encoding.receipts import CURVE_ORDER

    good = ask().signature
    twin = good[:32] + (CURVE_ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([55 - good[64]])
    with stage(tmp_path) as it:
        refused("wrong-signature", seated(it).ask(replace(ask(), signature=twin)))


def test_ask__position_at_n__bad_position(tmp_path):
    with stage(tmp_path) as it:
        refused("bad-position", seated(it).ask(ask(ITEMS)))
        assert run(it.service.ask(ask(ITEMS - 1))).response


def test_ask__prompt_over_the_cap_in_bytes__too_large(tmp_path):
    with stage(tmp_path) as it:
        refused("too-large", seated(it).ask(ask(prompt="é" * 33)))
        assert run(it.service.ask(ask(prompt="é" * 32))).response


def test_ask__no_room_to_post__window_over(tmp_path):
    with stage(tmp_path) as it:
        refused("window-over", seated(it).ask(ask(until=UNTIL + 1)))


def test_ask__at_answer_until__window_over_one_second_before_answered(tmp_path):
    with stage(tmp_path, StateChain(time=UNTIL - 1)) as it:
        assert run(seated(it).ask(ask(0))).response
        it.chain.time = UNTIL
        refused("window-over", it.service.ask(ask(1)))
        assert it.model.calls == 1


def test_ask__model_outlasts_the_window__window_over_and_nothing_signed(tmp_path):
    with stage(tmp_path) as it:
        it.model.before = lambda: setattr(it.chain, "time", UNTIL)
        refused("window-over", seated(it).ask(ask()))
        assert it.journal.answer(Place(ROUND, VERSION, 0)) is None


def test_ask__round_slashed_meanwhile__window_over(tmp_path):
    with stage(tmp_path) as it:
        seated(it)
        it.chain.slashed = True
        refused("window-over", it.service.ask(ask()))


def test_ask__enrolment_not_final__not_finalized_with_retry(tmp_path):
    with stage(tmp_path, StateChain(enrolments={SEAT: Enrolment.SEEN})) as it:
        problem = refused("not-finalized", seated(it).ask(ask()))
        assert (problem.status, problem.retry_after) == (409, 2)


def test_ask__never_enrolled_on_chain__not_enrolled(tmp_path):
    with stage(tmp_path, StateChain(enrolments={})) as it:
        refused("not-enrolled", seated(it).ask(ask()))


def test_ask__enrolled_by_another_journal__not_enrolled(tmp_path):
    """An empty journal must not answer for one that was lost: that one may have given other answers."""
    with stage(tmp_path) as it:
        refused("not-enrolled", it.service.ask(ask()))


def test_ask__version_not_served__not_enrolled(tmp_path):
    with stage(tmp_path) as it:
        refused("not-enrolled", seated(it).ask(ask(version=OTHER)))


def test_ask__unknown_round__unknown_round(tmp_path):
    with stage(tmp_path) as it:
        refused("unknown-round", seated(it).ask(ask(round_=NOWHERE)))


def test_ask__node_down__chain_unreachable(tmp_path):
    with stage(tmp_path) as it:
        seated(it)
        it.chain.down = True
        refused("chain-unreachable", it.service.ask(ask()))


def test_ask__model_gives_nothing__silent_and_a_retry_asks_again(tmp_path):
    with stage(tmp_path) as it:
        it.model.reply = lambda _: None
        refused("silent", seated(it).ask(ask()))
        it.model.reply = lambda _: b"now"
        assert run(it.service.ask(ask(until=UNTIL - 1))).response == b"now"


def test_ask__empty_response__is_an_answer(tmp_path):
    with stage(tmp_path) as it:
        it.model.reply = lambda _: b""
        assert run(seated(it).ask(ask())).response == b""


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (b"a" * 65, b"a" * 64),
        (b"a" * 63 + "é".encode(), b"a" * 63),
        (b"a" * 61 + "😀".encode(), b"a" * 61),
        (b"a" * 60 + "😀".encode() + b"b", b"a" * 60 + "😀".encode()),
        (b"\xff" * 70, b"\xff" * 64),
        (b"\x80" * 70, b"\x80" * 64),
    ],
)
def test_ask__response_over_the_cap__cut_before_it_is_signed(tmp_path, given, sent):
    with stage(tmp_path) as it:
        it.model.reply = lambda _: given
        answer = run(seated(it).ask(ask()))
        assert answer.response == sent
        digest = DOMAIN.answer(ROUND, VERSION, 0, answer.prompt_hash, keccak(sent))
        assert recover(digest, answer.signature) == PROVIDER.address


def test_ask__too_many_unacknowledged__stops_until_one_is_acknowledged(tmp_path):
    with stage(tmp_path, rules=policy(largest_unacknowledged=2)) as it:
        service = seated(it)
        first = run(service.ask(ask(0)))
        run(service.ask(ask(1)))
        refused("unacknowledged", service.ask(ask(2)))
        assert run(service.ask(ask(0))) == first  # old ones are repeated all the same
        assert run(service.ask(ask(2), [ack(first)])).response


def test_ask__unacknowledged_before_a_restart__still_counted(tmp_path):
    rules = policy(largest_unacknowledged=1)
    with stage(tmp_path, rules=rules) as it:
        run(seated(it).ask(ask(0)))
    with stage(tmp_path, rules=rules) as again:
        refused("unacknowledged", again.service.ask(ask(1)))


def test_ask__many_signed_retries_at_one_place__kept_up_to_a_bound(tmp_path):
    with stage(tmp_path) as it:
        service = seated(it)
        run(*(service.ask(ask(until=UNTIL - step)) for step in range(40)))
        assert it.journal.database.rows("SELECT count(*) FROM asks") == [(32,)]


# -- acknowledge


def test_acknowledge__answer_of_ours__kept(tmp_path):
    with stage(tmp_path) as it:
        answers = [run(seated(it).ask(ask(position))) for position in range(3)]
        assert run(it.service.acknowledge([ack(answer) for answer in answers])) == 3
        assert it.service.unsettled(SEAT) == frozenset()
        assert it.journal.unsettled(SEAT) == {}


def test_acknowledge__again__harmless(tmp_path):
    with stage(tmp_path) as it:
        answer = run(seated(it).ask(ask()))
        assert run(it.service.acknowledge([ack(answer)]), it.service.acknowledge([ack(answer)])) == 1


def test_acknowledge__by_somebody_else__wrong_signature_and_none_kept(tmp_path):
    with stage(tmp_path) as it:
        one, two = run(seated(it).ask(ask(0))), run(it.service.ask(ask(1)))
        refused("wrong-signature", it.service.acknowledge([ack(one), ack(two, STRANGER)]))
        assert it.service.unsettled(SEAT) == {0, 1}


def test_acknowledge__another_response__unknown_answer(tmp_path):
    with stage(tmp_path) as it:
        answer = run(seated(it).ask(ask()))
        refused("unknown-answer", it.service.acknowledge([ack(replace(answer, response=b"never said"))]))


def test_acknowledge__another_response_after_the_right_one__unknown_answer(tmp_path):
    with stage(tmp_path) as it:
        answer = run(seated(it).ask(ask()))
        run(it.service.acknowledge([ack(answer)]))
        refused("unknown-answer", it.service.acknowledge([ack(replace(answer, response=b"never said"))]))


def test_acknowledge__position_never_answered__unknown_answer(tmp_path):
    with stage(tmp_path) as it:
        answer = run(seated(it).ask(ask()))
        refused("unknown-answer", it.service.acknowledge([ack(replace(answer, place=Place(ROUND, VERSION, 3)))]))


def test_acknowledge__wrong_one_beside_an_ask__refused_before_the_model(tmp_path):
    with stage(tmp_path) as it:
        answer = run(seated(it).ask(ask(0)))
        refused("wrong-signature", it.service.ask(ask(1), [ack(answer, STRANGER)]))
        assert it.model.calls == 1


def test_signer__all_paths__signs_enrol_and_answer_only(tmp_path):
    digests = []

    class Witness:
        address = PROVIDER.address

        def sign(self, digest):
            digests.append(digest)
            return PROVIDER.sign(digest)

    with stage(tmp_path) as it:
        it.service._signer = Witness()
        answer = run(seated(it).ask(ask()))
        run(it.service.ask(ask()), it.service.acknowledge([ack(answer)]))
    assert digests == [DOMAIN.enrol(*SEAT), DOMAIN.answer(*answer.place, answer.prompt_hash, answer.response_hash)]
