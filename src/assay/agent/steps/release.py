"""release: free the bonds of a round that is over, the round's own and those of its versions."""

from dataclasses import dataclass

from assay.agent.context import Agent
from assay.agent.rounds import Standing, send, settle, standing
from assay.chain.index import RoundLog, round_log
from assay.errors import NotYet
from assay.types import Phase, RoundId, VersionId

STEP = "release"
BATCH = 50


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """What this call freed, and from when the rest can be."""

    round: RoundId
    round_bond: bool
    versions: tuple[VersionId, ...]
    versions_from: int


def run(agent: Agent, round_: RoundId) -> ReleaseReport:
    """Free what can be freed. NotYet, with the time, where nothing can be yet."""
    with agent.journal.alone():
        settle(agent, round_, STEP)
        found = standing(agent, round_)
        log = round_log(agent.chain, round_, found.block.number)
        ripe = found.phase in (Phase.FINAL, Phase.VOID) and not log.released
        versions = _ripe_versions(found, log)
        if not ripe and not versions:
            _demand_nothing_left(agent, found, log)
        if ripe:
            send(agent, round_, STEP, agent.chain.rounds.release(round_))
        for start in range(0, len(versions), BATCH):
            send(agent, round_, STEP, agent.chain.rounds.release_versions(round_, versions[start : start + BATCH]))
    return ReleaseReport(round_, ripe, tuple(versions), found.deadlines.versions_released_at)


def _ripe_versions(found: Standing, log: RoundLog) -> list[VersionId]:
    if found.block.timestamp < found.deadlines.versions_released_at:
        return []
    settled = {*log.versions_released, *log.versions_slashed}
    return [entry.version for entry in log.enrolled if entry.version not in settled]


def _demand_nothing_left(agent: Agent, found: Standing, log: RoundLog) -> None:
    """NotYet unless everything is released or lost."""
    if found.phase not in (Phase.FINAL, Phase.VOID, Phase.FORFEITED, Phase.SLASHED):
        until = agent.chain.rounds.closing(log.round).final_at  # a demand moves it
        raise NotYet(f"the round is {found.phase.name.lower()}", "run the same command when it is final", at=until)
    if len(log.versions_released) + len(log.versions_slashed) < len(log.enrolled):
        at = found.deadlines.versions_released_at
        raise NotYet(f"the version bonds are free from {at}", "run the same command then", at=at)
