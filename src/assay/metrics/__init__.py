"""The metrics that this package ships, each the mirror of a contract in `contracts/metrics`, found by signature."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from assay.metrics.base import Metric, UnknownMetric
from assay.metrics.bleu import Bleu, BleuStatistics, unpack_bleu
from assay.metrics.chrf import Chrf, unpack_chrf
from assay.metrics.exact_match import ExactMatch

__all__ = [
    "METRICS",
    "Bleu",
    "BleuStatistics",
    "Chrf",
    "ExactMatch",
    "Metric",
    "UnknownMetric",
    "by_signature",
    "unpack_bleu",
    "unpack_chrf",
]

_ALL: Final[tuple[Metric, ...]] = (Bleu(), Chrf(), ExactMatch())
METRICS: Final[Mapping[str, Metric]] = MappingProxyType({metric.signature: metric for metric in _ALL})


def by_signature(signature: str) -> Metric:
    """The metric of a task. Raises `UnknownMetric` rather than score with another one."""
    try:
        return METRICS[signature]
    except KeyError:
        raise UnknownMetric(
            f"no metric has the signature {signature!r}",
            f"use a version of Assay that ships it; this one has {', '.join(METRICS)}",
        ) from None
