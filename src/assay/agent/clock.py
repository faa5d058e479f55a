"""The chain's time while something runs: the newest block's timestamp, looked up once a second beside the work."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from assay.chain.client import Chain
from assay.errors import AssayError

POLL_SECONDS = 1.0


class ChainClock:
    """Use it with `async with`; `now` is the timestamp of the newest block seen.

    While the node is away it stands still, so that no Ask is ever signed for later than the chain allows.
    """

    def __init__(self, chain: Chain, now: int) -> None:
        """Begins at a timestamp that was read before."""
        self._chain = chain
        self.now = now
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            with contextlib.suppress(AssayError):
                self.now = max(self.now, (await asyncio.to_thread(self._chain.head)).timestamp)
