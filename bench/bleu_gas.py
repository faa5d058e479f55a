"""What the metrics cost in the EVM: ordinary texts, and the dearest text of every length that anyone here could think of.

    python bench/bleu_gas.py [--worst BYTES ...] [--search TRIALS --seed SEED]

Gas is that of one call of `measure`, the account being warm: execution, and the call with its copy of the texts.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from assay.metrics import by_signature, unpack_bleu
from assay.metrics.base import pack
from parity import texts
from parity.evm import BLEU, EXACT_MATCH, Evm, anvil

SIZES = (10, 25, 50, 100, 250, 500)
DRAWS = 5
LIMIT = 12_000_000
MARGIN = 600_000  # calldata, openings, the slash itself


def corpus(name: str, column: str) -> list[bytes]:
    """The words of one side of a set, in order."""
    rows = texts._rows(texts.DATA / name)
    return " ".join(row[column] for row in rows).encode().split(b" ")


def ordinary(evm: Evm) -> None:
    """Means over stretches of NTREX-128; a response is its reference with a quarter of the words replaced by others."""
    print("tokens a side  language   bytes a side   gas of measure")
    for language, column in (("English", "source"), ("Amharic", "reference")):
        words = corpus("ntrex-128/eng-amh.tsv", column)
        rng = random.Random(1)
        for size in SIZES:
            gas, length = zip(*(_stretch(evm, rng, words, size) for _ in range(DRAWS)), strict=True)
            print(f"{size:13}  {language:9} {statistics.mean(length):13.0f} {statistics.mean(gas):16,.0f}")


def _stretch(evm: Evm, rng: random.Random, words: list[bytes], size: int) -> tuple[int, int]:
    start = rng.randrange(len(words) - size)
    length = size
    while unpack_bleu(evm.measure(BLEU, [(b"", b" ".join(words[start : start + length]))], 0)[0]).ref_len > size:
        length -= 1
    reference = words[start : start + length]
    response = [rng.choice(words) if rng.random() < 0.25 else word for word in reference]
    pair = b" ".join(response), b" ".join(reference)
    return evm.gas(BLEU, pair), len(pair[0] + pair[1]) // 2


def cycle(pieces: list[bytes]) -> Callable[[int], bytes]:
    """Texts that repeat the pieces, cut to the length."""
    whole = b"".join(pieces)
    return lambda size: (whole * (size // len(whole) + 1))[:size]


def drawn(pieces: list[bytes], seed: int = 1) -> Callable[[int], bytes]:
    """Texts of pieces drawn from a seed."""

    def make(size: int) -> bytes:
        rng = random.Random(seed)
        return b"".join(rng.choice(pieces) for _ in range(size))[:size]

    return make


PUNCTUATION = [bytes([c]) for c in b'!"#$%()*+/:;=?@[\\]^_`{|}~']
EIGHTEEN = [*PUNCTUATION, b".", b","][-18:]
HEADS = [b"-\n", b"<skipped>"]
FAMILIES: dict[str, Callable[[int], bytes]] = {
    "one token, repeated": cycle([b"!"]),
    "two tokens, alternating": cycle([b"!", b"?"]),
    "two tokens, drawn": drawn([b"!", b"?"]),
    "punctuation, drawn": drawn(PUNCTUATION),
    "eighteen marks, drawn": drawn(EIGHTEEN),
    "punctuation and stops": drawn([*PUNCTUATION, b".", b","]),
    "punctuation, stops at the end of a digit": drawn([*PUNCTUATION, b".5", b"5-"]),
    "punctuation that is looked at twice": drawn([b";", b",", b".", b">", b"&"]),
    "stops": drawn([b",", b"."]),
    "stops and digits, drawn": drawn([b",", b".", b"5"]),
    "letters and spaces": drawn([bytes([c, 32]) for c in range(97, 123)]),
    "letters and punctuation": drawn([bytes([c]) for c in range(33, 127)]),
    "less-than signs": cycle([b"<"]),
    "less-than and exclamation": cycle([b"<!"]),
    "ampersands": cycle([b"&"]),
    "semicolons behind a t": cycle([b"t;"]),
    "full stops": cycle([b"."]),
    "stops and digits": cycle([b".1"]),
    "runs of stops before digits": cycle([b"....1"]),
    "commas, one digit": cycle([b",,,,,,,,,,1"]),
    "dashes": cycle([b"-"]),
    "digits and dashes": cycle([b"1-"]),
    "entities": cycle([b"&lt;"]),
    "entities, twice": cycle([b"&amp;lt;"]),
    "semicolons": cycle([b";"]),
    "greater-than signs": cycle([b">"]),
    "line breaks": cycle([b"\n"]),
    "control characters": cycle([b"\x01"]),
    "lead bytes": cycle([b"\xe2"]),
    "kana": cycle(["の".encode()]),
    "wide spaces": cycle(["\u2009".encode()]),
    "letters and wide spaces": cycle([b"a\xc2\xa0"]),
    "skipped": cycle([b"<skipped>"]),
    "beginnings of skipped": cycle([b"<skipped"]),
    "dashes before line breaks": cycle([b"-\n"]),
}


def headed(head: bytes, name: str) -> Callable[[int], bytes]:
    """A family with something at its beginning that has to be removed first."""
    return lambda size: head + FAMILIES[name](size - len(head))


for _name in ("punctuation, drawn", "punctuation and stops", "letters and punctuation", "two tokens, drawn"):
    for _head in HEADS:
        FAMILIES[f"{_head!r}, then {_name}"] = headed(_head, _name)

PIECES = [
    *PUNCTUATION,
    b".",
    b",",
    b"-",
    b"'",
    b"<",
    b">",
    b"&",
    b";",
    b"5",
    b",5",
    b".5",
    b"5-",
    b"t;",
    b"p;",
    b"d>",
    b"a",
    b" ",
    b"\t",
]
PIECES += [b"\x01", b"\xe2", b"&lt;", b"&amp;", b"k", b"sk", b"\n"]


def cost(evm: Evm, size: int) -> list[tuple[int, str, int]]:
    """Gas of each family against itself or its reverse, whichever is more, dearest first, with the number of tokens."""
    found = []
    for name, make in FAMILIES.items():
        text = make(size)
        gas = max(evm.gas(BLEU, (text, other), seed) for other in (text, text[::-1]) for seed in range(3))
        found.append((gas, name, unpack_bleu(evm.measure(BLEU, [(text, text)], 1)[0]).ref_len))
    return sorted(found, reverse=True)


def worst(evm: Evm, sizes: list[int]) -> None:
    """The dearest families at each size."""
    for size in sizes:
        for gas, name, tokens in cost(evm, size)[:6]:
            verdict = "within" if gas <= LIMIT - MARGIN else "over"
            print(f"{size:6} bytes  {gas:12,}  {verdict} {LIMIT - MARGIN:,}  {tokens:6} tokens  {name}")


def marks(evm: Evm, draws: int = 8, seeds: int = 4) -> None:
    """The dearest family at the largest size over several draws, against its reverse and against the next draw."""
    size = by_signature(evm.call(BLEU, "signature", "string")).max_bytes
    made = [drawn(EIGHTEEN, draw)(size) for draw in range(1, draws + 2)]
    for name, others in (("its reverse", [text[::-1] for text in made]), ("the next draw", made[1:])):
        gas = [evm.gas(BLEU, pair, seed) for pair in zip(made[:draws], others, strict=False) for seed in range(seeds)]
        print(f"{size:6} bytes  {max(gas):12,}  dearest, {min(gas):,} cheapest of {len(gas)}  eighteen marks against {name}")


def search(evm: Evm, trials: int, seed: int) -> None:
    """Random mixtures of dear pieces at the largest size, against themselves and against another draw; prints the dearest."""
    rng = random.Random(seed)
    size = by_signature(evm.call(BLEU, "signature", "string")).max_bytes
    found: list[tuple[int, str, list[bytes]]] = []
    for _ in range(trials):
        pieces = rng.choices(PIECES, k=rng.choice([1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 32]))
        power = rng.choice([0, 0, 1, 2])
        weights = [rng.random() ** power + 0.01 for _ in pieces]
        one, two = (b"".join(rng.choices(pieces, weights, k=size))[:size] for _ in range(2))
        found += [(evm.gas(BLEU, (one, one), rng.getrandbits(64)), "itself", pieces)]
        found += [(evm.gas(BLEU, (one, two), rng.getrandbits(64)), "another", pieces)]
    for gas, against, pieces in sorted(found, reverse=True)[:5]:
        print(f"{size:6} bytes  {gas:12,}  against {against}: {b' '.join(sorted(set(pieces)))!r}")


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worst", type=int, nargs="*", default=[2048, 4096])
    parser.add_argument("--search", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with anvil() as evm:
        ordinary(evm)
        totals = pack([900, 500, 300, 0, 1000, 950, 900, 850, 1100])
        print(f"score: {evm.gas_of_score(BLEU, totals):,} gas")
        text = b"a" * 16_384
        print(f"exact match of {len(text):,} bytes: {evm.gas(EXACT_MATCH, (text, text)):,} gas")
        worst(evm, arguments.worst)
        marks(evm)
        search(evm, arguments.search, arguments.seed)


if __name__ == "__main__":
    main()
