"""A proof as data: what is brought to the chain, who loses by it, and the transaction that brings it. `proofs` builds them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from assay.chain.client import Chain
from assay.chain.contracts.base import Call
from assay.types import Address, Fault, RoundId, Verdict, VersionId

__all__ = ["Proof", "ProofKind", "call_of"]


class ProofKind(StrEnum):
    """What is brought to the chain."""

    ITEM = "item"
    ACK = "ack"
    ASK = "ask"
    REUSE = "reuse"
    REUSE_BY_ASK = "reuse-by-ask"
    LEAK = "leak"
    ANSWERS = "answers"
    FORFEIT = "forfeit"
    EXPIRE = "expire"
    DEMAND = "demand"
    ANSWER = "answer"
    RECLAIM = "reclaim"


_CALLS = {
    ProofKind.ITEM: "challenge",
    ProofKind.ACK: "challenge_ack",
    ProofKind.ASK: "challenge_ask",
    ProofKind.REUSE: "challenge_reuse",
    ProofKind.REUSE_BY_ASK: "challenge_reuse_by_ask",
    ProofKind.LEAK: "challenge_leak",
    ProofKind.ANSWERS: "challenge_answers",
    ProofKind.EXPIRE: "expire",
    ProofKind.DEMAND: "demand",
    ProofKind.ANSWER: "answer_demand",
    ProofKind.RECLAIM: "reclaim",
}


@dataclass(frozen=True, slots=True)
class Proof:
    """One transaction to be.

    `round` is the one whose bond is taken (of `answers`: in which the version bond is; of a demand: where it stands). `arguments`
    are those of the wrapper in `chain.disputes`. `fault` is what the chain will record, NONE where no round is slashed. `verdict`
    is the judge's on the opening, where there is one. `loser` loses `loses` wei, of which `receiver` (None: whoever sends it)
    gets `reward`; of `answer` that is the demander's fee. `locks` is the fee that a demand locks. `measured` says of an
    item that its count or statistics are wrong by themselves: then the wrapper is `challenge_statistics` of `chain.rounds`.
    """

    kind: ProofKind
    round: RoundId
    version: VersionId | None
    position: int | None
    arguments: tuple[Any, ...]
    fault: Fault = Fault.NONE
    verdict: Verdict | None = None
    loser: Address | None = None
    loses: int = 0
    reward: int = 0
    receiver: Address | None = None
    locks: int = 0
    measured: bool = False

    @property
    def accuses(self) -> bool:
        """Whether somebody loses a bond by it."""
        return self.kind not in (ProofKind.DEMAND, ProofKind.ANSWER, ProofKind.RECLAIM)


def call_of(chain: Chain, proof: Proof) -> Call:
    """The transaction that brings it."""
    if proof.kind is ProofKind.FORFEIT:
        return chain.rounds.forfeit(proof.round)
    if proof.measured:
        return chain.rounds.challenge_statistics(*proof.arguments)
    made: Call = getattr(chain.disputes, _CALLS[proof.kind])(*proof.arguments)
    return made
