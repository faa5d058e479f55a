"""What happens next in each round, by when, what it costs and what is lost if it does not happen. Reads only; no key."""

from collections.abc import Sequence
from dataclasses import dataclass

from assay.agent.costs import gas_of
from assay.agent.cycle import Job, facts_of
from assay.agent.deciding import decide
from assay.agent.journal import Journal
from assay.chain.client import Chain
from assay.types import Block, Phase, RoundId, TaskId

SILENCE = {"enrol": "the round is void without any model", "ask": "every question without an answer counts as silence"}


@dataclass(frozen=True, slots=True)
class Prospect:
    """A round's next step: from `at`, before `deadline`, `seconds_left` from the head. Gas and wei are estimates.

    `bond` is the wei that are lost with the deadline, `loses` says what else is.
    """

    set: str
    round: RoundId | None
    task: TaskId
    phase: Phase
    step: str
    at: int
    deadline: int
    seconds_left: int | None
    gas: int
    wei: int
    bond: int
    loses: str
    why: str


def prospects(chain: Chain, journal: Journal, jobs: Sequence[Job], block: Block) -> list[Prospect]:
    """All jobs at one block, the most urgent first. Unreachable."""
    price = chain.node.gas_price()
    found = [_prospect(chain, journal, job, block, price) for job in jobs]
    return sorted(found, key=lambda p: (not p.step, p.deadline or 1 << 62))


def _prospect(chain: Chain, journal: Journal, job: Job, block: Block, price: int) -> Prospect:
    round_, facts = facts_of(chain, journal, job, block)
    act = decide(facts, job.plan.enrol_within)
    task = chain.tasks.params(job.plan.task, at=block.number) if act.bonded else None
    gas = gas_of(act.step, facts.enrolled)
    return Prospect(
        set=job.plan.set_name,
        round=round_,
        task=job.plan.task,
        phase=facts.phase,
        step=act.step,
        at=act.at,
        deadline=act.deadline,
        seconds_left=act.deadline - block.timestamp if act.deadline else None,
        gas=gas,
        wei=gas * price,
        bond=task.round_bond if task else 0,
        loses="the round bond and all scores" if act.bonded else SILENCE.get(act.step, ""),
        why=act.why,
    )
