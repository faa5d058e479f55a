"""StakeVault through ape: who may do what with which money."""

from typing import Any

import ape
import pytest

ETHER = 10**18


def test_deposit__for_another__is_the_owners(vault: Any, owner: Any, provider: Any) -> None:
    receipt = vault.deposit(owner, sender=provider, value=3 * ETHER)
    assert vault.balanceOf(owner) == (3 * ETHER, 0)
    assert receipt.events == [vault.Deposited(owner=owner, **{"from": provider}, amount=3 * ETHER)]


def test_withdraw__more_than_free__reverts_with_both_amounts(vault: Any, owner: Any) -> None:
    vault.deposit(owner, sender=owner, value=ETHER)
    with ape.reverts(vault.InsufficientFree, error_inputs={"owner": owner, "free": ETHER, "amount": ETHER + 1}):
        vault.withdraw(ETHER + 1, owner, sender=owner)


def test_withdraw__all__arrives_and_the_vault_is_empty(vault: Any, owner: Any, operator: Any) -> None:
    vault.deposit(owner, sender=owner, value=ETHER)
    before = operator.balance
    vault.withdraw(ETHER, operator, sender=owner)
    assert operator.balance == before + ETHER
    assert (vault.balanceOf(owner), vault.balance) == ((0, 0), 0)


def test_withdraw__a_receiver_that_refuses__reverts_and_keeps_the_money(vault: Any, tasks: Any, owner: Any) -> None:
    vault.deposit(owner, sender=owner, value=ETHER)
    with ape.reverts(vault.TransferFailed):
        vault.withdraw(ETHER, tasks.address, sender=owner)
    assert vault.balanceOf(owner) == (ETHER, 0)


@pytest.mark.parametrize("function", ["lock", "tryLock", "unlock"])
def test_settlement__by_anybody__reverts(vault: Any, owner: Any, operator: Any, function: str) -> None:
    with ape.reverts(vault.NotSettlement, error_inputs={"caller": owner}):
        getattr(vault, function)(owner, operator, 0, sender=owner)


def test_slash__by_anybody__reverts(vault: Any, owner: Any, operator: Any) -> None:
    with ape.reverts(vault.NotSettlement):
        vault.slash(owner, operator, 0, 0, sender=owner)
