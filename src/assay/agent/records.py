"""Rows of the journal as facts. Texts, hashes and signatures are raw bytes, times are Unix seconds of the local clock."""

from dataclasses import dataclass

from assay.types import Address, Kind, ModelId, Node, RoundId, TaskId, VersionId


@dataclass(frozen=True, slots=True)
class SetRecord:
    """An imported set. `digest` is over its items in their order, so the same file is always the same set."""

    name: str
    digest: bytes
    scored: int
    decoys: int
    imported_at: float


@dataclass(frozen=True, slots=True)
class SetItem:
    """One item of an imported set, at its place in the source."""

    ordinal: int
    kind: Kind
    prompt: bytes
    reference: bytes
    group: str
    tags: tuple[str, ...]
    prompt_hash: bytes


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """A round as it was decided on this machine, before it was sent."""

    round: RoundId
    set_name: str
    chain_id: int
    rounds_contract: Address
    benchmarker: Address
    operator: Address
    task: TaskId
    description: bytes
    nonce: bytes
    set_root: bytes
    items: int
    card: bytes
    journaled_at: float


@dataclass(frozen=True, slots=True)
class TxRecord:
    """A signed transaction. `what` says in words what it does."""

    hash: bytes
    raw: bytes
    nonce: int
    what: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A provider's consent to sit a round, and where its gateway was last."""

    round: RoundId
    version: VersionId
    model: ModelId
    operator: Address
    signature: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A signed question to one version."""

    round: RoundId
    version: VersionId
    position: int
    answer_until: int
    prompt_hash: bytes
    signature: bytes
    asked_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The one signed answer of a version at a position. `latency_ms` from the sent Ask to the whole answer."""

    round: RoundId
    version: VersionId
    position: int
    answer_until: int
    response: bytes
    response_hash: bytes
    signature: bytes
    answered_at: float
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Ack:
    """Our acknowledgement of an answer."""

    round: RoundId
    version: VersionId
    position: int
    response_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that passed at one position with one version: the last Ask, the Answer and its Ack, as far as they exist."""

    ask: Ask | None
    answer: Answer | None
    ack: Ack | None


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A second, different Answer of a provider: evidence, never used for a score."""

    round: RoundId
    version: VersionId
    position: int
    response: bytes
    response_hash: bytes
    signature: bytes
    source: str


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """A score tree's root, and the block whose state it was built from."""

    version: VersionId
    root: Node
    block_number: int
    block_hash: bytes


@dataclass(frozen=True, slots=True)
class BundleRecord:
    """A bundle in the store."""

    cid: str
    digest: bytes
