"""A provider's own answers against its published and attested tree: what differs, and the proof where the chain takes one.

Pure: `held` is what the provider kept, checked by `evidence.check`. Before the reveal there is only the root, whose counts alone
can tell that something was left out (`missing_at_least`).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum

from assay.audit import proofs
from assay.audit.evidence import Held, HeldAnswer, Place
from assay.audit.facts import ChainFacts, Sitting
from assay.audit.finding import exchanged
from assay.audit.judge import leaf_verdict
from assay.audit.openings import Openings, opened
from assay.audit.proofs import Proof
from assay.encoding.hashing import keccak
from assay.encoding.sumtree import unpack_counts
from assay.errors import BadInput, NotYet, Refused, Tampered, TooLate
from assay.storage.bundle import AnswerLine, Bundle, ItemLine
from assay.types import Kind, Outcome, VersionId

__all__ = ["Difference", "Mismatch", "compare", "missing_at_least"]

MOST_PROOFS = 3
"""Proofs that are built of one comparison: the first one takes the whole bond, the others are there if it fails."""
_NO_PROOF = (Refused, TooLate, NotYet, BadInput, Tampered)


class Difference(Enum):
    """How a published leaf and the provider's memory differ."""

    OTHER_ROOT = "the published lines do not lead to the attested root: demand positions"
    OTHER_RESPONSE = "another response than the one that was given"
    NEVER_GIVEN = "an answer where none was given"
    SIGNED_TWICE = "another response with a valid signature of this version's key: the key is used elsewhere"
    DROPPED_ACK = "silent, although the answer was acknowledged"
    DROPPED_POST = "silent, although the answer was posted"
    UNSETTLED = "silent: the answer was neither acknowledged nor posted, so nothing can be proven"
    FALSE_LEAF = "the leaf is a fault of its own"
    WRONG_ASK = "another question was asked than the sealed one"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One difference. `proof` is what the chain takes, None where there is none or enough were built before."""

    version: VersionId
    position: int | None
    difference: Difference
    proof: Proof | None = None


def compare(facts: ChainFacts, bundle: Bundle, version: VersionId, held: Held) -> Iterator[Mismatch]:
    """All differences of one version, by position. Decoys are published with their answers, and their empty leaves are right.

    BadInput where the version did not sit the round or the bundle cannot be read, Tampered where it is damaged.
    """
    openings = Openings(facts, bundle)
    rebuilt = openings.rebuilt(version)
    if not rebuilt.attested:
        yield Mismatch(version, None, Difference.OTHER_ROOT)
        return
    built = 0
    for found in _differences(facts, bundle, version, held, decoys_carry=rebuilt.decoys_carry):
        proof = _proof(facts, openings, found, held) if built < MOST_PROOFS else None
        built += proof is not None
        yield replace(found, proof=proof)


def missing_at_least(facts: ChainFacts, sitting: Sitting, held: Held) -> int:
    """How many acknowledged or posted answers an attested root leaves out for certain; 0 before it is attested."""
    if sitting.root is None:
        return 0
    version = sitting.version.id
    settled = {position for (known, position), acks in held.acks.items() if known == version and acks}
    settled |= {posted.position for posted in facts.posted if posted.version == version}
    _, silent, _ = unpack_counts(sitting.root.sums[0])
    return max(0, silent - (facts.round.items - len(settled)))


def _differences(facts: ChainFacts, bundle: Bundle, version: VersionId, held: Held, *, decoys_carry: bool) -> Iterator[Mismatch]:
    for item, line in exchanged(bundle, version):
        place = version, line.position
        faulty = leaf_verdict(facts, version, opened(item, line, decoys_carry=decoys_carry)).is_fault
        found = _difference(facts, place, item, line, held, faulty=faulty)
        if found is not None:
            yield Mismatch(version, line.position, found)
        if any(ask.prompt_hash != keccak(item.prompt) for ask in held.asks.get(place, ())):
            yield Mismatch(version, line.position, Difference.WRONG_ASK)


def _difference(
    facts: ChainFacts, place: Place, item: ItemLine, line: AnswerLine, held: Held, *, faulty: bool
) -> Difference | None:
    if line.outcome is Outcome.ANSWERED and item.kind is Kind.SCORED:
        return _of_answered(line, held.answers.get(place, ()), faulty=faulty)
    if line.outcome is Outcome.SILENT and item.kind is Kind.SCORED:
        if held.acks.get(place):
            return Difference.DROPPED_ACK
        if facts.posted_at(*place) is not None:
            return Difference.DROPPED_POST
        if held.answers.get(place) and not faulty:
            return Difference.UNSETTLED
    return Difference.FALSE_LEAF if faulty else None


def _of_answered(line: AnswerLine, given: tuple[HeldAnswer, ...], *, faulty: bool) -> Difference | None:
    same = any(answer.response_hash == keccak(line.response or b"") for answer in given)
    if same:
        return Difference.FALSE_LEAF if faulty else None
    if not faulty:
        return Difference.SIGNED_TWICE
    return Difference.OTHER_RESPONSE if given else Difference.NEVER_GIVEN


def _proof(facts: ChainFacts, openings: Openings, found: Mismatch, held: Held) -> Proof | None:
    """What the chain takes for a difference, None where that is nothing."""
    if found.position is None or found.difference in (Difference.SIGNED_TWICE, Difference.UNSETTLED):
        return None
    place = found.version, found.position
    with suppress(*_NO_PROOF):
        if found.difference is Difference.DROPPED_ACK:
            return proofs.ack(facts, openings, held.acks[place][0])
        if found.difference is Difference.WRONG_ASK:
            sealed = openings.sealed(found.position)
            wrong = next(ask for ask in held.asks[place] if ask.prompt_hash != sealed.prompt_hash)
            return proofs.ask(facts, wrong, sealed)
        return proofs.item(facts, openings, *place)
    return None
