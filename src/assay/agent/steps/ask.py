"""ask: put every sealed question to every enrolled model, keep what they sign, acknowledge it.

Run it again until nothing is missing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.agent import exchanges
from assay.agent.asking import AskOptions, Plan, Session, Tally
from assay.agent.context import Agent
from assay.agent.records import Enrolment
from assay.agent.rounds import Standing, demand_not_over, standing
from assay.chain.index import round_log
from assay.encoding.hashing import keccak, tag, uint
from assay.errors import NotYet, Refused, TooLate
from assay.types import Phase, RoundId, VersionId

ORDER = tag("ASK_ORDER")


@dataclass(frozen=True, slots=True)
class Asked:
    """How far one version is. `failures` counts the attempts of this run that brought nothing, by reason."""

    version: VersionId
    url: str
    answered: int
    missing: int
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AskReport:
    """What a run of asking reached. `unacknowledged` answers have Acks that no gateway has confirmed yet."""

    round: RoundId
    items: int
    latest: int
    versions: tuple[Asked, ...]
    contradictions: int
    unacknowledged: int

    @property
    def complete(self) -> bool:
        """Whether every model has answered everything and knows that we know."""
        return not self.unacknowledged and not any(version.missing for version in self.versions)


def ask_order(set_root: bytes, items: int) -> list[int]:
    """The order of asking: positions sorted by keccak256(tag "ASK_ORDER" ‖ set root ‖ position), the same for everybody."""
    return sorted(range(items), key=lambda position: keccak(ORDER + set_root + uint(position)))


def run(agent: Agent, round_: RoundId, options: AskOptions | None = None) -> AskReport:
    """Ask what is missing. Crash-safe: what was answered is not asked again, what was not acknowledged is, with the same bytes.

    NotYet while an enrolment is not final, TooLate after the last moment for an Ask, Refused where nobody is enrolled or a round
    is over.
    """
    with agent.journal.alone():
        plan = _plan(agent, round_)
        try:
            tally = asyncio.run(Session(agent, plan, options or AskOptions()).run())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        return _report(agent, plan, tally)


def _plan(agent: Agent, round_: RoundId) -> Plan:
    found = standing(agent, round_)
    latest = found.deadlines.answer_by - found.task.post_window
    _demand_open(found, latest)
    seats = _seats(agent, found)
    items = agent.journal.placed_items(round_)
    return Plan(
        round=round_,
        prompts=[item.prompt for item in items],
        order=ask_order(found.record.set_root, len(items)),
        seats=seats,
        cap=found.task.max_bytes,
        latest=latest,
        now=found.block.timestamp,
    )


def _demand_open(found: Standing, latest: int) -> None:
    demand_not_over(found)
    if found.phase is not Phase.ANSWERING or found.block.timestamp >= latest:
        raise TooLate(
            f"no question can be asked since {latest} (now {found.block.timestamp}): what has no answer counts as silence",
            "go on with: assay bench score",
        )


def _seats(agent: Agent, found: Standing) -> Sequence[Enrolment]:
    """Who is enrolled on final blocks, with the addresses that the journal knows."""
    final = agent.chain.finalized()
    enrolled = [entry.version for entry in round_log(agent.chain, found.record.round, final.number).enrolled]
    if found.facts.enrolled > len(enrolled):
        raise NotYet(f"an enrolment is not final yet (block {final.number} is)", "wait a few blocks, then run the same command")
    if not enrolled:
        raise Refused("nobody is enrolled", "enrol a model: assay bench enrol ROUND GATEWAY")
    known = {enrolment.version: enrolment for enrolment in agent.journal.enrolments(found.record.round)}
    lost = [version for version in enrolled if version not in known]
    if lost:
        raise Refused(
            f"the journal has no gateway for the enrolled version 0x{lost[0].hex()}", "tell it: assay bench enrol ROUND GATEWAY"
        )
    return [known[version] for version in enrolled]


def _report(agent: Agent, plan: Plan, tally: Tally) -> AskReport:
    done = exchanges.answered(agent.journal, plan.round)
    versions = []
    for seat in plan.seats:
        answered = sum((seat.version, position) in done for position in plan.order)
        failures = dict(tally.failures.get(seat.version, {}))
        versions.append(Asked(seat.version, seat.url, answered, len(plan.order) - answered, failures))
    left = len(exchanges.undelivered(agent.journal, plan.round))
    return AskReport(plan.round, len(plan.order), plan.latest, tuple(versions), tally.contradictions, left)
