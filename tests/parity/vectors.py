"""Writes tests/vectors/metrics.json: items with sacreBLEU's statistics, totals with the mirror's scores.

python tests/parity/vectors.py
"""

import itertools
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from assay.metrics import Bleu
from parity import texts
from parity.compare import sacrebleu_word

FILE = Path(__file__).resolve().parents[1] / "vectors/metrics.json"


def vectors() -> dict[str, dict[str, list[str]]]:
    """Parallel lists, as Foundry reads them."""
    rng = random.Random(13)
    pairs = [pair for pair in itertools.islice(texts.pairs(13), 400) if len(pair[0]) + len(pair[1]) < 400][:200]
    pairs += rng.sample(list(texts.data_pairs()), 40)
    totals = [texts.statistics(rng) for _ in range(300)]
    return {
        "bleu": {
            "responses": ["0x" + response.hex() for response, _ in pairs],
            "references": ["0x" + reference.hex() for _, reference in pairs],
            "words": [hex(sacrebleu_word(*pair)) for pair in pairs],
        },
        "score": {"totals": [hex(word) for word in totals], "scores": [str(Bleu().score([word])) for word in totals]},
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1) + "\n")
