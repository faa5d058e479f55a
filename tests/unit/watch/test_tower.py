"""given rounds of all kinds on a real chain / when a watchtower runs / faults are punished, and nobody else is harmed."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from assay.audit.evidence import HeldItem
from assay.audit.facts import collect
from assay.audit.openings import Openings
from assay.audit.proofs import call_of
from assay.chain import explain, index
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, Options
from assay.chain.door import Door
from assay.errors import NoFunds
from assay.storage.bundle import Bundle
from assay.types import DemandState, Fault, Phase
from unit.audit.exam import SILENT
from unit.audit.faults import wrong_statistic
from unit.audit.holding import held_ack, held_answer, held_ask
from unit.audit.test_proofs import Liar
from unit.watch.stage import ETHER, LiveExam, Scene, paid, pass_time, played, whats
from unit.watch.wire import Wire

pytestmark = pytest.mark.chain
FEE = 10**16


@pytest.fixture
def scene(chain: Chain, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(chain, tmp_path, request.node.name)


def lying(scene: Scene) -> LiveExam:
    exam = LiveExam(scene.chain, scene.name)
    wrong_statistic(exam)
    return played(scene, "lie", exam=exam)


def free(scene: Scene, address: str | None = None) -> int:
    return scene.chain.vault.balance(address or scene.signer.address).free


def test_once__honest_round__is_audited_once_and_left_alone(scene: Scene) -> None:
    exam = played(scene, "honest")
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit"]
        audit = tower.tools.journal.audit(exam.round)
        assert audit is not None
        assert (audit.exit_code, audit.served, audit.found, audit.shut) == (0, True, (), {})
        assert tower.tools.journal.acts() == []
    with scene.tower() as tower:
        assert tower.until_idle() == []
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING


def test_once__falsified_statistic__slashes_and_is_paid(scene: Scene) -> None:
    exam, before = lying(scene), free(scene)
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        (act,) = tower.tools.journal.acts()
        assert (act.state, act.reward) == ("mined", ETHER // 2)
        assert tower.tools.journal.spent(scene.chain.head().timestamp).ever == act.fee
        (sent,) = tower.tools.journal.transactions(act.id)
    said = [found.name for found in explain.by_transaction(scene.chain, sent.hash)]
    assert said == ["RoundSlashed"]  # by its statistics alone: the other way says Challenged before, and costs more
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)
    assert free(scene) == before + ETHER // 2


def test_once__dry_run__says_it_and_sends_nothing(scene: Scene) -> None:
    exam = lying(scene)
    with scene.tower(dry=True) as tower:
        done = tower.until_idle()
        assert [(each.what, each.dry) for each in done] == [("audit", False), ("item", True)]
        assert tower.tools.journal.acts() == []
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING


def test_once__beyond_a_budget_or_below_a_bond__audits_and_sends_nothing(scene: Scene) -> None:
    exam = lying(scene)
    for changes in ({"budget": 10**12}, {"budget_per_day": 10**12}, {"least_bond": 2 * ETHER}, {"prove": False}):
        with scene.tower(**changes) as tower:
            assert "item" not in whats(tower.until_idle())
            assert tower.tools.journal.acts() == []
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING


@pytest.mark.parametrize(("kind", "fault"), [("ack", Fault.ACK_DROPPED), ("ask", Fault.WRONG_ASK), ("answers", Fault.NONE)])
def test_once__evidence_in_the_inbox__proves_what_the_bundle_hides(scene: Scene, kind: str, fault: Fault) -> None:
    exam = played(scene, "hides")
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit"]
        (scene.inbox / "broken.json").write_text("{")
        held = {"ack": held_ack(exam, SILENT, b"x"), "ask": held_ask(exam, 2, b"x"), "answers": held_answer(exam, 1, b"x")}
        scene.hand_over("held", held[kind], held_ack(exam, SILENT, b"forged", exam.stranger))
        assert whats(tower.until_idle()) == ["audit", "audit", kind]
        assert list(tower.tools.inbox.problems) == ["broken.json"]
    if kind == "answers":
        assert index.round_log(scene.chain, exam.round).versions_slashed == (exam.first,)
        assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING
    else:
        scene.expect_slashed(exam.round, fault)


def test_once__leaked_item_while_answering__slashes(scene: Scene) -> None:
    exam = LiveExam(scene.chain, scene.name)
    exam.begin()
    exam.write(scene.home / "leaked")
    opening = Openings(collect(scene.chain, exam.round), Bundle(scene.home / "leaked")).sealed(2)
    with scene.tower() as tower:
        assert tower.until_idle() == []
        scene.hand_over("leak", HeldItem(exam.round, opening))
        assert whats(tower.until_idle()) == ["audit", "leak"]
    scene.expect_slashed(exam.round, Fault.LEAKED)


def test_once__one_set_in_two_rounds__slashes_the_later_and_tells_every_prompt(scene: Scene) -> None:
    early, late = played(scene, "early"), played(scene, "late")
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "audit", "reuse"]
        sightings = tower.tools.journal.sightings()
    scene.expect_slashed(late.round, Fault.REUSED)
    assert scene.chain.rounds.phase(early.round) is Phase.CHALLENGING
    assert {(s.round, s.position, s.source, s.place, s.kind) for s in sightings} == {
        (late.round, position, early.round.hex(), position, "exact") for position in range(7)
    }


def test_once__round_buried_and_run_again__is_forfeited_and_the_second_slashed_by_its_ask(scene: Scene) -> None:
    buried = LiveExam(scene.chain, f"{scene.name} buried", answer_window=700, attest_window=50)
    buried.begin()
    pass_time(scene.chain.node, 800)
    scene.hand_over("asked", held_ask(buried, 4))
    again = played(scene, "again")
    before = free(scene)
    with scene.tower() as tower:
        assert sorted(whats(tower.until_idle())) == ["audit", "audit", "forfeit", "reuse-by-ask"]
    scene.expect_slashed(again.round, Fault.REUSED)
    assert free(scene) == before + ETHER


def test_once__round_buried_after_the_second_was_audited__is_looked_at_again(scene: Scene) -> None:
    buried = LiveExam(scene.chain, f"{scene.name} buried", answer_window=700, attest_window=5000)
    buried.begin()
    scene.hand_over("asked", held_ask(buried, 4))
    again = played(scene, "again")
    with scene.tower() as tower:
        assert "reuse-by-ask" not in whats(tower.until_idle())
        pass_time(scene.chain.node, 6000)
        assert sorted(whats(tower.until_idle())[-3:]) == ["audit", "forfeit", "reuse-by-ask"]
    scene.expect_slashed(again.round, Fault.REUSED)


def test_once__bundle_not_served__is_demanded_before_anything_and_expired(scene: Scene) -> None:
    exam, before = played(scene, "hidden", served=False), free(scene)
    with scene.tower(sample=1) as tower:
        assert whats(tower.until_idle()) == ["audit", "demand", "demand"]
        demanded = index.demands_of(scene.chain, exam.round)
        assert {record.version for record in demanded} == {version.id for version in exam.versions}
        assert free(scene) == before - 2 * FEE
        assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING
        pass_time(scene.chain.node, 65)
        assert whats(tower.until_idle())[3:] == ["expire", "reclaim", "reclaim"]
        spent = tower.tools.journal.spent(scene.chain.head().timestamp).ever
        assert spent == 2 * FEE + sum(act.fee for act in tower.tools.journal.acts())
    scene.expect_slashed(exam.round, Fault.UNANSWERED)
    assert free(scene) == before + ETHER // 2


def test_once__another_bundle_is_served__its_faults_are_nobodys(scene: Scene) -> None:
    exam = played(scene, "honest", served=False)
    wrong_statistic(exam)
    forged = Bundle(exam.write(scene.home / "forged"))
    with scene.tower(fetch=lambda _cid, _most: nullcontext(forged), sample=1) as tower:
        assert whats(tower.until_idle()) == ["audit", "demand", "demand"]
        audit = tower.tools.journal.audit(exam.round)
        assert audit is not None
        assert (audit.served, audit.found) == (False, ())


def test_once__bundle_served_after_the_demand__nobody_is_slashed(scene: Scene) -> None:
    exam = played(scene, "late", served=False)
    with scene.tower(sample=1) as tower:
        tower.until_idle()
        scene.serve(scene.home / "late")
        pass_time(scene.chain.node, 5)
        tower._pauses.end(exam.round)
        assert whats(tower.until_idle())[3:] == ["audit", "answer", "answer"]
    pass_time(scene.chain.node, 130)
    with scene.tower(sample=1) as tower:
        assert tower.until_idle() == []
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING


def test_once__its_limit_on_itself_used_up_by_answers__is_told_how_to_raise_it_and_goes_on(scene: Scene) -> None:
    exam, me, vault = played(scene, "first", served=False), scene.signer.address, scene.chain.vault
    door = Door(scene.chain, scene.signer)
    door.send(vault.allow(me, FEE))
    with scene.tower(sample=1) as tower:
        assert whats(tower.until_idle()) == ["audit", "demand"]  # and not of the second version
        assert isinstance(tower.failed, NoFunds)
        assert f'assay provider allow {me} "{2 * FEE} wei"' in tower.failed.remedy
        scene.serve(scene.home / "first")
        pass_time(scene.chain.node, 5)
        tower._pauses.end(exam.round)
        assert whats(tower.until_idle())[2:] == ["audit", "answer"]
    assert (vault.balance(me).locked, vault.allowance(me, me)) == (0, (FEE, FEE))
    played(scene, "second", served=False)
    with scene.tower(sample=1) as tower:
        assert whats(tower.until_idle()) == ["audit"]
        assert isinstance(tower.failed, NoFunds)
        assert tower.tools.meters.registry.get_sample_value("assay_watch_limit_left_wei") == 0
    door.send(vault.allow(me, 3 * FEE))
    with scene.tower(sample=1) as tower:
        assert whats(tower.until_idle()) == ["demand", "demand"]
        assert tower.failed is None
    assert vault.allowance(me, me) == (3 * FEE, 3 * FEE)


def test_once__demands_of_others__are_answered_and_paid_where_the_round_is_honest(scene: Scene) -> None:
    exam = played(scene, "honest")
    reader, before = paid(scene.chain, f"{scene.name} reader"), free(scene)
    for position in (2, SILENT):
        Door(scene.chain, reader).send(scene.chain.disputes.demand(exam.round, exam.first, position))
    with scene.tower(answer=False) as tower:
        assert whats(tower.until_idle()) == ["audit"]
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["answer", "answer"]
    assert {record.state for record in index.demands_of(scene.chain, exam.round)} == {DemandState.ANSWERED}
    assert free(scene) == before + FEE


def test_once__another_ones_forgotten_demand__is_expired_after_a_grace(scene: Scene) -> None:
    exam = played(scene, "hidden", served=False)
    reader = paid(scene.chain, f"{scene.name} reader")
    before = free(scene, reader.address)
    Door(scene.chain, reader).send(scene.chain.disputes.demand(exam.round, exam.first, 0))
    with scene.tower(demand=False) as tower:
        pass_time(scene.chain.node, 70)
        assert whats(tower.until_idle()) == ["audit"]
        pass_time(scene.chain.node, 600)
        assert whats(tower.until_idle()) == ["audit", "expire"]
    scene.expect_slashed(exam.round, Fault.UNANSWERED)
    assert free(scene, reader.address) == before - FEE + ETHER // 2


def test_once__wrong_inner_sum__is_bisected_and_expired(scene: Scene) -> None:
    liar = Liar(scene.chain, scene.name)
    played(scene, "lie", exam=liar)
    facts = collect(scene.chain, liar.round)
    openings = Openings(facts, Bundle(scene.home / "lie"))
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "demand"]
        (record,) = index.demands_of(scene.chain, liar.round)
        answer = liar.opening(facts, openings, record.position)
        liar.send(liar.stranger, scene.chain.disputes.answer_demand(liar.round, liar.first, answer))
        assert whats(tower.until_idle())[2:] == ["demand"]
        pass_time(scene.chain.node, 130)
        assert whats(tower.until_idle())[3:] == ["expire", "reclaim"]
    scene.expect_slashed(liar.round, Fault.UNANSWERED)


def test_once__confirmations__nothing_is_sent_twice_while_its_block_is_young(scene: Scene) -> None:
    exam = lying(scene)
    with scene.tower(confirmations=1) as tower:
        assert tower.until_idle() == []
        pass_time(scene.chain.node, 1)
        assert whats(tower.until_idle()) == ["audit", "item"]
        assert scene.chain.rounds.phase(exam.round) is Phase.SLASHED
        pass_time(scene.chain.node, 1)
        assert whats(tower.until_idle()) == ["audit", "item"]
        assert len(tower.tools.journal.acts()) == 1


def test_once__demand_of_a_round_with_a_fault__is_not_answered_for_it(scene: Scene) -> None:
    exam = lying(scene)
    reader = paid(scene.chain, f"{scene.name} reader")
    Door(scene.chain, reader).send(scene.chain.disputes.demand(exam.round, exam.first, 1))
    with scene.tower(prove=False) as tower:
        assert whats(tower.until_idle()) == ["audit"]


def test_once__somebody_else_was_first__books_nothing(scene: Scene) -> None:
    exam = lying(scene)
    with scene.tower() as tower:
        assert tower.once() == 0
        audit = tower.tools.journal.audit(exam.round)
        assert audit is not None
        proof = tower.tools.auditor.build(audit.found[0], exam.round, scene.chain.head().number)
        exam.send(exam.stranger, call_of(scene.chain, proof))
        assert whats(tower.until_idle()) == ["audit"]
        assert tower.tools.journal.spent(scene.chain.head().timestamp) == (0, 0)


def test_once__nodes_disagree__nothing_is_done_until_they_agree(scene: Scene) -> None:
    exam = lying(scene)
    with Devnet(Options(block_time=0)) as other:
        strange = Chain.connect(other.rpc, other.deployment)
        with scene.tower(strange) as tower:
            assert tower.once() > 0
            assert tower.done == []
            assert tower.tools.meters.registry.get_sample_value("assay_watch_disagreements_total") == 1
        strange.close()
    again = Chain.connect(scene.chain.node.url, scene.chain.deployment)
    with scene.tower(again) as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
    again.close()
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)


def test_once__a_node_hides_the_round__nothing_is_done(scene: Scene) -> None:
    exam = lying(scene)
    hiding = b'{"jsonrpc": "2.0", "id": 1, "result": []}'
    with Wire(scene.chain.node.url, before=lambda method: hiding if method == "eth_getLogs" else None) as wire:
        liar = Chain.connect(wire.url, scene.chain.deployment)
        with scene.tower(liar) as tower:
            assert tower.once() > 0
            assert (tower.done, tower.tools.journal.rounds()) == ([], [])
        liar.close()
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING


def test_once__its_proof_is_reorganised_away__brings_it_again(scene: Scene) -> None:
    exam = lying(scene)
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        scene.chain.node.request("anvil_reorg", [1, []])
        assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING
        assert whats(tower.until_idle())[2:] == ["item"]
        assert [act.state for act in tower.tools.journal.acts()] == ["mined", "mined"]
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)


def test_once__reveal_reorganised_and_another_bundle_revealed__is_audited_anew(scene: Scene) -> None:
    exam = LiveExam(scene.chain, scene.name)
    exam.begin()
    exam.attest()
    pass_time(scene.chain.node, 1)
    pass_time(scene.chain.node, 1)
    snapshot = scene.chain.node.request("evm_snapshot")
    scene.serve(exam.reveal(scene.home / "first"))
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit"]
        scene.chain.node.request("evm_revert", [snapshot])
        assert tower.until_idle()[1:] == []
        exam.card_md = "# Another card\n"
        scene.serve(exam.reveal(scene.home / "second"))
        assert whats(tower.until_idle()) == ["audit", "audit"]
        audit = tower.tools.journal.audit(exam.round)
        found = scene.chain.rounds.round(exam.round)
        assert audit is not None
        assert found is not None
        assert audit.bundle == found.bundle_digest


def test_close__all_is_over__the_round_is_looked_at_no_more(scene: Scene) -> None:
    exam = LiveExam(scene.chain, scene.name, challenge_window=1400)
    played(scene, "short", exam=exam)
    with scene.tower() as tower:
        tower.until_idle()
        pass_time(scene.chain.node, 3 * 3600 + 1400)
        for _ in range(3):
            pass_time(scene.chain.node, 1)
        assert whats(tower.until_idle()) == ["audit", "close"]
        assert exam.round not in {known.round for known in tower.tools.journal.rounds()}
        assert exam.round in {known.round for known in tower.tools.journal.rounds(closed=True)}


def test_once__public_set_and_near_prompts__are_told_and_accuse_nobody(scene: Scene) -> None:
    known = scene.home / "known.txt"
    known.write_text("unrelated words\n\nGuten Tag.\nWie  geht es DIR!\nein ganz anderer Satz\n")
    exam = played(scene, "seen")
    with scene.tower(public_sets=(known,)) as tower:
        assert whats(tower.until_idle()) == ["audit"]
        found = tower.tools.journal.sightings(exam.round)
        name = tower.tools.library.add_public(known)
    assert [(s.position, s.kind, s.source, s.place) for s in found] == [(0, "exact", name, 3), (1, "near", name, 4)]
    assert name.startswith("known.txt ")
    assert found[1].similarity == pytest.approx(1.0)
