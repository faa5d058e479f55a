"""Decides whether a mutant of a metric gives another result than the mirror anywhere in a fixed set of questions.

The mirrors are held equal to sacreBLEU and to the unchanged contracts by `tests/parity`; here they are the expected side.
"""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector as selector
from eth_utils import keccak

from assay.metrics import Bleu, Chrf, ExactMatch
from assay.metrics.base import Metric
from parity import chrf_compare, chrf_texts, compare, texts
from parity.evm import Evm

SEED = 20261122
GAS = 1_500_000_000
HARNESS, METRIC = (f"0x{0xA55A0020 + number:040x}" for number in range(2))


class Question(NamedTuple):
    """One call and the bytes that it has to return."""

    to: str
    data: bytes
    expected: bytes


def _ask(to: str, name: str, types: Sequence[str], values: Sequence[Any], result: str, expected: Any) -> Question:
    return Question(to, selector(f"{name}({','.join(types)})") + encode(types, values), encode([result], [expected]))


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _described(metric: Metric) -> Iterator[Question]:
    pair = (b"the cat sat on the mat.", b"a cat sat on a mat.")
    types, statistics = ["bytes", "bytes", "bytes", "uint256"], metric.measure(*pair)
    yield _ask(METRIC, "measure", types, [*pair, b"", SEED], "uint256[]", statistics)
    yield _ask(METRIC, "signature", [], [], "string", metric.signature)
    yield _ask(METRIC, "words", [], [], "uint256", metric.words)
    yield _ask(METRIC, "maxBytes", [], [], "uint256", metric.max_bytes)


def _measured(metric: Metric, pairs: Sequence[tuple[bytes, bytes]], size: int) -> Iterator[Question]:
    rng = random.Random(SEED)
    for batch in _batches(pairs, size):
        responses, references = zip(*batch, strict=True)
        words = [word for pair in batch for word in metric.measure(*pair)]
        types = ["address", "bytes[]", "bytes[]", "uint256"]
        yield _ask(HARNESS, "measure", types, [METRIC, responses, references, rng.getrandbits(256)], "uint256[]", words)


def _tokens(strings: Sequence[bytes]) -> Iterator[Question]:
    for batch in _batches(strings, 500):
        digests = [keccak(b"".join(compare._identity(token) for token in reversed(_split(raw)))) for raw in batch]
        yield _ask(HARNESS, "tokens", ["bytes[]"], [batch], "bytes32[]", digests)


def _split(raw: bytes) -> list[str]:
    return compare._TOKENIZER(compare.text(raw).rstrip()).split()


def bleu(*, thorough: bool) -> Iterator[Question]:
    """Description, tokens, statistics, scores."""
    rng, metric = random.Random(SEED), Bleu()
    scale = 8 if thorough else 1
    yield from _described(metric)
    totals = [texts.statistics(rng) for _ in range(500 * scale)]
    scores = [metric.score([word]) for word in totals]
    yield _ask(HARNESS, "score", ["address", "uint256[]"], [METRIC, totals], "uint256[]", scores)
    yield _ask(METRIC, "score", ["uint256[]"], [[totals[0], 0]], "uint256", 0)
    yield from _tokens(rng.sample(list(texts.exhaustive()), 2500 * scale))
    yield from _measured(metric, list(itertools.islice(texts.pairs(SEED), 400 * scale)), 200)
    long = [(texts.long_text(rng), texts.long_text(rng)) for _ in range(12 * scale)]
    capped = [(rng.choice(long)[0] * 9)[: rng.choice([2047, 2048, 2049, 4096])] for _ in range(4 * scale)]
    yield from _measured(metric, [*long, *itertools.pairwise(capped), *rng.sample(list(texts.long_pairs()), 12 * scale)], 10)
    yield from _tokens([raw for pair in long for raw in pair] + capped + rng.sample(list(texts.every_character()), 40 * scale))


def chrf(*, thorough: bool) -> Iterator[Question]:
    """Description, characters, statistics, scores."""
    rng, metric = random.Random(SEED), Chrf()
    scale = 8 if thorough else 1
    yield from _described(metric)
    totals = [chrf_texts.statistics(rng) for _ in range(300 * scale)]
    scores = [metric.score(words) for words in totals]
    yield _ask(HARNESS, "score", ["address", "uint256[][]"], [METRIC, totals], "uint256[]", scores)
    strings = [*chrf_texts.endings(), *chrf_texts.every_short_string(3), *chrf_texts.every_character()]
    for raw in [*chrf_texts.every_short_string(2), *rng.sample(strings, 60 * scale)]:
        expected = chrf_compare.packed("".join(compare.text(raw).split()))
        yield _ask(HARNESS, "characters", ["bytes"], [raw], "bytes", expected)
    yield from _measured(metric, list(itertools.islice(chrf_texts.pairs(SEED), 300 * scale)), 100)
    yield from _measured(metric, rng.sample(list(chrf_texts.around_one_word()), 15 * scale), 10)
    yield from _measured(metric, [(chrf_texts.long_text(rng), chrf_texts.long_text(rng)) for _ in range(8 * scale)], 4)


def exact_match(*, thorough: bool) -> Iterator[Question]:
    """Description, statistics, scores."""
    rng, metric = random.Random(SEED), ExactMatch()
    scale = 8 if thorough else 1
    yield from _described(metric)
    pairs = [pair for one, other in itertools.islice(texts.pairs(SEED), 100 * scale) for pair in ((one, one), (one, other))]
    yield from _measured(metric, pairs, 200)
    totals = [rng.getrandbits(bits) for bits in (56, 56, 57, 256) for _ in range(100)]
    totals += [(items << 28) + matches for items in range(4) for matches in range(5)]
    scores = [metric.score([word]) for word in totals]
    yield _ask(HARNESS, "score", ["address", "uint256[]"], [METRIC, totals], "uint256[]", scores)
    yield _ask(METRIC, "score", ["uint256[]"], [[totals[0], 0]], "uint256", 0)


JURIES: dict[str, Callable[..., Iterator[Question]]] = {"Bleu": bleu, "Chrf": chrf, "ExactMatch": exact_match}


def verdict(evm: Evm, questions: Sequence[Question]) -> str:
    """Why the code at METRIC and HARNESS is not the metric: another result, or none within the gas. "" if none tells."""
    for number, question in enumerate(questions):
        call = {"to": question.to, "data": "0x" + question.data.hex(), "gas": hex(GAS)}
        try:
            got = bytes.fromhex(evm._request("eth_call", [call, "latest"])[2:])
        except RuntimeError:
            return f"fails at question {number}"
        if got != question.expected:
            return f"differs at question {number}"
    return ""
