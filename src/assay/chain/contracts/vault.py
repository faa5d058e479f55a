"""StakeVault: the only contract that holds value. Amounts are wei."""

from typing import NamedTuple

from assay.chain.contracts.base import Call, Contract
from assay.chain.node import At
from assay.types import Address


class Balance(NamedTuple):
    """Money of an owner: what can be withdrawn now, and what is locked."""

    free: int
    locked: int


class Allowance(NamedTuple):
    """The most that one operator may have locked or lost in all, and what it has: `used` is locked now, or lost for good."""

    limit: int
    used: int

    @property
    def left(self) -> int:
        """What the operator may still lock; negative where the owner lowered the limit below what is used."""
        return self.limit - self.used

    def admits(self, amount: int) -> bool:
        """Whether the operator may lock so much more; without a limit not even nothing."""
        return self.limit > 0 and amount <= self.left

    def least(self, amount: int) -> int:
        """The least limit that would admit it."""
        return max(self.used + amount, 1)


class Vault(Contract):
    """The vault."""

    artifact = "StakeVault"

    def balance(self, owner: Address, *, at: At = "latest") -> Balance:
        """Free and locked money of an owner."""
        return Balance(*self._read("balanceOf", owner, at=at))

    def allowance(self, owner: Address, operator: Address, *, at: At = "latest") -> Allowance:
        """Limit and use of an operator on an owner's account."""
        return Allowance(*self._read("allowanceOf", owner, operator, at=at))

    def burned_of(self, owner: Address, *, at: At = "latest") -> int:
        """Money of an owner that was burned."""
        (amount,) = self._read("burnedOf", owner, at=at)
        return int(amount)

    def deposit(self, owner: Address, amount: int) -> Call:
        """Deposit for an owner; anyone may."""
        return self._call("deposit", owner, value=amount, what="deposit")

    def withdraw(self, amount: int, to: Address) -> Call:
        """Withdraw free money of the sender, who is the owner."""
        return self._call("withdraw", amount, to, what="withdraw")

    def allow(self, operator: Address, limit: int) -> Call:
        """Say how much an operator may have locked or lost in all on the sender's account."""
        return self._call("allow", operator, limit, what="allow the operator")
