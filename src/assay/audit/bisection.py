"""Finds the position under a wrong inner sum: which one to demand next, from the openings that earlier demands brought.

A sum that is wrong inside the attested tree leaves no position below it with a Sound opening. The verifier's own tree, rebuilt
from the bundle's leaves, has other sums at such a node. Each Sound opening shows all siblings on its way up; one of them differs,
and below the lowest of these the next position is demanded. That node is lower every time, so after at most depth + 1 demands
one stays unanswered.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from assay.encoding.sumtree import SumTree, score_leaf
from assay.types import Node, Opening

__all__ = ["Suspect", "suspect"]


class Suspect(NamedTuple):
    """A position to demand: below a node, so many levels above the leaves, that is not our own; below the root at first."""

    position: int
    height: int


def suspect(leaves: Sequence[Node], shown: Iterable[Opening], demanded: Collection[int] = ()) -> Suspect | None:
    """The position to demand next, None where all that was shown agrees with our own tree.

    `leaves` are our own, `shown` Sound openings of this version, whose leaves stand in place of ours; `demanded` are positions
    that cannot be demanded again. Sums that differ come before hashes that do, lower nodes before higher ones.
    """
    openings = list(shown)
    own = SumTree(_proven(leaves, openings))
    if not openings:
        return _below(0, own.depth, len(leaves), demanded)
    found: set[tuple[bool, int, int]] = set()
    for opening in openings:
        for height, (sibling, mine) in enumerate(zip(opening.sum_path, own.path(opening.position), strict=True)):
            first = ((opening.position >> height) ^ 1) << height
            if first < len(leaves) and sibling != mine:
                found.add((sibling.sums == mine.sums, height, first))
    suspects = (_below(first, height, len(leaves), demanded) for _, height, first in sorted(found))
    return next((each for each in suspects if each is not None), None)


def _proven(leaves: Sequence[Node], shown: Iterable[Opening]) -> list[Node]:
    known = list(leaves)
    for o in shown:
        known[o.position] = Node(score_leaf(o.position, o.outcome, o.response, o.answer_signature, o.evidence), o.sums)
    return known


def _below(first: int, height: int, items: int, demanded: Collection[int]) -> Suspect | None:
    positions = range(first, min(first + (1 << height), items))
    free = next((position for position in positions if position not in demanded), None)
    return None if free is None else Suspect(free, height)
