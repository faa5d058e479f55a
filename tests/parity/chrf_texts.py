"""Texts on which the counting of character n-grams goes wrong, drawn from a seed, and every character that there is."""

import itertools
import random
from collections.abc import Callable, Iterator

from parity.texts import NEAR_SPACES, SPACES, edge_text, edited, spaced_text, unicode_text

Pair = tuple[bytes, bytes]

# Where the ranges of well-formed UTF-8 begin and end, whitespace and its neighbours.
EDGE_BYTES = bytes.fromhex(
    "00 08 09 1f 20 21 41 7e 7f 80 84 85 8a 8f 90 9a 9f a0 a8 af bf c0 c1 c2 df e0 e1 e2 e3 ed ee ef f0 f1 f3 f4 f5 ff"
)
LETTERS = [
    *"aaabe .,0",
    "é",
    "ñ",
    "\u00df",
    "\u07ff",
    "\u0800",
    "ሰ",
    "ላ",
    "ም",
    "።",
    "の",
    "世",
    "\uffff",
    "🙂",
    "\U00010000",
    "\U0010ffff",
    "\0",
]


def every_character() -> Iterator[bytes]:
    """Every Unicode scalar value once, between letters, 500 to a text."""
    scalars = itertools.chain(range(0xD800), range(0xE000, 0x110000))
    while batch := list(itertools.islice(scalars, 500)):
        yield "".join(f"{chr(code)}x" for code in batch).encode()


def every_short_string(longest: int = 4) -> Iterator[bytes]:
    """All strings of edge bytes up to a length, apart by letters, many to a text."""
    for length in range(1, longest + 1):
        strings = (bytes(letters) for letters in itertools.product(EDGE_BYTES, repeat=length))
        while batch := list(itertools.islice(strings, 800)):
            yield b"x".join(batch)


def short_pairs() -> Iterator[Pair]:
    """Every pair of short strings over small alphabets."""
    for alphabet, longest in (("ab", 6), ("aé \0", 3), ("世a🙂", 3)):
        strings = ["".join(parts).encode() for n in range(longest + 1) for parts in itertools.product(alphabet, repeat=n)]
        yield from itertools.product(strings, repeat=2)
    broken = [bytes(parts) for n in range(4) for parts in itertools.product(b"a\xc3\xa9", repeat=n)]
    yield from itertools.product(broken, repeat=2)


def endings() -> Iterator[bytes]:
    """Strings of edge bytes at the very end of a text, the lengths of the texts running through a word."""
    for length in range(1, 4):
        for number, letters in enumerate(itertools.product(EDGE_BYTES, repeat=length)):
            if length < 3 or number % 7 == 0:
                yield b"a" * (number % 35) + bytes(letters)


def letters_text(rng: random.Random, longest: int = 60) -> bytes:
    """Few letters of all widths, often."""
    letters = rng.sample(LETTERS, rng.randint(1, 6))
    return "".join(rng.choice(letters) for _ in range(rng.randint(0, longest))).encode()


def short_text(rng: random.Random) -> bytes:
    """Around the number of characters where an order has its first n-gram."""
    return letters_text(rng, 9)


def accented_text(rng: random.Random) -> bytes:
    """Mostly ASCII, so that what is not stands at every place of a word."""
    rare = [*LETTERS[9:], *(chr(code) for code in SPACES), *(chr(code) for code in NEAR_SPACES)]
    return "".join(rng.choice(rare) if rng.random() < 0.06 else rng.choice("abc d") for _ in range(rng.randint(0, 150))).encode()


def torn_text(rng: random.Random) -> bytes:
    """UTF-8 with bytes lost, changed, or cut off at the end."""
    text = bytearray(rng.choice([unicode_text, spaced_text, accented_text, edge_text])(rng))
    for _ in range(rng.randint(0, 4)):
        if text:
            at = rng.randrange(len(text))
            text[at : at + 1] = rng.choice([b"", bytes([rng.choice(EDGE_BYTES)]), bytes([rng.choice(EDGE_BYTES)]) * 2])
    return bytes(text[: rng.randint(0, len(text))] if rng.random() < 0.5 else text)


def edge_bytes(rng: random.Random) -> bytes:
    """Nothing but edges."""
    return bytes(rng.choice(EDGE_BYTES) for _ in range(rng.randint(0, 40)))


def long_text(rng: random.Random) -> bytes:
    """Around the number of characters where one word of positions ends, and far beyond."""
    size = rng.choice([250, 254, 255, 256, 257, 258, 261, 262, 300, 511, 513, 700, 1300])
    alphabet = [chr(code) for code in range(0x61, 0x61 + rng.choice([1, 2, 5, 26]))] + rng.choice([[], ["ሰ", "é"], [" "]])
    return "".join(rng.choice(alphabet) for _ in range(size)).encode()


def around_one_word() -> Iterator[Pair]:
    """Texts against themselves and a longer one, of about as many characters as a word has bits; all of them match."""
    for size in range(250, 264):
        for alphabet in ("a", "ab", "abcdefghijklmnopqrstuvwxyz"):
            text = (alphabet * size)[:size].encode()
            yield text, text
            yield text + b"  \0" + text, text
            yield text, text[1:] + text


def alike(rng: random.Random) -> Iterator[Pair]:
    """More characters than a word has bits, and n-grams that differ from the other side in their first character or last bit."""
    for _ in range(4):
        firsts = rng.sample(range(0x1200, 0x1300), 200)
        one, other = ("".join(f"{chr(first)}bcdef" for first in half).encode() for half in (firsts[:100], firsts[100:]))
        yield one, other
    for kinds in (2, 4, 32):
        one, other = ("".join(chr(0x10000 + rng.randrange(kinds)) for _ in range(300)).encode() for _ in range(2))
        yield one, other


def mutated(rng: random.Random, text: bytes) -> bytes:
    """A response to `text`: characters dropped, doubled, replaced, or a part of it moved."""
    line = list(text.decode("utf-8", "surrogateescape"))
    for _ in range(rng.randint(0, 1 + len(line) // 6)):
        at = rng.randrange(len(line) + 1)
        line[at : at + rng.randint(0, 2)] = rng.choice([[], [rng.choice(LETTERS)], line[at : at + 3] * 2])
    cut = rng.randrange(len(line) + 1) if rng.random() < 0.3 else 0
    return "".join(line[cut:] + line[:cut]).encode("utf-8", "surrogateescape")


GENERATORS: list[tuple[Callable[[random.Random], bytes], int]] = [
    (letters_text, 25), (short_text, 25), (accented_text, 15), (torn_text, 15), (edge_bytes, 10), (spaced_text, 5),
    (long_text, 2),
]  # fmt: skip


def pairs(seed: int) -> Iterator[Pair]:
    """Endless pairs; two responses of three are made from their reference."""
    rng = random.Random(seed)
    makers, weights = zip(*GENERATORS, strict=True)
    while True:
        make = rng.choices(makers, weights)[0]
        reference = make(rng)
        response = rng.choice([mutated, edited])(rng, reference) if rng.random() < 0.67 else make(rng)
        yield (response, reference) if rng.random() < 0.5 else (reference, response)


def statistics(rng: random.Random) -> list[int]:
    """Totals: plausible, at the edges, or nonsense."""
    scale = 1 << rng.randint(0, 28)
    length, target = rng.randrange(scale), rng.randrange(scale)
    lanes = []
    for order in range(6):
        counted, wanted = (max(value - order * rng.randrange(1 + scale // 8), 0) for value in (length, target))
        lanes += [counted, wanted, rng.randint(0, min(counted, wanted)) if rng.random() < 0.85 else 0]
    if rng.random() < 0.1:
        lanes[rng.randrange(18)] = rng.choice([0, 1, (1 << 28) - 1])
    words = [sum(value << 28 * index for index, value in enumerate(half)) for half in (lanes[:9], lanes[9:])]
    if rng.random() < 0.05:
        words[rng.randrange(2)] = rng.getrandbits(rng.choice([253, 256]))
    return words if rng.random() > 0.02 else rng.choice([[], words[:1], [*words, 0]])
