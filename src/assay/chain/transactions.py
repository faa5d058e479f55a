"""EIP-1559 transactions as bytes: what is signed, what is sent, what the journal keeps."""

from dataclasses import dataclass

import rlp

from assay.chain.contracts.base import Call
from assay.encoding.hashing import keccak
from assay.encoding.receipts import Signer

TYPE = b"\x02"


@dataclass(frozen=True, slots=True)
class SignedTx:
    """A signed transaction. Sending `raw` again is harmless: the chain takes it once."""

    hash: bytes
    raw: bytes
    nonce: int
    what: str


@dataclass(frozen=True, slots=True)
class Price:
    """Fees in wei per gas: what may be paid at most, and the tip in it."""

    most: int
    tip: int


def sign(signer: Signer, call: Call, *, chain_id: int, nonce: int, gas: int, price: Price) -> SignedTx:
    """Sign a call as a type 2 transaction."""
    to = bytes.fromhex(call.to[2:])
    fields = [chain_id, nonce, price.tip, price.most, gas, to, call.value, call.data, []]
    signature = signer.sign(keccak(TYPE + rlp.encode(fields)))
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    raw = TYPE + rlp.encode([*fields, v - 27, r, s])
    return SignedTx(keccak(raw), raw, nonce, call.what)
