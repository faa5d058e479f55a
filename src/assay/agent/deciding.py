"""What a round needs next: a pure function from facts to one act with its window. All times are the chain's."""

from dataclasses import dataclass

from assay.types import Deadlines, Phase

PATIENCE_SECONDS = 60
"""A round that could be final and is not has demands in its queue: look again after this long."""
BONDED = frozenset({"score", "attest", "reveal"})


@dataclass(frozen=True, slots=True)
class Facts:
    """A round at one block, and what the journal holds of it.

    `latest_ask` is the last second that an Ask may name, `unenrolled` counts the named gateways of which no version is enrolled,
    `asked` says whether any question was signed, `versions_left` counts versions whose bonds are not released,
    `unpublished` the IPFS nodes that do not pin the bundle yet.
    """

    phase: Phase
    now: int
    deadlines: Deadlines | None = None
    latest_ask: int = 0
    sealed_at: int = 0
    final_from: int = 0
    items: int = 0
    enrolled: int = 0
    unenrolled: int = 0
    asked: bool = False
    answered: int = 0
    unacknowledged: int = 0
    scored: int = 0
    released: bool = False
    versions_left: int = 0
    unpublished: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """The next step, from `at` on and before `deadline` (0 where there is none). No step: nothing is left to do, and `why`."""

    step: str
    at: int = 0
    deadline: int = 0
    why: str = ""

    @property
    def bonded(self) -> bool:
        """Whether the round bond is lost when the deadline passes."""
        return self.step in BONDED


def decide(facts: Facts, enrol_within: int) -> Act:
    """The next act. Gateways that do not consent are asked again for `enrol_within` seconds after the seal."""
    if facts.phase is Phase.UNKNOWN or facts.deadlines is None:
        return Act("seal", facts.now, why="the chain does not know the round")
    ends = facts.deadlines
    if facts.phase is Phase.ANSWERING:
        return _while_answering(facts, ends, enrol_within)
    if facts.phase is Phase.ATTESTING:
        return Act("score" if facts.scored < facts.enrolled else "attest", facts.now, ends.attest_by)
    if facts.phase is Phase.REVEALING:
        return Act("reveal", facts.now, ends.reveal_by)
    if facts.phase is Phase.CHALLENGING and facts.unpublished:
        return Act("publish", facts.now, facts.final_from, why="what is not served is not ranked, and demands find nothing")
    if facts.phase is Phase.CHALLENGING:
        at = facts.final_from if facts.final_from > facts.now else facts.now + PATIENCE_SECONDS
        return Act("release", at, why="challenges are possible until then")
    if facts.phase in (Phase.FINAL, Phase.VOID):
        return _when_over(facts, ends)
    return Act("", why=f"the round is {facts.phase.name.lower()}: its bond is lost")


def _while_answering(facts: Facts, ends: Deadlines, enrol_within: int) -> Act:
    """Enrol first, so that all models get their first question at the same moment; then ask; then wait for the end."""
    can_ask = facts.now < facts.latest_ask
    enrol_until = facts.latest_ask if not facts.enrolled else min(facts.latest_ask, facts.sealed_at + enrol_within)
    if facts.unenrolled and not facts.asked and facts.now < enrol_until:
        return Act("enrol", facts.now, enrol_until)
    if not facts.enrolled:
        return Act("release", ends.answer_by, why="nobody is enrolled: the round will be void")
    if can_ask and (facts.unacknowledged or facts.answered < facts.enrolled * facts.items):
        return Act("ask", facts.now, facts.latest_ask)
    return Act("score", ends.answer_by, ends.attest_by, why="answers may be posted until then")


def _when_over(facts: Facts, ends: Deadlines) -> Act:
    if not facts.released:
        return Act("release", facts.now)
    if facts.versions_left:
        return Act("release", max(ends.versions_released_at, facts.now), why="the version bonds are free from then")
    unused = "; nobody was enrolled, so its questions are unused: seal the set again" if facts.phase is Phase.VOID else ""
    return Act("", why=f"the round is {facts.phase.name.lower()}, all bonds are free{unused}")
