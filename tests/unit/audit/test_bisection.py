"""given true leaves with a wrong sum above them / when answers are bisected / it is found in depth + 1 demands."""

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.bisection import suspect
from assay.encoding.sumtree import SumTree, counts_word, empty_score_leaf
from assay.types import Node, Opening, Outcome
from unit.audit.holding import ForgedTree


def leaves_of(count: int) -> list[Node]:
    return [Node(empty_score_leaf(p, Outcome.SILENT), (counts_word(Outcome.SILENT), p)) for p in range(count)]


def shown(tree: SumTree, position: int) -> Opening:
    """A Sound opening, as far as the bisection looks at it."""
    leaf, path = tree.leaf(position), tree.path(position)
    return Opening(position, 0, b"", b"", b"", (), Outcome.SILENT, b"", b"", b"", leaf.sums, path, 0)


def under(position: int, level: int, index: int) -> bool:
    return position >> level == index


@settings(max_examples=150, deadline=None)
@given(count=st.integers(2, 70), data=st.data())
def test_suspect__wrong_sum_anywhere__is_hit_within_depth_plus_one(count: int, data: st.DataObject) -> None:
    leaves = leaves_of(count)
    depth = SumTree(leaves).depth
    level = data.draw(st.integers(0, depth - 1))
    index = data.draw(st.integers(0, (count - 1) >> level))
    forged = ForgedTree(leaves, level, index, (0, data.draw(st.integers(1, 9))))
    openings: list[Opening] = []
    for _ in range(depth + 1):
        found = suspect(leaves, openings, {opening.position for opening in openings})
        assert found is not None
        if under(found.position, level, index):
            return
        openings.append(shown(forged, found.position))
    raise AssertionError(f"not found: level {level}, index {index} of {count}")


def test_suspect__honest_tree__has_none_after_one_answer() -> None:
    leaves = leaves_of(9)
    assert suspect(leaves, [shown(SumTree(leaves), 0)]) is None


def test_suspect__our_own_leaf_is_another__the_proven_one_stands_in_its_place() -> None:
    leaves = leaves_of(9)
    ours = [*leaves[:4], Node(leaves[4].hash, (leaves[4].sums[0], 77)), *leaves[5:]]
    tree = SumTree(leaves)
    first = suspect(ours, [shown(tree, 0)], {0})
    assert first is not None
    assert first.height == 2
    second = suspect(ours, [shown(tree, 0), shown(tree, 4)], {0, 4})
    assert second is None


def test_suspect__everything_below_was_demanded__goes_elsewhere_or_ends() -> None:
    leaves = leaves_of(4)
    forged = ForgedTree(leaves, 0, 1, (0, 1))
    assert suspect(leaves, [shown(forged, 0)], {0, 1}) is None
    assert suspect(leaves_of(1), [], {0}) is None
