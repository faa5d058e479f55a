"""Rounds: the facts of every round, its phases and scores."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from assay.chain.contracts.base import Call, Contract
from assay.chain.node import At
from assay.encoding.hashing import keccak
from assay.errors import Reverted
from assay.types import (
    Address,
    Attestation,
    Closing,
    Deadlines,
    Fault,
    Opening,
    Phase,
    PostedAnswer,
    Round,
    RoundId,
    ScoreView,
    Standing,
    TaskId,
    VersionId,
)


def measurement_tuple(opening: Opening) -> tuple[Any, ...]:
    """What the statistics of an opening follow from, as the ABI's tuple: the rest as hashes, the sum path as plain words."""
    sum_path = [word for node in opening.sum_path for word in (int.from_bytes(node.hash, "big"), *node.sums)]
    return (
        opening.position,
        int(opening.kind),
        int(opening.outcome),
        opening.seed,
        keccak(opening.prompt),
        opening.salt,
        keccak(opening.answer_signature),
        opening.reference,
        opening.response,
        opening.evidence,
        list(opening.set_path),
        list(opening.sums),
        sum_path,
    )


class Rounds(Contract):
    """The rounds."""

    artifact = "Rounds"

    def round(self, round_: RoundId, *, at: At = "latest") -> Round | None:
        """Facts of a round, None for an unknown one."""
        ((root, task, benchmarker, operator, items, sealed, revealed, enrolled, attested, fault, bundle),) = self._read(
            "roundOf", round_, at=at
        )
        if not sealed:
            return None
        return Round(
            id=round_,
            set_root=root,
            task=TaskId(task),
            benchmarker=benchmarker,
            operator=operator,
            items=items,
            sealed_at=sealed,
            revealed_at=revealed,
            enrolled=enrolled,
            attested=attested,
            fault=Fault(fault),
            bundle_digest=bundle,
        )

    def deadlines(self, round_: RoundId, *, at: At = "latest") -> Deadlines | None:
        """Deadlines of a round, None for an unknown one."""
        try:
            (values,) = self._read("deadlinesOf", round_, at=at)
        except Reverted as error:
            if error.error.startswith("UnknownRound("):
                return None
            raise
        return Deadlines(*values)

    def phase(self, round_: RoundId, *, at: At = "latest") -> Phase:
        """Where a round stands; UNKNOWN where there is none."""
        (phase,) = self._read("phaseOf", round_, at=at)
        return Phase(phase)

    def closing(self, round_: RoundId, *, at: At = "latest") -> Closing:
        """When the challenge window closes and the last deadline of its demands; zeros before the reveal. Reverted if unknown."""
        return Closing(*self._read("closingOf", round_, at=at))

    def score(self, round_: RoundId, version: VersionId, *, at: At = "latest") -> ScoreView:
        """A version's score with phase, standing and counts."""
        ((phase, standing, score, answered, silent, decoys),) = self._read("scoreOf", round_, version, at=at)
        return ScoreView(Phase(phase), Standing(standing), score, answered, silent, decoys)

    def commitment(self, round_: RoundId, version: VersionId, *, at: At = "latest") -> bytes:
        """Commitment to the attested root; 32 zero bytes before it is attested."""
        (commitment,) = self._read("commitmentOf", round_, version, at=at)
        return bytes(commitment)

    def posted(self, round_: RoundId, version: VersionId, position: int, *, at: At = "latest") -> bytes | None:
        """Hash of the response that was posted first at a position, None where none was."""
        posted, response_hash = self._read("postedOf", round_, version, position, at=at)
        return bytes(response_hash) if posted else None

    def domain_separator(self, *, at: At = "latest") -> bytes:
        """EIP-712 domain separator of the live chain."""
        (separator,) = self._read("domainSeparator", at=at)
        return bytes(separator)

    def seal(self, benchmarker: Address, task: TaskId, set_root: bytes, items: int, card_digest: bytes) -> Call:
        """Seal a set; the sender becomes the round's operator for ever."""
        return self._call("seal", benchmarker, task, set_root, items, card_digest, what="seal the set")

    def enrol(self, round_: RoundId, versions: Sequence[VersionId], signatures: Sequence[bytes]) -> Call:
        """Enrol versions with their providers' signatures; one that cannot be enrolled is skipped with an event."""
        return self._call("enrol", round_, versions, signatures, what="enrol")

    def post_answer(self, round_: RoundId, answer: PostedAnswer) -> Call:
        """Post an answer with its Ask and full text."""
        return self._call("postAnswer", round_, astuple(answer), what="post the answer")

    def attest(self, round_: RoundId, attestations: Sequence[Attestation]) -> Call:
        """Attest score trees of enrolled versions."""
        roots = [(found.version, found.root.hash, found.root.sums) for found in attestations]
        return self._call("attest", round_, roots, what="attest")

    def reveal(self, round_: RoundId, bundle_digest: bytes) -> Call:
        """Publish the bundle's digest."""
        return self._call("reveal", round_, bundle_digest, what="reveal")

    def challenge_statistics(self, round_: RoundId, version: VersionId, opening: Opening) -> Call:
        """Bring an item whose count or statistics are wrong; slashes the round. Not for padding that counts.

        The chain looks at nothing else of the item, so it costs less gas than `Disputes.challenge`.
        """
        return self._call("challengeStatistics", round_, version, measurement_tuple(opening), what="challenge wrong statistics")

    def forfeit(self, round_: RoundId) -> Call:
        """Take the bond of a round that missed a deadline."""
        return self._call("forfeit", round_, what="forfeit the round")

    def release(self, round_: RoundId) -> Call:
        """Free the round bond."""
        return self._call("release", round_, what="release the round bond")

    def release_versions(self, round_: RoundId, versions: Sequence[VersionId]) -> Call:
        """Free version bonds."""
        return self._call("releaseVersions", round_, versions, what="release the version bonds")
