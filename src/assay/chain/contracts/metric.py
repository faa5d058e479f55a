"""A metric contract, whichever it is: they all speak the same interface."""

from collections.abc import Sequence

from assay.chain.contracts.base import Contract
from assay.chain.node import At
from assay.types import Sums


class MetricContract(Contract):
    """A metric."""

    artifact = "Bleu"

    def signature(self, *, at: At = "latest") -> str:
        """Its signature string."""
        (signature,) = self._read("signature", at=at)
        return str(signature)

    def words(self, *, at: At = "latest") -> int:
        """Words of item statistics."""
        (words,) = self._read("words", at=at)
        return int(words)

    def max_bytes(self, *, at: At = "latest") -> int:
        """Largest text in bytes."""
        (most,) = self._read("maxBytes", at=at)
        return int(most)

    def measure(self, response: bytes, reference: bytes, evidence: bytes = b"", seed: int = 0, *, at: At = "latest") -> Sums:
        """Statistics of one item."""
        (words,) = self._read("measure", response, reference, evidence, seed, at=at)
        return tuple(words)

    def score(self, totals: Sequence[int], *, at: At = "latest") -> int:
        """Corpus score of summed statistics; 1e18 is perfect."""
        (score,) = self._read("score", totals, at=at)
        return int(score)
