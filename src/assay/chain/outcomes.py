"""What a node's receipt says of a transaction, read as from a stranger: in bounds and of the one that was asked for."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from assay.chain.node import MOST_COUNT, Node, natural
from assay.errors import Unreachable

__all__ = ["Outcome", "outcome"]

MOST_PRICE = 2**128
MOST_LOGS = 100_000
MOST_TOPICS = 4


class Outcome(NamedTuple):
    """A mined transaction. `fee` is wei; `logs` are the node's own records, of hex strings."""

    block: int
    succeeded: bool
    gas_used: int
    fee: int
    logs: tuple[Mapping[str, Any], ...]


def outcome(node: Node, tx_hash: bytes, most: int | None = None) -> Outcome | None:
    """How a transaction ended, None while it is not mined. Unreachable where the node shows what is no receipt of it.

    No fee above `most` is believed: that is gas limit times highest price as they were signed (`transactions.most_of`).
    """
    found = node.request("eth_getTransactionReceipt", ["0x" + tx_hash.hex()])
    if found is None or (isinstance(found, dict) and found.get("blockNumber") is None):
        return None
    try:
        read = _read(found, tx_hash)
    except (KeyError, TypeError, ValueError) as error:
        message = f"{node.name} shows no receipt of 0x{tx_hash.hex()} where one is to be ({type(error).__name__})"
        raise Unreachable(message, "ask another node") from None
    return read if most is None else read._replace(fee=min(read.fee, most))


def _read(found: Any, tx_hash: bytes) -> Outcome:
    if bytes.fromhex(found["transactionHash"][2:]) != tx_hash:
        raise ValueError("of another transaction")
    gas = natural(found["gasUsed"], MOST_COUNT)
    fee = gas * natural(found["effectiveGasPrice"], MOST_PRICE)
    block, succeeded = natural(found["blockNumber"], MOST_COUNT), bool(natural(found["status"], 1))
    logs = found["logs"]
    if not isinstance(logs, list) or len(logs) > MOST_LOGS:
        raise ValueError("no list of logs")
    return Outcome(block, succeeded, gas, fee, tuple(_log(log) for log in logs))


def _log(log: Any) -> Mapping[str, Any]:
    topics = log["topics"]
    if not isinstance(log, dict) or not isinstance(topics, list) or len(topics) > MOST_TOPICS:
        raise ValueError("no log")
    for text in (log["address"], log["data"], *topics):
        bytes.fromhex(text[2:])
    return log
