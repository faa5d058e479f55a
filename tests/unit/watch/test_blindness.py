"""given what would keep a watchtower busy, late or satisfied / when it looks / it misses no fault of a round with a bond."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.errors import Unreachable
from assay.storage.bundle import Bundle
from assay.types import Fault
from unit.audit.holding import held_answer
from unit.watch.stage import LiveExam, Scene, pass_time, played, whats
from unit.watch.test_hostile import Apart, Asked, bondless, cid_of, lying

pytestmark = pytest.mark.chain

DAY = 86_400


@pytest.fixture
def scene(chain: Chain, tmp_path: object, request: pytest.FixtureRequest) -> Scene:
    return Scene(chain, tmp_path, request.node.name)  # type: ignore[arg-type]


def test_once__many_cheap_demands_of_a_bondless_round__come_after_the_audit_of_a_bonded_one(scene: Scene) -> None:
    cheap = played(scene, "cheap", exam=LiveExam(scene.chain, f"{scene.name} c", round_bond=0, version_bond=0, demand_fee=1))
    asked, slow = Asked(scene), [False]

    @contextmanager
    def fetch(cid: str, most_bytes: int) -> Iterator[Bundle]:
        with asked.fetch(cid, most_bytes) as bundle:
            if slow[0] and cid == cid_of(scene, "cheap"):
                time.sleep(1.05)  # longer than the stage's poll_seconds: it ends the cycle
            yield bundle

    with scene.tower(fetch=fetch, retry_seconds=60) as tower:
        assert whats(tower.until_idle()) == ["audit"]
        lying(scene)
        door = Door(scene.chain, scene.signer)
        for position in range(4):
            door.send(scene.chain.disputes.demand(cheap.round, cheap.first, position))
        slow[0] = True
        asked.cids.clear()
        tower.once()
        assert asked.cids[0] == cid_of(scene, "lie")


def test_until_idle__a_bondless_twin_becomes_final__the_bonded_round_is_slashed_for_reuse(scene: Scene) -> None:
    shared = frozenset({0, 1})
    early = played(scene, "early", exam=Apart(scene.chain, f"{scene.name} e", shared, challenge_window=3 * DAY))
    played(scene, "late", exam=Apart(scene.chain, f"{scene.name} l", shared, round_bond=0, challenge_window=3_600))
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "audit"]
        pass_time(scene.chain.node, 4_000)
        for _ in range(3):
            pass_time(scene.chain.node, 1)
        tower.done.clear()
        assert "reuse" in whats(tower.until_idle())
    scene.expect_slashed(early.round, Fault.REUSED)


def test_until_idle__two_answers_told_after_the_slash__cost_the_version_bond(scene: Scene) -> None:
    exam = lying(scene)
    with scene.tower() as tower:
        assert "item" in whats(tower.until_idle())
        scene.hand_over("held", held_answer(exam, 1, b"another"))
        tower.until_idle()
        assert whats(tower.done).count("answers") == 1


def test_until_idle__many_wrong_items__hide_no_two_answers(scene: Scene) -> None:
    exam, wrong = LiveExam(scene.chain, scene.name), 0
    for version in exam.versions:
        for position, line in enumerate(exam.lines[version.id]):
            if line.response:
                exam.edit(position, version.id, sums=(line.sums[0], line.sums[1] + 1))
                wrong += 1
    assert wrong > 8
    played(scene, "x", exam=exam)
    scene.hand_over("held", held_answer(exam, 1, b"another"))
    with scene.tower() as tower:
        assert {"item", "answers"} <= set(whats(tower.until_idle()))


def test_once__a_reveal_swapped_by_a_reorganisation__is_fetched_with_pauses(scene: Scene) -> None:
    asked, exam = Asked(scene), LiveExam(scene.chain, scene.name)
    exam.begin()
    exam.attest()
    before = scene.chain.head().number
    exam.send(exam.operator, scene.chain.rounds.reveal(exam.round, b"a" * 32))
    with scene.tower(fetch=asked.fetch, retry_seconds=60, demand=False) as tower:
        tower.until_idle()
        scene.chain.node.request("anvil_rollback", [scene.chain.head().number - before])
        Door(scene.chain, exam.operator).send(scene.chain.rounds.reveal(exam.round, b"b" * 32))
        asked.cids.clear()
        for _ in range(6):
            tower.once()
        assert len(asked.cids) == 1


def test_until_idle__what_could_not_be_audited__is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    played(scene, "x", exam=bondless(scene, "x"))
    with scene.tower() as tower:
        with monkeypatch.context() as patched:

            def silent(*_: object) -> None:
                raise Unreachable("the node fell silent")

            patched.setattr(tower.tools.auditor, "audit", silent)
            assert tower.until_idle() == []
            assert isinstance(tower.failed, Unreachable)
        tower._pauses.__init__()  # type: ignore[misc]  # as after a while
        tower.until_idle()
        assert tower.failed is None
