"""Ids, enums and facts that every part of Assay shares. Mirrors `contracts/interfaces`; no behaviour here.

Hashes, ids, digests and salts are 32 raw bytes, signatures 65, money is wei, times are Unix seconds, scores are integers with
1e18 = perfect. Addresses are checksummed strings.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, NewType

from eth_typing import ChecksumAddress as Address

__all__ = [
    "SCORE_ONE",
    "Address",
    "Attestation",
    "Block",
    "Closing",
    "Deadlines",
    "Demand",
    "DemandState",
    "Fault",
    "Item",
    "Kind",
    "ModelId",
    "Node",
    "Opening",
    "Outcome",
    "Phase",
    "PostedAnswer",
    "Round",
    "RoundId",
    "ScoreView",
    "SetOpening",
    "SignedAnswer",
    "SignedAsk",
    "Skip",
    "Standing",
    "Sums",
    "TaskId",
    "TaskParams",
    "Verdict",
    "Version",
    "VersionId",
]

TaskId = NewType("TaskId", bytes)
ModelId = NewType("ModelId", bytes)
VersionId = NewType("VersionId", bytes)
RoundId = NewType("RoundId", bytes)

Sums = tuple[int, ...]
"""1 + W words of 256 bits: counts of outcomes, then the metric's statistics."""

SCORE_ONE = 10**18


class Kind(IntEnum):
    """What a sealed position is. Hidden by the salt until the reveal."""

    SCORED = 0
    DECOY = 1


class Outcome(IntEnum):
    """What became of a position for one version."""

    ANSWERED = 0
    SILENT = 1
    DECOY = 2


class Phase(IntEnum):
    """Where a round stands; derived by the chain from stored times."""

    UNKNOWN = 0
    ANSWERING = 1
    ATTESTING = 2
    REVEALING = 3
    CHALLENGING = 4
    FINAL = 5
    VOID = 6
    FORFEITED = 7
    SLASHED = 8


class Fault(IntEnum):
    """Why a round was slashed."""

    NONE = 0
    WRONG_KIND = 1
    WRONG_RECEIPT = 2
    WRONG_STATISTICS = 3
    TOO_LONG = 4
    MALFORMED = 5
    DROPPED = 6
    ACK_DROPPED = 7
    WRONG_ASK = 8
    REUSED = 9
    LEAKED = 10
    UNANSWERED = 11


class DemandState(IntEnum):
    """What became of a demand."""

    NONE = 0
    OPEN = 1
    ANSWERED = 2
    RECLAIMED = 3


class Standing(IntEnum):
    """What a version has in a round."""

    NONE = 0
    ENROLLED = 1
    SCORED = 2
    INCOMPLETE = 3
    STRUCK = 4


class Skip(IntEnum):
    """Why a version was not enrolled."""

    UNKNOWN = 0
    COMMITTED_TOO_LATE = 1
    ALREADY_ENROLLED = 2
    WRONG_SIGNATURE = 3
    NO_STAKE = 4


class Verdict(IntEnum):
    """What the judge says of an opened item."""

    SOUND = 0
    NOT_SEALED = 1
    NOT_ATTESTED = 2
    WRONG_KIND = 3
    WRONG_RECEIPT = 4
    WRONG_STATISTICS = 5
    TOO_LONG = 6
    MALFORMED = 7
    DROPPED = 8

    @property
    def is_fault(self) -> bool:
        """Whether a challenge with this verdict slashes."""
        return self > Verdict.NOT_ATTESTED


@dataclass(frozen=True, slots=True)
class TaskParams:
    """All parameters of a task, in the order in which its id hashes them."""

    description_digest: bytes
    metric: Address
    metric_words: int
    max_items: int
    max_bytes: int
    max_silence_bps: int
    answer_window: int
    post_window: int
    attest_window: int
    reveal_window: int
    challenge_window: int
    round_bond: int
    demand_window: int
    version_bond: int
    demand_fee: int


@dataclass(frozen=True, slots=True)
class Version:
    """A committed version of a model."""

    id: VersionId
    model: ModelId
    owner: Address
    operator: Address
    committed_at: int
    number: int


@dataclass(frozen=True, slots=True)
class Round:
    """Facts of a round, as the chain stores them."""

    id: RoundId
    set_root: bytes
    task: TaskId
    benchmarker: Address
    operator: Address
    items: int
    sealed_at: int
    revealed_at: int
    enrolled: int
    attested: int
    fault: Fault
    bundle_digest: bytes


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Deadlines of a round, all fixed at its seal."""

    answer_by: int
    attest_by: int
    reveal_by: int
    versions_released_at: int


@dataclass(frozen=True, slots=True)
class Closing:
    """When the challenge window closes, and the last deadline of its demands. A demand moves both."""

    final_at: int
    queue_end: int


@dataclass(frozen=True, slots=True)
class ScoreView:
    """A version's score in a round with all that a reader needs to judge it."""

    phase: Phase
    standing: Standing
    score: int
    answered: int
    silent: int
    decoys: int


class Node(NamedTuple):
    """A node of a score tree, also a sibling on a path through it."""

    hash: bytes
    sums: Sums


@dataclass(frozen=True, slots=True)
class Attestation:
    """Claimed root of one version's score tree."""

    version: VersionId
    root: Node


@dataclass(frozen=True, slots=True)
class Item:
    """One sealed position with its texts, raw UTF-8 bytes."""

    position: int
    kind: Kind
    prompt: bytes
    reference: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class PostedAnswer:
    """An answer as `postAnswer` takes it."""

    version: VersionId
    position: int
    prompt_hash: bytes
    answer_until: int
    response: bytes
    ask_signature: bytes
    answer_signature: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """One item of a round, opened: the argument of `judge` and `challenge`."""

    position: int
    kind: int
    prompt: bytes
    reference: bytes
    salt: bytes
    set_path: tuple[bytes, ...]
    outcome: int
    response: bytes
    answer_signature: bytes
    evidence: bytes
    sums: Sums
    sum_path: tuple[Node, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class SetOpening:
    """The sealed half of an item, its texts as hashes: only who has its salt can show it."""

    position: int
    kind: int
    prompt_hash: bytes
    reference_hash: bytes
    salt: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class SignedAsk:
    """An Ask as the round's operator signed it, as the disputes take it."""

    version: VersionId
    position: int
    prompt_hash: bytes
    answer_until: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedAnswer:
    """An Answer as the version's operator signed it, as the disputes take it."""

    prompt_hash: bytes
    response_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand of a position; the demander's fee is locked while it is open."""

    demander: Address
    deadline: int
    state: DemandState


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the chain, as far as time and finality need it."""

    number: int
    hash: bytes
    timestamp: int
