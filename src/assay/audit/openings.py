"""Builds openings from a bundle: the set's tree and each version's score tree are rebuilt from its lines.

What a leaf carries: an Answered one its response, signature and evidence; a Silent one whatever its line shows, honestly
nothing; a Decoy nothing, although its line shows the exchange. Only where the attested root says that decoys carried theirs are
they opened so.
"""

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import NamedTuple, TypeVar

from assay.audit.facts import ChainFacts
from assay.encoding.hashing import keccak
from assay.encoding.seals import SetTree, set_leaf
from assay.encoding.sumtree import SumTree, commitment, score_leaf
from assay.errors import BadInput
from assay.storage.bundle import AnswerLine, Bundle, ItemLine, answers_name
from assay.types import Node, Opening, Outcome, SetOpening, VersionId

__all__ = ["Openings", "Rebuilt", "leaf_node", "opened", "opening", "rebuild", "set_tree"]

T = TypeVar("T")


class Rebuilt(NamedTuple):
    """A version's score tree as its bundle gives it; `attested` says whether it is the one that the chain holds."""

    tree: SumTree
    decoys_carry: bool
    attested: bool


def opened(item: ItemLine, line: AnswerLine, *, decoys_carry: bool = False) -> Opening:
    """One position of a bundle as an opening without paths and seed."""
    bare = line.outcome is Outcome.DECOY and not decoys_carry
    return Opening(
        position=line.position,
        kind=item.kind,
        prompt=item.prompt,
        reference=item.reference,
        salt=item.salt,
        set_path=(),
        outcome=line.outcome,
        response=b"" if bare or line.response is None else line.response,
        answer_signature=b"" if bare or line.answer is None else line.answer,
        evidence=b"" if bare else line.evidence,
        sums=line.sums,
        sum_path=(),
        seed=0,
    )


def set_tree(facts: ChainFacts, items: Iterable[ItemLine]) -> SetTree:
    """The tree over a bundle's items, bound to the round's chain, contract and benchmarker."""
    return SetTree([set_leaf(facts.chain_id, facts.rounds, facts.round.benchmarker, line.item) for line in items])


def leaf_node(line: AnswerLine, *, decoys_carry: bool) -> Node:
    """The leaf of a line's score tree."""
    bare = line.outcome is Outcome.DECOY and not decoys_carry
    carried = (b"", b"", b"") if bare else (line.response or b"", line.answer or b"", line.evidence)
    return Node(score_leaf(line.position, line.outcome, *carried), line.sums)


def rebuild(facts: ChainFacts, version: VersionId, lines: Iterable[AnswerLine]) -> Rebuilt:
    """A version's score tree from its lines.

    BadInput, with file and line, where sums have another length than the task's. Memory: two nodes a position at most.
    """
    sitting = facts.sitting(version)
    expected = sitting.root_commitment if sitting else b""
    bare, carrying = [], {}
    for line in lines:
        if len(line.sums) != facts.words:
            where = f"{answers_name(version)}:{line.position + 1}"
            raise BadInput(f"has {len(line.sums)} sums, the task asks for {facts.words}", where=where)
        bare.append(leaf_node(line, decoys_carry=False))
        if line.outcome is Outcome.DECOY:
            carrying[line.position] = leaf_node(line, decoys_carry=True)
    tree = SumTree(bare)
    if commitment(tree.root) != expected and carrying:
        other = SumTree([carrying.get(position, leaf) for position, leaf in enumerate(bare)])
        if commitment(other.root) == expected:
            return Rebuilt(other, decoys_carry=True, attested=True)
    return Rebuilt(tree, decoys_carry=False, attested=commitment(tree.root) == expected)


class Openings:
    """Openings of one round from one bundle. Trees are built once; each opening reads two files up to its position."""

    def __init__(self, facts: ChainFacts, bundle: Bundle) -> None:
        self._facts, self._bundle = facts, bundle
        self._set: SetTree | None = None
        self._scores: dict[VersionId, Rebuilt] = {}

    def open(self, version: VersionId, position: int, seed: int = 0) -> Opening:
        """One item with both paths.

        It is what the bundle gives: where the bundle does not lead to the chain's roots, `judge` says NotSealed or NotAttested.
        BadInput for a position beyond the set or a version that the bundle does not hold; errors of `Bundle` for a damaged one.
        """
        if not 0 <= position < self._facts.round.items:
            raise BadInput(f"position {position} is not in a set of {self._facts.round.items}", "Positions count from 0.")
        rebuilt = self.rebuilt(version)
        item = _nth(self._bundle.items(), position)
        line = _nth(self._bundle.answers(version), position)
        bare = opened(item, line, decoys_carry=rebuilt.decoys_carry)
        return replace(bare, set_path=self._tree().path(position), sum_path=rebuilt.tree.path(position), seed=seed)

    def sealed(self, position: int) -> SetOpening:
        """The sealed half of one item, its texts as hashes. Errors as `open`."""
        if not 0 <= position < self._facts.round.items:
            raise BadInput(f"position {position} is not in a set of {self._facts.round.items}", "Positions count from 0.")
        item = _nth(self._bundle.items(), position)
        hashes = keccak(item.prompt), keccak(item.reference)
        return SetOpening(position, item.kind, *hashes, item.salt, self._tree().path(position))

    def rebuilt(self, version: VersionId) -> Rebuilt:
        """The version's score tree."""
        if version not in self._scores:
            with closing(self._bundle.answers(version)) as lines:
                self._scores[version] = rebuild(self._facts, version, lines)
        return self._scores[version]

    def _tree(self) -> SetTree:
        if self._set is None:
            self._set = set_tree(self._facts, self._bundle.items())
        return self._set


def opening(facts: ChainFacts, bundle: Bundle, version: VersionId, position: int, seed: int = 0) -> Opening:
    """One item of a bundle, opened; see `Openings.open`."""
    return Openings(facts, bundle).open(version, position, seed)


def _nth(lines: Generator[T, None, None], position: int) -> T:
    with closing(lines):
        return next(islice(lines, position, None))
