"""Task descriptions of a home: one file `0x<task>.json` each, whose SHA-256 the task pins."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import orjson

from assay.errors import BadInput
from assay.types import TaskId

MAX_BYTES = 1 << 20


def read(folder: Path, task: TaskId, digest: bytes) -> dict[str, Any]:
    """The description of a task as its digest pins it. BadInput where it is missing or another one."""
    path = folder / f"0x{task.hex()}.json"
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError:
        raise BadInput(
            "this home lacks the task's description", "get it from whoever registered the task", where=path.name
        ) from None
    if hashlib.sha256(raw).digest() != digest:
        raise BadInput("this is not the description that the task pins", "get it again", where=path.name)
    description = orjson.loads(raw)
    if not isinstance(description, dict):
        raise BadInput("the description is no object", "ask whoever registered the task", where=path.name)
    return description


def keep(folder: Path, task: TaskId, raw: bytes) -> None:
    """Keep the canonical bytes of a description, whole or not at all."""
    replace_file(folder / f"0x{task.hex()}.json", raw)


def replace_file(path: Path, data: bytes) -> None:
    """Write a private file whole, in place of what stood there, or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
