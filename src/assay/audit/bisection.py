"""Finds the position under a wrong inner sum: which one to demand next, from the openings that earlier demands brought.

A sum that is wrong inside the attested tree leaves no position below it with a Sound opening. The verifier's own tree, rebuilt
from the bundle's leaves, has other sums at such a node. Each Sound opening shows all siblings on its way up; one of them differs,
and below the lowest of these the next position is demanded. That node is lower every time, so after at most depth + 1 demands
one stays unanswered.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from assay.audit.evidence import Place
from assay.audit.facts import ChainFacts
from assay.audit.judge import judge
from assay.audit.openings import Openings
from assay.chain.index import DemandRecord
from assay.encoding.sumtree import SumTree, score_leaf
from assay.errors import BadInput, NotYet, Refused
from assay.types import DemandState, Node, Opening, Verdict, VersionId

__all__ = ["Suspect", "next_demand", "suspect"]


class Suspect(NamedTuple):
    """A position to demand: below a node, so many levels above the leaves, that is not our own; below the root at first."""

    position: int
    height: int


def next_demand(
    facts: ChainFacts, openings: Openings, version: VersionId, shown: Mapping[Place, Opening], records: Iterable[DemandRecord]
) -> Suspect:
    """The position of a version to demand next. `shown` is what answered demands; what is not Sound of it is left out.

    Refused where the bundle leads to the attested root, or nothing is left to look for; NotYet while a demand is open.
    """
    rebuilt = openings.rebuilt(version)
    if rebuilt.attested:
        raise Refused("the bundle's leaves lead to the attested root", "Nothing is hidden: run `assay verify`.")
    known = {record.position: record for record in records if record.version == version}
    for record in known.values():
        if record.state is DemandState.OPEN:
            message = f"item {record.position} is demanded until {record.deadline}"
            raise NotYet(message, "Expire it then, or bisect on once it is answered.", at=record.deadline)
    leaves = [rebuilt.tree.leaf(position) for position in range(facts.round.items)]
    found = suspect(leaves, [o for (id_, _), o in shown.items() if id_ == version and _is_sound(facts, version, o)], known)
    if found is None:
        raise Refused("all that was shown agrees with the bundle's own sums", "Demand any position that you doubt.")
    return found


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


def _is_sound(facts: ChainFacts, version: VersionId, opening: Opening) -> bool:
    try:
        return judge(facts, version, opening) is Verdict.SOUND
    except BadInput:
        return False
