"""The rounds of one benchmarker side by side at the block of a cycle: which are buried, and whose bond a reused prompt takes.

Everything follows from what the cycle read of open rounds and from the journal; a closed round changes no more and is read once.
"""

from collections.abc import Iterable

from assay.chain.client import Chain
from assay.errors import NotYet
from assay.types import Address, Phase, Round, RoundId
from assay.watch.deciding import Look, worth
from assay.watch.journal import Journal

__all__ = ["Peers"]

BURIED = frozenset({Phase.SLASHED, Phase.FORFEITED})
_CLOSED = BURIED | {Phase.VOID, Phase.FINAL}


class Peers:
    """Rounds whose seal is final, as `see` was last told of them."""

    def __init__(self, chain: Chain, journal: Journal, least_bond: int) -> None:
        """Nothing is known before `see`."""
        self._chain, self._journal, self._least = chain, journal, least_bond
        self._looks: dict[RoundId, Look] = {}
        self._ended: dict[RoundId, Phase] = {}
        self._kept: dict[Address, list[RoundId]] = {}
        self._facts: dict[RoundId, Round] = {}

    def see(self, looks: Iterable[Look]) -> None:
        """All open rounds, as one cycle reads them; it counts until the next one does."""
        self._looks = {look.round.id: look for look in looks}
        self._ended, self._kept = self._journal.closed(), {}
        for known in self._journal.rounds(closed=True):
            self._kept.setdefault(known.benchmarker, []).append(known.round)

    def others(self, round_: Round) -> list[RoundId]:
        """All further rounds of the same benchmarker, in the order of their seals."""
        return [id_ for id_ in self._kept.get(round_.benchmarker, ()) if id_ != round_.id]

    def buried(self, round_: Round) -> list[RoundId]:
        """Those of them, sealed no later, that are Slashed or Forfeited; empty where nothing is spent on the round."""
        if not self._is_worth(round_.id):
            return []
        gone = [id_ for id_ in self.others(round_) if self._phase(id_) in BURIED]
        return [id_ for id_ in gone if self._of(id_).sealed_at <= round_.sealed_at]

    def ended(self, round_: Round) -> list[RoundId]:
        """Those buried, and those sealed no earlier that are Final: what both ask costs this round its bond from then on."""
        if not self._is_worth(round_.id):
            return []
        final = [id_ for id_ in self.others(round_) if self._phase(id_) is Phase.FINAL]
        return [*self.buried(round_), *(id_ for id_ in final if self._of(id_).sealed_at >= round_.sealed_at)]

    def revealed_before(self, when: int) -> list[RoundId]:
        """All rounds whose prompts were public before a time."""
        kept = [id_ for rounds in self._kept.values() for id_ in rounds]
        return [id_ for id_ in kept if 0 < self._of(id_).revealed_at < when]

    def guilty(self, one: RoundId, other: RoundId) -> RoundId | None:
        """Which of two rounds a prompt in both would cost its bond; None where nothing is to be had or spent."""
        if Phase.VOID in (self._phase(one), self._phase(other)):
            return None
        later, earlier = sorted((one, other), key=lambda id_: (self._of(id_).sealed_at, id_), reverse=True)
        found = earlier if self._phase(later) is Phase.FINAL else later
        return found if self._phase(found) not in _CLOSED and self._is_worth(found) else None

    def bond(self, round_: RoundId) -> int:
        """What an open round has at stake, in wei."""
        return self._looks[round_].task.round_bond

    def is_over(self, round_: RoundId) -> bool:
        """Whether its phase is one that it keeps, in a final block."""
        return round_ in self._ended or (round_ in self._looks and self._looks[round_].is_final)

    def _is_worth(self, round_: RoundId) -> bool:
        return round_ in self._looks and worth(self._looks[round_], self._least)

    def _phase(self, round_: RoundId) -> Phase:
        return self._looks[round_].phase if round_ in self._looks else self._ended[round_]

    def _of(self, round_: RoundId) -> Round:
        if round_ in self._looks:
            return self._looks[round_].round
        if round_ not in self._facts:
            facts = self._chain.rounds.round(round_)
            if facts is None:
                raise NotYet(f"{self._chain.node.name} knows no round 0x{round_.hex()}", "look again")
            self._facts[round_] = facts
        return self._facts[round_]
