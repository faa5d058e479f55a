"""What agent, gateway and ranking accept of a task, since the chain vouches for none: shipped metrics, windows and bonds,
and a metric that can read the language that it scores.

The bounds are published and the same for everybody who runs this release. They do not hold on the development chain, where
windows are seconds; the metric's code is checked everywhere.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from assay.chain import artifacts
from assay.chain.client import Chain
from assay.errors import BadInput, Refused
from assay.metrics import Chrf
from assay.types import TaskParams
from assay.units import ETHER

DEVELOPMENT_CHAIN = 31337
MINUTE, HOUR, DAY = 60, 3_600, 86_400


class Bounds(NamedTuple):
    """Least and most, both included."""

    least: int
    most: int


BOUNDS = {
    "answer_window": Bounds(HOUR, 30 * DAY),
    "post_window": Bounds(10 * MINUTE, 7 * DAY),
    "attest_window": Bounds(HOUR, 30 * DAY),
    "reveal_window": Bounds(HOUR, 180 * DAY),
    "challenge_window": Bounds(3 * DAY, 60 * DAY),
    "demand_window": Bounds(HOUR, 2 * DAY),
    "round_bond": Bounds(0, 1_000 * ETHER),
    "version_bond": Bounds(0, 100 * ETHER),
    "demand_fee": Bounds(ETHER // 1_000, ETHER),
    "max_silence_bps": Bounds(0, 1_000),
}


UNSPACED = frozenset(["zh", "zho", "chi", "cmn", "yue", "ja", "jpn", "th", "tha", "km", "khm", "lo", "lao", "my", "mya", "bur"])
"""Codes of Chinese, Japanese, Thai, Khmer, Lao and Burmese, which write no spaces between words."""


def check_language(description: Mapping[str, Any], where: str = "description.languages") -> None:
    """BadInput for a metric that counts words by the spaces between them, and a target language that writes none.

    The target is the last of `languages`; script and region do not matter, as in zh-Hans, zho_Hant or ja-JP.
    """
    languages = description.get("languages")
    if not isinstance(languages, list) or not languages or not all(isinstance(code, str) for code in languages):
        raise BadInput(
            "is a list of language codes, the last of them what is answered in", 'for example ["eng", "spa"]', where=where
        )
    target = languages[-1]
    if "tok:13a" in str(description.get("metric_signature")) and re.split(r"[-_]", target.strip().lower())[0] in UNSPACED:
        remedy = f'score it by characters: metric_signature = "{Chrf.signature}"'
        raise BadInput(f"BLEU's tokenizer 13a finds no words in {target!r:.40}, which writes no spaces", remedy, where=where)


def check_task(chain: Chain, params: TaskParams) -> None:
    """Refused unless the task's metric is one that this release ships and its windows and bonds are within `BOUNDS`."""
    code = chain.node.code(params.metric)
    if not any(artifacts.load(name).matches(code) for name in artifacts.metrics()):
        raise Refused(f"the metric at {params.metric} is none that this release knows", "choose a task with a shipped metric")
    if chain.deployment.chain_id != DEVELOPMENT_CHAIN:
        check_bounds(params)


def check_bounds(params: TaskParams) -> None:
    """Refused where a window or a bond is out of bounds; the message names the first."""
    for name, (least, most) in BOUNDS.items():
        value = getattr(params, name)
        if not least <= value <= most:
            raise Refused(f"{name} of the task is {value}, outside of {least} to {most}", "choose another task")
