"""Writes in a thread of their own, all that wait together in one transaction: one sync to disk for many answers."""

import asyncio
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from assay.gateway.database import Database

T = TypeVar("T")
MAX_BATCH = 128


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None

    def run(self, database: Database) -> None:
        try:
            with database.writing():
                self.result = self.work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits; the other jobs of the batch go on
            self.error = error

    def tell(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Runs jobs one after another. Whoever waited for a job knows that what it wrote is on disk."""

    def __init__(self, database: Database) -> None:
        """Start the thread."""
        self._database = database
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def __call__(self, work: Callable[[], T]) -> T:
        """What the work returns, once its transaction is committed; what it raises, with nothing of it kept."""
        loop = asyncio.get_running_loop()
        job = _Job(work, loop, loop.create_future())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def close(self) -> None:
        """Do what waits, then end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            batch = [first]
            ended = False
            while len(batch) < MAX_BATCH and not self._jobs.empty():
                job = self._jobs.get()
                if job is None:
                    ended = True
                    break
                batch.append(job)
            self._do(batch)
            if ended:
                return

    def _do(self, batch: list[_Job]) -> None:
        try:
            with self._database.writing():
                for job in batch:
                    job.run(self._database)
        except Exception as error:  # noqa: BLE001 - the commit failed, so nothing of the batch is kept
            for job in batch:
                job.error = error
        for job in batch:
            if not job.loop.is_closed():
                job.loop.call_soon_threadsafe(job.tell)
