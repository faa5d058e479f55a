"""What chrF costs in the EVM: ordinary texts, and the dearest text of every length that anyone here could think of.

    python bench/chrf_gas.py [--worst BYTES ...] [--seeds N]

Gas is that of one call of `measure`, the account being warm: execution, and the call with its copy of the texts. The dearest
texts are shown for the median and for the unluckiest of some seeds; whoever challenges chooses the seed.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from itertools import islice, product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from parity import texts
from parity.chrf_compare import sacrebleu_words
from parity.chrf_evm import ChrfEvm, chrf_anvil
from parity.compare import text

Pair = tuple[bytes, bytes]
Maker = Callable[[int], Pair]

SIZES = (25, 50, 100, 150, 250, 400, 1000)
DRAWS = 5
LIMIT = 12_000_000
MARGIN = 600_000  # calldata, openings, the slash itself


def corpus(name: str, column: str) -> str:
    """One side of a set, in order."""
    return " ".join(row[column] for row in texts._rows(texts.DATA / name))


def ordinary(evm: ChrfEvm) -> None:
    """Means over stretches of NTREX-128; a response is its reference with a quarter of the words replaced by others."""
    print("characters a side  language  bytes a side  gas of measure")
    for language, column, name in (
        ("English", "source", "eng-amh"),
        ("Spanish", "reference", "eng-spa"),
        ("Amharic", "reference", "eng-amh"),
    ):
        line = corpus(f"ntrex-128/{name}.tsv", column)
        words = line.split()
        rng = random.Random(1)
        for size in SIZES:
            drawn = [_stretch(rng, line, words, size) for _ in range(DRAWS)]
            gas = statistics.mean(evm.gas(pair)[0] for pair in drawn)
            length = statistics.mean(len(response + reference) / 2 for response, reference in drawn)
            print(f"{size:17}  {language:8} {length:13.0f} {gas:15,.0f}")


def _stretch(rng: random.Random, line: str, words: list[str], size: int) -> Pair:
    """A stretch with as many characters that are no whitespace."""
    start = end = line.index(" ", rng.randrange(len(line) - 2 * size - 100)) + 1
    left = size
    while left:
        left -= not line[end].isspace()
        end += 1
    reference = line[start:end].split(" ")
    response = [rng.choice(words) if rng.random() < 0.25 else word for word in reference]
    return " ".join(response).encode(), " ".join(reference).encode()


def same(make: Callable[[int], bytes]) -> Maker:
    """A text against itself: no n-gram is missing, each is counted."""
    return lambda size: (make(size), make(size))


def cycle(*pieces: str) -> Callable[[int], bytes]:
    """Texts that repeat the pieces, cut to the length."""
    whole = "".join(pieces).encode()
    return lambda size: (whole * (size // len(whole) + 1))[:size]


def drawn(pieces: Sequence[str], seed: int = 1) -> Callable[[int], bytes]:
    """Texts of pieces drawn from a seed."""

    def make(size: int) -> bytes:
        rng = random.Random(seed)
        return "".join(rng.choice(pieces) for _ in range(size)).encode()[:size]

    return make


def against(response: Callable[[int], bytes], reference: Callable[[int], bytes]) -> Maker:
    """One text against another."""
    return lambda size: (response(size), reference(size))


def squares(letters: str) -> Callable[[int], bytes]:
    """Texts in which all pairs of letters follow one another: dense keys of order 2."""
    return lambda size: "".join(islice(("".join(pair) for pair in product(letters, repeat=2)), size)).encode()[:size]


def raw(make: Callable[[random.Random], int]) -> Callable[[int], bytes]:
    """Texts of bytes drawn one by one."""

    def draw(size: int) -> bytes:
        rng = random.Random(2)
        return bytes(make(rng) for _ in range(size))

    return draw


ASCII = "".join(chr(code) for code in range(0x21, 0x7F))
LOWER = "abcdefghijklmnopqrstuvwxyz"
CONTROLS = "".join(chr(code) for code in [*range(1, 9), *range(0x0E, 0x1C)])
TWO, THREE, FOUR = (
    "".join(chr(code) for code in codes) for codes in (range(0xA1, 0x800), range(0x1200, 0x1680), range(0x10000, 0x10800))
)


def torn(*pieces: bytes, seed: int = 1) -> Callable[[int], bytes]:
    """Texts of pieces that are no UTF-8."""

    def make(size: int) -> bytes:
        rng = random.Random(seed)
        return b"".join(rng.choice(pieces) for _ in range(size))[:size]

    return make


CONTINUATIONS = [bytes([byte]) for byte in range(0x80, 0xC0)]
FALSE_LEADS = [bytes([lead, 0x80 + number]) for lead in (0xF0, 0xF5, 0xF8, 0xFF) for number in range(16)]
OVERLONG = [bytes([0xE0, 0x80 + number, 0x80 + other]) for number in range(32) for other in range(4)]
FAMILIES: dict[str, Maker] = {
    "one letter": same(cycle("a")),
    "two letters, alternating": same(cycle("ab")),
    "two letters, drawn": same(drawn("ab")),
    "four letters, drawn": same(drawn("abcd")),
    "lower case, drawn": same(drawn(LOWER)),
    "all of ASCII, drawn": same(drawn(ASCII)),
    "all of ASCII, in turn": same(cycle(ASCII)),
    "all of ASCII, all pairs": same(squares(ASCII)),
    "lower case, all pairs": same(squares(LOWER)),
    "control characters, drawn": same(drawn(CONTROLS)),
    "zeros": same(cycle("\0")),
    "controls and zeros": same(drawn(CONTROLS[:3] + "\0")),
    "seven letters and a control": same(cycle("abcdefg\x01")),
    "seven letters and a zero": same(drawn(["abcdefg\0", "hijklmn\0", "opqrstu\1"])),
    "letters, a control between": same(drawn([letter + "\x01" for letter in LOWER])),
    "spaces": same(cycle(" ")),
    "line breaks": same(cycle("\n")),
    "letters and spaces": same(drawn([letter + " " for letter in LOWER])),
    "letters and line breaks": same(drawn([letter + "\n" for letter in LOWER])),
    "bytes that are not UTF-8, drawn": same(raw(lambda rng: rng.randrange(0x80, 0x100))),
    "continuation bytes, drawn": same(raw(lambda rng: rng.randrange(0x80, 0xC0))),
    "lead bytes, drawn": same(raw(lambda rng: rng.randrange(0xC2, 0xF5))),
    "lead bytes of four, drawn": same(raw(lambda rng: rng.randrange(0xF0, 0xF5))),
    "letters and lead bytes": same(raw(lambda rng: rng.choice([0x61, 0x62, 0xE2, 0xF0, 0xF4]))),
    "any bytes, drawn": same(raw(lambda rng: rng.randrange(0x100))),
    "two bytes each, drawn": same(drawn(TWO)),
    "two bytes each, in turn": same(cycle(TWO)),
    "three bytes each, drawn": same(drawn(THREE)),
    "three bytes each, in turn": same(cycle(THREE)),
    "four bytes each, in turn": same(cycle(FOUR)),
    "general punctuation": same(cycle("\u2010\u2011\u2012\u2013")),
    "wide spaces": same(cycle("\u2009")),
    "letters, accents between": same(drawn([letter + "é" for letter in LOWER])),
    "nothing in common": against(drawn(LOWER), drawn(LOWER.upper())),
    "one letter against another": against(cycle("a"), cycle("b")),
    "other order": against(drawn(ASCII, 1), drawn(ASCII, 2)),
    "other order, two letters": against(drawn("ab", 1), drawn("ab", 2)),
    "continuation bytes, other order": against(torn(*CONTINUATIONS), torn(*CONTINUATIONS, seed=2)),
    "false leads and continuation bytes": same(torn(*FALSE_LEADS)),
    "false leads, other order": against(torn(*FALSE_LEADS), torn(*FALSE_LEADS, seed=2)),
    "overlong forms": same(torn(*OVERLONG)),
    "overlong forms, other order": against(torn(*OVERLONG), torn(*OVERLONG, seed=2)),
    "all pairs against a draw": against(drawn(ASCII), squares(ASCII)),
    "in turn against a draw": against(drawn(ASCII), cycle(ASCII)),
}


def worst(evm: ChrfEvm, size: int, seeds: Sequence[int]) -> None:
    """The dearest families of a size, and the family with the unluckiest seed."""
    found = []
    for name, make in FAMILIES.items():
        pair = make(size)
        gas = evm.gas(pair, seeds)
        found.append((round(statistics.median(gas)), max(gas), len("".join(text(pair[1]).split())), name))
    for median, unlucky, count, name in [*sorted(found, reverse=True)[:6], max(found, key=lambda row: row[1])]:
        verdict = "within" if unlucky <= LIMIT - MARGIN else "over"
        print(f"{size:6} bytes  {median:11,}  unlucky {unlucky:11,}  {verdict} {LIMIT - MARGIN:,}  {count:6} characters  {name}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worst", type=int, nargs="*", default=[256, 2048, 3072])
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    with chrf_anvil() as evm:
        ordinary(evm)
        totals = sacrebleu_words(b"the cat sat on the mat", b"a cat is on a mat")
        print(f"score: {evm.gas_of_score((totals[0], totals[1])):,} gas")
        for size in arguments.worst:
            worst(evm, size, range(1, arguments.seeds + 1))


if __name__ == "__main__":
    main()
