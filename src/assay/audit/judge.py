"""The mirror of `Judge.judge`: the same verdict for every opening, computed from facts of the chain without asking it."""

from typing import cast

from assay.audit.facts import ChainFacts
from assay.encoding.hashing import WORD, keccak
from assay.encoding.receipts import recover
from assay.encoding.seals import climb_set, depth_of, set_leaf
from assay.encoding.sumtree import LANE, climb_sums, commitment, padding_counts, score_leaf
from assay.errors import BadInput
from assay.metrics import by_signature
from assay.types import Item, Kind, Node, Opening, Outcome, Sums, Verdict, VersionId

__all__ = ["expected_sums", "has_wrong_sums", "judge", "leaf_verdict"]

_REMEDY = "This is no opening of the round: build it again from the round's own bundle."
_MAX_SMALL = 256


def judge(facts: ChainFacts, version: VersionId, opening: Opening) -> Verdict:
    """What the chain would say of an opened item.

    Raises BadInput where the contract reverts: a position beyond the set, paths or sums of another length, values that do not fit
    their type. Order of verdicts as in `IJudge`. UnknownMetric where we do not ship the round's metric.
    """
    _demand_shape(facts, opening)
    item = Item(opening.position, cast(Kind, opening.kind), opening.prompt, opening.reference, opening.salt)
    leaf = set_leaf(facts.chain_id, facts.rounds, facts.round.benchmarker, item)
    if climb_set(leaf, opening.position, opening.set_path) != facts.round.set_root:
        return Verdict.NOT_SEALED
    hashed = score_leaf(opening.position, opening.outcome, opening.response, opening.answer_signature, opening.evidence)
    root = climb_sums(Node(hashed, opening.sums), opening.position, opening.sum_path)
    sitting = facts.sitting(version)
    if sitting is None or commitment(root) != sitting.root_commitment:
        return Verdict.NOT_ATTESTED
    return leaf_verdict(facts, version, opening)


def leaf_verdict(facts: ChainFacts, version: VersionId, opening: Opening) -> Verdict:
    """The verdict on an item taken to stand under both roots. Its paths serve only to look at padding and may be empty."""
    if _is_wrong_kind(opening):
        return Verdict.WRONG_KIND
    if opening.outcome != Outcome.ANSWERED and (opening.response or opening.answer_signature or opening.evidence):
        return Verdict.MALFORMED
    texts = (opening.prompt, opening.reference, opening.response, opening.evidence)
    if max(map(len, texts)) > facts.task.max_bytes:
        return Verdict.TOO_LONG
    if opening.outcome == Outcome.ANSWERED and not _has_receipt(facts, version, opening):
        return Verdict.WRONG_RECEIPT
    if padding_counts(opening.position, opening.sum_path, facts.round.items) or has_wrong_sums(facts, opening):
        return Verdict.WRONG_STATISTICS
    if opening.outcome == Outcome.SILENT and facts.posted_at(version, opening.position):
        return Verdict.DROPPED
    return Verdict.SOUND


def has_wrong_sums(facts: ChainFacts, opening: Opening) -> bool:
    """Whether an item's count or statistics are wrong by themselves, whatever stands beside it in the tree."""
    return opening.sums != expected_sums(facts, opening)


def expected_sums(facts: ChainFacts, opening: Opening) -> Sums:
    """The sums that the leaf of an opened item must have: its outcome counted, and what the metric measures."""
    metric = by_signature(facts.metric.signature)
    if opening.outcome == Outcome.DECOY:
        measured: tuple[int, ...] = (0,) * facts.task.metric_words
    else:
        measured = metric.measure(opening.response, opening.reference, opening.evidence)
    return (1 << (LANE * opening.outcome), *measured)


def _is_wrong_kind(opening: Opening) -> bool:
    if opening.kind > Kind.DECOY or opening.outcome > Outcome.DECOY:
        return True
    return (opening.outcome == Outcome.DECOY) != (opening.kind == Kind.DECOY)


def _has_receipt(facts: ChainFacts, version: VersionId, opening: Opening) -> bool:
    sitting = facts.sitting(version)
    hashes = keccak(opening.prompt), keccak(opening.response)
    digest = facts.domain.answer(facts.round.id, version, opening.position, *hashes)
    return sitting is not None and recover(digest, opening.answer_signature) == sitting.version.operator


def _demand_shape(facts: ChainFacts, opening: Opening) -> None:
    if not 0 <= opening.position < facts.round.items:
        raise BadInput(f"position {opening.position} is not in a set of {facts.round.items}", _REMEDY)
    if not 0 <= opening.kind < _MAX_SMALL or not 0 <= opening.outcome < _MAX_SMALL or not 0 <= opening.seed < WORD:
        raise BadInput("kind, outcome or seed does not fit its type", _REMEDY)
    depth = depth_of(facts.round.items)
    _demand_length("set path", depth, len(opening.set_path))
    _demand_length("sum path", depth, len(opening.sum_path))
    _demand_length("sums", facts.words, len(opening.sums))
    for sibling in opening.sum_path:
        _demand_length("sibling's sums", facts.words, len(sibling.sums))
    if any(not 0 <= word < WORD for node in (opening.sums, *(sibling.sums for sibling in opening.sum_path)) for word in node):
        raise BadInput("a sum does not fit 256 bits", _REMEDY)


def _demand_length(what: str, expected: int, got: int) -> None:
    if expected != got:
        raise BadInput(f"{what}: length {got}, not {expected}", _REMEDY)
