"""One thread that writes the journal, many tasks that wait for it: what arrives during a commit is written in the next one.

So a thousand answers cost a few hundred disk syncs, the event loop never waits for the disk, and nothing is sent before it is
written.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from assay.agent.journal import Journal

T = TypeVar("T")
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Committer:
    """Groups writes into commits. Use it with `async with`; leaving it writes what is still waiting."""

    def __init__(self, journal: Journal) -> None:
        """For one journal, in the loop that enters it."""
        self._journal = journal
        self._waiting: list[Job] = []
        self._draining: asyncio.Task[None] | None = None
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._draining is not None:
            await self._draining
        self._disk.shutdown()

    async def write(self, work: Callable[[], T]) -> T:
        """Run `work` in a transaction on the journal's thread; returns when it is on disk. What it raises undoes it alone."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._draining is None or self._draining.done():
            self._draining = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            jobs, self._waiting = self._waiting, []
            await self._commit(jobs)

    async def _commit(self, jobs: list[Job]) -> None:
        try:
            results = await asyncio.get_running_loop().run_in_executor(self._disk, self._together, [work for work, _ in jobs])
        except BaseException as error:  # noqa: BLE001 - nothing was written: every waiter has to hear of it
            results = [error] * len(jobs)
        for (_, future), result in zip(jobs, results, strict=True):
            if future.cancelled():
                continue
            if isinstance(result, BaseException):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _together(self, works: list[Callable[[], Any]]) -> list[Any]:
        results: list[Any] = []
        with self._journal.transaction():
            for work in works:
                try:
                    with self._journal.transaction():
                        results.append(work())
                except Exception as error:  # noqa: BLE001 - handed to whoever waits for this part
                    results.append(error)
        return results
