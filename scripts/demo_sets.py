"""The demo's question sets: disjoint parts of NTREX-128, English to Brazilian Portuguese, as CSV files.

NTREX-128 is public (CC BY-SA 4.0, Federmann, Kocmi and Xin 2022; notice in tests/data/ntrex-128). It stands in for private sets.
"""

import csv
import random
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).resolve().parents[1] / "tests" / "data" / "ntrex-128"
SEED = "assay demo 1"
DOCUMENTS, SENTENCES, DECOYS = 20, 3, 4


class Question(NamedTuple):
    """One line of a set."""

    prompt: str
    reference: str
    group: str
    kind: str


def documents() -> list[list[Question]]:
    """All documents with at least four sentences, in an order drawn from the named seed."""
    names = dict(row for row in _rows(DATA / "documents.tsv"))
    by_document = defaultdict(list)
    for line, source, reference in _rows(DATA / "eng-por-BR.tsv"):
        by_document[names[line]].append(Question(source, reference, names[line], "scored"))
    chosen = [questions for _, questions in sorted(by_document.items()) if len(questions) > SENTENCES]
    random.Random(SEED).shuffle(chosen)
    return chosen


def cut(pool: list[list[Question]], count: int, sentences: int, decoys: int) -> list[Question]:
    """Takes `count` documents off the pool: the first sentences of each are scored, decoys come from what follows them."""
    taken = [pool.pop() for _ in range(count)]
    scored = [question for document in taken for question in document[:sentences]]
    return scored + [document[sentences]._replace(kind="decoy") for document in taken[:decoys]]


def write(path: Path, questions: list[Question]) -> Path:
    """Writes a set as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Question._fields)
        writer.writerows(questions)
    return path


def _rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text("utf-8").rstrip("\n").split("\n")[1:]]
