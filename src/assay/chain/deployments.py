"""Where the contracts stand on a chain: one small JSON file per chain."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import orjson
from eth_utils import is_address, to_checksum_address

from assay.errors import BadInput
from assay.types import Address

SCHEMA = 1
CONTRACTS = ("tasks", "models", "vault", "rounds", "judge", "disputes")
MAX_FILE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Deployment:
    """Addresses on one chain. `first_block` is where the index begins to read; `metrics` goes by contract name."""

    chain_id: int
    first_block: int
    tasks: Address
    models: Address
    vault: Address
    rounds: Address
    judge: Address
    disputes: Address
    metrics: Mapping[str, Address]


def load(path: Path) -> Deployment:
    """A deployment from its file. BadInput names the file and what is wrong with it."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadInput(f"the deployment cannot be read: {error.strerror}", "check --deployment", where=str(path)) from None
    return _parse(raw, str(path))


def packaged(chain_id: int) -> Deployment:
    """The deployment that this package ships for a chain. BadInput where it ships none."""
    file = resources.files("assay.chain").joinpath("addresses", f"{chain_id}.json")
    if not file.is_file():
        raise BadInput(f"no deployment on chain {chain_id} is known", "name its file: --deployment FILE", where="--deployment")
    return _parse(file.read_bytes(), file.name)


def to_json(deployment: Deployment) -> str:
    """Text of a deployment's file."""
    contracts = {name: getattr(deployment, name) for name in CONTRACTS}
    record = {
        "schema": SCHEMA,
        "chain_id": deployment.chain_id,
        "first_block": deployment.first_block,
        "contracts": contracts,
        "metrics": dict(sorted(deployment.metrics.items())),
    }
    return json.dumps(record, indent=1) + "\n"


def save(path: Path, deployment: Deployment) -> None:
    """Write a deployment's file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(to_json(deployment))
    temporary.replace(path)


def _parse(raw: bytes, where: str) -> Deployment:
    remedy = "write it anew: assay deploy, or assay devnet"
    try:
        if len(raw) > MAX_FILE_BYTES:
            raise ValueError("too long")
        record = orjson.loads(raw)
        if record["schema"] != SCHEMA:
            raise BadInput(f"schema {record['schema']!r:.20} is not known", "update this program", where=where)
        contracts = {name: _address(record["contracts"][name]) for name in CONTRACTS}
        metrics = {str(name): _address(address) for name, address in record["metrics"].items()}
        return Deployment(
            chain_id=_natural(record["chain_id"]), first_block=_natural(record["first_block"]), **contracts, metrics=metrics
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(f"this is no deployment ({type(error).__name__}: {error!s:.100})", remedy, where=where) from None


def _address(value: Any) -> Address:
    if not is_address(value):
        raise ValueError(f"{value!r:.60} is no address")
    return to_checksum_address(value)


def _natural(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r:.60} is no number")
    return value
