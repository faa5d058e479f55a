"""How long something waits before it is tried again: twice as long after each failure, up to an hour. Kept in memory alone."""

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

from assay.types import RoundId

__all__ = ["Pauses", "doubled", "renewal"]

MOST_SECONDS = 3_600.0


def doubled(first: float, failures: int) -> float:
    """Seconds to wait after so many failures."""
    return min(first * 2.0 ** min(failures - 1, 10), MOST_SECONDS)


def renewal(round_: RoundId) -> Hashable:
    """The key of another audit of a round for new evidence."""
    return "renewal", round_


@dataclass(slots=True)
class _Pause:
    until: float = 0.0
    failures: int = 0


class Pauses:
    """Of anything that can be a key."""

    def __init__(self) -> None:
        """Nothing waits."""
        self._pauses: dict[Hashable, _Pause] = {}
        self._end = inf

    def is_over(self, key: Hashable) -> bool:
        """Whether it may be tried now."""
        pause = self._pauses.get(key)
        return pause is None or min(time.monotonic(), self._end) >= pause.until

    def add(self, key: Hashable, first: float) -> None:
        """Something failed: let it wait for `first` seconds, or twice as long as the last time."""
        pause = self._pauses.setdefault(key, _Pause())
        pause.failures += 1
        pause.until = time.monotonic() + doubled(first, pause.failures)

    def for_ever(self, key: Hashable) -> None:
        """Let it wait until `end`."""
        self._pauses[key] = _Pause(inf)

    def end(self, key: Hashable) -> None:
        """It was done: the next failure is the first one."""
        self._pauses.pop(key, None)

    @contextmanager
    def at_most_once(self) -> Iterator[None]:
        """Inside, what fails is not tried again, however long the rest takes."""
        self._end = time.monotonic()
        try:
            yield
        finally:
            self._end = inf
