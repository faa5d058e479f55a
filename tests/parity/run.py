"""Compares sacreBLEU, the Python mirror and the contracts on as many items as asked for.

    python tests/parity/run.py --pairs 20000 --seed 1

Runs the exhaustive token lists, pairs around 256 tokens, pairs of the test data (all of them, or half of the number), pairs of
the grammar for the rest, and half as many random totals. Stops at a hundred mismatches, prints ten, and then exits with 1.
"""

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from parity import compare, texts
from parity.evm import Evm, anvil


def run(evm: Evm, pairs: int, seed: int) -> tuple[dict[str, int], list[compare.Mismatch]]:
    """Counts by kind, and what differed."""
    rng = random.Random(seed)
    found: list[compare.Mismatch] = []
    counts: dict[str, int] = {}
    data = list(texts.data_pairs())
    data = rng.sample(data, min(len(data), pairs // 2))
    grammar = itertools.islice(texts.pairs(seed), pairs - len(data))
    totals = (texts.statistics(rng) for _ in range(pairs // 2))
    jobs: list[tuple[str, Iterable[object], Callable[..., list[compare.Mismatch]]]] = [
        ("token lists", texts.exhaustive(), lambda batch: compare.compare_tokens(evm, batch)),
        ("pairs around 256 tokens", texts.long_pairs(), lambda batch: compare.compare_pairs(evm, batch, rng.getrandbits(256))),
        ("data pairs", data, lambda batch: compare.compare_pairs(evm, batch, rng.getrandbits(256))),
        ("grammar pairs", grammar, lambda batch: compare.compare_pairs(evm, batch, rng.getrandbits(256))),
        ("scores", totals, lambda batch: compare.compare_scores(evm, batch)),
    ]
    for name, items, check in jobs:
        counts[name] = 0
        iterator = iter(items)
        while batch := list(itertools.islice(iterator, 2000)):
            found += check(batch)
            counts[name] += len(batch)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{name}: {counts[name]:,}, mismatches so far {len(found)}   ")
                sys.stderr.flush()
            if len(found) >= 100:
                return counts, found
    return counts, found


def main() -> int:
    """Reads the arguments, prints one line of summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    started = time.monotonic()
    with anvil() as evm:
        counts, found = run(evm, arguments.pairs, arguments.seed)
    for mismatch in found[:10]:
        sys.stdout.writelines(f"  {name}: {value!r}\n" for name, value in mismatch._asdict().items())
    compared = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    sys.stdout.write(f"{compared}; seed {arguments.seed}; {len(found)} mismatches; {time.monotonic() - started:.0f} s\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
