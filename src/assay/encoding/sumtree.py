"""The score tree: a Merkle-sum tree whose root sums are what the chain computes the score from.

Same shape and positions as the sealed set. A node is (hash, sums); sums are 1 + W words added modulo 2^256.
"""

from collections.abc import Sequence
from functools import lru_cache

from assay.encoding.hashing import EMPTY_HASH, WORD, ZERO_HASH, keccak, tag, uint
from assay.encoding.seals import depth_of
from assay.types import Node, Outcome, Sums

SCORE_LEAF = tag("SCORE_LEAF")
NODE = tag("NODE")
LANE = 32
LANE_MASK = (1 << LANE) - 1


def counts_word(outcome: Outcome) -> int:
    """Word 0 of one leaf: one in the 32-bit lane of its outcome."""
    return 1 << (LANE * outcome)


def unpack_counts(word: int) -> tuple[int, int, int]:
    """Answered, Silent and Decoy of a word of counts."""
    return word & LANE_MASK, (word >> LANE) & LANE_MASK, (word >> (2 * LANE)) & LANE_MASK


def score_leaf(position: int, outcome: int, response: bytes, answer_signature: bytes, evidence: bytes) -> bytes:
    """Hash of one leaf. Silent and Decoy leaves carry empty bytes for all three."""
    return keccak(SCORE_LEAF + uint(position) + uint(outcome) + keccak(response) + keccak(answer_signature) + keccak(evidence))


def empty_score_leaf(position: int, outcome: Outcome) -> bytes:
    """Hash of a leaf that carries nothing: Silent or Decoy."""
    return keccak(SCORE_LEAF + uint(position) + uint(outcome) + EMPTY_HASH * 3)


def pack_sums(sums: Sums) -> bytes:
    """Sums as packed 32-byte words."""
    return b"".join(uint(word) for word in sums)


def add_sums(left: Sums, right: Sums) -> Sums:
    """Word-wise sum modulo 2^256."""
    return tuple((a + b) % WORD for a, b in zip(left, right, strict=True))


def parent(left: Node, right: Node) -> Node:
    """Parent of two nodes: hash over both hashes and sums, and the added sums."""
    return Node(
        keccak(NODE + left.hash + pack_sums(left.sums) + right.hash + pack_sums(right.sums)), add_sums(left.sums, right.sums)
    )


def commitment(root: Node) -> bytes:
    """What the chain stores of an attested root: keccak256(abi.encodePacked(hash, sums))."""
    return keccak(root.hash + pack_sums(root.sums))


@lru_cache(maxsize=1024)
def padding_node(level: int, words: int) -> Node:
    """Node at a level (0 = leaf) that covers only positions beyond the set."""
    if level == 0:
        return Node(ZERO_HASH, (0,) * words)
    below = padding_node(level - 1, words)
    return parent(below, below)


class SumTree:
    """Merkle-sum tree over a whole set; keeps every level."""

    def __init__(self, leaves: Sequence[Node]) -> None:
        """Build from one leaf a position, in order. ValueError for an empty set or sums of different lengths."""
        self.depth = depth_of(len(leaves))
        self._words = len(leaves[0].sums)
        self._levels = [list(leaves)]
        for level in range(self.depth):
            below = self._levels[-1]
            if len(below) % 2:
                below = [*below, padding_node(level, self._words)]
            self._levels.append([parent(below[i], below[i + 1]) for i in range(0, len(below), 2)])

    @property
    def root(self) -> Node:
        """Root of the tree; the leaf itself for a single item."""
        return self._levels[-1][0]

    def leaf(self, position: int) -> Node:
        """The leaf at a position."""
        return self._levels[0][position]

    def path(self, position: int) -> tuple[Node, ...]:
        """Siblings from the leaf up, `depth` of them. IndexError beyond the set."""
        if not 0 <= position < len(self._levels[0]):
            raise IndexError(position)
        siblings = []
        for height, level in enumerate(self._levels[:-1]):
            sibling = position ^ 1
            siblings.append(level[sibling] if sibling < len(level) else padding_node(height, self._words))
            position >>= 1
        return tuple(siblings)


def climb_sums(leaf: Node, position: int, path: Sequence[Node]) -> Node:
    """Root that a leaf leads to along a path."""
    for sibling in path:
        leaf = parent(sibling, leaf) if position & 1 else parent(leaf, sibling)
        position >>= 1
    return leaf


def padding_counts(position: int, path: Sequence[Node], items: int) -> bool:
    """Whether a sibling that covers only positions beyond the set has sums other than zero."""
    for height, sibling in enumerate(path):
        first = ((position >> height) ^ 1) << height
        if first >= items and any(sibling.sums):
            return True
    return False
