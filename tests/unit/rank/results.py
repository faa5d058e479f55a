"""Made-up results with real statistics: texts drawn from few words, worse by a known share of noise."""

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from assay.metrics import METRICS, Metric
from assay.rank.table import RoundResult, VersionResult
from assay.types import Address, ModelId, Outcome, Phase, RoundId, Standing, TaskId, VersionId

BLEU: Metric = next(metric for signature, metric in METRICS.items() if signature.startswith("BLEU"))
CHRF: Metric = next(metric for signature, metric in METRICS.items() if signature.startswith("chrF2"))
TEXT = "the cat sat on a mat and it was a bright cold day in April when clocks were striking thirteen"
WORDS = TEXT.split(" ")


def reference(item: int) -> str:
    return " ".join(random.Random(item).choices(WORDS, k=14))


def answer(item: int, noise: float, seed: str) -> str:
    draw = random.Random(f"{seed} {item}")
    return " ".join(draw.choice(WORDS) if draw.random() < noise else word for word in reference(item).split())


@lru_cache(maxsize=4096)
def measured(metric: Metric, text: str, item: int) -> tuple[int, ...]:
    return metric.measure(text.encode(), reference(item).encode())


def version(
    name: bytes,
    noise: float,
    items: int = 60,
    silences: int = 0,
    seed: str = "",
    first: int = 0,
    standing: Standing = Standing.SCORED,
) -> VersionResult:
    """A version of that name; its items count from `first`, and `silences` of them, spread over all, are silent."""
    silent = {items * each // silences for each in range(silences)}
    outcomes = [Outcome.SILENT if item in silent else Outcome.ANSWERED for item in range(items)]
    texts = ["" if item in silent else answer(first + item, noise, seed) for item in range(items)]
    statistics = [measured(BLEU, text, first + item) for item, text in enumerate(texts)]
    totals = [sum(column) for column in zip(*statistics, strict=True)]
    score = BLEU.score(totals) if standing is Standing.SCORED else 0
    model = ModelId(b"m" + name[:1] * 31)
    id_ = VersionId((name * 32)[:32])
    return VersionResult(id_, model, 1, standing, score, items - silences, silences, outcomes, statistics)


def with_chrf(result: VersionResult, noise: float, seed: str = "", first: int = 0) -> VersionResult:
    """The same with chrF beside it."""
    pairs = ((answer(first + item, noise, seed), first + item) for item in range(len(result.statistics)))
    return replace(result, other=[measured(CHRF, text, item) for text, item in pairs])


def round_result(
    name: bytes, versions: Sequence[VersionResult], *, benchmarker: str = "0x0", phase: Phase = Phase.FINAL, chrf: bool = False
) -> RoundResult:
    """A round of that name, three items a document."""
    groups = [f"document {item // 3}" for item in range(len(versions[0].statistics))]
    other = CHRF if chrf else None
    owner = Address(benchmarker)  # type: ignore[arg-type]
    return RoundResult(RoundId(name * 32), TaskId(b"t" * 32), owner, phase, BLEU, groups, versions, {"seal": 138_000}, other)
