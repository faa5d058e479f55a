"""Disputes: proofs become faults."""

from assay.chain.contracts.base import Call, Contract
from assay.chain.contracts.judge import opening_tuple
from assay.types import Opening, RoundId, VersionId


class Disputes(Contract):
    """The disputes."""

    artifact = "Disputes"

    def challenge(self, round_: RoundId, version: VersionId, opening: Opening) -> Call:
        """Bring an opened item whose verdict is a fault; slashes the round."""
        return self._call("challenge", round_, version, opening_tuple(opening), what="challenge")
