"""What posts and challenges of this home may cost in gas in a day; counted from the journal, so that no restart forgets it."""

import time
from collections.abc import Callable

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.chain.outcomes import outcome
from assay.chain.transactions import SignedTx, most_of
from assay.errors import Refused
from assay.gateway.catalogue import Catalogue
from assay.gateway.sending import Sender

DAY = 86_400.0
PURPOSES = (b"post", b"challenge")


class Purse:
    """A budget in wei for each day."""

    def __init__(self, chain: Chain, catalogue: Catalogue, budget: int, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds, as the journal's rows have them."""
        self._node, self._catalogue, self._budget, self._clock = chain.node, catalogue, budget, clock

    def spent(self, but: tuple[bytes, int] | None = None) -> int:
        """Wei of the last 24 hours: fees of what is mined, the most that the rest may cost. Unreachable.

        Of what was signed for one purpose under one nonce only one can be mined; `but` names such a pair to leave out.
        """
        fees: dict[tuple[bytes, int], int] = {}
        mined: dict[tuple[bytes, int], int] = {}
        for purpose, signed in self._catalogue.sent_since(self._clock() - DAY, PURPOSES):
            key, most = (purpose, signed.nonce), most_of(signed)
            fees[key] = max(most, fees.get(key, 0))
            if (found := outcome(self._node, signed.hash, most)) is not None:
                mined[key] = found.fee
        return sum(fee for key, fee in (fees | mined).items() if key != but)

    def demand(self, purpose: bytes, signed: SignedTx) -> None:
        """Refused where a transaction, as it is signed, might go over the budget. Unreachable."""
        most, spent = most_of(signed), self.spent((purpose, signed.nonce))
        if spent + most > self._budget:
            raise Refused(
                f"the gas budget of {self._budget} wei a day does not allow up to {most} more: {spent} are spent",
                "raise --gas-budget, or wait",
            )


class BudgetedSender(Sender):
    """A sender that keeps, and so sends, nothing beyond the budget; what was signed before is brought to its end."""

    def __init__(self, door: Door, catalogue: Catalogue, purse: Purse) -> None:
        """`purse` counts the same catalogue."""
        super().__init__(door, catalogue)
        self._purse = purse

    def _keep(self, purpose: bytes, signed: SignedTx) -> None:
        self._purse.demand(purpose, signed)
        super()._keep(purpose, signed)
