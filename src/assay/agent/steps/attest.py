"""attest: bring the roots of the score trees to the chain. The chain computes the scores from them; nobody types one in."""

from collections.abc import Sequence
from dataclasses import dataclass

from assay.agent.context import Agent
from assay.agent.records import ScoreRecord
from assay.agent.rounds import Standing, defect, demand_window, send, settle, standing
from assay.agent.steps.score import demand_scores
from assay.encoding.sumtree import commitment
from assay.types import Attestation, Phase, RoundId, ScoreView, VersionId

STEP = "attest"
BATCH = 10
NONE = bytes(32)


@dataclass(frozen=True, slots=True)
class AttestReport:
    """What the chain says of every version now, and how many this call attested."""

    round: RoundId
    sent: int
    scores: tuple[tuple[VersionId, ScoreView], ...]
    reveal_by: int


def run(agent: Agent, round_: RoundId) -> AttestReport:
    """Attest all versions that are not attested yet, in batches of ten.

    NotYet before the answers are over, TooLate after attestBy, Refused where a score is missing. Fatal where the chain holds
    another root for a version than the journal.
    """
    with agent.journal.alone():
        settle(agent, round_, STEP)
        found = standing(agent, round_)
        demand_window(found, Phase.ATTESTING, found.deadlines.answer_by, waiting_for="answers are still coming in")
        scores = demand_scores(agent, found)
        missing = _missing(agent, round_, list(scores.values()))
        for start in range(0, len(missing), BATCH):
            _send(agent, found, missing[start : start + BATCH])
            agent.progress(min(start + BATCH, len(missing)), len(missing))
        views = tuple((version, agent.chain.rounds.score(round_, version)) for version in scores)
    return AttestReport(round_, len(missing), views, found.deadlines.reveal_by)


def _missing(agent: Agent, round_: RoundId, scores: Sequence[ScoreRecord]) -> list[ScoreRecord]:
    missing = []
    for record in scores:
        there = agent.chain.rounds.commitment(round_, record.version)
        if there == NONE:
            missing.append(record)
        elif there != commitment(record.root):
            raise defect(f"the chain holds another root for version 0x{record.version.hex()} than the journal")
    return missing


def _send(agent: Agent, found: Standing, batch: Sequence[ScoreRecord]) -> None:
    round_ = found.record.round
    send(agent, round_, STEP, agent.chain.rounds.attest(round_, [Attestation(record.version, record.root) for record in batch]))
