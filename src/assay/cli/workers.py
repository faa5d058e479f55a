"""Who checks the parts of a verification: processes of this machine, a cluster of machines, or nobody but this process."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import click

from assay.errors import BadInput, Fatal, Unreachable

__all__ = ["cores", "executor", "processes", "work_options"]

Function = TypeVar("Function", bound=Callable[..., Any])
_CONNECT_SECONDS = 10
_RETRIES = 5


def work_options(function: Function) -> Function:
    """Adds --workers and --scheduler, which `executor` takes."""
    workers = click.option(
        "--workers", metavar="N", type=click.IntRange(1, 256), help="Processes that check. Default: one a core."
    )
    scheduler = click.option(
        "--scheduler",
        metavar="ADDRESS",
        envvar="ASSAY_SCHEDULER",
        help="Scheduler of a Dask cluster that checks instead, like tcp://host:8786. It is trusted with what it finds.",
    )
    return workers(scheduler(function))


def executor(workers: int | None, scheduler: str | None) -> AbstractContextManager[Executor | None]:
    """Who checks: a cluster if one is named, else so many processes. UsageError for both, errors of `processes` and `cluster`."""
    if workers is not None and scheduler is not None:
        raise click.UsageError("--workers goes without --scheduler: a cluster has workers of its own")
    return cluster(scheduler) if scheduler is not None else processes(workers or cores())


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


class _Cluster(Executor):
    """A Dask client as an executor. Its futures are Dask's own, which fetch a result again if the worker that held it is gone;
    those of `Client.get_executor` read the state a second time after the result and fall over if it has changed between."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return self._client.submit(fn, *args, **kwargs, retries=_RETRIES, pure=False)


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster; what a worker that dies was at is done by another.

    BadInput where Dask is not installed or the address is none, Unreachable where nobody answers, Fatal where all is lost.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise BadInput("Dask is not installed", "pip install 'assay-protocol[cluster]'", where="--scheduler") from None
    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise BadInput(f"{address[:200]!r} is no address: {error}", "Like tcp://host:8786.", where="--scheduler") from None
    except OSError:
        raise Unreachable(f"no scheduler answers at {address[:200]}", "Is it running? Is TLS configured on both sides?") from None
    with client:
        try:
            yield _Cluster(client)
        except (CancelledError, KilledWorker):
            raise Fatal("the cluster was lost", "See the scheduler's log, or leave --scheduler out.") from None
