"""Every proof that the chain takes, and every act on a demand, built from facts, openings and evidence: pure, as data.

| kind | shows | takes |
|---|---|---|
| item | an opening whose verdict is a fault | the round bond |
| ack | the Silent leaf of a Scored item and an Ack for it | the round bond |
| ask | an Ask that is not the sealed question, or is beyond the set | the round bond |
| reuse | one Scored prompt in two rounds of one benchmarker | the bond of the later, or of the other where that is Final |
| reuse-by-ask | the same, the earlier round Slashed or Forfeited, by an Ask of it | the bond of the later |
| leak | a sealed item while the round is Answering | the round bond |
| answers | two different Answers at one place | the version bond |
| forfeit | a missed deadline | the round bond |
| expire | a demand past its deadline | the round bond, for the demander |
| demand, answer, reclaim | | nothing: they lock, earn and free a fee |

A builder refuses, with what to do instead, whatever the contract would refuse by the facts of its block. So a `Proof` that exists
stands, unless the chain moves on before it is sent.
"""

from dataclasses import replace
from typing import Any

from assay.audit.evidence import HeldAck, HeldAnswer, HeldAsk, HeldItem, Message, check
from assay.audit.facts import ChainFacts
from assay.audit.judge import has_wrong_sums, judge
from assay.audit.openings import Openings
from assay.audit.proof import Proof, ProofKind, call_of
from assay.chain.index import DemandRecord
from assay.errors import BadInput, NotYet, Refused, TooLate
from assay.types import (
    DemandState,
    Fault,
    Kind,
    Opening,
    Outcome,
    Phase,
    SetOpening,
    Verdict,
    VersionId,
)

__all__ = [
    "Proof",
    "ProofKind",
    "ack",
    "answer",
    "answers",
    "ask",
    "call_of",
    "demand",
    "expire",
    "forfeit",
    "is_later",
    "item",
    "leak",
    "reclaim",
    "reuse",
    "reuse_by_ask",
]

NO_ITEM = SetOpening(0, Kind.SCORED, bytes(32), bytes(32), bytes(32), ())
"""Stands for the item of an Ask beyond the set, where the contract looks at none."""
_CLOSED = frozenset({Phase.VOID, Phase.FORFEITED, Phase.SLASHED, Phase.FINAL})
_LOOK = "Run `assay verify` to see what there is."


# Proofs of a fault


def item(facts: ChainFacts, openings: Openings, version: VersionId, position: int, seed: int = 0) -> Proof:
    """An opening that proves a fault. Refused where its verdict is none; errors of `Openings.open`."""
    opened = _opened(facts, openings, version, position, seed)
    verdict = judge(facts, version, opened)
    if not verdict.is_fault:
        raise Refused(f"item {position} is no fault: {verdict.name}", _advice(verdict))
    _demand_open(facts)
    fault = Fault(verdict - Verdict.NOT_ATTESTED)
    proof = _slash(facts, ProofKind.ITEM, (facts.round.id, version, opened), fault, version, position, verdict)
    return replace(proof, measured=verdict is Verdict.WRONG_STATISTICS and has_wrong_sums(facts, opened))


def ack(facts: ChainFacts, openings: Openings, held: HeldAck, seed: int = 0) -> Proof:
    """A Silent leaf of a Scored item, and an Ack for it. Refused where it is not that, or the Ack not the operator's."""
    opened = _opened(facts, openings, held.version, held.position, seed)
    verdict = judge(facts, held.version, opened)
    if verdict in (Verdict.NOT_SEALED, Verdict.NOT_ATTESTED):
        raise Refused(f"the opening of item {held.position} does not stand: {verdict.name}", _advice(verdict))
    if opened.kind != Kind.SCORED or opened.outcome != Outcome.SILENT:
        outcome = Outcome(opened.outcome).name.capitalize()
        raise Refused(f"item {held.position} is {outcome}, and only a Silent leaf of a Scored item contradicts an Ack", _LOOK)
    _demand_holds(facts, held)
    _demand_open(facts)
    arguments = (facts.round.id, held.version, opened, held.response_hash, held.signature)
    return _slash(facts, ProofKind.ACK, arguments, Fault.ACK_DROPPED, held.version, held.position, verdict)


def ask(facts: ChainFacts, held: HeldAsk, sealed: SetOpening | None) -> Proof:
    """An Ask that is not the sealed question, or is beyond the set, for which `sealed` is not needed.

    Refused where it asks what is sealed there, or is not the operator's; BadInput where the sealed item is needed and is none.
    """
    _demand_open(facts)
    _demand_holds(facts, held)
    if held.position >= facts.round.items:
        sealed = NO_ITEM
    else:
        sealed = _sealed(facts, sealed, f"the sealed item {held.position}")
        if sealed.position != held.position:
            raise BadInput(f"item {sealed.position} is shown for an Ask of item {held.position}", "Open the item of the Ask.")
        if sealed.prompt_hash == held.prompt_hash:
            raise Refused(f"the Ask of item {held.position} asks what is sealed there", _LOOK)
    arguments = (facts.round.id, held.signed, sealed)
    return _slash(facts, ProofKind.ASK, arguments, Fault.WRONG_ASK, held.version, held.position)


def reuse(one: ChainFacts, in_one: SetOpening, other: ChainFacts, in_other: SetOpening) -> Proof:
    """One Scored prompt in two rounds of one benchmarker; `round` is the one that is slashed. Refused where that is not so."""
    _demand_same_examiner(one, other)
    for facts, sealed in ((one, in_one), (other, in_other)):
        if facts.phase is Phase.VOID:
            raise Refused(f"round 0x{facts.round.id.hex()} is Void: its questions are unused", _LOOK)
        _demand_scored(facts, sealed)
    _demand_same_prompt(in_one.prompt_hash, in_other.prompt_hash)
    later, earlier = (one, other) if is_later(one, other) else (other, one)
    guilty = earlier if later.phase is Phase.FINAL else later
    _demand_open(guilty)
    position = in_one.position if guilty is one else in_other.position
    arguments = (one.round.id, in_one, other.round.id, in_other)
    return _slash(guilty, ProofKind.REUSE, arguments, Fault.REUSED, None, position)


def reuse_by_ask(facts: ChainFacts, sealed: SetOpening, earlier: ChainFacts, held: HeldAsk) -> Proof:
    """A Scored prompt that an Ask of an earlier round, Slashed or Forfeited, put before. Refused where that is not so."""
    _demand_same_examiner(facts, earlier)
    if earlier.phase not in (Phase.SLASHED, Phase.FORFEITED):
        phase = earlier.phase.name.capitalize()
        raise Refused(f"the earlier round is {phase}: only of a Slashed or Forfeited one an Ask serves", "Open its item instead.")
    if not is_later(facts, earlier):
        raise Refused("the round was sealed before the other one", "Name the later round first.")
    _demand_open(facts)
    _demand_scored(facts, sealed)
    _demand_holds(earlier, held)
    _demand_same_prompt(sealed.prompt_hash, held.prompt_hash)
    arguments = (facts.round.id, sealed, earlier.round.id, held.signed)
    return _slash(facts, ProofKind.REUSE_BY_ASK, arguments, Fault.REUSED, None, sealed.position)


def leak(facts: ChainFacts, sealed: SetOpening) -> Proof:
    """An item of a set that is still secret. TooLate from `answerBy` on, Refused where it is not of this set."""
    if facts.phase is not Phase.ANSWERING:
        phase = facts.phase.name.capitalize()
        raise TooLate(f"the round is {phase}: a leak is proven before answerBy or never", "Nothing can be done about it.")
    sealed = _sealed(facts, sealed, "the leaked item")
    return _slash(facts, ProofKind.LEAK, (facts.round.id, sealed), Fault.LEAKED, None, sealed.position)


def answers(facts: ChainFacts, one: HeldAnswer, other: HeldAnswer) -> Proof:
    """Two different Answers at one place. Refused where they are not that; TooLate once the version bond is free."""
    if (one.version, one.position) != (other.version, other.position):
        raise BadInput("the two Answers are of different places", "Give two of one version and position.")
    if (one.prompt_hash, one.response_hash) == (other.prompt_hash, other.response_hash):
        raise Refused(f"the Answers of item {one.position} are the same", _LOOK)
    for held in (one, other):
        _demand_holds(facts, held)
    if facts.block.timestamp >= facts.deadlines.versions_released_at:
        raise TooLate("the version bond is free by now", "Nothing can be done about it.")
    sitting = facts.sitting(one.version)
    owner = sitting.version.owner if sitting else None
    bond = facts.task.version_bond
    arguments = (facts.round.id, one.version, one.position, one.signed, other.signed)
    return Proof(
        ProofKind.ANSWERS, facts.round.id, one.version, one.position, arguments, loser=owner, loses=bond, reward=bond // 10
    )


def forfeit(facts: ChainFacts) -> Proof:
    """A missed deadline, paid out. Refused where none was missed."""
    if facts.phase is not Phase.FORFEITED:
        raise Refused(f"the round is {facts.phase.name.capitalize()}: no deadline was missed", _LOOK)
    bond = facts.task.round_bond
    return Proof(ProofKind.FORFEIT, facts.round.id, None, None, (), loser=facts.round.benchmarker, loses=bond, reward=bond // 2)


# Demands


def demand(facts: ChainFacts, version: VersionId, position: int, known: DemandRecord | None = None) -> Proof:
    """Demand that a position be opened. Refused where `known` says that it was demanded before; TooLate, NotYet, BadInput."""
    if facts.sitting(version) is None:
        raise BadInput(f"version 0x{version.hex()} is not enrolled", "Choose one that is.")
    if not 0 <= position < facts.round.items:
        raise BadInput(f"position {position} is not in a set of {facts.round.items}", "Positions count from 0.")
    if facts.phase in (Phase.ANSWERING, Phase.ATTESTING, Phase.REVEALING):
        raise NotYet(f"the round is {facts.phase.name.capitalize()}: demands begin with the reveal", "Try again then.")
    until = facts.round.revealed_at + facts.task.challenge_window // 2
    if facts.phase is not Phase.CHALLENGING or facts.block.timestamp >= until:
        raise TooLate(f"demands ended with the first half of the challenge window, at {until}", "Nothing can be demanded now.")
    if known is not None:
        state = known.state.name.capitalize()
        raise Refused(f"item {position} was demanded before: {state}", "Demand another position; each is demanded once.")
    arguments = (facts.round.id, version, position)
    return Proof(ProofKind.DEMAND, facts.round.id, version, position, arguments, locks=facts.task.demand_fee)


def answer(facts: ChainFacts, openings: Openings, record: DemandRecord, seed: int = 0) -> Proof:
    """Answer a demand with a Sound opening. Refused where it is not Sound or nobody waits for it, TooLate past its deadline."""
    _demand_waiting(record)
    if facts.phase is not Phase.CHALLENGING:
        raise Refused(
            f"the round is {facts.phase.name.capitalize()}: nothing is answered now", "`assay demand list` shows the fees."
        )
    if facts.block.timestamp >= record.deadline:
        raise TooLate(f"the demand's deadline was {record.deadline}", "It can only be expired now.")
    opened = openings.open(record.version, record.position, seed)
    verdict = judge(facts, record.version, opened)
    if verdict is not Verdict.SOUND:
        raise Refused(f"the opening of item {record.position} is no answer: {verdict.name}", _advice(verdict))
    arguments, fee = (facts.round.id, record.version, opened), facts.task.demand_fee
    return Proof(
        ProofKind.ANSWER, facts.round.id, record.version, record.position, arguments, verdict=verdict,
        loser=record.demander, loses=fee, reward=fee // 2,
    )  # fmt: skip


def expire(facts: ChainFacts, record: DemandRecord) -> Proof:
    """Slash for a demand past its deadline; the reward is the demander's. Refused where it was answered, NotYet before."""
    _demand_waiting(record)
    _demand_open(facts)
    if facts.block.timestamp < record.deadline:
        raise NotYet(f"the demand can be answered before {record.deadline}", "Expire it then.", at=record.deadline)
    arguments = (facts.round.id, record.version, record.position)
    bond = facts.task.round_bond
    return Proof(
        ProofKind.EXPIRE, facts.round.id, record.version, record.position, arguments, Fault.UNANSWERED,
        loser=facts.round.benchmarker, loses=bond, reward=bond // 2, receiver=record.demander,
    )  # fmt: skip


def reclaim(facts: ChainFacts, record: DemandRecord) -> Proof:
    """Free the fee of an unanswered demand to its demander. Refused where there is none, NotYet before Slashed or Final."""
    _demand_waiting(record)
    if facts.phase not in (Phase.SLASHED, Phase.FINAL):
        raise NotYet(
            f"the round is {facts.phase.name.capitalize()}: the fee is free once it is Slashed or Final", "Try again then."
        )
    arguments = (facts.round.id, record.version, record.position)
    return Proof(
        ProofKind.RECLAIM, facts.round.id, record.version, record.position, arguments,
        reward=facts.task.demand_fee, receiver=record.demander,
    )  # fmt: skip


def is_later(one: ChainFacts, other: ChainFacts) -> bool:
    """Whether `one` was sealed after `other`, by time and then by id, as the contract compares them."""
    return (one.round.sealed_at, one.round.id) > (other.round.sealed_at, other.round.id)


# Guards


def _opened(facts: ChainFacts, openings: Openings, version: VersionId, position: int, seed: int) -> Opening:
    sitting = facts.sitting(version)
    if sitting is None:
        raise BadInput(f"version 0x{version.hex()} is not enrolled", "Choose one that is.")
    if not any(sitting.root_commitment):
        raise NotYet(f"version 0x{version.hex()} is not attested yet", "Try again once it is.")
    return openings.open(version, position, seed)


def _slash(
    facts: ChainFacts,
    kind: ProofKind,
    arguments: tuple[Any, ...],
    fault: Fault,
    version: VersionId | None,
    position: int | None,
    verdict: Verdict | None = None,
) -> Proof:
    bond = facts.task.round_bond
    return Proof(
        kind, facts.round.id, version, position, arguments, fault, verdict, facts.round.benchmarker, loses=bond, reward=bond // 2
    )


def _demand_open(facts: ChainFacts) -> None:
    if facts.phase in _CLOSED:
        raise Refused(f"the round is {facts.phase.name.capitalize()}: nothing can be proven against it", _LOOK)


def _demand_holds(facts: ChainFacts, message: Message) -> None:
    if message.round != facts.round.id:
        raise BadInput("the message is of another round", "Choose evidence of this one.")
    found = check(facts, [message])
    if found.refused:
        raise Refused(f"the evidence does not hold: {found.refused[0]}", "Ask whoever gave it to you.")


def _demand_waiting(record: DemandRecord) -> None:
    if record.state is not DemandState.OPEN:
        state = record.state.name.lower()
        raise Refused(f"the demand of item {record.position} was {state}", "`assay demand list` shows those that are open.")


def _sealed(facts: ChainFacts, sealed: SetOpening | None, what: str) -> SetOpening:
    """The opening itself, demanded to stand under the sealed root."""
    if sealed is None:
        raise BadInput(f"{what} is needed and not at hand", "Give the round's bundle, or evidence that holds the item.")
    _demand_holds(facts, HeldItem(facts.round.id, sealed))
    return sealed


def _demand_scored(facts: ChainFacts, sealed: SetOpening) -> None:
    _sealed(facts, sealed, "the sealed item")
    if sealed.kind != Kind.SCORED:
        raise Refused(f"item {sealed.position} is a Decoy, and decoys may come again", _LOOK)


def _demand_same_examiner(one: ChainFacts, other: ChainFacts) -> None:
    if one.round.id == other.round.id:
        raise BadInput("two rounds are needed, and this is one", "Name another round.")
    if one.round.benchmarker != other.round.benchmarker:
        raise Refused("the rounds are of different benchmarkers: that is no reuse", "See the report of prompts seen before.")


def _demand_same_prompt(one: bytes, other: bytes) -> None:
    if one != other:
        raise Refused("the prompts differ", "Compare both bundles: `assay challenge reuse ROUND OTHER` finds equal ones.")


def _advice(verdict: Verdict) -> str:
    if verdict in (Verdict.NOT_SEALED, Verdict.NOT_ATTESTED):
        return "The bundle does not lead to the chain's roots: demand positions with `assay demand`."
    return _LOOK
