"""Stake, for both roles: deposit, withdraw, allow, balance. Groups add these commands as their own."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay import keys
from assay.cli.common import connect, emit, key_options, load_signer, pass_settings
from assay.encoding.hashing import checksum
from assay.errors import BadInput
from assay.settings import Settings
from assay.types import Address
from assay.units import in_ether

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.chain.client import Chain
    from assay.chain.contracts.base import Call


@click.command()
@click.argument("amount")
@key_options("owner")
@pass_settings
def deposit(settings: Settings, amount: str, key: str, password_file: Path | None) -> None:
    """Deposit AMOUNT, for example "1 ether", as the owner's stake."""
    wei = wei_of(amount)
    _pay(settings, key, password_file, lambda chain, me: chain.vault.deposit(me, wei), {"deposited": wei})


@click.command()
@click.argument("amount")
@click.option("--to", metavar="ADDRESS", help="Where it goes. Default: the owner.")
@key_options("owner")
@pass_settings
def withdraw(settings: Settings, amount: str, to: str | None, key: str, password_file: Path | None) -> None:
    """Withdraw AMOUNT of the owner's free stake."""
    wei, where = wei_of(amount), address_of(settings, to) if to else None
    _pay(settings, key, password_file, lambda chain, me: chain.vault.withdraw(wei, where or me), {"withdrawn": wei})


@click.command()
@click.argument("operator")
@click.argument("limit")
@key_options("owner")
@pass_settings
def allow(settings: Settings, operator: str, limit: str, key: str, password_file: Path | None) -> None:
    """Let OPERATOR, a key's name or an address, have LIMIT of the owner's stake locked or lost in all; "0 wei" ends it.

    What a slash, a missed deadline or an answered demand took stays used, so that a stolen key can lose no more than LIMIT. To go
    on after a loss, allow more; `balance --operator` tells how much is used.
    """
    who, wei = address_of(settings, operator), wei_of(limit)
    _pay(settings, key, password_file, lambda chain, _: chain.vault.allow(who, wei), {"limit": wei}, operator=who)


@click.command()
@click.option("--owner", default="owner", show_default=True, metavar="KEY|ADDRESS", help="Whose stake.")
@click.option("--operator", metavar="KEY|ADDRESS", help="Tell this operator's limit too, and how much of it is used.")
@pass_settings
def balance(settings: Settings, owner: str, operator: str | None) -> None:
    """Stake of the owner: what is free, what is locked in rounds, what was burned. --json says it in wei."""
    address, vault = address_of(settings, owner), connect(settings).vault
    free, locked = vault.balance(address)
    burned = vault.burned_of(address)
    found: dict[str, Any] = {"owner": address, "free": free, "locked": locked, "burned": burned}
    text = [f"{address}: {in_ether(free)} free, {in_ether(locked)} locked, {in_ether(burned)} burned"]
    if operator is not None:
        who = address_of(settings, operator)
        limit, used = vault.allowance(address, who)
        found |= {"operator": who, "limit": limit, "used": used}
        text.append(f"{who}: limit {in_ether(limit)}, {in_ether(used)} of it used: locked now, or lost for good")
    emit(settings, found, text)


def address_of(settings: Settings, text: str) -> Address:
    """An address, or that of a key of this home."""
    if not text.startswith("0x"):
        return keys.address_of_key(settings.keys, text)
    try:
        raw = bytes.fromhex(text[2:])
    except ValueError:
        raw = b""
    if len(raw) != 20:
        raise BadInput(f"{text:.80} is no address", "give 0x and 40 hex digits, or the name of a key", where="ADDRESS")
    return checksum(raw)


def wei_of(text: str) -> int:
    """An amount such as "0.1 ether" in wei. BadInput for anything else."""
    from assay.gateway.policy import amount

    try:
        return amount(text)
    except ValueError:
        raise BadInput('"<number> wei|gwei|ether" is wanted', 'for example "0.1 ether"', where="AMOUNT") from None


def _pay(
    settings: Settings,
    key: str,
    password_file: Path | None,
    make: "Callable[[Chain, Address], Call]",
    result: dict[str, Any],
    operator: Address | None = None,
) -> None:
    """Send one call with the owner's key and print what came of it, also for the operator whom it is about."""
    from assay.chain.door import Door

    signer = load_signer(settings, key, password_file)
    chain = connect(settings)
    receipt = Door(chain, signer).send(make(chain, signer.address))
    free, locked = chain.vault.balance(signer.address)
    if operator is not None:
        result |= {"operator": operator, "used": chain.vault.allowance(signer.address, operator).used}
    emit(settings, {**result, "free": free, "locked": locked, "tx": receipt.tx_hash, "fee": receipt.fee})
