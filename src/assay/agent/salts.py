"""All that is drawn from the master secret: source file and secret rebuild every salt, so a lost database loses no question.

The nonce of a round hashes the set itself and how often it was sealed before, not a counter of the machine: a counter that starts
again after a loss would give two sets the same salts, and the first reveal would open the second set's leaves to guessing.
"""

import hashlib
import hmac
from collections.abc import Sequence

from assay.agent.records import SetItem
from assay.encoding.hashing import address_word, uint
from assay.types import Address

SECRET_BYTES = 32


def set_digest(items: Sequence[SetItem]) -> bytes:
    """sha256 over kinds and texts of a set in the order of its source; groups and tags do not count."""
    digest = hashlib.sha256(b"assay.set.v1")
    for item in items:
        digest.update(uint(item.kind))
        for text in (item.prompt, item.reference):
            digest.update(hashlib.sha256(text).digest())
    return digest.digest()


def nonce_of(digest: bytes, attempt: int) -> bytes:
    """Nonce of the attempt-th sealing of a set, from 0."""
    return hashlib.sha256(b"assay.nonce.v1" + digest + uint(attempt)).digest()


class Salts:
    """The master secret, bound to one chain and one Rounds contract. Its text form shows neither."""

    def __init__(self, secret: bytes, chain_id: int, rounds: Address) -> None:
        """From the 32 bytes of the secret."""
        if len(secret) != SECRET_BYTES:
            raise ValueError("the master secret has 32 bytes")
        self._secret = secret
        self._home = uint(chain_id) + address_word(rounds)

    def __repr__(self) -> str:
        return "Salts()"

    def salt(self, nonce: bytes, position: int) -> bytes:
        """salt_p = HMAC-SHA256(secret, "salt" ‖ chain ‖ rounds ‖ nonce ‖ p), 32 bytes."""
        return self._draw(b"assay.salt.v1", nonce, position)

    def placing(self, nonce: bytes, items: int) -> list[int]:
        """Which item of the source stands at each position: a permutation that nobody without the secret can guess.

        Positions are ordered by HMACs of the ordinals, so decoys and neighbours of one document stand anywhere.
        """
        return sorted(range(items), key=lambda ordinal: self._draw(b"assay.place.v1", nonce, ordinal))

    def _draw(self, purpose: bytes, nonce: bytes, index: int) -> bytes:
        return hmac.digest(self._secret, purpose + self._home + nonce + uint(index), "sha256")
