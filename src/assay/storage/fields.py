"""Reads typed fields out of a parsed record; every error names the place. The writers' counterparts stand beside them."""

import base64
import binascii
from collections.abc import Callable, Collection
from typing import TypeVar

from eth_utils import is_checksum_address, to_checksum_address

from assay.errors import BadInput
from assay.storage.lines import Record
from assay.types import Address

__all__ = ["Fields", "hexed", "text_fields"]

T = TypeVar("T")
_REMEDY = "The bundle was not written by this version's schema; read it with the release that wrote it."


def hexed(raw: bytes) -> str:
    """0x and lower-case hex digits."""
    return "0x" + raw.hex()


def text_fields(key: str, text: bytes) -> dict[str, str]:
    """A text as `key`, or as `key`_b64 where it is not valid UTF-8."""
    try:
        return {key: text.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{key}_b64": base64.b64encode(text).decode("ascii")}


class Fields:
    """One record with its place; each getter demands a type and raises BadInput that names place and field."""

    def __init__(self, record: object, where: str, allowed: Collection[str]) -> None:
        """BadInput where the record is not an object or has fields beyond those allowed."""
        if not isinstance(record, dict):
            raise BadInput("is not an object", _REMEDY, where=where)
        unknown = sorted(set(record) - set(allowed))
        if unknown:
            raise BadInput(f"has the unknown field {unknown[0][:40]!r}", _REMEDY, where=where)
        self._record: Record = record
        self.where = where

    def refuse(self, key: str, wanted: str) -> BadInput:
        """The error for a field that is not what it should be."""
        return BadInput(f"field {key!r} is not {wanted}", _REMEDY, where=self.where)

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._record.get(key) is not None

    def integer(self, key: str, below: int = 1 << 53) -> int:
        """A whole number from 0 to `below` - 1."""
        value = self._record.get(key)
        if type(value) is not int or not 0 <= value < below:
            raise self.refuse(key, f"a whole number from 0 to {below - 1}")
        return value

    def decimal(self, key: str) -> int:
        """A whole number below 2^256, written as a string of digits without leading zeros."""
        value = self._record.get(key)
        if (
            not isinstance(value, str)
            or len(value) > 78
            or not value.isascii()
            or not value.isdigit()
            or str(int(value)) != value
        ):
            raise self.refuse(key, "a number in decimal digits")
        return int(value)

    def number(self, key: str) -> float | None:
        """A number not below 0, or None where the field is absent."""
        value = self._record.get(key)
        if value is None:
            return None
        if type(value) not in (int, float) or value < 0:
            raise self.refuse(key, "a number")
        return float(value)

    def string(self, key: str) -> str:
        """A string."""
        value = self._record.get(key)
        if not isinstance(value, str):
            raise self.refuse(key, "a string")
        return value

    def text(self, key: str) -> bytes | None:
        """Raw bytes of a text written by `text_fields`, or None where neither form is there."""
        coded = self._record.get(f"{key}_b64")
        if coded is None:
            return self.string(key).encode("utf-8") if self.has(key) else None
        try:
            raw = base64.b64decode(self.string(f"{key}_b64"), validate=True)
        except (binascii.Error, ValueError):
            raise self.refuse(f"{key}_b64", "base64") from None
        if text_fields(key, raw) != {f"{key}_b64": coded} or self.has(key):
            raise self.refuse(f"{key}_b64", "the one way to write this text")
        return raw

    def hex(self, key: str, size: int) -> bytes:
        """Exactly `size` bytes as 0x and lower-case hex."""
        return self._unhex(key, self._record.get(key), size)

    def hexes(self, key: str, size: int) -> tuple[bytes, ...]:
        """A list of such."""
        return tuple(self._unhex(key, value, size) for value in self.sequence(key))

    def address(self, key: str) -> Address:
        """A checksummed address."""
        value = self.string(key)
        if not is_checksum_address(value):
            raise self.refuse(key, "a checksummed address")
        return to_checksum_address(value)

    def strings(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        values = self.sequence(key)
        strings = tuple(value for value in values if isinstance(value, str))
        if len(strings) != len(values):
            raise self.refuse(key, "a list of strings")
        return strings

    def sequence(self, key: str) -> list[object]:
        """A list of anything."""
        value = self._record.get(key)
        if not isinstance(value, list):
            raise self.refuse(key, "a list")
        return value

    def mapping(self, key: str) -> Record:
        """An object of anything."""
        value = self._record.get(key)
        if not isinstance(value, dict):
            raise self.refuse(key, "an object")
        return value

    def inner(self, key: str, allowed: Collection[str], build: Callable[["Fields"], T]) -> T | None:
        """What `build` makes of the object in this field, or None where it is null or absent."""
        return build(Fields(self._record[key], f"{self.where} {key}", allowed)) if self.has(key) else None

    def _unhex(self, key: str, value: object, size: int) -> bytes:
        if isinstance(value, str) and len(value) == 2 + 2 * size and value.startswith("0x"):
            try:
                raw = bytes.fromhex(value[2:])
            except ValueError:
                raw = b""
            if hexed(raw) == value:
                return raw
        raise self.refuse(key, f"{size} bytes in lower-case hex")
