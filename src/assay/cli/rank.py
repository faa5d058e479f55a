"""`assay rank`: rounds and benchmarkers side by side, with intervals and ties."""

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.bundles import place_options, places_of
from assay.cli.common import HASH, connect, emit, pass_settings, progress
from assay.errors import BadInput
from assay.settings import Settings
from assay.types import TaskId, VersionId

if TYPE_CHECKING:
    from assay.rank.board import Board
    from assay.rank.report import Table
    from assay.storage.fetching import Places

FORMATS = ("table", "json", "md", "svg")
WIDTH = 220
"""Columns of a table where nobody looks on: a narrower one would break numbers."""


@click.command("rank")
@click.argument("rounds", metavar="[ROUND]...", nargs=-1)
@click.option("--task", type=HASH, help="All rounds of this task; see `assay task list`.")
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
    "--svg",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also draw each round into this folder, and the benchmarkers side by side.",
)
@place_options
@pass_settings
def command(
    settings: Settings,
    rounds: tuple[str, ...],
    task: TaskId | None,
    stores: tuple[Path, ...],
    names_file: Path | None,
    form: str,
    svg: Path | None,
    gateways: tuple[str, ...],
    nodes: tuple[str, ...],
) -> int:
    """Rank the versions of each ROUND, or of all rounds of a task: scores with 95 % intervals and tiers of ties.

    Documents are resampled whole. Several rounds of one benchmarker are put together for versions that were scored in the same
    ones; benchmarkers stand side by side and are not merged. A round is ranked only if `assay verify` finds it sound; the others
    are listed with the reason. With --task, a benchmarker that does not serve a round it revealed within a year is not ranked at
    all. Ends with 1 if nothing could be ranked.
    """
    from assay.rank import report

    if bool(rounds) == (task is not None):
        raise click.UsageError("name rounds, or a task with --task")
    names = _names(names_file)
    board = _board(settings, rounds, task, stores, places_of(nodes, gateways))
    if svg is not None:
        _draw(board, names, svg)
    if settings.json or form == "json":
        emit(replace(settings, json=True), report.as_record(board, names))
    elif form == "table":
        _print(report.tables(board, names), [*map(report.unranked_line, board.unranked), *board.notes])
    else:
        click.echo(report.as_markdown(board, names) if form == "md" else _picture(board, names), nl=False)
    return 0 if board.rounds else 1


def _names(path: Path | None) -> dict[VersionId, str]:
    if path is None:
        return {}
    try:
        pairs = json.loads(path.read_text("utf-8"))
        return {VersionId(bytes.fromhex(version.removeprefix("0x"))): str(name) for version, name in pairs.items()}
    except (ValueError, AttributeError):
        raise BadInput("is no JSON object of version ids and names", 'write {"0x…": "name"}', where=str(path)) from None


def _board(
    settings: Settings, named: tuple[str, ...], task: TaskId | None, stores: tuple[Path, ...], places: "Places"
) -> "Board":
    from assay.audit.sources import find_round
    from assay.rank import board, load
    from assay.storage.store import Store

    chain = connect(settings)
    library = load.Library([Store(folder) for folder in stores or (settings.store,)], places)
    rounds = list(dict.fromkeys(find_round(chain, text) for text in named)) if task is None else load.rounds_of(chain, task)
    with progress("verifying rounds", len(rounds)) as done:
        loaded = load.load(chain, library, rounds, done)
    if task is None:
        return board.build(*loaded, ["only the named rounds were looked at"])
    return board.build(*load.demand_served(chain, library, loaded))


def _draw(board: "Board", names: dict[VersionId, str], folder: Path) -> None:
    from assay.rank import picture

    folder.mkdir(parents=True, exist_ok=True)
    for ranked in board.ranked:
        (folder / f"{ranked.section.rounds[0].hex()[:10]}.svg").write_text(picture.of_round(ranked, names), "utf-8")
    for metric in {ranked.section.metric.signature: ranked.section.metric for ranked in board.ranked}.values():
        name = f"board-{metric.signature.partition('|')[0]}.svg"
        (folder / name).write_text(picture.of_board(board, metric, names), "utf-8")


def _picture(board: "Board", names: dict[VersionId, str]) -> str:
    from assay.rank import picture

    metrics = {ranked.section.metric.signature: ranked.section.metric for ranked in board.ranked}
    if len(metrics) != 1:
        raise BadInput(f"these rounds have {len(metrics)} metrics", "name rounds of one, or use --svg DIR", where="--format svg")
    return picture.of_board(board, next(iter(metrics.values())), names)


def _print(tables: "Iterable[Table]", more: list[str]) -> None:
    import rich.table
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    for found in tables:
        table = rich.table.Table(*found.headings, title=found.title, title_justify="left", caption_justify="left")
        table.caption = Text("\n".join(found.notes))
        for group in found.groups:
            for row in group:
                table.add_row(*map(Text, row))
            table.add_section()
        console.print(table)
    for line in more:
        console.print(Text(line), soft_wrap=True)
