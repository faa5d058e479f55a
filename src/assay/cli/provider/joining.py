"""`assay provider join`: read an invitation, see what it means, and let the gateway consent."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.common import connect, emit, pass_settings
from assay.cli.provider.home import catalogue_of
from assay.errors import BadInput, Refused
from assay.settings import Settings, private_folder
from assay.units import date, in_ether

if TYPE_CHECKING:
    from assay.chain.invitation import Invitation
    from assay.gateway.joining import Prospect

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--policy", "policy_file", metavar="FILE", type=FILE, help="Default: policy.toml in the home.")
@click.option("--yes", is_flag=True, help="Join without being asked.")
@click.option("--dry-run", is_flag=True, help="Show what joining means, and change nothing.")
@pass_settings
def join(settings: Settings, file: Path, policy_file: Path | None, yes: bool, dry_run: bool) -> None:
    """Read the invitation of FILE, show what joining signs, locks and risks, and admit its benchmarker with its task.

    Nothing is signed here: the gateway, one that runs too, signs when the benchmarker asks it to.
    """
    from assay.chain import descriptions
    from assay.gateway import joining, policy

    invitation, path = _read(file), policy_file or settings.home / "policy.toml"
    rules = policy.load(path)
    with catalogue_of(settings) as catalogue, closing(connect(settings)) as chain:
        versions = [found.version for found in catalogue.versions()]
        prospect = joining.look_up(chain, invitation, rules, versions)
    joining.demand_admissible(prospect, rules)
    if not dry_run:
        _confirm(settings, prospect, yes=yes)
        descriptions.keep(private_folder(settings.tasks), invitation.task, invitation.raw_description)
        policy.admit(path, invitation.benchmarker, invitation.task, str(invitation.description.get("name", "joined")))
    last = "nothing was changed" if dry_run else f"joined: {path} admits this benchmarker with this task"
    emit(settings, {**_result(prospect), "joined": not dry_run}, [*(_text(prospect) if yes or dry_run else ()), last])


def _read(file: Path) -> "Invitation":
    from assay.chain import invitation

    try:
        with file.open("rb") as stream:
            raw = stream.read(invitation.MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", "name another one", where=str(file)) from None
    return invitation.read(raw, str(file))


def _confirm(settings: Settings, prospect: "Prospect", *, yes: bool) -> None:
    if yes:
        return
    if not settings.json:
        for line in _text(prospect):
            click.echo(line, err=True)
    if settings.json or not sys.stdin.isatty():
        raise BadInput("joining wants to be confirmed", "look with --dry-run, then give --yes", where="--yes")
    if not click.confirm("Join?", err=True):
        raise Refused("not joined", "nothing was changed")


def _result(prospect: "Prospect") -> dict[str, Any]:
    invitation = prospect.invitation
    return {
        "benchmarker": invitation.benchmarker,
        "operator": invitation.operator,
        "task": invitation.task,
        "name": invitation.description.get("name"),
        "licence": invitation.description.get("licence"),
        "round": invitation.round.id if invitation.round else None,
        "version_bond": prospect.version_bond,
        "locks_now": prospect.locks_now,
        "windows": prospect.windows,
        "sealed": prospect.sealed,
        "last_sealed_at": prospect.last_sealed_at or None,
        "locked_until": prospect.locked_until,
        "policy": prospect.refusal or "admitted",
        "versions": prospect.candidates,
        "notes": prospect.notes,
    }


def _text(prospect: "Prospect") -> Iterator[str]:
    from assay.gateway.joining import clock, risk

    invitation, ends = prospect.invitation, prospect.invitation.deadlines
    yield f"task    {_plain(invitation.description.get('name'))}  0x{invitation.task.hex()}"
    yield f"licence {_plain(invitation.description.get('licence'))}"
    yield f"from    {invitation.benchmarker}, signed by {invitation.operator}"
    if invitation.round and ends:
        yield f"round   0x{invitation.round.id.hex()}, {invitation.round.items} items, answers until {date(ends.answer_by)}"
    else:
        yield "round   none yet: any that this benchmarker seals under the task"
    yield from risk(invitation)
    yield from clock(prospect)
    yield f"policy  {'admits it already' if prospect.refusal is None else 'says no today: ' + prospect.refusal}"
    for candidate in prospect.candidates:
        first = date(candidate.eligible_from)
        yield f"version 0x{candidate.version.hex()[:16]}  sits {candidate.seating.value}; eligible for seals from {first} on"
        yield from (f"        lacks: {lack}" for lack in candidate.lacks)
    if not prospect.candidates:
        yield "version none in this home: commit one, and it is eligible for every seal after that"
    if prospect.locks_now:
        yield f"now     {in_ether(prospect.locks_now)} are locked once the benchmarker enrols all of these in its round"
    yield from (f"note    {note}" for note in prospect.notes)


def _plain(value: object) -> str:
    """A stranger's text on a terminal: one line, nothing that moves the cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))[:200]
