"""How well the plan's half-width of an interval agrees with the bootstrap, and the two numbers that it rests on.

    python bench/half_width.py [--samples N]

For each of seven systems on NTREX-128 (1,997 sentences, 123 documents) and both metrics: sigma and rho as `assay.agent.costs`
defines them, taken from the bootstrap by sentence and by document; then sets of fewer documents and of fewer sentences a
document, each drawn three times, and the ratio of the planned half-width to the one that `assay rank` would show.
"""

import argparse
import csv
import random
from collections.abc import Iterator, Sequence
from math import sqrt
from pathlib import Path
from statistics import median
from typing import NamedTuple

from assay.agent.costs import SPREAD, Z95, half_width
from assay.agent.statistics import statistics
from assay.metrics import METRICS, Metric
from assay.rank import estimates

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
SIZES = ((123, 99), (60, 99), (20, 99), (20, 5), (60, 2), (10, 10))
DRAWS = 3


class Item(NamedTuple):
    """A sentence's words of statistics, and its document."""

    words: tuple[int, ...]
    document: str


def main() -> None:
    """Prints everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=400)
    samples = parser.parse_args().samples
    for metric in METRICS.values():
        name = metric.signature.partition("|")[0]
        if name not in SPREAD:
            continue
        found = [_report(metric, name, system, items, samples) for system, items in _systems(metric)]
        sigmas, rhos, ratios = zip(*found, strict=True)
        every = sorted(ratio for each in ratios for ratio in each)
        print(f"{name}: sigma {min(sigmas):.3f} to {max(sigmas):.3f}, median {median(sigmas):.3f}; ", end="")
        print(f"rho {min(rhos):.2f} to {max(rhos):.2f}, median {median(rhos):.2f}; shipped {SPREAD[name]}")
        print(
            f"{name}: planned / bootstrapped {every[0]:.2f} to {every[-1]:.2f}, median {median(every):.2f}, {len(every)} sets\n"
        )


def _report(metric: Metric, name: str, system: str, items: Sequence[Item], samples: int) -> tuple[float, float, list[float]]:
    apart = [f"{at}" for at in range(len(items))]
    by_item = _width(metric, items, apart, samples)
    by_document = _width(metric, items, [item.document for item in items], samples)
    sigma = by_item * sqrt(len(items)) / Z95
    mean = len(items) / len({item.document for item in items})
    rho = ((by_document / by_item) ** 2 - 1) / (mean - 1)
    ratios = []
    for documents, most in SIZES:
        for draw in range(DRAWS if documents < len({item.document for item in items}) else 1):
            chosen = _drawn(items, documents, most, f"{system} {documents} {most} {draw}")
            got = _width(metric, chosen, [item.document for item in chosen], samples)
            ratios.append(half_width(metric.signature, len(chosen), documents) / got)
    widths = f"by sentence ±{100 * by_item:.2f}  by document ±{100 * by_document:.2f}"
    print(f"{name:6} {system:36} sigma {sigma:.3f}  rho {rho:.2f}  {widths}")
    return sigma, rho, ratios


def _width(metric: Metric, items: Sequence[Item], groups: Sequence[str], samples: int) -> float:
    table = estimates.group_table([item.words for item in items], groups)
    counts = estimates.draws(len(table), samples, "half-width")
    low, high = estimates.interval(estimates.resampled_scores(metric, table, counts))
    return (high - low) / 2


def _drawn(items: Sequence[Item], documents: int, most: int, seed: str) -> list[Item]:
    draw = random.Random(seed)
    names = set(draw.sample(sorted({item.document for item in items}), documents))
    kept: dict[str, int] = {}
    chosen = []
    for item in items:
        kept[item.document] = kept.get(item.document, 0) + 1
        if item.document in names and kept[item.document] <= most:
            chosen.append(item)
    return chosen


def _systems(metric: Metric) -> Iterator[tuple[str, list[Item]]]:
    documents = {row["id"]: row["document"] for row in _rows("ntrex-128/documents.tsv")}
    for language, pair in (("por", "eng-por-BR"), ("spa", "eng-spa")):
        references = {row["id"]: row["reference"] for row in _references(pair)}
        rows = list(_rows(f"system-outputs/ntrex-{language}.tsv"))
        for system in [column for column in rows[0] if column != "id"]:
            pairs = [(row[system].encode(), references[row["id"]].encode()) for row in rows]
            words = statistics(metric.signature, pairs)
            yield f"{language} {system}", [Item(w, documents[row["id"]]) for w, row in zip(words, rows, strict=True)]


def _references(pair: str) -> Iterator[dict[str, str]]:
    for row in _rows(f"ntrex-128/{pair}.tsv"):
        *_, last = row.values()
        yield {"id": row["id"], "reference": last}


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


if __name__ == "__main__":
    main()
