"""`assay provider status`: what waits for an acknowledgement, until when it can be posted, and what posting may still cost."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from assay.cli.common import connect, emit, pass_settings
from assay.cli.provider.home import database_of, gas_budget_option
from assay.cli.stake import wei_of
from assay.settings import Settings
from assay.units import date, in_ether

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.chain.client import Chain
    from assay.gateway.journal import Journal
    from assay.gateway.messages import Seat


@click.command()
@gas_budget_option
@pass_settings
def status(settings: Settings, budget: str) -> None:
    """Answers that wait for their acknowledgement, and what posting them on chain may still cost today.

    Give the same --gas-budget as to `serve` and `watch`. Reads the journal and the node; needs no key.
    """
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.journal import Journal
    from assay.gateway.purse import Purse

    limit = wei_of(budget)
    with database_of(settings) as database, closing(connect(settings)) as chain:
        journal = Journal(database)
        spent = Purse(chain, Catalogue(database), limit).spent()
        seats = [found for seat in journal.seats() if (found := _waiting(chain, journal, seat))]
    left = max(limit - spent, 0)
    found = {"gas_budget": limit, "spent": spent, "left": left, "waiting": seats}
    emit(settings, found, _text(found))


def _waiting(chain: "Chain", journal: "Journal", seat: "Seat") -> dict[str, Any] | None:
    """What waits in a round, or was lost in it, if anything was."""
    from assay.gateway.messages import Place

    now, facts = chain.head().timestamp, chain.rounds.round(seat.round)
    if facts is None:
        return None
    task = chain.tasks.params(facts.task)
    places = [Place(*seat, position) for position in journal.unsettled(seat)]
    kept = [journal.answer(place) for place in places if chain.rounds.posted(*place) is None]
    ends = sorted(one.answer_until + task.post_window for one in kept if one is not None and task is not None)
    if not ends:
        return None
    open_ends = [end for end in ends if end > now]
    return {
        "round": seat.round,
        "version": seat.version,
        "waiting": len(open_ends),
        "lost": len(ends) - len(open_ends),
        "first_lost_at": min(open_ends, default=None),
        "last_lost_at": max(open_ends, default=None),
    }


def _text(found: dict[str, Any]) -> Iterator[str]:
    yield f"gas     {in_ether(found['spent'])} of {in_ether(found['gas_budget'])} spent or set aside in the last 24 hours"
    for seat in found["waiting"]:
        yield f"round   0x{seat['round'].hex()[:16]}  version 0x{seat['version'].hex()[:16]}"
        if seat["waiting"]:
            ends = f"{date(seat['first_lost_at'])} to {date(seat['last_lost_at'])}"
            yield f"        {seat['waiting']} answers wait for an acknowledgement; they can be posted until {ends}"
        if seat["lost"]:
            yield f"        {seat['lost']} answers were neither acknowledged nor posted in time"
    if any(seat["waiting"] for seat in found["waiting"]):
        yield "next    the gateway posts them when they are due, or `assay provider watch --send`; a post beyond the budget waits"
        yield "        until older ones are a day old: raise --gas-budget of `serve` (and `watch`) if that is too late"
