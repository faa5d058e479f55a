"""Puts a watchtower together from a chain, a key and a plan."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.receipts import Signer
from assay.types import Address
from assay.watch.agreement import Witnesses
from assay.watch.auditing import Auditor, Fetch
from assay.watch.hand import Hand
from assay.watch.inbox import Inbox
from assay.watch.journal import Journal
from assay.watch.library import Library
from assay.watch.meters import Meters
from assay.watch.peers import Peers
from assay.watch.settings import Plan
from assay.watch.tower import Tools, Tower

__all__ = ["DRY_RUN", "journal_path", "tower"]

DRY_RUN = "dry-run"


def journal_path(folder: Path, me: Address | None) -> Path:
    """The journal of a key, in a folder for watchtowers; None is the dry run's."""
    return folder / f"{me.lower() if me else DRY_RUN}.sqlite"


@contextmanager
def tower(
    chains: Sequence[Chain], signer: Signer | None, plan: Plan, fetch: Fetch, folder: Path, me: Address | None = None
) -> Iterator[Tower]:
    """A watchtower over the first chain, with the others as witnesses; its journal is leased for as long.

    Without a signer it is a dry run: nothing is sent, and `me` is the address whose money is looked at. Refused where another
    watchtower runs with this key.
    """
    chain, meters = chains[0], Meters()
    journal = Journal(journal_path(folder, signer.address if signer else None))
    try:
        with journal.lease():
            witnesses = Witnesses(chains, plan.confirmations)
            door = Door(chain, signer, plan.max_fee_gwei) if signer else None
            address = signer.address if signer else me
            inbox = Inbox(plan.evidence, chain.deployment.chain_id, chain.deployment.rounds)
            library, peers = Library(journal, plan.similarity), Peers(chain, journal, plan.least_bond)
            tools = Tools(
                chain=chain,
                witnesses=witnesses,
                hand=Hand(chain, witnesses, door, journal, plan, address),
                journal=journal,
                auditor=Auditor(chain, fetch, inbox, journal, library, peers),
                peers=peers,
                inbox=inbox,
                library=library,
                meters=meters,
                plan=plan,
                me=address,
            )
            yield Tower(tools)
    finally:
        journal.close()
