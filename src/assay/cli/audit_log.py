"""`assay audit-log`: the chain of custody of a round, and its check."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, pass_settings
from assay.errors import BadInput
from assay.settings import Settings

if TYPE_CHECKING:  # the chain is imported where it is needed
    from assay.audit.custody_check import Checked

FILE = click.Path(path_type=Path, dir_okay=False)
TAMPERED = 3


@click.command("audit-log")
@click.argument("round_", metavar="[ROUND]", required=False)
@click.option(
    "--items", is_flag=True, help="Write out every Ask, Answer and Ack with its signature, so that each can be checked."
)
@click.option("--out", metavar="FILE", type=FILE, help="Write the JSON there, and say what it holds.")
@click.option("--html", metavar="FILE", type=FILE, help="Also write a page for people: one file without scripts.")
@click.option("--check", "checked", metavar="FILE", type=FILE, help="Check such a file by itself, without a network.")
@click.option("--against-chain", is_flag=True, help="With --check: compare it with the node of --rpc as well.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of such files.")
@bundle_options
@pass_settings
def command(
    settings: Settings,
    /,
    round_: str | None,
    items: bool,
    out: Path | None,
    html: Path | None,
    checked: Path | None,
    against_chain: bool,
    schema: bool,
    source: Choice,
) -> int:
    """Who signed what with which key in ROUND, block by block.

    Transactions with their signed bytes, events, consents and posted answers; of the bundle, if it is at hand, the Asks, Answers
    and Acks of each version, counted and hashed. --check recomputes every signature and hash of such a file, and ends with 3 if
    something in it is not true.
    """
    if sum((round_ is not None, checked is not None, schema)) != 1:
        raise click.UsageError("name a round, or a file with --check, or --schema")
    if schema:
        click.echo(schema_text(), nl=False)
        return 0
    if checked is not None:
        return _check(settings, checked, against_chain=against_chain)
    _write(settings, str(round_), source, items=items, out=out, html=html)
    return 0


def schema_text() -> str:
    """The published schema."""
    from importlib import resources

    return resources.files("assay.audit").joinpath("audit-log.schema.json").read_text("utf-8")


def _write(settings: Settings, round_: str, source: Choice, *, items: bool, out: Path | None, html: Path | None) -> None:
    from assay.audit.custody import build
    from assay.audit.custody_page import page
    from assay.audit.custody_reading import read
    from assay.audit.sources import demand_true, find_round
    from assay.storage.lines import canonical

    with closing(connect(settings)) as chain:
        part = read(chain, find_round(chain, round_))
    with source.of_round(settings, part.facts) as bundle:
        if bundle is not None:
            demand_true(part.facts, bundle)
        record = build(part, bundle, items=items)
    if html is not None:
        _save(html, page(record).encode())
    if out is None and html is None:
        click.echo(canonical(record))
        return
    if out is not None:
        _save(out, canonical(record) + b"\n")
    found = {"round": record["round"]["id"], "links": len(record["links"]), "file": out, "page": html, "head": record["head"]}
    emit(settings, {key: value for key, value in found.items() if value is not None})


def _save(path: Path, data: bytes) -> None:
    from assay.chain.descriptions import replace_file

    try:
        replace_file(path, data)
        path.chmod(0o644)  # it is made to be handed on
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", "choose another name", where=str(path)) from None


def _check(settings: Settings, path: Path, *, against_chain: bool) -> int:
    from assay.audit.custody_check import EVENTS, MAX_BYTES, check, parse

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name a file that can", where=str(path)) from None
    record = parse(raw, str(path))
    found = check(record)
    differs = _against(settings, record) if against_chain and not found.failures else None
    if differs == []:
        found.unproven.remove(EVENTS)
    result = {
        "links": found.links,
        "senders": found.senders,
        "signatures": found.signatures,
        "failures": found.failures,
        "problems": found.problems,
        "unproven": found.unproven,
        "differs_from_chain": differs,
    }
    emit(settings, result, _text(found, differs))
    return TAMPERED if found.failures or differs else 0


def _against(settings: Settings, record: dict[str, Any]) -> list[str]:
    from assay.audit.custody_check import against
    from assay.audit.custody_reading import read
    from assay.types import RoundId

    with closing(connect(settings)) as chain:
        part = read(chain, RoundId(bytes.fromhex(record["round"]["id"][2:])), at=record["as_of"]["block"])
    return against(record, part)


def _text(found: "Checked", differs: list[str] | None) -> Iterator[str]:
    yield f"{found.links} links, {found.senders} senders proven, {found.signatures} signatures by the right keys"
    yield from (f"  unproven  {what}" for what in found.unproven)
    yield from (f"  problem   {what}" for what in found.problems)
    if found.failures > len(found.problems):
        yield f"  and {found.failures - len(found.problems)} more problems"
    if differs is not None:
        yield f"  the chain says otherwise: {', '.join(differs)}" if differs else "  the chain says the same"
    yield "Something in this file is not true." if found.failures or differs else "It holds."
