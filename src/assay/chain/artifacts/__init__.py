"""The compiled contracts that this package ships, written by `scripts/build_artifacts.py`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

CORE = ("TaskRegistry", "ModelRegistry", "StakeVault", "Rounds", "Judge", "Disputes")
"""The six contracts that know each other, in the order of their deployment."""

METRICS_FOLDER = "contracts/metrics/"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract. `holes` are the byte ranges of the deployed code that the constructor fills in (immutables)."""

    name: str
    source: str
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    deployed: bytes
    holes: tuple[tuple[int, int], ...]
    metadata: str

    def matches(self, code: bytes) -> bool:
        """Whether code on a chain is this contract's, whatever its immutables are."""
        return len(code) == len(self.deployed) and self._blanked(code) == self._blanked(self.deployed)

    def _blanked(self, code: bytes) -> bytes:
        blanked = bytearray(code)
        for start, end in self.holes:
            blanked[start:end] = bytes(end - start)
        return bytes(blanked)


@cache
def load(name: str) -> Artifact:
    """The artifact of a contract. KeyError where the package ships none of that name."""
    if name not in names():
        raise KeyError(name)
    raw = json.loads(_folder().joinpath(f"{name}.json").read_text())
    holes = [(hole["start"], hole["start"] + hole["length"]) for found in raw["immutableReferences"].values() for hole in found]
    return Artifact(
        name=name,
        source=raw["contract"].split(":")[0],
        abi=tuple(raw["abi"]),
        bytecode=bytes.fromhex(raw["bytecode"][2:]),
        deployed=bytes.fromhex(raw["deployedBytecode"][2:]),
        holes=tuple(sorted(holes)),
        metadata=raw["metadata"],
    )


@cache
def names() -> tuple[str, ...]:
    """Names of all shipped contracts."""
    return tuple(sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".json")))


@cache
def metrics() -> tuple[str, ...]:
    """Names of the shipped metric contracts."""
    return tuple(name for name in names() if load(name).source.startswith(METRICS_FOLDER))


def _folder() -> Any:
    return resources.files(__name__)
