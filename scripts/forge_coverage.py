"""How much of the contracts the forge tests reach: lines and branches outside assembly, and what they miss.

Compiled without the optimizer, where the tests of sizes and gas cannot hold; these are left out. Assembly is not counted: there
the plain versions in the tests are the oracle.

    python scripts/forge_coverage.py
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORGE = ROOT / "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
BUILD = ROOT / ".build/coverage"
LEFT_OUT = ["--no-match-contract", "Gas|Longest|Starved|Hall|Money", "--no-match-test", "longestText|createsAtForetold"]
LEAST = 0.99


def run() -> str:
    """The report of forge, as lcov has it."""
    BUILD.mkdir(parents=True, exist_ok=True)
    report = BUILD / "lcov.info"
    options = ["--ir-minimum", "--report", "lcov", "--report-file", str(report), *LEFT_OUT]
    environment = os.environ | {"FOUNDRY_PROFILE": "coverage"}
    subprocess.run([FORGE, "coverage", *options], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return report.read_text("utf-8")


def assembly(source: str) -> set[int]:
    """Numbers of the lines in assembly blocks."""
    found, depth = set(), 0
    for number, line in enumerate(source.splitlines(), 1):
        if depth or re.search(r"\bassembly\b.*\{", line):
            depth += line.count("{") - line.count("}")
            found.add(number)
    return found


def main() -> int:
    """Print what is missed and both shares; 1 if either is below the least."""
    lines: list[bool] = []
    branches: list[bool] = []
    for record in run().split("end_of_record\n"):
        name = re.search(r"^SF:(contracts/.*)$", record, re.MULTILINE)
        if name is None:
            continue
        source = (ROOT / name[1]).read_text("utf-8")
        skipped = assembly(source)
        for kind, number, hits in re.findall(r"^(DA|BRDA):(\d+),(?:\d+,\d+,)?(\d+|-)", record, re.MULTILINE):
            if int(number) in skipped:
                continue
            reached = hits not in ("0", "-")
            (lines if kind == "DA" else branches).append(reached)
            if not reached:
                print(f"{name[1]}:{number}: {source.splitlines()[int(number) - 1].strip()}")
    shares = [sum(part) / len(part) for part in (lines, branches)]
    print(f"lines {shares[0]:.2%} of {len(lines)}, branches {shares[1]:.2%} of {len(branches)}")
    return int(min(shares) < LEAST)


if __name__ == "__main__":
    sys.exit(main())
