"""`assay provider watch`: look after the answers that this home gave, whatever becomes of the gateway."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.bundles import place_options, places_of
from assay.cli.common import connect, emit, key_options, load_signer, pass_settings
from assay.cli.provider.home import database_of, gas_budget_option
from assay.cli.stake import wei_of
from assay.errors import AssayError, Retry, Unreachable
from assay.settings import Settings
from assay.types import RoundId, VersionId

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.audit.evidence import Message
    from assay.audit.facts import ChainFacts
    from assay.audit.proofs import Proof
    from assay.chain.client import Chain
    from assay.gateway.database import Database
    from assay.gateway.guard import Guard
    from assay.gateway.journal import Journal
    from assay.gateway.sending import Sender
    from assay.storage.bundle import Bundle
    from assay.watch.provider import Bundles, Sight


@click.command("watch")
@click.option(
    "--send", is_flag=True, help="Post and challenge. Without this nothing leaves your machine but questions to the node."
)
@gas_budget_option
@click.option("--once", is_flag=True, help="Look once, and end with 1 if a round is falsified.")
@click.option("--every", default=30, show_default=True, type=click.IntRange(1, 86_400), help="Seconds between two looks.")
@click.option(
    "--store",
    "stores",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Store of bundles; may be repeated. Default: HOME/store.",
)
@place_options
@key_options("operator")
@pass_settings
def watch(
    settings: Settings, /, *, budget: str, once: bool, every: int, key: str, password_file: Path | None, **options: Any
) -> int:
    """Post answers whose acknowledgement stays away, compare attested trees with your own answers, and challenge false ones.

    A dry run unless --send is given. Safe to kill at any moment and to run beside the gateway: what it signs is in the journal
    first, and is taken up again. The gas budget counts posts and challenges of this home, the gateway's too.
    """
    limit, places = wei_of(budget), places_of(options["nodes"], options["gateways"])
    signer = load_signer(settings, key, password_file) if options["send"] else None
    with ExitStack() as stack:
        database = stack.enter_context(database_of(settings))
        chain = stack.enter_context(closing(connect(settings)))
        watcher = Watcher(chain, database, _bundles(options["stores"] or (settings.store,), places))
        if signer is not None:
            stack.enter_context(closing(watcher.arm(signer, limit)))
        while not once:
            try:
                _say(settings, watcher.look())
            except Retry as error:  # a node that is away comes back
                _say(settings, {"error": error.message})
            time.sleep(every)
        return _say(settings, watcher.look())


def _say(settings: Settings, found: dict[str, Any]) -> int:
    emit(settings, found, _text(found))
    sys.stdout.flush()  # whoever follows it may read a pipe
    return 1 if any(seat["differences"] for seat in found.get("seats", ())) else 0


class Watcher:
    """One home's watch. Everything that matters is in the chain and in the journal; what is kept here saves work."""

    def __init__(self, chain: "Chain", database: "Database", bundles: "Bundles") -> None:
        from assay.gateway.journal import Journal

        self._chain, self._database, self._bundles = chain, database, bundles
        self._journal = Journal(database)
        self._sender: Sender | None = None
        self._guard: Guard | None = None
        self._done: frozenset[RoundId] = frozenset()

    def arm(self, signer: Any, budget: int) -> "Guard":
        """From now on it posts and challenges; the guard is to be closed."""
        from assay.chain.door import Door
        from assay.gateway.catalogue import Catalogue
        from assay.gateway.guard import Guard
        from assay.gateway.purse import BudgetedSender, Purse

        catalogue = Catalogue(self._database)
        self._sender = BudgetedSender(Door(self._chain, signer), catalogue, Purse(self._chain, catalogue, budget))
        self._guard = Guard(self._chain, self._journal, self._sender)
        return self._guard

    def look(self) -> dict[str, Any]:
        """One look at one block: what it saw, and what it did about it. Unreachable."""
        from assay.watch.provider import ENDED, look, proof_of

        head = self._chain.head()
        posted, waits = self._post()
        sights = list(look(self._chain, _Memory(self._journal), self._bundles, self._done, head.number))
        acts = [self._bring(round_, proof) for round_, proof in proof_of(sights).items()]
        self._done |= self._ended(frozenset(sight.round for sight in sights if sight.phase in ENDED))
        seats = [sight for sight in sights if sight.phase not in ENDED]
        return {
            "block": head.number,
            "now": head.timestamp,
            "waiting": {seat: count for seat, count in self._waiting().items() if count},
            "posted": posted,
            "posting": waits,
            "seats": [_seat(sight) for sight in seats],
            "ended": len(self._done),
            "challenges": acts,
        }

    def _ended(self, rounds: frozenset[RoundId]) -> frozenset[RoundId]:
        """Those that no reorganisation can bring back."""
        from assay.watch.provider import ENDED

        final = self._chain.finalized().number
        return frozenset(round_ for round_ in rounds if self._chain.rounds.phase(round_, at=final) in ENDED)

    def _waiting(self) -> dict[str, int]:
        seats = (seat for seat in self._journal.seats() if seat.round not in self._done)
        return {f"0x{seat.round.hex()} 0x{seat.version.hex()}": len(self._journal.unsettled(seat)) for seat in seats}

    def _post(self) -> tuple[int, str]:
        """How many answers were posted, and why no more were."""
        if self._guard is None:
            return 0, "dry run: give --send"
        try:
            return self._guard.post(), ""
        except AssayError as error:
            return 0, error.message

    def _bring(self, round_: RoundId, proof: "Proof") -> dict[str, Any]:
        from assay.audit.proofs import call_of
        from assay.watch.provider import PURPOSE

        act: dict[str, Any] = {"round": round_, "kind": proof.kind.value, "version": proof.version, "position": proof.position}
        act |= {"fault": proof.fault, "reward": proof.reward, "sent": False, "note": "dry run: give --send"}
        if self._sender is None:
            return act
        try:
            receipt = self._sender.send(call_of(self._chain, proof), PURPOSE + round_)
        except AssayError as error:
            return {**act, "note": error.message}
        return {**act, "sent": True, "note": "", "transaction": receipt.tx_hash, "gas": receipt.gas_used, "fee": receipt.fee}


class _Memory:
    """The gateway's journal as the watch reads it."""

    def __init__(self, journal: "Journal") -> None:
        self._journal = journal

    def seats(self) -> list[tuple[RoundId, VersionId]]:
        return [(seat.round, seat.version) for seat in self._journal.seats()]

    def messages(self, round_: RoundId) -> "tuple[Message, ...]":
        from assay.cli.provider.evidence import messages_of

        return messages_of(self._journal, round_, texts=False)


def _bundles(stores: tuple[Path, ...], places: Any) -> "Bundles":
    from assay.audit.sources import round_bundle
    from assay.storage.cids import cid_of
    from assay.storage.store import Store

    shelves = [Store(folder) for folder in stores]

    @contextmanager
    def find(facts: "ChainFacts") -> "Iterator[Bundle | None]":
        cid = cid_of(facts.round.bundle_digest)
        shelf = next((shelf for shelf in shelves if shelf.has(cid)), shelves[0])
        with ExitStack() as stack:
            try:
                found = stack.enter_context(round_bundle(facts, shelf, None, places))
            except Unreachable:  # nobody who was asked gives it
                found = None
            yield found

    return find


def _seat(sight: "Sight") -> dict[str, Any]:
    shown = [{"position": one.position, "difference": one.difference.name.lower(), "what": one.difference.value,
              "provable": one.proof is not None} for one in sight.shown]  # fmt: skip
    return {"round": sight.round, "version": sight.version, "phase": sight.phase, "differences": sight.differences,
            "shown": shown, "note": sight.note}  # fmt: skip


def _text(found: dict[str, Any]) -> Iterator[str]:
    if "error" in found:
        yield f"waiting: {found['error']}"
        return
    yield f"block {found['block']}: {len(found['seats'])} seats, {found['ended']} rounds ended"
    for seat, count in found["waiting"].items():
        yield f"  {count} answers wait for an acknowledgement: {seat}"
    if found["posted"] or (found["posting"] and found["waiting"]):
        yield f"  posted {found['posted']}" + f" ({found['posting']})" * bool(found["posting"])
    for seat in found["seats"]:
        state = f"{seat['differences']} differences" if seat["differences"] else seat["note"] or "as it should be"
        yield f"  0x{seat['round'].hex()[:12]}  0x{seat['version'].hex()[:12]}  {seat['phase'].name.lower()}: {state}"
        yield from (f"    item {one['position']}: {one['what']}" for one in seat["shown"])
    for act in found["challenges"]:
        state = f"slashed by 0x{act['transaction'].hex()}" if act["sent"] else f"not sent: {act['note']}"
        yield f"  challenge 0x{act['round'].hex()[:12]} ({act['kind']}, item {act['position']}): {state}"
