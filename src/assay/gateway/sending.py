"""Transactions of a provider that survive a crash: kept before they leave, and brought to their end before another is signed."""

from collections.abc import Callable
from functools import partial

from assay.chain.contracts.base import Call
from assay.chain.door import Door, Receipt
from assay.chain.transactions import SignedTx
from assay.errors import NotYet, Reverted
from assay.gateway.catalogue import Catalogue


class Sender:
    """The door with a memory. What has one purpose is on its way once at most, whatever dies in between."""

    def __init__(self, door: Door, catalogue: Catalogue) -> None:
        """`door` signs; `catalogue` keeps what it signed."""
        self._door, self._catalogue = door, catalogue

    def send(self, call: Call, purpose: bytes) -> Receipt:
        """Send, or bring the transaction to its end that an earlier run signed for this purpose. Any error of the door."""
        keep = self._keeper(purpose)
        for raw in reversed(self._catalogue.transactions(purpose)):
            try:
                return self._door.resume(SignedTx(*raw), keep)
            except (Reverted, NotYet):  # it will never be mined as it should
                continue
        return self._door.send(call, keep)

    def _keeper(self, purpose: bytes) -> Callable[[SignedTx], None]:
        return partial(self._keep, purpose)

    def _keep(self, purpose: bytes, signed: SignedTx) -> None:
        """The only way to the node for whatever is signed anew, a dearer one in place of another included."""
        self._catalogue.add_transaction(purpose, signed.hash, signed.raw, signed.nonce, signed.what)
