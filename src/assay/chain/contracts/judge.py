"""Judge: one function with three uses."""

from typing import Any

from assay.chain.contracts.base import Contract
from assay.chain.node import At
from assay.types import Opening, RoundId, Verdict, VersionId


def opening_tuple(opening: Opening) -> tuple[Any, ...]:
    """An opening as the ABI's tuple, in the order of the contract's struct."""
    return (
        opening.position,
        int(opening.kind),
        opening.prompt,
        opening.reference,
        opening.salt,
        list(opening.set_path),
        int(opening.outcome),
        opening.response,
        opening.answer_signature,
        opening.evidence,
        list(opening.sums),
        [(node.hash, list(node.sums)) for node in opening.sum_path],
        opening.seed,
    )


class Judge(Contract):
    """The judge."""

    artifact = "Judge"

    def judge(self, round_: RoundId, version: VersionId, opening: Opening, *, at: At = "latest") -> Verdict:
        """What the chain says of an opened item. Reverted for positions beyond the set and paths of the wrong length."""
        (verdict,) = self._read("judge", round_, version, opening_tuple(opening), at=at)
        return Verdict(verdict)
