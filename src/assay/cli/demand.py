"""`assay demand`: make a benchmarker show an item, or lose its bond; answer for it, and find the position under a wrong sum."""

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import emit, pass_settings
from assay.cli.disputing import Case, bring, case_of, send_options, signer_of
from assay.errors import BadInput
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.audit.proofs import Proof
    from assay.chain.index import DemandRecord
    from assay.types import VersionId

ROUND = click.argument("round_", metavar="ROUND")
VERSION = click.argument("version")
POSITION = click.argument("position", type=click.IntRange(min=0))


@click.group("demand")
def command() -> None:
    """Demand that single items of a revealed round be opened.

    \b
    assay demand open ROUND VERSION POSITION      lock the fee; whoever opens the item in time gets half of it
    assay demand answer ROUND VERSION POSITION    open it, from the bundle
    assay demand expire ROUND VERSION POSITION    nobody did: the round is slashed, for the demander
    assay demand reclaim ROUND VERSION POSITION   the fee back, once the round is Slashed or Final
    assay demand bisect ROUND VERSION             where a root differs: which position to demand next

    A dry run unless --send is given. Whoever demands needs a deposit and an allowance of itself:
    assay provider deposit AMOUNT --key NAME, then assay provider allow NAME LIMIT --key NAME.
    The fee of an answered demand is lost, and stays used of the limit: to demand on, allow more.
    """


@command.command("open")
@ROUND
@VERSION
@POSITION
@send_options
@pass_settings
def open_(settings: Settings, /, round_: str, version: str, position: int, **options: Any) -> None:
    """Demand that POSITION of VERSION be opened; locks the task's fee."""
    from assay.audit.proofs import demand

    def made(case: Case, chosen: "VersionId") -> "Proof":
        return demand(case.facts, chosen, position, _records(case).get((chosen, position)))

    _bring(settings, round_, None, version, options, made)


@command.command()
@ROUND
@VERSION
@POSITION
@bundle_options
@send_options
@pass_settings
def answer(settings: Settings, /, round_: str, version: str, position: int, source: Choice, **options: Any) -> None:
    """Open the demanded item from the bundle; half of the fee is yours."""
    from assay.audit.openings import Openings
    from assay.audit.proofs import answer as proof_of

    def made(case: Case, chosen: "VersionId") -> "Proof":
        openings = Openings(case.facts, case.need_bundle())
        return proof_of(case.facts, openings, _record(case, chosen, position), secrets.randbits(64))

    _bring(settings, round_, source, version, options, made)


@command.command()
@ROUND
@VERSION
@POSITION
@send_options
@pass_settings
def expire(settings: Settings, /, round_: str, version: str, position: int, **options: Any) -> None:
    """Slash ROUND for a demand that nobody answered in time; half of the bond is the demander's."""
    from assay.audit.proofs import expire as proof_of

    _bring(settings, round_, None, version, options, lambda case, chosen: proof_of(case.facts, _record(case, chosen, position)))


@command.command()
@ROUND
@VERSION
@POSITION
@send_options
@pass_settings
def reclaim(settings: Settings, /, round_: str, version: str, position: int, **options: Any) -> None:
    """Free the fee of an unanswered demand to its demander, once ROUND is Slashed or Final."""
    from assay.audit.proofs import reclaim as proof_of

    _bring(settings, round_, None, version, options, lambda case, chosen: proof_of(case.facts, _record(case, chosen, position)))


@command.command("list")
@ROUND
@pass_settings
def list_(settings: Settings, round_: str) -> None:
    """All demands of ROUND with their deadlines and what became of them."""
    with case_of(settings, round_) as case:
        found, closing = list(_records(case).values()), case.chain.rounds.closing(case.facts.round.id)
        now = case.facts.block.timestamp
    result = {"round": case.facts.round.id, "phase": case.facts.phase, "now": now, "final_at": closing.final_at, "demands": found}
    emit(settings, result, _listed(found, now))


@command.command()
@ROUND
@VERSION
@bundle_options
@send_options
@pass_settings
def bisect(settings: Settings, /, round_: str, version: str, source: Choice, **options: Any) -> None:
    """Where VERSION's root differs from the bundle's leaves: demand the next position under the sum that is wrong.

    Call it again after each answer: after at most depth + 1 demands one stays unanswered, and is expired.
    """
    from assay.audit.bisection import next_demand
    from assay.audit.calldata import shown_openings
    from assay.audit.openings import Openings
    from assay.audit.proofs import demand

    def made(case: Case, chosen: "VersionId") -> "Proof":
        openings, records = Openings(case.facts, case.need_bundle()), list(_records(case).values())
        found = next_demand(case.facts, openings, chosen, shown_openings(case.chain, case.facts), records)
        return demand(case.facts, chosen, found.position)

    _bring(settings, round_, source, version, options, made)


def _bring(
    settings: Settings,
    round_: str,
    source: Choice | None,
    version: str,
    options: dict[str, Any],
    build: "Callable[[Case, VersionId], Proof]",
) -> None:
    from assay.audit.sources import find_version

    signer = signer_of(settings, options)
    with case_of(settings, round_, source) as case:
        bring(settings, case.chain, build(case, find_version(case.facts, version)), signer, options["key"])


def _records(case: Case) -> "dict[tuple[VersionId, int], DemandRecord]":
    from assay.chain.index import demands_of

    found = demands_of(case.chain, case.facts.round.id, case.facts.block.number)
    return {(record.version, record.position): record for record in found}


def _record(case: Case, version: "VersionId", position: int) -> "DemandRecord":
    record = _records(case).get((version, position))
    if record is None:
        raise BadInput(f"nobody demanded item {position} of this version", "`assay demand list` shows what was demanded.")
    return record


def _listed(found: "list[DemandRecord]", now: int) -> Iterator[str]:
    if not found:
        yield "nothing was demanded"
    for record in found:
        state = record.state.name.lower()
        late = ", past it: assay demand expire" if state == "open" and record.deadline <= now else ""
        yield f"item {record.position} of 0x{record.version.hex()}  {state}, until {record.deadline}{late}, by {record.demander}"
