"""From a plan to a running gateway: the doctor's checks, the parts put together, the end."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.encoding.receipts import Signer
from assay.gateway import app, doctor
from assay.gateway.board import ChainBoard
from assay.gateway.chainview import CachedChain
from assay.gateway.database import Database
from assay.gateway.journal import Journal
from assay.gateway.policy import Policy
from assay.gateway.poster import Poster
from assay.gateway.server import listen, serve
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
    policy: Policy
    host: str
    port: int
    post: bool


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
    for warned in doctor.check_means(chain, version, plan.policy):
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
    listener = listen(plan.host, plan.port)
    model = upstream(OUTPUT_FACTOR * plan.policy.largest_bytes)
    service = Service(
        domain=chain.domain, signer=signer, chain=view, journal=journal, policy=plan.policy, upstreams={plan.version: model}
    )
    limit = plan.policy.largest_unacknowledged
    poster = Poster(service, journal, view, ChainBoard(chain, Door(chain, signer)), limit=limit) if plan.post else None
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    about = {"ready": True, "url": url, "version": plan.version, "operator": signer.address, "chain_id": chain.domain.chain_id}

    def say_ready() -> None:
        ready(about)
        sys.stdout.flush()

    try:
        await serve(app.create(service), listener, say_ready, poster)
    finally:
        await service.close()
        view.close()
        listener.close()
