"""publish: pin a revealed bundle at the benchmarker's IPFS nodes. Nothing is shown before the chain has its digest."""

from dataclasses import dataclass

from assay.agent.context import Agent
from assay.agent.rounds import Standing, after_answers, defect, standing
from assay.errors import NotYet
from assay.types import RoundId

PROVIDER_SECONDS = 30.0
WANTED = 1


@dataclass(frozen=True, slots=True)
class Publication:
    """One node that pins the bundle. `providers` counts nodes that are known to have it, 0 where none could be found in time."""

    node: str
    providers: int


@dataclass(frozen=True, slots=True)
class PublishReport:
    """Where a bundle is pinned now. `before` are the nodes that had it already."""

    round: RoundId
    cid: str
    published: tuple[Publication, ...]
    before: tuple[str, ...]


def run(agent: Agent, round_: RoundId) -> PublishReport:
    """Pin the bundle at each node that does not have it by the journal.

    NotYet before the reveal is on chain and a final block is past answerBy; Unreachable where a node is away.
    """
    found = standing(agent, round_)
    _demand_public(agent, found)
    cid = _cid(agent, found)
    known = agent.journal.publications(round_, cid)
    published = tuple(_publish(agent, round_, cid, address) for address in agent.nodes if address not in known)
    return PublishReport(round_, cid, published, tuple(address for address in agent.nodes if address in known))


def missing(agent: Agent, round_: RoundId) -> int:
    """How many nodes lack a bundle of this round, by the journal."""
    known = agent.journal.publications(round_)
    return sum(address not in known for address in agent.nodes)


def _demand_public(agent: Agent, found: Standing) -> None:
    if not found.facts.revealed_at:
        raise NotYet("the round is not revealed", f"reveal it: assay bench reveal 0x{found.record.round.hex()[:12]}")
    after_answers(agent, found.deadlines, final_only=True)


def _cid(agent: Agent, found: Standing) -> str:
    for record in agent.journal.bundles(found.record.round):
        if record.digest == found.facts.bundle_digest:
            return record.cid
    raise defect(f"the chain names a bundle 0x{found.facts.bundle_digest.hex()} that this journal never made")


def _publish(agent: Agent, round_: RoundId, cid: str, address: str) -> Publication:
    from assay.storage.kubo import Kubo  # its client takes a fifth of a second to import

    with Kubo(address) as node:
        node.version()
        node.put(agent.store.path(cid), cid)
        agent.journal.add_publication(round_, cid, address)
        return Publication(address, node.wait_for_providers(cid, WANTED, PROVIDER_SECONDS))
