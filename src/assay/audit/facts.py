"""Everything that a verification needs from the chain, as plain data; `collect` is the only function here that reads a node."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from assay.chain import artifacts, index
from assay.chain.client import Chain
from assay.chain.deployments import CONTRACTS
from assay.encoding.hashing import keccak
from assay.encoding.receipts import Domain
from assay.errors import BadInput, Reverted, WrongChain
from assay.types import Address, Block, Closing, Deadlines, Node, Phase, Round, RoundId, ScoreView, TaskParams, Version, VersionId

__all__ = ["ChainFacts", "MetricFacts", "Posted", "Sitting", "collect"]


NOT_REVEALED = Closing(0, 0)
"""The challenge window of a round before its reveal."""


class Posted(NamedTuple):
    """The first answer posted at a position, with the prompt that was asked there."""

    version: VersionId
    position: int
    prompt_hash: bytes
    response_hash: bytes


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """A metric contract.

    `code_hash` is keccak256 of its code, `shipped_as` the name of the contract of this package that has this very code, or "".
    """

    signature: str
    words: int
    max_bytes: int
    code_hash: bytes
    shipped_as: str


@dataclass(frozen=True, slots=True)
class Sitting:
    """One enrolled version in a round.

    `version_commitment` is what its provider committed to, empty where no event tells it. `root` is None until it is
    attested; `root_commitment` is what the chain stores of it, zero until then. `attested_score` is the event's, which a slash
    does not erase.
    """

    version: Version
    version_commitment: bytes
    root: Node | None
    root_commitment: bytes
    attested_score: int
    view: ScoreView


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """One round as the chain tells it at `block`. `contracts` is named as in a manifest; `closing` is zeros before the reveal."""

    chain_id: int
    contracts: Mapping[str, Address]
    block: Block
    round: Round
    phase: Phase
    deadlines: Deadlines
    card_digest: bytes
    task: TaskParams
    metric: MetricFacts
    sittings: tuple[Sitting, ...]
    posted: tuple[Posted, ...] = ()
    closing: Closing = NOT_REVEALED

    @property
    def rounds(self) -> Address:
        """The Rounds contract."""
        return self.contracts["rounds"]

    @property
    def domain(self) -> Domain:
        """Where the round's signatures are valid."""
        return Domain(self.chain_id, self.rounds)

    @property
    def words(self) -> int:
        """Words of a node's sums: one of counts and the metric's."""
        return 1 + self.task.metric_words

    def sitting(self, version: VersionId) -> Sitting | None:
        """What is known of an enrolled version, None for any other."""
        return next((entry for entry in self.sittings if entry.version.id == version), None)

    def posted_at(self, version: VersionId, position: int) -> Posted | None:
        """The answer posted at a position, if there is one."""
        return next((entry for entry in self.posted if (entry.version, entry.position) == (version, position)), None)


def collect(chain: Chain, round_: RoundId, at: int | None = None) -> ChainFacts:
    """Reads one round at one block (the head, if none is named).

    BadInput where the chain knows no such round; Unreachable where the node does not answer.
    """
    block = chain.head() if at is None else chain.block(at)
    facts = chain.rounds.round(round_, at=block.number)
    if facts is None:
        remedy = "Check the id, --rpc and --deployment."
        raise BadInput(f"chain {chain.deployment.chain_id} knows no round 0x{round_.hex()} at block {block.number}", remedy)
    task = chain.tasks.params(facts.task, at=block.number)
    deadlines = chain.rounds.deadlines(round_, at=block.number)
    if task is None or deadlines is None:
        raise WrongChain(f"the round's task 0x{facts.task.hex()} is not registered", "Check --deployment.")
    log = index.round_log(chain, round_, to_block=block.number)
    return ChainFacts(
        chain_id=chain.deployment.chain_id,
        contracts={name: getattr(chain.deployment, name) for name in CONTRACTS},
        block=block,
        round=facts,
        phase=chain.rounds.phase(round_, at=block.number),
        deadlines=deadlines,
        card_digest=log.sealed.card_digest if log.sealed else b"",
        task=task,
        metric=_metric(chain, task.metric, block.number),
        sittings=tuple(_sitting(chain, round_, entry.version, log, block.number) for entry in log.enrolled),
        posted=tuple(Posted(e.version, e.position, e.prompt_hash, keccak(e.response)) for e in log.posted),
        closing=chain.rounds.closing(round_, at=block.number),
    )


def _metric(chain: Chain, address: Address, at: int) -> MetricFacts:
    code, metric = chain.node.code(address, at), chain.metric(address)
    shipped = next((name for name in artifacts.metrics() if artifacts.load(name).matches(code)), "")
    try:
        words, most, signature = metric.words(at=at), metric.max_bytes(at=at), metric.signature(at=at)
    except (Reverted, WrongChain):  # a stranger's contract may answer none of these
        return MetricFacts("", 0, 0, keccak(code), shipped)
    return MetricFacts(signature, words, most, keccak(code), shipped)


def _sitting(chain: Chain, round_: RoundId, id_: VersionId, log: index.RoundLog, at: int) -> Sitting:
    version = chain.models.version(id_, at=at)
    if version is None:
        raise WrongChain(f"the enrolled version 0x{id_.hex()} was never committed", "Check --deployment.")
    committed = index.version_log(chain, id_, to_block=at)
    attested = log.attested.get(id_)
    return Sitting(
        version=version,
        version_commitment=committed.commitment if committed else b"",
        root=attested.root if attested else None,
        root_commitment=chain.rounds.commitment(round_, id_, at=at),
        attested_score=attested.score if attested else 0,
        view=chain.rounds.score(round_, id_, at=at),
    )
