"""Content ids as far as bundles use them: CIDv1, sha2-256, dag-pb or raw, base32 in lower case."""

import base64
import binascii
from pathlib import Path

from aleph_cid import CidHasher, hash_folder

from assay.encoding.hashing import hash32
from assay.errors import BadInput

__all__ = [
    "DAG_PB",
    "RAW",
    "canonical_cid",
    "cid_bytes",
    "cid_of",
    "codec_of",
    "digest_of",
    "file_cid",
    "folder_cid",
    "parse_cid",
]

RAW = 0x55
DAG_PB = 0x70
CID_BYTES = 36
_SHA2_256 = b"\x12\x20"
_CHUNK = 1 << 20
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def cid_bytes(digest: bytes, codec: int) -> bytes:
    """The 36 bytes of a CID: version, codec, hash function, length, digest. ValueError for another codec or length."""
    if codec not in (RAW, DAG_PB):
        raise ValueError(f"codec {codec:#x} is neither raw nor dag-pb")
    return bytes([1, codec]) + _SHA2_256 + hash32(digest)


def cid_of(digest: bytes, codec: int = DAG_PB) -> str:
    """Text form of the CID with this sha2-256 digest: 'b' and base32 without padding."""
    return "b" + base64.b32encode(cid_bytes(digest, codec)).decode().rstrip("=").lower()


def parse_cid(raw: bytes) -> tuple[int, bytes]:
    """Codec and digest of a binary CID. ValueError for any other kind of CID."""
    if len(raw) != CID_BYTES or raw[0] != 1 or raw[1] not in (RAW, DAG_PB) or raw[2:4] != _SHA2_256:
        raise ValueError("not a CIDv1 of raw or dag-pb with sha2-256")
    return raw[1], raw[4:]


def _decode(cid: str) -> bytes:
    body = cid[1:]
    try:
        raw = base64.b32decode(body.upper() + "=" * (-len(body) % 8))
    except (binascii.Error, ValueError):
        raw = b""
    if not cid.startswith("b") or cid != cid.lower() or "=" in cid or len(raw) != CID_BYTES:
        raise BadInput(f"{cid[:80]!r} is not a CIDv1 in base32", "A bundle's CID begins with 'bafybei'.")
    return raw


def canonical_cid(cid: str) -> str:
    """Our spelling of a CIDv1 in base32 or, as js-ipfs writes it, in base58. BadInput for anything else."""
    if not cid.startswith("z") or len(cid) > 64 or any(digit not in _BASE58 for digit in cid[1:]):
        return cid_of(digest_of(cid), codec_of(cid))
    number = 0
    for digit in cid[1:]:
        number = 58 * number + _BASE58.index(digit)
    try:
        codec, digest = parse_cid(number.to_bytes(CID_BYTES, "big"))
    except (ValueError, OverflowError):
        raise BadInput(f"{cid[:80]!r} is not a CIDv1 of a file or folder", "A bundle's CID begins with 'bafybei'.") from None
    return cid_of(digest, codec)


def digest_of(cid: str) -> bytes:
    """sha2-256 digest of a CID in text form. BadInput where it is not one of ours, or not in its one canonical spelling."""
    return _checked(cid)[1]


def codec_of(cid: str) -> int:
    """RAW or DAG_PB. BadInput as `digest_of`."""
    return _checked(cid)[0]


def _checked(cid: str) -> tuple[int, bytes]:
    try:
        codec, digest = parse_cid(_decode(cid))
    except ValueError as error:
        raise BadInput(f"{cid[:80]!r} is {error}", "A bundle's CID begins with 'bafybei'.") from None
    if cid_of(digest, codec) != cid:
        raise BadInput(f"{cid[:80]!r} is not spelt as base32 spells it", "Copy the CID again.")
    return codec, digest


def file_cid(path: Path) -> str:
    """CID of one file, as it has inside a bundle: raw leaves of 256 KiB under dag-pb nodes."""
    hasher = CidHasher.for_ipfs_v1_raw_leaves()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.finalize()


def folder_cid(folder: Path) -> str:
    """CID of a folder, the same that Kubo gives it. BadInput where it is empty or a name is not UTF-8."""
    try:
        return hash_folder(folder, follow_symlinks=False)
    except ValueError as error:
        raise BadInput(str(error), "A bundle holds at least a manifest.", where=str(folder)) from None
