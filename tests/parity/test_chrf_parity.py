"""A slice of `run.py` in the test suite: sacreBLEU, the mirror and the contract, three ways.

given the test data        when measured it equals sacreBLEU, in the mirror and in the EVM
given the grammars         when measured it equals sacreBLEU, in the mirror and in the EVM
given about 256 characters when measured it equals sacreBLEU, in the mirror and in the EVM
given edges of UTF-8       when decoded  all characters are Python's, whitespace left out
given random totals        when scored   mirror and contract give one integer, sacreBLEU's within 1e-9
given two seeds            when measured the statistics are the same
"""

import itertools
import random
from collections.abc import Iterator

import pytest

from assay.metrics import METRICS
from parity import brinks, chrf_compare, chrf_texts, run, texts
from parity.chrf_evm import CHRF, ChrfEvm, chrf_anvil

pytestmark = [pytest.mark.chain, pytest.mark.slow]
SEED = 20261122


@pytest.fixture(scope="module")
def evm() -> Iterator[ChrfEvm]:
    with chrf_anvil() as running:
        yield running


def test_measure__pairs_of_the_data__equal_three_ways(evm: ChrfEvm) -> None:
    pairs = random.Random(SEED).sample(list(texts.data_pairs()), 700)
    assert chrf_compare.compare_pairs(evm, pairs, SEED) == []


def test_measure__pairs_of_the_grammars__equal_three_ways(evm: ChrfEvm) -> None:
    pairs = list(itertools.islice(run.drawn(SEED), 2000))
    assert chrf_compare.compare_pairs(evm, pairs, SEED) == []


def test_measure__about_256_characters__equal_three_ways(evm: ChrfEvm) -> None:
    assert chrf_compare.compare_pairs(evm, list(chrf_texts.around_one_word()), SEED) == []


def test_measure__long_pairs__do_not_depend_on_the_seed(evm: ChrfEvm) -> None:
    rng = random.Random(SEED)
    pairs = [(chrf_texts.long_text(rng), chrf_texts.long_text(rng)) for _ in range(20)]
    assert evm.measure(pairs, 0) == evm.measure(pairs, (1 << 256) - 1) == evm.measure(pairs, SEED)


def test_characters__edges_of_utf8__are_pythons(evm: ChrfEvm) -> None:
    everything = random.Random(SEED).sample([*chrf_texts.every_character(), *chrf_texts.every_short_string(3)], 120)
    assert chrf_compare.compare_characters(evm, [*everything, *itertools.islice(chrf_texts.endings(), 0, None, 5)]) == []


def test_score__random_totals__one_integer(evm: ChrfEvm) -> None:
    rng = random.Random(SEED)
    assert chrf_compare.compare_scores(evm, [chrf_texts.statistics(rng) for _ in range(2000)] + brinks.read()[1]) == []


def test_description__chrf__is_the_contracts(evm: ChrfEvm) -> None:
    metric = METRICS[evm.evm.call(CHRF, "signature", "string")]
    assert (metric.words, metric.max_bytes) == (evm.evm.call(CHRF, "words", "uint256"), evm.evm.call(CHRF, "maxBytes", "uint256"))
