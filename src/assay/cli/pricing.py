"""`assay bench cost`: what a round costs, locks and is worth before it is sealed. `assay bench seal` shows the same and asks."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from assay.cli.agents import journal_of
from assay.cli.common import HASH, connect, emit, pass_settings
from assay.cli.running import span
from assay.errors import BadInput, Refused
from assay.settings import Settings
from assay.types import TaskId
from assay.units import ETHER, date, in_ether

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.agent.costs import Cost

VERSIONS = 3
"""Models that are reckoned with where nobody says how many."""


@click.command("cost")
@click.argument("set_", metavar="SET")
@click.option("--task", required=True, type=HASH, help="Id of the task; see `assay task list`.")
@click.option("--versions", default=VERSIONS, show_default=True, type=click.IntRange(1, 1_000), help="Models that will sit.")
@pass_settings
def cost(settings: Settings, set_: str, task: TaskId, versions: int) -> None:
    """What it costs to seal SET and bring it to its end, before anything is sealed.

    Gas at today's price, what is locked until when, how sure the scores will be, and what such references usually cost.
    """
    found = priced(settings, set_, task, versions)
    emit(settings, found, [*cost_text(found), f"next: assay bench seal {set_} --task 0x{task.hex()}"])


def priced(settings: Settings, set_: str, task: TaskId, versions: int = VERSIONS) -> "Cost":
    """The cost of sealing a set of this home now. BadInput for an unknown set or task; Unreachable."""
    from assay.agent import costs
    from assay.types import Kind

    with journal_of(settings) as journal:
        items = [item for item in journal.set_items(set_) if item.kind is Kind.SCORED]
    if not items:
        raise BadInput(f"there is no set named {set_!r:.80}", "import it: assay bench import FILE --set NAME", where="SET")
    chain = connect(settings)
    params = chain.tasks.params(task)
    if params is None:
        raise BadInput(f"the chain knows no task 0x{task.hex()}", "register it: assay task register FILE", where="--task")
    groups = len({item.group for item in items if item.group}) + sum(not item.group for item in items)
    signature, price, now = chain.metric(params.metric).signature(), chain.node.gas_price(), chain.head().timestamp
    return costs.cost(params, signature, versions, (item.prompt.decode() for item in items), groups, price, now)


def confirm_seal(settings: Settings, set_: str, task: TaskId, *, yes: bool) -> None:
    """Show what sealing costs and ask, unless it was sealed before, or --yes or --json is given. Refused for a no."""
    if yes or settings.json or _is_sealed(settings, set_, task):
        return
    for line in cost_text(priced(settings, set_, task)):
        click.echo(line, err=True)
    if sys.stdin.isatty() and not click.confirm("Seal?", err=True):
        raise Refused("not sealed", "nothing was signed, sent or locked")


def _is_sealed(settings: Settings, set_: str, task: TaskId) -> bool:
    with journal_of(settings) as journal:
        return any((record.set_name, record.task) == (set_, task) for record in journal.rounds())


def cost_text(found: "Cost") -> Iterator[str]:
    """The cost as people read it."""

    yield f"{found.items} scored items in {found.groups} groups, {found.versions} models, {found.gas_price / 10**9:g} gwei"
    for step in found.steps:
        yield f"  {step.step:<8} {step.gas:>10,} gas  {step.wei / ETHER:.6f} ether"
    yield f"  {'all':<8} {found.gas:>10,} gas  {found.wei / ETHER:.6f} ether"
    ends = found.deadlines
    until = f"until {date(ends.versions_released_at)}"
    yield f"locked   {in_ether(found.round_bond)} of yours, {until}: {span(found.locked_seconds)}, if sealed now"
    yield "         later only if somebody demands openings late; lost with a missed deadline or a proven fault, and then it"
    yield "         stays used of the limit that you gave the operator: assay bench allow"
    yield f"         {in_ether(found.version_bond)} of each provider for each model, {until}"
    yield f"clock    answers until {date(ends.answer_by)}"
    yield f"         attest before {date(ends.attest_by)}, reveal before {date(ends.reveal_by)}"
    yield f"scores   ±{found.half_width:g} of 100 (95 %) for a good system, less for weak ones: an estimate by Kish's design"
    yield "         effect over the groups, with the spread that the bootstrap shows on NTREX-128"
    least, most = (cents / 100 for cents in found.reference_cents)
    yield f"texts    {found.words:,} words: {least:,.0f} to {most:,.0f} US dollars where professionals translate them, assumed"
    yield "         from the 0.10 to 0.25 a word that agencies publish for common languages; ask for an offer"
