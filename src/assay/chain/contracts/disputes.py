"""Disputes: proofs become faults, and positions are demanded."""

from dataclasses import astuple
from typing import Any

from assay.chain.contracts.base import Call, Contract
from assay.chain.contracts.judge import opening_tuple
from assay.chain.node import At
from assay.types import Demand, DemandState, Opening, RoundId, SetOpening, SignedAnswer, SignedAsk, VersionId


def set_opening_tuple(opening: SetOpening) -> tuple[Any, ...]:
    """A sealed item as the ABI's tuple: the item, then its path."""
    item = (opening.position, int(opening.kind), opening.prompt_hash, opening.reference_hash, opening.salt)
    return (item, list(opening.path))


class Disputes(Contract):
    """The disputes."""

    artifact = "Disputes"

    def demand_of(self, round_: RoundId, version: VersionId, position: int, *, at: At = "latest") -> Demand | None:
        """The demand of a position, None where nobody demanded it."""
        ((demander, deadline, state),) = self._read("demandOf", round_, version, position, at=at)
        return Demand(demander, deadline, DemandState(state)) if state else None

    def challenge(self, round_: RoundId, version: VersionId, opening: Opening) -> Call:
        """Bring an opened item whose verdict is a fault; slashes the round."""
        return self._call("challenge", round_, version, opening_tuple(opening), what="challenge")

    def challenge_ack(
        self, round_: RoundId, version: VersionId, opening: Opening, response_hash: bytes, ack_signature: bytes
    ) -> Call:
        """Bring the Silent leaf of a Scored item and an Ack for it; slashes the round."""
        leaf = opening_tuple(opening)
        return self._call(
            "challengeAck", round_, version, leaf, response_hash, ack_signature, what="challenge a dropped acknowledgement"
        )

    def challenge_ask(self, round_: RoundId, ask: SignedAsk, item: SetOpening) -> Call:
        """Bring an Ask that is not the sealed question, or is beyond the set (no item is looked at then); slashes the round."""
        return self._call("challengeAsk", round_, astuple(ask), set_opening_tuple(item), what="challenge a wrong Ask")

    def challenge_reuse(self, one: RoundId, in_one: SetOpening, other: RoundId, in_other: SetOpening) -> Call:
        """Bring one Scored prompt in two rounds; slashes the later or, if that one is Final, the other."""
        items = set_opening_tuple(in_one), set_opening_tuple(in_other)
        return self._call("challengeReuse", one, items[0], other, items[1], what="challenge a reused question")

    def challenge_reuse_by_ask(self, round_: RoundId, item: SetOpening, earlier: RoundId, ask: SignedAsk) -> Call:
        """As `challenge_reuse`, by an Ask of an earlier round that was slashed or forfeited."""
        what = "challenge a reused question"
        return self._call("challengeReuseByAsk", round_, set_opening_tuple(item), earlier, astuple(ask), what=what)

    def challenge_leak(self, round_: RoundId, item: SetOpening) -> Call:
        """Bring an item of a set that is still secret; slashes the round."""
        return self._call("challengeLeak", round_, set_opening_tuple(item), what="challenge a leak")

    def challenge_answers(
        self, round_: RoundId, version: VersionId, position: int, one: SignedAnswer, other: SignedAnswer
    ) -> Call:
        """Bring two different Answers for one position; takes the version's bond."""
        pair = astuple(one), astuple(other)
        return self._call("challengeAnswers", round_, version, position, *pair, what="challenge two Answers")

    def demand(self, round_: RoundId, version: VersionId, position: int) -> Call:
        """Demand that a position be opened, for the task's fee on the sender's account, which must have allowed itself."""
        return self._call("demand", round_, version, position, what="demand a position")

    def answer_demand(self, round_: RoundId, version: VersionId, opening: Opening) -> Call:
        """Answer the demand of the opening's position."""
        return self._call("answerDemand", round_, version, opening_tuple(opening), what="answer the demand")

    def expire(self, round_: RoundId, version: VersionId, position: int) -> Call:
        """Slash the round for a demand that passed its deadline unanswered; the reward is the demander's."""
        return self._call("expire", round_, version, position, what="expire the demand")

    def reclaim(self, round_: RoundId, version: VersionId, position: int) -> Call:
        """Free the fee of an unanswered demand to its demander."""
        return self._call("reclaim", round_, version, position, what="reclaim the fee")
