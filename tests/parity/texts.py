"""Texts on which tokenizers and n-gram counters go wrong, drawn from a seed, and the pairs of the test data."""

import csv
import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path

Pair = tuple[bytes, bytes]

DATA = Path(__file__).resolve().parents[1] / "data"
SETS = ("ntrex-128", "hornmt", "tico-19")
OUTPUTS = {"ntrex-spa.tsv": "eng-spa.tsv", "ntrex-por.tsv": "eng-por-BR.tsv"}

# What Python splits at, and characters that look like it or share its bytes.
SPACES = [
    *range(0x09, 0x0E),
    *range(0x1C, 0x21),
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
]
NEAR_SPACES = [
    0x00,
    0x08,
    0x0E,
    0x1B,
    0x7F,
    0x84,
    0x86,
    0x9F,
    0xA1,
    0x1361,
    0x167F,
    0x1681,
    0x169A,
    0x180E,
    0x1FFF,
    0x200B,
    0x2027,
]
NEAR_SPACES += [0x202A, 0x202E, 0x2030, 0x205E, 0x2060, 0x2FFF, 0x3001, 0xFEFF, 0x20000, 0xE0020]

WORDS = [
    "the",
    "cat",
    "sat",
    "on",
    "a",
    "mat",
    "Haus",
    "niño",
    "ሰላም",
    "ለዓለም",
    "世界",
    "🙂",
    "it's",
    "e.g",
    "U.S.",
    "3.14",
    "1,000",
    "x",
]
EDGES = [
    *".,-'!?&;:/<>()[]{}@_`~\"#%^*+=|\\$",
    *"0159aZé።፡、",
    "..", "...", ",,", "--", "-\n", "\n", "\r\n", "-\r\n", "\n\n", " ", "  ", "\t",
    "<skipped>", "<skip", "ped>", "<skipped", "skipped>", "-<skipped>\n",
    "&quot;", "&amp;", "&lt;", "&gt;", "&apos;", "&", "quot;", "amp;", "lt;", "gt;", "&amp", "&lt", "&amp;amp;", "&amp;lt;",
    "&#38;",
    "1.", ".1", "1-", "-1", "1.2", "1..2", "1...2", "a.1", "1.a",
]  # fmt: skip
BROKEN = [
    b"\xff",
    b"\xc2",
    b"\xe1\x9a",
    b"\xe2\x80",
    b"\xe3\x80",
    b"\x80",
    b"\x85",
    b"\xa0",
    b"\xe0\x80\xa0",
    b"\xed\xa0\x80",
    b"\xf0\x9f",
]
BROKEN += [b"\xc0\xa0", b"\xf4\x90\x80\x80", b"\xe2\x81", b"\x9a\x80", b"\x9f"]


def exhaustive() -> Iterator[bytes]:
    """Every short string over small alphabets in which the rules of 13a meet."""
    for alphabet, longest in (("1a.-", 6), ("1.,", 7), ("1a.", 8), ("a-\n<", 5)):
        for length in range(longest + 1):
            yield from ("".join(letters).encode() for letters in itertools.product(alphabet, repeat=length))
    pieces = ["<skipped>", "<skip", "ped>", "-", "\n", "1"]
    entities = ["&", "amp;", "lt;", "quot;", "&gt;", "1", "."]
    for parts, longest in ((pieces, 5), (entities, 5)):
        for length in range(longest + 1):
            yield from ("".join(letters).encode() for letters in itertools.product(parts, repeat=length))
    for code in [*SPACES, *NEAR_SPACES]:
        for left, right in itertools.product(["", "a", "1", ".", "-", "1.", "1-", "&"], ["", "b", "2", ".2", "-2", "-\n", ";"]):
            yield f"{left}{chr(code)}{right}".encode()
            yield f"{left}-\n{chr(code)}{chr(code)}{right}-\n{chr(code)}".encode()
    for broken in BROKEN:
        for left, right in itertools.product([b"", b"a", b"1", b"."], [b"", b"b", b"\x80", b" ", b".5", b"-\n"]):
            yield left + broken + right
    yield from torn()
    yield from neighbours()


def neighbours() -> Iterator[bytes]:
    """All that a rule looks for, and every string that differs from it in one bit or in one byte."""
    sought = [
        entity.encode()
        for entity in ("&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;", "&amp;gt;", "<skipped>", "-\n", "1.", ".1", "1-")
    ]
    sought += [chr(code).encode() for code in SPACES]
    for pattern in sought:
        changed = {pattern}
        for at in range(len(pattern)):
            changed |= {pattern[:at] + bytes([pattern[at] ^ 1 << bit]) + pattern[at + 1 :] for bit in range(8)}
            changed |= {pattern[:at] + pattern[at + 1 :], pattern[:at] + pattern[at : at + 1] + pattern[at:]}
        for text, (left, right) in itertools.product(
            sorted(changed), [(b"", b""), (b"a", b"b"), (b"1", b"2"), (b"&", b";"), (b"- ", b".5")]
        ):
            yield left + text + right


def placed() -> Iterator[bytes]:
    """All that a rule looks for, at every place of a text that fills a word of 32 bytes, among even bytes and odd ones."""
    sought = ["&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;", "<skipped>", "-\n", "\n", "1.5", "1-2", "a..5", "."]
    patterns = [*(pattern.encode() for pattern in sought), *(chr(code).encode() for code in [*SPACES, *NEAR_SPACES]), *BROKEN]
    for pattern, filler in itertools.product(patterns, (b"b", b"a1")):
        for at in range(33 - len(pattern)):
            yield (filler * 32)[:at] + pattern + (filler * 32)[: 32 - len(pattern) - at]


def stripped() -> Iterator[bytes]:
    """Texts with something to remove, of every length up to two words, and at the end what goes before, or looks like it."""
    long = [b" " * 31, b"\t" * 32, b" " * 33, b"\n" * 64, "\u3000".encode() * 24, b" ", b"\xc2\x85"]
    for length, ending in itertools.product(range(66), long):
        yield (b"a b." * length)[:length] + b"-\n" + b"c" * (length % 3) + ending
    endings = [b"", b"\xe2\x80\x7f", *BROKEN, *(chr(code).encode() for code in [*SPACES, *NEAR_SPACES])]
    for removal, text, ending in itertools.product((b"-\n", b"<skipped>"), (b"", b"b", b"1.5"), endings):
        yield b"a" + removal + text + ending


def removed() -> Iterator[bytes]:
    """What is searched for the letter k and for line breaks, since something follows that has to be removed: their neighbours."""
    pieces = [b"j", b"k", b"s", b"-", b"\n", b"\x0b", b"<s", b"ipped>"]
    for length in range(4):
        for parts in itertools.product(pieces, repeat=length):
            yield b"".join(parts) + b"-\nx"


def parted() -> Iterator[bytes]:
    """Lead bytes of UTF-8 before second bytes, at the edges of what is valid, torn apart at every place."""
    for lead, second in itertools.product(range(0xC0, 0xF9), bytes.fromhex("80 8f 90 9a 9f a0 af b0 bf")):
        char = bytes([lead, second]) + b"\x9a" * ((lead >= 0xE0) + (lead >= 0xF0))
        for at in range(1, len(char)):
            yield char[:at] + b"-\n" + char[at:] + b"b"


def aimed() -> Iterator[bytes]:
    """Strings that tell single changes of the tokenizer apart, which the short ones do not: see `tests/mutation`."""
    return itertools.chain(placed(), stripped(), removed(), parted())


def every_character() -> Iterator[bytes]:
    """Every Unicode scalar value once, where the rules look: beside digits, letters, a dash, and at the end of a text."""
    for start in range(0, 0x110000, 64):
        scalars = [chr(code) for code in range(start, start + 64) if not 0xD800 <= code < 0xE000]
        if scalars:
            yield "".join(f"1{char}2 a{char}-{char}.{char}" for char in scalars).encode()


def short_pairs() -> Iterator[Pair]:
    """Every pair of short strings over small alphabets: of tokens for the counting, of letters for the tokenizer."""
    for alphabet, longest in (
        (("a ", "b "), 6),
        (("1", "a", ".", "-", " "), 3),
        (("&", "lt;", "<", "\n", "-"), 2),
        ("é \x85", 3),
    ):
        strings = ["".join(parts).encode() for n in range(longest + 1) for parts in itertools.product(alphabet, repeat=n)]
        yield from itertools.product(strings, repeat=2)


def torn() -> Iterator[bytes]:
    """Characters, and bytes that are none, torn apart by what 13a removes: sacreBLEU decodes before it joins them again."""
    whole = [
        char.encode() for char in ("é", "\x85", "\xa0", "\u1680", "\u2009", "\u3000", "።", "\ud7ff", "\ue000", "🙂", "\U0010ffff")
    ]
    leads = [bytes([lead]) + b"\x9a" * (1 + (lead >= 0xE0) + (lead >= 0xF0)) for lead in range(0xC0, 0xF8)]
    for char, (left, right) in itertools.product(leads, [(b"", b""), (b"a", b"\x80"), (b"\xc3", b"5")]):
        yield left + char[:1] + b"-\n" + char[1:] + right
        yield left + char[:-1] + b"<skipped>" + char[-1:] + right
    whole += [b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80"]
    for char, left, right in itertools.product(whole, [b"", b"a", b"\xc3", b"\xe2"], [b"", b"b", b"\x80", b"5", b"\n", b".5"]):
        for gaps in itertools.product([b"", b"-\n", b"<skipped>", b"-<skipped>\n"], repeat=len(char) - 1):
            if any(gaps):
                yield left + b"".join(bytes([byte]) + gap for byte, gap in zip(char, [*gaps, b""], strict=True)) + right


def edge_text(rng: random.Random) -> bytes:
    """A short string of the grammar's own terminals."""
    return "".join(rng.choice(EDGES if rng.random() < 0.8 else WORDS) for _ in range(rng.randint(0, 14))).encode()


def spaced_text(rng: random.Random) -> bytes:
    """Words between whitespace of all kinds, and between what only looks like it."""
    spaces = SPACES if rng.random() < 0.6 else [*SPACES, *NEAR_SPACES]
    return "".join(rng.choice(WORDS) + chr(rng.choice(spaces)) for _ in range(rng.randint(0, 12))).encode()


def unicode_text(rng: random.Random) -> bytes:
    """Any scalar values at all."""
    planes = [(0, 0x7F), (0x80, 0x2FF), (0x1200, 0x169F), (0x2000, 0x206F), (0x3000, 0x30FF), (0xE000, 0x10FFFF)]
    return "".join(chr(rng.randint(*rng.choice(planes))) for _ in range(rng.randint(0, 40))).encode()


def broken_text(rng: random.Random) -> bytes:
    """Bytes that are not UTF-8, among some that are."""
    if rng.random() < 0.3:
        return rng.randbytes(rng.randint(0, 60))
    return b"".join(rng.choice(BROKEN) if rng.random() < 0.4 else edge_text(rng)[:6] for _ in range(rng.randint(0, 12)))


TORN = list(torn())


def torn_text(rng: random.Random) -> bytes:
    """Torn characters and whole ones."""
    return b" ".join(
        rng.choice([rng.choice(TORN), rng.choice(TORN).replace(b"-\n", b""), b"\xc3\xa9"]) for _ in range(rng.randint(0, 6))
    )


def repeated_text(rng: random.Random, longest: int = 40) -> bytes:
    """Few words, often: clipping, and sets of positions that touch."""
    vocabulary = rng.sample(WORDS, rng.randint(1, 4))
    return " ".join(rng.choice(vocabulary) for _ in range(rng.randint(0, longest))).encode()


def long_text(rng: random.Random) -> bytes:
    """Around the number of tokens where one word of positions ends, and far beyond."""
    size = rng.choice([250, 255, 256, 257, 258, 300, 511, 512, 513, 700, 1200])
    vocabulary = [f"{number:x}" for number in range(rng.choice([1, 2, 5, 40, 400, 4000]))]
    if rng.random() < 0.5:
        vocabulary = rng.choices([*vocabulary, *EDGES], k=rng.randint(1, 60))
    return rng.choice(["", " ", " ", "\n"]).join(rng.choice(vocabulary) for _ in range(size)).encode()


def long_pairs() -> Iterator[Pair]:
    """Pairs on both sides of 63 and of 256 tokens, where a lane and a word of positions end: one token, three, no two alike."""
    for counts, kinds in itertools.product((range(62, 66), range(255, 259)), (1, 3, 1000)):
        for left, right in itertools.product(counts, repeat=2):
            one, two = (b" ".join(b"%d" % (number % kinds) for number in range(count)) for count in (left, right))
            yield one, two
            yield one, two + b" !"


def lane_pairs(seed: int) -> Iterator[Pair]:
    """Endless pairs around the 63 tokens that a lane of positions ends with, mostly of few words, often."""
    rng = random.Random(seed)
    while True:
        vocabulary = [f"{number:x}" for number in range(rng.choice([1, 2, 3, 4, 8, 30, 200]))]
        if rng.random() < 0.5:
            vocabulary = [*vocabulary, *rng.choices(EDGES, k=rng.randint(0, 3))]
        reference, other = (
            " ".join(rng.choices(vocabulary, k=rng.choice([60, 61, 62, 63, 64, 65, 66, rng.randint(1, 130)]))).encode()
            for _ in "ab"
        )
        response = edited(rng, reference) if rng.random() < 0.5 else other
        yield (response, reference) if rng.random() < 0.5 else (reference, response)


def edited(rng: random.Random, text: bytes) -> bytes:
    """A response to `text`: words dropped, doubled, swapped or replaced."""
    words = text.split(b" ")
    for _ in range(rng.randint(0, 1 + len(words) // 4)):
        at = rng.randrange(len(words))
        words[at : at + 1] = rng.choice([[], [words[at]] * 2, [rng.choice(words)], [rng.choice(WORDS).encode()]])
        words = words or [b""]
    return b" ".join(words)


GENERATORS: list[tuple[Callable[[random.Random], bytes], int]] = [
    (edge_text, 40), (spaced_text, 12), (unicode_text, 10), (broken_text, 12), (repeated_text, 25), (long_text, 2),
    (torn_text, 5),
]  # fmt: skip


def pairs(seed: int) -> Iterator[Pair]:
    """Endless pairs of the grammar; half of the responses are made from their reference."""
    rng = random.Random(seed)
    makers, weights = zip(*GENERATORS, strict=True)
    while True:
        make = rng.choices(makers, weights)[0]
        reference = make(rng)
        response = edited(rng, reference) if rng.random() < 0.5 else make(rng)
        yield (response, reference) if rng.random() < 0.9 else (reference, response)


def data_pairs() -> Iterator[Pair]:
    """Each reference of the test data against its source, and every system output against its reference."""
    for name in SETS:
        for path in sorted((DATA / name).glob("eng-*.tsv")):
            yield from ((row["source"].encode(), row["reference"].encode()) for row in _rows(path))
    for outputs, references in OUTPUTS.items():
        target = {row["id"]: row["reference"].encode() for row in _rows(DATA / "ntrex-128" / references)}
        for row in _rows(DATA / "system-outputs" / outputs):
            yield from ((text.encode(), target[row["id"]]) for column, text in row.items() if column != "id")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


def statistics(rng: random.Random) -> int:
    """A word of totals: plausible, at the edges, or nonsense."""
    scale = 1 << rng.randint(0, 28)
    total = [max(rng.randrange(scale) - order * rng.randrange(1 + scale // 8), 0) for order in range(4)]
    matches = [rng.randint(0, value) if rng.random() < 0.85 else 0 for value in total]
    lanes = [*matches, *total, rng.choice([total[0], rng.randrange(scale), total[0] + rng.randrange(1 + scale // 10)])]
    if rng.random() < 0.1:
        lanes[rng.randrange(9)] = rng.choice([0, 1, (1 << 28) - 1])
    word = sum(value << 28 * index for index, value in enumerate(lanes))
    return rng.getrandbits(256) if rng.random() < 0.03 else word
