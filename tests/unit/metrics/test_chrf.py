"""chrF in Python alone.

given its signature      when looked up  it is sacreBLEU's, and the metric is found
given an item            when measured   its lanes are sacreBLEU's (golden vectors), for any bytes
given the reference      when shorter than an order, the n-grams of the response are left out
given totals             when a corpus   the score is sacreBLEU's within 1e-9, the golden integer exactly
                         when nonsense   0
given the baselines      when scored     the corpus score is sacreBLEU's
"""

import csv
import itertools
import json
import random
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sacrebleu.metrics.chrf import CHRF

from assay.metrics import by_signature
from assay.metrics.base import PERFECT, pack
from assay.metrics.chrf import Chrf, Order, characters, unpack_chrf
from parity import chrf_compare, chrf_texts, compare

TESTS = Path(__file__).resolve().parents[2]
VECTORS = json.loads((TESTS / "vectors/chrf.json").read_text())
METRIC = Chrf()
THREE = pack([3, 3, 3, 2, 2, 2, 1, 1, 1])


def test_signature__chrf__is_sacrebleus_without_version() -> None:
    scorer = CHRF()
    scorer.corpus_score(["a"], [["a"]])
    assert "chrF2|" + str(scorer.get_signature()).rpartition("|version:")[0] == METRIC.signature
    assert by_signature(METRIC.signature).words == 2


def test_measure__vectors__equal_sacrebleus() -> None:
    columns = [VECTORS[name] for name in ("responses", "references", "first", "second")]
    for response, reference, *words in zip(*columns, strict=True):
        expected = tuple(int(word, 16) for word in words)
        assert METRIC.measure(bytes.fromhex(response[2:]), bytes.fromhex(reference[2:])) == expected


def test_measure__short_reference__leaves_the_response_out() -> None:
    orders = unpack_chrf(METRIC.measure(b"abc defgh", b"a\tb\n"))
    assert orders == (Order(8, 2, 2), Order(7, 1, 1), *[Order(0, 0, 0)] * 4)


@given(st.integers(0, 2**32))
def test_measure__grammar__equals_sacrebleu(seed: int) -> None:
    for pair in itertools.islice(chrf_texts.pairs(seed), 3):
        assert METRIC.measure(*pair) == chrf_compare.sacrebleu_words(*pair)


@given(st.binary(max_size=40), st.binary(max_size=40))
@example(b"\xed\xa0\x80\xe2\x80", b"\xf0\x80\x80\x80\0")
def test_measure__any_bytes__equals_sacrebleu(response: bytes, reference: bytes) -> None:
    assert METRIC.measure(response, reference) == chrf_compare.sacrebleu_words(response, reference)


def test_characters__every_scalar_value__only_what_python_splits_at_is_dropped() -> None:
    for text in chrf_texts.every_character():
        assert characters(text) == "".join(text.decode().split())


@given(st.binary(max_size=60))
def test_characters__any_bytes__are_those_of_surrogateescape(raw: bytes) -> None:
    assert characters(raw) == "".join(compare.text(raw).split())


def test_score__vectors__equal() -> None:
    columns = [VECTORS[name] for name in ("totals_first", "totals_second", "scores")]
    for first, second, score in zip(*columns, strict=True):
        assert METRIC.score([int(first, 16), int(second, 16)]) == int(score)


def test_score__random_totals__are_sacrebleus() -> None:
    rng = random.Random(5)
    for _ in range(3000):
        totals = chrf_texts.statistics(rng)
        expected = chrf_compare.sacrebleu_score(totals)
        assert METRIC.score(totals) / 1e16 == pytest.approx(expected or 0.0, abs=1e-9, rel=0)


@pytest.mark.parametrize(
    "totals",
    [
        [],
        [THREE],
        [THREE, 0, 0],
        [0, 0],
        [-1, 0],
        [THREE | 1 << 252, 0],
        [THREE, 1 << 252],
        [pack([3, 4, 4]), 0],
        [pack([4, 3, 4]), 0],
        [pack([9, 9, 0]), 0],
    ],
)
def test_score__nonsense_or_undefined__is_zero(totals: list[int]) -> None:
    assert METRIC.score(totals) == 0


def test_score__order_of_one_side_only__is_left_out() -> None:
    assert METRIC.score([pack([3, 2, 1]), 0]) == METRIC.score([pack([3, 2, 1, 2, 0, 0, 0, 9, 0]), 0]) == 5 * PERFECT // 11


def test_score__perfect__is_exact() -> None:
    assert METRIC.score([THREE, 0]) == PERFECT
    assert METRIC.display(PERFECT) == "100.00"


def test_score__system_outputs__are_sacrebleus() -> None:
    folder = TESTS / "data"
    with (folder / "system-outputs/ntrex-spa.tsv").open(newline="\n") as file:
        outputs = list(itertools.islice(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE), 300))
    with (folder / "ntrex-128/eng-spa.tsv").open(newline="\n") as file:
        references = {row["id"]: row["reference"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    system = next(name for name in outputs[0] if name != "id")
    responses, targets = [row[system] for row in outputs], [references[row["id"]] for row in outputs]
    words = [METRIC.measure(*pair) for pair in zip(map(str.encode, responses), map(str.encode, targets), strict=True)]
    score = METRIC.score([sum(column) for column in zip(*words, strict=True)])
    assert score / 1e16 == pytest.approx(CHRF().corpus_score(responses, [targets]).score, abs=1e-9, rel=0)
