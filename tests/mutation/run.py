"""Changes the metric contracts token by token and asks whether anybody would notice.

    python tests/mutation/run.py --metric ExactMatch
    python tests/mutation/run.py --metric Bleu --sample 200 --seed 1

Every mutant is compiled with the harness of the parity tests and asked a fixed set of questions, whose answers the mirrors know;
one that no question tells apart is asked eight times as many. What survives must stand in the table of `README.md` with the
reason why it gives no other result; any other survivor, and any row that no mutant needs, ends the run with 1.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mutation import jury
from mutation.mutants import Mutant, mutants
from parity.evm import ROOT, Evm, anvil

FOLDER = Path(__file__).resolve().parent
METRICS = "contracts/metrics"
HARNESSES = "tests/forge/metrics"


class Target(NamedTuple):
    """A metric: the files that are mutated, the harness that asks it, and whether it compiles by the old code generator."""

    files: tuple[str, ...]
    harness: str
    via_ir: bool


TARGETS = {
    "Bleu": Target(("Bleu.sol", "Tokenizer13a.sol", "NgramOverlap.sol"), "BatchMeasure", False),
    "Chrf": Target(("Chrf.sol", "Characters.sol", "CharacterOverlap.sol"), "ChrfBatch", True),
    "ExactMatch": Target(("ExactMatch.sol",), "BatchMeasure", False),
}


class Compiler:
    """One solc that stays loaded."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def compile(self, sources: dict[str, str], metric: str, target: Target) -> dict[str, str]:
        """Runtime codes by name; empty where the sources do not compile."""
        contracts = [(f"{METRICS}/{metric}.sol", metric), (f"{HARNESSES}/{target.harness}.sol", target.harness)]
        request = {"sources": sources, "contracts": contracts, "viaIR": target.via_ir}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        codes: dict[str, str] = json.loads(self._process.stdout.readline())["codes"]
        return codes


@contextmanager
def compiler() -> Iterator[Compiler]:
    """A compiler for as long as the context lives."""
    command = ["node", str(FOLDER / "compiler.cjs")]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            yield Compiler(process)
        finally:
            process.terminate()


def sources_of(metric: str, target: Target) -> dict[str, str]:
    """All sources that the metric and its harness need, by their paths."""
    found: dict[str, str] = {}

    def read(path: Path) -> None:
        name = str(path.resolve().relative_to(ROOT))
        if name not in found:
            found[name] = path.read_text()
            for imported in re.findall(r'from "([^"]+)"', found[name]):
                read(path.parent / imported)

    read(ROOT / METRICS / f"{metric}.sol")
    read(ROOT / HARNESSES / f"{target.harness}.sol")
    return found


def explained(readme: str) -> dict[tuple[str, str, str], str]:
    """The rows of the table of survivors: (file, before, after) and the reason."""
    rows = re.findall(r"^\| `([\w.]+)` \| `(.+?)` \| `(.*?)` \| (.+) \|$", readme, re.MULTILINE)
    return {(file, before.replace("\\|", "|"), after.replace("\\|", "|")): why for file, before, after, why in rows}


def key(mutant: Mutant) -> tuple[str, str, str]:
    """What a row of the table names: no line number, which every other change would move."""
    return mutant.file, mutant.before.strip(), mutant.after.strip() or "(nothing)"


def survivors(metric: str, sample: int | None, seed: int) -> Iterator[tuple[int, int, Mutant | None]]:
    """Runs the mutants of a metric; yields (tried, of how many, the mutant if it survived)."""
    target = TARGETS[metric]
    sources = sources_of(metric, target)
    every = [mutant for file in target.files for mutant in mutants(file, sources[f"{METRICS}/{file}"])]
    if sample is not None and sample < len(every):
        every = random.Random(seed).sample(every, sample)
    brief, thorough = (list(jury.JURIES[metric](thorough=much)) for much in (False, True))
    with anvil() as evm, compiler() as solc:

        def verdict(codes: dict[str, str]) -> str:
            _place(evm, codes, metric, target)
            return jury.verdict(evm, brief) or jury.verdict(evm, thorough)

        original = solc.compile(sources, metric, target)
        if told := verdict(original):
            raise SystemExit(f"the unchanged {metric} {told}")
        for tried, mutant in enumerate(every, 1):
            name = f"{METRICS}/{mutant.file}"
            codes = solc.compile(sources | {name: mutant.applied(sources[name])}, metric, target)
            alive = bool(codes) and _runtime(codes) != _runtime(original) and not verdict(codes)
            yield tried, len(every), mutant if alive else None


def _runtime(codes: dict[str, str]) -> list[str]:
    """Codes without what the compiler appends, whose last two bytes are its length: it holds a hash of the sources."""
    return [code[: -2 * (int(code[-4:], 16) + 2)] for code in codes.values()]


def _place(evm: Evm, codes: dict[str, str], metric: str, target: Target) -> None:
    evm._request("anvil_setCode", [jury.METRIC, "0x" + codes[metric]])
    evm._request("anvil_setCode", [jury.HARNESS, "0x" + codes[target.harness]])


def main() -> int:
    """Reads the arguments, prints survivors and one line of summary for each metric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metric", action="append", choices=sorted(TARGETS), help="Default: all of them.")
    parser.add_argument("--sample", type=int, help="So many mutants of each metric, drawn by --seed. Default: all.")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    known = explained((FOLDER / "README.md").read_text())
    unknown = 0
    for metric in arguments.metric or sorted(TARGETS):
        started, total, alive = time.monotonic(), 0, set()
        for tried, total, mutant in survivors(metric, arguments.sample, arguments.seed):
            if mutant:
                alive.add(key(mutant))
                if key(mutant) not in known:
                    unknown += 1
                    row = " | ".join(f"`{part.replace('|', chr(92) + '|')}`" for part in key(mutant))
                    sys.stdout.write(f"\r| {row} |  |\n")
                    sys.stdout.flush()
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{metric}: {tried} of {total}, {len(alive)} survive   ")
        stale = {row for row in known if row[0] in TARGETS[metric].files} - alive if arguments.sample is None else set()
        unknown += len(stale)
        for row in sorted(stale):
            sys.stdout.write(f"no mutant needs the row {row}\n")
        seconds = time.monotonic() - started
        sys.stdout.write(f"{metric}: {total} mutants, {len(alive)} equivalent ones survive; {seconds:.0f} s\n")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
