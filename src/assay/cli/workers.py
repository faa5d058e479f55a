"""Who checks the parts of a verification: processes of this machine, a cluster of machines, or nobody but this process."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from assay.errors import Fatal

__all__ = ["cores", "processes"]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def processes(count: int) -> Iterator[Executor | None]:
    """So many processes, None for one: then this one does the work.

    They are forked, which takes milliseconds where starting Python anew takes half a second; so nothing that runs threads may be
    open here. Fatal where one of them dies.
    """
    if count <= 1:
        yield None
        return
    context = multiprocessing.get_context("fork")
    pool = ProcessPoolExecutor(count, context, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN))
    try:
        yield pool
    except BrokenProcessPool:
        raise Fatal("a process that checks ended before its time", "Is memory short? Try --workers 1.") from None
    finally:
        pool.shutdown(cancel_futures=True)
