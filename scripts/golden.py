"""Writes the golden files of the contracts anew: gas by receipts, and size and init-code hash of every contract.

CI compares them. Whoever changes them does it on purpose, with this program, and carries the new figures into the tables of
contracts/README.md, which a test compares as well. Artifacts first: make artifacts.

    python scripts/golden.py
"""

import json
import subprocess
from pathlib import Path

from assay.chain import artifacts
from assay.encoding.hashing import keccak

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests/forge/golden"
FORGE = ROOT / "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"


def code() -> str:
    """Bytes of the deployed code and hash of the init code, without constructor arguments, by contract."""
    loaded = {name: artifacts.load(name) for name in sorted(artifacts.names())}
    found = {
        name: {"bytes": len(one.deployed), "initCodeHash": "0x" + keccak(one.bytecode).hex()} for name, one in loaded.items()
    }
    return json.dumps(found, indent=2) + "\n"


def main() -> None:
    """Run the receipts, then write both files."""
    (GOLDEN / "gas.json").unlink(missing_ok=True)
    options = ["--match-contract", "GasTest", "--gas-snapshot-check", "false", "--gas-snapshot-emit", "true"]
    subprocess.run([FORGE, "test", *options], cwd=ROOT, check=True)
    (GOLDEN / "code.json").write_text(code())


if __name__ == "__main__":
    main()
