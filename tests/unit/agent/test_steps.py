"""seal, enrol, score, attest, reveal and release on a real chain, each of them called again after a crash.

seal: given anything that is not right -> refused before anything is written or sent
score: given a chain final past the answers -> outcomes by rule; else -> not yet
attest, reveal: given the journal's roots -> on chain once; a tree or a secret that is another -> fatal
"""

import hashlib
from dataclasses import replace

import pytest

from assay.agent import exchanges, trees
from assay.agent.asking import AskOptions
from assay.agent.overview import overview
from assay.agent.rounds import find_round
from assay.agent.statistics import statistics
from assay.agent.steps import attest, enrol, release, reveal, score, seal
from assay.audit.facts import collect
from assay.audit.verify import verify
from assay.chain.devnet import ETHER
from assay.chain.door import Door
from assay.encoding.hashing import keccak
from assay.errors import BadInput, BadKey, Fatal, NoFunds, NotYet, Refused, Tampered, TooLate, Unreachable
from assay.storage.bundle import Bundle
from assay.types import Kind, Outcome, Phase, PostedAnswer, Standing
from unit.agent.exam import QUICK, Exam, Provider, finalize, pass_time, register_task, rich
from unit.agent.fakes import FakeGateway, problem, wrong_signature

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


class Died(Exception):
    """A crash for tests."""


class DyingDoor(Door):
    """Dies after the journal has the transaction: before it is sent, or right after."""

    def __init__(self, *arguments, sent):
        super().__init__(*arguments)
        self._sent = sent

    def _broadcast(self, raw):
        if self._sent:
            super()._broadcast(raw)
        raise Died


@pytest.fixture(params=[False, True], ids=["before it is sent", "after it is sent"])
def dying(request, exam):
    """An agent that dies at its next transaction."""
    door = DyingDoor(exam.chain, exam.operator, sent=request.param)
    return lambda: replace(exam.agent, door=door)


# -- seal


def test_seal__a_good_set__is_on_chain_with_its_card(exam):
    exam.import_set()
    report = seal.run(exam.agent, "set", exam.task, exam.owner.address, {"author": "me", "languages": ["eng"]})
    facts = exam.chain.rounds.round(report.round)
    record = exam.agent.journal.round(report.round)
    assert (facts.set_root, facts.items, facts.benchmarker) == (report.set_root, ITEMS, exam.owner.address)
    assert (report.items, report.decoys, report.sent) == (ITEMS, 1, True)
    assert b'"author":"me"' in record.card
    assert collect(exam.chain, report.round).card_digest == hashlib.sha256(record.card).digest()


def test_seal__again__finds_the_round_and_sends_nothing(exam):
    first = exam.seal()
    exam.reopen()
    again = seal.run(exam.agent, "set", exam.task, exam.owner.address)
    assert (again.round, again.sent) == (first, False)


def test_seal__the_journal_is_lost__the_same_file_and_secret_find_the_round(exam):
    first = exam.seal()
    exam.agent.journal.close()
    for path in exam.home.glob("bench.*"):
        path.unlink()
    exam.agent = exam.open()
    exam.import_set()
    with pytest.raises(Refused, match="another dataset card"):
        seal.run(exam.agent, "set", exam.task, exam.owner.address, {"author": "somebody else"})
    assert exam.agent.journal.rounds() == []
    assert seal.run(exam.agent, "set", exam.task, exam.owner.address).round == first
    assert exam.agent.journal.placed_items(first)


def test_seal__dies_with_a_signed_transaction__the_next_run_brings_it_to_its_end(exam, dying):
    exam.import_set()
    before = exam.chain.vault.balance(exam.owner.address).locked
    with pytest.raises(Died):
        seal.run(dying(), "set", exam.task, exam.owner.address)
    exam.reopen()
    report = seal.run(exam.agent, "set", exam.task, exam.owner.address)
    assert exam.chain.rounds.phase(report.round) is Phase.ANSWERING
    assert exam.chain.vault.balance(exam.owner.address).locked == before + ETHER
    assert len(exam.agent.journal.transactions(report.round, "seal")) == 1


def refused(exam, kind, match, *, set_name="set", task=None, owner=None, agent=None):
    with pytest.raises(kind, match=match) as caught:
        seal.run(agent or exam.agent, set_name, task or exam.task, owner or exam.owner.address)
    assert caught.value.remedy
    assert exam.agent.journal.rounds() == []
    return caught.value


def test_seal__bleu_for_a_language_without_spaces__is_refused_and_chrf_is_not(exam):
    bleu, chrf = (
        register_task(exam.chain, exam.home / "tasks", exam.operator, metric=metric, target="ja") for metric in ("Bleu", "Chrf")
    )
    with pytest.raises(BadInput, match="finds no words in 'ja'"):
        exam.seal(task=bleu)
    assert exam.agent.journal.rounds() == []
    exam.seal(task=chrf)


def test_seal__unknown_set__is_refused(exam):
    refused(exam, BadInput, "no set named", set_name="other")


def test_seal__unknown_task__is_refused(exam):
    exam.import_set()
    refused(exam, BadInput, "knows no task", task=b"\x01" * 32)


def test_seal__more_items_than_the_task_allows__is_refused(exam):
    exam.import_set()
    refused(exam, BadInput, "8 items", task=register_task(exam.chain, exam.home / "tasks", exam.operator, max_items=7))


@pytest.mark.parametrize(("text", "name"), [("q" * 31, "reference"), ("ሰ" * 11, "prompt")])
def test_seal__a_text_over_the_cap_in_bytes__is_refused(exam, text, name):
    task = register_task(exam.chain, exam.home / "tasks", exam.operator, max_bytes=30)
    exam.import_set(f"prompt,reference\n{'a' if name == 'reference' else text},{text if name == 'reference' else 'b'}\n")
    refused(exam, BadInput, f"the {name} of item 1", task=task)


def test_seal__description_not_here__is_refused(exam):
    exam.import_set()
    next((exam.home / "tasks").iterdir()).unlink()
    refused(exam, BadInput, "description is not in this home")


def test_seal__description_edited__is_tampered(exam):
    exam.import_set()
    next((exam.home / "tasks").iterdir()).write_bytes(b"{}")
    refused(exam, Tampered, "not the description")


def test_seal__description_names_another_metric__is_refused(exam):
    exam.import_set()
    exact = exam.chain.deployment.metrics["ExactMatch"]
    params = replace(exam.chain.tasks.params(exam.task), metric=exact)
    exam.agent.door.send(exam.chain.tasks.register(params))
    from assay.encoding.ids import task_id

    task = task_id(params)
    file = exam.home / "tasks" / f"0x{exam.task.hex()}.json"
    file.rename(file.with_name(f"0x{task.hex()}.json"))
    refused(exam, Refused, "does not name its metric", task=task)


def test_seal__owner_is_the_operator__is_refused(exam):
    exam.import_set()
    refused(exam, Refused, "same key", owner=exam.operator.address)


def test_seal__too_little_stake__names_what_is_missing(exam):
    exam.import_set()
    task = register_task(exam.chain, exam.home / "tasks", exam.operator, round_bond=6 * ETHER)
    error = refused(exam, NoFunds, "of free stake", task=task)
    assert f"{ETHER} wei" in error.remedy


def test_seal__too_small_an_allowance__names_what_is_missing(exam):
    exam.import_set()
    Door(exam.chain, exam.owner).send(exam.chain.vault.allow(exam.operator.address, ETHER - 1))
    assert "assay bench allow" in refused(exam, NoFunds, "locked or lost").remedy


def test_seal__without_the_master_secret__is_refused(exam):
    exam.import_set()
    refused(exam, BadKey, "master secret", agent=replace(exam.agent, secret=None))


def test_seal__a_scored_prompt_of_an_earlier_round__is_refused(exam):
    exam.seal()
    exam.import_set("prompt,reference\nnew,b\nquestion 3,b\n", "second")
    with pytest.raises(Refused, match=r"1 prompts .* 'question 3'"):
        seal.run(exam.agent, "second", exam.task, exam.owner.address)


def test_seal__a_decoy_of_an_earlier_round_as_scored__is_refused_because_it_was_asked(exam):
    exam.seal()
    exam.import_set("prompt,reference\nnew,b\ntrap,b\n", "second")
    with pytest.raises(Refused, match="'trap'"):
        seal.run(exam.agent, "second", exam.task, exam.owner.address)


def test_seal__an_earlier_prompt_as_decoy__is_fine(exam):
    exam.seal()
    assert exam.seal("prompt,reference,kind\nnew,b,\nquestion 3,,decoy\n", "second")


def test_seal__the_earlier_round_is_void__the_set_is_sealed_again_with_fresh_salts(exam):
    first = exam.seal()
    exam.pass_answers(first)
    assert exam.chain.rounds.phase(first) is Phase.VOID
    second = seal.run(exam.agent, "set", exam.task, exam.owner.address)
    roots = [exam.agent.journal.round(round_).set_root for round_ in (first, second.round)]
    assert second.sent
    assert roots[0] != roots[1]


def test_seal__decoys_stand_anywhere(exam):
    exam.agent = replace(exam.agent, secret=b"\x01" * 32)  # the draw hangs on the secret and on the texts alone
    places = set()
    for number in range(5):
        text = "prompt,reference,kind\n" + "".join(f"{number} {n},b,\n" for n in range(9)) + f"{number} trap,,decoy\n"
        items = exam.agent.journal.placed_items(exam.seal(text, f"set {number}"))
        places.add([item.kind for item in items].index(Kind.DECOY))
    assert len(places) > 2


def test_seal__a_reorganisation_removes_it__the_next_run_sends_the_same_transaction(exam):
    exam.import_set()
    before = exam.chain.node.request("evm_snapshot")
    first = seal.run(exam.agent, "set", exam.task, exam.owner.address)
    exam.chain.node.request("evm_revert", [before])
    assert exam.chain.rounds.phase(first.round) is Phase.UNKNOWN
    again = seal.run(exam.agent, "set", exam.task, exam.owner.address)
    assert again.round == first.round
    assert exam.chain.rounds.phase(first.round) is Phase.ANSWERING
    assert len(exam.agent.journal.transactions(first.round, "seal")) == 1


# -- enrol


def test_enrol__two_gateways__on_chain_in_one_transaction_and_again_nothing(exam):
    gateways = exam.gateways(2)
    round_ = exam.seal()
    report = exam.enrol(round_, *gateways)
    assert set(report.enrolled) == {version for gateway in gateways for version in gateway.versions}
    exam.reopen()
    assert exam.enrol(round_, *gateways) == report
    assert len(exam.agent.journal.transactions(round_, "enrol")) == 1


def test_enrol__dies_with_a_signed_transaction__the_next_run_brings_it_to_its_end(exam, dying):
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    with pytest.raises(Died):
        enrol.run(dying(), round_, [gateway.url])
    exam.reopen()
    assert exam.enrol(round_, gateway).enrolled == gateway.versions
    assert len(exam.agent.journal.transactions(round_, "enrol")) == 1


def test_enrol__eleven_versions__two_transactions(exam):
    gateways = exam.gateways(11)
    round_ = exam.seal()
    assert len(exam.enrol(round_, *gateways).enrolled) == 11
    assert len(exam.agent.journal.transactions(round_, "enrol")) == 2


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda gateway: setattr(gateway, "bend", wrong_signature), "not that of the version's operator"),
        (lambda gateway: setattr(gateway, "versions", (b"\x01" * 32,)), "knows no such version"),
        (lambda gateway: setattr(gateway, "domain", replace(gateway.domain, chain_id=1)), "serves chain 1"),
        (lambda gateway: gateway.__exit__(), "ConnectError"),
    ],
)
def test_enrol__one_gateway_that_cannot_be_enrolled__is_named_and_stops_no_other(exam, spoil, reason):
    good, bad = exam.gateways(2)
    round_ = exam.seal()
    spoil(bad)
    report = enrol.run(exam.agent, round_, [bad.url, good.url])
    assert report.enrolled == good.versions
    ((url, said),) = [(refusal.url, refusal.reason) for refusal in report.refused]
    assert url == bad.url
    assert reason in said


def test_enrol__a_gateway_that_refuses__its_reason_is_told(exam):
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()

    def refuse(_ask, _body):
        raise problem("not-admitted", 403)

    gateway.bend = refuse
    (refusal,) = enrol.run(exam.agent, round_, [gateway.url]).refused
    assert "not-admitted" in refusal.reason


def test_enrol__committed_after_the_seal__is_refused_before_a_transaction(exam):
    round_ = exam.seal()
    (late,) = exam.gateways(1)
    (refusal,) = enrol.run(exam.agent, round_, [late.url]).refused
    assert "after the seal" in refusal.reason
    assert exam.agent.journal.transactions(round_, "enrol") == []


def test_enrol__no_stake__is_skipped_by_the_chain_with_its_reason(exam):
    provider = Provider(exam.chain)
    Door(exam.chain, provider.owner).send(exam.chain.vault.withdraw(5 * ETHER, provider.owner.address))
    round_ = exam.seal()
    with FakeGateway(exam.chain.domain, provider.operator, (provider.version,)) as poor:
        report = enrol.run(exam.agent, round_, [poor.url])
    assert report.enrolled == ()
    assert "too little free stake" in report.refused[0].reason


def test_enrol__only_a_named_version__no_other(exam):
    provider, (gateway,) = Provider(exam.chain), exam.gateways(1)
    gateway.versions = (*gateway.versions, provider.version)
    round_ = exam.seal()
    assert enrol.run(exam.agent, round_, [gateway.url], [gateway.versions[0]]).enrolled == gateway.versions[:1]


def test_enrol__after_the_answers__too_late(exam):
    round_, (gateway,) = sit(exam)
    exam.pass_answers(round_)
    with pytest.raises(TooLate, match="enrolment ended"):
        enrol.run(exam.agent, round_, [gateway.url])


def test_enrol__a_reorganisation_removes_it__nobody_is_asked_until_it_is_there_again(exam):
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    before = exam.chain.node.request("evm_snapshot")
    enrol.run(exam.agent, round_, [gateway.url])
    exam.chain.node.request("evm_revert", [before])
    finalize(exam.chain)
    with pytest.raises(Refused, match="nobody is enrolled"):
        exam.ask(round_)
    exam.enrol(round_, gateway)
    assert exam.ask(round_).complete
    assert len(exam.agent.journal.transactions(round_, "enrol")) == 1


# -- score


def test_score__before_the_answers_are_final__not_yet_with_the_time(exam):
    round_, _ = sit(exam)
    answer_by = exam.chain.rounds.deadlines(round_).answer_by
    with pytest.raises(NotYet) as caught:
        score.run(exam.agent, round_)
    assert caught.value.at == answer_by
    exam.chain.node.request("evm_setNextBlockTimestamp", [answer_by])
    exam.chain.node.request("evm_mine")
    with pytest.raises(NotYet, match="not final"):
        score.run(exam.agent, round_)
    finalize(exam.chain)
    assert score.run(exam.agent, round_)


def test_score__finality_stalls_for_half_the_attest_window__a_deep_head_serves(exam, monkeypatch):
    round_, _ = sit(exam)
    deadlines = exam.chain.rounds.deadlines(round_)
    stuck = exam.chain.finalized()
    monkeypatch.setattr(exam.chain, "finalized", lambda: stuck)
    exam.chain.node.request("evm_setNextBlockTimestamp", [deadlines.answer_by + 400])
    exam.chain.node.request("anvil_mine", ["0x60"])
    with pytest.raises(NotYet):
        score.run(exam.agent, round_)
    exam.chain.node.request("evm_setNextBlockTimestamp", [deadlines.answer_by + 500])
    exam.chain.node.request("evm_mine")
    score.run(exam.agent, round_)
    attest.run(exam.agent, round_)
    with pytest.raises(NotYet):  # openings still wait for finality
        reveal.run(exam.agent, round_)
    assert exam.agent.journal.bundles(round_) == []


def test_score__answers_silence_and_decoys__by_rule(exam):
    round_, (gateway,) = sit(exam)
    items = exam.agent.journal.placed_items(round_)
    silent = next(p for p, item in enumerate(items) if item.kind is Kind.SCORED)

    def mostly(ask, body):
        if ask.get("position") == silent:
            raise problem("silent", 503)
        return body

    gateway.bend = mostly
    gateway.respond = lambda ask: ask["prompt"].replace("question", "answer").encode() + b" of some words"
    exam.ask(round_, AskOptions(answer_timeout=2, attempts=1))
    exam.pass_answers(round_)
    (found,) = score.run(exam.agent, round_).scores
    assert (found.answered, found.silent, found.decoys, found.complete) == (6, 1, 1, True)
    pairs = [
        (b"" if p == silent else item.prompt.replace(b"question", b"answer") + b" of some words", item.reference)
        for p, item in enumerate(items)
        if item.kind is Kind.SCORED
    ]
    expected = sum(word for (word,) in statistics("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp", pairs))
    assert found.root.sums == (6 | 1 << 32 | 1 << 64, expected)


def test_score__too_much_silence__is_incomplete_here_and_on_chain(exam):
    round_, (gateway,) = sit(exam)

    def nothing(_ask, _body):
        raise problem("silent", 503)

    gateway.bend = nothing
    exam.ask(round_, AskOptions(answer_timeout=2, attempts=1))
    exam.pass_answers(round_)
    (found,) = score.run(exam.agent, round_).scores
    assert (found.complete, found.score, found.silent) == (False, 0, 7)
    ((_, view),) = attest.run(exam.agent, round_).scores
    assert view.standing is Standing.INCOMPLETE


def post(exam, gateway, round_, position, response):
    """Bring an answer to the chain as a provider whose Acks stay away."""
    item = exam.agent.journal.placed_items(round_)[position]
    ask = exchanges.last_asks(exam.agent.journal, round_)[(gateway.versions[0], position)]
    digest = exam.chain.domain.answer(round_, gateway.versions[0], position, item.prompt_hash, keccak(response))
    posted = PostedAnswer(
        gateway.versions[0], position, item.prompt_hash, ask.answer_until, response, ask.signature, gateway.signer.sign(digest)
    )
    Door(exam.chain, rich(exam.chain)).send(exam.chain.rounds.post_answer(round_, posted))


def test_score__an_answer_that_was_only_posted__counts_as_answered(exam):
    round_, (gateway,) = sit(exam)

    def nothing(_ask, _body):
        raise problem("silent", 503)

    gateway.bend = nothing
    exam.ask(round_, AskOptions(answer_timeout=60, attempts=1))
    items = exam.agent.journal.placed_items(round_)
    position = next(p for p, item in enumerate(items) if item.kind is Kind.SCORED)
    post(exam, gateway, round_, position, items[position].reference)
    exam.pass_answers(round_)
    (found,) = score.run(exam.agent, round_).scores
    assert (found.answered, found.silent) == (1, 6)
    attest.run(exam.agent, round_)
    reveal.run(exam.agent, round_)
    assert_sound(exam, round_)


def test_score__a_posted_answer_that_differs_from_ours__ours_counts_and_the_other_is_evidence(exam):
    round_, (gateway,) = sit(exam)
    exam.ask(round_, AskOptions(answer_timeout=60))
    items = exam.agent.journal.placed_items(round_)
    position = next(p for p, item in enumerate(items) if item.kind is Kind.SCORED)
    post(exam, gateway, round_, position, b"another answer")
    report = exam.settle(round_)
    assert report.sent
    (found,) = exchanges.contradictions(exam.agent.journal, round_)
    assert (found.position, found.response, found.source) == (position, b"another answer", "chain")
    assert_sound(exam, round_)


def test_score__sacrebleu_and_the_mirror_disagree__fatal_and_nothing_is_kept(exam, monkeypatch):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    monkeypatch.setattr(trees, "statistics", lambda signature, pairs: [(word + 1,) for (word,) in statistics(signature, pairs)])
    with pytest.raises(Fatal, match="differ"):
        score.run(exam.agent, round_)
    assert exam.agent.journal.scores(round_) == {}
    with pytest.raises(Refused, match="0 are scored"):
        attest.run(exam.agent, round_)


def test_score__nobody_was_enrolled__is_refused_as_void(exam):
    round_ = exam.seal()
    exam.pass_answers(round_)
    with pytest.raises(Refused, match="void"):
        score.run(exam.agent, round_)


# -- attest


def test_attest__the_chain_computes_the_score_that_was_announced(exam):
    round_, _ = sit(exam, 2)
    exam.ask(round_)
    exam.pass_answers(round_)
    announced = {found.version: found.score for found in score.run(exam.agent, round_).scores}
    report = attest.run(exam.agent, round_)
    assert report.sent == 2
    assert {version: view.score for version, view in report.scores} == announced
    assert attest.run(exam.agent, round_).sent == 0


def test_attest__dies_with_a_signed_transaction__the_next_run_brings_it_to_its_end(exam, dying):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    with pytest.raises(Died):
        attest.run(dying(), round_)
    exam.reopen()
    attest.run(exam.agent, round_)
    assert exam.chain.rounds.phase(round_) is Phase.REVEALING
    assert len(exam.agent.journal.transactions(round_, "attest")) == 1


def test_attest__before_the_answers_are_over__not_yet(exam):
    round_, _ = sit(exam)
    with pytest.raises(NotYet):
        attest.run(exam.agent, round_)


def test_attest__window_missed__too_late_and_says_what_it_costs(exam):
    round_, _ = sit(exam)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    pass_time(exam.chain, exam.chain.rounds.deadlines(round_).attest_by)
    with pytest.raises(TooLate, match="bond is lost"):
        attest.run(exam.agent, round_)


def test_attest__the_chain_holds_another_root__fatal(exam):
    round_, _ = sit(exam, 2)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    records = list(exam.agent.journal.scores(round_).values())
    root = records[0].root._replace(hash=b"\x05" * 32)
    from assay.types import Attestation

    exam.agent.door.send(exam.chain.rounds.attest(round_, [Attestation(records[0].version, root)]))
    with pytest.raises(Fatal, match="another root"):
        attest.run(exam.agent, round_)


def test_attest__a_reorganisation_removes_it__it_is_attested_again(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    before = exam.chain.node.request("evm_snapshot")
    attest.run(exam.agent, round_)
    exam.chain.node.request("evm_revert", [before])
    assert exam.chain.rounds.phase(round_) is Phase.ATTESTING
    attest.run(exam.agent, round_)
    assert exam.chain.rounds.phase(round_) is Phase.REVEALING


# -- reveal and release


def assert_sound(exam, round_):
    facts = collect(exam.chain, round_)
    cid = exam.agent.journal.bundles(round_)[-1].cid
    folder = exam.agent.store.fetch(cid, exam.home / f"fetched-{cid[-8:]}")
    report = verify(facts, Bundle.open(folder))
    assert report.exit_code == 0, report
    return Bundle.open(folder)


def test_reveal__a_whole_round__the_verifier_finds_it_sound(exam):
    round_, (first, second) = sit(exam, 2)
    second.respond = lambda ask: b"\xff\xfe " + ask["prompt"].encode()
    exam.ask(round_)
    report = exam.settle(round_)
    bundle = assert_sound(exam, round_)
    assert exam.chain.rounds.round(round_).bundle_digest == report.digest
    lines = list(bundle.answers(first.versions[0]))
    decoy = next(line for line in lines if line.outcome is Outcome.DECOY)
    assert decoy.response == b"TRAP"
    assert all(line.ack and line.answer and line.ask for line in lines)
    assert all(line.asked_at <= line.answered_at and line.latency_ms > 0 for line in lines)
    assert [line.group for line in bundle.items()] == list(bundle.card()["groups"])


def test_reveal__killed_while_it_wrote__what_is_left_is_removed_and_goes_into_no_bundle(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    left = exam.home / f".bundle-{round_.hex()}" / "bundle"
    left.mkdir(parents=True)
    (left / "half.jsonl").write_bytes(b"{")
    exam.settle(round_)
    assert list(exam.home.glob(".bundle-*")) == []
    assert_sound(exam, round_)


def test_reveal__again__finds_what_was_revealed_and_sends_nothing(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    first = exam.settle(round_)
    exam.reopen()
    again = reveal.run(exam.agent, round_)
    assert (again.cid, again.digest, again.sent) == (first.cid, first.digest, False)


def test_reveal__dies_with_a_signed_transaction__the_next_run_reveals_the_same_bundle(exam, dying):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    attest.run(exam.agent, round_)
    with pytest.raises(Died):
        reveal.run(dying(), round_)
    exam.reopen()
    report = reveal.run(exam.agent, round_)
    assert len(exam.agent.journal.bundles(round_)) == 1
    assert len(exam.agent.journal.transactions(round_, "reveal")) == 1
    assert exam.chain.rounds.round(round_).bundle_digest == report.digest
    assert_sound(exam, round_)


def test_reveal__not_all_attested__not_yet_and_nothing_is_written(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    with pytest.raises(NotYet, match="attested"):
        reveal.run(exam.agent, round_)
    assert exam.agent.store.list() == ()
    assert list(exam.home.glob(".bundle-*")) == []


def test_reveal__another_master_secret__fatal_and_nothing_is_kept(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    attest.run(exam.agent, round_)
    with pytest.raises(Fatal, match="master secret"):
        reveal.run(replace(exam.agent, secret=b"\x01" * 32), round_)
    assert exam.agent.store.list() == ()
    assert list(exam.home.glob(".bundle-*")) == []


def test_reveal__window_missed__too_late(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    attest.run(exam.agent, round_)
    pass_time(exam.chain, exam.chain.rounds.deadlines(round_).reveal_by)
    with pytest.raises(TooLate, match="missed"):
        reveal.run(exam.agent, round_)


def test_release__a_final_round__all_bonds_are_free_once(exam):
    round_, _ = sit(exam)
    exam.ask(round_)
    exam.settle(round_)
    with pytest.raises(NotYet):
        release.run(exam.agent, round_)
    pass_time(exam.chain, exam.chain.rounds.deadlines(round_).versions_released_at)
    report = release.run(exam.agent, round_)
    assert (report.round_bond, len(report.versions)) == (True, 1)
    assert exam.chain.vault.balance(exam.owner.address) == (5 * ETHER, 0)
    again = release.run(exam.agent, round_)
    assert (again.round_bond, again.versions) == (False, ())


def test_release__a_void_round__the_round_bond_is_free(exam):
    round_ = exam.seal()
    exam.pass_answers(round_)
    assert release.run(exam.agent, round_).round_bond
    assert exam.chain.vault.balance(exam.owner.address).locked == 0


# -- which round, and what next


def test_find_round__by_id_prefix_and_set_name(exam):
    first = exam.seal()
    second = exam.seal("prompt,reference\nother,b\n", "second")
    journal = exam.agent.journal
    for text in ("0x" + first.hex(), first.hex().upper(), "0x" + first.hex()[:8], "set"):
        assert find_round(journal, text).round == first
    assert find_round(journal, "second").round == second
    for text in ("", "0x", "0x" + first.hex()[:2], "third", "0x" + "00" * 32):
        with pytest.raises(BadInput):
            find_round(journal, text)


def test_overview__through_a_round__names_the_step_that_works_next(exam):
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    seen = []

    def look():
        found = overview(exam.chain, exam.agent.journal, exam.agent.journal.round(round_))
        seen.append(found.next)
        return found

    look()
    exam.enrol(round_, gateway)
    look()
    exam.ask(round_)
    look()
    exam.pass_answers(round_)
    look()
    score.run(exam.agent, round_)
    look()
    attest.run(exam.agent, round_)
    look()
    reveal.run(exam.agent, round_)
    look()
    pass_time(exam.chain, exam.chain.rounds.deadlines(round_).versions_released_at)
    release.run(exam.agent, round_)
    found = look()
    assert seen == ["enrol", "ask", "score", "score", "attest", "reveal", "release", ""]
    assert (found.versions[0].received, found.versions[0].decoys, found.items) == (ITEMS, 1, ITEMS)


def test_steps__the_key_of_another_operator__is_told_before_anything(exam):
    round_, _ = sit(exam)
    other = rich(exam.chain)
    stranger = replace(exam.agent, signer=other, door=Door(exam.chain, other))
    with pytest.raises(BadKey, match="operator"):
        score.run(stranger, round_)


def test_steps__the_node_is_gone__unreachable(exam):
    round_, _ = sit(exam)
    exam.chain.node.url = "http://127.0.0.1:9"
    with pytest.raises(Unreachable):
        exam.ask(round_, QUICK)
