"""A whole audit against sacreBLEU alone, in one run: the same 50,000 pairs, from the start of each process to its end.

    python bench/audit.py [--items 10000] [--versions 5] [--workers 2] [--repeat 3]

The round of `made_round.py` is made once and kept under .build. The audit is `verify(facts, bundle)` with so many processes:
the bundle's digest, every signature, every leaf, all trees, statistics and scores. sacreBLEU scores the same pairs with
`sacrebleu.corpus_bleu`, version by version, in one process. Both are started anew, by turns, and the best of the repeats counts:
a machine that others use makes times longer and never shorter. Memory is that of all processes of a kind together.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CACHE, PACKAGE = ROOT / ".build" / "rounds", ROOT / "src" / "assay"
SAMPLE = 0.02  # seconds between two looks at the memory
PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    """One process with its children: wall-clock and CPU seconds, and the largest memory of all together in bytes."""

    wall: float
    cpu: float
    memory: int


def audit(folder: Path, workers: int) -> None:
    """The audit, in so many processes."""
    import pickle

    from assay.audit.verify import verify
    from assay.cli.workers import processes
    from assay.storage.bundle import Bundle

    facts = pickle.loads((folder / "facts.pickle").read_bytes())  # noqa: S301 - written by this program
    with processes(workers) as executor:
        report = verify(facts, Bundle(folder / "bundle"), executor=executor)
    print(report.exit_code, *(row.recomputed for row in report.scores))


def sacrebleu(folder: Path, versions: int) -> None:
    """sacreBLEU's corpus score of each version."""
    import sacrebleu

    references = (folder / "references.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    for version in range(versions):
        hypotheses = (folder / f"{version}.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
        print(sacrebleu.corpus_bleu(hypotheses, [references]).score)


def measure(arguments: list[str]) -> tuple[Measured, str]:
    """Runs this program with other arguments in a process of its own."""
    before, started = os.times(), time.perf_counter()
    with subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True) as process:
        most = [0]
        watcher = threading.Thread(target=_watch, args=(process, most), daemon=True)
        watcher.start()
        output, _ = process.communicate()
        wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(process.returncode)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(wall, cpu, most[0]), output


def _watch(process: subprocess.Popen[str], most: list[int]) -> None:
    while process.poll() is None:
        most[0] = max(most[0], _resident(process.pid))
        time.sleep(SAMPLE)


def _resident(pid: int) -> int:
    """Resident memory of a process and all its descendants; pages that they share count for each."""
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return own + sum(_resident(int(child)) for child in children)


def folder_of(items: int, versions: int) -> Path:
    """Folder of a round; another one once what it is made by, or what the chain tells, has changed."""
    sources = (Path(__file__).with_name("made_round.py"), PACKAGE / "audit" / "facts.py", PACKAGE / "types.py")
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    return CACHE / f"{items}x{versions}-{digest[:8]}"


def made(items: int, versions: int) -> Path:
    """Folder of the round, made if it is not there."""
    from concurrent.futures import ProcessPoolExecutor

    from made_round import write_round

    folder = folder_of(items, versions)
    if not folder.is_dir():
        print(f"making a round of {items:,} items and {versions} versions, once", file=sys.stderr)
        scratch = folder.with_suffix(".part")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with ProcessPoolExecutor(os.cpu_count()) as executor:
            write_round(scratch, items, versions, executor)
        scratch.rename(folder)
    return folder


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--versions", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", choices=["audit", "sacrebleu"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    folder = folder_of(chosen.items, chosen.versions)
    if chosen.only == "audit":
        audit(folder, chosen.workers)
    elif chosen.only == "sacrebleu":
        sacrebleu(folder, chosen.versions)
    else:
        made(chosen.items, chosen.versions)
        compare(chosen)


def compare(chosen: argparse.Namespace) -> None:
    """Runs both by turns."""
    common = [f"--items={chosen.items}", f"--versions={chosen.versions}", f"--workers={chosen.workers}"]
    best: dict[str, Measured] = {}
    for _ in range(chosen.repeat):
        for name in ("audit", "sacrebleu"):
            found, output = measure([*common, "--only", name])
            best[name] = min(best.get(name, found), found)
            figures = f"{found.wall:7.2f} s  {found.cpu:7.2f} s of CPU  {found.memory / 2**20:6.0f} MiB"
            print(f"{name:10} {figures}  {' '.join(output.split())}", flush=True)
    wall, cpu = (best["audit"][column] / best["sacrebleu"][column] for column in (0, 1))
    what = f"{chosen.items:,} items, {chosen.versions} versions, {chosen.workers} workers"
    print(f"{what}: audit / sacreBLEU = {wall:.2f} by the clock, {cpu:.2f} of CPU")


if __name__ == "__main__":
    main()
