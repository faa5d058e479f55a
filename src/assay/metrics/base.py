"""What every metric is to the rest of Assay: integer statistics of one item, and a corpus score computed from their sums."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Protocol

from assay.errors import BadInput

LANE_BITS: Final = 28
LANE: Final = (1 << LANE_BITS) - 1
PERFECT: Final = 10**18


class UnknownMetric(BadInput):
    """No metric of this package has the signature."""


class Metric(Protocol):
    """The mirror of the contract interface `IMetric`. Both methods are total."""

    @property
    def signature(self) -> str:
        """The metric in sacreBLEU's notation, without the version of its software."""

    @property
    def words(self) -> int:
        """Words of item statistics, W."""

    @property
    def max_bytes(self) -> int:
        """Largest text in bytes that a task may allow."""

    def measure(self, response: bytes, reference: bytes, evidence: bytes = b"") -> tuple[int, ...]:
        """The W words of one item, packed as the contract packs them."""

    def score(self, totals: Sequence[int]) -> int:
        """The corpus score of summed words; 10**18 is perfect. The same integer as the contract's, bit for bit."""

    def display(self, score: int) -> str:
        """The score as people write it."""


def lane(word: int, index: int) -> int:
    """Lane `index` of a word, the lowest being 0."""
    return word >> index * LANE_BITS & LANE


def pack(lanes: Sequence[int]) -> int:
    """One word of lanes, the first one lowest."""
    return sum(value << index * LANE_BITS for index, value in enumerate(lanes))


def percent(score: int) -> str:
    """A score on the scale of 0 to 100 with two decimals, as sacreBLEU prints it."""
    return str(Decimal(score).scaleb(-16).quantize(Decimal("0.01"), ROUND_HALF_EVEN))
