"""A small world on the development chain for tests: funded keys, tasks, rounds in every phase."""

from dataclasses import dataclass

from assay.chain.client import Chain
from assay.chain.devnet import ETHER, fund
from assay.chain.door import Door
from assay.encoding import ids
from assay.encoding.hashing import keccak
from assay.encoding.receipts import LocalSigner
from assay.types import RoundId, TaskId, TaskParams, VersionId

BOND, VERSION_BOND = ETHER, ETHER // 10


def signer(name: str) -> LocalSigner:
    return LocalSigner(keccak(name.encode()))


def door(chain: Chain, name: str) -> Door:
    """A door of a funded key."""
    key = signer(name)
    fund(chain.node, key.address, 100 * ETHER)
    return Door(chain, key)


def move_to(chain: Chain, timestamp: int) -> None:
    """Mine a block at this time."""
    chain.node.request("evm_setNextBlockTimestamp", [timestamp])
    chain.node.request("evm_mine")


def task_params(chain: Chain, name: str) -> TaskParams:
    return TaskParams(
        description_digest=keccak(name.encode()),
        metric=chain.deployment.metrics["Bleu"],
        metric_words=1,
        max_items=100,
        max_bytes=500,
        max_silence_bps=100,
        answer_window=1_000,
        post_window=100,
        attest_window=1_000,
        reveal_window=1_000,
        challenge_window=1_000,
        demand_window=10,
        round_bond=BOND,
        version_bond=VERSION_BOND,
        demand_fee=10**15,
    )


@dataclass(frozen=True)
class World:
    """A task, a benchmarker with its operator, a provider with one version. Names are unique, so that tests share a chain."""

    chain: Chain
    name: str
    task: TaskId
    version: VersionId

    @property
    def benchmarker(self) -> Door:
        return door(self.chain, f"{self.name} benchmarker")

    @property
    def operator(self) -> Door:
        return door(self.chain, f"{self.name} operator")

    @property
    def gateway(self) -> LocalSigner:
        return signer(f"{self.name} gateway")

    def seal(self, root: bytes, items: int = 3) -> RoundId:
        owner, operator = signer(f"{self.name} benchmarker").address, self.operator
        operator.send(self.chain.rounds.seal(owner, self.task, root, items, keccak(b"card")))
        return ids.round_id(
            self.chain.deployment.chain_id, self.chain.deployment.rounds, owner, self.task, root, items, str(operator.address)
        )

    def enrol(self, round_: RoundId, *versions: VersionId) -> None:
        signature = self.gateway.sign(self.chain.domain.enrol(round_, self.version))
        wanted = versions or (self.version,)
        self.operator.send(self.chain.rounds.enrol(round_, wanted, [signature] * len(wanted)))


def build(chain: Chain, name: str) -> World:
    """Register the task, deposit, allow, commit the version."""
    params = task_params(chain, name)
    benchmarker, provider = door(chain, f"{name} benchmarker"), door(chain, f"{name} provider")
    operator, gateway = signer(f"{name} operator"), signer(f"{name} gateway")
    owner = signer(f"{name} provider").address
    benchmarker.send(chain.tasks.register(params))
    benchmarker.send(chain.vault.deposit(signer(f"{name} benchmarker").address, 10 * ETHER))
    benchmarker.send(chain.vault.allow(operator.address, 10 * ETHER))
    provider.send(chain.vault.deposit(owner, ETHER))
    provider.send(chain.vault.allow(gateway.address, ETHER))
    provider.send(chain.models.register_model(owner, keccak(b"name")))
    model = ids.model_id(owner, keccak(b"name"))
    provider.send(chain.models.commit_version(model, keccak(b"weights"), gateway.address))
    move_to(chain, chain.head().timestamp + 1)  # a version is committed strictly before a seal
    return World(chain, name, ids.task_id(params), ids.version_id(model, 1, keccak(b"weights"), gateway.address))
