"""The two kinds of dag-pb nodes that a bundle is made of, folders and files, decoded strictly.

A node is a protocol buffer of links (2: hash 1, name 2, size 3) and data (1), whose data is UnixFS: type 1, bytes 2.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Link", "Node", "NodeType", "decode_node", "varint"]

_MAX_VARINT_BYTES = 9
_VARINT, _BYTES = 0, 2


class NodeType(IntEnum):
    """UnixFS types that we read; symlinks and metadata are refused."""

    RAW = 0
    FOLDER = 1
    FILE = 2
    SHARD = 5


@dataclass(frozen=True, slots=True)
class Link:
    """A link to another block; `name` is empty inside files and carries a two-digit prefix inside shards."""

    cid: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Node:
    """One decoded dag-pb block."""

    type: NodeType
    data: bytes
    links: tuple[Link, ...]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """An unsigned LEB128 number and the offset after it. ValueError where it is cut short or too long."""
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if at + index >= len(data):
            break
        byte = data[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("a number is cut short or too long")


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == _VARINT:
            yield key >> 3, value
        elif key & 7 == _BYTES and at + value <= len(data):
            yield key >> 3, data[at : at + value]
            at += value
        else:
            raise ValueError("a field is cut short or of an unknown kind")


def _link(data: bytes) -> Link:
    cid, name = b"", b""
    for number, value in _fields(data):
        if number == 1 and isinstance(value, bytes):
            cid = value
        elif number == 2 and isinstance(value, bytes):
            name = value
    return Link(cid, name.decode("utf-8"))


def decode_node(block: bytes) -> Node:
    """A dag-pb block as a folder, file or shard. ValueError for anything else."""
    links, unixfs = [], b""
    for number, value in _fields(block):
        if not isinstance(value, bytes) or number not in (1, 2):
            raise ValueError("not a dag-pb node")
        if number == 2:
            links.append(_link(value))
        else:
            unixfs = value
    kind, data = -1, b""
    for number, value in _fields(unixfs):
        if number == 1 and isinstance(value, int):
            kind = value
        elif number == 2 and isinstance(value, bytes):
            data = value
    return Node(NodeType(kind), data, tuple(links))
