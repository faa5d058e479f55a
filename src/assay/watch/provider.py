"""The provider's own watch: what became of the answers that it gave, round by round. Reads only; no key.

Before the reveal only an attested root is known, whose counts may already give a dropped answer away. After it every leaf is
compared with the provider's memory. Nobody is accused because something is missing: without a bundle there is only a note.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from assay.audit.calldata import posted_messages
from assay.audit.evidence import Held, Message, check
from assay.audit.facts import ChainFacts, collect
from assay.audit.own import Mismatch, compare, missing_at_least
from assay.audit.proofs import Proof
from assay.chain.client import Chain
from assay.errors import AssayError, Retry
from assay.storage.bundle import Bundle
from assay.types import Phase, RoundId, VersionId

__all__ = ["Bundles", "Memory", "Sight", "look", "proof_of"]

SHOWN = 20
"""Differences of a version that are kept; the rest is counted."""
PURPOSE = b"challenge"
ENDED = frozenset({Phase.FINAL, Phase.VOID, Phase.FORFEITED, Phase.SLASHED})

Bundles = Callable[[ChainFacts], AbstractContextManager[Bundle | None]]
"""Where a round's bundle comes from: by its CID, every block checked, so that it is the one that the chain names; or None."""


class Memory(Protocol):
    """What a provider kept."""

    def seats(self) -> Sequence[tuple[RoundId, VersionId]]:
        """Versions in rounds that it consented to."""
        ...

    def messages(self, round_: RoundId) -> Sequence[Message]:
        """Asks, Answers and Acks of a round."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """A version in a round at one block.

    `differences` counts all, `shown` holds the first of them; `note` says what could not be looked at, or what the root tells.
    """

    round: RoundId
    version: VersionId
    phase: Phase
    differences: int = 0
    shown: tuple[Mismatch, ...] = ()
    note: str = ""

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """What the chain would take."""
        return tuple(found.proof for found in self.shown if found.proof is not None)


def look(chain: Chain, memory: Memory, bundles: Bundles, done: frozenset[RoundId], at: int) -> Iterator[Sight]:
    """All seats in rounds that are not in `done`, at one block. Unreachable; what else is wrong with a round is its note."""
    seats: dict[RoundId, list[VersionId]] = {}
    for round_, version in memory.seats():
        if round_ not in done:
            seats.setdefault(round_, []).append(version)
    for round_, versions in seats.items():
        yield from _round(chain, memory, bundles, round_, versions, at)


def proof_of(sights: Sequence[Sight]) -> dict[RoundId, Proof]:
    """One proof for each round that has one: the first takes the whole bond."""
    found: dict[RoundId, Proof] = {}
    for sight in sights:
        for proof in sight.proofs[:1]:
            found.setdefault(sight.round, proof)
    return found


def _round(
    chain: Chain, memory: Memory, bundles: Bundles, round_: RoundId, versions: Sequence[VersionId], at: int
) -> Iterator[Sight]:
    phase = chain.rounds.phase(round_, at=at)
    if phase in ENDED or phase in (Phase.UNKNOWN, Phase.ANSWERING):
        yield from (Sight(round_, version, phase) for version in versions)
        return
    try:
        facts = collect(chain, round_, at=at)
        held = check(facts, (*memory.messages(round_), *posted_messages(chain, facts)))
        if phase is Phase.CHALLENGING:
            yield from _compared(facts, bundles, versions, held)
        else:
            yield from (Sight(round_, version, phase, note=_of_root(facts, version, held)) for version in versions)
    except Retry:
        raise
    except AssayError as error:
        yield from (Sight(round_, version, phase, note=error.message) for version in versions)


def _compared(facts: ChainFacts, bundles: Bundles, versions: Sequence[VersionId], held: Held) -> Iterator[Sight]:
    seen = []
    with bundles(facts) as bundle:
        for version in versions:
            if bundle is None:
                seen.append(Sight(facts.round.id, version, facts.phase, note="no bundle at hand: it can be demanded"))
                continue
            found = list(compare(facts, bundle, version, held))
            first = sorted(found, key=lambda mismatch: mismatch.proof is None)[:SHOWN]  # no flood hides a proof
            seen.append(Sight(facts.round.id, version, facts.phase, len(found), tuple(first)))
    yield from seen


def _of_root(facts: ChainFacts, version: VersionId, held: Held) -> str:
    """What an attested root tells before the reveal."""
    sitting = facts.sitting(version)
    missing = missing_at_least(facts, sitting, held) if sitting else 0
    return f"the attested root leaves out at least {missing} settled answers: provable after the reveal" if missing else ""
