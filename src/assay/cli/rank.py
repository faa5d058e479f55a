"""`assay rank`: rounds side by side, with intervals and ties."""

import json
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.common import connect, emit, pass_settings
from assay.errors import BadInput
from assay.settings import Settings
from assay.types import RoundId, VersionId

if TYPE_CHECKING:
    from assay.chain.client import Chain
    from assay.rank.table import RoundResult
    from assay.storage.store import Store

FORMATS = ("table", "json", "md")


@click.command("rank")
@click.argument("rounds", metavar="ROUND...", nargs=-1, required=True)
@click.option(
    "--store",
    "stores",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Store of bundles; may be repeated. Default: HOME/store.",
)
@click.option(
    "--names",
    "names_file",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON object of version ids and the names to show for them.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option(
    "--svg", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Also draw each round into this folder."
)
@pass_settings
def command(
    settings: Settings, rounds: tuple[str, ...], stores: tuple[Path, ...], names_file: Path | None, form: str, svg: Path | None
) -> int:
    """Rank the versions of each ROUND: score, 95 % interval resampled by document, tiers of ties.

    A round is ranked only if `assay verify` finds it sound; the others are listed with the reason, and the exit code is 1 if
    nothing could be ranked.
    """
    from assay.audit.sources import find_round
    from assay.rank import report
    from assay.storage.store import Store

    chain = connect(settings)
    shelves = [Store(folder) for folder in stores or (settings.store,)]
    names = _names(names_file)
    results, unranked = _load(chain, shelves, [find_round(chain, text) for text in rounds])
    if svg is not None:
        _draw(results, names, svg)
    if settings.json or form == "json":
        emit(replace(settings, json=True), report.as_record(results, unranked, names))
    elif form == "md":
        click.echo(report.as_markdown(results, unranked, names), nl=False)
    else:
        _print(results, unranked, names)
    return 0 if results else 1


def _names(path: Path | None) -> dict[VersionId, str]:
    if path is None:
        return {}
    try:
        pairs = json.loads(path.read_text("utf-8"))
        return {VersionId(bytes.fromhex(version.removeprefix("0x"))): str(name) for version, name in pairs.items()}
    except (ValueError, AttributeError):
        raise BadInput("is no JSON object of version ids and names", 'write {"0x…": "name"}', where=str(path)) from None


def _load(chain: "Chain", shelves: "list[Store]", rounds: list[RoundId]) -> "tuple[list[RoundResult], dict[RoundId, str]]":
    from assay.audit.facts import collect
    from assay.audit.sources import round_bundle
    from assay.audit.verify import verify
    from assay.chain.gas import round_gas
    from assay.rank.load import round_result
    from assay.storage.cids import cid_of

    results, unranked = [], {}
    for round_ in rounds:
        facts = collect(chain, round_)
        cid = cid_of(facts.round.bundle_digest)
        shelf = next((shelf for shelf in shelves if shelf.has(cid)), shelves[0])
        with ExitStack() as stack:
            bundle = stack.enter_context(round_bundle(facts, shelf, None))
            if bundle is None:
                unranked[round_] = f"{facts.phase.name.lower()}: no bundle is served"
            elif verify(facts, bundle).exit_code != 0:
                unranked[round_] = f"{facts.phase.name.lower()}: run assay verify 0x{round_.hex()[:10]}"
            else:
                results.append(round_result(facts, bundle, round_gas(chain, round_)))
    return results, unranked


def _draw(results: "list[RoundResult]", names: dict[VersionId, str], folder: Path) -> None:
    from assay.rank.picture import intervals_svg
    from assay.rank.report import label
    from assay.rank.table import rows

    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        title = f"Round 0x{result.round.hex()[:10]}, {result.metric.signature}"
        picture = intervals_svg(title, rows(result), lambda row: label(row.version, names))
        (folder / f"{result.round.hex()[:10]}.svg").write_text(picture, "utf-8")


def _print(results: "list[RoundResult]", unranked: dict[RoundId, str], names: dict[VersionId, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from assay.rank import report
    from assay.rank.table import rows

    console = Console(highlight=False)
    for result in results:
        title = f"round 0x{result.round.hex()[:10]}… of {result.benchmarker}, {len(result.groups)} items"
        table = Table(*report.headings(result), title=title, title_justify="left", caption_justify="left")
        table.caption = f"{report.signatures(result)}\n{len(set(result.groups))} documents resampled; {report.gas_line(result)}"
        for row in rows(result):
            table.add_row(*report.cells(result, row, names))
        console.print(table)
    for round_, reason in unranked.items():
        console.print(f"not ranked: round 0x{round_.hex()[:10]}… ({reason})")
