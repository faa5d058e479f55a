"""Where a watchtower stands: what it knows of each round, what it did, what it spent. Reads only; needs no key."""

from dataclasses import dataclass

from assay.chain import index
from assay.chain.client import Chain
from assay.chain.contracts.vault import Allowance
from assay.types import Address, Block, DemandState, Phase, RoundId
from assay.watch.inbox import Inbox
from assay.watch.journal import Journal
from assay.watch.records import Act, Audit, Found, Known, Sighting, Spent
from assay.watch.settings import Plan

__all__ = ["RoundStatus", "Status", "status"]


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """One followed round. `exit_code`, `served` and `failed` are its last audit's, None and empty before one.

    `seen_before` counts its prompts that were public before its seal; `shut` its versions of which the bundle opens nothing.
    """

    round: RoundId
    phase: Phase
    final_at: int
    served: bool | None
    exit_code: int | None
    failed: tuple[int, ...]
    found: tuple[Found, ...]
    shut: int
    open_demands: int
    seen_before: int


@dataclass(frozen=True, slots=True)
class Status:
    """Everything at one block. Money in wei; `earned` counts the rewards of mined acts.

    Out of `free_stake` and within `allowance`, the key's on itself, fees of demands are locked; None without a key.
    """

    block: int
    now: int
    me: Address | None
    rounds: tuple[RoundStatus, ...]
    acts: tuple[Act, ...]
    spent: Spent
    budget_per_day: int
    budget: int
    earned: int
    free_stake: int | None
    allowance: Allowance | None
    sightings: tuple[Sighting, ...]
    evidence_problems: dict[str, str]


def status(chain: Chain, journal: Journal, plan: Plan, me: Address | None) -> Status:
    """The state at the head, of rounds that are final in a block. Errors of the chain as they come."""
    head, acts, sightings = chain.head(), journal.acts(), journal.sightings()
    inbox = Inbox(plan.evidence, chain.deployment.chain_id, chain.deployment.rounds)
    inbox.read()
    seen: dict[RoundId, set[int]] = {}
    for sighting in sightings:
        seen.setdefault(sighting.round, set()).add(sighting.position)
    return Status(
        block=head.number,
        now=head.timestamp,
        me=me,
        rounds=tuple(_round(chain, known, journal.audit(known.round), seen, head) for known in journal.rounds()),
        acts=tuple(acts),
        spent=journal.spent(head.timestamp),
        budget_per_day=plan.budget_per_day,
        budget=plan.budget,
        earned=sum(act.reward for act in acts if act.state == "mined"),
        free_stake=chain.vault.balance(me).free if me else None,
        allowance=chain.vault.allowance(me, me) if me else None,
        sightings=tuple(sightings),
        evidence_problems=inbox.problems | {str(path): "is no file" for path in plan.public_sets if not path.is_file()},
    )


def _round(chain: Chain, known: Known, audit: Audit | None, seen: dict[RoundId, set[int]], head: Block) -> RoundStatus:
    id_ = known.round
    closing = chain.rounds.closing(id_, at=head.number)
    demands = index.demands_of(chain, id_, head.number) if closing.queue_end else ()
    return RoundStatus(
        round=id_,
        phase=chain.rounds.phase(id_, at=head.number),
        final_at=closing.final_at,
        served=audit.served if audit else None,
        exit_code=audit.exit_code if audit else None,
        failed=audit.failed if audit else (),
        found=audit.found if audit else (),
        shut=len(audit.shut) if audit else 0,
        open_demands=sum(record.state is DemandState.OPEN for record in demands),
        seen_before=len(seen.get(id_, ())),
    )
