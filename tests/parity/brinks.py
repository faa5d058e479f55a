"""Writes brinks.json: totals whose score stands at the brink of the next integer, so that the last bit of every step shows.

    python tests/parity/brinks.py

A score has 60 bits, and what it is rounded down from has 120 and more: of totals drawn at random not one in 2^60 would tell
whether a step on the way is one unit off. Here they are constructed. BLEU: the fraction nearest to (score / penalty)^4, by
continued fractions, if its terms are products of lanes. chrF: matches by the Chinese remainder theorem, so that the sum of the
precisions has a remainder that is as small as the denominator allows.
"""

import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

FILE = Path(__file__).resolve().parent / "brinks.json"
PERFECT = 10**18
LANE_BITS = 28
LANE = (1 << LANE_BITS) - 1
LN2 = 0xB17217F7D1CF79ABC9E3B39803F2F6AF

# How many, lowest and highest halvings of the brevity penalty, or none, and bits by which the score is smaller than the penalty.
BLEU_KINDS: list[tuple[int, tuple[int, int] | None, tuple[float, float]]] = [
    (16, None, (0.1, 2)), (40, (0, 0), (0.5, 2)), (24, (1, 1), (0.5, 2)), (8, (2, 8), (0.5, 2)), (4, (9, 40), (0.5, 2)),
    (6, None, (2, 4)),
]  # fmt: skip
# Where the bits of the fraction change the estimate that the square root begins with: so many fewer than those of 1, and how many
# bits at the end of the root do not matter, since an estimate that is wrong there changes more.
EDGES = (2, 4, 6, 12, 14)
SMALL_EDGES = [(28, 4), (30, 4), (60, 16), (62, 16)]
# Where a wrong estimate is farthest off: just beyond an edge.
FAR = [(8.9, 8.99), (13.01, 13.1)]
SMALL_FAR = [(29.01, 29.1, 4), (62.95, 62.99, 13)]
CHRF = 120


def read() -> tuple[list[int], list[list[int]]]:
    """Totals of BLEU and of chrF."""
    content = json.loads(FILE.read_text())
    return [int(word, 16) for word in content["bleu"]], [[int(word, 16) for word in words] for words in content["chrf"]]


def penalty(length: int, target: int) -> int:
    """The brevity penalty of `Bleu.score`; 2^128 is 1."""
    if length >= target:
        return 1 << 128
    halvings, x = divmod((target - length << 128) // length, LN2)
    power = 1 << 128
    for n in range(28, 0, -1):
        power = (1 << 128) - (power * x >> 128) // n
    return power >> halvings


def bleu_brink(rng: random.Random, halvings: tuple[int, int] | None, smaller: tuple[float, float]) -> int:
    """A word of totals of which one unit of 2^-127 more, or less, would give another score."""
    while True:
        length = rng.randrange(1 << 14, 1 << rng.randint(15, 20))
        excess = rng.uniform(*(bound + side for side, bound in enumerate(halvings))) * math.log(2) if halvings else -0.5
        target = int(length * (1 + excess))
        factor = penalty(length, target)
        score = int((PERFECT * factor >> 128) * 2 ** -rng.uniform(*smaller))
        mean = (Fraction(score, PERFECT) + Fraction(rng.choice([-1, 1]) * rng.randint(1, 6), 1 << 129)) * (1 << 128) / factor
        for lanes in fractions(mean**4, length):
            if at_brink(fourth_root(ratio(lanes)) * factor >> 128):
                return packed([*lanes, target])


def small_brink(rng: random.Random, bits: tuple[float, float], vague: int) -> int:
    """The same by 2^vague units, for a fraction of so many bits less than that of 1: its last one counts for more than one."""
    while True:
        score = int(PERFECT * 2 ** (-rng.uniform(*bits) / 4))
        found = (score**4 << 144) // PERFECT**4 + rng.randint(0, 1)
        if not at_brink(fourth_root(found), vague):
            continue
        length = rng.randrange(1 << 14, 1 << 20)
        for lanes in fractions(Fraction(2 * found + 1, 1 << 145), length):
            if ratio(lanes) == found:
                return packed([*lanes, length - 1])


def at_brink(value: int, vague: int = 0) -> bool:
    """Whether a score of `value`, 2^127 being 1, would be another one with 2^vague more or less."""
    rest = value * PERFECT % (1 << 127)
    return rest < PERFECT << vague or rest >= (1 << 127) - (PERFECT << vague)


def rounded_brink(rng: random.Random, above: int) -> int:
    """A word of totals whose second square root, as Newton's method leaves it, is one too high, and `above` the brink."""
    while True:
        root = -(-(PERFECT // 2 + rng.randrange(1 << 50) << 127) // PERFECT) + above
        square = root * root >> 127
        if root * root - (square << 127) >= root >> 17 or newton(square << 127) != root:
            continue
        for length in rng.sample(range(1 << 14, 1 << 20), 40):
            for lanes in fractions(Fraction(square * square + square, 1 << 254), length):
                if math.isqrt(ratio(lanes) << 110) == square:
                    return packed([*lanes, length - 1])


def newton(x: int) -> int:
    """The square root of `Bleu.score` before its last correction."""
    rest, root = x, 1
    for bits in (128, 64, 32, 16, 8, 4, 2):
        if rest >> bits:
            rest, root = rest >> bits, root << bits // 2
    root = 3 * root >> 1
    for _ in range(6):
        root = root + x // root >> 1
    return root


def ratio(lanes: Sequence[int]) -> int:
    """The product of the precisions of four matches and four totals, 2^144 being 1."""
    return (math.prod(lanes[:4]) << 144) // math.prod(lanes[4:])


def fourth_root(fraction: int) -> int:
    """The mean of the precisions as `Bleu.score` computes it."""
    return math.isqrt(math.isqrt(fraction << 110) << 127)


def fractions(value: Fraction, length: int) -> Iterator[list[int]]:
    """Eight lanes, four matches and four totals of which the first is `length`, with nearly this product of precisions."""
    for over, under in convergents(value * length, 1 << 84):
        if under.bit_length() >= 40 and (found := as_lanes(over, under, length)):
            yield found[0] + found[1]


def packed(lanes: Sequence[int]) -> int:
    """Lanes in a word, lowest first."""
    return sum(value << LANE_BITS * index for index, value in enumerate(lanes))


def convergents(value: Fraction, limit: int) -> Iterator[tuple[int, int]]:
    """The convergents of the continued fraction of `value`, while their terms are below the limit."""
    over, under, past_over, past_under = 1, 0, 0, 1
    while True:
        whole = math.floor(value)
        over, past_over = whole * over + past_over, over
        under, past_under = whole * under + past_under, under
        if max(over, under) >= limit:
            return
        yield over, under
        if value == whole:
            return
        value = 1 / (value - whole)


def as_lanes(over: int, under: int, length: int) -> tuple[list[int], list[int]] | None:
    """over / (under * length) as matches and totals of four orders, the first total being `length`; None if that is not found."""
    if not (primes := factors(under)) or not (others := factors(over)):
        return None
    totals, matches = [length, *sorted(bins(primes, 3))], sorted(bins(others, 4))
    matches = [matches.pop(min(range(len(matches)), key=lambda at: abs(matches[at] - total // 2))) for total in totals]
    for _ in range(60):
        if all(match <= total for match, total in zip(matches, totals, strict=True)):
            return (matches, totals) if max(totals) <= LANE else None
        short = max(range(1, 4), key=lambda at: Fraction(matches[at], totals[at]))
        spare = min(range(4), key=lambda at: Fraction(matches[at], totals[at]))
        totals[short] *= 2
        matches[spare] *= 2
    return None


def bins(primes: Sequence[int], count: int) -> list[int]:
    """The primes multiplied together in so many products of about the same size."""
    products = [1] * count
    for prime in sorted(primes, reverse=True):
        products[products.index(min(products))] *= prime
    return products


def factors(number: int) -> list[int]:
    """The prime factors of a number, or none if one is above 2^26 or hard to find."""
    found, open_ = [], [number]
    while open_:
        part = open_.pop()
        if part > 1 and is_prime(part):
            if part >> 26:
                return []
            found.append(part)
        elif part > 1:
            if not (divisor := divisor_of(part)):
                return []
            open_ += [divisor, part // divisor]
    return found


def is_prime(number: int) -> bool:
    """Miller and Rabin, with bases that suffice below 2^81."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if number in bases or any(number % base == 0 for base in bases):
        return number in bases
    twos = ((number - 1) & (1 - number)).bit_length() - 1
    powers = [pow(base, number - 1 >> twos, number) for base in bases]
    return all(power == 1 or any(pow(power, 1 << k, number) == number - 1 for k in range(twos)) for power in powers)


def divisor_of(number: int) -> int:
    """A divisor by trial and by Pollard's rho, or 0."""
    for small in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41):
        if number % small == 0:
            return small
    slow = fast = product = 2
    for step in range(1, 12_000):
        slow = (slow * slow + 1) % number
        fast = (fast * fast + 1) % number
        fast = (fast * fast + 1) % number
        product = product * abs(slow - fast) % number
        if step % 64 == 0 and (divisor := math.gcd(product, number)) > 1:
            return divisor if divisor < number else 0
    return 0


def chrf_brink(rng: random.Random) -> list[int]:
    """Two words of totals of which a precision with one bit more or less behind the point would give another score."""
    while True:
        orders = rng.randint(3, 6)
        counted = [rng.randrange(1 << 26, 1 << 28) | 1 for _ in range(orders)]
        every = math.prod(counted)
        if math.lcm(*counted, 10) != every * 10:
            continue
        rest = rng.randrange(-every, 8 * every) >> 60
        matches = [rest * pow(every // count * PERFECT, -1, count) % count for count in counted]
        if len({score(counted, matches, point) for point in (119, 120, 121)}) == 1:
            continue
        lanes = [lane for count, match in zip(counted, matches, strict=True) for lane in (count, count, match)]
        lanes += [0] * (18 - len(lanes))
        return [packed(lanes[:9]), packed(lanes[9:])]


def score(counted: Sequence[int], matches: Sequence[int], point: int) -> int:
    """chrF of texts of the same length, as `Chrf.score` computes it."""
    total = sum((match << point) // count for count, match in zip(counted, matches, strict=True))
    return total * PERFECT // len(counted) >> point


def bleu_brinks() -> Iterator[int]:
    """All kinds of totals of BLEU, each from a seed of its own."""
    for kind, (count, halvings, smaller) in enumerate(BLEU_KINDS):
        rng = random.Random(100 + kind)
        yield from (bleu_brink(rng, halvings, smaller) for _ in range(count))
    for bits in EDGES:
        rng = random.Random(200 + bits)
        yield from (bleu_brink(rng, None, ((bits - 0.9) / 4, (bits + 0.9) / 4)) for _ in range(4))
    for bits, vague in SMALL_EDGES:
        rng = random.Random(200 + bits)
        yield from (small_brink(rng, (bits - 1, bits + 1), vague) for _ in range(6))
    for above in (0, 1):
        rng = random.Random(300 + above)
        yield from (rounded_brink(rng, above) for _ in range(3))
    for kind, (low, high) in enumerate(FAR):
        rng = random.Random(400 + kind)
        yield from (bleu_brink(rng, None, (low / 4, high / 4)) for _ in range(6))
    for kind, (low, high, vague) in enumerate(SMALL_FAR):
        rng = random.Random(500 + kind)
        yield from (small_brink(rng, (low, high), vague) for _ in range(6))


if __name__ == "__main__":
    rng = random.Random(14)
    chrf = [[hex(word) for word in chrf_brink(rng)] for _ in range(CHRF)]
    bleu = []
    for brink in bleu_brinks():
        bleu.append(hex(brink))
        sys.stderr.write(f"\r{len(bleu)}   ")
        sys.stderr.flush()
    content = {"bleu": bleu, "chrf": chrf}
    FILE.write_text(json.dumps(content, indent=1) + "\n")
