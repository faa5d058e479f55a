"""Whether an owner's stake and an operator's limit suffice for a bond or a fee, and by which command they would.

A limit is the most that an operator may have locked or lost in all: what a slash, a forfeit or the answer to a demand took stays
used, so that a stolen key can lose no more than that. An owner who wants to go on after a loss raises the limit by what was lost.
"""

from collections.abc import Iterator
from typing import NamedTuple

from assay.chain.client import Chain
from assay.types import Address
from assay.units import in_ether

__all__ = ["Lack", "lacks"]


class Lack(NamedTuple):
    """What is missing, and the command that supplies it, without the owner's --key."""

    says: str
    then: str


def lacks(chain: Chain, role: str, owner: Address, operator: Address, amount: int) -> Iterator[Lack]:
    """What the vault would refuse to lock that amount for. `role` is bench or provider: whose commands are named. Unreachable."""
    free = chain.vault.balance(owner).free
    if free < amount:
        says = f"{owner} has {in_ether(free)} of free stake, and {in_ether(amount)} are to be locked"
        yield Lack(says, f'assay {role} deposit "{amount - free} wei"')
    allowed = chain.vault.allowance(owner, operator)
    if not allowed.admits(amount):
        limit = f"{operator} may have {in_ether(allowed.limit)} of {owner}'s stake locked or lost in all"
        says = f"{limit}, {in_ether(allowed.used)} are, and {in_ether(amount)} more are to be locked"
        yield Lack(says, f'assay {role} allow {operator} "{allowed.least(amount)} wei"')
