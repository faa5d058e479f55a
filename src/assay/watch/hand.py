"""The hand that acts: what it may cost is set aside in the journal before anything is sent, and never more than the budget."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from assay.audit.proofs import Proof, ProofKind, call_of
from assay.chain.client import Chain
from assay.chain.door import Door, Receipt, margin
from assay.chain.outcomes import Outcome
from assay.chain.stakes import lacks
from assay.chain.transactions import SignedTx, most_of
from assay.errors import AssayError, NoFunds, NotYet, Refused
from assay.types import Address, Block
from assay.units import in_ether
from assay.watch.agreement import Witnesses
from assay.watch.journal import NOWHERE, Journal
from assay.watch.records import Act
from assay.watch.settings import Plan

__all__ = ["Bought", "Hand"]

GWEI = 10**9
RESUME_SECONDS = 120.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Bought:
    """What was done, or would be in a dry run (then without a receipt). `cost` is the most that it may cost, in wei.

    The receipt is what the door's node says; the journal keeps what all nodes say.
    """

    proof: Proof
    gas: int
    cost: int
    receipt: Receipt | None = None


_PAID = frozenset(ProofKind) - {ProofKind.DEMAND, ProofKind.EXPIRE, ProofKind.RECLAIM}
"""What has to pay for its gas; a round that hides must be ended also for a demander who sleeps."""


class Hand:
    """Brings proofs. Without a door nothing is sent and nothing is journaled."""

    def __init__(
        self, chain: Chain, witnesses: Witnesses, door: Door | None, journal: Journal, plan: Plan, me: Address | None
    ) -> None:
        """`me` is the address that pays; of a dry run, the one whose money is looked at."""
        self._chain, self._witnesses, self._door, self._journal, self._plan = chain, witnesses, door, journal, plan
        self._me = me
        self._look = 0
        self._doubts: dict[int, int] = {}

    @property
    def is_unsure(self) -> bool:
        """Whether an act's nonce seems to be another's, or only some nodes show its end: a second look will tell."""
        return bool(self._doubts)

    def bring(self, proof: Proof, block: Block) -> Bought:
        """Bring a proof that was built at a block.

        Every node has to have that block still, and to accept the call. Refused where it does not pay. NoFunds beyond the budget,
        as estimated or as signed, and where the key's stake, or its limit on itself, does not hold a demand's fee. Reverted,
        NotYet and Unreachable as of the door.
        """
        call = call_of(self._chain, proof)
        self._demand_stake(proof)
        gas = self._witnesses.gas(call, self._me)
        if not self._witnesses.still_agreed(block):
            raise NotYet(f"block {block.number} is no longer what it was", "look again")
        price = min(self._witnesses.gas_price(), self._plan.max_fee_gwei * GWEI)
        if proof.kind in _PAID and gas * price > proof.reward:
            message = f"the {proof.kind.value} costs {in_ether(gas * price)} of gas and earns {in_ether(proof.reward)}"
            raise Refused(message, "wait until gas is cheaper")
        cost = 2 * margin(gas) * price + proof.locks
        self._demand_budget(cost, block.timestamp)
        if self._door is None:
            return Bought(proof, gas, cost)
        act = _act(proof, block)
        number = self._journal.begin(act, cost)
        try:
            receipt = self._door.send(call, self._keeper(number, act, block.timestamp))
        finally:
            self._conclude(number, act, block.timestamp)
        return Bought(proof, gas, cost, receipt)

    def settle(self, now: int) -> int:
        """One look at what was left open, to bring it to its end, so that nothing is done twice; how many acts are still open."""
        self._look += 1
        for act in self._journal.acts(open_only=True):
            if self._conclude(act.id, act, now):
                continue
            last = self._journal.transactions(act.id)[-1]
            if self._door is not None:
                try:
                    self._door.resume(last, self._keeper(act.id, act, now), timeout=RESUME_SECONDS)
                except AssayError as error:
                    log.warning("unsettled", act=act.id, kind=act.kind, error=type(error).__name__, message=error.message)
                self._conclude(act.id, act, now)
        return len(self._journal.acts(open_only=True))

    def _keeper(self, number: int, act: Act, now: int) -> Callable[[SignedTx], None]:
        """Keeps what was signed, and sets aside the most that it may cost, whatever a node said of prices; NoFunds beyond it."""

        def keep(tx: SignedTx) -> None:
            needed = most_of(tx) + act.locks
            more = needed - self._journal.reserved(number)
            if more > 0:
                self._demand_budget(more, now)
            self._journal.add_transaction(number, tx, now, needed)

        return keep

    def _demand_stake(self, proof: Proof) -> None:
        if proof.kind is ProofKind.DEMAND and self._me is not None:
            for lack in lacks(self._chain, "provider", self._me, self._me, proof.locks):
                raise NoFunds(lack.says, f"with the watchtower's key: {lack.then} --key NAME")

    def _demand_budget(self, cost: int, now: int) -> None:
        spent, plan = self._journal.spent(now), self._plan
        for name, used, limit in (("of the day", spent.today, plan.budget_per_day), ("in all", spent.ever, plan.budget)):
            if used + cost > limit:
                message = f"{cost} wei would exceed the budget {name}: {used} of {limit} are spent"
                raise NoFunds(message, "raise it in the settings file, or wait")

    def _conclude(self, number: int, act: Act, now: int) -> bool:
        """Whether an act is over by what all nodes say of its transactions; then its end is kept."""
        signed = self._journal.transactions(number)
        taken = bool(signed) and self._is_taken(signed[-1].nonce)  # asked before the receipts, which are newer then
        told = [self._witnesses.outcomes(tx.hash, most_of(tx)) for tx in signed]
        for tx, found in zip(signed, told, strict=True):
            if len({each and each.succeeded for each in found}) == 1 and (dearest := max(found, key=_fee)) is not None:
                state, locked = ("mined", act.locks) if dearest.succeeded else ("failed", 0)
                self._doubts.pop(number, None)
                self._journal.finish(number, state, now, tx=tx.hash, block=dearest.block, fee=dearest.fee, locked=locked)
                return True
        if not signed or self._is_lost(number, taken, seen=any(any(found) for found in told)):
            self._journal.finish(number, "dropped", now)
            return True
        return False

    def _is_taken(self, nonce: int) -> bool:
        """Whether a transaction of ours was mined with this nonce for good, as all nodes see it."""
        return self._me is not None and self._witnesses.nonce(self._me) > nonce

    def _is_lost(self, number: int, taken: bool, *, seen: bool) -> bool:
        """Whether another took the nonce, also in a look before this one, and no node shows a receipt.

        Nodes behind one address may be a block apart, and receipts behind nonces.
        """
        if not taken and not seen:
            self._doubts.pop(number, None)
        elif self._doubts.setdefault(number, self._look) != self._look and not seen:
            return self._doubts.pop(number) is not None
        return False


def _fee(found: Outcome | None) -> int:
    return found.fee if found else 0


def _act(proof: Proof, block: Block) -> Act:
    position = NOWHERE if proof.position is None else proof.position
    version = proof.version or b""
    return Act(0, proof.kind.value, proof.round, version, position, proof.reward, proof.locks, block.number, block.timestamp)
