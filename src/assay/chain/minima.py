"""What agent, gateway and ranking accept of a task, since the chain vouches for none: shipped metrics, windows and bonds.

The bounds are published and the same for everybody who runs this release. They do not hold on the development chain, where
windows are seconds; the metric's code is checked everywhere.
"""

from typing import NamedTuple

from assay.chain import artifacts
from assay.chain.client import Chain
from assay.errors import Refused
from assay.types import TaskParams

DEVELOPMENT_CHAIN = 31337
MINUTE, HOUR, DAY = 60, 3_600, 86_400
ETHER = 10**18


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
