"""`assay bench invite`: what a benchmarker hands to providers. A group adds this command as its own."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.agents import journal_of
from assay.cli.common import HASH, connect, emit, load_signer, pass_settings, password_option
from assay.cli.stake import address_of
from assay.errors import BadInput
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.chain.invitation import Invitation


@click.command()
@click.argument("what", metavar="ROUND|TASK")
@click.option("--out", required=True, metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@click.option("--owner", default="owner", show_default=True, metavar="KEY|ADDRESS", help="Who invites to a TASK.")
@click.option("--key", metavar="NAME", default="operator", show_default=True, help="The operator's key, which signs.")
@password_option
@pass_settings
def invite(settings: Settings, what: str, out: Path, owner: str, key: str, password_file: Path | None) -> None:
    """Write an invitation to a sealed ROUND, or to all rounds that will be sealed under TASK (a whole id).

    Providers read it with: assay provider join FILE
    """
    from assay.agent.inviting import to_round, to_task
    from assay.chain import invitation
    from assay.chain.descriptions import replace_file
    from assay.types import TaskId

    signer = load_signer(settings, key, password_file)
    with journal_of(settings) as journal, closing(connect(settings)) as chain:
        task = _task(what)
        if task is not None and chain.tasks.params(TaskId(task)) is not None:
            made = to_task(chain, settings.tasks, TaskId(task), address_of(settings, owner), signer.address)
        else:
            made = to_round(chain, journal, what)
    data = invitation.write(made, signer)
    try:
        replace_file(out, data)
        out.chmod(0o644)  # it is made to be handed on
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", "choose another name", where=str(out)) from None
    emit(settings, _result(made, out), f"wrote {out}; hand it to providers, who read it with: assay provider join {out.name}")


def _task(text: str) -> bytes | None:
    try:
        return HASH.convert(text, None, None)
    except click.UsageError:
        return None


def _result(made: "Invitation", out: Path) -> dict[str, object]:
    return {"file": out, "task": made.task, "round": made.round.id if made.round else None, "benchmarker": made.benchmarker}
