"""What a source verifier asks for: the compiler's standard JSON input of each deployed contract, one file each, and an index.

Inputs are made of the metadata that the compiler wrote beside the shipped code and of the sources that the metadata names by
their hashes, so they can only be those of what was deployed. The index holds, for each contract, the rest of what a verifier's
form asks for: address, name, compiler, constructor arguments.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import eth_abi

from assay.chain import artifacts
from assay.chain.deploy import create2_address, deployer_code
from assay.chain.deployments import CONTRACTS, Deployment
from assay.encoding.hashing import keccak
from assay.errors import BadInput
from assay.types import Address

__all__ = ["addresses", "inputs", "write"]

INDEX = "index.json"
MAX_SOURCE_BYTES = 1 << 20


def inputs(root: Path) -> dict[str, dict[str, Any]]:
    """Standard JSON input of every shipped contract by its name, sources read below `root`.

    BadInput names a source that is missing or is another one than the shipped code was compiled from.
    """
    return {name: _input(name, root) for name in artifacts.names()}


def addresses(deployment: Deployment) -> dict[str, Address]:
    """Every deployed contract by its name: the six, the metrics, and the Deployer that made the six."""
    core = {name: getattr(deployment, field) for name, field in zip(artifacts.CORE, CONTRACTS, strict=True)}
    return core | dict(deployment.metrics) | {"Deployer": create2_address(deployer_code())}


def write(folder: Path, deployment: Deployment, made: Mapping[str, Mapping[str, Any]]) -> None:
    """One `<Contract>.json` for each input, then the index."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {name: _entry(name, address, deployment) for name, address in sorted(addresses(deployment).items())}
    for name in index:
        (folder / f"{name}.json").write_text(json.dumps(made[name], indent=1) + "\n", "utf-8")
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", "utf-8")


def _input(name: str, root: Path) -> dict[str, Any]:
    metadata = json.loads(artifacts.load(name).metadata)
    settings = {key: value for key, value in metadata["settings"].items() if key != "compilationTarget"}
    outputs = {"*": {"*": ["abi", "metadata", "evm.bytecode", "evm.deployedBytecode"]}}
    sources = {path: {"content": _source(root, path, facts["keccak256"])} for path, facts in metadata["sources"].items()}
    return {"language": metadata["language"], "sources": sources, "settings": settings | {"outputSelection": outputs}}


def _source(root: Path, path: str, expected: str) -> str:
    try:
        with (root / path).open("rb") as file:
            raw = file.read(MAX_SOURCE_BYTES)
    except OSError as error:
        remedy = "run this in the repository of this release, or name it: --sources DIR"
        raise BadInput(f"the source cannot be read: {error.strerror}", remedy, where=str(root / path)) from None
    if keccak(raw).hex() != expected.removeprefix("0x"):
        remedy = "check out this release, or build the code from these sources: make artifacts"
        raise BadInput("this is not the source that the shipped code was compiled from", remedy, where=str(root / path))
    return raw.decode()


def _entry(name: str, address: Address, deployment: Deployment) -> dict[str, str]:
    artifact = artifacts.load(name)
    return {
        "address": address,
        "contract": f"{artifact.source}:{name}",
        "compiler": "v" + json.loads(artifact.metadata)["compiler"]["version"],
        "constructor_arguments": "0x" + _constructor_arguments(name, deployment).hex(),
    }


def _constructor_arguments(name: str, deployment: Deployment) -> bytes:
    """The words that stood behind the creation code: the siblings of the six, the code hashes of the Deployer."""
    if name == "Deployer":
        return deployer_code()[len(artifacts.load(name).bytecode) :]
    if any(entry["type"] == "constructor" for entry in artifacts.load(name).abi):
        return eth_abi.encode(["address"] * len(CONTRACTS), [getattr(deployment, field) for field in CONTRACTS])
    return b""
