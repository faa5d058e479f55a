"""Golden vectors of chrF: statistics by sacreBLEU, scores by the Python mirror.

python tests/parity/chrf_vectors.py
"""

import itertools
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.metrics.chrf import Chrf
from parity import chrf_texts
from parity.chrf_compare import sacrebleu_score, sacrebleu_words

FILE = Path(__file__).resolve().parents[1] / "vectors/chrf.json"
EDGES = [
    (b"", b""),
    (b"abc", b""),
    (b"", b"abc"),
    (b"abcdef", b"abcdef"),
    (b"a b c d e f", b"abcdef"),
    (b"a\0\0b", b"\0a\0"),
    (b"\xe2\x80", b"\xe2\x80\x80"),
    (b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    (b"ab" * 128, b"ab" * 128),
    (b"a" * 300, b"ab" * 150),
]


def vectors() -> dict[str, list[str]]:
    """Columns of equal length: pairs with their two words, totals with their score."""
    rng = random.Random(7)
    long = [(chrf_texts.long_text(rng), chrf_texts.long_text(rng)) for _ in range(3)]
    pairs = [*EDGES, *itertools.islice(chrf_texts.pairs(7), 60), *long]
    words = [sacrebleu_words(*pair) for pair in pairs]
    totals = [words for words in (chrf_texts.statistics(rng) for _ in range(120)) if len(words) == 2]
    scores = [Chrf().score(words) for words in totals]
    for words_of_totals, score in zip(totals, scores, strict=True):
        assert abs(score / 1e16 - (sacrebleu_score(words_of_totals) or 0.0)) < 1e-9
    return {
        "responses": ["0x" + response.hex() for response, _ in pairs],
        "references": ["0x" + reference.hex() for _, reference in pairs],
        "first": [hex(word) for word, _ in words],
        "second": [hex(word) for _, word in words],
        "totals_first": [hex(word) for word, _ in totals],
        "totals_second": [hex(word) for _, word in totals],
        "scores": [str(score) for score in scores],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
