"""Canonical JSON, and lines that carry their own check, so that an edited byte is named by file and line.

Canonical: keys sorted, no spaces, UTF-8, one line each, ended by a newline. The check is 16 hex digits of sha256 over the
canonical bytes of the record without it. It guards against accidents and names the spot; only the bundle's CID proves anything.
"""

import hashlib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import orjson

from assay.errors import BadInput, Tampered
from assay.storage.limits import Limits

__all__ = ["Record", "canonical", "checked_line", "line_check", "parse_line", "read_lines", "text_checks"]

Record = dict[str, Any]

_CHECK_DIGITS = 16
_REMEDY = "Fetch the bundle again and compare its CID with the chain's."


def canonical(value: object) -> bytes:
    """Canonical JSON without a newline. BadInput where the value cannot be written as JSON."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, ValueError) as error:
        raise BadInput(f"cannot be written as JSON: {error}") from None


def line_check(data: bytes) -> str:
    """First 16 hex digits of sha256."""
    return hashlib.sha256(data).hexdigest()[:_CHECK_DIGITS]


def checked_line(record: Mapping[str, object]) -> bytes:
    """A record as one line with its check."""
    return canonical({**record, "check": line_check(canonical(record))}) + b"\n"


def parse_line(line: bytes, where: str) -> Record:
    """The record of a line, without its check. Tampered where the line is not canonical JSON or not what its check says."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Tampered(f"is not JSON ({error})", _REMEDY, where=where) from None
    if not isinstance(record, dict):
        raise Tampered("is not a JSON object", _REMEDY, where=where)
    claimed = record.pop("check", None)
    expected = line_check(canonical(record))
    if claimed != expected:
        raise Tampered(f"is not what its check says: expected {expected}, got {str(claimed)[:40]}", _REMEDY, where=where)
    if canonical({**record, "check": expected}) + b"\n" != line:
        raise Tampered("is not in canonical form", _REMEDY, where=where)
    return record


def read_lines(path: Path, name: str, limits: Limits) -> Generator[tuple[str, bytes], None, None]:
    """The lines of a file with their places ('name:number', from 1), newlines kept. BadInput beyond a limit.

    Close it where it may not be read to its end: it holds the file open.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(limits.line_bytes + 1):
            number += 1
            if len(line) > limits.line_bytes or number > limits.lines:
                raise BadInput(
                    "breaks a limit: a line too long or one too many", "Nothing honest needs so much.", where=f"{name}:{number}"
                )
            yield f"{name}:{number}", line


def text_checks(data: bytes) -> list[str]:
    """A check for each line of a text that is not JSONL, newlines not counted in; one for an empty text."""
    return [line_check(line) for line in data.split(b"\n")]
