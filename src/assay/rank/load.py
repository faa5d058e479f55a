"""From chain facts and a bundle to what the ranking needs. Statistics are measured anew; claimed sums are not looked at."""

from collections.abc import Mapping

from assay.audit.facts import ChainFacts, Sitting
from assay.errors import BadInput
from assay.metrics import Metric, by_signature
from assay.rank.table import RoundResult, VersionResult
from assay.storage.bundle import Bundle, ItemLine
from assay.types import Kind, Outcome


def round_result(facts: ChainFacts, bundle: Bundle, gas: Mapping[str, int]) -> RoundResult:
    """Result of a round whose bundle has been verified. BadInput where the bundle belongs to another round or cannot be read.

    An item without a group is a group of its own.
    """
    if bundle.manifest.facts.round != facts.round.id:
        raise BadInput("the bundle belongs to another round", "Name the bundle of this round.", where=str(bundle.folder))
    metric = by_signature(facts.metric.signature)
    items = [item for item in bundle.items() if item.kind is Kind.SCORED]
    return RoundResult(
        round=facts.round.id,
        benchmarker=facts.round.benchmarker,
        phase=facts.phase,
        metric=metric,
        groups=[item.group or f"position {item.position}" for item in items],
        versions=[_version_result(bundle, metric, items, sitting) for sitting in facts.sittings],
        gas=gas,
    )


def _version_result(bundle: Bundle, metric: Metric, items: list[ItemLine], sitting: Sitting) -> VersionResult:
    version = sitting.version.id
    answers = [line for line in bundle.answers(version) if line.outcome is not Outcome.DECOY]
    if len(answers) != len(items):
        raise BadInput("scored items and answers differ in number", "Verify the bundle first.", where=version.hex())
    return VersionResult(
        version=version,
        standing=sitting.view.standing,
        score=sitting.view.score,
        answered=sitting.view.answered,
        silent=sitting.view.silent,
        outcomes=[line.outcome for line in answers],
        statistics=[
            metric.measure((line.response or b"") if line.outcome is Outcome.ANSWERED else b"", item.reference)
            for item, line in zip(items, answers, strict=True)
        ],
    )
