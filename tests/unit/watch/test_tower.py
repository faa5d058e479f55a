"""given rounds of all kinds on a real chain / when a watchtower runs / faults are punished, and nobody else is harmed."""

from pathlib import Path

import pytest

from assay.chain.client import Chain
from assay.types import Fault, Phase
from unit.audit.faults import wrong_statistic
from unit.watch.stage import ETHER, LiveExam, Scene, played, whats

pytestmark = pytest.mark.chain


@pytest.fixture
def scene(chain: Chain, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(chain, tmp_path, request.node.name)


def test_once__honest_round__is_audited_and_left_alone(scene: Scene) -> None:
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
    exam = LiveExam(scene.chain, scene.name)
    wrong_statistic(exam)
    played(scene, "lie", exam=exam)
    before = scene.chain.vault.balance(scene.signer.address).free
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        (act,) = tower.tools.journal.acts()
        assert (act.state, act.reward) == ("mined", ETHER // 2)
        assert tower.tools.journal.spent(scene.chain.head().timestamp).ever == act.fee
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)
    assert scene.chain.vault.balance(scene.signer.address).free == before + ETHER // 2


def test_once__dry_run__says_it_and_sends_nothing(scene: Scene) -> None:
    exam = LiveExam(scene.chain, scene.name)
    wrong_statistic(exam)
    played(scene, "lie", exam=exam)
    with scene.tower(dry=True) as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        assert tower.tools.journal.acts() == []
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING
