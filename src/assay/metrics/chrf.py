"""chrF2: corpus chrF of Popović 2015 with sacreBLEU's conventions, in integers.

Signature `chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no`. Whitespace is left out. With m matches among the h n-grams of
the responses and the r n-grams of the references of an order, and P and R the means of m/h and m/r over the orders of which both
sides have any:

    chrF2 = 5 P R / (4 P + R)

`score` computes it in the fixed point of the contract, step for step, and returns the same integer.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from assay.metrics.base import LANE_BITS, PERFECT, lane, pack, percent

ORDERS: Final = 6
LANES: Final = 9
_POINT: Final = 120  # bits behind the point of a precision and a recall

# The 29 code points at which Python's `str.split()` splits.
_SPACE: Final = re.compile(r"[\x09-\x0d\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")

_Ngrams = Counter[str]


class Order(NamedTuple):
    """The three lanes of an order: n-grams of the response and of the reference, and how many they have in common."""

    response: int
    reference: int
    matches: int


def unpack_chrf(words: Sequence[int]) -> tuple[Order, ...]:
    """The lanes of two words of statistics, by order; anything above a ninth lane is left out."""
    lanes = [lane(word, index) for word in words for index in range(LANES)]
    return tuple(Order(*lanes[at : at + 3]) for at in range(0, len(lanes), 3))


class Chrf:
    """The mirror of `Chrf.sol`."""

    signature = "chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no"
    words = 2
    max_bytes = 3072

    def measure(self, response: bytes, reference: bytes, evidence: bytes = b"") -> tuple[int, ...]:
        """Two words of nine lanes, orders 1 to 3 and 4 to 6; see `unpack_chrf`.

        The n-grams of a response count only where the reference has any of that order, as in sacreBLEU.
        """
        text = characters(response)
        lanes: list[int] = []
        for order, target in enumerate(_reference(reference), start=1):
            found = _ngrams(text, order) if target else _Ngrams()
            lanes += found.total(), target.total(), _overlap(found, target)
        return pack(lanes[:LANES]), pack(lanes[LANES:])

    def score(self, totals: Sequence[int]) -> int:
        """chrF2 times 10**16; 0 where it is undefined, and for totals that no corpus has."""
        if len(totals) != self.words or any(word < 0 or word >> LANES * LANE_BITS for word in totals):
            return 0
        orders = unpack_chrf(totals)
        if any(order.matches > min(order.response, order.reference) for order in orders):
            return 0
        effective = [order for order in orders if order.response and order.reference]
        precision = sum((order.matches << _POINT) // order.response for order in effective)
        recall = sum((order.matches << _POINT) // order.reference for order in effective)
        if not precision:
            return 0
        return 5 * precision * recall // (4 * precision + recall) * PERFECT // len(effective) >> _POINT

    def display(self, score: int) -> str:
        """chrF2 on the scale of 0 to 100."""
        return percent(score)


def characters(text: bytes) -> str:
    """The characters of `text` that are not whitespace; bytes that are not UTF-8 become lone surrogates, each a character."""
    return _SPACE.sub("", text.decode("utf-8", "surrogateescape"))


@lru_cache(maxsize=4096)
def _reference(text: bytes) -> tuple[_Ngrams, ...]:
    """The n-grams of a reference by order; many responses are compared with the same one."""
    line = characters(text)
    return tuple(_ngrams(line, order) for order in range(1, ORDERS + 1))


def _ngrams(line: str, order: int) -> _Ngrams:
    """The n-grams of one order with their frequencies."""
    return Counter(line[at : at + order] for at in range(len(line) - order + 1))


def _overlap(left: _Ngrams, right: _Ngrams) -> int:
    """How many n-grams both have, each as often as in the one that has fewer of it."""
    return sum(min(left[ngram], right[ngram]) for ngram in left.keys() & right.keys())
