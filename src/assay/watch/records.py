"""Rows of the watchtower's journal as facts, and what an audit left. Times are the chain's, in Unix seconds."""

from dataclasses import dataclass, field
from typing import NamedTuple

from assay.types import Address, RoundId, TaskId, VersionId

__all__ = ["Act", "Audit", "Found", "Known", "Sighting", "Spent"]


@dataclass(frozen=True, slots=True)
class Known:
    """A sealed round, in a block that is final."""

    round: RoundId
    benchmarker: Address
    task: TaskId
    block: int


class Found(NamedTuple):
    """A proof that an audit found; built again when it is brought. `other` is the second round of a reuse."""

    kind: str
    version: VersionId | None
    position: int | None
    other: RoundId | None = None


@dataclass(frozen=True, slots=True)
class Audit:
    """What is known of a round's bundle. `evidence` is the digest of what was held outside it at that time.

    `exit_code` is the verification's; `failed` are its failed steps. `shut` names the versions of which no item can be opened
    from the bundle with this digest, with why: unserved, items, lines, root. `early` ones were made of evidence alone, before
    the reveal.
    """

    round: RoundId
    evidence: bytes
    block: int
    served: bool
    exit_code: int
    bundle: bytes = b""
    early: bool = False
    failed: tuple[int, ...] = ()
    found: tuple[Found, ...] = ()
    shut: dict[VersionId, str] = field(default_factory=dict)

    @property
    def is_honest(self) -> bool:
        """Whether the bundle is at hand and nothing in it failed."""
        return self.served and not self.failed


@dataclass(frozen=True, slots=True)
class Act:
    """Something that was decided and is sent or will be. `version` and `position` are empty and -1 where there is none.

    `state` is open, mined, failed or dropped; `reward` and `locks` are those of the proof, `fee` what its gas has cost, in wei.
    """

    id: int
    kind: str
    round: RoundId
    version: bytes
    position: int
    reward: int
    locks: int
    block: int
    at: int
    state: str = "open"
    fee: int = 0
    mined_in: int = -1

    @property
    def key(self) -> tuple[str, bytes, bytes, int]:
        """What it is about: two acts of one key do the same."""
        return self.kind, self.round, self.version, self.position


class Spent(NamedTuple):
    """Wei of gas and fees, those reserved for what is under way included."""

    today: int
    ever: int


class Sighting(NamedTuple):
    """A prompt that was public before its round's seal. `source` is a round in hex, or name and digest of a public set."""

    round: RoundId
    position: int
    kind: str
    source: str
    place: int
    similarity: float
