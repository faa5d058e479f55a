"""given leaves / when pushed one by one, or in parts made apart / the root is that of the tree that keeps every level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.encoding.frontier import Frontier
from assay.encoding.hashing import keccak, uint
from assay.encoding.seals import SetTree, padding_hash, set_node
from assay.encoding.sumtree import SumTree, padding_node, parent
from assay.types import Node


def set_leaves(count: int) -> list[bytes]:
    return [keccak(uint(position)) for position in range(count)]


def sum_leaves(count: int) -> list[Node]:
    return [Node(keccak(uint(position)), (1 << 32 * (position % 3), position**9)) for position in range(count)]


@pytest.mark.parametrize("count", [*range(1, 70), 127, 128, 129, 1000])
def test_root__leaves_one_by_one__is_the_trees(count: int) -> None:
    sets, sums = Frontier(set_node), Frontier(parent)
    for leaf, node in zip(set_leaves(count), sum_leaves(count), strict=True):
        sets.push(leaf)
        sums.push(node)
    assert sets.root(padding_hash) == SetTree(set_leaves(count)).root
    assert sums.root(lambda level: padding_node(level, 2)) == SumTree(sum_leaves(count)).root
    assert len(sums.subtrees) == count.bit_count(), "one a level, however many leaves"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_root__parts_of_any_size_made_apart__is_the_trees(sizes: list[int]) -> None:
    leaves, whole = sum_leaves(sum(sizes)), Frontier(parent)
    first = 0
    for size in sizes:
        part = Frontier(parent, first)
        for leaf in leaves[first : first + size]:
            part.push(leaf)
        whole.extend(part.subtrees)
        first += size
    assert whole.end == len(leaves)
    assert whole.root(lambda level: padding_node(level, 2)) == SumTree(leaves).root


def test_push__subtree_where_none_can_begin__raises() -> None:
    frontier = Frontier(set_node)
    frontier.push(bytes(32))
    with pytest.raises(ValueError, match="position 1"):
        frontier.push(bytes(32), level=1)


def test_root__no_leaves__raises() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Frontier(set_node).root(padding_hash)
