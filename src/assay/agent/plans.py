"""The daemon's settings file: which rounds to run, and how. Read strictly: what is not understood is refused by name."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.agent.asking import AskOptions
from assay.agent.gateways import checked_url
from assay.errors import BadInput
from assay.storage.addresses import checked_node
from assay.types import TaskId

SCHEMA = 1
MAX_FILE_BYTES = 1 << 20
MAX_ROUNDS = 100
MAX_GATEWAYS = 256
MAX_NODES = 16
TASK = re.compile(r"0x[0-9a-fA-F]{64}")
TOP = frozenset({"schema", "round", "poll_seconds", "backoff_seconds", "longest_backoff_seconds", "seed", "max_fee_gwei", "ipfs"})
KEYS = frozenset({"set", "task", "gateways", "owner", "card", "answer_timeout", "concurrency", "attempts", "enrol_within"})


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """A round to run: sealed if it is not yet, then brought to its end. `owner` is a key's name or an address."""

    set_name: str
    task: TaskId
    gateways: tuple[str, ...] = ()
    owner: str = "owner"
    card: Path | None = None
    options: AskOptions = field(default_factory=AskOptions)
    enrol_within: int = 300


@dataclass(frozen=True, slots=True)
class Plans:
    """The whole file. Seconds of the local clock; `seed` names the draw of the jitter, `ipfs` nodes that pin what is revealed."""

    rounds: tuple[RoundPlan, ...] = ()
    poll_seconds: int = 4
    backoff_seconds: int = 2
    longest_backoff_seconds: int = 600
    seed: str = "assay bench run"
    max_fee_gwei: int = 200
    ipfs: tuple[str, ...] = ()


def load(path: Path) -> Plans:
    """The plans of a TOML file. BadInput names the file and what is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name another file", where=str(path)) from None
    if len(raw) > MAX_FILE_BYTES:
        raise BadInput(f"more than {MAX_FILE_BYTES} bytes", "that is no settings file", where=str(path))
    try:
        table = tomllib.loads(raw.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not TOML: {error}", "mend it", where=str(path)) from None
    return _plans(_Reader(table, str(path)), path.parent)


class _Reader:
    """A table with the words to complain about it."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table, self.where = table, where

    def only(self, known: frozenset[str]) -> None:
        unknown = sorted(self.table.keys() - known)
        if unknown:
            raise self.wrong(f"unknown keys: {', '.join(unknown):.200}", f"known are {', '.join(sorted(known))}")

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self.table.get(name, default)
        if type(value) is not int or not least <= value <= most:
            raise self.wrong(f"{name} is {value!r:.40}", f"write a whole number from {least} to {most}")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        value = self.table.get(name, default)
        if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
            raise self.wrong(f"{name} is missing or no text", f'write it like {name} = "…"')
        return value

    def texts(self, name: str, most: int) -> list[str]:
        value = self.table.get(name, [])
        if not isinstance(value, list) or len(value) > most or not all(isinstance(entry, str) for entry in value):
            raise self.wrong(f"{name} is no list of at most {most} texts", f'write it like {name} = ["…"]')
        return value

    def wrong(self, message: str, remedy: str) -> BadInput:
        return BadInput(message, remedy, where=self.where)


def _plans(reader: _Reader, folder: Path) -> Plans:
    reader.only(TOP)
    if reader.table.get("schema") != SCHEMA:
        raise reader.wrong(f"schema is {reader.table.get('schema')!r:.40}", f"write schema = {SCHEMA}")
    tables = reader.table.get("round", [])
    if not isinstance(tables, list) or len(tables) > MAX_ROUNDS or not all(isinstance(table, dict) for table in tables):
        raise reader.wrong(f"the rounds are no list of at most {MAX_ROUNDS}", "begin each with [[round]]")
    rounds = tuple(_round(_Reader(table, f"{reader.where}, round {n}"), folder) for n, table in enumerate(tables, 1))
    if len({plan.set_name for plan in rounds}) < len(rounds):
        raise reader.wrong("a set is named twice", "a question is asked once: one round for each set")
    return Plans(
        rounds,
        reader.integer("poll_seconds", 4, 1, 60),
        reader.integer("backoff_seconds", 2, 1, 600),
        reader.integer("longest_backoff_seconds", 600, 1, 3_600),
        reader.text("seed", "assay bench run"),
        reader.integer("max_fee_gwei", 200, 1, 100_000),
        tuple(dict.fromkeys(checked_node(address) for address in reader.texts("ipfs", MAX_NODES))),
    )


def _round(reader: _Reader, folder: Path) -> RoundPlan:
    reader.only(KEYS)
    task = reader.text("task")
    if not TASK.fullmatch(task):
        raise reader.wrong(f"task is {task!r:.80}", "write 0x and 64 hex digits; see `assay task list`")
    return RoundPlan(
        reader.text("set"),
        TaskId(bytes.fromhex(task[2:])),
        tuple(dict.fromkeys(checked_url(url) for url in reader.texts("gateways", MAX_GATEWAYS))),
        reader.text("owner", "owner"),
        folder / reader.text("card") if "card" in reader.table else None,
        AskOptions(
            reader.integer("answer_timeout", 60, 1, 86_400),
            reader.integer("concurrency", 4, 1, 256),
            reader.integer("attempts", 3, 1, 100),
        ),
        reader.integer("enrol_within", 300, 0, 30 * 86_400),
    )
