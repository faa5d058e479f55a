"""BLEU: corpus BLEU of Papineni et al. 2002 with sacreBLEU's conventions, in integers.

Signature `BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp`. With c matches among t n-grams of an order,
a response of h tokens and a reference of r:

    BLEU = min(1, exp(1 - r/h)) * (p1 p2 p3 p4)^(1/4),  p = c/t, or 1/(2^k t) for the k-th order with c = 0 (Chen and Cherry 2014)

`score` computes it in the fixed point of the contract, step for step, and returns the same integer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import isqrt
from typing import Final, NamedTuple

from assay.metrics.base import LANE_BITS, PERFECT, lane, pack, percent
from assay.metrics.tokenizer13a import tokenize

ORDERS: Final = 4
LANES: Final = 2 * ORDERS + 1
_ONE: Final = 1 << 128
_LN2: Final = 0xB17217F7D1CF79ABC9E3B39803F2F6AF  # the natural logarithm of 2 times 2^128, rounded down
_TERMS: Final = 28

_Ngrams = tuple[str, ...]


class BleuStatistics(NamedTuple):
    """The nine lanes: matches and n-grams of the response by order, and tokens of the reference."""

    matches: tuple[int, int, int, int]
    totals: tuple[int, int, int, int]
    ref_len: int


class _Reference(NamedTuple):
    length: int
    ngrams: tuple["_Counted", ...]


class _Counted(NamedTuple):
    """The n-grams of one order: the different ones, and their frequencies if any comes more than once."""

    different: frozenset[_Ngrams]
    counts: Counter[_Ngrams] | None


def unpack_bleu(word: int) -> BleuStatistics:
    """The lanes of a word of statistics; anything above the ninth is left out."""
    lanes = [lane(word, index) for index in range(LANES)]
    return BleuStatistics((lanes[0], lanes[1], lanes[2], lanes[3]), (lanes[4], lanes[5], lanes[6], lanes[7]), lanes[8])


class Bleu:
    """The mirror of `Bleu.sol`."""

    signature = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
    words = 1
    max_bytes = 4096

    def measure(self, response: bytes, reference: bytes, evidence: bytes = b"") -> tuple[int, ...]:
        """One word of nine lanes; see `unpack_bleu`."""
        target = _reference(reference)
        tokens = tokenize(response)
        matches = [0] * ORDERS
        for order in range(ORDERS):
            matches[order] = _overlap(tokens, order + 1, target.ngrams[order])
            if not matches[order]:
                break
        totals = [max(len(tokens) - order, 0) for order in range(ORDERS)]
        return (pack([*matches, *totals, target.length]),)

    def score(self, totals: Sequence[int]) -> int:
        """BLEU times 10**16; 0 where it is undefined, and for totals that no corpus has."""
        if len(totals) != 1 or totals[0] >> (LANES * LANE_BITS) or totals[0] < 0:
            return 0
        statistics = unpack_bleu(totals[0])
        matched, counted = _precisions(statistics)
        if not matched:
            return 0
        mean = isqrt(isqrt(((matched << 144) // counted) << 110) << 127)
        penalty = _brevity_penalty(statistics.totals[0], statistics.ref_len)
        return (mean * penalty >> 128) * PERFECT >> 127

    def display(self, score: int) -> str:
        """BLEU on the scale of 0 to 100."""
        return percent(score)


@lru_cache(maxsize=4096)
def _reference(text: bytes) -> _Reference:
    """What is needed of a reference; many responses are compared with the same one."""
    tokens = tokenize(text)
    return _Reference(len(tokens), tuple(_counted(tokens, order) for order in range(1, ORDERS + 1)))


def _ngrams(tokens: list[str], order: int) -> Iterator[_Ngrams]:
    """The n-grams of one order as they come."""
    return zip(*(tokens[start:] for start in range(order)), strict=False)


def _counted(tokens: list[str], order: int) -> _Counted:
    different = frozenset(_ngrams(tokens, order))
    repeats = len(different) < len(tokens) + 1 - order
    return _Counted(different, Counter(_ngrams(tokens, order)) if repeats else None)


def _overlap(tokens: list[str], order: int, target: _Counted) -> int:
    """How many n-grams of one order both have, each as often as in the one that has fewer of it.

    Where one side repeats none, nothing is shared twice, and the number of different ones that both have is enough.
    """
    different = set(_ngrams(tokens, order))
    common = different & target.different
    if target.counts is None or len(different) == len(tokens) + 1 - order:
        return len(common)
    counts = Counter(_ngrams(tokens, order))
    return sum(min(counts[ngram], target.counts[ngram]) for ngram in common)


def _precisions(statistics: BleuStatistics) -> tuple[int, int]:
    """Product of the precisions as a fraction, smoothed; (0, 1) where BLEU is 0 or undefined."""
    matched, counted, unmatched = 1, 1, 0
    for matches, total in zip(statistics.matches, statistics.totals, strict=True):
        if total == 0 or matches > total:
            return 0, 1
        if matches == 0:
            unmatched += 1
        matched *= matches or 1
        counted *= total << unmatched if matches == 0 else total
    return (0, 1) if unmatched == ORDERS else (matched, counted)


def _brevity_penalty(length: int, target: int) -> int:
    """exp(1 - target/length) below the target, otherwise 1; 2^128 is 1. Halvings, then a power series by Horner's scheme."""
    if length >= target:
        return _ONE
    halvings, exponent = divmod((target - length << 128) // length, _LN2)
    power = _ONE
    for n in range(_TERMS, 0, -1):
        power = _ONE - (power * exponent >> 128) // n
    return power >> halvings
