"""A slice of `run.py` in the test suite: sacreBLEU, the mirror and the contracts, three ways.

given the test data        when measured       it equals sacreBLEU, in the mirror and in the EVM
given the grammar          when measured       it equals sacreBLEU, in the mirror and in the EVM
given 63 or 256 tokens     when measured       it equals sacreBLEU, in the mirror and in the EVM
given short strings        when tokenized      all tokens are sacreBLEU's
given random totals        when scored         mirror and contract give one integer, sacreBLEU's within 1e-9
given exact match          when measured       mirror and contract agree
"""

import itertools
import random
from collections.abc import Iterator

import pytest

from assay.metrics import METRICS, ExactMatch
from parity import brinks, compare, texts
from parity.evm import BLEU, EXACT_MATCH, Evm, anvil

pytestmark = [pytest.mark.chain, pytest.mark.slow]
SEED = 20261122


@pytest.fixture(scope="module")
def evm() -> Iterator[Evm]:
    with anvil() as running:
        yield running


def test_measure__pairs_of_the_data__equal_three_ways(evm: Evm) -> None:
    pairs = random.Random(SEED).sample(list(texts.data_pairs()), 2000)
    assert compare.compare_pairs(evm, pairs, SEED) == []


def test_measure__pairs_of_the_grammar__equal_three_ways(evm: Evm) -> None:
    pairs = list(itertools.islice(texts.pairs(SEED), 3000))
    assert compare.compare_pairs(evm, pairs, SEED) == []


def test_measure__around_63_and_256_tokens__equal_three_ways(evm: Evm) -> None:
    pairs = [*texts.long_pairs(), *itertools.islice(texts.lane_pairs(SEED), 400)]
    assert compare.compare_pairs(evm, pairs, SEED) == []


def test_measure__long_pairs__do_not_depend_on_the_seed(evm: Evm) -> None:
    rng = random.Random(SEED)
    pairs = [(texts.long_text(rng), texts.long_text(rng)) for _ in range(40)]
    assert evm.measure(BLEU, pairs, 0) == evm.measure(BLEU, pairs, (1 << 256) - 1) == evm.measure(BLEU, pairs, SEED)


def test_tokens__short_strings__are_sacrebleus(evm: Evm) -> None:
    strings, aimed = list(texts.exhaustive()), list(texts.aimed())
    rng = random.Random(SEED)
    assert compare.compare_tokens(evm, rng.sample(strings, 12_000) + rng.sample(aimed, 3000)) == []


def test_score__random_totals__one_integer(evm: Evm) -> None:
    rng = random.Random(SEED)
    assert compare.compare_scores(evm, [texts.statistics(rng) for _ in range(3000)] + brinks.read()[0]) == []


def test_exact_match__edges__equal(evm: Evm) -> None:
    metric = ExactMatch()
    rng = random.Random(SEED)
    pairs = [pair for text, other in itertools.islice(texts.pairs(SEED), 200) for pair in ((text, text), (text, other))]
    assert evm.measure(EXACT_MATCH, pairs, 0) == [metric.measure(*pair)[0] for pair in pairs]
    totals = [rng.getrandbits(56) if rng.random() < 0.9 else rng.getrandbits(256) for _ in range(300)]
    assert evm.score(EXACT_MATCH, totals) == [metric.score([word]) for word in totals]


def test_description__each_metric__is_the_contracts(evm: Evm) -> None:
    for address in (BLEU, EXACT_MATCH):
        metric = METRICS[evm.call(address, "signature", "string")]
        assert (metric.words, metric.max_bytes) == (
            evm.call(address, "words", "uint256"),
            evm.call(address, "maxBytes", "uint256"),
        )
