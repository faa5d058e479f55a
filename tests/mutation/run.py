"""Changes the metric contracts token by token and asks whether anybody would notice.

    python tests/mutation/run.py --metric ExactMatch
    python tests/mutation/run.py --metric Bleu --sample 200 --seed 1

Every mutant is compiled with the harness of the parity tests and asked a fixed list of questions, whose answers the mirrors know,
until one tells it apart. What survives must stand in the table of `README.md` with the reason why it gives no other result; any
other survivor, and any row that no mutant needs, ends the run with 1.

Verdicts are kept in `--results`, one line each, as they come: a run that is broken off goes on where it was. A verdict holds as
long as all sources are the same and, if a question has told the mutant apart, this question is still asked; if none has, the
mutant is asked what it has not been asked before. Delete the folder for a run from nothing.
"""

import argparse
import hashlib
import json
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence, Set
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

# What becomes of a mutant.
NOTICED, GAS, ALIVE, REFUSED, SAME = "noticed", "noticed by gas alone", "equivalent", "not compiled", "of the same code"


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

    def compile(self, sources: dict[str, str], contracts: Sequence[str], via_ir: bool) -> dict[str, str]:
        """Runtime codes of the contracts, which the paths of their files stand for; none where the sources do not compile."""
        names = [(path, Path(path).stem) for path in contracts]
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"sources": sources, "contracts": names, "viaIR": via_ir}) + "\n")
        self._process.stdin.flush()
        codes: dict[str, str] = json.loads(self._process.stdout.readline())["codes"]
        return {path: codes[name] for path, name in names if name in codes}


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


def sources_of(*paths: str) -> dict[str, str]:
    """The sources at these paths and all that they need, by their paths."""
    found: dict[str, str] = {}

    def read(path: Path) -> None:
        name = str(path.resolve().relative_to(ROOT))
        if name not in found:
            found[name] = path.read_text()
            for imported in re.findall(r'from "([^"]+)"', found[name]):
                read(path.parent / imported)

    for path in paths:
        read(ROOT / path)
    return found


class Court:
    """A metric and its harness in an EVM, whose code is replaced by that of one mutant after another."""

    def __init__(self, name: str, evm: Evm, solc: Compiler) -> None:
        self._target, self._evm, self._solc = TARGETS[name], evm, solc
        self._places = {
            f"{METRICS}/{name}.sol": jury.METRIC,
            f"{HARNESSES}/{self._target.harness}.sol": jury.HARNESS,
        }
        self.sources = sources_of(*self._places)
        self._needs = {path: sources_of(path) for path in self._places}
        self._original = self._solc.compile(self.sources, list(self._places), self._target.via_ir)
        self._place(self._original)
        self.questions = [*jury.JURIES[name](thorough=False), *jury.JURIES[name](thorough=True)]
        self._limits = jury.limits(evm, self.questions)

    def mutants(self) -> list[Mutant]:
        """All mutants, in the order of the texts."""
        return [mutant for file in self._target.files for mutant in mutants(file, self.sources[f"{METRICS}/{file}"])]

    def changed(self, mutant: Mutant) -> dict[str, str]:
        """All sources, with the change."""
        path = f"{METRICS}/{mutant.file}"
        return self.sources | {path: mutant.applied(self.sources[path])}

    def verdict(self, mutant: Mutant, passed: Set[str]) -> tuple[str, str]:
        """What becomes of a mutant that has passed the questions of these digests, and the digest of what tells it apart."""
        affected = [path for path, needs in self._needs.items() if f"{METRICS}/{mutant.file}" in needs]
        codes = self._solc.compile(self.changed(mutant), affected, self._target.via_ir)
        if not codes:
            return REFUSED, ""
        codes = self._original | codes
        if all(_runtime(codes[path]) == _runtime(self._original[path]) for path in codes):
            return SAME, ""
        self._place(codes)
        for question, gas in zip(self.questions, self._limits, strict=True):
            if question.digest() not in passed and jury.notices(self._evm, question, gas):
                return GAS if question.about_gas() else NOTICED, question.digest()
        return ALIVE, ""

    def _place(self, codes: dict[str, str]) -> None:
        for path, code in codes.items():
            self._evm._request("anvil_setCode", [self._places[path], "0x" + code])


def _runtime(code: str) -> str:
    """Code without what the compiler appends, whose last two bytes are its length: it holds a hash of the sources."""
    return code[: -2 * (int(code[-4:], 16) + 2)]


class Results:
    """Verdicts of earlier runs, and the digests of the questions asked by each, in a file to which new ones are appended."""

    def __init__(self, path: Path, questions: Sequence[jury.Question]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+", encoding="utf-8")
        self._file.seek(0)
        lines = [json.loads(line) for line in self._file.read().splitlines()]
        self._known = {line["mutant"]: line for line in lines if "mutant" in line}
        self._juries = {line["jury"]: frozenset(line["asked"]) for line in lines if "jury" in line}
        self._asked = {what: {q.digest() for q in questions if q.about_gas() == (what == GAS)} for what in (NOTICED, GAS)}
        every = sorted(self._asked[NOTICED] | self._asked[GAS])
        self._jury = _digest(every)
        if self._jury not in self._juries:
            self._juries[self._jury] = frozenset(every)
            self._write({"jury": self._jury, "asked": every})

    def recall(self, mutant: str) -> tuple[str, Set[str]]:
        """What became of the mutant of this digest, or "" if it has to be asked; and the questions that it has passed before."""
        line = self._known.get(mutant, {"what": "", "by": ""})
        what: str = line["what"]
        passed = self._juries.get(line["by"], frozenset()) if what == ALIVE else frozenset()
        holds = passed >= self._juries[self._jury] if what == ALIVE else line["by"] in self._asked.get(what, {line["by"]})
        return (what if holds else ""), passed

    def keep(self, mutant: str, what: str, by: str) -> None:
        """Writes a verdict down."""
        self._write({"mutant": mutant, "what": what, "by": by or self._jury})

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


class Row(NamedTuple):
    """What a row of the table names: no line number, which every other change would move."""

    place: str
    marked: str
    other: str


def explained(readme: str) -> set[Row]:
    """The rows of the table of survivors, one for each of the changes that a row of the text lists."""
    lines = re.findall(r"^\| `([\w.#]+)` \| `(.+?)` \| (`.*?`) \| .+ \|$", readme, re.MULTILINE)
    return {Row(place, _plain(marked), _plain(other)) for place, marked, others in lines for other in others[1:-1].split("`, `")}


def _plain(cell: str) -> str:
    return cell.replace("\\|", "|")


def row_of(mutant: Mutant) -> Row:
    """The row that explains a mutant."""
    return Row(mutant.place, mutant.marked(), mutant.other or "(nothing)")


def verdicts(metric: str, folder: Path, sample: int | None, seed: int) -> Iterator[tuple[Mutant, str]]:
    """What becomes of every mutant of a metric, or of a sample."""
    with anvil() as evm, compiler() as solc:
        court = Court(metric, evm, solc)
        every = court.mutants()
        if sample is not None and sample < len(every):
            every = random.Random(seed).sample(every, sample)
        results = Results(folder / f"{metric}.jsonl", court.questions)
        for tried, mutant in enumerate(every, 1):
            digest = _digest([metric, (FOLDER / "compiler.cjs").read_text(), court.changed(mutant)])
            what, passed = results.recall(digest)
            if not what:
                what, by = court.verdict(mutant, passed)
                results.keep(digest, what, by)
            if sys.stderr.isatty() or tried % 100 == 0:
                sys.stderr.write(f"\r{metric}: {tried} of {len(every)}   ")
                sys.stderr.flush()
            yield mutant, what


def examine(metric: str, folder: Path, sample: int | None, seed: int) -> int:
    """Prints what is not explained and one line of summary; returns how many rows are missing or too many."""
    started, counts, alive = time.monotonic(), Counter[str](), set()
    known = explained((FOLDER / "README.md").read_text())
    for mutant, what in verdicts(metric, folder, sample, seed):
        counts[what] += 1
        if what == ALIVE:
            alive.add(row_of(mutant))
            if row_of(mutant) not in known:
                cells = " | ".join("`" + part.replace("|", "\\|") + "`" for part in row_of(mutant))
                sys.stdout.write(f"| {cells} |  |\n")
                sys.stdout.flush()
    places = {file[:-4] for file in TARGETS[metric].files}
    stale = {row for row in known if re.split("[.#]", row.place)[0] in places} - alive if sample is None else set()
    for row in sorted(stale):
        sys.stdout.write(f"no mutant needs the row {row}\n")
    told = ", ".join(f"{counts[what]:,} {what}" for what in (NOTICED, GAS, ALIVE, REFUSED, SAME) if counts[what])
    sys.stdout.write(f"{metric}: {counts.total():,} mutants: {told}; {time.monotonic() - started:.0f} s\n")
    return len(alive - set(known)) + len(stale)


def main() -> int:
    """Reads the arguments and examines each metric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metric", action="append", choices=sorted(TARGETS), help="Default: all of them.")
    parser.add_argument("--sample", type=int, help="So many mutants of each metric, drawn by --seed. Default: all.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=ROOT / ".build/mutation", help="Where verdicts are kept.")
    arguments = parser.parse_args()
    metrics = arguments.metric or sorted(TARGETS)
    wrong = [examine(metric, arguments.results, arguments.sample, arguments.seed) for metric in metrics]
    return 1 if any(wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
