"""Several nodes that must agree: nothing is done about a block that one of them does not have, or has otherwise."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from assay.chain.client import Chain
from assay.chain.contracts.base import Call
from assay.chain.door import Door
from assay.chain.node import Node, RpcError
from assay.chain.outcomes import Outcome, outcome
from assay.errors import NotYet, Retry
from assay.types import Address, Block

__all__ = ["Disagreement", "Witnesses"]

T = TypeVar("T")


class Disagreement(Retry):
    """Two nodes show different blocks at one height, or different things in one block: one is on another branch, or lies."""


class Witnesses:
    """The nodes that a watchtower asks. What matters is read from all of them, the rest from the first, at one block."""

    def __init__(self, chains: Sequence[Chain], confirmations: int = 0) -> None:
        """At least one chain, each behind another node, all of one deployment."""
        self._chains, self._confirmations = tuple(chains), confirmations

    def pinned(self) -> Block:
        """The newest block that all nodes have, and as many before it as are to be waited for.

        Disagreement where they show different ones there, Unreachable where one does not answer.
        """
        heads = [chain.head() for chain in self._chains]
        number = max(min(head.number for head in heads) - self._confirmations, 0)
        return self.agreed(number)

    def finalized(self) -> Block:
        """The newest block that all nodes call final. Errors as `pinned`."""
        return self.agreed(min(chain.finalized().number for chain in self._chains))

    def agreed(self, number: int) -> Block:
        """The block of this number as all nodes have it. Errors as `pinned`."""
        blocks = [chain.block(number) for chain in self._chains]
        if len({block.hash for block in blocks}) > 1:
            shown = ", ".join(f"{c.node.name}: 0x{b.hash.hex()[:16]}" for c, b in zip(self._chains, blocks, strict=True))
            raise Disagreement(f"the nodes disagree about block {number} ({shown})", "find out which of them is wrong")
        return blocks[0]

    def same(self, read: Callable[[Chain], T]) -> T:
        """What all nodes answer alike. Disagreement where one answers otherwise, as one does that hides something."""
        answers = [read(chain) for chain in self._chains]
        for chain, answer in zip(self._chains, answers, strict=True):
            if answer != answers[0]:
                first = self._chains[0].node.name
                raise Disagreement(f"{chain.node.name} tells another story than {first}", "find out which of them is wrong")
        return answers[0]

    def still_agreed(self, block: Block) -> bool:
        """Whether all nodes have exactly this block now."""
        try:
            return self.agreed(block.number).hash == block.hash
        except (Disagreement, NotYet):
            return False

    def gas(self, call: Call, sender: Address | None) -> int:
        """What the dearest of the nodes says that a call costs. Reverted, NoFunds or Unreachable where one refuses it."""
        return max(Door(chain, None).dry_run(call, sender).gas for chain in self._chains)

    def gas_price(self) -> int:
        """Wei per gas, as the dearest of the nodes has it. Unreachable."""
        return max(chain.node.gas_price() for chain in self._chains)

    def nonce(self, account: Address) -> int:
        """How many transactions of an account were mined for good, as the node has it that knows of the fewest. Unreachable."""
        return min(_final_nonce(chain.node, account) for chain in self._chains)

    def outcomes(self, tx_hash: bytes, most: int) -> list[Outcome | None]:
        """What each node says of how a transaction ended, no fee above `most`. Unreachable."""
        return [outcome(chain.node, tx_hash, most) for chain in self._chains]

    def close(self) -> None:
        """Close the connections."""
        for chain in self._chains:
            chain.close()


def _final_nonce(node: Node, account: Address) -> int:
    """In the final block; in the newest where the node has no such block, or nothing of its state any more."""
    try:
        return node.nonce(account, "finalized")
    except RpcError:
        return node.nonce(account)
