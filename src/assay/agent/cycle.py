"""The daemon: many rounds at once, each brought to its end by the same steps that a person calls.

A cycle reads the head, looks at every idle round at that one block, decides, begins at most one step for each, and returns when
to wake. Steps run in threads, one for each round, so that no round waits for another's models. Nothing is remembered between
cycles that a restart could lose: chain and journal hold it all.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from assay.agent.context import Agent
from assay.agent.deciding import Act, Facts, decide
from assay.agent.journal import Journal
from assay.agent.looking import look, record_of
from assay.agent.plans import Plans, RoundPlan
from assay.agent.records import RoundRecord
from assay.agent.steps import ask, attest, enrol, publish, release, reveal, score, seal
from assay.chain.client import Chain
from assay.errors import AssayError, NotYet, Retry
from assay.types import Address, Block, Phase, RoundId

LOOK_SECONDS = 60.0
SLICE_SECONDS = 0.5
STRIKES = 2

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """A plan with what its names stand for. Rounds of the journal that no plan names are jobs of their own, without gateways."""

    plan: RoundPlan
    benchmarker: Address
    card: Mapping[str, Any] = field(default_factory=dict)
    round: RoundId | None = None

    def record(self, journal: Journal) -> RoundRecord | None:
        """Its round, once that was decided."""
        if self.round is not None:
            return journal.round(self.round)
        return record_of(journal, self.plan.set_name, self.plan.task)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step left: whether all of it is done, and fields for the log."""

    complete: bool
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Track:
    """A job under way. `wake` is local monotonic time, `ready` chain time; whichever is later holds."""

    job: Job
    draw: random.Random
    running: "Future[Outcome] | None" = None
    act: Act | None = None
    wake: float = 0.0
    ready: int = 0
    looked: float = 0.0
    failures: int = 0
    strikes: int = 0
    finished: bool = False
    stopped: bool = False

    @property
    def idle(self) -> bool:
        """Whether a step could begin."""
        return self.running is None and not self.finished and not self.stopped


def all_jobs(chain: Chain, journal: Journal, named: Sequence[Job], operator: Address | None = None) -> list[Job]:
    """The named jobs, then every other round that the journal has on this chain, of one operator or of any."""
    known = {record.round for job in named if (record := job.record(journal))}
    here, jobs = (chain.deployment.chain_id, chain.deployment.rounds), list(named)
    for record in journal.rounds():
        ours = (record.chain_id, record.rounds_contract) == here and operator in (None, record.operator)
        if ours and record.round not in known:
            jobs.append(Job(RoundPlan(record.set_name, record.task), record.benchmarker, round=record.round))
    return jobs


def facts_of(chain: Chain, journal: Journal, job: Job, block: Block) -> tuple[RoundId | None, Facts]:
    """Where a job stands at a block; no id before its round was decided."""
    record = job.record(journal)
    if record is None:
        return None, Facts(Phase.UNKNOWN, block.timestamp)
    return record.round, look(chain, journal, record, job.plan.gateways, block)


class Cycle:
    """Runs jobs until each is finished or stopped. Call `run`, or `once` as often as it says."""

    def __init__(self, agent: Agent, jobs: Sequence[Job], plans: Plans) -> None:
        """Nothing is read or sent yet."""
        self._agent, self._plans = agent, plans
        self._tracks = [Track(job, random.Random(f"{plans.seed}:{job.plan.set_name}")) for job in jobs]  # noqa: S311 - jitter
        self._pool = ThreadPoolExecutor(max(1, len(jobs)), thread_name_prefix="round")

    def run(self) -> bool:
        """Cycle until nothing is left or the agent is to stop; then finish what runs. False where an error stopped a round."""
        try:
            while not self._agent.stopping() and any(track.idle or track.running for track in self._tracks):
                self._sleep(self.once())
            log.info("stopping", running=sum(track.running is not None for track in self._tracks))
        finally:
            self._pool.shutdown(wait=True)
        self._collect()
        return not any(track.stopped for track in self._tracks)

    def once(self) -> float:
        """One cycle. Seconds until the next one is due."""
        self._collect()
        try:
            block = self._agent.chain.head()
        except AssayError as error:
            log.warning("chain", error=type(error).__name__, message=error.message)
            return float(self._plans.backoff_seconds)
        for track in self._tracks:
            if track.idle and self._due(track, block):
                self._advance(track, block)
        return float(self._plans.poll_seconds)

    def _due(self, track: Track, block: Block) -> bool:
        now = time.monotonic()
        if now < track.wake:
            return False
        return block.timestamp >= track.ready or now >= track.looked + LOOK_SECONDS

    def _advance(self, track: Track, block: Block) -> None:
        try:
            round_, facts = facts_of(self._agent.chain, self._agent.journal, track.job, block)
        except AssayError as error:
            self._retry(track, error)
            return
        track.looked = time.monotonic()
        if round_ is not None:
            facts = replace(facts, unpublished=publish.missing(self._agent, round_))
        act = decide(facts, track.job.plan.enrol_within)
        if track.act is None or (act.step, act.deadline, act.why) != (track.act.step, track.act.deadline, track.act.why):
            log.info("next", **_names(track, round_), step=act.step, at=act.at, deadline=act.deadline, why=act.why, now=facts.now)
        if track.act is not None and act.step != track.act.step:
            track.failures = track.strikes = 0
        track.act, track.ready = act, act.at
        if not act.step:
            track.finished = True
        elif act.at <= facts.now:
            track.running = self._pool.submit(perform, self._agent, track.job, round_, act.step)

    def _collect(self) -> None:
        for track in self._tracks:
            if track.running is not None and track.running.done():
                future, track.running = track.running, None
                self._note(track, future)

    def _note(self, track: Track, future: "Future[Outcome]") -> None:
        """Three arms: done, later (NotYet and Retry), or an error that a person has to mend."""
        try:
            outcome = future.result()
        except NotYet as error:
            track.ready = max(track.ready, error.at)
            track.wake = time.monotonic() + self._plans.poll_seconds
            log.info("not yet", **self._where(track), message=error.message, at=error.at)
        except Retry as error:
            self._retry(track, error)
        except Exception as error:  # noqa: BLE001 - a defect in one round must not end the others
            self._strike(track, error)
        else:
            track.strikes = 0
            track.failures = 0 if outcome.complete else track.failures + 1
            track.wake = 0.0 if outcome.complete else self._later(track)
            log.info("done" if outcome.complete else "incomplete", **self._where(track), **outcome.fields)

    def _retry(self, track: Track, error: AssayError) -> None:
        track.failures += 1
        track.wake = self._later(track)
        log.warning("again", **self._where(track), error=type(error).__name__, message=error.message, failures=track.failures)

    def _strike(self, track: Track, error: Exception) -> None:
        """Look again once: a window may have closed while the step ran, and then another step is next. Else the round stops."""
        track.strikes += 1
        track.failures += 1
        track.wake = self._later(track)
        track.stopped = track.strikes >= STRIKES
        told = {"error": type(error).__name__}
        if isinstance(error, AssayError):
            told |= {"message": error.message, "remedy": error.remedy}
        log.error("stopped" if track.stopped else "failed", **self._where(track), **told)

    def _later(self, track: Track) -> float:
        act = track.act
        left = act.deadline - act.at if act is not None and act.deadline else None
        return time.monotonic() + backoff(self._plans, track.failures, left, track.draw)

    def _where(self, track: Track) -> dict[str, object]:
        record = track.job.record(self._agent.journal)
        step = track.act.step if track.act else ""
        return _names(track, record.round if record else None) | {"step": step}

    def _sleep(self, seconds: float) -> None:
        """In slices, because a signal only sets a flag; less where a step ends before."""
        end = time.monotonic() + seconds
        while not self._agent.stopping() and (left := end - time.monotonic()) > 0:
            running = [track.running for track in self._tracks if track.running is not None]
            pause = min(left, SLICE_SECONDS)
            if not running:
                time.sleep(pause)
            elif wait(running, timeout=pause, return_when=FIRST_COMPLETED).done:
                return


def backoff(plans: Plans, failures: int, left: int | None, draw: random.Random) -> float:
    """Seconds to wait after so many failures: doubled each time, never above a tenth of what the deadline leaves.

    Drawn from half of that to the whole, so that agents which failed together do not come back together.
    """
    pause = min(float(plans.longest_backoff_seconds), plans.backoff_seconds * 2.0 ** min(failures - 1, 20))
    if left is not None:
        pause = min(pause, max(1.0, left / 10))
    return pause * draw.uniform(0.5, 1.0)


def perform(agent: Agent, job: Job, round_: RoundId | None, step: str) -> Outcome:
    """Call a step. Raises what the step raises."""
    plan = job.plan
    if step == "seal" or round_ is None:
        sealed = seal.run(agent, plan.set_name, plan.task, job.benchmarker, job.card)
        return Outcome(complete=True, fields={"sealed": "0x" + sealed.round.hex()})
    if step == "enrol":
        report = enrol.run(agent, round_, plan.gateways)
        refused = [f"{refusal.url}: {refusal.reason}" for refusal in report.refused]
        return Outcome(complete=not refused, fields={"enrolled": len(report.enrolled), "refused": refused})
    if step == "ask":
        asked = ask.run(agent, round_, plan.options)
        missing = sum(version.missing for version in asked.versions)
        why = {v.version.hex()[:12]: dict(v.failures) for v in asked.versions if v.failures}
        return Outcome(asked.complete, {"missing": missing, "unacknowledged": asked.unacknowledged, "failures": why})
    return Outcome(complete=True, fields=AFTERWARDS[step](agent, round_))


AFTERWARDS: Mapping[str, Callable[[Agent, RoundId], Mapping[str, object]]] = {
    "score": lambda agent, round_: {"scores": {s.version.hex()[:12]: s.shown for s in score.run(agent, round_).scores}},
    "attest": lambda agent, round_: {"sent": attest.run(agent, round_).sent},
    "reveal": lambda agent, round_: {"cid": reveal.run(agent, round_).cid},
    "publish": lambda agent, round_: {"nodes": [entry.node for entry in publish.run(agent, round_).published]},
    "release": lambda agent, round_: {"versions": len(release.run(agent, round_).versions)},
}


def quiet(agent: Agent, stopping: Callable[[], bool]) -> Agent:
    """The agent of a daemon: no progress bar, and an end when it is wanted."""
    return replace(agent, progress=lambda _done, _total: None, stopping=stopping)


def _names(track: Track, round_: RoundId | None) -> dict[str, object]:
    return {"set": track.job.plan.set_name, "round": "0x" + round_.hex() if round_ else ""}
