"""A deployment on a chain: the node, and a wrapper for each contract."""

from typing import Self

from assay.chain import artifacts, deployments
from assay.chain.contracts import Disputes, Judge, MetricContract, Models, Rounds, Tasks, Vault
from assay.chain.deployments import CONTRACTS, Deployment
from assay.chain.node import TIMEOUT, At, Node
from assay.encoding.receipts import Domain
from assay.errors import WrongChain
from assay.types import Address, Block


class Chain:
    """One deployment behind one node. Reads take `at`: a block number or a tag."""

    def __init__(self, node: Node, deployment: Deployment) -> None:
        """Without any check; `connect` is the usual way."""
        self.node = node
        self.deployment = deployment
        self.domain = Domain(deployment.chain_id, deployment.rounds)
        self.tasks = Tasks(node, deployment.tasks)
        self.models = Models(node, deployment.models)
        self.vault = Vault(node, deployment.vault)
        self.rounds = Rounds(node, deployment.rounds)
        self.judge = Judge(node, deployment.judge)
        self.disputes = Disputes(node, deployment.disputes)

    @classmethod
    def connect(cls, rpc: str, deployment: Deployment | None = None, timeout: float = TIMEOUT) -> Self:
        """Connect and check that this is the chain and that our code stands at each address.

        Without a deployment the packaged one of the node's chain is taken. Unreachable, WrongChain, BadInput.
        """
        node = Node(rpc, timeout)
        try:
            return cls(node, _checked(node, deployment))
        except BaseException:
            node.close()
            raise

    def metric(self, address: Address) -> MetricContract:
        """The metric at an address."""
        return MetricContract(self.node, address)

    def head(self) -> Block:
        """The newest block."""
        return self.node.head()

    def finalized(self) -> Block:
        """The newest block that cannot be reorganised away."""
        return self.node.finalized()

    def block(self, at: At) -> Block:
        """A block by number or tag. NotYet where there is none yet."""
        return self.node.block(at)

    def close(self) -> None:
        """Close the connections."""
        self.node.close()


def _checked(node: Node, deployment: Deployment | None) -> Deployment:
    chain_id = node.chain_id()
    deployment = deployment or deployments.packaged(chain_id)
    if chain_id != deployment.chain_id:
        raise WrongChain(f"{node.name} serves chain {chain_id}, not {deployment.chain_id}", "check --rpc and --deployment")
    for field, name in zip(CONTRACTS, artifacts.CORE, strict=True):
        check_code(node, name, getattr(deployment, field))
    return deployment


def check_code(node: Node, name: str, address: Address) -> None:
    """WrongChain unless the shipped contract of this name stands at the address."""
    code = node.code(address)
    if not code:
        raise WrongChain(
            f"{node.name} has no {name} at {address}", "check --rpc and --deployment; for a chain of your own: assay devnet"
        )
    if not artifacts.load(name).matches(code):
        raise WrongChain(
            f"the code at {address} is not the {name} of this release", "check --deployment, or use the release it was made by"
        )
