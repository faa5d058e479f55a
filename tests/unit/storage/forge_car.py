"""Writes CAR files block by block, as an attacker would: any names, any links, any bytes."""

import hashlib
from collections.abc import Sequence

from assay.storage.cids import DAG_PB, RAW, cid_bytes

FOLDER, FILE, SYMLINK, SHARD = 1, 2, 4, 5


def number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def part(key: int, data: bytes) -> bytes:
    return number(key << 3 | 2) + number(len(data)) + data


class Forge:
    """Collects blocks; `car` gives the file."""

    def __init__(self) -> None:
        self.blocks: list[tuple[bytes, bytes]] = []

    def _put(self, data: bytes, codec: int) -> bytes:
        cid = cid_bytes(hashlib.sha256(data).digest(), codec)
        self.blocks.append((cid, data))
        return cid

    def raw(self, data: bytes) -> bytes:
        return self._put(data, RAW)

    def node(self, kind: int, links: Sequence[tuple[bytes | str, bytes]] = (), data: bytes = b"") -> bytes:
        named = [(name.encode() if isinstance(name, str) else name, cid) for name, cid in links]
        coded = b"".join(part(2, part(1, cid) + part(2, name) + b"\x18\x01") for name, cid in named)
        return self._put(coded + part(1, b"\x08" + number(kind) + (part(2, data) if data else b"")), DAG_PB)

    def pb(self, data: bytes) -> bytes:
        return self._put(data, DAG_PB)

    def car(self, *roots: bytes, version: int = 1) -> bytes:
        header = _header(roots, version)
        return number(len(header)) + header + b"".join(number(len(cid) + len(data)) + cid + data for cid, data in self.blocks)


def _header(roots: Sequence[bytes], version: int) -> bytes:
    """The header by hand: {"roots": [tag 42 links], "version": n}."""
    links = b"".join(b"\xd8\x2a\x58\x25\x00" + root for root in roots)
    return b"\xa2\x65roots" + bytes([0x80 | len(roots)]) + links + b"\x67version" + bytes([version])
