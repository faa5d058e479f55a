"""What posts and challenges of this home may cost in gas in a day; counted from the journal, so that no restart forgets it."""

import time
from collections.abc import Callable

import rlp

from assay.chain.client import Chain
from assay.chain.contracts.base import Call
from assay.chain.door import Door, Receipt, margin
from assay.chain.transactions import MOST, TYPE, SignedTx
from assay.errors import Refused
from assay.gateway.catalogue import Catalogue
from assay.gateway.sending import Sender

DAY = 86_400.0
PURPOSES = (b"post", b"challenge")
GAS = 4
"""Where the gas limit stands in a transaction of type 2."""


class Purse:
    """A budget in wei for each day."""

    def __init__(self, chain: Chain, catalogue: Catalogue, budget: int, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds, as the journal's rows have them."""
        self._node, self._catalogue, self._budget, self._clock = chain.node, catalogue, budget, clock

    def spent(self) -> int:
        """Wei of the last 24 hours: fees of what is mined, the most that the rest may cost. Unreachable."""
        by_nonce: dict[int, int] = {}
        for tx_hash, raw, nonce in self._catalogue.sent_since(self._clock() - DAY, PURPOSES):
            found = self._node.request("eth_getTransactionReceipt", ["0x" + tx_hash.hex()])
            mined = found is not None and found.get("blockNumber") is not None
            fee = int(found["gasUsed"], 16) * int(found["effectiveGasPrice"], 16) if mined else _most(raw)
            by_nonce[nonce] = fee if mined else max(fee, by_nonce.get(nonce, 0))
        return sum(by_nonce.values())

    def demand(self, door: Door, call: Call) -> None:
        """Refused where a transaction might go over the budget; errors of a dry run."""
        most = margin(door.dry_run(call).gas) * 2 * self._node.gas_price()
        spent = self.spent()
        if spent + most > self._budget:
            raise Refused(
                f"the gas budget of {self._budget} wei a day does not allow up to {most} more: {spent} are spent",
                "raise --gas-budget, or wait",
            )


class BudgetedSender(Sender):
    """A sender that begins nothing beyond the budget; what was signed before is brought to its end."""

    def __init__(self, door: Door, catalogue: Catalogue, purse: Purse) -> None:
        """`purse` counts the same catalogue."""
        super().__init__(door, catalogue)
        self._purse = purse

    def _sign_anew(self, call: Call, keep: Callable[[SignedTx], None]) -> Receipt:
        self._purse.demand(self._door, call)
        return super()._sign_anew(call, keep)


def _most(raw: bytes) -> int:
    fields = rlp.decode(raw[len(TYPE) :])
    return int.from_bytes(fields[GAS], "big") * int.from_bytes(fields[MOST], "big")
