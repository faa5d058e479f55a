"""Shared by the steps: which round is meant, what the chain says of it, and transactions that survive a crash."""

from collections.abc import Callable
from dataclasses import dataclass

from assay.agent.context import Agent
from assay.agent.journal import Journal
from assay.agent.records import RoundRecord, TxRecord
from assay.agent.salts import Salts
from assay.chain.contracts.base import Call
from assay.chain.door import Receipt
from assay.chain.transactions import SignedTx
from assay.errors import BadInput, BadKey, Fatal, NotYet, Refused, Reverted, TooLate, WrongChain
from assay.types import Block, Deadlines, Phase, Round, RoundId, TaskParams

LEAST_PREFIX = 4
STALLED_DEPTH = 64
OVER = {
    Phase.VOID: "nobody was enrolled in time: the bond is free, the questions are unused, seal them again",
    Phase.FORFEITED: "a deadline was missed: the round bond is lost, the scores are void",
    Phase.SLASHED: "a fault was proven: the round bond is lost, the scores are void",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A round of ours as the chain tells it at one block."""

    record: RoundRecord
    facts: Round
    deadlines: Deadlines
    task: TaskParams
    phase: Phase
    block: Block


def find_round(journal: Journal, text: str) -> RoundRecord:
    """The round that a person means: its id, a prefix that fits no other, or a set's name for the latest round of that set."""
    rounds = journal.rounds()
    named = [record for record in rounds if record.set_name == text]
    if named:
        return named[-1]
    digits = text.lower().removeprefix("0x")
    found = [record for record in rounds if record.round.hex().startswith(digits)] if len(digits) >= LEAST_PREFIX else []
    if len(found) == 1:
        return found[0]
    many = f"{len(found)} rounds begin with {text!r}" if found else f"no round is called {text!r:.80}"
    raise BadInput(many, "see `assay bench list`; give a longer prefix of the id, or the name of a set", where="ROUND")


def own_round(agent: Agent, round_: RoundId) -> RoundRecord:
    """A journaled round that this operator runs on this chain. BadInput, WrongChain or BadKey otherwise."""
    record = agent.journal.round(round_)
    if record is None:
        raise BadInput(f"the journal knows no round 0x{round_.hex()}", "see `assay bench list`", where="ROUND")
    deployment = agent.chain.deployment
    if (record.chain_id, record.rounds_contract) != (deployment.chain_id, deployment.rounds):
        raise WrongChain(f"the round is on chain {record.chain_id} at {record.rounds_contract}", "check --rpc and --deployment")
    if record.operator != agent.signer.address:
        raise BadKey(f"the round's operator is {record.operator}, the key is {agent.signer.address}", "give the right --key")
    return record


def standing(agent: Agent, round_: RoundId, block: Block | None = None) -> Standing:
    """A round of ours at a block, by default the head. NotYet where the chain does not know it there."""
    record = own_round(agent, round_)
    block = block or agent.chain.head()
    facts = agent.chain.rounds.round(round_, at=block.number)
    deadlines = agent.chain.rounds.deadlines(round_, at=block.number)
    task = agent.chain.tasks.params(record.task, at=block.number)
    if facts is None or deadlines is None or task is None:
        raise NotYet(
            f"the chain does not know the round at block {block.number}", f"seal it: assay bench seal {record.set_name}", at=0
        )
    return Standing(record, facts, deadlines, task, agent.chain.rounds.phase(round_, at=block.number), block)


def demand_not_over(found: Standing) -> None:
    """Refused where the round ended without scores."""
    if found.phase in OVER:
        raise Refused(f"the round is {found.phase.name.lower()}: {OVER[found.phase]}", "see `assay bench show`")


def demand_window(found: Standing, phase: Phase, opens: int, *, waiting_for: str) -> None:
    """NotYet before a phase, TooLate after it, Refused where the round ended otherwise."""
    if found.phase is Phase.FORFEITED:
        raise TooLate(f"the window was missed: {OVER[Phase.FORFEITED]}", "nothing can be done; anyone may claim the bond")
    demand_not_over(found)
    if found.phase < phase:
        raise NotYet(f"{waiting_for} (now {found.block.timestamp}, from {opens})", "run the same command then", at=opens)


def after_answers(agent: Agent, deadlines: Deadlines, *, final_only: bool) -> Block:
    """The block that everything after the answers is read at: final, and past answerBy. NotYet before there is one.

    Where finality stalls for half of the attest window, a head that lies 64 blocks deep past answerBy serves, unless
    `final_only`.
    """
    final = agent.chain.finalized()
    if final.timestamp >= deadlines.answer_by:
        return final
    head = agent.chain.head()
    stalled_at = deadlines.answer_by + (deadlines.attest_by - deadlines.answer_by) // 2
    if not final_only and head.timestamp >= stalled_at and head.number > STALLED_DEPTH:
        deep = agent.chain.block(head.number - STALLED_DEPTH)
        if deep.timestamp >= deadlines.answer_by:
            return deep
    raise NotYet(
        f"the chain is not final past the answers' end at {deadlines.answer_by} (final {final.timestamp}, head {head.timestamp})",
        "run the same command then",
        at=deadlines.answer_by,
    )


def salts(agent: Agent) -> Salts:
    """The master secret, bound to this deployment. BadKey if it was not opened."""
    if agent.secret is None:
        raise BadKey("the master secret of the salts is needed", "make one: assay bench init; or name it: --salts NAME")
    return Salts(agent.secret, agent.chain.deployment.chain_id, agent.chain.deployment.rounds)


def send(agent: Agent, round_: RoundId, step: str, call: Call) -> Receipt:
    """Send a transaction of a step; it is in the journal before it leaves."""
    return agent.door.send(call, _keeper(agent, round_, step))


def _keeper(agent: Agent, round_: RoundId, step: str) -> Callable[[SignedTx], None]:
    def keep(tx: SignedTx) -> None:
        agent.journal.add_transaction(round_, step, TxRecord(tx.hash, tx.raw, tx.nonce, tx.what))

    return keep


def settle(agent: Agent, round_: RoundId, step: str) -> None:
    """Bring what an earlier run signed for this step to its end, so that nothing is sent twice. Then look at the chain again."""
    signed = agent.journal.transactions(round_, step)
    if not signed:
        return
    node, last = agent.chain.node, signed[-1]
    if node.request("eth_getTransactionReceipt", ["0x" + last.hash.hex()]) is not None:
        return
    if int(node.request("eth_getTransactionCount", [agent.signer.address, "latest"]), 16) > last.nonce:
        return  # another transaction took its place
    try:
        agent.door.resume(SignedTx(last.hash, last.raw, last.nonce, last.what), _keeper(agent, round_, step))
    except (Reverted, NotYet):
        return


def defect(what: str) -> Fatal:
    """Two of our own computations differ: nothing may be signed on top of that."""
    return Fatal(what, "nothing was sent; keep the journal and report this as a defect")
