"""Wait for the chain: call a step again until it no longer says NotYet."""

import time
from collections.abc import Callable
from typing import TypeVar

from assay.errors import NotYet

T = TypeVar("T")
POLL_SECONDS = 1.0


def until_ready(step: Callable[[], T], patience: float) -> T:
    """What the step returns; its NotYet once `patience` seconds are over."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return step()
        except NotYet:
            if time.monotonic() + POLL_SECONDS > deadline:
                raise
            time.sleep(POLL_SECONDS)
