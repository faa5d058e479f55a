"""Statistics of items by the reference software itself: sacreBLEU for BLEU and chrF, comparison of bytes for exact match.

What is attested is computed twice, here by sacreBLEU and in `assay.metrics` by the mirror of the contract. `assay.agent.trees`
refuses to go on where they differ.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from assay.errors import Refused
from assay.types import Sums

BLEU_SIGNATURE = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
CHRF_SIGNATURE = "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no"
EXACT_SIGNATURE = "EM|case:mixed|norm:no"
LANE_BITS = 28
LANES = 9

Pairs = Sequence[tuple[bytes, bytes]]


def statistics(signature: str, pairs: Pairs) -> list[Sums]:
    """The metric's words for each pair of response and reference, without the word of counts.

    Refused for a signature that the reference software does not cover.
    """
    demand_covered(signature)
    return _MEASURES[signature](pairs) if pairs else []


def demand_covered(signature: str) -> None:
    """Refused unless `statistics` can measure by this metric."""
    if signature not in _MEASURES:
        raise Refused(
            f"no reference software for the metric {signature!r}",
            f"choose a task with a metric that this release measures: {', '.join(_MEASURES)}",
        )


def _bleu_words(pairs: Pairs) -> list[Sums]:
    """One word of nine lanes: matches of orders 1 to 4, totals of orders 1 to 4, length of the reference.

    sacreBLEU's rows are the lengths of hypothesis and reference, then 4 matches, then 4 totals.
    """
    return [(_pack((*row[2:], row[1])),) for row in _rows(_bleu(), pairs)]


def _chrf_words(pairs: Pairs) -> list[Sums]:
    """Two words of nine lanes: by order n-grams of the response, of the reference, and common ones. sacreBLEU's very rows."""
    return [(_pack(row[:LANES]), _pack(row[LANES:])) for row in _rows(_chrf(), pairs)]


def _exact_words(pairs: Pairs) -> list[Sums]:
    """One word of two lanes: matches, items."""
    return [(_pack((int(response == reference), 1)),) for response, reference in pairs]


def _rows(metric: BLEU | CHRF, pairs: Pairs) -> list[list[int]]:
    """sacreBLEU's statistics of items, by the method that its own significance tests use. Invalid UTF-8 by surrogateescape."""
    hypotheses = [_decode(response) for response, _ in pairs]
    rows: list[list[int]] = metric._extract_corpus_statistics(hypotheses, [[_decode(reference) for _, reference in pairs]])
    return rows


@lru_cache(maxsize=1)
def _bleu() -> BLEU:
    return BLEU(tokenize="13a", smooth_method="exp", effective_order=False, lowercase=False, force=True)


@lru_cache(maxsize=1)
def _chrf() -> CHRF:
    return CHRF(char_order=6, word_order=0, beta=2, lowercase=False, whitespace=False, eps_smoothing=False)


_MEASURES: Mapping[str, Callable[[Pairs], list[Sums]]] = {
    BLEU_SIGNATURE: _bleu_words,
    CHRF_SIGNATURE: _chrf_words,
    EXACT_SIGNATURE: _exact_words,
}


def _pack(lanes: Sequence[int]) -> int:
    return sum(value << (LANE_BITS * lane) for lane, value in enumerate(lanes))


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
