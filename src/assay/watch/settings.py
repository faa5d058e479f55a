"""The watchtower's settings file. Read strictly: what is not understood is refused by name."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.chain.taskfile import wei
from assay.errors import BadInput

__all__ = ["Plan", "load"]

SCHEMA = 1
MAX_FILE_BYTES = 1 << 20
MAX_NODES = 8
MAX_SETS = 64
DAY = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """How to watch. Seconds, wei and Unix ports; see the README of this folder for what each is.

    `rpcs` are nodes that must agree with the first one. `seed` names the draw of the samples, empty for one that is drawn once
    and kept. `evidence` is a folder of evidence files, `public_sets` are files of known texts, one a line.
    """

    rpcs: tuple[str, ...] = ()
    confirmations: int = 0
    poll_seconds: int = 12
    retry_seconds: int = 60
    fetch_seconds: int = 120
    seed: str = ""
    sample: int = 3
    serve_seconds: int = 600
    evidence: Path | None = None
    public_sets: tuple[Path, ...] = ()
    similarity: float = 0.8
    prove: bool = True
    demand: bool = True
    answer: bool = True
    least_bond: int = 10**16
    budget_per_day: int = 10**17
    budget: int = 10**18
    max_fee_gwei: int = 200
    metrics_port: int = 0


def load(path: Path) -> Plan:
    """The plan of a TOML file. BadInput names the file and what is wrong."""
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
    return _Reader(table, path).plan()


class _Reader:
    """A table with the words to complain about it."""

    def __init__(self, table: Mapping[str, Any], path: Path) -> None:
        self._table, self._path, self._known = table, path, {"schema"}

    def plan(self) -> Plan:
        if self._table.get("schema") != SCHEMA:
            raise self._wrong(f"schema is {self._table.get('schema')!r:.40}", f"write schema = {SCHEMA}")
        plan = Plan(
            rpcs=tuple(self._texts("rpcs", MAX_NODES)),
            confirmations=self._integer("confirmations", 0, 0, 10_000),
            poll_seconds=self._integer("poll_seconds", 12, 1, 600),
            retry_seconds=self._integer("retry_seconds", 60, 1, DAY),
            fetch_seconds=self._integer("fetch_seconds", 120, 1, 3_600),
            seed=self._text("seed", ""),
            sample=self._integer("sample", 3, 1, 1_000),
            serve_seconds=self._integer("serve_seconds", 600, 0, 30 * DAY),
            evidence=self._folder("evidence"),
            public_sets=tuple(self._beside(text) for text in self._texts("public_sets", MAX_SETS)),
            similarity=self._integer("similarity_percent", 80, 50, 100) / 100,
            prove=self._flag("prove"),
            demand=self._flag("demand"),
            answer=self._flag("answer"),
            least_bond=self._ether("least_bond_ether", "0.01"),
            budget_per_day=self._ether("budget_per_day_ether", "0.1"),
            budget=self._ether("budget_ether", "1"),
            max_fee_gwei=self._integer("max_fee_gwei", 200, 1, 100_000),
            metrics_port=self._integer("metrics_port", 0, 0, 65_535),
        )
        unknown = sorted(self._table.keys() - self._known)
        if unknown:
            raise self._wrong(f"unknown keys: {', '.join(unknown):.200}", f"known are {', '.join(sorted(self._known))}")
        return plan

    def _get(self, name: str, default: object) -> Any:
        self._known.add(name)
        return self._table.get(name, default)

    def _integer(self, name: str, default: int, least: int, most: int) -> int:
        value = self._get(name, default)
        if type(value) is not int or not least <= value <= most:
            raise self._wrong(f"{name} is {value!r:.40}", f"write a whole number from {least} to {most}")
        return value

    def _flag(self, name: str) -> bool:
        value = self._get(name, True)
        if not isinstance(value, bool):
            raise self._wrong(f"{name} is {value!r:.40}", "write true or false")
        return value

    def _text(self, name: str, default: str) -> str:
        value = self._get(name, default)
        if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
            raise self._wrong(f"{name} is no short text", f'write it like {name} = "…"')
        return value

    def _texts(self, name: str, most: int) -> list[str]:
        value = self._get(name, [])
        if not isinstance(value, list) or len(value) > most or not all(isinstance(entry, str) and entry for entry in value):
            raise self._wrong(f"{name} is no list of at most {most} texts", f'write it like {name} = ["…"]')
        return value

    def _ether(self, name: str, default: str) -> int:
        value = self._get(name, default)
        if isinstance(value, bool):
            raise self._wrong(f"{name} is {value!r}", 'write an amount of ether, such as "0.1"')
        return wei(value, f"{self._path}, {name}")

    def _folder(self, name: str) -> Path | None:
        text = self._text(name, "")
        return self._beside(text) if text else None

    def _beside(self, text: str) -> Path:
        return self._path.parent / text

    def _wrong(self, message: str, remedy: str) -> BadInput:
        return BadInput(message, remedy, where=str(self._path))
