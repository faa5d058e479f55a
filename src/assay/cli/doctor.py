"""`assay doctor`: whether a benchmarker's agent can be left alone, line by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay import keys
from assay.cli.agents import journal_of
from assay.cli.common import connect, emit, pass_settings
from assay.cli.running import SETTINGS, planned
from assay.errors import AssayError
from assay.settings import Settings, home_folder

if TYPE_CHECKING:  # the chain is imported when the command runs
    from assay.agent.checkup import Line


@click.command("doctor")
@SETTINGS
@click.option("--key", metavar="NAME", default="operator", show_default=True, help="The operator's key; it is not opened.")
@click.option(
    "--password-file",
    metavar="FILE",
    envvar="ASSAY_PASSWORD_FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Only its mode is looked at.",
)
@pass_settings
def command(settings: Settings, plan_file: Path | None, key: str, password_file: Path | None) -> int:
    """Check chain, clock, funds, gateways, disk and private files before `assay bench run`.

    Ends with 1 if anything failed.
    """
    from assay.agent.checkup import Health

    lines = list(_lines(settings, plan_file, key, password_file))
    text = [
        f"{line.health.value:<8} {line.check:<8} {line.message}" + f"\n{'':18}{line.remedy}" * bool(line.remedy) for line in lines
    ]
    failed = sum(line.health is Health.FAILED for line in lines)
    emit(settings, {"failed": failed, "lines": lines}, text)
    return 1 if failed else 0


def _lines(settings: Settings, plan_file: Path | None, key: str, password_file: Path | None) -> "Iterator[Line]":
    from assay.agent import checkup
    from assay.agent.checkup import Health, Line, guarded
    from assay.agent.cycle import all_jobs

    home = home_folder(settings.home)
    yield from guarded("disk", lambda: checkup.disk(home))
    yield from guarded("store", lambda: checkup.store(settings.store))
    yield from guarded("modes", lambda: checkup.modes(home, [password_file] if password_file else []))
    try:
        plans, jobs = planned(settings, plan_file)
        operator = keys.address_of_key(settings.keys, key)
    except AssayError as error:
        yield Line("settings", Health.FAILED, error.message, error.remedy)
        return
    yield from _nodes(plans.ipfs)
    try:
        chain = connect(settings)
    except AssayError as error:
        yield Line("chain", Health.FAILED, error.message, error.remedy)
        return
    yield checkup.ok("code", "the contracts at the deployment's addresses are of this release")
    with journal_of(settings) as journal:
        yield from guarded("clock", lambda: checkup.clock(chain))
        yield from guarded("metric", lambda: checkup.metrics(chain, all_jobs(chain, journal, jobs)))
        yield from guarded("funds", lambda: checkup.funds(chain, journal, jobs, operator))
        yield from guarded("gateway", lambda: checkup.gateways(chain, journal, jobs))


def _nodes(addresses: tuple[str, ...]) -> "Iterator[Line]":
    """Each IPFS node of the settings file, with a small folder there and back. One that fails costs no bond: a warning."""
    from assay.agent.checkup import Health, Line

    for address in addresses:
        from assay.storage.checkup import node  # its client takes a fifth of a second to import

        for found in node(address):
            yield Line("ipfs", Health.OK if found.ok else Health.WARNING, found.message, found.remedy)
