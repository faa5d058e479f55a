"""Deployment without a key that matters: the same code gets the same addresses on every chain, whoever pays for it.

The Deployer comes through the common CREATE2 deployer with salt zero; it carries the hashes of the six contracts' codes and
creates them at addresses that follow from its own. Metrics come through the CREATE2 deployer directly. `assay deploy`,
`scripts/deploy.py`, the devnet and all tests call `deploy`; what already stands is left alone.
"""

import eth_abi

from assay.chain import artifacts
from assay.chain.abi import Interface
from assay.chain.client import check_code
from assay.chain.contracts.base import Call
from assay.chain.deployments import CONTRACTS, Deployment
from assay.chain.door import Door, Site
from assay.chain.logs import logs
from assay.chain.node import Node, RpcError
from assay.chain.transactions import SignedTx
from assay.encoding.hashing import checksum, keccak
from assay.encoding.receipts import Signer
from assay.errors import Refused
from assay.types import Address

FACTORY = checksum(bytes.fromhex("4e59b44847b379578588920ca78fbf26c0b4956c"))
FACTORY_MAKER = checksum(bytes.fromhex("3fab184622dc19b6109349b94811493bf2a45362"))
FACTORY_COST = 10**16
FACTORY_TRANSACTION = bytes.fromhex(  # signed by nobody: its signature is a round number, so its sender has no key
    "f8a58085174876e800830186a08080b853604580600e600039806000f350fe7f"
    + "ff" * 31
    + "e03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf31ba0"
    + "22" * 32
    + "a0"
    + "22" * 32
)
SALT = bytes(32)


def deployer_code() -> bytes:
    """Creation code of the Deployer with the hashes of the six contracts' codes."""
    hashes = [keccak(artifacts.load(name).bytecode) for name in artifacts.CORE]
    return artifacts.load("Deployer").bytecode + eth_abi.encode(["bytes32[6]"], [hashes])


def create2_address(code: bytes) -> Address:
    """Where the CREATE2 deployer puts a creation code with salt zero."""
    return checksum(keccak(b"\xff" + bytes.fromhex(FACTORY[2:]) + SALT + keccak(code))[12:])


def planned(chain_id: int, first_block: int = 0) -> Deployment:
    """The addresses that `deploy` fills, computed from the shipped code alone."""
    deployer = bytes.fromhex(create2_address(deployer_code())[2:])
    addresses = {
        name: checksum(keccak(b"\xd6\x94" + deployer + bytes([nonce]))[12:]) for nonce, name in enumerate(CONTRACTS, start=1)
    }
    metrics = {name: create2_address(artifacts.load(name).bytecode) for name in artifacts.metrics()}
    return Deployment(chain_id=chain_id, first_block=first_block, **addresses, metrics=metrics)


def deploy(node: Node, signer: Signer) -> Deployment:
    """Deploy everything that does not stand yet; the signer pays.

    NoFunds, WrongChain where the chain puts other code there (it lacks an opcode), Refused where the chain lacks the CREATE2
    deployer and its node does not take that one's transaction, which names no chain, Unreachable.
    """
    door = Door(Site(node), signer)
    _deploy_factory(node, door)
    _deploy_code(node, door, deployer_code(), "Deployer")
    _deploy_core(node, door)
    for name in artifacts.metrics():
        _deploy_code(node, door, artifacts.load(name).bytecode, name)
    plan = planned(node.chain_id(), _first_block(node))
    core = {name: getattr(plan, field) for name, field in zip(artifacts.CORE, CONTRACTS, strict=True)}
    for name, address in {**core, **plan.metrics}.items():
        check_code(node, name, address)
    return plan


def _first_block(node: Node) -> int:
    """Block in which the first of the six contracts was created."""
    created = Interface(artifacts.load("Deployer").abi).topic("ContractDeployed")
    return next(logs(node, create2_address(deployer_code()), [created], 0, node.head().number)).block


def _deploy_factory(node: Node, door: Door) -> None:
    if node.code(FACTORY):
        return
    if node.balance(FACTORY_MAKER) < FACTORY_COST:
        door.send(Call(FACTORY_MAKER, b"", FACTORY_COST, "pay for the CREATE2 deployer"))
    keyless = Door(Site(node), None)  # the payer's door would take the payer's nonces for this transaction's
    try:
        keyless.resume(SignedTx(keccak(FACTORY_TRANSACTION), FACTORY_TRANSACTION, 0, "deploy the CREATE2 deployer"))
    except RpcError as error:
        remedy = "send that one transaction through a node that takes any, such as geth with --rpc.allow-unprotected-txs"
        raise Refused(f"this chain lacks the CREATE2 deployer, and {error.message}", remedy) from None


def _deploy_code(node: Node, door: Door, code: bytes, name: str) -> None:
    if not node.code(create2_address(code)):
        door.send(Call(FACTORY, SALT + code, 0, f"deploy {name}"))


def _deploy_core(node: Node, door: Door) -> None:
    deployer = create2_address(deployer_code())
    interface = Interface(artifacts.load("Deployer").abi)
    (done,) = interface.decode("next", node.call(deployer, interface.encode("next", ())))
    for name in artifacts.CORE[done:]:
        code = artifacts.load(name).bytecode
        door.send(Call(deployer, interface.encode("deployNext", (code,)), 0, f"deploy {name}"))
