"""Plays all planted rounds in step on one chain, up to their reveal."""

from pathlib import Path

from assay.audit.evidence import Evidence, save
from assay.chain.client import Chain
from assay.types import Phase
from exercise.planted import People, Plant, Planted
from unit.audit.test_on_chain import pass_time

EARLY = 60
"""Seconds between the seals of the first rounds and of those that reuse their questions."""


class Exercise:
    """The rounds, and what their providers hold."""

    def __init__(self, chain: Chain, plants: list[Plant]) -> None:
        self.chain, self.people = chain, People(chain)
        self._plants = plants
        self.rounds: list[Planted] = []

    def seal(self) -> None:
        """Commits the versions, then seals, enrols and posts: all rounds are Answering when it returns."""
        first = Planted(self.people, self._plants[0])
        pass_time(self.chain.node, EARLY)
        for later in (False, True):
            rounds = [Planted(self.people, plant) for plant in self._plants if plant.later is later]
            for exam in rounds:
                exam.seal()
                exam.enrol()
            self.rounds += rounds
            pass_time(self.chain.node, EARLY)
        for exam in self.rounds:
            exam.post_all()
        assert first.versions == self.rounds[0].versions

    def hold(self, file: Path) -> None:
        """Writes what providers hold as one file of evidence."""
        messages = tuple(message for exam in self.rounds for message in exam.held)
        save(file, Evidence(self.chain.deployment.chain_id, self.chain.deployment.rounds, messages))

    def reveal(self, folder: Path) -> None:
        """Passes the answer window, attests and reveals what is not slashed yet; bundles stand in `folder` by plants' names."""
        pass_time(self.chain.node, self.rounds[0].params.answer_window)
        for exam in self.rounds:
            if self.chain.rounds.phase(exam.round) is Phase.ATTESTING:
                exam.attest()
                exam.reveal(folder / exam.plant.title)
