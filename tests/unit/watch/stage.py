"""Rounds on a real chain, watchtowers over them, and somebody who answers demands."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.audit import evidence
from assay.audit.evidence import Evidence, Message
from assay.chain.client import Chain
from assay.chain.devnet import fund
from assay.chain.door import Door
from assay.encoding.hashing import keccak
from assay.encoding.receipts import LocalSigner
from assay.storage.store import Store
from assay.types import Fault, Phase, RoundId
from assay.watch.auditing import Fetch
from assay.watch.build import tower
from assay.watch.fetching import from_store
from assay.watch.settings import Plan
from assay.watch.tower import Tower
from unit.audit.test_on_chain import ETHER, LiveExam, pass_time

PLAN = Plan(poll_seconds=1, retry_seconds=1, serve_seconds=0, seed="a test")


def paid(chain: Chain, name: str) -> LocalSigner:
    """A funded key with a stake and an allowance of itself."""
    signer = LocalSigner(keccak(name.encode()))
    fund(chain.node, signer.address, 10 * ETHER)
    door = Door(chain, signer)
    door.send(chain.vault.deposit(signer.address, ETHER))
    door.send(chain.vault.allow(signer.address, ETHER))
    return signer


class Scene:
    """One chain, one store, one watchtower's home. `close` ends what it opened."""

    def __init__(self, chain: Chain, home: Path, name: str) -> None:
        self.chain, self.home, self.name = chain, home, name
        self.store = Store(home / "store")
        self.inbox = home / "inbox"
        self.inbox.mkdir()
        self.signer = paid(chain, name)
        self.start = chain.head().number

    def plan(self, **changes: Any) -> Plan:
        return replace(PLAN, evidence=self.inbox, **changes)

    @contextmanager
    def tower(self, *witnesses: Chain, fetch: Fetch | None = None, dry: bool = False, **changes: Any) -> Iterator[Tower]:
        chosen = None if dry else self.signer
        with ExitStack() as stack:
            get, me = fetch or from_store(self.store), self.signer.address
            made = tower([self.chain, *witnesses], chosen, self.plan(**changes), get, self.home / "watch", me)
            built = stack.enter_context(made)
            if built.tools.journal.scanned() is None:  # other tests share the chain: their rounds are not ours to see
                built.tools.journal.add_rounds((), self.start)
            yield built

    def serve(self, folder: Path) -> str:
        return self.store.add(folder)

    def hand_over(self, name: str, *messages: Message) -> None:
        """Evidence into the inbox."""
        deployment = self.chain.deployment
        evidence.save(self.inbox / f"{name}.json", Evidence(deployment.chain_id, deployment.rounds, messages))

    def expect_slashed(self, round_: RoundId, fault: Fault) -> None:
        found = self.chain.rounds.round(round_)
        assert found is not None
        assert (self.chain.rounds.phase(round_), found.fault) == (Phase.SLASHED, fault)


def played(scene: Scene, name: str, *, served: bool = True, exam: LiveExam | None = None) -> LiveExam:
    """A revealed round, honest unless an exam with a fault is given."""
    exam = exam or LiveExam(scene.chain, f"{scene.name} {name}")
    folder = exam.play(scene.home / name)
    if served:
        scene.serve(folder)
    return exam


def whats(done: Any) -> list[str]:
    return [each.what for each in done]


__all__ = ["ETHER", "LiveExam", "Scene", "paid", "pass_time", "played", "whats"]
