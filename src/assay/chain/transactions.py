"""EIP-1559 transactions as bytes: what is signed, what is sent, what replaces it, what the journal keeps."""

from dataclasses import dataclass

import rlp

from assay.chain.contracts.base import Call
from assay.encoding.hashing import keccak
from assay.encoding.receipts import Signer

TYPE = b"\x02"
TIP, MOST, GAS = 2, 3, 4
RAISE = 8
"""A node takes another transaction with the same nonce where both fees are an eighth (12.5 %) higher at least."""


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
    return _sign(signer, [chain_id, nonce, price.tip, price.most, gas, to, call.value, call.data, []], nonce, call.what)


def raised(signer: Signer, stuck: SignedTx, market: Price, cap: int) -> SignedTx | None:
    """The same transaction under the same nonce for at least an eighth more, or the market's price; None above the cap."""
    fields: list[object] = list(rlp.decode(stuck.raw[len(TYPE) :])[:9])
    old = Price(_integer(fields[MOST]), _integer(fields[TIP]))
    tip = max(_more(old.tip), min(market.tip, cap))
    most = max(_more(old.most), market.most, tip)
    if most > cap:
        return None
    fields[TIP], fields[MOST] = tip, most
    return _sign(signer, fields, stuck.nonce, stuck.what)


def most_of(signed: SignedTx) -> int:
    """The most that a signed transaction may cost in gas, in wei: its limit at its highest price."""
    if signed.raw.startswith(TYPE):
        fields = rlp.decode(signed.raw[len(TYPE) :])
        return _integer(fields[GAS]) * _integer(fields[MOST])
    _, price, gas, *_ = rlp.decode(signed.raw)  # the deployer's, which nobody signed, is of the oldest kind
    return _integer(gas) * _integer(price)


def _sign(signer: Signer, fields: list[object], nonce: int, what: str) -> SignedTx:
    signature = signer.sign(keccak(TYPE + rlp.encode(fields)))
    r, s, v = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]
    raw = TYPE + rlp.encode([*fields, v - 27, r, s])
    return SignedTx(keccak(raw), raw, nonce, what)


def _integer(field: object) -> int:
    return int.from_bytes(field, "big") if isinstance(field, bytes) else 0


def _more(fee: int) -> int:
    return fee + fee // RAISE + 1
