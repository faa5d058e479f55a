"""What a round costs before anybody is committed to it: gas, bonds and their times, and how sure its scores will be.

Gas is linear in the versions k, measured on the shipped contracts (a test compares it with receipts):

    seal 138k · enrol 47k a batch of ten + 50k·k · attest 44k a batch of ten + 38.5k·k · reveal 44k · release 100k + 26.5k·k

The half-width of the 95 % interval is 1.96 · σ · sqrt(deff / n), with Kish's design effect deff = 1 + (m - 1)·ρ for n items in
groups of m on average (L. Kish, Survey Sampling, 1965, section 5.4). σ is 0.5 at most for any score of items between 0 and 1
(Popoviciu). For corpus BLEU and chrF, σ and ρ are what the bootstrap shows for the best of seven systems on NTREX-128 (1997
sentences in 123 documents); weaker ones have narrower intervals, to a quarter of it. `bench/half_width.py` measures both. It is a
plan's number: the ranking resamples the real answers.

What references cost is no measurement of ours. It is the range of prices per source word that agencies publish for a common pair
of languages (0.10 to 0.25 US dollars for English to Spanish: Traduality, "Translation rates per word"); the same page goes to
0.50 for English to Arabic.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, sqrt

from assay.chain.invitation import deadlines_of
from assay.types import Deadlines, TaskParams

BATCH = 10
RELEASE_BATCH = 50
Z95 = 1.96
WORST = (0.5, 0.2)
"""σ and ρ where nothing is known of the metric."""
CENTS_A_WORD = (10, 25)
"""Published prices of a human translation, US cents for a source word: least and most."""
WIDE_LETTERS_A_WORD = 2
SPREAD = {"BLEU": (0.174, 0.19), "chrF2": (0.119, 0.24)}


@dataclass(frozen=True, slots=True)
class StepCost:
    """Gas of one step, all its transactions, and wei at the price that was asked for."""

    step: str
    gas: int
    wei: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What is paid, what is locked until when, and the expected half-width on the scale 0 to 100.

    `deadlines` are those of a seal at `now`, Unix seconds; the round bond is free at `versions_released_at` too, later only by
    what late demands add. `words` are the prompts', `reference_cents` what translating them usually costs, least and most.
    """

    versions: int
    items: int
    groups: int
    gas_price: int
    steps: tuple[StepCost, ...]
    gas: int
    wei: int
    round_bond: int
    locked_seconds: int
    version_bond: int
    versions_locked_seconds: int
    half_width: float
    now: int
    deadlines: Deadlines
    words: int
    reference_cents: tuple[int, int]


def gas_of(step: str, versions: int) -> int:
    """Gas of a step of a round with that many versions; 0 for a step that sends nothing."""
    batches = ceil(max(versions, 1) / BATCH)
    return {
        "seal": 138_000,
        "enrol": 47_000 * batches + 50_000 * versions,
        "attest": 44_000 * batches + 38_500 * versions,
        "reveal": 44_000,
        "release": 58_000 + 42_500 * ceil(versions / RELEASE_BATCH) + 26_500 * versions,
    }.get(step, 0)


def half_width(signature: str, items: int, groups: int) -> float:
    """Expected half-width of the 95 % interval of a corpus score, on the scale 0 to 1 and never above one half."""
    sigma, rho = SPREAD.get(signature.split("|", maxsplit=1)[0], WORST)
    design = 1 + (items / groups - 1) * rho
    return min(0.5, Z95 * sigma * sqrt(design / items))


def words_of(text: str) -> int:
    """Words as translators count them: between spaces; in scripts without spaces two letters are one."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text.split()) + ceil(wide / WIDE_LETTERS_A_WORD) - (1 if wide else 0)


def cost(task: TaskParams, signature: str, versions: int, prompts: Iterable[str], groups: int, gas_price: int, now: int) -> Cost:
    """All of a round with these scored prompts in `groups` groups, sealed at `now`.

    The bond is locked from the seal until the last challenge is over.
    """
    counts = [words_of(prompt) for prompt in prompts]
    steps = tuple(
        StepCost(step, gas, gas * gas_price)
        for step in ("seal", "enrol", "attest", "reveal", "release")
        for gas in [gas_of(step, versions)]
    )
    deadlines = deadlines_of(task, now)
    locked = deadlines.versions_released_at - now
    return Cost(
        versions=versions,
        items=len(counts),
        groups=groups,
        gas_price=gas_price,
        steps=steps,
        gas=sum(step.gas for step in steps),
        wei=sum(step.wei for step in steps),
        round_bond=task.round_bond,
        locked_seconds=locked,
        version_bond=task.version_bond,
        versions_locked_seconds=locked,
        half_width=round(100 * half_width(signature, len(counts), groups), 2),
        now=now,
        deadlines=deadlines,
        words=sum(counts),
        reference_cents=(CENTS_A_WORD[0] * sum(counts), CENTS_A_WORD[1] * sum(counts)),
    )
