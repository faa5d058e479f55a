"""`assay bench run` and `status`: the daemon, and what it would do next."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.agents import agent_of, journal_of
from assay.cli.common import connect, emit, key_options, pass_settings
from assay.cli.stake import address_of
from assay.settings import Settings
from assay.units import ETHER, date, in_ether

if TYPE_CHECKING:  # the chain and sacreBLEU are imported by the commands that need them
    from assay.agent.cycle import Job
    from assay.agent.plans import Plans
    from assay.agent.prospects import Prospect
    from assay.chain.client import Chain

FILE = click.Path(path_type=Path, dir_okay=False)
SETTINGS = click.option("--settings", "plan_file", metavar="FILE", type=FILE, help="TOML file of rounds to seal and to run.")
DAY, HOUR, MINUTE = 86_400, 3_600, 60


@click.command("run")
@SETTINGS
@click.option("--dry-run", is_flag=True, help="Say what would be done next. Needs no key.")
@click.option("--salts", default="salts", show_default=True, help="Name of the master secret of the salts.")
@key_options("operator")
@pass_settings
def run(settings: Settings, plan_file: Path | None, dry_run: bool, salts: str, key: str, password_file: Path | None) -> int:
    """Bring every round of FILE and of this home to its end, each step in its window.

    Ends with 0 at SIGTERM or SIGINT, once what it signed is mined, or when nothing is left; with 1 if an error stopped a round.
    """
    plans, jobs = planned(settings, plan_file)
    if dry_run:
        _show(settings, connect(settings), jobs)
        return 0
    from assay.agent.cycle import Cycle, all_jobs, quiet
    from assay.chain.door import Door

    stopping = until_signal()
    with agent_of(settings, key, password_file, salts=salts) as opened, opened.journal.lease():
        door = Door(opened.chain, opened.signer, plans.max_fee_gwei)
        agent = quiet(replace(opened, door=door, nodes=plans.ipfs), stopping)
        every = all_jobs(agent.chain, agent.journal, jobs, agent.signer.address)
        started = {"operator": agent.signer.address, "rounds": len(every), "home": settings.home}
        emit(settings, started, f"running {len(every)} rounds as {agent.signer.address}; next: assay bench status --watch")
        return 0 if Cycle(agent, every, plans).run() or stopping() else 1


@click.command("status")
@SETTINGS
@click.option("--watch", is_flag=True, help="Again and again, until it is interrupted.")
@click.option("--every", default=5, show_default=True, type=click.IntRange(1, 3_600), help="Seconds between two looks.")
@pass_settings
def status(settings: Settings, plan_file: Path | None, watch: bool, every: int) -> None:
    """What happens next in each round, by when, what it costs and what is lost if it is missed."""
    (_, jobs), chain = planned(settings, plan_file), connect(settings)
    _show(settings, chain, jobs)
    while watch:
        time.sleep(every)
        _show(settings, chain, jobs)


def planned(settings: Settings, plan_file: Path | None) -> "tuple[Plans, list[Job]]":
    """The plans, with the names in them resolved, before any password is asked for."""
    from assay.agent.card import read_card
    from assay.agent.cycle import Job
    from assay.agent.plans import Plans, load

    plans = load(plan_file) if plan_file else Plans()
    cards = {plan.set_name: read_card(plan.card) if plan.card else {} for plan in plans.rounds}
    return plans, [Job(plan, address_of(settings, plan.owner), cards[plan.set_name]) for plan in plans.rounds]


def until_signal() -> Callable[[], bool]:
    """Whether SIGTERM or SIGINT came. A second one ends the process at once, which is as safe as any crash."""
    came: list[int] = []

    def stop(number: int, _frame: object) -> None:
        came.append(number)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    return lambda: bool(came)


def _show(settings: Settings, chain: "Chain", jobs: "list[Job]") -> None:
    from assay.agent.cycle import all_jobs
    from assay.agent.prospects import prospects

    with journal_of(settings) as journal:
        head = chain.head()
        found = prospects(chain, journal, all_jobs(chain, journal, jobs), head)
    emit(settings, {"now": head.timestamp, "block": head.number, "rounds": found}, _status_text(found, head.timestamp))


def _status_text(found: "list[Prospect]", now: int) -> Iterator[str]:
    if not found:
        yield "nothing yet; next: assay bench import FILE --set NAME"
    for p in found:
        yield f"{p.set}  {'0x' + p.round.hex()[:12] if p.round else 'not sealed'}  {p.phase.name.lower()}"
        if not p.step:
            yield f"  nothing left: {p.why}"
            continue
        when = "now" if p.at <= now else f"in {span(p.at - now)} (at {date(p.at)})"
        until = f", within {span(p.seconds_left)} (before {date(p.deadline)})" if p.seconds_left is not None else ""
        yield f"  {p.step} {when}{until}" + f": {p.why}" * bool(p.why)
        if p.gas:
            yield f"  costs about {p.gas:,} gas, {p.wei / ETHER:.6f} ether"
        if p.loses:
            yield f"  if missed: {p.loses}" + f", {in_ether(p.bond)}" * bool(p.bond)


def span(seconds: int) -> str:
    """A span of time as people say it."""
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if abs(seconds) >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds} seconds"
