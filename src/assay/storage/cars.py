"""Unpacks a folder out of a CARv1 file that a stranger may have made.

Every block is hashed before one byte of it is used, names cannot leave the target folder, and `Limits` bounds time and space.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import libipld

from assay.errors import BadInput, Tampered
from assay.storage.cids import CID_BYTES, DAG_PB, RAW, cid_bytes, cid_of, parse_cid
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.unixfs import Link, Node, NodeType, decode_node, varint

__all__ = ["CarFile", "car_root"]

_REMEDY = "Fetch the file again, from another source if this happens twice."
_SHARD_PREFIX = 2
_HEADER_BYTES = 1 << 16


class CarFile:
    """A CAR file opened for reading, all of its blocks checked against their hashes. Use as a context manager."""

    def __init__(self, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        """Reads the whole file once. BadInput where it is not a CAR or breaks a limit, Tampered where a block is not its hash."""
        self._path, self._limits = path, limits
        self._file = path.open("rb")
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            if self._size > limits.total_bytes:
                raise self._refuse(f"has {self._size} bytes, more than {limits.total_bytes}")
            self.roots = self._read_header()
            self._blocks = self._index()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "CarFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def unpack(self, root: bytes, into: Path) -> None:
        """Writes the folder with this digest into `into`, an existing empty folder.

        Tampered where a block is missing; BadInput where the folder holds other than files and folders, or breaks a limit.
        """
        _Unpacker(self, self._limits).folder(cid_bytes(root, DAG_PB), into, 0)

    def block(self, cid: bytes) -> bytes:
        """Bytes of a block. Tampered where the file does not hold it."""
        codec, digest = _parse(cid)
        if digest not in self._blocks:
            raise Tampered(f"lacks the block {cid_of(digest, codec)}", _REMEDY, where=self._path.name)
        offset, size = self._blocks[digest]
        self._file.seek(offset)
        return self._file.read(size)

    def _refuse(self, reason: str) -> BadInput:
        return BadInput(reason, _REMEDY, where=self._path.name)

    def _section(self) -> int | None:
        """Length of the next section, None at the end."""
        head = self._file.read(9)
        if not head:
            return None
        try:
            size, used = varint(head, 0)
        except ValueError as error:
            raise self._refuse(str(error)) from None
        self._file.seek(used - len(head), os.SEEK_CUR)
        return size

    def _read_header(self) -> tuple[bytes, ...]:
        size = self._section()
        if size is None or not 0 < size <= _HEADER_BYTES:
            raise self._refuse("is not a CAR file")
        try:
            header = libipld.decode_dag_cbor(self._file.read(size))
        except Exception as error:  # the decoder raises several kinds for bytes that are not dag-cbor
            raise self._refuse("is not a CAR file") from error
        roots = header.get("roots") if isinstance(header, dict) and header.get("version") == 1 else None
        if not isinstance(roots, list) or not all(isinstance(root, bytes) for root in roots):
            raise self._refuse("is not a CAR file of version 1")
        return tuple(roots)

    def _index(self) -> dict[bytes, tuple[int, int]]:
        blocks: dict[bytes, tuple[int, int]] = {}
        while (size := self._section()) is not None:
            if not CID_BYTES <= size <= self._limits.block_bytes + CID_BYTES or len(blocks) >= self._limits.blocks:
                raise self._refuse(f"block {len(blocks)} is too large or one too many")
            offset = self._file.tell()
            section = self._file.read(size)
            if len(section) != size:
                raise Tampered(f"block {len(blocks)} is cut short", _REMEDY, where=self._path.name)
            try:
                _, digest = parse_cid(section[:CID_BYTES])
            except ValueError as error:
                raise self._refuse(f"block {len(blocks)} has an id that is {error}") from None
            if hashlib.sha256(section[CID_BYTES:]).digest() != digest:
                raise Tampered(f"block {len(blocks)} is not what its hash says", _REMEDY, where=self._path.name)
            blocks[digest] = (offset + CID_BYTES, size - CID_BYTES)
        return blocks


class _Unpacker:
    """Walks one folder depth first and counts what it costs."""

    def __init__(self, car: CarFile, limits: Limits) -> None:
        self._car, self._limits = car, limits
        self._visits = self._files = self._bytes = 0

    def folder(self, cid: bytes, into: Path, depth: int) -> None:
        """Writes the entries of a folder node into an existing folder."""
        self._spend(depth > self._limits.folder_depth, "folders are nested too deep")
        for name, target in self._entries(self._node(cid), 0):
            path = into / _safe_name(name, self._limits.name_bytes)
            self._spend(path.exists(), f"two entries are named {name!r}")
            self._files += 1
            self._spend(self._files > self._limits.files, f"more than {self._limits.files} files")
            if _parse(target)[0] != RAW and self._node(target).type in (NodeType.FOLDER, NodeType.SHARD):
                path.mkdir(mode=0o700)
                self.folder(target, path, depth + 1)
            else:
                with _create(path) as file:
                    self._write(target, file, 0)

    def _entries(self, node: Node, depth: int) -> Iterator[tuple[str, bytes]]:
        self._spend(depth > self._limits.node_depth, "shards are nested too deep")
        if node.type not in (NodeType.FOLDER, NodeType.SHARD):
            raise BadInput("the root is a file, not a folder", _REMEDY)
        for link in node.links:
            if node.type is NodeType.FOLDER:
                yield link.name, link.cid
            elif node.type is NodeType.SHARD and len(link.name) > _SHARD_PREFIX:
                yield link.name[_SHARD_PREFIX:], link.cid
            else:
                yield from self._entries(self._node(link.cid), depth + 1)

    def _write(self, cid: bytes, file: BinaryIO, depth: int) -> None:
        self._spend(depth > self._limits.node_depth, "blocks of a file are nested too deep")
        data, links = self._content(cid)
        self._bytes += len(data)
        self._spend(self._bytes > self._limits.total_bytes, f"more than {self._limits.total_bytes} bytes")
        file.write(data)
        for link in links:
            self._write(link.cid, file, depth + 1)

    def _content(self, cid: bytes) -> tuple[bytes, tuple[Link, ...]]:
        if _parse(cid)[0] == RAW:
            self._visit()
            return self._car.block(cid), ()
        node = self._node(cid)
        if node.type not in (NodeType.FILE, NodeType.RAW):
            raise BadInput("a file holds a folder", _REMEDY)
        return node.data, node.links

    def _node(self, cid: bytes) -> Node:
        self._visit()
        try:
            return decode_node(self._car.block(cid))
        except ValueError as error:
            raise BadInput(f"a block is not a plain file or folder ({error})", _REMEDY) from None

    def _visit(self) -> None:
        self._visits += 1
        self._spend(self._visits > self._limits.blocks, f"more than {self._limits.blocks} blocks")

    @staticmethod
    def _spend(over: bool, what: str) -> None:
        if over:
            raise BadInput(f"the bundle breaks a limit: {what}", "Only take bundles of a sane size; nothing was kept.")


def _parse(cid: bytes) -> tuple[int, bytes]:
    try:
        return parse_cid(cid)
    except ValueError as error:
        raise BadInput(f"a link is {error}", _REMEDY) from None


def _safe_name(name: str, limit: int) -> str:
    """The name itself, demanded to be one that cannot leave its folder or confuse a terminal."""
    if name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable() or len(name.encode()) > limit:
        raise BadInput(f"a file may not be named {name[:80]!r}", _REMEDY)
    return name


def _create(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def car_root(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Digest of the one root that a CAR file names. BadInput where it names none or several."""
    with CarFile(path, limits) as car:
        if len(car.roots) != 1:
            raise BadInput(f"has {len(car.roots)} roots, not one", _REMEDY, where=path.name)
        return _parse(car.roots[0])[1]
