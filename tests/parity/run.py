"""Compares sacreBLEU, the Python mirrors and the contracts in an EVM on as many items as asked for.

    python tests/parity/run.py --metric bleu --metric chrf --pairs 200000 --seed 1

For each metric: every pair of the test data, every pair of short strings over small alphabets, pairs around the positions that
a word holds (and, of BLEU, a lane), every Unicode scalar value, pairs of the grammars until `--pairs` are reached, half as many
random totals and those of `brinks.py`; and what the tokenizer or the decoder makes of all short strings of the pieces in which
its rules meet. With fewer `--pairs` the data and the short strings are sampled. Stops at a hundred mismatches, prints ten, and
exits with 1 if there is one.
"""

import argparse
import itertools
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from parity import brinks, chrf_compare, chrf_texts, compare, texts
from parity.chrf_evm import ChrfEvm, chrf_anvil
from parity.compare import Mismatch

Pair = tuple[bytes, bytes]
ENOUGH = 100
BATCH = 2000


class Job(NamedTuple):
    """What is compared, and how."""

    name: str
    items: Iterable[Any]
    check: Callable[[list[Any]], list[Mismatch]]


def drawn(seed: int) -> Iterator[Pair]:
    """Pairs of the grammar of characters and of that of words, by turns."""
    for character_pair, word_pair in zip(chrf_texts.pairs(seed), texts.pairs(seed), strict=False):
        yield character_pair
        yield word_pair


def shifted() -> Iterator[Pair]:
    """Every character in a pair: each text against itself without its first byte."""
    return ((text[1:], text) for text in chrf_texts.every_character())


def bleu_jobs(evm: ChrfEvm, pairs: int, seed: int) -> Iterator[Job]:
    """All comparisons of BLEU."""
    rng = random.Random(seed)

    def check(batch: list[Pair]) -> list[Mismatch]:
        return compare.compare_pairs(evm.evm, batch, rng.getrandbits(256))

    strings = itertools.chain(texts.exhaustive(), texts.aimed())
    yield Job("token lists", strings, lambda batch: compare.compare_tokens(evm.evm, batch))
    yield Job("token lists of all characters", texts.every_character(), lambda batch: compare.compare_tokens(evm.evm, batch))
    around = itertools.chain(texts.long_pairs(), itertools.islice(texts.lane_pairs(seed), pairs // 10))
    yield from _pairs(rng, pairs, texts.short_pairs(), around, texts.pairs(seed), check)
    totals = itertools.chain(brinks.read()[0], (texts.statistics(rng) for _ in range(pairs // 2)))
    yield Job("scores", totals, lambda batch: compare.compare_scores(evm.evm, batch))


def chrf_jobs(evm: ChrfEvm, pairs: int, seed: int) -> Iterator[Job]:
    """All comparisons of chrF."""
    rng = random.Random(seed)

    def check(batch: list[Pair]) -> list[Mismatch]:
        return chrf_compare.compare_pairs(evm, batch, rng.getrandbits(256))

    strings = itertools.chain(chrf_texts.every_character(), chrf_texts.endings(), chrf_texts.every_short_string(), texts.placed())
    yield Job("character lists", strings, lambda batch: chrf_compare.compare_characters(evm, batch))
    yield Job("pairs of all characters", shifted(), check)
    around = itertools.chain(chrf_texts.around_one_word(), chrf_texts.alike(rng))
    yield from _pairs(rng, pairs, chrf_texts.short_pairs(), around, drawn(seed), check)
    totals = itertools.chain(brinks.read()[1], (chrf_texts.statistics(rng) for _ in range(pairs // 2)))
    yield Job("scores", totals, lambda batch: chrf_compare.compare_scores(evm, batch))


def _pairs(
    rng: random.Random,
    pairs: int,
    short: Iterator[Pair],
    long: Iterator[Pair],
    grammar: Iterator[Pair],
    check: Callable[[list[Any]], list[Mismatch]],
) -> Iterator[Job]:
    data, strings, around = list(texts.data_pairs()), list(short), list(long)
    data = rng.sample(data, min(len(data), pairs // 2))
    strings = rng.sample(strings, min(len(strings), pairs // 4))
    yield Job("pairs around one word", around, check)
    yield Job("data pairs", data, check)
    yield Job("pairs of short strings", strings, check)
    yield Job("grammar pairs", itertools.islice(grammar, max(pairs - len(data) - len(strings), 0)), check)


JOBS = {"bleu": bleu_jobs, "chrf": chrf_jobs}


def run(jobs: Iterable[Job]) -> tuple[dict[str, int], list[Mismatch]]:
    """Counts by kind, and what differed."""
    found: list[Mismatch] = []
    counts: dict[str, int] = {}
    for job in jobs:
        counts[job.name] = 0
        iterator = iter(job.items)
        while batch := list(itertools.islice(iterator, BATCH)):
            found += job.check(batch)
            counts[job.name] += len(batch)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{job.name}: {counts[job.name]:,}, mismatches so far {len(found)}   ")
                sys.stderr.flush()
            if len(found) >= ENOUGH:
                return counts, found
    return counts, found


def main() -> int:
    """Reads the arguments, prints one line of summary for each metric."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--metric", action="append", choices=sorted(JOBS), help="Default: all of them.")
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = False
    with chrf_anvil() as evm:
        for metric in arguments.metric or sorted(JOBS):
            started = time.monotonic()
            counts, found = run(JOBS[metric](evm, arguments.pairs, arguments.seed))
            failed |= bool(found)
            for mismatch in found[:10]:
                sys.stdout.writelines(f"  {name}: {value!r}\n" for name, value in mismatch._asdict().items())
            compared = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            seconds = time.monotonic() - started
            sys.stdout.write(f"{metric}: {compared}; seed {arguments.seed}; {len(found)} mismatches; {seconds:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
