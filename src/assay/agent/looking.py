"""The facts that the daemon decides on: one round at one pinned block, and what the journal holds of it. No key."""

from assay.agent import exchanges
from assay.agent.deciding import Facts
from assay.agent.journal import Journal
from assay.agent.records import RoundRecord
from assay.chain.client import Chain
from assay.chain.index import round_log
from assay.types import Block, Phase, RoundId

OPEN = (Phase.ANSWERING, Phase.ATTESTING)
OVER = (Phase.FINAL, Phase.VOID)


def record_of(journal: Journal, set_name: str, task: bytes) -> RoundRecord | None:
    """The latest round of a set under a task."""
    found = [record for record in journal.rounds() if (record.set_name, record.task) == (set_name, task)]
    return found[-1] if found else None


def look(chain: Chain, journal: Journal, record: RoundRecord, gateways: tuple[str, ...], block: Block) -> Facts:
    """A journaled round at a block. Unreachable."""
    id_, at = record.round, block.number
    round_, ends = chain.rounds.round(id_, at=at), chain.rounds.deadlines(id_, at=at)
    task = chain.tasks.params(record.task, at=at)
    if round_ is None or ends is None or task is None:
        return Facts(Phase.UNKNOWN, block.timestamp)
    phase = chain.rounds.phase(id_, at=at)
    log = round_log(chain, id_, at) if phase in (Phase.ANSWERING, *OVER) else None
    enrolled = frozenset(entry.version for entry in log.enrolled) if log else frozenset()
    reached = {e.url for e in journal.enrolments(id_) if e.version in enrolled}
    return Facts(
        phase=phase,
        now=block.timestamp,
        deadlines=ends,
        latest_ask=ends.answer_by - task.post_window,
        sealed_at=round_.sealed_at,
        final_from=chain.rounds.closing(id_, at=at).final_at,
        items=record.items,
        enrolled=round_.enrolled,
        unenrolled=len(frozenset(gateways) - reached),
        asked=_asked(journal, id_),
        answered=len(exchanges.answered(journal, id_)) if phase in OPEN else 0,
        unacknowledged=len(exchanges.undelivered(journal, id_)) if phase in OPEN else 0,
        scored=len(journal.scores(id_)),
        released=log.released if log else False,
        versions_left=len(enrolled.difference(log.versions_released, log.versions_slashed)) if log else 0,
    )


def _asked(journal: Journal, round_: RoundId) -> bool:
    return bool(journal.one("SELECT 1 FROM asks WHERE round = ? LIMIT 1", (round_,)))
