"""The Python metrics alone.

given a signature          when it is known    its metric is returned
                           when it is unknown  UnknownMetric
given BLEU of an item      when measured       its lanes are sacreBLEU's (golden vectors), for any bytes
given totals of BLEU       when a corpus       the score is sacreBLEU's within 1e-9, the golden integer exactly
                           when nonsense       0
given exact match          when measured       matches and items; bytes, not characters
"""

import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from assay.metrics import METRICS, Bleu, ExactMatch, UnknownMetric, by_signature, unpack_bleu
from assay.metrics.base import PERFECT, pack
from assay.metrics.tokenizer13a import tokenize
from parity import compare, texts

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "vectors/metrics.json").read_text())
METRIC = Bleu()


def test_by_signature__known__returns_it() -> None:
    assert by_signature("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp").words == 1
    assert all(by_signature(signature) is metric for signature, metric in METRICS.items())


def test_by_signature__unknown__raises() -> None:
    with pytest.raises(UnknownMetric, match="tok:intl"):
        by_signature("BLEU|nrefs:1|case:mixed|eff:no|tok:intl|smooth:exp")


def test_signature__bleu__is_sacrebleus_without_version() -> None:
    scorer = BLEU()
    scorer.corpus_score(["a"], [["a"]])
    assert "BLEU|" + str(scorer.get_signature()).rpartition("|version:")[0] == METRIC.signature


def test_measure__vectors__equal_sacrebleus() -> None:
    columns = [VECTORS["bleu"][name] for name in ("responses", "references", "words")]
    for response, reference, word in zip(*columns, strict=True):
        assert METRIC.measure(bytes.fromhex(response[2:]), bytes.fromhex(reference[2:])) == (int(word, 16),)


@given(st.lists(st.sampled_from([*texts.EDGES, *texts.WORDS, *map(chr, texts.SPACES)]), max_size=12).map("".join))
@example("1...5")
@example("&amp;lt;skipped>-\n")
def test_tokenize__grammar__equals_sacrebleus(line: str) -> None:
    assert tokenize(line.encode()) == Tokenizer13a()(line.rstrip()).split()


@given(st.binary(max_size=60))
def test_tokenize__any_bytes__equals_sacrebleus(raw: bytes) -> None:
    assert tokenize(raw) == Tokenizer13a()(compare.text(raw).rstrip()).split()


@given(st.integers(0, 2**32))
def test_measure__grammar__equals_sacrebleu(seed: int) -> None:
    for pair in itertools.islice(texts.pairs(seed), 3):
        assert METRIC.measure(*pair) == (compare.sacrebleu_word(*pair),)


def test_unpack_bleu__lanes__lowest_first() -> None:
    assert unpack_bleu(pack(range(1, 10))) == ((1, 2, 3, 4), (5, 6, 7, 8), 9)


def test_score__vectors__equal() -> None:
    for word, score in zip(VECTORS["score"]["totals"], VECTORS["score"]["scores"], strict=True):
        assert METRIC.score([int(word, 16)]) == int(score)


def test_score__random_totals__are_sacrebleus() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        word = texts.statistics(rng)
        expected = compare.sacrebleu_score(word)
        assert METRIC.score([word]) / 1e16 == pytest.approx(expected or 0.0, abs=1e-9, rel=0)


@pytest.mark.parametrize(
    "totals", [[], [1, 2], [-1], [0], [1 << 252], [pack([10, 8, 7, 6, 9, 8, 7, 6, 9])], [pack([3, 2, 1, 0, 3, 2, 1, 0, 3])]]
)
def test_score__nonsense_or_undefined__is_zero(totals: list[int]) -> None:
    assert METRIC.score(totals) == 0


def test_score__perfect__is_exact() -> None:
    assert METRIC.score([pack([9, 8, 7, 6, 9, 8, 7, 6, 9])]) == PERFECT
    assert METRIC.display(PERFECT) == "100.00"


def test_display__baseline__is_sacrebleus() -> None:
    assert METRIC.display(int(32.0749 * 10**16)) == "32.07"


def test_exact_match__bytes__not_characters() -> None:
    metric = ExactMatch()
    assert metric.measure(b"yes", b"yes") == ((1 << 28) + 1,)
    assert metric.measure("é".encode(), "e\u0301".encode()) == (1 << 28,)
    assert metric.score([(3 << 28) + 2]) == 666_666_666_666_666_666
    assert metric.display(metric.score([(3 << 28) + 2])) == "66.67"


@pytest.mark.parametrize("totals", [[], [0], [-1], [(2 << 28) + 3], [1 << 56]])
def test_exact_match__nonsense__is_zero(totals: list[int]) -> None:
    assert ExactMatch().score(totals) == 0
