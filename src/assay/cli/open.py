"""`assay open`: one item of a round as the argument that `judge` takes, for any block explorer or `cast`."""

import secrets
import shlex
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, pass_settings
from assay.settings import Settings

SIGNATURE = (
    "judge(bytes32,bytes32,(uint32,uint8,bytes,bytes,bytes32,bytes32[],uint8,bytes,bytes,bytes,uint256[],"
    "(bytes32,uint256[])[],uint256))(uint8)"
)


@click.command("open")
@click.argument("round_", metavar="ROUND")
@click.argument("version")
@click.argument("position", type=click.IntRange(min=0))
@bundle_options
@pass_settings
def command(settings: Settings, round_: str, version: str, position: int, source: Choice) -> None:
    """Open POSITION of ROUND for VERSION: print the tuple that the chain's `judge` takes.

    Paste it into a block explorer's "read contract", or into cast. Unique beginnings of ids are enough.
    """
    from assay.audit import sources
    from assay.audit.facts import collect
    from assay.audit.judge import judge
    from assay.audit.openings import opening
    from assay.chain.contracts.judge import opening_tuple

    with closing(connect(settings)) as chain:
        facts = collect(chain, sources.find_round(chain, round_))
    chosen = sources.find_version(facts, version)
    with source.of_round(settings, facts) as found:
        bundle = sources.need_bundle(facts, found)
        opened = opening(facts, bundle, chosen, position, secrets.randbits(256))
    verdict, text = judge(facts, chosen, opened), cast_text(opening_tuple(opened))
    line = cast_line(facts.contracts["judge"], settings.rpc, facts.round.id, chosen, text)
    if settings.json:
        parts = {"round": facts.round.id, "version": chosen, "verdict": verdict, "opening": opened}
        emit(settings, {**parts, "tuple": text, "cast": line})
        return
    click.echo(text)
    click.echo(f"verdict here: {verdict.name}\n{line.replace(text, '$TUPLE')}", err=True)


def cast_text(value: Any) -> str:
    """A value of an ABI tuple as `cast` reads it: (a,b) for tuples, [a,b] for arrays, 0x hex for bytes."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return f"({_joined(value)})"
    return f"[{_joined(value)}]" if isinstance(value, list) else str(value)


def _joined(values: Sequence[Any]) -> str:
    return ",".join(map(cast_text, values))


def cast_line(judge: str, rpc: str, round_: bytes, version: bytes, text: str) -> str:
    """The whole command that asks the chain for its verdict."""
    return f'cast call --rpc-url {shlex.quote(rpc)} {judge} "{SIGNATURE}" 0x{round_.hex()} 0x{version.hex()} "{text}"'
