"""Invitations to a task or to a sealed round, from what the chain and this home hold of them."""

from pathlib import Path

import orjson

from assay.agent.journal import Journal
from assay.agent.rounds import find_round
from assay.chain import descriptions
from assay.chain.client import Chain
from assay.chain.invitation import Invitation, SealedRound, contracts_of
from assay.chain.minima import check_task
from assay.errors import BadInput, NotYet, TooLate
from assay.types import Address, Phase, TaskId


def to_task(chain: Chain, folder: Path, task: TaskId, benchmarker: Address, operator: Address) -> Invitation:
    """An invitation to all rounds that will be sealed under a task. BadInput, Refused, Unreachable."""
    params = chain.tasks.params(task)
    if params is None:
        raise BadInput(f"the chain knows no task 0x{task.hex()}", "register it: assay task register FILE", where="TASK")
    check_task(chain, params)
    description = descriptions.read(folder, task, params.description_digest)
    contracts, now = contracts_of(chain.deployment), chain.head().timestamp
    return Invitation(chain.deployment.chain_id, contracts, params, description, benchmarker, operator, now)


def to_round(chain: Chain, journal: Journal, text: str) -> Invitation:
    """An invitation to a sealed round of this journal. BadInput, NotYet before its seal, TooLate after its answers."""
    record = find_round(journal, text)
    found, params = chain.rounds.round(record.round), chain.tasks.params(record.task)
    if found is None or params is None:
        raise NotYet("the round is not sealed yet", f"assay bench seal {record.set_name}")
    if chain.rounds.phase(record.round) is not Phase.ANSWERING:
        raise TooLate("the round takes no enrolments any more", "seal another one, or invite to the task")
    return Invitation(
        chain_id=chain.deployment.chain_id,
        contracts=contracts_of(chain.deployment),
        params=params,
        description=orjson.loads(record.description),
        benchmarker=record.benchmarker,
        operator=record.operator,
        made_at=chain.head().timestamp,
        round=SealedRound(record.round, found.set_root, found.items, found.sealed_at),
    )
