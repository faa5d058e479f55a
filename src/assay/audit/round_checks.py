"""Checks of a round that need the chain alone: ids recomputed, deadlines, versions, metric."""

from assay.audit.facts import ChainFacts, Sitting
from assay.audit.report import Finding, Log, show
from assay.encoding.ids import round_id, task_id, version_id
from assay.encoding.sumtree import commitment
from assay.metrics import METRICS
from assay.types import Deadlines, Phase, Standing
from assay.units import date

__all__ = ["check_deadlines", "check_enrolment", "check_round_id", "check_task", "check_version_ids", "check_version_times"]


def check_round_id(facts: ChainFacts, log: Log, step: int) -> None:
    """The round's id is the hash of what it is made of."""
    r = facts.round
    expected = round_id(facts.chain_id, facts.rounds, r.benchmarker, r.task, r.set_root, r.items, r.operator)
    log.expect(step, "round id", expected, r.id)


def check_task(facts: ChainFacts, log: Log, step: int) -> None:
    """The task's id is the hash of its parameters, and its metric is, code and all, one that we ship."""
    log.expect(step, "task id", task_id(facts.task), facts.round.task)
    metric, mirror = facts.metric, METRICS.get(facts.metric.signature)
    if mirror is None:
        log.missing([step], f"a mirror of the metric {metric.signature!r}; this release ships {', '.join(sorted(METRICS))}")
        return
    if not metric.shipped_as:
        item, got = f"metric at {facts.task.metric}", f"other code under its signature, hash {show(metric.code_hash)}"
        log.fail(step, Finding(item, f"the code that we ship for {mirror.signature}", got))
    log.expect(step, "words of the metric, by the task", mirror.words, facts.task.metric_words)
    log.expect(step, "words of the metric, by itself", mirror.words, metric.words)
    if facts.task.max_bytes > metric.max_bytes:
        log.fail(step, Finding("text cap of the task", f"at most {metric.max_bytes}", str(facts.task.max_bytes)))


def check_deadlines(facts: ChainFacts, log: Log, step: int) -> None:
    """The deadlines follow from the seal and the windows; the round kept them and no fault was proven."""
    r, task = facts.round, facts.task
    answer_by = r.sealed_at + task.answer_window
    attest_by = answer_by + task.attest_window
    reveal_by = attest_by + task.reveal_window
    log.expect(step, "deadlines", Deadlines(answer_by, attest_by, reveal_by, reveal_by + task.challenge_window), facts.deadlines)
    if r.items < 1 or r.items > task.max_items:
        log.fail(step, Finding("size of the set", f"1 to {task.max_items} items", str(r.items)))
    if r.revealed_at and not answer_by <= r.revealed_at < reveal_by:
        log.fail(step, Finding("time of the reveal", f"from {answer_by} to before {reveal_by}", str(r.revealed_at)))
    log.expect(step, "end of the challenge window", _final_at(facts), facts.closing.final_at)
    if facts.phase is Phase.SLASHED:
        log.fail(step, Finding("phase", "no proven fault", f"Slashed: {r.fault.name}"))
    if facts.phase is Phase.FORFEITED:
        log.fail(step, Finding("phase", "all deadlines kept", "Forfeited: a deadline was missed"))
    if facts.phase is Phase.CHALLENGING:
        log.note(step, f"provisional: the challenge window ends {date(facts.closing.final_at)}; a demand moves it")
    if task.round_bond == 0:
        log.note(step, "the task asks for no bond: a proven fault costs nothing")


def _final_at(facts: ChainFacts) -> int:
    """When the challenge window closes: a challenge window after the reveal, or half of one after the last demand's deadline."""
    if not facts.round.revealed_at:
        return 0
    window = facts.task.challenge_window
    return max(facts.round.revealed_at + window, facts.closing.queue_end + window // 2)


def check_version_times(facts: ChainFacts, log: Log, step: int) -> None:
    """Every enrolled version was committed before the seal, strictly."""
    for sitting in facts.sittings:
        version = sitting.version
        if not 0 < version.committed_at < facts.round.sealed_at:
            expected, item = f"before {facts.round.sealed_at}", f"version {version.id.hex()}: committed at"
            log.fail(step, Finding(item, expected, str(version.committed_at), version=version.id))


def check_version_ids(facts: ChainFacts, log: Log, step: int) -> None:
    """Every version's id is the hash of model, number, commitment and operator."""
    for sitting in facts.sittings:
        version = sitting.version
        if not sitting.version_commitment:
            log.missing([step], f"the event that committed version {version.id.hex()}")
            continue
        expected = version_id(version.model, version.number, sitting.version_commitment, version.operator)
        log.expect(step, f"id of version {version.number} of model {version.model.hex()}", expected, version.id)


def check_enrolment(facts: ChainFacts, log: Log, step: int) -> None:
    """Exactly the enrolled versions are attested, each once, and the events agree with what the chain stores."""
    ids = [sitting.version.id for sitting in facts.sittings]
    log.expect(step, "enrolled versions, by event and by count", facts.round.enrolled, len(ids))
    log.expect(step, "enrolled versions named twice", 0, len(ids) - len(set(ids)))
    for sitting in facts.sittings:
        _check_attested(facts, sitting, log, step)


def _check_attested(facts: ChainFacts, sitting: Sitting, log: Log, step: int) -> None:
    name = sitting.version.id.hex()
    if facts.phase in (Phase.ANSWERING, Phase.ATTESTING):
        log.missing([step], "attestations: the round is not that far")
    elif sitting.root is None or sitting.view.standing in (Standing.NONE, Standing.ENROLLED):
        log.fail(step, Finding(f"version {name}", "attested", "enrolled and left out", version=sitting.version.id))
    else:
        expected = show(sitting.root_commitment)
        got = show(commitment(sitting.root))
        if expected != got:
            log.fail(
                step, Finding(f"attested root of version {name}, stored and by event", expected, got, version=sitting.version.id)
            )
