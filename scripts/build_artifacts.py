"""Compiles the contracts and writes what the package ships: chain/artifacts/<Contract>.json, the devnet's addresses, and
beside the contracts their ABI as a page.

Each contract is compiled by itself, from nothing but the sources that it imports, with the settings of foundry.toml. So its
bytecode, and with it its address, depends on those sources alone, and whoever verifies it from its metadata gets the same bytes.

    python scripts/build_artifacts.py
"""

import json
import re
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import build_abi_docs
import solcx

from assay.chain.deploy import planned
from assay.chain.deployments import save
from assay.chain.devnet import CHAIN_ID

ROOT = Path(__file__).resolve().parent.parent
CHAIN = ROOT / "src/assay/chain"
TARGET = CHAIN / "artifacts"
FOLDERS = ("contracts", "contracts/metrics")
OUTPUTS = ["abi", "metadata", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]


def settings() -> dict[str, Any]:
    """The compiler settings of foundry.toml as standard JSON."""
    profile = tomllib.loads((ROOT / "foundry.toml").read_text())["profile"]["default"]
    return {
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "viaIR": profile["via_ir"],
        "evmVersion": profile["evm_version"],
        "metadata": {"bytecodeHash": profile["bytecode_hash"], "useLiteralContent": False},
    }


def sources() -> Iterator[Path]:
    """Files that hold a contract of their own name: no interfaces, libraries or abstract parents."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).glob("*.sol")):
            if re.search(rf"^contract {path.stem}\b", path.read_text(), re.MULTILINE):
                yield path


def compile_one(path: Path) -> dict[str, Any]:
    """The artifact of one contract."""
    name = path.relative_to(ROOT).as_posix()
    request = {
        "language": "Solidity",
        "sources": {name: {"content": path.read_text()}},
        "settings": settings() | {"outputSelection": {name: {path.stem: OUTPUTS}}},
    }
    answer = solcx.compile_standard(request, solc_binary=ROOT / "scripts/solc", base_path=ROOT, allow_paths=ROOT)
    contract = answer["contracts"][name][path.stem]
    code, deployed = contract["evm"]["bytecode"], contract["evm"]["deployedBytecode"]
    return {
        "contract": f"{name}:{path.stem}",
        "abi": contract["abi"],
        "bytecode": "0x" + code["object"],
        "deployedBytecode": "0x" + deployed["object"],
        "immutableReferences": deployed.get("immutableReferences", {}),
        "metadata": contract["metadata"],
    }


def build() -> dict[str, str]:
    """Text of every artifact by its contract's name."""
    with ThreadPoolExecutor(2) as pool:
        artifacts = pool.map(compile_one, sources())
        return {found["contract"].split(":")[1]: json.dumps(found, indent=1, sort_keys=True) + "\n" for found in artifacts}


def main() -> None:
    """Write all artifacts and remove those of contracts that are no more."""
    built = build()
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in built.items():
        (TARGET / f"{name}.json").write_text(text)
        print(f"{name:<16} {len(json.loads(text)['deployedBytecode']) // 2 - 1:>6} bytes")
    for stale in TARGET.glob("*.json"):
        if stale.stem not in built:
            stale.unlink()
    save(CHAIN / f"addresses/{CHAIN_ID}.json", planned(CHAIN_ID))
    build_abi_docs.main()


if __name__ == "__main__":
    main()
