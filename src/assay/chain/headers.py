"""Block headers, receipts and logs as the chain hashes them: written from what a node says, read back from the bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import rlp
from trie import HexaryTrie

from assay.encoding.hashing import keccak
from assay.errors import Tampered, WrongChain

__all__ = ["Entry", "Header", "calldata_of", "header_of", "list_root", "logs_of", "may_hold", "raw_header", "raw_receipt"]

_REQUIRED = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom", "difficulty", "number",
    "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce",
)  # fmt: skip
_LATER = (
    "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash",
)  # fmt: skip
_NUMBERS = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
_PARENT, _STATE, _TRANSACTIONS, _RECEIPTS, _BLOOM, _NUMBER, _TIME = 0, 3, 4, 5, 6, 8, 11
_BLOOM_BYTES, _BLOOM_BITS = 256, 2048
_MOST_FIELDS = 40
_TYPED = 0x80
_CALLDATA_LEGACY, _CALLDATA, _CALLDATA_LATER = 5, {1: 6}, 7
"""Which field of a transaction is its calldata: by its type, and for all types since 2."""

_REMEDY = "This chain makes its blocks otherwise than Ethereum does: verify against a live node."


@dataclass(frozen=True, slots=True)
class Header:
    """What of a header is needed here; `hash` is computed from its bytes."""

    hash: bytes
    parent: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    number: int
    timestamp: int


class Entry(NamedTuple):
    """One log of a receipt."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def raw_header(record: Mapping[str, Any]) -> bytes:
    """A block as `eth_getBlockByNumber` tells it, as the bytes that it is the hash of. WrongChain where they are not."""
    fields = [_field(record, name) for name in _REQUIRED] + [
        _field(record, name) for name in _LATER if record.get(name) is not None
    ]
    raw: bytes = rlp.encode(fields)
    if keccak(raw) != _bytes(record["hash"]):
        raise WrongChain(f"the hash of block {int(record['number'], 16)} does not follow from its header", _REMEDY)
    return raw


def raw_receipt(record: Mapping[str, Any]) -> bytes:
    """A receipt of `eth_getBlockReceipts`, as the bytes that its block's receipts root is made of."""
    kind = int(record.get("type") or "0x0", 16)
    outcome = _number(record["status"]) if record.get("status") is not None else _bytes(record["root"])
    logs = [[_bytes(log["address"]), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"])] for log in record["logs"]]
    body: bytes = rlp.encode([outcome, _number(record["cumulativeGasUsed"]), _bytes(record["logsBloom"]), logs])
    return bytes([kind]) + body if kind else body


def header_of(raw: bytes, where: str) -> Header:
    """A header from its bytes. Tampered, naming `where`, for bytes that are none."""
    try:
        fields = rlp.decode(raw)
        if not isinstance(fields, list) or not len(_REQUIRED) <= len(fields) <= _MOST_FIELDS:
            raise ValueError("fields")
        parent, state, transactions, receipts = (fields[index] for index in (_PARENT, _STATE, _TRANSACTIONS, _RECEIPTS))
        bloom, number, timestamp = (fields[index] for index in (_BLOOM, _NUMBER, _TIME))
        sizes = [len(root) for root in (parent, state, transactions, receipts)]
        if sizes != [32] * 4 or len(bloom) != _BLOOM_BYTES or max(len(number), len(timestamp)) > 8:
            raise ValueError("sizes")
        height, time = int.from_bytes(number, "big"), int.from_bytes(timestamp, "big")
        return Header(keccak(raw), parent, state, transactions, receipts, bloom, height, time)
    except (rlp.exceptions.RLPException, ValueError, TypeError, RecursionError):
        raise Tampered("is not a block's header", "Export it again.", where=where) from None


def logs_of(raw: bytes, where: str) -> tuple[Entry, ...]:
    """The logs of a receipt that is known to stand under its block's root. Tampered, naming `where`, for bytes that are none."""
    try:
        body = rlp.decode(raw[1:] if raw[0] < _TYPED else raw)
        return tuple(Entry(address, tuple(topics), data) for address, topics, data in body[3])
    except (rlp.exceptions.RLPException, ValueError, TypeError, IndexError, RecursionError):
        raise Tampered("is not a receipt", "Export it again.", where=where) from None


def calldata_of(raw: bytes, where: str) -> bytes:
    """The calldata of a signed transaction. Tampered, naming `where`, for bytes that are none."""
    try:
        fields = rlp.decode(raw[1:] if raw[0] < _TYPED else raw)
        data = fields[_CALLDATA.get(raw[0], _CALLDATA_LATER) if raw[0] < _TYPED else _CALLDATA_LEGACY]
        if not isinstance(data, bytes):
            raise TypeError("calldata")
    except (rlp.exceptions.RLPException, ValueError, TypeError, IndexError, RecursionError):
        raise Tampered("is not a transaction", "Export it again.", where=where) from None
    return data


def list_root(values: Sequence[bytes]) -> bytes:
    """Root of the trie of a block's receipts, or of its transactions."""
    tree = HexaryTrie({}, prune=True)
    for index, value in enumerate(values):
        tree[rlp.encode(index)] = value
    return bytes(tree.root_hash)


def may_hold(bloom: bytes, values: Iterable[bytes]) -> bool:
    """Whether a block with this bloom may have logged all of these addresses or topics; if not, it has not."""
    bits = int.from_bytes(bloom, "big")
    return all(bits >> place & 1 for value in values for place in _places(value))


def _places(value: bytes) -> Iterable[int]:
    digest = keccak(value)
    return (int.from_bytes(digest[start : start + 2], "big") % _BLOOM_BITS for start in (0, 2, 4))


def _field(record: Mapping[str, Any], name: str) -> bytes:
    return _number(record[name]) if name in _NUMBERS else _bytes(record[name])


def _number(text: str) -> bytes:
    value = int(text, 16)
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
