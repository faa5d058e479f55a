"""Where a round stands, and the one step that it needs next. Reads only; no key."""

from dataclasses import dataclass

from assay.agent import exchanges
from assay.agent.journal import Journal
from assay.agent.records import RoundRecord
from assay.chain.client import Chain
from assay.chain.index import round_log
from assay.metrics import by_signature
from assay.types import Address, Deadlines, Kind, Phase, RoundId, Standing, TaskId, VersionId

ENDED = (Phase.FORFEITED, Phase.SLASHED)


@dataclass(frozen=True, slots=True)
class VersionOverview:
    """One version in a round: what we have of it, and what the chain says. `shown` is the score as people write it."""

    version: VersionId
    url: str
    received: int
    standing: Standing
    score: int
    shown: str
    answered: int
    silent: int
    decoys: int


@dataclass(frozen=True, slots=True)
class Overview:
    """One round. `next` is the step to call next, empty where there is none; `now` is the timestamp of the head."""

    round: RoundId
    set: str
    task: TaskId
    benchmarker: Address
    phase: Phase
    now: int
    deadlines: Deadlines | None
    items: int
    decoys: int
    versions: tuple[VersionOverview, ...]
    contradictions: int
    unacknowledged: int
    cid: str
    next: str


def overview(chain: Chain, journal: Journal, record: RoundRecord) -> Overview:
    """A round of the journal as the head of the chain shows it."""
    head = chain.head()
    round_ = record.round
    phase = chain.rounds.phase(round_, at=head.number)
    bundles = journal.bundles(round_)
    return Overview(
        round=round_,
        set=record.set_name,
        task=record.task,
        benchmarker=record.benchmarker,
        phase=phase,
        now=head.timestamp,
        deadlines=chain.rounds.deadlines(round_, at=head.number),
        items=record.items,
        decoys=sum(item.kind is Kind.DECOY for item in journal.placed_items(round_)),
        versions=_versions(chain, journal, record, head.number),
        contradictions=len(exchanges.contradictions(journal, round_)),
        unacknowledged=len(exchanges.undelivered(journal, round_)),
        cid=bundles[-1].cid if bundles else "",
        next=next_step(chain, journal, record, phase),
    )


def next_step(chain: Chain, journal: Journal, record: RoundRecord, phase: Phase) -> str:
    """Name of the step that brings a round on, or empty where there is nothing to do. Steps are safe to call too early."""
    if phase is Phase.UNKNOWN:
        return "seal"
    if phase is Phase.ANSWERING:
        return _while_answering(chain, journal, record)
    if phase is Phase.ATTESTING:
        facts = chain.rounds.round(record.round)
        return "attest" if facts and len(journal.scores(record.round)) >= facts.enrolled else "score"
    if phase is Phase.REVEALING:
        return "reveal"
    return "" if phase in ENDED or round_log(chain, record.round).released else "release"


def _while_answering(chain: Chain, journal: Journal, record: RoundRecord) -> str:
    facts = chain.rounds.round(record.round)
    if facts is None or not facts.enrolled:
        return "enrol"
    done = len(exchanges.answered(journal, record.round)) >= facts.enrolled * record.items
    return "score" if done and not exchanges.undelivered(journal, record.round) else "ask"


def _versions(chain: Chain, journal: Journal, record: RoundRecord, at: int) -> tuple[VersionOverview, ...]:
    received: dict[VersionId, int] = {}
    for version, _ in exchanges.answered(journal, record.round):
        received[version] = received.get(version, 0) + 1
    found = []
    metric = None
    for enrolment in journal.enrolments(record.round):
        view = chain.rounds.score(record.round, enrolment.version, at=at)
        if view.standing is Standing.SCORED and metric is None:
            params = chain.tasks.params(record.task, at=at)
            metric = by_signature(chain.metric(params.metric).signature()) if params else None
        shown = metric.display(view.score) if metric and view.standing is Standing.SCORED else view.standing.name.lower()
        counts = (view.answered, view.silent, view.decoys)
        got = received.get(enrolment.version, 0)
        found.append(VersionOverview(enrolment.version, enrolment.url, got, view.standing, view.score, shown, *counts))
    return tuple(found)
