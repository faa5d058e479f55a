"""Blocks from a stranger become a CAR file of ours: each hashed, each asked for, and nothing else kept.

A block is taken only if it is the root or a block before it links to it, so that who sends junk is cut off at its first block.
"""

import hashlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from assay.errors import BadInput, Tampered
from assay.storage.cids import CID_BYTES, DAG_PB, RAW, cid_bytes, cid_of, parse_cid
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.unixfs import decode_node, varint

__all__ = ["CarStream", "Receiver"]

_REMEDY = "Ask another node or gateway."
_MAX_VARINT = 9
_MAX_HEADER = 1 << 16


class Receiver:
    """Takes the blocks of one folder in any order that parents precede children, and writes them down as a CAR file."""

    def __init__(self, path: Path, root: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
        """`root` is the digest of the folder. The file must not exist yet."""
        self._limits = limits
        self._file: BinaryIO = path.open("xb")
        path.chmod(0o600)
        self._missing: dict[bytes, None] = {cid_bytes(root, DAG_PB): None}
        self._known = set(self._missing)
        self._bytes = self._file.write(_header(cid_bytes(root, DAG_PB)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    @property
    def missing(self) -> tuple[bytes, ...]:
        """Binary CIDs that were linked to and did not come yet, in the order in which they were met."""
        return tuple(self._missing)

    def take(self, cid: bytes, data: bytes) -> None:
        """One block. Tampered where it is not what its hash says or nobody asked for it, BadInput beyond a limit."""
        codec, digest = _parsed(cid)
        if hashlib.sha256(data).digest() != digest:
            raise Tampered(f"block {cid_of(digest, codec)} is not what its hash says", _REMEDY)
        if cid not in self._known:
            raise Tampered(f"block {cid_of(digest, codec)} is no part of what was asked for", _REMEDY)
        if cid not in self._missing:
            return
        del self._missing[cid]
        self._write(cid, data)
        if codec != RAW:
            self._follow(data)

    def demand_whole(self) -> None:
        """Tampered while a block is missing."""
        if self._missing:
            codec, digest = _parsed(next(iter(self._missing)))
            raise Tampered(f"{len(self._missing)} blocks did not come, the first is {cid_of(digest, codec)}", _REMEDY)
        self._file.flush()

    def _follow(self, data: bytes) -> None:
        try:
            links = decode_node(data).links
        except ValueError as error:
            raise BadInput(f"a block is not a plain file or folder ({error})", _REMEDY) from None
        for link in links:
            _parsed(link.cid)
            if link.cid not in self._known:
                self._known.add(link.cid)
                self._missing[link.cid] = None
        if len(self._known) > self._limits.blocks:
            raise BadInput(f"the bundle has more than {self._limits.blocks} blocks", "Nothing honest needs so much.")

    def _write(self, cid: bytes, data: bytes) -> None:
        self._bytes += self._file.write(_number(len(cid) + len(data)) + cid + data)
        if self._bytes > self._limits.total_bytes or len(data) > self._limits.block_bytes:
            raise BadInput("the bundle or one of its blocks is too large", "Nothing honest needs so much.")


class CarStream:
    """Cuts a CAR file that arrives in pieces into blocks for a Receiver. The header's roots are not believed."""

    def __init__(self, receiver: Receiver, limits: Limits = DEFAULT_LIMITS) -> None:
        """Nothing is read yet."""
        self._receiver, self._limits = receiver, limits
        self._buffer = bytearray()
        self._headed = False

    def feed(self, piece: bytes) -> None:
        """The next bytes. Errors as `Receiver.take`; BadInput where they are no CAR file."""
        self._buffer += piece
        at = 0
        while (section := self._section(at)) is not None:
            start, end = section
            if self._headed:
                self._receiver.take(bytes(self._buffer[start : start + CID_BYTES]), bytes(self._buffer[start + CID_BYTES : end]))
            self._headed, at = True, end
        del self._buffer[:at]

    def end(self) -> None:
        """The file is over. Tampered where it was cut short or a block is missing."""
        if self._buffer or not self._headed:
            raise Tampered("the CAR file is cut short", _REMEDY)
        self._receiver.demand_whole()

    def _section(self, at: int) -> tuple[int, int] | None:
        """Where the next section's bytes begin and end, None while they are not all there."""
        try:
            size, start = varint(bytes(self._buffer[at : at + _MAX_VARINT]), 0)
        except ValueError:
            if len(self._buffer) - at >= _MAX_VARINT:
                raise BadInput("that is not a CAR file", _REMEDY) from None
            return None
        least, most = (CID_BYTES, self._limits.block_bytes + CID_BYTES) if self._headed else (1, _MAX_HEADER)
        if not least <= size <= most:
            raise BadInput("that is not a CAR file, or a block is too large", _REMEDY)
        return (at + start, at + start + size) if len(self._buffer) >= at + start + size else None


def _parsed(cid: bytes) -> tuple[int, bytes]:
    try:
        return parse_cid(cid)
    except ValueError as error:
        raise BadInput(f"a block's id is {error}", _REMEDY) from None


def _number(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _header(root: bytes) -> bytes:
    """Length and dag-cbor of {"roots": [root], "version": 1}."""
    body = b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00" + root + b"\x67version\x01"
    return _number(len(body)) + body
