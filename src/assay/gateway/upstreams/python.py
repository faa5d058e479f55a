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
from typing import Any

import structlog

from assay.errors import BadInput
from assay.gateway.upstreams.text import as_bytes

log = structlog.get_logger()
Job = tuple[str, asyncio.AbstractEventLoop, "asyncio.Future[object]"]


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
        future: asyncio.Future[object] = loop.create_future()
        self._jobs.put((prompt, loop, future))
        try:
            result = await asyncio.wait_for(future, self._timeout)
        except TimeoutError:
            log.warning("upstream timed out", kind="python", seconds=self._timeout)
            return None
        except Exception as error:  # noqa: BLE001 - whatever a model raises is silence
            log.warning("upstream failed", kind="python", error=type(error).__name__)
            return None
        return as_bytes(result, self._limit)

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
                result, error = self._translate(prompt), None
            except Exception as raised:  # noqa: BLE001 - handed to the waiting coroutine
                result, error = None, raised
            try:
                loop.call_soon_threadsafe(_deliver, future, result, error)
            except RuntimeError:  # the loop was closed meanwhile
                return


def load(spec: str) -> Any:
    """The object of `module:attribute` or `file.py:attribute`; called once where it is a factory, that is, has no `translate`.

    BadInput where there is no such thing. Importing runs the module's code.
    """
    place, _, attribute = spec.rpartition(":")
    if not place or not attribute:
        raise BadInput(f"{spec!r} names no object", "write module:attribute or file.py:attribute", where="--python")
    module = _from_file(Path(place)) if place.endswith(".py") else _from_name(place)
    found = getattr(module, attribute, None)
    if found is not None and not hasattr(found, "translate") and callable(found):
        found = found()
    if not callable(getattr(found, "translate", None)):
        raise BadInput(f"{spec} has no translate(text)", "name an object with it, or a function that makes one", where="--python")
    return found


def _from_name(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadInput(f"module {name} cannot be imported: {error}", "install it, or set PYTHONPATH", where="--python") from None


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"assay_upstream_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput(f"there is no Python file {path}", "name another one", where="--python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _deliver(future: "asyncio.Future[object]", result: object, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
