"""Three computations of chrF, and where they differ: sacreBLEU, the Python mirror, and the contract in an EVM."""

from collections.abc import Sequence

from sacrebleu.metrics.chrf import CHRF

from assay.metrics.base import LANE_BITS, pack
from assay.metrics.chrf import LANES, Chrf, characters, unpack_chrf
from parity.chrf_evm import ChrfEvm
from parity.compare import Mismatch, text
from parity.evm import Pair

_SACREBLEU = CHRF()
_MIRROR = Chrf()


def sacrebleu_words(response: bytes, reference: bytes) -> tuple[int, ...]:
    """sacreBLEU's statistics, in its own order, nine to a word."""
    (row,) = _SACREBLEU._extract_corpus_statistics([text(response)], [[text(reference)]])
    return pack(row[:LANES]), pack(row[LANES:])


def sacrebleu_score(totals: Sequence[int]) -> float | None:
    """sacreBLEU's score on the scale of 0 to 100; None for totals that no corpus has."""
    orders = unpack_chrf(totals)
    impossible = any(order.matches > min(order.response, order.reference) for order in orders)
    if impossible or len(totals) != 2 or any(word >> LANES * LANE_BITS for word in totals):
        return None
    return float(_SACREBLEU._compute_f_score([value for order in orders for value in order]))


def packed(line: str) -> bytes:
    """Characters as the contract holds them."""
    return b"".join((char.encode("utf-8", "surrogateescape") if char != "\0" else b"\xc0\x80").ljust(4, b"\0") for char in line)


def compare_pairs(evm: ChrfEvm, pairs: Sequence[Pair], seed: int) -> list[Mismatch]:
    """Statistics of every pair."""
    found = []
    for pair, contract in zip(pairs, evm.measure(pairs, seed), strict=True):
        expected = sacrebleu_words(*pair)
        mirror = _MIRROR.measure(*pair)
        if not expected == mirror == contract:
            found.append(Mismatch("statistics", pair, unpack_chrf(expected), unpack_chrf(mirror), unpack_chrf(contract)))
    return found


def compare_characters(evm: ChrfEvm, texts: Sequence[bytes]) -> list[Mismatch]:
    """The characters of every text."""
    found = []
    for raw in texts:
        expected = "".join(text(raw).split())
        contract = evm.characters(raw)
        if characters(raw) != expected or contract != packed(expected):
            found.append(Mismatch("characters", raw, expected, characters(raw), contract))
    return found


def compare_scores(evm: ChrfEvm, totals: Sequence[Sequence[int]], tolerance: float = 1e-9) -> list[Mismatch]:
    """The corpus score of all totals: equal integers, and sacreBLEU's floating point within the tolerance."""
    found = []
    for words, contract in zip(totals, evm.score(totals), strict=True):
        mirror = _MIRROR.score(words)
        expected = sacrebleu_score(words)
        near = contract == 0 if expected is None else abs(contract / 1e16 - expected) <= tolerance
        if mirror != contract or not near:
            found.append(Mismatch("score", unpack_chrf(words), expected, mirror, contract))
    return found
