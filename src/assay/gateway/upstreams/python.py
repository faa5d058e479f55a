"""A Python object with `translate(text) -> str`, called in threads of its own so that the gateway stays awake."""

import asyncio
import importlib
import importlib.util
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import structlog

from assay.errors import BadInput
from assay.gateway.upstreams.text import as_bytes

log = structlog.get_logger()


class Outcome(NamedTuple):
    """What a call returned, or the name of what it raised."""

    result: object
    error: str = ""


Job = tuple[str, asyncio.AbstractEventLoop, "asyncio.Future[Outcome]"]


class PythonUpstream:
    """Calls an object's `translate`. One call at a time, unless the object says `thread_safe = True`.

    A call that hangs is silence after the timeout; its thread is lost until the call returns, and does not keep the process
    alive.
    """

    def __init__(self, model: Any, *, timeout: float, limit: int, threads: int = 4) -> None:
        """`timeout` in seconds, `limit` in bytes of a response, `threads` for a model that is thread-safe."""
        self._translate: Callable[[str], object] = model.translate
        self._timeout, self._limit = timeout, limit
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"upstream-{number}", daemon=True)
            for number in range(threads if getattr(model, "thread_safe", False) is True else 1)
        ]
        for thread in self._threads:
            thread.start()

    async def translate(self, prompt: str) -> bytes | None:
        """What the object returns, as UTF-8; None for None, an exception, another type, a timeout or too much."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._jobs.put((prompt, loop, future))
        try:
            outcome = await asyncio.wait_for(future, self._timeout)
        except TimeoutError:
            log.warning("upstream timed out", kind="python", seconds=self._timeout)
            return None
        if outcome.error:
            log.warning("upstream failed", kind="python", error=outcome.error)
            return None
        return as_bytes(outcome.result, self._limit)

    async def close(self) -> None:
        """Let the threads end after the call that they are in."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            prompt, loop, future = job
            if future.cancelled():  # nobody waits any more
                continue
            try:
                outcome = Outcome(self._translate(prompt))
            except BaseException as error:  # noqa: BLE001 - a model that calls sys.exit is as silent as one that fails
                outcome = Outcome(None, type(error).__name__)
            try:
                loop.call_soon_threadsafe(_deliver, future, outcome)
            except RuntimeError:  # the loop was closed meanwhile
                return


def load(spec: str) -> Any:
    """The object of `module:attribute` or `file.py:attribute`; called once where it is a factory, that is, has no `translate`.

    BadInput where there is no such thing. Importing runs the module's code.
    """
    place, _, attribute = spec.rpartition(":")
    if not place or not attribute:
        raise BadInput(f"{spec!r} names no object", "write module:attribute or file.py:attribute", where="--python")
    try:
        found = getattr(_from_file(Path(place)) if place.endswith(".py") else importlib.import_module(place), attribute, None)
        if found is not None and not hasattr(found, "translate") and callable(found):
            found = found()
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(
            f"{spec} does not load: {type(error).__name__}: {error}", "mend it, or set PYTHONPATH", where="--python"
        ) from error
    if not callable(getattr(found, "translate", None)):
        raise BadInput(f"{spec} has no translate(text)", "name an object with it, or a function that makes one", where="--python")
    return found


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"assay_upstream_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput(f"there is no Python file {path}", "name another one", where="--python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _deliver(future: "asyncio.Future[Outcome]", outcome: Outcome) -> None:
    if not future.done():  # nobody waits any more after a timeout
        future.set_result(outcome)
