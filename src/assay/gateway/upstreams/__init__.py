"""Where answers come from: one adapter per kind of model, all behind one small protocol."""

from typing import NamedTuple, Protocol, runtime_checkable

from assay.gateway.messages import Place
from assay.types import TaskId


class Upstream(Protocol):
    """A model, whatever it is made of."""

    async def translate(self, prompt: str) -> bytes | None:
        """The response to a prompt, or None for silence: failure, timeout, too much output. Never raises, never guesses."""
        ...

    async def close(self) -> None:
        """Stop whatever was started. Nothing is asked afterwards."""
        ...


class Occasion(NamedTuple):
    """What a prompt is asked for: its place in a round, and the task with the digest of its description."""

    place: Place
    task: TaskId
    description_digest: bytes


@runtime_checkable
class TaskUpstream(Upstream, Protocol):
    """A model that is asked as the task's description says, and whose requests are kept with their place."""

    def objection(self, task: TaskId, description_digest: bytes) -> str | None:
        """Why this model cannot sit rounds of such a task, or None where it can."""
        ...

    async def answer(self, prompt: str, occasion: Occasion) -> bytes | None:
        """As `translate`, within a round."""
        ...
