"""Kills agent, gateways and chain at every point of a round, and tells what came of it.

    python tests/crash/run.py            a named slice
    python tests/crash/run.py --all      everything; `--resume` goes on with what an interrupted run left
    python tests/crash/run.py --only "agent before commit 7"

A line for each case goes to `results.jsonl` in --out; a table and a picture (`crash.svg`) come at the end. Ends with 1 if any
case failed.
"""

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2] / "scripts")]

from crash import ground, report
from crash.cases import Points, all_cases, plain_cases, slice_of
from crash.cast import Case, Failed
from crash.evidence import Evidence, compared, gather
from crash.ground import Citizen
from crash.nursery import Nursery
from crash.play import AGENT, Play
from crash.points import read_trace
from crash.report import Result

JOBS = 3
RESULTS, PLAIN = "results.jsonl", "plain.json"


@dataclass(frozen=True)
class Plain:
    """What the undisturbed rounds gave: the end that all must reach, seconds, and the traces that name the points."""

    evidence: Evidence
    seconds: float
    agent: Points
    steps: Points
    gateways: Mapping[str, Points]
    posting: Mapping[str, Points]


class Runner:
    """Plays cases in a folder. Folders of cases that failed stay."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.folder, self.base, self.nursery = folder, folder / "ground", nursery
        self._lock = threading.Lock()
        self._numbers = 0

    def prepare(self) -> Plain:
        """The ground and the undisturbed rounds, or what an earlier run left of them."""
        kept = self.folder / PLAIN
        if kept.exists():
            told = json.loads(kept.read_text())
            return Plain(Evidence(**told.pop("evidence")), **told)
        self.base.mkdir(parents=True)
        ground.prepare(self.base, self.nursery)
        cases = plain_cases()
        folders = [self._folder() for _ in cases]
        with ThreadPoolExecutor(len(cases)) as pool:
            ended = list(pool.map(self._play, cases, folders))
        first, seconds, _ = ended[0]
        traces: dict[str, dict[str, Points]] = {}
        for case, folder, (evidence, _, _) in zip(cases, folders, ended, strict=True):
            if faults := [*evidence.faults, *compared(case, evidence, first)]:
                raise Failed(f"{case.name}: {faults}")
            traces[case.name] = {name: read_trace(folder / f"{name}.trace") for name in (AGENT, *ground.PROVIDERS)}
            shutil.rmtree(folder)
        gateways, posting = ({name: traces[which][name] for name in ground.PROVIDERS} for which in ("plain", "plain withheld"))
        plain = Plain(first, seconds, traces["plain"][AGENT], traces["plain steps"][AGENT], gateways, posting)
        kept.write_text(json.dumps(asdict(plain)))
        return plain

    def play(self, case: Case, plain: Plain) -> Result:
        """One case, whatever happens in it."""
        folder = self._folder()
        began = time.monotonic()
        where = ""
        try:
            evidence, seconds, deaths = self._play(case, folder, plain.seconds)
            faults, died = (*evidence.faults, *compared(case, evidence, plain.evidence)), deaths.get(case.victim, 0)
            where = _where(folder, case)
        except Exception as error:  # noqa: BLE001 - a defect anywhere is a result
            told = str(error) if isinstance(error, Failed) else traceback.format_exc()
            faults, seconds, died = (told[-3000:],), time.monotonic() - began, -1
        wanted = len(case.ends) + len(case.moments)
        outcome = "failed" if faults else "sound" if died >= wanted else "not reached"
        if not faults:
            shutil.rmtree(folder)
        return Result(case.name, case.victim, where, round(seconds, 1), outcome, list(faults), str(folder) if faults else "")

    def _play(self, case: Case, folder: Path, span: float = 0.0) -> tuple[Evidence, float, Mapping[str, int]]:
        with Play(case, self.base, folder, self.nursery, span) as play:
            played = play.run()
            reader = Citizen(play.scene, ground.READER)
            words = ("--json", "verify", "0x" + played.round.hex(), "--store", folder / ground.EXAMINER / "store")
            evidence = gather(case, played, lambda: self.nursery.run(words, reader.env, folder)[0])
            return evidence, played.seconds, played.deaths

    def _folder(self) -> Path:
        with self._lock:
            self._numbers += 1
            return self.folder / f"case-{self._numbers}-{time.time_ns() % 10**6}"


def run(folder: Path, *, everything: bool, only: str = "", jobs: int = JOBS) -> list[Result]:
    """Play and write down; results of an earlier run in the same folder are kept, and not played again."""
    with Nursery() as nursery:
        runner = Runner(folder, nursery)
        began = time.monotonic()
        plain = runner.prepare()
        cases = all_cases(plain.agent, plain.steps, plain.gateways, plain.posting)
        if only:
            cases = [case for case in cases if only in case.name]
        elif not everything:
            cases = slice_of(cases, plain.agent)
        report.say(
            f"{report.counted(plain.agent, plain.steps, plain.gateways, plain.posting)}\n{len(cases)} cases, {jobs} at a time"
        )
        results = {result.name: result for result in _earlier(folder / RESULTS)}
        left = [case for case in cases if case.name not in results]
        with ThreadPoolExecutor(jobs) as pool, (folder / RESULTS).open("a") as out:
            playing = [pool.submit(runner.play, case, plain) for case in left]
            for done, future in enumerate(as_completed(playing), 1):
                result = future.result()
                results[result.name] = result
                out.write(json.dumps(asdict(result)) + "\n")
                out.flush()
                report.say(f"{done:>4}/{len(left)} {time.monotonic() - began:6.0f} s  {report.line(result)}")
        return [results[case.name] for case in cases]


def _earlier(path: Path) -> Iterator[Result]:
    if path.exists():
        for line in path.read_text().splitlines():
            result = Result(**json.loads(line))
            if result.outcome != "failed":
                yield result


def _where(folder: Path, case: Case) -> str:
    """What the victim was about when it died."""
    died = [f"{point['died']} {point['what']}" for point in read_trace(folder / f"{case.victim}.trace") if "died" in point]
    return ", then ".join(died)


def main(words: Sequence[str] | None = None) -> int:
    """The program."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every point and moment, not only the slice")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"cases at a time (default {JOBS})")
    parser.add_argument("--out", type=Path, help="folder for results and for what failed; default: a new temporary one")
    parser.add_argument("--resume", action="store_true", help="go on in --out; otherwise it is emptied first")
    chosen = parser.parse_args(words)
    folder = chosen.out or Path(tempfile.mkdtemp(prefix="assay-crash-"))
    if chosen.out and chosen.out.exists() and not chosen.resume:
        shutil.rmtree(chosen.out)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    results = run(folder.resolve(), everything=chosen.all or bool(chosen.only), only=chosen.only, jobs=chosen.jobs)
    report.write(results, folder, time.monotonic() - began)
    return 1 if any(result.outcome == "failed" for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
