"""Decides whether a mutant of a metric gives another result than the mirror anywhere in a fixed set of questions.

The mirrors are held equal to sacreBLEU and to the unchanged contracts by `tests/parity`; here they are the expected side.
"""

import hashlib
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
from parity.brinks import read as read_brinks
from parity.evm import Evm

SEED = 20261122
# Gas that a change may take, in percent of what the unchanged metric takes: double; 2 % more where gas is the question; and what
# must not suffice where the question is whether the seed decides.
DOUBLE, BOUND, TOO_LITTLE = 200, 102, 60
# A seed whose Keccak-256 ends with two zero bits, so that it shows what is made of the lowest bits.
ODD_SEED = next(seed for seed in itertools.count(SEED) if keccak(seed.to_bytes(32, "big"))[-1] % 4 == 0)
MEASURE = ["bytes", "bytes", "bytes", "uint256"]
HARNESS, METRIC = (f"0x{0xA55A0020 + number:040x}" for number in range(2))


class Question(NamedTuple):
    """One call, the bytes that it has to return, and the gas that it may take, in percent of the unchanged metric's.

    Where no bytes are expected, that gas must not suffice.
    """

    to: str
    data: bytes
    expected: bytes
    percent: int = DOUBLE

    def about_gas(self) -> bool:
        """Whether a wrong answer says only that a metric takes more gas, or less."""
        return self.percent != DOUBLE

    def digest(self) -> str:
        """A name that changes with the question."""
        parts = (self.to.encode(), self.data, self.expected, str(self.percent).encode())
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:16]


def _ask(to: str, name: str, types: Sequence[str], values: Sequence[Any], result: str, expected: Any) -> Question:
    return Question(to, selector(f"{name}({','.join(types)})") + encode(types, values), encode([result], [expected]))


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _described(metric: Metric) -> Iterator[Question]:
    pair = (b"the cat sat on the mat.", b"a cat sat on a mat.")
    yield _ask(METRIC, "measure", MEASURE, [*pair, b"", SEED], "uint256[]", metric.measure(*pair))
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


def _frugal(metric: Metric, dear: Sequence[tuple[bytes, bytes]]) -> Iterator[Question]:
    """Gas: of ordinary texts, short and long, and of some of the dearest that are known, which a challenge has to afford."""
    data = random.Random(SEED).sample(list(texts.data_pairs()), 30)
    joined = [(b" ".join(one for one, _ in data[:rows]), b" ".join(other for _, other in data[:rows])) for rows in (8, 30)]
    for pair in [*data[:12], *joined, *dear]:
        response, reference = (text[: metric.max_bytes] for text in pair)
        statistics = metric.measure(response, reference)
        question = _ask(METRIC, "measure", MEASURE, [response, reference, b"", SEED], "uint256[]", statistics)
        yield question._replace(percent=BOUND)


def _heaped(metric: Metric, texts_: Iterator[bytes], slot: Callable[[bytes, int], int], count: int = 100) -> Iterator[Question]:
    """So many keys that all begin at the first of 256 slots, for one seed: dear, unless the table is searched by another."""
    salt = _odd_salt()
    text = b" ".join(itertools.islice((text for text in texts_ if slot(text, salt) % 256 == 0), count))
    question = _ask(METRIC, "measure", MEASURE, [text, text, b"", ODD_SEED], "uint256[]", metric.measure(text, text))
    yield question
    yield question._replace(expected=b"", percent=TOO_LITTLE)


def _odd_salt() -> int:
    return int.from_bytes(keccak(ODD_SEED.to_bytes(32, "big"))) | 1


def _twins(metric: Chrf) -> Iterator[Question]:
    """Six characters, and six that differ from them in the first bit but begin at the same of 2,048 slots."""
    rng, slots, one, other = random.Random(SEED), {0, 1}, b"", b""
    while len(slots) > 1:
        one = bytes([0x42, *(rng.randrange(0x21, 0x7F) for _ in range(5))])
        other = bytes([one[0] | 0x80]) + one[1:]
        keys = [int.from_bytes(b"".join(bytes([byte, 0, 0, 0]) for byte in text)) for text in (one, other)]
        slots = {((key * _odd_salt()) ** 2 % (1 << 256) >> 237) % 2048 for key in keys}
    rest = b"ab" * 129
    for pair in ((one + rest, other + rest), (one + other + rest,) * 2):
        yield _ask(METRIC, "measure", MEASURE, [*pair, b"", ODD_SEED], "uint256[]", metric.measure(*pair))


def _token_slot(token: bytes, salt: int) -> int:
    return (int.from_bytes(keccak(token)) * salt >> 134) % 256


def _character_slot(char: bytes, salt: int) -> int:
    return ((int.from_bytes(char.ljust(4, b"\0")) * salt) ** 2 % (1 << 256) >> 238) % 256


def _drawn(pieces: bytes, seed: int) -> bytes:
    return bytes(random.Random(seed).choices(pieces, k=4096))


def _aimed_at_bleu(metric: Bleu) -> Iterator[Question]:
    """What chance would hardly find: totals at a brink, strings for the tokenizer."""
    brinks, _ = read_brinks()
    scores = [metric.score([word]) for word in brinks]
    yield _ask(HARNESS, "score", ["address", "uint256[]"], [METRIC, brinks], "uint256[]", scores)
    yield from _tokens(list(texts.aimed()))


def bleu(*, thorough: bool) -> Iterator[Question]:
    """Description, tokens, statistics, scores."""
    rng, metric = random.Random(SEED), Bleu()
    scale = 8 if thorough else 1
    if thorough:
        yield from _aimed_at_bleu(metric)
    yield from _described(metric)
    totals = [texts.statistics(rng) for _ in range(500 * scale)]
    scores = [metric.score([word]) for word in totals]
    yield _ask(HARNESS, "score", ["address", "uint256[]"], [METRIC, totals], "uint256[]", scores)
    yield _ask(METRIC, "score", ["uint256[]"], [[totals[0], 0]], "uint256", 0)
    yield from _tokens(rng.sample(list(texts.exhaustive()), 2500 * scale))
    yield from _measured(metric, list(itertools.islice(texts.pairs(SEED), 400 * scale)), 200)
    long = [(texts.long_text(rng), texts.long_text(rng)) for _ in range(12 * scale)]
    capped = [(rng.choice(long)[0] * 9)[: rng.choice([2047, 2048, 2049, 4096])] for _ in range(4 * scale)]
    yield from _measured(metric, [*long, *itertools.pairwise(capped), *rng.sample(list(texts.long_pairs()), 20 * scale)], 10)
    yield from _measured(metric, list(itertools.islice(texts.lane_pairs(SEED), 40 * scale)), 40)
    yield from _tokens([raw for pair in long for raw in pair] + capped + rng.sample(list(texts.every_character()), 40 * scale))
    if thorough:
        marks = [_drawn(b"?@[\\]^_`{|}~!#$%.,", seed) for seed in (1, 2)]
        dear = [(marks[0], marks[0][::-1]), (marks[0], marks[1]), (b"-\n" + marks[0], b"-\n" + marks[0][::-1])]
        for count in (60, 100):
            yield from _heaped(metric, (b"w%d" % number for number in itertools.count()), _token_slot, count)
        yield from _frugal(metric, dear)


def _aimed_at_chrf(metric: Chrf) -> Iterator[Question]:
    """What chance would hardly find: totals at a brink, strings for the decoder and for the tables."""
    _, brinks = read_brinks()
    scores = [metric.score(words) for words in brinks]
    yield _ask(HARNESS, "score", ["address", "uint256[][]"], [METRIC, brinks], "uint256[]", scores)
    yield from _measured(metric, [(raw, raw[1:]) for raw in texts.placed()], 200)
    yield from _measured(metric, list(chrf_texts.alike(random.Random(SEED))), 20)
    yield from _twins(metric)


def chrf(*, thorough: bool) -> Iterator[Question]:
    """Description, characters, statistics, scores."""
    rng, metric = random.Random(SEED), Chrf()
    scale = 8 if thorough else 1
    if thorough:
        yield from _aimed_at_chrf(metric)
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
    if thorough:
        yield from _heaped(metric, (chr(code).encode() for code in range(0x3001, 0xD800)), _character_slot)
        bytes_ = [_drawn(bytes(range(0x80, 0xC0)), seed) for seed in (1, 2)]
        yield from _frugal(metric, [(bytes_[0], bytes_[1]), (_drawn(bytes(range(0xC2, 0xF5)), 1),) * 2])


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


def limits(evm: Evm, questions: Sequence[Question]) -> list[int]:
    """The gas of each question, from what the code at METRIC and HARNESS takes; RuntimeError where that is not the metric."""
    found = []
    for question in questions:
        call = {"to": question.to, "data": "0x" + question.data.hex()}
        used = int(evm._request("eth_createAccessList", [call, "latest"])["gasUsed"], 16)
        found.append(used * question.percent // 100)
        if notices(evm, question, found[-1]):
            raise RuntimeError(f"the unchanged metric gives another result for {question}")
    return found


def notices(evm: Evm, question: Question, gas: int) -> bool:
    """Whether the code at METRIC and HARNESS gives another result than expected, none within the gas being that of no bytes."""
    call = {"to": question.to, "data": "0x" + question.data.hex(), "gas": hex(gas)}
    try:
        return bytes.fromhex(evm._request("eth_call", [call, "latest"])[2:]) != question.expected
    except RuntimeError:
        return question.expected != b""
