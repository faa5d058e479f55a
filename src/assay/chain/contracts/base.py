"""What all wrappers share: an address, an interface, reads at a block and calls to be sent."""

from dataclasses import dataclass
from typing import Any

from assay.chain import artifacts
from assay.chain.abi import Interface
from assay.chain.node import At, Node, RpcError
from assay.chain.reverts import explain
from assay.errors import WrongChain
from assay.types import Address


@dataclass(frozen=True, slots=True)
class Call:
    """A transaction to be sent. `what` completes the sentence "the chain refuses to …"; `value` is wei."""

    to: Address
    data: bytes
    value: int
    what: str


class Contract:
    """A contract at an address, seen through a shipped interface."""

    artifact: str

    def __init__(self, node: Node, address: Address) -> None:
        """Nothing is asked of the node yet."""
        self.node = node
        self.address = address
        self.interface = Interface(artifacts.load(self.artifact).abi)

    def _read(self, function: str, *arguments: Any, at: At = "latest") -> tuple[Any, ...]:
        """Returned values at a block. Reverted where the contract says no, WrongChain where there is none, Unreachable."""
        what = f"read {function} of {self.artifact}"
        try:
            data = self.node.call(self.address, self.interface.encode(function, arguments), at)
        except RpcError as error:
            raise explain(error, what) from None
        if not data:
            raise WrongChain(f"there is no {self.artifact} at {self.address}", "check --rpc and --deployment")
        return self.interface.decode(function, data)

    def _call(self, function: str, *arguments: Any, what: str, value: int = 0) -> Call:
        return Call(self.address, self.interface.encode(function, arguments), value, what)
