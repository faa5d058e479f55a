"""`assay watch`: a watchtower that audits every revealed round, and what it did so far."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay import keys
from assay.cli.bundles import place_options, places_of
from assay.cli.common import connect, emit, key_options, load_signer, pass_settings
from assay.cli.running import until_signal
from assay.errors import BadKey
from assay.settings import Settings, home_folder, private_folder
from assay.units import ETHER, in_ether

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.types import Address
    from assay.watch.overview import Status
    from assay.watch.settings import Plan
    from assay.watch.tower import Done

FILE = click.Path(path_type=Path, dir_okay=False)
SETTINGS = click.option(
    "--settings", "plan_file", metavar="FILE", type=FILE, help="TOML file; without it everything is as given."
)


@click.group("watch")
def command() -> None:
    """Watch over all rounds of a deployment.

    \b
    assay watch run --settings watch.toml --dry-run    what would be done, without any key
    assay watch run --settings watch.toml              audit, demand, answer and challenge, within a budget
    assay watch status                                 what it knows, did and spent
    """


@command.command()
@SETTINGS
@click.option("--dry-run", is_flag=True, help="Send nothing: say what would be done. Needs no key.")
@click.option("--once", is_flag=True, help="End as soon as there is nothing to do now.")
@click.option(
    "--store", "store_dir", metavar="DIR", type=click.Path(path_type=Path), help="Store of bundles. Default: HOME/store."
)
@place_options
@key_options("operator")
@pass_settings
def run(
    settings: Settings, /, plan_file: Path | None, dry_run: bool, once: bool, key: str, password_file: Path | None, **where: Any
) -> int:
    """Follow the chain: audit every revealed round, demand what is not shown, bring every fault to the chain.

    Bundles come from the store, then from --ipfs and --gateway. Demands need a deposit and an allowance of the key for itself, at
    best as large as the budget in all: the fee of an answered demand stays used of both.
    Ends with 0 at SIGTERM or SIGINT, once what it signed is mined, or, with --once, when nothing is left to do. With --once it
    ends with the error that kept it from looking at or doing everything; without, it goes on and tries again.
    """
    from assay.storage.store import Store
    from assay.watch.build import tower
    from assay.watch.fetching import from_store

    plan, stopping = _plan(plan_file), until_signal()
    signer = None if dry_run else load_signer(settings, key, password_file)
    store, places = Store(where["store_dir"] or settings.store), places_of(where["nodes"], where["gateways"])
    fetch = from_store(store, places, plan.fetch_seconds)
    with ExitStack() as stack:
        chains = [connect(settings), *(stack.enter_context(_closing(settings, url)) for url in plan.rpcs)]
        folder = private_folder(home_folder(settings.home) / "watch")
        built = stack.enter_context(tower(chains, signer, plan, fetch, folder, _known(settings, key)))
        if plan.metrics_port:
            stack.callback(built.tools.meters.serve(plan.metrics_port))
        if once:
            done = built.until_idle(stopping)
            emit(settings, {"done": [_told(each) for each in done]}, _done_text(done))
            if (error := built.error or built.failed) is not None:
                raise error
            return 0
        began = {"key": built.tools.me, "dry_run": dry_run, "nodes": len(chains), "metrics_port": plan.metrics_port}
        emit(settings, began, f"watching as {built.tools.me or 'nobody'}; next: assay watch status")
        sys.stdout.flush()  # whoever waits for this line reads a pipe
        built.run(stopping)
    return 0


@command.command()
@SETTINGS
@click.option("--dry-run", is_flag=True, help="That of the dry run.")
@click.option("--key", default="operator", show_default=True, metavar="NAME", help="Whose watchtower.")
@pass_settings
def status(settings: Settings, plan_file: Path | None, dry_run: bool, key: str) -> None:
    """What the watchtower knows of each round, what it did, and what it spent."""
    from assay.watch.build import journal_path
    from assay.watch.journal import Journal
    from assay.watch.overview import status as status_of

    plan, me = _plan(plan_file), _known(settings, key)
    chain = connect(settings)
    journal = Journal(journal_path(private_folder(home_folder(settings.home) / "watch"), None if dry_run else me))
    try:
        found = status_of(chain, journal, plan, me)
    finally:
        journal.close()
    emit(settings, found, _status_text(found))


def _plan(plan_file: Path | None) -> "Plan":
    from assay.watch.settings import Plan, load

    return load(plan_file) if plan_file else Plan()


def _closing(settings: Settings, url: str) -> Any:
    from contextlib import closing

    from assay.chain import deployments
    from assay.chain.client import Chain

    return closing(Chain.connect(url, deployments.load(settings.deployment) if settings.deployment else None))


def _known(settings: Settings, key: str) -> "Address | None":
    try:
        return keys.address_of_key(settings.keys, key)
    except BadKey:
        return None


def _told(done: "Done") -> dict[str, Any]:
    task = done.task
    place = {"version": task.version, "position": task.position}
    return {"what": done.what, "round": done.round, **place, "gas": done.gas, "fee": done.fee, "dry": done.dry}


def _done_text(found: "list[Done]") -> Iterator[str]:
    if not found:
        yield "nothing to do"
    for each in found:
        place = "" if each.task.position is None else f" item {each.task.position}"
        yield f"{'would ' if each.dry else ''}{each.what}  0x{each.round.hex()}{place}" + f"  {each.gas:,} gas" * bool(each.gas)


def _status_text(found: "Status") -> Iterator[str]:
    yield f"block {found.block}, key {found.me or 'none'}"
    today, ever = found.spent
    limits = found.budget_per_day / ETHER, found.budget / ETHER
    yield f"spent {today / ETHER:.6f} of {limits[0]:g} ether today, {ever / ETHER:.6f} of {limits[1]:g} in all"
    yield f"earned {found.earned / ETHER:.6f} ether by {sum(act.state == 'mined' for act in found.acts)} acts"
    if found.free_stake is not None and found.allowance is not None:
        limit, used = map(in_ether, found.allowance)
        yield f"demands out of {in_ether(found.free_stake)} of free stake; limit {limit}, {used} of it locked or lost"
    for each in found.rounds:
        audit = "not audited" if each.exit_code is None else f"audit {each.exit_code}" + ", unserved" * (not each.served)
        more = [f"{len(each.found)} proofs"] * bool(each.found) + [f"{each.open_demands} open demands"] * bool(each.open_demands)
        more += [f"{each.seen_before} prompts seen before"] * bool(each.seen_before)
        yield f"0x{each.round.hex()}  {each.phase.name.lower()}  " + ", ".join([audit, *more])
    for name, why in sorted(found.evidence_problems.items()):
        yield f"evidence {name}: {why}"
