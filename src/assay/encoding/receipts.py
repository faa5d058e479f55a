"""The four signed messages (EIP-712), invitations, which no contract reads, and the one rule for signatures.

Signatures are 65 bytes r, s, v with low s, v 27 or 28, plain ecrecover. The domain is Assay, version 1, the chain id and Rounds.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from coincurve import PrivateKey, PublicKey

from assay.encoding.hashing import ZERO_HASH, address_word, checksum, hash32, keccak, uint
from assay.types import Address, RoundId, VersionId

DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
ENROL_TYPE = keccak(b"Enrol(bytes32 round,bytes32 version)")
ASK_TYPE = keccak(b"Ask(bytes32 round,bytes32 version,uint32 position,bytes32 promptHash,uint40 answerUntil)")
ANSWER_TYPE = keccak(b"Answer(bytes32 round,bytes32 version,uint32 position,bytes32 promptHash,bytes32 responseHash)")
ACK_TYPE = keccak(b"Ack(bytes32 round,bytes32 version,uint32 position,bytes32 responseHash)")
INVITATION_TYPE = keccak(b"Invitation(bytes32 content)")

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SIGNATURE_BYTES = 65
_ORDER, _HALF_ORDER = uint(CURVE_ORDER), uint(CURVE_ORDER // 2)  # bytes of one length compare as their numbers do


@lru_cache(maxsize=64)
def domain_separator(chain_id: int, rounds: str) -> bytes:
    """EIP-712 domain separator of a deployment."""
    return keccak(DOMAIN_TYPE + keccak(b"Assay") + keccak(b"1") + uint(chain_id) + address_word(rounds))


@dataclass(frozen=True, slots=True)
class Domain:
    """Where signatures are valid: one chain, one Rounds contract."""

    chain_id: int
    rounds: Address

    def digest(self, struct_hash: bytes) -> bytes:
        """The 32 bytes that are signed."""
        return keccak(b"\x19\x01" + domain_separator(self.chain_id, self.rounds) + struct_hash)

    def enrol(self, round_: RoundId, version: VersionId) -> bytes:
        """Digest of an Enrol: the provider's consent to sit this round and lock the version bond."""
        return self.digest(keccak(ENROL_TYPE + hash32(round_) + hash32(version)))

    def ask(self, round_: RoundId, version: VersionId, position: int, prompt_hash: bytes, answer_until: int) -> bytes:
        """Digest of an Ask by the benchmarker's operator."""
        return self.digest(
            keccak(ASK_TYPE + hash32(round_) + hash32(version) + uint(position) + hash32(prompt_hash) + uint(answer_until))
        )

    def answer(self, round_: RoundId, version: VersionId, position: int, prompt_hash: bytes, response_hash: bytes) -> bytes:
        """Digest of an Answer by the provider's operator."""
        return self.digest(
            keccak(ANSWER_TYPE + hash32(round_) + hash32(version) + uint(position) + hash32(prompt_hash) + hash32(response_hash))
        )

    def ack(self, round_: RoundId, version: VersionId, position: int, response_hash: bytes) -> bytes:
        """Digest of an Ack by the benchmarker's operator."""
        return self.digest(keccak(ACK_TYPE + hash32(round_) + hash32(version) + uint(position) + hash32(response_hash)))

    def invitation(self, content: bytes) -> bytes:
        """Digest of an Invitation by the benchmarker's operator; `content` is the hash of the file. It binds nobody."""
        return self.digest(keccak(INVITATION_TYPE + hash32(content)))


class Signer(Protocol):
    """Something that holds one key and signs digests with it."""

    @property
    def address(self) -> Address:
        """Address of the key."""
        ...

    def sign(self, digest: bytes) -> bytes:
        """65-byte signature over a 32-byte digest; the same digest gives the same bytes."""
        ...


class LocalSigner:
    """A signer whose key is in memory. Its text form shows the address alone."""

    def __init__(self, secret: bytes) -> None:
        """From the 32 bytes of the private key."""
        self._key = PrivateKey(secret)
        self.address: Address = address_of(self._key.public_key)

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"

    def sign(self, digest: bytes) -> bytes:
        """Deterministic (RFC 6979) signature, low s, v 27 or 28."""
        signature = self._key.sign_recoverable(hash32(digest), hasher=None)
        return signature[:64] + bytes([signature[64] + 27])


def address_of(key: PublicKey) -> Address:
    """Address of a public key."""
    return checksum(keccak(key.format(compressed=False)[1:])[12:])


def recover(digest: bytes, signature: bytes) -> Address | None:
    """Address that signed the digest, or None where the chain would not accept the signature."""
    if len(signature) != SIGNATURE_BYTES or signature[64] not in (27, 28):
        return None
    if not (ZERO_HASH < signature[:32] < _ORDER and ZERO_HASH < signature[32:64] <= _HALF_ORDER):
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    except Exception:  # noqa: BLE001 - libsecp256k1 raises a bare Exception where no point fits r
        return None
    return address_of(key)
