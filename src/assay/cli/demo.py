"""`assay demo`: what `make demo` played, to go on with: its chain again, and commands to begin with."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from assay.cli.common import emit, pass_settings
from assay.errors import BadInput
from assay.settings import Settings

NEXT = "next.json"
ENVIRONMENT = "env"
FOLDER = click.option(
    "--dir",
    "folder",
    metavar="DIR",
    default=".demo",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="What the demo left.",
)


@click.group("demo")
def command() -> None:
    """Go on with what `make demo` left: chain, bundles and keys."""


@command.command()
@FOLDER
@click.option("--port", default=0, type=click.IntRange(0, 65_535), help="Port on the loopback interface; default: a free one.")
@pass_settings
def resume(settings: Settings, folder: Path, port: int) -> None:
    """Start the demo's chain again, in the background, and show what to do on it."""
    from assay.chain import background

    left = _left(folder)
    chain = background.start(folder, port)
    _await_final(chain.rpc)
    (folder / ENVIRONMENT).write_text(
        f"export ASSAY_RPC={chain.rpc}\nexport ASSAY_DEPLOYMENT={shlex.quote(str(folder.resolve() / background.DEPLOYMENT))}\n"
    )
    commands = [
        {"why": entry["why"], "line": shlex.join(word.replace("DEMO", str(folder)) for word in entry["words"])} for entry in left
    ]
    emit(settings, {"rpc": chain.rpc, "pid": chain.pid, "commands": commands}, _text(chain.rpc, commands))


@command.command()
@FOLDER
@pass_settings
def stop(settings: Settings, folder: Path) -> None:
    """End the demo's chain; its state is kept for the next `resume`."""
    from assay.chain import background

    stopped = background.stop(folder)
    emit(settings, {"stopped": stopped}, "stopped; go on with: assay demo resume" if stopped else "it does not run")


def _left(folder: Path) -> list[dict[str, Any]]:
    try:
        left: list[dict[str, Any]] = json.loads((folder / NEXT).read_text("utf-8"))
    except (OSError, ValueError):
        raise BadInput("no demo was left here", "play it first: make demo", where=str(folder / NEXT)) from None
    return left


def _await_final(rpc: str) -> None:
    """Until the finalized block is one that this chain made since its start: states of older ones are not kept."""
    from assay.chain.node import Node

    with Node(rpc) as node:
        newest = node.head().number
        while node.finalized().number <= newest:
            node.request("evm_mine")  # never more than a few: finality is two blocks behind


def _text(rpc: str, commands: list[dict[str, str]]) -> Iterator[str]:
    yield f"The demo's chain runs at {rpc}. Go on:"
    yield ""
    for entry in commands:
        yield f"    {entry['line']}"
        yield f"        {entry['why']}"
    yield ""
    yield "End it: assay demo stop"
