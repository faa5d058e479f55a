"""`make audit`: slither without an unexplained finding, then halmos without a counterexample.

Explanations are rows of README.md beside this file: detector, place, why. A finding without its row fails, and so does a row
without its finding.
"""

import fnmatch
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build/audit"
TABLE = Path(__file__).with_name("README.md")
TOOLS = Path(sys.executable).parent
FORGE = ROOT / "node_modules/@foundry-rs/forge-linux-amd64/bin"
SOLC = "0.8.30"
SOLVERS = ("yices", "z3")
SOLVER_MILLISECONDS = 120_000


class Finding(NamedTuple):
    """A detector of slither and the place where it spoke, without lines, which move."""

    check: str
    where: str


def explained() -> set[Finding]:
    """The rows of the table; a place may end in `*`."""
    rows = re.findall(r"^\| `([\w-]+)` \| `([^`]+)` \| .+ \|$", TABLE.read_text("utf-8"), re.MULTILINE)
    return {Finding(check, where) for check, where in rows}


def found(report: dict[str, Any]) -> Iterator[Finding]:
    """The findings of a report of slither's."""
    for result in report["results"].get("detectors", []):
        element = result["elements"][0]
        parent = element.get("type_specific_fields", {}).get("parent", {})
        inside = f"{parent['name']}." if parent.get("type") in ("contract", "function") else ""
        yield Finding(result["check"], f"{element['source_mapping']['filename_relative']}:{inside}{element['name']}"[:120])


def differences(ours: set[Finding], theirs: Iterable[Finding]) -> list[str]:
    """What slither found and nobody explained, and what is explained and was not found."""
    there = set(theirs)
    new = {finding for finding in there if not any(_covers(row, finding) for row in ours)}
    gone = {row for row in ours if not any(_covers(row, finding) for finding in there)}
    told = [f"not explained: {check} at {where}" for check, where in sorted(new)]
    return told + [f"explained, and not found any more: {check} at {where}" for check, where in sorted(gone)]


def _covers(row: Finding, finding: Finding) -> bool:
    return row.check == finding.check and fnmatch.fnmatchcase(finding.where, row.where)


def say(lines: Iterable[str]) -> None:
    """Lines on standard output, at once."""
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def run(words: list[str | Path], **environment: str) -> subprocess.CompletedProcess[str]:
    """A tool's run in the repository, with forge on its PATH."""
    path = os.pathsep.join([str(FORGE), str(TOOLS), os.environ["PATH"]])
    settings = {**os.environ, "PATH": path, **environment}
    return subprocess.run([str(word) for word in words], cwd=ROOT, env=settings, capture_output=True, text=True, check=False)


def syntax_trees(folder: Path) -> None:
    """Writes what slither reads of a build: syntax trees and interfaces. No code is made: that is what takes time."""
    paths = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "contracts").rglob("*.sol"))
    selection = {"": ["ast"], "*": ["abi", "evm.methodIdentifiers", "userdoc", "devdoc"]}
    request = {
        "language": "Solidity",
        "sources": {path: {"content": (ROOT / path).read_text("utf-8")} for path in paths},
        "settings": {"evmVersion": "cancun", "outputSelection": {"*": selection}},
    }
    words = [str(ROOT / "scripts/solc"), "--standard-json"]
    ran = subprocess.run(words, cwd=ROOT, input=json.dumps(request), capture_output=True, text=True, check=True)
    output = json.loads(ran.stdout)
    for contract in (contract for file in output["contracts"].values() for contract in file.values()):
        for code in ("bytecode", "deployedBytecode"):
            contract["evm"][code] = {"object": "", "sourceMap": ""}
    folder.mkdir(parents=True, exist_ok=True)
    built = {"solcVersion": SOLC, "input": request, "output": output}
    (folder / "contracts.json").write_text(json.dumps(built), "utf-8")


def slither() -> list[str]:
    """What is wrong with slither's findings."""
    report = BUILD / "slither.json"
    syntax_trees(BUILD / "trees")
    report.unlink(missing_ok=True)
    words = [TOOLS / "slither", ".", "--ignore-compile", "--foundry-build-info-directory", BUILD / "trees"]
    ran = run([*words, "--json", report, "--filter-paths", "node_modules|tests"])
    if not report.is_file():
        return [ran.stderr[-2000:]]
    return differences(explained(), found(json.loads(report.read_text("utf-8"))))


def halmos() -> list[str]:
    """What halmos could not prove, by one solver or the other: what takes one of them minutes takes the other a second."""
    wanted = re.findall(r"function (check_\w+)", "".join(path.read_text() for path in (ROOT / "tests/halmos").glob("*.sol")))
    missing, last = wanted, ""
    for solver in SOLVERS:
        for name in ["check_"] if missing == wanted else missing:
            proven, last = prove(name, solver)
            say(f"  proven by {solver}: {found}" for found in proven)
            missing = [name for name in missing if name not in proven]
    return [f"not proven: {name}" for name in missing] + ([last] if missing else [])


def prove(names: str, solver: str) -> tuple[list[str], str]:
    """Those of the checks whose names begin so that are proven, and the end of what halmos told."""
    out, cache = str(BUILD / "halmos"), str(BUILD / "halmos-cache")
    folders = {"FOUNDRY_SRC": "tests/halmos", "FOUNDRY_TEST": "tests/halmos", "FOUNDRY_OUT": out, "FOUNDRY_CACHE_PATH": cache}
    words = [TOOLS / "halmos", "--forge-build-out", out, "--function", names, "--loop", "8", "--solver", solver]
    ran = run([*words, "--solver-timeout-assertion", str(SOLVER_MILLISECONDS)], FOUNDRY_VIA_IR="false", **folders)
    return re.findall(r"\[PASS\] (check_\w+)", re.sub(r"\x1b\[[\d;]*m", "", ran.stdout)), (ran.stdout + ran.stderr)[-3000:]


def main() -> int:
    """Both, with their times; 1 where something is wrong."""
    wrong = []
    for tool in (slither, halmos):
        began = time.monotonic()
        told = tool()
        say([f"{tool.__name__}: {len(told)} problems, {time.monotonic() - began:.0f} s"])
        wrong += told
    say(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
