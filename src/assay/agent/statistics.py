"""Statistics of items by the reference software itself: sacreBLEU for BLEU, comparison of bytes for exact match.

What is attested is computed twice, here by sacreBLEU and in `assay.metrics` by the mirror of the contract; `assay.agent.trees`
refuses to go on where they differ.
"""

from collections.abc import Sequence
from functools import lru_cache

from sacrebleu.metrics.bleu import BLEU

from assay.errors import Refused
from assay.types import Sums

BLEU_SIGNATURE = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
EXACT_SIGNATURE = "EM|case:mixed|norm:no"
LANE_BITS = 28
ORDERS = 4


def statistics(signature: str, pairs: Sequence[tuple[bytes, bytes]]) -> list[Sums]:
    """The metric's words for each pair of response and reference, without the word of counts.

    Refused for a signature that the reference software does not cover.
    """
    if signature == BLEU_SIGNATURE:
        return [(_pack_bleu(row),) for row in _bleu_rows(pairs)]
    if signature == EXACT_SIGNATURE:
        return [(_pack((int(response == reference), 1)),) for response, reference in pairs]
    raise Refused(f"no reference software for the metric {signature!r}", "seal under a task with a metric that this agent ships")


def _bleu_rows(pairs: Sequence[tuple[bytes, bytes]]) -> list[list[int]]:
    """sacreBLEU's rows: lengths of hypothesis and reference, then 4 matches, then 4 totals.

    Invalid UTF-8 is kept by surrogateescape.
    """
    if not pairs:
        return []
    hypotheses = [_decode(response) for response, _ in pairs]
    rows: list[list[int]] = _bleu()._extract_corpus_statistics(hypotheses, [[_decode(reference) for _, reference in pairs]])
    return rows


@lru_cache(maxsize=1)
def _bleu() -> BLEU:
    return BLEU(tokenize="13a", smooth_method="exp", effective_order=False, lowercase=False, force=True)


def _pack_bleu(row: Sequence[int]) -> int:
    """Nine lanes: matches of orders 1 to 4, totals of orders 1 to 4, length of the reference."""
    matches, totals = row[2 : 2 + ORDERS], row[2 + ORDERS : 2 + 2 * ORDERS]
    return _pack((*matches, *totals, row[1]))


def _pack(lanes: Sequence[int]) -> int:
    return sum(value << (LANE_BITS * lane) for lane, value in enumerate(lanes))


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
