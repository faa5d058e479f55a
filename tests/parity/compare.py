"""Three computations of one statistic, and where they differ: sacreBLEU, the Python mirror, and the contract in an EVM."""

import re
import string
from collections.abc import Sequence
from typing import NamedTuple

from eth_utils import keccak
from sacrebleu.metrics import BLEU
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

from assay.metrics import Bleu, unpack_bleu
from assay.metrics.base import pack
from assay.metrics.tokenizer13a import tokenize
from parity import evm as chain
from parity.evm import Evm, Pair

_SACREBLEU = BLEU()
_TOKENIZER = Tokenizer13a()
_MIRROR = Bleu()
_PUNCTUATION = frozenset(string.punctuation) - set("-'")
_SURROGATES = re.compile("[\udc80-\udcff]+")


class Mismatch(NamedTuple):
    what: str
    given: object
    sacrebleu: object
    mirror: object
    contract: object


def text(raw: bytes) -> str:
    """Any bytes as sacreBLEU is given them."""
    return raw.decode("utf-8", "surrogateescape")


def sacrebleu_word(response: bytes, reference: bytes) -> int:
    """sacreBLEU's statistics in the lanes of the contract."""
    (row,) = _SACREBLEU._extract_corpus_statistics([text(response)], [[text(reference)]])
    length, target, *counts = row
    assert length == counts[4]
    return pack([*counts, target])


def sacrebleu_score(word: int) -> float | None:
    """sacreBLEU's score on the scale of 0 to 100; None for totals that no corpus has."""
    matches, totals, target = unpack_bleu(word)
    if word >> 252 or any(match > total for match, total in zip(matches, totals, strict=True)):
        return None
    score = BLEU.compute_bleu(list(matches), list(totals), totals[0], target, smooth_method="exp")
    return float(score.score)


def compare_pairs(evm: Evm, pairs: Sequence[Pair], seed: int) -> list[Mismatch]:
    """Statistics of every pair."""
    found = []
    for pair, contract in zip(pairs, evm.measure(chain.BLEU, pairs, seed), strict=True):
        expected = sacrebleu_word(*pair)
        (mirror,) = _MIRROR.measure(*pair)
        if not expected == mirror == contract:
            found.append(Mismatch("statistics", pair, unpack_bleu(expected), unpack_bleu(mirror), unpack_bleu(contract)))
    return found


def _identity(token: str) -> bytes:
    """What the contract knows a token by: punctuation itself, else the hash of its bytes, a line break in each torn character."""
    if token in _PUNCTUATION:
        return token.encode().rjust(32, b"\0")
    return keccak(_SURROGATES.sub(_mend, token).encode("utf-8", "surrogateescape"))


def _mend(run: re.Match[str]) -> str:
    raw = run.group().encode("utf-8", "surrogateescape")
    chars = raw.decode("utf-8", "surrogateescape")
    torn = (char if "\udc80" <= char <= "\udcff" else text(char.encode()[:1]) + "\n" + text(char.encode()[1:]) for char in chars)
    return "".join(torn)


def compare_tokens(evm: Evm, texts: Sequence[bytes]) -> list[Mismatch]:
    """The list of tokens of every text."""
    found = []
    for raw, contract in zip(texts, evm.tokens(texts), strict=True):
        expected = _TOKENIZER(text(raw).rstrip()).split()
        hashes = b"".join(_identity(token) for token in reversed(expected))
        if tokenize(raw) != expected or keccak(hashes) != contract:
            found.append(Mismatch("tokens", raw, expected, tokenize(raw), contract == keccak(hashes)))
    return found


def compare_scores(evm: Evm, words: Sequence[int], tolerance: float = 1e-9) -> list[Mismatch]:
    """The corpus score of every word of totals: equal integers, and sacreBLEU's floating point within the tolerance."""
    found = []
    for word, contract in zip(words, evm.score(chain.BLEU, words), strict=True):
        mirror = _MIRROR.score([word])
        expected = sacrebleu_score(word)
        near = contract == 0 if expected is None else abs(contract / 1e16 - expected) <= tolerance
        if mirror != contract or not near:
            found.append(Mismatch("score", (hex(word), unpack_bleu(word)), expected, mirror, contract))
    return found
