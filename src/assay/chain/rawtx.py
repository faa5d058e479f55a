"""Mined transactions as the bytes that were signed: rebuilt from what a node says of them, and read without any node."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import rlp

from assay.encoding.hashing import checksum, keccak
from assay.encoding.receipts import recover
from assay.types import Address

__all__ = ["Mined", "raw_of", "read"]

MAX_BYTES = 1 << 20
_FIELDS: Mapping[int, tuple[str, ...]] = {
    0: ("nonce", "gasPrice", "gas", "to", "value", "input"),
    1: ("chainId", "nonce", "gasPrice", "gas", "to", "value", "input"),
    2: ("chainId", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "input"),
}
"""Fields before the access list and the signature, by type; a legacy transaction has no access list."""
_SIGNED = 3
_EIP155 = 35


class Mined(NamedTuple):
    """What signed bytes say: their hash, who signed them, whom they call with what. `sender` None where the signature is none."""

    hash: bytes
    sender: Address | None
    to: Address | None
    data: bytes


def raw_of(found: Mapping[str, Any]) -> bytes:
    """The signed bytes of a transaction as a node describes it; empty where they cannot be rebuilt (other types, odd answers)."""
    try:
        kind = int(str(found.get("type", "0x0")), 16)
        fields: list[Any] = [_bytes(name, found[name]) for name in _FIELDS[kind]]
        if kind:
            fields.append(
                [[_hex(entry["address"]), [_hex(key) for key in entry["storageKeys"]]] for entry in found["accessList"]]
            )
        parity = found["v"] if not kind else found.get("yParity", found["v"])
        fields += [_bytes(name, value) for name, value in (("v", parity), ("r", found["r"]), ("s", found["s"]))]
        raw = (bytes([kind]) if kind else b"") + rlp.encode(fields)
        return raw if keccak(raw) == _hex(found["hash"]) else b""
    except (KeyError, TypeError, ValueError, rlp.exceptions.RLPException):
        return b""


def read(raw: bytes) -> Mined | None:
    """What signed bytes say. None where they are no transaction of the types 0 to 2."""
    if not 0 < len(raw) <= MAX_BYTES:
        return None
    kind = raw[0] if raw[0] in (1, 2) else 0
    try:
        fields = rlp.decode(raw[1:] if kind else raw)
        names = _FIELDS[kind]
        if not isinstance(fields, list) or len(fields) != len(names) + (1 if kind else 0) + _SIGNED:
            return None
        to, data = fields[names.index("to")], fields[names.index("input")]
        if not isinstance(to, bytes) or not isinstance(data, bytes) or len(to) not in (0, 20):
            return None
        return Mined(keccak(raw), _sender(kind, fields), checksum(to) if to else None, data)
    except (rlp.exceptions.RLPException, TypeError, ValueError, OverflowError):
        return None


def _sender(kind: int, fields: Sequence[Any]) -> Address | None:
    unsigned, (v, r, s) = list(fields[:-_SIGNED]), (int.from_bytes(part, "big") for part in fields[-_SIGNED:])
    parity = v
    if not kind:
        if v >= _EIP155:
            unsigned += [(v - _EIP155) // 2, b"", b""]
            parity = (v - _EIP155) % 2
        else:
            parity = v - 27
    if parity not in (0, 1) or r >> 256 or s >> 256:
        return None
    digest = keccak((bytes([kind]) if kind else b"") + rlp.encode(unsigned))
    return recover(digest, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity]))


def _bytes(name: str, value: Any) -> bytes:
    if name in ("to", "input"):
        return _hex(value) if value else b""
    number = int(value, 16)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _hex(value: Any) -> bytes:
    return bytes.fromhex(str(value).removeprefix("0x"))
