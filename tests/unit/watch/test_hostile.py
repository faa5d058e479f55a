"""given rounds that are sealed to keep a watchtower busy / when it runs / what is worth a bond is done first, and all of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from assay.chain.client import Chain
from assay.errors import Unreachable
from assay.storage.bundle import Bundle
from assay.types import Fault, Phase
from assay.watch import reusing
from assay.watch.auditing import Fetch
from assay.watch.fetching import from_store
from unit.audit.exam import SILENT
from unit.audit.faults import wrong_statistic
from unit.audit.holding import held_answer
from unit.watch.stage import ETHER, LiveExam, Scene, pass_time, played, whats
from unit.watch.wire import Wire

pytestmark = pytest.mark.chain
MEBI = 1 << 20


@pytest.fixture
def scene(chain: Chain, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(chain, tmp_path, request.node.name)


class Apart(LiveExam):
    """An exam of prompts of its own, but for those at the positions in `shared`."""

    def __init__(self, chain: Chain, name: str, shared: frozenset[int], **task: int) -> None:
        self._shared = shared
        super().__init__(chain, name, **task)

    def _round_id(self) -> object:
        for at, item in enumerate(self.items):
            if at not in self._shared:
                self.items[at] = replace(item, prompt=f"{self.name} {at}".encode())
        return super()._round_id()


def bondless(scene: Scene, name: str) -> LiveExam:
    return LiveExam(scene.chain, f"{scene.name} {name}", round_bond=0, version_bond=0)


def lying(scene: Scene, name: str = "lie", **task: int) -> LiveExam:
    exam = LiveExam(scene.chain, f"{scene.name} {name}", **task)
    wrong_statistic(exam)
    return played(scene, name, exam=exam)


class Asked:
    """A place that tells what it was asked for, and gives what the store has. `slowly` is called before it gives up."""

    def __init__(self, scene: Scene, slowly: Callable[[], None] = lambda: None) -> None:
        self.cids: list[str] = []
        self.bytes: list[int] = []
        self._scene, self._slowly, self._store = scene, slowly, from_store(scene.store)

    @property
    def fetch(self) -> Fetch:
        @contextmanager
        def fetch(cid: str, most_bytes: int) -> Iterator[Bundle]:
            self.cids.append(cid)
            self.bytes.append(most_bytes)
            if not self._scene.store.has(cid):
                self._slowly()
                raise Unreachable("nobody gives it", "wait")
            with self._store(cid, most_bytes) as bundle:
                yield bundle

        return fetch


def cid_of(scene: Scene, name: str) -> str:
    return Bundle(scene.home / name).root_cid()


# Slow bundles


def test_once__bundles_of_worthless_rounds__are_asked_for_last_and_for_fewer_bytes(scene: Scene) -> None:
    for name in ("a", "b"):
        played(scene, name, served=False, exam=bondless(scene, name))
    exam, asked = lying(scene), Asked(scene)
    with scene.tower(fetch=asked.fetch) as tower:
        assert whats(tower.until_idle()) == ["audit", "item", "audit", "audit"]
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)
    assert asked.cids == [cid_of(scene, "lie")] * 2 + [cid_of(scene, "a"), cid_of(scene, "b")]
    assert asked.bytes[2:] == [64 * MEBI] * 2


def test_once__a_bundle_that_drips__ends_the_cycle_so_that_news_are_seen(scene: Scene) -> None:
    hidden = [played(scene, name, served=False, exam=bondless(scene, name)) for name in ("a", "b")]
    exams: list[LiveExam] = []

    def slowly() -> None:
        if tower.done[1:] and not exams:
            exams.append(lying(scene))
            time.sleep(1.1)

    asked = Asked(scene, slowly)
    with scene.tower(fetch=asked.fetch) as tower:
        assert whats(tower.until_idle()) == ["audit", "audit"]
        for exam in hidden:
            tower._pauses.end(exam.round)
        assert whats(tower.until_idle()) == ["audit", "audit", "audit", "item"]
    assert asked.cids == [cid_of(scene, name) for name in ("a", "b", "a", "lie", "lie", "b")]
    scene.expect_slashed(exams[0].round, Fault.WRONG_STATISTICS)


def test_once__a_bundle_that_is_not_served__is_asked_for_ever_more_rarely_until_it_comes(scene: Scene) -> None:
    exam, asked = played(scene, "late", served=False), Asked(scene)

    def until_asked(times: int) -> float:
        began = time.monotonic()
        while len(asked.cids) < times and time.monotonic() < began + 20:
            tower.once()
            time.sleep(0.01)
        return time.monotonic() - began

    with scene.tower(fetch=asked.fetch, demand=False) as tower:
        until_asked(1)
        assert until_asked(2) > 0.9
        cid = scene.serve(scene.home / "late")
        assert until_asked(3) > 1.9
        audit = tower.tools.journal.audit(exam.round)
        assert audit is not None
        assert (audit.served, audit.exit_code) == (True, 0)
        scene.store.path(cid).unlink()
        scene.hand_over("held", held_answer(exam, 1, b"another"))
        until_asked(4)
        assert 0.9 < until_asked(5) < 3.5  # the first pause again


def test_until_idle__slow_bundles_that_are_not_served__are_asked_for_once_and_it_ends(scene: Scene) -> None:
    for name in ("a", "b", "c"):
        played(scene, name, served=False, exam=bondless(scene, name))
    asked = Asked(scene, lambda: time.sleep(1.1))
    with scene.tower(fetch=asked.fetch) as tower:
        tower.until_idle()
        assert sorted(asked.cids) == sorted(cid_of(scene, name) for name in "abc")


def test_audit__the_largest_honest_bundle__is_within_what_is_asked_for(scene: Scene) -> None:
    texts = "\x01" * 40
    exam = LiveExam(scene.chain, scene.name, max_bytes=40)
    for position in range(len(exam.items)):
        if position != SILENT:
            exam.edit(position, response=texts.encode())
    folder, asked = played(scene, "large", exam=exam) and scene.home / "large", Asked(scene)
    with scene.tower(fetch=asked.fetch, prove=False) as tower:
        tower.until_idle()
    lines = len(exam.items) * 3
    assert asked.bytes[0] == 80 * MEBI + lines * (12 * 40 + 16 * 1024)
    assert sum(path.stat().st_size for path in folder.rglob("*.jsonl")) < asked.bytes[0] - 80 * MEBI


def test_once__ever_new_evidence__is_looked_at_ever_more_rarely(scene: Scene) -> None:
    exam = played(scene, "honest")
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit"]
        times: list[float] = []
        for number in range(3):
            scene.hand_over(f"{number}", held_answer(exam, number, b"forged", exam.stranger))
            while len(tower.done) < number + 2:
                tower.once()
                time.sleep(0.01)
            times.append(time.monotonic())
        assert times[1] - times[0] > 0.9
        assert times[2] - times[1] > 1.9


# Many rounds


def idle_calls(scene: Scene, wire: Wire, asked: list[str], rounds: int) -> int:
    """How often an idle watchtower over so many rounds of one benchmarker asks its node in a cycle."""
    chain = Chain.connect(wire.url, scene.chain.deployment)
    over = Scene(chain, scene.home / f"{rounds}", f"{scene.name} {rounds}")
    for number in range(rounds):
        played(over, f"{number}", exam=Apart(chain, f"{over.name} {number}", frozenset()))
    with over.tower() as tower:
        assert whats(tower.until_idle()) == ["audit"] * rounds
        asked.clear()
        assert tower.once() > 0
        counted = len(asked)
    chain.close()
    return counted


def test_once__rounds_of_one_benchmarker__cost_the_same_each(scene: Scene) -> None:
    asked: list[str] = []
    for rounds in (2, 4, 6):
        (scene.home / f"{rounds}").mkdir()
    with Wire(scene.chain.node.url, before=asked.append) as wire:
        two, four, six = (idle_calls(scene, wire, asked, rounds) for rounds in (2, 4, 6))
    assert six - four == four - two
    assert (four - two) / 2 <= 10


def test_once__a_round_whose_end_is_final__is_read_no_more(scene: Scene) -> None:
    exam = LiveExam(scene.chain, scene.name, answer_window=700, attest_window=50)
    exam.begin()
    asked: list[str] = []
    with Wire(scene.chain.node.url, before=asked.append) as wire:
        chain = Chain.connect(wire.url, scene.chain.deployment)
        scene.chain, direct = chain, scene.chain
        with scene.tower(prove=False) as tower:
            pass_time(direct.node, 800)
            for _ in range(3):
                pass_time(direct.node, 1)
            assert tower.until_idle() == []
            assert [look.phase for look in tower._lookout.looks(chain.head())] == [Phase.FORFEITED]
            asked.clear()
            assert [look.is_final for look in tower._lookout.looks(chain.head())] == [True]
            assert "eth_call" not in asked
        chain.close()


# Reuse


def test_once__a_flood_of_worthless_reuse__does_not_hide_the_one_that_pays(scene: Scene) -> None:
    played(scene, "early", served=False)
    for number in range(9):
        flood = Apart(scene.chain, f"{scene.name} {number}", frozenset({0, 1, 2}), round_bond=0)
        played(scene, f"flood {number}", exam=flood)
    late = played(scene, "late", exam=Apart(scene.chain, f"{scene.name} late", frozenset({6})))
    with scene.tower(demand=False) as tower:
        assert whats(tower.until_idle()) == ["audit"] * 11
        scene.serve(scene.home / "early")
        tower._pauses.end(tower.tools.journal.rounds()[0].round)
        assert whats(tower.until_idle())[11:] == ["audit", "reuse"]
        phases = [scene.chain.rounds.phase(known.round) for known in tower.tools.journal.rounds()]
    scene.expect_slashed(late.round, Fault.REUSED)
    assert phases.count(Phase.SLASHED) == 1


def test_once__a_worthless_round_with_a_fault_of_its_own__still_shows_the_reuse_of_another(scene: Scene) -> None:
    lying(scene, "early", round_bond=0)
    late = played(scene, "late")
    with scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "audit", "reuse"]
        errors = tower.tools.meters.registry.get_sample_value("assay_watch_errors_total", {"error": "Refused"})
    scene.expect_slashed(late.round, Fault.REUSED)
    assert errors is None  # what is over is not tried again


def test_once__two_answers_of_a_provider__do_not_hide_the_reuse(scene: Scene) -> None:
    played(scene, "early")
    late = played(scene, "late")
    scene.hand_over("held", held_answer(late, 1, b"another"))
    with scene.tower() as tower:
        assert sorted(whats(tower.until_idle())) == ["answers", "audit", "audit", "reuse"]
    scene.expect_slashed(late.round, Fault.REUSED)


def test_once__reuse_in_several_rounds__the_dearest_is_proven_first(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    early = played(scene, "early", served=False)
    cheap = played(scene, "cheap", exam=Apart(scene.chain, f"{scene.name} cheap", frozenset({0}), round_bond=ETHER // 50))
    dear = played(scene, "dear", exam=Apart(scene.chain, f"{scene.name} dear", frozenset({6})))
    monkeypatch.setattr(reusing, "MAX_FOUND", 1)
    with scene.tower(demand=False) as tower:
        assert whats(tower.until_idle()) == ["audit"] * 3
        scene.serve(scene.home / "early")
        tower._pauses.end(early.round)
        assert whats(tower.until_idle())[3:] == ["audit", "reuse"]
    scene.expect_slashed(dear.round, Fault.REUSED)
    assert scene.chain.rounds.phase(cheap.round) is Phase.CHALLENGING


@pytest.mark.parametrize(("name", "audited"), [("MAX_TRIES", True), ("MAX_FOUND", False)])
def test_once__bundles_that_lead_to_no_sealed_root__do_not_crowd_out_the_reuse(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, name: str, *, audited: bool
) -> None:
    fake = LiveExam(scene.chain, f"{scene.name} fake")
    fake.sealed = list(fake.items)
    fake.items[0] = replace(fake.items[0], reference=b"another")
    played(scene, "fake", exam=fake)
    early, late = played(scene, "early"), played(scene, "late", served=False)
    monkeypatch.setattr(reusing, name, 1)
    with scene.tower(demand=False) as tower:
        assert whats(tower.until_idle()) == ["audit"] * 3
        audit = tower.tools.journal.audit(fake.round)
        assert audit is not None
        assert set(audit.shut.values()) == {"items"}
        if not audited:  # as after a crash between the two
            tower.tools.journal.add_audit(replace(audit, shut={}), 1)
        scene.serve(scene.home / "late")
        tower._pauses.end(late.round)
        assert whats(tower.until_idle())[3:] == ["audit", "reuse"]
    scene.expect_slashed(late.round, Fault.REUSED)
    assert scene.chain.rounds.phase(early.round) is Phase.CHALLENGING


# Public sets


def test_once__a_public_set_that_cannot_be_read__is_told_and_read_once_it_can(scene: Scene) -> None:
    sets = scene.home / "a" / "known.txt", scene.home / "b" / "known.txt"
    for path in sets:
        path.parent.mkdir()
    sets[0].write_text("Guten Tag.\n")
    exam = lying(scene)
    with scene.tower(public_sets=sets) as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        assert tower.tools.meters.registry.get_sample_value("assay_watch_evidence_problems") == 1
        sets[1].write_text("Ende\n")
        time.sleep(1.1)
        second = played(scene, "second", exam=LiveExam(scene.chain, f"{scene.name} second"))
        tower.until_idle()
        assert tower.tools.meters.registry.get_sample_value("assay_watch_evidence_problems") == 0
        known = [s for s in tower.tools.journal.sightings() if s.source.startswith("known.txt")]
    assert {(s.round, s.position) for s in known} == {(exam.round, 0), (second.round, 0), (second.round, 6)}
