"""What goes over the wire, as plain facts: Ask, Answer and Ack, with the hashes that their signatures cover."""

from dataclasses import dataclass
from typing import NamedTuple

from assay.encoding.hashing import keccak
from assay.encoding.receipts import Domain
from assay.types import RoundId, VersionId


class Seat(NamedTuple):
    """One version sitting in one round."""

    round: RoundId
    version: VersionId


class Place(NamedTuple):
    """One position of one version in one round: where there is at most one Answer."""

    round: RoundId
    version: VersionId
    position: int

    @property
    def seat(self) -> Seat:
        """The version in its round."""
        return Seat(self.round, self.version)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with the signature of the round's operator. `answer_until` is in Unix seconds."""

    place: Place
    prompt: str
    answer_until: int
    signature: bytes

    @property
    def prompt_hash(self) -> bytes:
        """keccak256 of the prompt's UTF-8 bytes."""
        return keccak(self.prompt.encode())

    def digest(self, domain: Domain) -> bytes:
        """What the operator signed."""
        return domain.ask(*self.place, self.prompt_hash, self.answer_until)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with the signature of the version's operator."""

    place: Place
    prompt_hash: bytes
    response: bytes
    signature: bytes

    @property
    def response_hash(self) -> bytes:
        """keccak256 of the response."""
        return keccak(self.response)


@dataclass(frozen=True, slots=True)
class Ack:
    """The receipt for an answer, with the signature of the round's operator."""

    place: Place
    response_hash: bytes
    signature: bytes

    def digest(self, domain: Domain) -> bytes:
        """What the operator signed."""
        return domain.ack(*self.place, self.response_hash)


def cut(response: bytes, cap: int) -> bytes:
    """The response cut to at most `cap` bytes without splitting a UTF-8 character; raw bytes where it is no UTF-8."""
    if len(response) <= cap:
        return response
    for end in range(cap, max(cap - 4, -1), -1):
        if response[end] & 0xC0 != 0x80:  # not a continuation byte: a character begins here
            return response[:end]
    return response[:cap]
