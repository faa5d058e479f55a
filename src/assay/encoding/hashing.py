"""keccak256 and the 32-byte words of `abi.encode` for static types."""

from functools import lru_cache

from eth_typing import ChecksumAddress
from eth_utils import to_checksum_address

try:  # The C binding is five times as fast; eth-hash's default stands in where no wheel of it fits.
    from sha3 import keccak_256 as _keccak_256
except ImportError:  # pragma: no cover - depends on the platform's wheels
    from Crypto.Hash import keccak as _pycryptodome

    def keccak(data: bytes) -> bytes:
        """keccak256 of the bytes, 32 bytes."""
        return _pycryptodome.new(data=data, digest_bits=256).digest()
else:

    def keccak(data: bytes) -> bytes:
        """keccak256 of the bytes, 32 bytes."""
        digest: bytes = _keccak_256(data).digest()
        return digest


WORD = 1 << 256
ZERO_HASH = bytes(32)
EMPTY_HASH = keccak(b"")


def tag(name: str) -> bytes:
    """Domain tag of a leaf or node: keccak256("assay.<NAME>")."""
    return keccak(b"assay." + name.encode("ascii"))


def uint(value: int) -> bytes:
    """An unsigned integer as one word. OverflowError outside 0 .. 2^256 - 1."""
    return value.to_bytes(32, "big")


def address_word(address: str) -> bytes:
    """A 0x-prefixed address of 20 bytes as one word."""
    raw = bytes.fromhex(address[2:])
    if len(raw) != 20:
        raise ValueError(f"an address has 20 bytes, not {len(raw)}")
    return bytes(12) + raw


def hash32(value: bytes) -> bytes:
    """The value itself, demanded to be 32 bytes long."""
    if len(value) != 32:
        raise ValueError(f"a hash has 32 bytes, not {len(value)}")
    return value


@lru_cache(maxsize=1024)
def checksum(raw: bytes) -> ChecksumAddress:
    """A 20-byte address as a checksummed string. Cached: few signers sign much, and a spelling costs a third of a recovery."""
    return to_checksum_address(raw)
