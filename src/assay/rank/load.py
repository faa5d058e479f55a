"""From chain facts and a bundle to what the ranking needs. Statistics are measured anew; claimed sums are not looked at."""

from collections.abc import Mapping

from assay.audit.facts import ChainFacts, Sitting
from assay.errors import BadInput
from assay.metrics import METRICS, Metric, by_signature
from assay.rank.table import RoundResult, VersionResult
from assay.storage.bundle import Bundle, ItemLine
from assay.types import Kind, Outcome, Sums


def round_result(facts: ChainFacts, bundle: Bundle, gas: Mapping[str, int]) -> RoundResult:
    """Result of a round whose bundle has been verified. BadInput where the bundle belongs to another round or cannot be read.

    An item without a group is a group of its own. The metric beside the round's is computed here and attested by nobody.
    """
    if bundle.manifest.facts.round != facts.round.id:
        raise BadInput("the bundle belongs to another round", "Name the bundle of this round.", where=str(bundle.folder))
    metric, other = by_signature(facts.metric.signature), other_metric(facts.metric.signature)
    items = [item for item in bundle.items() if item.kind is Kind.SCORED]
    return RoundResult(
        round=facts.round.id,
        benchmarker=facts.round.benchmarker,
        phase=facts.phase,
        metric=metric,
        groups=[item.group or f"position {item.position}" for item in items],
        versions=[_version_result(bundle, (metric, other), items, sitting) for sitting in facts.sittings],
        gas=gas,
        other=other,
    )


def other_metric(signature: str) -> Metric | None:
    """The metric shown beside a round's own: chrF beside BLEU, BLEU beside chrF, none beside others."""
    names = {signature.partition("|")[0] for signature in METRICS}
    wanted = {"BLEU": "chrF2", "chrF2": "BLEU"}.get(signature.partition("|")[0])
    if wanted not in names:
        return None
    return next(metric for known, metric in METRICS.items() if known.partition("|")[0] == wanted)


def _version_result(
    bundle: Bundle, metrics: tuple[Metric, Metric | None], items: list[ItemLine], sitting: Sitting
) -> VersionResult:
    version = sitting.version.id
    answers = [line for line in bundle.answers(version) if line.outcome is not Outcome.DECOY]
    if len(answers) != len(items):
        raise BadInput("scored items and answers differ in number", "Verify the bundle first.", where=version.hex())
    texts = [(line.response or b"") if line.outcome is Outcome.ANSWERED else b"" for line in answers]
    statistics, other = (_measured(metric, texts, items) for metric in metrics)
    return VersionResult(
        version=version,
        standing=sitting.view.standing,
        score=sitting.view.score,
        answered=sitting.view.answered,
        silent=sitting.view.silent,
        outcomes=[line.outcome for line in answers],
        statistics=statistics,
        other=metrics[1].score([sum(column) for column in zip(*other, strict=True)]) if metrics[1] and other else 0,
    )


def _measured(metric: Metric | None, texts: list[bytes], items: list[ItemLine]) -> list[Sums]:
    if metric is None:
        return []
    return [metric.measure(text, item.reference) for text, item in zip(texts, items, strict=True)]
