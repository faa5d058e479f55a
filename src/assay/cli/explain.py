"""`assay explain`: what the contracts said, in a sentence, and what to do next."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from assay.cli.common import connect, emit, pass_settings
from assay.errors import BadInput
from assay.settings import Settings
from assay.units import in_ether

if TYPE_CHECKING:
    from assay.chain.explain import Explanation

AMOUNTS = {"amount", "burned", "free", "limit", "reward", "used", "wouldBeUsed"}
"""Arguments of errors and events that are wei."""


@click.command("explain")
@click.argument("what")
@pass_settings
def command(settings: Settings, what: str) -> None:
    """Say what WHAT means, and what to do next.

    WHAT is the hex data of a revert, the name of an error, event, verdict, fault, phase, standing or reason to skip, the number
    of a verdict, or the hash of a transaction; only that one needs a node.
    """
    from assay.chain import explain

    if not what.startswith("0x"):
        found: Sequence[Explanation] = explain.by_name(what)
    elif len(raw := _raw(what)) == 32:  # revert data is 4 bytes and whole words
        event = explain.by_topic(raw)
        found = (event,) if event else explain.by_transaction(connect(settings), raw)
    else:
        found = (explain.by_revert(raw),)
    emit(settings, found, _text(found))


def _raw(what: str) -> bytes:
    try:
        return bytes.fromhex(what[2:])
    except ValueError:
        raise BadInput(f"{what!r:.60} is no hex data", "give 0x and pairs of hex digits", where="WHAT") from None


def _text(found: "Sequence[Explanation]") -> Iterator[str]:
    for one in found:
        yield f"{one.kind} {one.name}: {one.says}"
        yield from (f"    {name}  {_plain(value)}{_amount(name, value)}" for name, value in one.arguments.items())
        yield f"  next: {one.then}"


def _amount(name: str, value: str) -> str:
    return f" ({in_ether(int(value))})" if name in AMOUNTS and value.isdecimal() else ""


def _plain(text: str) -> str:
    """A stranger's text on a terminal: nothing that moves the cursor."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
