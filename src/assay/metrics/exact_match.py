"""Exact match: the share of items whose response is the reference, byte for byte."""

from collections.abc import Sequence

from assay.metrics.base import LANE_BITS, PERFECT, lane, pack, percent


class ExactMatch:
    """The mirror of `ExactMatch.sol`."""

    signature = "EM|case:mixed|norm:no"
    words = 1
    max_bytes = 16_384

    def measure(self, response: bytes, reference: bytes, evidence: bytes = b"") -> tuple[int, ...]:
        """One word of two lanes: matches, items."""
        return (pack([int(response == reference), 1]),)

    def score(self, totals: Sequence[int]) -> int:
        """Matches per item; 0 without items, and for totals that no corpus has."""
        if len(totals) != 1 or totals[0] >> (2 * LANE_BITS) or totals[0] < 0:
            return 0
        matches, items = lane(totals[0], 0), lane(totals[0], 1)
        return 0 if items == 0 or matches > items else matches * PERFECT // items

    def display(self, score: int) -> str:
        """Percent."""
        return percent(score)
