"""The one door through which transactions leave: simulate, price, sign, journal, send, wait. Without a key it is a dry run."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from assay.chain.contracts.base import Call
from assay.chain.node import Node, RpcError
from assay.chain.outcomes import outcome
from assay.chain.reverts import explain
from assay.chain.transactions import Price, SignedTx, most_of, raised, sign
from assay.encoding.receipts import Signer
from assay.errors import BadKey, NoFunds, NotYet, Refused, Reverted, Unreachable
from assay.types import Address

GWEI = 10**9
MAX_FEE_GWEI = 200.0
WAIT_SECONDS = 300.0
STUCK_SECONDS = 60.0
POLL_SECONDS = 0.1
SLOWEST_POLL_SECONDS = 4.0
GAP_SECONDS = 10.0
KNOWN = ("already known", "already imported", "known transaction")
STALE = "nonce too low"
METHOD_NOT_FOUND = -32601

Journal = Callable[[SignedTx], None]


class HasNode(Protocol):
    """Whatever reaches a node: a `Chain`, or a bare `Site` before there is a deployment."""

    @property
    def node(self) -> Node:
        """The node."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """A node without a deployment."""

    node: Node


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction. `fee` is wei; `logs` are the node's own records."""

    tx_hash: bytes
    block: int
    gas_used: int
    fee: int
    logs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What would happen: gas, and the bytes that the call returns."""

    gas: int
    returned: bytes


class Door:
    """Sends transactions of one signer, one after the other. Safe to share between threads of one process."""

    def __init__(
        self, chain: HasNode, signer: Signer | None, max_fee_gwei: float = MAX_FEE_GWEI, stuck_after: float = STUCK_SECONDS
    ) -> None:
        """No signer: dry runs only. `max_fee_gwei` is the most that is paid per gas.

        A transaction that is not mined `stuck_after` seconds after it was sent is replaced by a dearer one with the same nonce.
        """
        self._node = chain.node
        self._signer = signer
        self._max_fee = int(max_fee_gwei * GWEI)
        self._stuck_after = stuck_after
        self._lock = threading.Lock()

    @property
    def address(self) -> Address | None:
        """Address of the signer, if there is one."""
        return self._signer.address if self._signer else None

    def dry_run(self, call: Call, sender: Address | None = None) -> DryRun:
        """Run the call on the newest block without sending it. Reverted, NoFunds, Unreachable."""
        sender = sender or self.address
        try:
            returned = self._node.call(call.to, call.data, sender=sender or "0x" + "00" * 20, value=call.value)
            gas = self._node.number("eth_estimateGas", [_transaction(call, sender)])
        except RpcError as error:
            if "insufficient funds" in error.message.lower():
                raise NoFunds(f"{sender} has too little money to {call.what}", _fund(sender)) from None
            raise explain(error, call.what) from None
        return DryRun(gas, returned)

    def send(self, call: Call, journal: Journal | None = None, *, timeout: float = WAIT_SECONDS) -> Receipt:
        """Simulate, sign, tell the journal, send, wait until it is mined.

        `journal` is called with the signed transaction before it leaves, so that after a crash `resume` can bring the same one to
        its end; also with each dearer one that replaces it. What it raises ends the sending before anything left; a dearer one
        that it refuses with NoFunds or Refused is not sent. BadKey without a signer, NoFunds, Reverted, Unreachable, and NotYet
        where gas is dearer than allowed or another transaction took the nonce.
        """
        if self._signer is None:
            raise BadKey(f"without a key there is only a dry run, but this is to {call.what}", "give --key NAME")
        with self._lock:
            self._check_balance(self._signer.address, call.value, call)
            gas = margin(self.dry_run(call).gas)
            price = self._price()
            self._check_balance(self._signer.address, call.value + gas * price.most, call)
            nonce = self._node.nonce(self._signer.address, "pending")
            signed = sign(self._signer, call, chain_id=self._node.chain_id(), nonce=nonce, gas=gas, price=price)
            if journal is not None:
                journal(signed)
            self._broadcast(signed.raw)
        return self._wait(signed, timeout, journal)

    def resume(self, signed: SignedTx, journal: Journal | None = None, *, timeout: float = WAIT_SECONDS) -> Receipt:
        """Bring a journalled transaction to its end: send it again if need be, wait until it is mined.

        With a journal it is replaced where it is stuck, as `send` does. Reverted where it failed on chain, Unreachable where the
        time is over, NotYet as soon as another transaction has its nonce.
        """
        if self._receipt(signed.hash) is None:
            try:
                stale = self._broadcast(signed.raw)
            except RpcError:  # it may have become too cheap even to be taken
                dearer = self._replace(signed, journal) if journal is not None else []
                if not dearer:
                    raise
                return self._wait(dearer[0], timeout, journal)
            if stale and self._receipt(signed.hash) is None:
                raise _taken(signed)
        return self._wait(signed, timeout, journal)

    def wait_final(self, receipt: Receipt, *, timeout: float = 3600.0) -> Receipt:
        """Wait until the transaction's block is final; the receipt as it stands there.

        Unreachable where the time is over, NotYet where the transaction was reorganised away: send it again.
        """
        deadline = time.monotonic() + timeout
        for pause in _pauses():
            if self._node.finalized().number >= receipt.block:
                found = self._receipt(receipt.tx_hash)
                if found is None:
                    raise NotYet(f"transaction 0x{receipt.tx_hash.hex()} was reorganised away", "run the command again")
                if self._node.finalized().number >= found.block:
                    return found
                receipt = found
            if time.monotonic() > deadline:
                raise Unreachable(f"block {receipt.block} is not final after {timeout:g} s", "run the command again")
            time.sleep(pause)
        raise AssertionError("the pauses never end")

    def _check_balance(self, sender: Address, needed: int, call: Call) -> None:
        balance = self._node.balance(sender)
        if balance < needed:
            raise NoFunds(f"{sender} has {balance} wei, and {needed} are needed to {call.what}", _fund(sender))

    def _price(self) -> Price:
        """Twice the base fee and the node's tip, under the cap. NotYet where the cap does not even pay the base fee."""
        base = self._node.base_fee()
        tip = min(self._tip(), self._max_fee)
        if base + tip > self._max_fee:
            raise NotYet(
                f"gas costs {(base + tip) / GWEI:.1f} gwei, more than the {self._max_fee / GWEI:g} allowed", "try again later"
            )
        return Price(min(2 * base + tip, self._max_fee), tip)

    def _tip(self) -> int:
        """The tip that the node suggests; one gwei where it has no method for that, as ethereumjs has none."""
        try:
            return self._node.number("eth_maxPriorityFeePerGas")
        except RpcError as error:
            if error.code != METHOD_NOT_FOUND:
                raise
            return GWEI

    def _broadcast(self, raw: bytes) -> bool:
        """Send it; whether the node says that its nonce was used before, by itself or by another."""
        try:
            self._node.request("eth_sendRawTransaction", ["0x" + raw.hex()])
        except RpcError as error:
            said = error.message.lower()
            if STALE in said:
                return True
            if not any(known in said for known in KNOWN):
                raise
        return False

    def _wait(self, signed: SignedTx, timeout: float, journal: Journal | None) -> Receipt:
        """The receipt of a transaction or of whichever one replaced it."""
        versions, taken = [signed], 0
        began = last = whole = time.monotonic()
        for pause in _pauses():
            taken = taken + 1 if self._nonce_used(signed.nonce) else 0
            for version in versions:
                receipt = self._receipt(version.hash, version.what, most_of(version))
                if receipt is not None:
                    return receipt
            if taken > 1:  # twice, because nodes behind one address may be a block apart
                raise _taken(signed)
            now = time.monotonic()
            whole = whole if self._has_gap(signed.nonce) else now
            if now > whole + GAP_SECONDS:
                raise _orphaned(signed)
            if now > began + timeout:
                raise Unreachable(
                    f"transaction 0x{versions[-1].hash.hex()} (to {signed.what}) is not mined after {timeout:g} s",
                    "run the command again",
                )
            if journal is not None and now > last + self._stuck_after:
                last = now
                versions += self._replace(versions[-1], journal)
            time.sleep(pause)
        raise AssertionError("the pauses never end")

    def _nonce_used(self, nonce: int) -> bool:
        """Whether a mined transaction of the signer has this nonce; asked before the receipts, which are newer then."""
        return self._signer is not None and self._node.nonce(self._signer.address) > nonce

    def _replace(self, stuck: SignedTx, journal: Journal) -> list[SignedTx]:
        """A dearer one for a stuck transaction, journaled and then sent; empty where the cap or the node does not allow it."""
        if self._signer is None:
            return []
        try:
            dearer = raised(self._signer, stuck, self._price(), self._max_fee)
        except NotYet:
            return []
        if dearer is None:
            return []
        try:
            journal(dearer)
            self._broadcast(dearer.raw)
        except (NoFunds, Refused, RpcError):
            return []  # beyond a budget, or the node keeps the first one: go on waiting for that
        return [dearer]

    def _has_gap(self, nonce: int) -> bool:
        """Whether the node knows of no transaction with an earlier nonce: a reorganisation, or a full pool, has lost one."""
        sender = self._signer.address if self._signer else None
        return sender is not None and self._node.nonce(sender, "pending") < nonce

    def _receipt(self, tx_hash: bytes, what: str = "run", most: int | None = None) -> Receipt | None:
        found = outcome(self._node, tx_hash, most)
        if found is None:
            return None
        if not found.succeeded:
            raise Reverted(
                f"transaction 0x{tx_hash.hex()} (to {what}) failed on chain", "something else came first: look, and run again"
            )
        return Receipt(tx_hash, found.block, found.gas_used, found.fee, found.logs)


def margin(gas: int) -> int:
    """Gas limit for an estimate: a quarter more, because the state may change before it is mined."""
    return gas + gas // 4 + 10_000


def _taken(signed: SignedTx) -> NotYet:
    return NotYet(f"another transaction took the nonce of 0x{signed.hash.hex()} (to {signed.what})", "run the command again")


def _orphaned(signed: SignedTx) -> NotYet:
    message = f"a transaction before 0x{signed.hash.hex()} (to {signed.what}) is lost, so that this one cannot be mined"
    return NotYet(message, "run the commands again, in their order")


def _transaction(call: Call, sender: Address | None) -> dict[str, str]:
    found = {"to": call.to, "data": "0x" + call.data.hex(), "value": hex(call.value)}
    return found | {"from": sender} if sender else found


def _fund(sender: object) -> str:
    return f"send money to {sender}; on a development chain: assay devnet fund {sender}"


def _pauses() -> Iterator[float]:
    pause = POLL_SECONDS
    while True:
        yield pause
        pause = min(pause * 1.3, SLOWEST_POLL_SECONDS)
