"""seal: fix the questions. Everything that can be wrong is looked at before anything is written or sent."""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from assay.agent.card import card_bytes
from assay.agent.context import Agent
from assay.agent.records import RoundRecord, SetItem
from assay.agent.rounds import defect, salts, send, settle
from assay.agent.salts import nonce_of, set_digest
from assay.agent.statistics import demand_covered
from assay.chain.index import round_log
from assay.chain.minima import check_language, check_task
from assay.chain.stakes import lacks
from assay.encoding.ids import round_id
from assay.encoding.seals import SetTree, set_leaf
from assay.errors import BadInput, NoFunds, Refused, Tampered
from assay.metrics import by_signature
from assay.storage.lines import canonical
from assay.types import Address, Deadlines, Item, Kind, Phase, Round, RoundId, TaskId, TaskParams

STEP = "seal"


@dataclass(frozen=True, slots=True)
class SealReport:
    """A sealed round. `sent` says whether this call sealed it."""

    round: RoundId
    set_root: bytes
    items: int
    decoys: int
    deadlines: Deadlines
    sent: bool


def run(agent: Agent, set_name: str, task: TaskId, benchmarker: Address, card: Mapping[str, Any] | None = None) -> SealReport:
    """Seal a set under a task for a benchmarker; the same call again finds the round that it made.

    `card` holds the dataset card without groups. Raises BadInput, Refused, NoFunds, Tampered, and what the door raises.
    """
    with agent.journal.alone():
        return _run(agent, set_name, task, benchmarker, card or {})


def _run(agent: Agent, set_name: str, task: TaskId, benchmarker: Address, card: Mapping[str, Any]) -> SealReport:
    items = agent.journal.set_items(set_name)
    if not items:
        raise BadInput(f"there is no set named {set_name!r}", "import it: assay bench import FILE --set NAME", where="SET")
    params, description = _task(agent, task, items)
    record, placed = _decide(agent, set_name, items, task, description, benchmarker, card)
    settle(agent, record.round, STEP)
    known = agent.chain.rounds.round(record.round)
    if known is None:
        _demand_unused(agent, record)
        _demand_funds(agent, params, benchmarker)
        agent.journal.add_round(record, placed)
        _send(agent, record)
    else:
        _demand_card(agent, record)
        agent.journal.add_round(record, placed)
    return _report(agent, record, known, placed)


def _task(agent: Agent, task: TaskId, items: list[SetItem]) -> tuple[TaskParams, bytes]:
    params = agent.chain.tasks.params(task)
    if params is None:
        raise BadInput(f"the chain knows no task 0x{task.hex()}", "register it: assay task register FILE", where="--task")
    check_task(agent.chain, params)
    description = _description(agent, task, params)
    signature = agent.chain.metric(params.metric).signature()
    metric = by_signature(signature)
    demand_covered(signature)
    if orjson.loads(description).get("metric_signature") != signature or metric.words != params.metric_words:
        raise Refused(f"the task's description does not name its metric {signature}", "seal under another task")
    check_language(orjson.loads(description), "--task")
    if len(items) > params.max_items:
        raise BadInput(f"the set has {len(items)} items, the task allows {params.max_items}", "import a smaller set", where="SET")
    for item in items:
        for name, text in (("prompt", item.prompt), ("reference", item.reference)):
            if len(text) > params.max_bytes:
                what = f"the {name} of item {item.ordinal + 1} has {len(text)} bytes, the task allows {params.max_bytes}"
                raise BadInput(what, "shorten it and import the set under a new name", where="SET")
    return params, description


def _description(agent: Agent, task: TaskId, params: TaskParams) -> bytes:
    path = agent.tasks / f"0x{task.hex()}.json"
    try:
        raw = path.read_bytes()
    except OSError:
        raise BadInput(
            "the task's description is not in this home", f"get it from whoever registered the task, as {path}", where="--task"
        ) from None
    if hashlib.sha256(raw).digest() != params.description_digest:
        raise Tampered("is not the description that the task names", "get it again", where=str(path))
    return raw


def _decide(
    agent: Agent,
    set_name: str,
    items: list[SetItem],
    task: TaskId,
    description: bytes,
    benchmarker: Address,
    card: Mapping[str, Any],
) -> tuple[RoundRecord, list[SetItem]]:
    """The round with its id, known before anything is sent; the journaled one where there is one."""
    deployment, operator = agent.chain.deployment, agent.signer.address
    if operator == benchmarker:
        raise Refused("owner and operator are the same key", "use a key of its own for each: assay keys new operator")
    drawn = salts(agent)
    nonce = nonce_of(set_digest(items), _attempt(agent, set_name))
    placed = [items[ordinal] for ordinal in drawn.placing(nonce, len(items))]
    sealed = [Item(p, item.kind, item.prompt, item.reference, drawn.salt(nonce, p)) for p, item in enumerate(placed)]
    leaves = [set_leaf(deployment.chain_id, deployment.rounds, benchmarker, item) for item in sealed]
    root = SetTree(leaves).root
    id_ = round_id(deployment.chain_id, deployment.rounds, benchmarker, task, root, len(items), operator)
    known = agent.journal.round(id_)
    if known is not None:
        return known, placed
    facts = card_bytes(set_name, benchmarker, card, placed)
    return RoundRecord(
        round=id_,
        set_name=set_name,
        chain_id=deployment.chain_id,
        rounds_contract=deployment.rounds,
        benchmarker=benchmarker,
        operator=operator,
        task=task,
        description=canonical(orjson.loads(description)),
        nonce=nonce,
        set_root=root,
        items=len(items),
        card=facts,
        journaled_at=time.time(),
    ), placed


def _attempt(agent: Agent, set_name: str) -> int:
    """How many rounds of this set are void: each may be sealed again, with fresh salts."""
    return sum(
        record.set_name == set_name and agent.chain.rounds.phase(record.round) is Phase.VOID for record in agent.journal.rounds()
    )


def _demand_unused(agent: Agent, record: RoundRecord) -> None:
    """Refused where a Scored prompt of the set was sealed or asked before, in a round that is not void."""
    for other, count, prompt in agent.journal.rounds_with_prompts_of(record.set_name):
        if other == record.round or not _is_spent(agent, other):
            continue
        shown = prompt.decode()[:60]
        raise Refused(
            f"{count} prompts of the set were sealed before, in round 0x{other.hex()}, one of them {shown!r}",
            "a question is used once: take them out and import the set under a new name",
        )


def _is_spent(agent: Agent, round_: RoundId) -> bool:
    if agent.journal.one("SELECT 1 FROM asks WHERE round = ?", (round_,)):
        return True
    phase = agent.chain.rounds.phase(round_)
    if phase is Phase.UNKNOWN:
        return bool(agent.journal.transactions(round_, STEP))
    return phase is not Phase.VOID


def _demand_funds(agent: Agent, params: TaskParams, benchmarker: Address) -> None:
    for lack in lacks(agent.chain, "bench", benchmarker, agent.signer.address, params.round_bond):
        raise NoFunds(lack.says, f"with the owner's key: {lack.then} --key OWNER")


def _demand_card(agent: Agent, record: RoundRecord) -> None:
    """Refused where a journal that was lost cannot be rebuilt, since the seal named another card than the one given now."""
    sealed = round_log(agent.chain, record.round).sealed
    if sealed is not None and sealed.card_digest != _card_digest(record):
        raise Refused("the round was sealed with another dataset card", "give the same file as then: --card FILE")


def _card_digest(record: RoundRecord) -> bytes:
    return hashlib.sha256(record.card).digest()


def _send(agent: Agent, record: RoundRecord) -> None:
    call = agent.chain.rounds.seal(record.benchmarker, record.task, record.set_root, record.items, _card_digest(record))
    send(agent, record.round, STEP, call)


def _report(agent: Agent, record: RoundRecord, known: Round | None, placed: list[SetItem]) -> SealReport:
    deadlines = agent.chain.rounds.deadlines(record.round)
    if deadlines is None:
        raise defect(f"the seal was mined, and yet the chain knows no round 0x{record.round.hex()}")
    decoys = sum(item.kind is Kind.DECOY for item in placed)
    return SealReport(record.round, record.set_root, record.items, decoys, deadlines, known is None)
