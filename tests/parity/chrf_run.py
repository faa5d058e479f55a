"""Compares sacreBLEU, the Python mirror and the contract for chrF on as many items as asked for.

    python tests/parity/chrf_run.py --pairs 20000 --seed 1

Runs pairs of the test data (all of them, or half of the number), pairs of two grammars for the rest of it, half as many random
totals, every Unicode scalar value, and all short strings of the bytes where UTF-8 has its edges. Stops at a hundred mismatches,
prints ten, and exits with 1 if there is one.
"""

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from parity import chrf_compare, chrf_texts, texts
from parity.chrf_evm import ChrfEvm, chrf_anvil
from parity.compare import Mismatch


def drawn(seed: int) -> Iterator[tuple[bytes, bytes]]:
    """Pairs of the grammar of characters and of that of words, by turns."""
    for character_pair, word_pair in zip(chrf_texts.pairs(seed), texts.pairs(seed), strict=False):
        yield character_pair
        yield word_pair


def shifted() -> Iterator[tuple[bytes, bytes]]:
    """Every character in a pair: each text against itself without its first byte."""
    return ((text[1:], text) for text in chrf_texts.every_character())


def run(evm: ChrfEvm, pairs: int, seed: int, exhaustive: bool = True) -> tuple[dict[str, int], list[Mismatch]]:
    """Counts by kind, and what differed."""
    rng = random.Random(seed)
    found: list[Mismatch] = []
    counts: dict[str, int] = {}
    data = list(texts.data_pairs())
    data = rng.sample(data, min(len(data), pairs // 2))

    def pairs_of(batch: list[tuple[bytes, bytes]]) -> list[Mismatch]:
        return chrf_compare.compare_pairs(evm, batch, rng.getrandbits(256))

    jobs: list[tuple[str, Iterable[object], Callable[..., list[Mismatch]]]] = [
        ("data pairs", data, pairs_of),
        ("grammar pairs", itertools.islice(drawn(seed), pairs - len(data)), pairs_of),
        ("pairs around one word", chrf_texts.around_one_word(), pairs_of),
        (
            "scores",
            (chrf_texts.statistics(rng) for _ in range(pairs // 2)),
            lambda batch: chrf_compare.compare_scores(evm, batch),
        ),
    ]
    if exhaustive:
        texts_of_all = itertools.chain(chrf_texts.every_character(), chrf_texts.endings(), chrf_texts.every_short_string())
        jobs.append(("pairs of all characters", shifted(), pairs_of))
        jobs.append(
            ("texts of all edges and characters", texts_of_all, lambda batch: chrf_compare.compare_characters(evm, batch))
        )
    for name, items, check in jobs:
        counts[name] = 0
        iterator = iter(items)
        while batch := list(itertools.islice(iterator, 1000)):
            found += check(batch)
            counts[name] += len(batch)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{name}: {counts[name]:,}, mismatches so far {len(found)}   ")
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
    with chrf_anvil() as evm:
        counts, found = run(evm, arguments.pairs, arguments.seed)
    for mismatch in found[:10]:
        sys.stdout.writelines(f"  {name}: {value!r}\n" for name, value in mismatch._asdict().items())
    compared = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    sys.stdout.write(f"{compared}; seed {arguments.seed}; {len(found)} mismatches; {time.monotonic() - started:.0f} s\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
