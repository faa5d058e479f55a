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
    name, raw = _raw(folder, task)
    if hashlib.sha256(raw).digest() != digest:
        raise BadInput("this is not the description that the task pins", "get it again", where=name)
    try:
        description = orjson.loads(raw)
    except ValueError:
        description = None
    if not isinstance(description, dict):
        raise BadInput("the description is no object", "ask whoever registered the task", where=name)
    return description


def digest_of(folder: Path, task: TaskId) -> bytes:
    """The digest of what stands here for a task, where no chain is asked for the true one. BadInput where nothing does."""
    return hashlib.sha256(_raw(folder, task)[1]).digest()


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


def _raw(folder: Path, task: TaskId) -> tuple[str, bytes]:
    path = folder / f"0x{task.hex()}.json"
    try:
        with path.open("rb") as file:
            return path.name, file.read(MAX_BYTES)
    except OSError:
        remedy = "assay provider join INVITATION brings it; or get it from whoever registered the task"
        raise BadInput("this home lacks the task's description", remedy, where=path.name) from None
