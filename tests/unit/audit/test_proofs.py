"""given rounds on a real chain / when a proof of each kind is built and brought / it pays, and near misses are refused twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from assay import keys
from assay.audit import evidence, proofs
from assay.audit.calldata import posted_messages, shown_openings
from assay.audit.evidence import NOTHING, Evidence, HeldItem, check
from assay.audit.facts import ChainFacts, collect
from assay.audit.finding import find, find_answers, find_asks, find_leaks, find_reuse, find_reuse_by_ask
from assay.audit.openings import Openings
from assay.audit.proofs import Proof, ProofKind, call_of
from assay.audit.verify import verify
from assay.chain import index
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, fund
from assay.chain.door import Door
from assay.encoding.hashing import ZERO_HASH, keccak
from assay.encoding.sumtree import SumTree, score_leaf
from assay.errors import BadInput, Refused, Reverted, TooLate
from assay.gateway.database import Database
from assay.gateway.journal import Journal
from assay.gateway.messages import Ack, Answer, Ask, Place
from assay.storage.bundle import Bundle
from assay.types import Fault, Node, Opening, Outcome, Phase, PostedAnswer, RoundId, Verdict, VersionId
from unit.audit.exam import DECOY, SILENT
from unit.audit.faults import stranger_signs_the_answer, wrong_statistic
from unit.audit.holding import ForgedTree, held_ack, held_answer, held_ask
from unit.audit.test_on_chain import ETHER, LiveExam, Reader, pass_time

pytestmark = pytest.mark.chain


@pytest.fixture
def reader(devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reader:
    return Reader(devnet, tmp_path, capsys)


@pytest.fixture
def sending(reader: Reader, chain: Chain) -> tuple[object, ...]:
    """Options of a funded hunter with a stake and an allowance of itself."""
    (reader.home / "password").write_text("open sesame\n")
    (reader.home / "password").chmod(0o600)
    hunter = keys.new_key(reader.home / "keys", "hunter", "open sesame", light=True)
    fund(chain.node, hunter, 10 * ETHER)
    signer = keys.open_key(reader.home / "keys", "hunter", "open sesame")
    Door(chain, signer).send(chain.vault.deposit(hunter, ETHER))
    Door(chain, signer).send(chain.vault.allow(hunter, ETHER))
    return "--send", "--key", "hunter", "--password-file", reader.home / "password"


def played(chain: Chain, name: str, folder: Path) -> tuple[LiveExam, ChainFacts, Openings]:
    exam = LiveExam(chain, name)
    exam.play(folder)
    facts = collect(chain, exam.round)
    return exam, facts, Openings(facts, Bundle(folder))


def take(exam: LiveExam, proof: Proof) -> None:
    """The stranger brings it."""
    exam.send(exam.stranger, call_of(exam.chain, proof))


def refuse(exam: LiveExam, proof: Proof, error: str) -> None:
    with pytest.raises(Reverted, match=error):
        Door(exam.chain, exam.stranger).dry_run(call_of(exam.chain, proof))


def expect_slashed(chain: Chain, round_: RoundId, fault: Fault) -> None:
    assert chain.rounds.phase(round_) is Phase.SLASHED
    found = chain.rounds.round(round_)
    assert found is not None
    assert found.fault is fault


def leaves_of(exam: LiveExam, version: VersionId) -> list[Node]:
    """The leaves of a version's lines, as an honest benchmarker makes them."""
    nodes = []
    for line in exam.lines[version]:
        bare = line.outcome is Outcome.DECOY
        texts = (b"", b"", b"") if bare else (line.response or b"", line.answer or b"", line.evidence)
        nodes.append(Node(score_leaf(line.position, line.outcome, *texts), line.sums))
    return nodes


def again(facts: ChainFacts, chain: Chain) -> ChainFacts:
    return collect(chain, facts.round.id)


def test_item__wrong_statistic__slashes_and_then_no_more(chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, "proof item")
    wrong_statistic(exam)
    folder = exam.play(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    openings = Openings(facts, Bundle(folder))
    with pytest.raises(Refused, match="no fault: SOUND"):
        proofs.item(facts, openings, exam.first, 1)
    with pytest.raises(BadInput):
        proofs.item(facts, openings, exam.first, 7)
    with pytest.raises(BadInput):
        proofs.item(facts, openings, VersionId(bytes(32)), 2)
    found = list(find(facts, Bundle(folder), NOTHING, verify(facts, Bundle(folder))))
    assert [(each.kind, each.position, each.verdict) for each in found] == [(ProofKind.ITEM, 2, Verdict.WRONG_STATISTICS)]
    assert (found[0].loser, found[0].loses, found[0].reward) == (exam.benchmarker, ETHER, ETHER // 2)
    assert found[0].measured
    assert call_of(chain, found[0]).to == chain.rounds.address
    take(exam, found[0])
    expect_slashed(chain, exam.round, found[0].fault)
    with pytest.raises(Refused, match="Slashed"):
        proofs.item(again(facts, chain), openings, exam.first, 2)


def test_item__count_beside_a_wrong_receipt__goes_by_the_judge(chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, "proof receipt")
    stranger_signs_the_answer(exam)
    wrong_statistic(exam)
    exam.play(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    proof = proofs.item(facts, Openings(facts, Bundle(tmp_path / "bundle")), exam.first, 2)
    assert (proof.verdict, proof.measured) == (Verdict.WRONG_RECEIPT, False)
    assert call_of(chain, proof).to == chain.disputes.address
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.WRONG_RECEIPT)


class Padder(LiveExam):
    """Attests a tree of true leaves whose eighth, beyond the set of seven, has a statistic."""

    def root(self, version: VersionId) -> Node:
        return self.tree(version).root

    def tree(self, version: VersionId) -> SumTree:
        return SumTree([*leaves_of(self, version), Node(ZERO_HASH, (0, 1))])


class Padded(Openings):
    """Openings that lead to such a tree."""

    def __init__(self, exam: Padder, facts: ChainFacts, bundle: Bundle) -> None:
        super().__init__(facts, bundle)
        self._exam = exam

    def open(self, version: VersionId, position: int, seed: int = 0) -> Opening:
        return replace(super().open(version, position, seed), sum_path=self._exam.tree(version).path(position))


def test_item__padding_that_counts__goes_by_the_judge_and_slashes(chain: Chain, tmp_path: Path) -> None:
    exam = Padder(chain, "proof padding")
    folder = exam.play(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    proof = proofs.item(facts, Padded(exam, facts, Bundle(folder)), exam.first, 6)
    assert (proof.verdict, proof.measured) == (Verdict.WRONG_STATISTICS, False)
    assert call_of(chain, proof).to == chain.disputes.address
    refuse(exam, replace(proof, measured=True), "StatisticsHold")
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.WRONG_STATISTICS)


def test_item__padding_and_the_item_itself__goes_by_its_statistics(chain: Chain, tmp_path: Path) -> None:
    exam = Padder(chain, "proof padding and more")
    last = exam.lines[exam.first][6]
    exam.edit(6, sums=(last.sums[0], last.sums[1] + 1))
    folder = exam.play(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    proof = proofs.item(facts, Padded(exam, facts, Bundle(folder)), exam.first, 6)
    assert (proof.verdict, proof.measured) == (Verdict.WRONG_STATISTICS, True)
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.WRONG_STATISTICS)


def test_ack__of_a_silent_item__slashes(chain: Chain, tmp_path: Path) -> None:
    exam, facts, openings = played(chain, "proof ack", tmp_path / "bundle")
    good = held_ack(exam, SILENT, b"The moon shines.")
    with pytest.raises(Refused, match="does not hold"):
        proofs.ack(facts, openings, held_ack(exam, SILENT, b"x", exam.stranger))
    with pytest.raises(Refused, match="only a Silent leaf"):
        proofs.ack(facts, openings, held_ack(exam, 2, b"x"))
    with pytest.raises(Refused, match="only a Silent leaf"):
        proofs.ack(facts, openings, held_ack(exam, DECOY, b"x"))
    assert list(find(facts, Bundle(tmp_path / "bundle"), check(facts, [held_ack(exam, 2, b"x")]))) == []
    (proof,) = find(facts, Bundle(tmp_path / "bundle"), check(facts, [good]))
    answered = openings.open(exam.first, 2)
    arguments = (exam.round, exam.first, answered, good.response_hash, held_ack(exam, 2, b"x").signature)
    refuse(exam, replace(proof, arguments=arguments), "NotSilent")
    refuse(exam, replace(proof, arguments=(*proof.arguments[:4], held_ack(exam, 2, b"x").signature)), "WrongSigner")
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.ACK_DROPPED)


def test_ask__over_another_prompt__slashes(chain: Chain, tmp_path: Path) -> None:
    exam, facts, openings = played(chain, "proof ask", tmp_path / "bundle")
    with pytest.raises(Refused, match="asks what is sealed"):
        proofs.ask(facts, held_ask(exam, 2), openings.sealed(2))
    with pytest.raises(BadInput, match="is shown for an Ask"):
        proofs.ask(facts, held_ask(exam, 2, b"other"), openings.sealed(1))
    with pytest.raises(BadInput, match="not at hand"):
        proofs.ask(facts, held_ask(exam, 2, b"other"), None)
    with pytest.raises(Refused, match="does not hold"):
        proofs.ask(facts, held_ask(exam, 2, b"other", exam.stranger), openings.sealed(2))
    assert list(find_asks(facts, check(facts, [held_ask(exam, 2)]), openings)) == []
    (proof,) = find_asks(facts, check(facts, [held_ask(exam, 2, b"other")]), openings)
    refuse(exam, replace(proof, arguments=(exam.round, held_ask(exam, 2).signed, openings.sealed(2))), "AskedAsSealed")
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.WRONG_ASK)


def test_ask__beyond_the_set_while_answering__slashes_without_any_item(chain: Chain) -> None:
    exam = LiveExam(chain, "proof ask beyond")
    exam.begin()
    ask = held_ask(exam, 0)
    digest = exam.domain.ask(exam.round, exam.first, 7, ask.prompt_hash, ask.answer_until)
    beyond = replace(ask, position=7, signature=exam.operator.sign(digest))
    facts = collect(chain, exam.round)
    (proof,) = find_asks(facts, check(facts, [beyond]))
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.WRONG_ASK)


def test_ask__posted_with_its_answer__is_found_in_the_calldata_and_slashes(chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, "proof posted ask")
    exam.begin()
    wrong = held_ask(exam, SILENT, b"another question")
    hashes = wrong.prompt_hash, keccak(b"its answer")
    signature = exam.providers[0].sign(exam.domain.answer(exam.round, exam.first, SILENT, *hashes))
    posted = posting(wrong, b"its answer", signature)
    exam.send(exam.stranger, chain.rounds.post_answer(exam.round, posted))
    exam.attest()
    folder = exam.reveal(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    held = check(facts, posted_messages(chain, facts))
    assert [message.signature for message in held.asks[exam.first, SILENT]] == [wrong.signature]
    assert [message.signature for message in held.answers[exam.first, SILENT]] == [signature]
    kinds = [proof.kind for proof in find(facts, Bundle(folder), held)]
    assert kinds == [ProofKind.ASK]
    take(exam, next(find(facts, Bundle(folder), held)))
    expect_slashed(chain, exam.round, Fault.WRONG_ASK)


def posting(ask: evidence.HeldAsk, response: bytes, signature: bytes) -> PostedAnswer:
    return PostedAnswer(ask.version, ask.position, ask.prompt_hash, ask.answer_until, response, ask.signature, signature)


def test_reuse__one_question_in_two_rounds__slashes_the_later(chain: Chain, tmp_path: Path) -> None:
    early, early_facts, early_openings = played(chain, "proof reuse early", tmp_path / "early")
    late, late_facts, late_openings = played(chain, "proof reuse late", tmp_path / "late")
    pair = late_facts, late_openings.sealed(2), early_facts, early_openings.sealed(2)
    with pytest.raises(Refused, match="prompts differ"):
        proofs.reuse(*pair[:3], early_openings.sealed(1))
    with pytest.raises(Refused, match="Decoy"):
        proofs.reuse(late_facts, late_openings.sealed(DECOY), early_facts, early_openings.sealed(DECOY))
    with pytest.raises(BadInput, match="two rounds"):
        proofs.reuse(late_facts, pair[1], late_facts, pair[1])
    with pytest.raises(Refused, match="does not hold"):
        proofs.reuse(late_facts, pair[1], early_facts, late_openings.sealed(2))
    found = list(find_reuse(early_facts, Bundle(tmp_path / "early"), late_facts, Bundle(tmp_path / "late")))
    assert {proof.position for proof in found} == {0, 1, 2, 4, 5, 6}
    assert {proof.round for proof in found} == {late.round}
    decoys = (late.round, late_openings.sealed(DECOY), early.round, early_openings.sealed(DECOY))
    refuse(late, replace(found[0], arguments=decoys), "NotScored")
    take(late, found[0])
    expect_slashed(chain, late.round, Fault.REUSED)
    assert chain.rounds.phase(early.round) is Phase.CHALLENGING
    with pytest.raises(Refused, match="Slashed"):
        proofs.reuse(again(late_facts, chain), *pair[1:])


def test_reuse_by_ask__earlier_round_buried__slashes_the_later_only(chain: Chain, tmp_path: Path) -> None:
    buried = LiveExam(chain, "proof buried", answer_window=700, attest_window=50)
    buried.begin()
    pass_time(chain.node, 800)
    late, facts, openings = played(chain, "proof unburied", tmp_path / "late")
    earlier, ask = collect(chain, buried.round), held_ask(buried, 4)
    assert earlier.phase is Phase.FORFEITED
    with pytest.raises(Refused, match="prompts differ"):
        proofs.reuse_by_ask(facts, openings.sealed(2), earlier, ask)
    with pytest.raises(Refused, match="only of a Slashed or Forfeited"):
        proofs.reuse_by_ask(facts, openings.sealed(4), replace(earlier, phase=Phase.FINAL), ask)
    with pytest.raises(Refused, match="before the other"):
        proofs.reuse_by_ask(earlier, openings.sealed(4), replace(facts, phase=Phase.SLASHED), ask)
    (proof,) = find_reuse_by_ask(facts, Bundle(tmp_path / "late"), earlier, check(earlier, [ask]))
    swapped = (late.round, openings.sealed(4), buried.round, held_ask(buried, 2).signed)
    refuse(late, replace(proof, arguments=swapped), "OtherPrompt")
    take(late, proof)
    expect_slashed(chain, late.round, Fault.REUSED)
    take(buried, proofs.forfeit(earlier))
    with pytest.raises(Refused, match="no deadline was missed"):
        proofs.forfeit(again(facts, chain))
    refuse(buried, proofs.forfeit(earlier), "NothingToRelease")


def test_leak__an_item_while_answering__slashes(chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, "proof leak")
    exam.begin()
    exam.write(tmp_path / "leaked")
    facts = collect(chain, exam.round)
    sealed = Openings(facts, Bundle(tmp_path / "leaked")).sealed(4)
    with pytest.raises(Refused, match="does not hold"):
        proofs.leak(facts, replace(sealed, salt=bytes(32)))
    with pytest.raises(TooLate):
        proofs.leak(replace(facts, phase=Phase.ATTESTING), sealed)
    (proof,) = find_leaks(facts, check(facts, [HeldItem(exam.round, sealed)]))
    refuse(exam, replace(proof, arguments=(exam.round, replace(sealed, salt=bytes(32)))), "NotSealedHere")
    take(exam, proof)
    expect_slashed(chain, exam.round, Fault.LEAKED)


def test_answers__two_of_one_provider__take_its_bond_and_leave_the_round(chain: Chain, tmp_path: Path) -> None:
    exam, facts, _ = played(chain, "proof answers", tmp_path / "bundle")
    text = exam.lines[exam.first][2].response or b""
    same, other = held_answer(exam, 2, text), held_answer(exam, 2, b"another answer")
    with pytest.raises(Refused, match="the same"):
        proofs.answers(facts, same, same)
    with pytest.raises(BadInput, match="different places"):
        proofs.answers(facts, same, held_answer(exam, 1, b"x"))
    with pytest.raises(Refused, match="does not hold"):
        proofs.answers(facts, same, held_answer(exam, 2, b"x", exam.stranger))
    late = replace(facts, block=replace(facts.block, timestamp=facts.deadlines.versions_released_at))
    with pytest.raises(TooLate):
        proofs.answers(late, same, other)
    assert list(find_answers(facts, check(facts, [same]), Bundle(tmp_path / "bundle"))) == []
    (proof,) = find(facts, Bundle(tmp_path / "bundle"), check(facts, [other]))
    assert (proof.kind, proof.loser, proof.reward) == (ProofKind.ANSWERS, exam.versions[0].owner, ETHER // 100)
    refuse(exam, replace(proof, arguments=(*proof.arguments[:4], proof.arguments[3])), "SameAnswer")
    take(exam, proof)
    assert index.round_log(chain, exam.round).versions_slashed == (exam.first,)
    assert chain.rounds.phase(exam.round) is Phase.CHALLENGING


def test_commands__each_kind__dry_run_says_all_and_sends_nothing(
    chain: Chain, reader: Reader, tmp_path: Path, sending: tuple[object, ...]
) -> None:
    exam, facts, _ = played(chain, "proof commands", tmp_path / "bundle")
    held = held_ask(exam, 2, b"other"), held_ack(exam, SILENT, b"x"), held_answer(exam, 1, b"another")
    evidence.save(tmp_path / "held.json", Evidence(facts.chain_id, facts.rounds, held))
    evidence.save(tmp_path / "elsewhere.json", Evidence(1, facts.rounds, held))
    name, options = "0x" + exam.round.hex(), ("--bundle", tmp_path / "bundle", "--evidence", tmp_path / "held.json")
    code, found = reader.json("verify", name, *options)
    assert (code, {step["number"] for step in found["steps"] if step["state"] == "Failed"}) == (1, {13, 17})
    code, out, _ = reader.run("verify", name, *options)
    assert f"assay challenge ask {name} 0x{exam.first.hex()} 2" in out
    for kind, position, fault, loser in (
        ("ask", 2, "wrong_ask", exam.benchmarker),
        ("ack", SILENT, "ack_dropped", exam.benchmarker),
        ("answers", 1, "none", exam.versions[0].owner),
    ):
        code, found = reader.json("challenge", kind, name, "0x" + exam.first.hex(), position, *options)
        assert (code, found["kind"], found["position"], found["fault"]) == (0, kind, position, fault), found
        assert (found["loser"], found["sent"]) == (loser, False)
        assert 50_000 < found["gas"] < 1_000_000
    code, found = reader.json("challenge", name, *options)
    assert (code, found["kind"]) == (0, "ask")
    code, found = reader.json("challenge", name, exam.first.hex(), SILENT, *options)
    assert (code, found["kind"], found["verdict"], found["verdict_on_chain"]) == (0, "ack", "sound", "sound")
    for refused in (("item", name), ("ack", name, exam.first.hex(), 2), ("leak", name), ("forfeit", name)):
        code, found = reader.json("challenge", *refused, *options)
        assert (code, found["error"]) == (1, "TooLate" if refused[0] == "leak" else "Refused")
        assert found["remedy"]
    code, found = reader.json("challenge", name, "--evidence", tmp_path / "elsewhere.json")
    assert (code, found["error"]) == (2, "BadInput")
    assert chain.rounds.phase(exam.round) is Phase.CHALLENGING
    code, found = reader.json("challenge", "ack", name, *options, *sending)
    assert (code, found["sent"]) == (0, True)
    expect_slashed(chain, exam.round, Fault.ACK_DROPPED)


def test_provider_evidence__from_its_journal__proves_what_the_bundle_left_out(
    chain: Chain, reader: Reader, tmp_path: Path
) -> None:
    exam, _, _ = played(chain, "proof provider", tmp_path / "bundle")
    name, out = "0x" + exam.round.hex(), tmp_path / "held.json"
    code, found = reader.json("provider", "evidence", name, "--out", out)
    assert (code, found["error"]) == (2, "BadInput")
    database = Database(reader.home / "gateway.sqlite")
    place, prompt = Place(exam.round, exam.first, SILENT), exam.items[SILENT].prompt
    asked, answered, acked = held_ask(exam, SILENT), held_answer(exam, SILENT, b"\xff"), held_ack(exam, SILENT, b"\xff")
    Journal(database).add_answer(
        Answer(place, asked.prompt_hash, b"\xff", answered.signature),
        Ask(place, prompt.decode(), asked.answer_until, asked.signature),
        [Ack(place, acked.response_hash, acked.signature)],
    )
    database.close()
    code, found = reader.json("provider", "evidence", name, "--out", out)
    assert (code, found["asks"], found["answers"], found["acks"]) == (0, 1, 1, 1)
    assert evidence.load(out).messages == (replace(asked, prompt=None), answered, acked)
    code, found = reader.json("challenge", name, "--bundle", tmp_path / "bundle", "--evidence", out)
    assert (code, found["kind"], found["position"]) == (0, "ack", SILENT)


def test_challenge__its_help__lists_the_kinds(reader: Reader) -> None:
    code, out, _ = reader.run("challenge", "--help")
    assert code == 0
    for kind in ("item", "ack", "ask", "answers", "reuse", "leak", "forfeit"):
        assert any(line.split()[:1] == [kind] for line in out.splitlines())
        assert reader.run("challenge", kind, "--help")[0] == 0
    assert reader.run("challenge")[0] == 2


def test_demand__open_answer_reclaim__by_commands(
    chain: Chain, reader: Reader, tmp_path: Path, sending: tuple[object, ...]
) -> None:
    exam, _, _ = played(chain, "proof demands", tmp_path / "bundle")
    place = "0x" + exam.round.hex(), "0x" + exam.first.hex(), 2
    code, dry = reader.json("demand", "open", *place, "--key", "hunter")
    assert (code, dry["sent"], dry["locks"]) == (0, False, str(10**16))
    code, found = reader.json("demand", "answer", *place, "--bundle", tmp_path / "bundle")
    assert (code, found["error"]) == (2, "BadInput")
    assert reader.json("demand", "open", *place, *sending)[0] == 0
    for word, error in (("open", "Refused"), ("expire", "NotYet"), ("reclaim", "NotYet")):
        code, found = reader.json("demand", word, *place)
        assert (code, found["error"]) == (1, error)
    code, found = reader.json("demand", "list", place[0])
    assert [(entry["position"], entry["state"]) for entry in found["demands"]] == [(2, "open")]
    code, found = reader.json("demand", "answer", *place, "--bundle", tmp_path / "bundle", *sending)
    assert (code, found["verdict"], found["reward"]) == (0, "sound", 10**16 // 2)
    code, found = reader.json("demand", "answer", *place, "--bundle", tmp_path / "bundle")
    assert (code, found["error"]) == (1, "Refused")
    facts = collect(chain, exam.round)
    assert shown_openings(chain, facts).keys() == {(exam.first, 2)}
    hunter = keys.address_of_key(reader.home / "keys", "hunter")
    assert chain.vault.allowance(hunter, hunter) == (ETHER, 10**16)  # the fee is lost, and stays used


def test_demand__beyond_its_own_limit__is_told_what_to_allow_and_then_taken(
    chain: Chain, reader: Reader, tmp_path: Path, sending: tuple[object, ...]
) -> None:
    exam, _, _ = played(chain, "proof limit", tmp_path / "bundle")
    place, fee = ("0x" + exam.round.hex(), "0x" + exam.first.hex()), 10**16
    hunter = keys.open_key(reader.home / "keys", "hunter", "open sesame")
    Door(chain, hunter).send(chain.vault.allow(hunter.address, fee))
    assert reader.json("demand", "open", *place, 2, *sending)[0] == 0
    assert reader.json("demand", "answer", *place, 2, "--bundle", tmp_path / "bundle", *sending)[0] == 0
    for options in (("--key", "hunter"), sending):
        code, found = reader.json("demand", "open", *place, 1, *options)
        assert (code, found["error"]) == (1, "NoFunds")
        assert found["remedy"] == f'assay provider allow {hunter.address} "{2 * fee} wei" --key hunter'
    words = found["remedy"].split('"')
    assert reader.json(*words[0].split()[1:], words[1], *sending[1:])[1]["used"] == str(fee)
    assert reader.json("demand", "open", *place, 1, *sending)[0] == 0
    code, found = reader.json("provider", "balance", "--owner", "hunter", "--operator", "hunter")
    assert code == 0
    assert [int(found[name]) for name in ("limit", "used", "locked", "burned")] == [2 * fee, 2 * fee, fee, fee // 2]


class Liar(LiveExam):
    """Attests a tree of true leaves with a wrong sum inside, and answers every demand that it can."""

    where = (1, 1)

    def root(self, version: VersionId) -> Node:
        return self.tree(version).root

    def tree(self, version: VersionId) -> SumTree:
        leaves = leaves_of(self, version)
        return SumTree(leaves) if version != self.first else ForgedTree(leaves, *self.where, (0, 1))

    def opening(self, facts: ChainFacts, openings: Openings, position: int) -> Opening:
        return replace(openings.open(self.first, position), sum_path=self.tree(self.first).path(position))


def test_bisect__wrong_inner_sum__is_found_expired_and_pays_the_demander(
    chain: Chain, reader: Reader, tmp_path: Path, sending: tuple[object, ...]
) -> None:
    liar = Liar(chain, "proof bisect")
    folder = liar.play(tmp_path / "bundle")
    facts = collect(chain, liar.round)
    report = verify(facts, Bundle(folder))
    assert {step.number for step in report.steps if step.state.value == "Failed"} == {19, 21}
    assert list(find(facts, Bundle(folder), NOTHING, report)) == []
    name, version = "0x" + liar.round.hex(), "0x" + liar.first.hex()
    demanded = []
    for _ in range(4):  # depth + 1
        code, found = reader.json("demand", "bisect", name, version, "--bundle", folder, *sending)
        assert code == 0, found
        demanded.append(found["position"])
        assert reader.json("demand", "bisect", name, version, "--bundle", folder)[1]["error"] == "NotYet"
        answer = liar.opening(facts, Openings(facts, Bundle(folder)), found["position"])
        try:
            liar.send(liar.stranger, chain.disputes.answer_demand(liar.round, liar.first, answer))
        except Reverted:
            break
    assert demanded == [0, 2]  # node 1 of level 1 covers positions 2 and 3
    pass_time(chain.node, 130)  # the second deadline stands 60 s after the first
    code, found = reader.json("demand", "expire", name, version, 2, *sending)
    assert code == 0, found
    assert (found["loser"], found["fault"]) == (liar.benchmarker, "unanswered")
    expect_slashed(chain, liar.round, Fault.UNANSWERED)
    assert reader.json("demand", "reclaim", name, version, 2, *sending)[0] == 0
    code, honest = reader.json("demand", "bisect", name, "0x" + liar.versions[1].id.hex(), "--bundle", folder)
    assert (code, honest["error"]) == (1, "Refused")
