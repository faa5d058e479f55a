"""The sealed set: one Merkle tree over positions, hashes only.

Depth is ceil(log2 n), absent leaves are zero, and the bits of the position give the direction of each step.
"""

from collections.abc import Sequence
from functools import lru_cache

from assay.encoding.hashing import ZERO_HASH, address_word, hash32, keccak, tag, uint
from assay.types import Item, SetOpening

SET_LEAF = tag("SET_LEAF")
SET_NODE = tag("SET_NODE")


def depth_of(items: int) -> int:
    """Depth of a tree over `items` positions; 0 for a single one. ValueError below one."""
    if items < 1:
        raise ValueError("a set has at least one item")
    return (items - 1).bit_length()


def set_leaf(chain_id: int, rounds: str, benchmarker: str, item: Item) -> bytes:
    """Leaf of a position, bound to chain, contract and benchmarker, so that a copied leaf or root is worth nothing."""
    hashes = keccak(item.prompt), keccak(item.reference)
    return sealed_leaf(chain_id, rounds, benchmarker, SetOpening(item.position, item.kind, *hashes, item.salt, ()))


def sealed_leaf(chain_id: int, rounds: str, benchmarker: str, opening: SetOpening) -> bytes:
    """The same leaf from the hashes of its texts; the path is not looked at."""
    return keccak(
        SET_LEAF
        + uint(chain_id)
        + address_word(rounds)
        + address_word(benchmarker)
        + uint(opening.position)
        + uint(opening.kind)
        + hash32(opening.prompt_hash)
        + hash32(opening.reference_hash)
        + hash32(opening.salt)
    )


def set_node(left: bytes, right: bytes) -> bytes:
    """Parent of two nodes."""
    return keccak(SET_NODE + left + right)


@lru_cache(maxsize=64)
def padding_hash(level: int) -> bytes:
    """Node at a level (0 = leaf) that covers only positions beyond the set."""
    if level == 0:
        return ZERO_HASH
    below = padding_hash(level - 1)
    return set_node(below, below)


class SetTree:
    """Merkle tree over a whole set; keeps every level. Memory is about 64 bytes an item."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        """Build from one leaf a position, in order. ValueError for an empty set."""
        self.depth = depth_of(len(leaves))
        self._levels = [list(leaves)]
        padding = ZERO_HASH
        for _ in range(self.depth):
            below = self._levels[-1]
            if len(below) % 2:
                below = [*below, padding]
            self._levels.append([set_node(below[i], below[i + 1]) for i in range(0, len(below), 2)])
            padding = set_node(padding, padding)

    @property
    def root(self) -> bytes:
        """Root of the tree; the leaf itself for a single item."""
        return self._levels[-1][0]

    def path(self, position: int) -> tuple[bytes, ...]:
        """Siblings from the leaf up, `depth` of them. IndexError beyond the set."""
        if not 0 <= position < len(self._levels[0]):
            raise IndexError(position)
        siblings, padding = [], ZERO_HASH
        for level in self._levels[:-1]:
            sibling = position ^ 1
            siblings.append(level[sibling] if sibling < len(level) else padding)
            position >>= 1
            padding = set_node(padding, padding)
        return tuple(siblings)


def climb_set(leaf: bytes, position: int, path: Sequence[bytes]) -> bytes:
    """Root that a leaf leads to along a path."""
    for sibling in path:
        leaf = set_node(sibling, leaf) if position & 1 else set_node(leaf, sibling)
        position >>= 1
    return leaf
