"""Where answers come from: one adapter per kind of model, all behind one small protocol."""

from typing import Protocol


class Upstream(Protocol):
    """A model, whatever it is made of."""

    async def translate(self, prompt: str) -> bytes | None:
        """The response to a prompt, or None for silence: failure, timeout, too much output. Never raises, never guesses."""
        ...

    async def close(self) -> None:
        """Stop whatever was started. Nothing is asked afterwards."""
        ...
