"""What follows from one version's lines once all were read: tree, counts, score, and whether what was found is a proof."""

from assay.audit.facts import ChainFacts, Sitting
from assay.audit.line_checks import StepNumbers
from assay.audit.reading import ReadVersion
from assay.audit.report import Finding, Log, ScoreRow, show
from assay.encoding.sumtree import unpack_counts
from assay.metrics import METRICS
from assay.storage.bundle import MANIFEST, VersionFacts, answers_name
from assay.storage.slices import Broken
from assay.types import Outcome, Standing

__all__ = ["check_answers"]

_BPS = 10_000


def check_answers(
    facts: ChainFacts,
    items_broken: Broken | None,
    read: ReadVersion,
    told: VersionFacts,
    log: Log,
    steps: StepNumbers,
    *,
    items_hold: bool,
) -> bool:
    """Everything about one version. `items_hold`: whether the bundle's items are the sealed ones; else no item can be proven.

    Says whether openings of this bundle stand under both roots, so that the chain takes them.
    """
    sitting, name = read.sitting, answers_name(read.sitting.version.id)
    provable, broken = items_hold and read.is_attested, read.broken or items_broken
    if read.broken is None:
        log.absorb(read.log, provable=provable)
    if broken is not None:
        log.fail(steps.root, Finding(name, "one readable line a position", *broken, sitting.version.id))
        log.missing(set(steps), f"readable lines for version {name}")
        return False
    _check_root(sitting, read, log, steps)
    _check_counts(sitting, told, read, log, steps)
    _check_standing(facts, read, log, steps)
    _check_score(facts, read, log, steps)
    return provable


def _check_standing(facts: ChainFacts, read: ReadVersion, log: Log, steps: StepNumbers) -> None:
    sitting = read.sitting
    expected = Standing.SCORED if _is_complete(facts, read) else Standing.INCOMPLETE
    got = sitting.view.standing
    if got not in (expected, Standing.STRUCK):
        limit = f"{facts.task.max_silence_bps / 100:g} % of silence allowed"
        item = f"standing of {answers_name(sitting.version.id)} with {read.counts[Outcome.SILENT]} silent, {limit}"
        log.fail(steps.silence, Finding(item, expected.name, got.name, version=sitting.version.id))


def _is_complete(facts: ChainFacts, read: ReadVersion) -> bool:
    answered, silent, _ = read.counts
    return answered + silent > 0 and silent * _BPS <= facts.task.max_silence_bps * (answered + silent)


def _check_score(facts: ChainFacts, read: ReadVersion, log: Log, steps: StepNumbers) -> None:
    sitting, name, metric = read.sitting, answers_name(read.sitting.version.id), METRICS.get(facts.metric.signature)
    score = metric.score(read.true[1:]) if metric is not None and read.true is not None else None
    standing = sitting.view.standing.name.lower()
    answered, silent, decoys = read.counts
    log.scores.append(ScoreRow(sitting.version.id, sitting.attested_score, score, answered, silent, decoys, standing))
    if score is None:
        log.missing([steps.score], f"statistics of every item of {name}")
        return
    expected = score if _is_complete(facts, read) else 0
    log.expect(steps.score, f"score of {name}", expected, sitting.attested_score)
    if sitting.view.standing is not Standing.STRUCK:
        log.expect(steps.score, f"stored score of {name}", expected, sitting.view.score)


def _check_root(sitting: Sitting, read: ReadVersion, log: Log, steps: StepNumbers) -> None:
    name, root = answers_name(sitting.version.id), read.root
    if read.is_attested:
        return
    expected = show(tuple(sitting.root)) if sitting.root else show(sitting.root_commitment)
    item = f"root of {name}: no item of it can be opened against the attested root, so demand any that you doubt"
    log.fail(steps.root, Finding(item, expected, show(tuple(root)), name, sitting.version.id))


def _check_counts(sitting: Sitting, told: VersionFacts, read: ReadVersion, log: Log, steps: StepNumbers) -> None:
    name, view = answers_name(sitting.version.id), sitting.view
    seen = tuple(read.counts)
    log.expect(steps.counts, f"stored counts of {name}", seen, (view.answered, view.silent, view.decoys))
    log.expect(steps.counts, f"attested counts of {name}", seen, unpack_counts(read.root.sums[0]))
    log.expect(
        steps.counts, f"counts of {name} in the manifest", seen, (told.answered, told.silent, told.decoys), f"{MANIFEST}:1"
    )
