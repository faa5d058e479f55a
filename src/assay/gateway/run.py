"""From a plan to a running gateway: the doctor's checks, the parts put together, the end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.receipts import Signer
from assay.gateway import app, doctor
from assay.gateway.board import ChainBoard
from assay.gateway.catalogue import Catalogue
from assay.gateway.chainview import CachedChain
from assay.gateway.database import Database
from assay.gateway.journal import Journal
from assay.gateway.policy import PolicyFile
from assay.gateway.poster import Poster
from assay.gateway.purse import BudgetedSender, Purse
from assay.gateway.server import listen, serve, url_of
from assay.gateway.service import Service
from assay.gateway.upstreams import Upstream
from assay.types import VersionId

log = structlog.get_logger()
OUTPUT_FACTOR = 4
"""A model may write this many times the largest text that the policy admits before that counts as a failure; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What shall be served, where, and by which policy."""

    version: VersionId
    rules: PolicyFile
    host: str
    port: int
    post: bool
    gas_budget: int
    """Wei that posts, and whatever else the purse counts, may cost in gas in a day."""


def run(
    chain: Chain,
    signer: Signer,
    database: Database,
    plan: Plan,
    upstream: Callable[[int], Upstream],
    ready: Callable[[dict[str, object]], None],
) -> None:
    """Check, serve, and return after a signal.

    `upstream` makes the model for a limit of bytes, inside the running loop; `ready` gets what the one line at the start says.
    Any AssayError before that; afterwards none.
    """
    version = doctor.check_version(chain, plan.version, signer.address)
    for warned in doctor.check_means(chain, version, plan.rules.policy):
        log.warning(warned.message, remedy=warned.remedy)
    asyncio.run(_serve(chain, signer, database, plan, upstream, ready))


async def _serve(
    chain: Chain,
    signer: Signer,
    database: Database,
    plan: Plan,
    upstream: Callable[[int], Upstream],
    ready: Callable[[dict[str, object]], None],
) -> None:
    journal, view = Journal(database), CachedChain(chain)
    model = upstream(OUTPUT_FACTOR * plan.rules.policy.largest_bytes)
    service = Service(
        domain=chain.domain, signer=signer, chain=view, journal=journal, policy=plan.rules, upstreams={plan.version: model}
    )
    try:
        with listen(plan.host, plan.port) as listener:
            catalogue = Catalogue(database)
            purse = Purse(chain, catalogue, plan.gas_budget)
            board = ChainBoard(chain, BudgetedSender(Door(chain, signer), catalogue, purse))
            limit = plan.rules.policy.largest_unacknowledged
            poster = Poster(service, journal, view, board, limit=limit) if plan.post else None
            about = {"ready": True, "url": url_of(listener), "version": plan.version, "operator": signer.address}
            await serve(app.create(service), listener, lambda: ready(about), poster)
    finally:
        await service.close()
        view.close()
