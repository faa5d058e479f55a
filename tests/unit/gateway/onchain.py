"""A benchmarker and a provider with money on a development chain, and rounds between them."""

import secrets
from dataclasses import dataclass, field

from assay.chain.client import Chain
from assay.chain.devnet import Devnet, fund
from assay.chain.door import Door
from assay.encoding.ids import round_id, task_id
from assay.encoding.receipts import LocalSigner
from assay.types import RoundId, TaskParams, VersionId

ETHER = 10**18


def rich(chain: Chain) -> LocalSigner:
    """A new key with money."""
    signer = LocalSigner(secrets.token_bytes(32))
    fund(chain.node, signer.address, 10 * ETHER)
    return signer


def mine(chain: Chain, blocks: int = 1, seconds: int = 0) -> None:
    """Let time pass, then blocks."""
    if seconds:
        chain.node.request("evm_increaseTime", [seconds])
    chain.node.request("anvil_mine", [hex(blocks)])


def parameters(devnet: Devnet, **changes: object) -> TaskParams:
    values: dict[str, object] = {
        "description_digest": secrets.token_bytes(32),
        "metric": devnet.deployment.metrics["ExactMatch"],
        "metric_words": 1,
        "max_items": 2000,
        "max_bytes": 1000,
        "max_silence_bps": 100,
        "answer_window": 1000,
        "post_window": 100,
        "attest_window": 1000,
        "reveal_window": 1000,
        "challenge_window": 1000,
        "demand_window": 10,
        "round_bond": ETHER // 10,
        "version_bond": ETHER // 100,
        "demand_fee": ETHER // 1000,
    }
    return TaskParams(**(values | changes))  # type: ignore[arg-type]


@dataclass
class Examiner:
    """Owner and operator of rounds."""

    devnet: Devnet
    chain: Chain
    owner: LocalSigner = field(init=False)
    operator: LocalSigner = field(init=False)

    def __post_init__(self) -> None:
        self.owner, self.operator = rich(self.chain), rich(self.chain)
        self.door = Door(self.chain, self.operator)
        vault = self.chain.vault
        Door(self.chain, self.owner).send(vault.deposit(self.owner.address, 5 * ETHER))
        Door(self.chain, self.owner).send(vault.allow(self.operator.address, 5 * ETHER))

    def seal(self, params: TaskParams, items: int) -> RoundId:
        """A new round over a set that nobody will ever open."""
        chain, root = self.chain, secrets.token_bytes(32)
        if chain.tasks.params(task_id(params)) is None:
            self.door.send(chain.tasks.register(params))
        self.door.send(chain.rounds.seal(self.owner.address, task_id(params), root, items, bytes(32)))
        domain = chain.domain
        return round_id(domain.chain_id, domain.rounds, self.owner.address, task_id(params), root, items, self.operator.address)

    def enrol(self, round_: RoundId, version: VersionId, signature: bytes) -> None:
        self.door.send(self.chain.rounds.enrol(round_, [version], [signature]))


@dataclass
class Provider:
    """Owner and operator of models."""

    chain: Chain
    owner: LocalSigner = field(init=False)
    operator: LocalSigner = field(init=False)

    def __post_init__(self) -> None:
        self.owner, self.operator = rich(self.chain), rich(self.chain)
        self.door = Door(self.chain, self.operator)
        vault = self.chain.vault
        Door(self.chain, self.owner).send(vault.deposit(self.owner.address, ETHER))
        Door(self.chain, self.owner).send(vault.allow(self.operator.address, ETHER))
