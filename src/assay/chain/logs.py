"""Logs in bounded block ranges, decoded on demand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.chain.node import MOST_COUNT, Node, RpcError, natural, octets
from assay.errors import Unreachable
from assay.types import Address

RANGE = 5_000
"""Blocks asked for at once; nodes commonly refuse more than ten thousand."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the chain keeps it."""

    topics: tuple[bytes, ...]
    data: bytes
    block: int
    tx: bytes


def logs(node: Node, address: Address, topics: Sequence[bytes | None], first: int, last: int) -> Iterator[Log]:
    """Logs of a contract from block `first` to `last`, both included, in their order. A None topic matches any.

    A range that the node refuses is halved; RpcError where it refuses a single block too, Unreachable where it shows no logs.
    """
    wanted = [None if topic is None else "0x" + topic.hex() for topic in topics]
    width = RANGE
    while first <= last:
        end = min(first + width - 1, last)
        query = {"address": address, "topics": wanted, "fromBlock": hex(first), "toBlock": hex(end)}
        try:
            found = node.request("eth_getLogs", [query])
        except RpcError:
            if end == first:
                raise
            width = (end - first + 1) // 2
            continue
        yield from _read(node, found)
        first = end + 1


def _read(node: Node, found: object) -> list[Log]:
    try:
        if not isinstance(found, list):
            raise TypeError("no list")
        return [_log(record) for record in found]
    except (KeyError, TypeError, ValueError):
        raise Unreachable(f"{node.name} shows logs that are none", "ask another node") from None


def _log(record: dict[str, str]) -> Log:
    raw = record["topics"]
    return Log(
        topics=tuple(map(octets, raw)),
        data=octets(record["data"]),
        block=natural(record["blockNumber"], MOST_COUNT),
        tx=octets(record["transactionHash"]),
    )


def block_at(node: Node, timestamp: int, first: int, last: int) -> int:
    """The first block from `first` to `last` whose time is `timestamp` or later; `last` where none is."""
    while first < last:
        middle = (first + last) // 2
        if node.block(middle).timestamp < timestamp:
            first = middle + 1
        else:
            last = middle
    return first
