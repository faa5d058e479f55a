"""What is known of each gateway while a round is asked: its connections, the Acks it is owed, whether it answers.

A line that failed is a suspect: at most one question at a time is put to it, beside the others and not before them, so that a
slow or dead gateway delays nobody. A suspect that answers is healthy again.
"""

import time
from collections import deque

from assay.agent.gateways import Gateway
from assay.agent.records import Ack

ACKS_A_REQUEST = 64
LONGEST_PAUSE = 30.0


class Line:
    """The way to one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        """A healthy line that owes nothing."""
        self.gateway = gateway
        self.failures = 0
        self.probing = False
        self.not_before = 0.0
        self._owed: deque[Ack] = deque()
        self.delivered: list[Ack] = []

    @property
    def healthy(self) -> bool:
        """Whether the last request came through."""
        return self.failures == 0

    @property
    def may_probe(self) -> bool:
        """Whether a suspect may be tried once more now."""
        return not self.probing and time.monotonic() >= self.not_before

    def failed(self, pause: float = 0.0) -> None:
        """Take note of a failure; the next try waits longer each time, and at least `pause` seconds."""
        self.failures += 1
        self.not_before = time.monotonic() + max(pause, min(2.0 ** (self.failures - 2), LONGEST_PAUSE))

    def worked(self) -> None:
        """Take note that a whole answer came."""
        self.failures = 0

    def owe(self, acks: list[Ack]) -> None:
        """Acks that the gateway should have."""
        self._owed.extend(acks)

    def take_acks(self, most: int = ACKS_A_REQUEST) -> list[Ack]:
        """The oldest Acks that are owed, to go with a request; give them back if it fails."""
        return [self._owed.popleft() for _ in range(min(most, len(self._owed)))]

    def give_back(self, acks: list[Ack]) -> None:
        """A request with these failed: they are still owed."""
        self._owed.extendleft(reversed(acks))

    @property
    def owed(self) -> int:
        """How many Acks the gateway does not have yet."""
        return len(self._owed)
