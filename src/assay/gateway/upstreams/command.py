"""A program as a model: one that runs on and speaks JSON lines, or one that is started for each text.

Programs run in a session of their own, so that they are killed with all their children. They get our environment without the
variables of Assay, which may point to passwords. Their standard error is ours.
"""

import asyncio
import contextlib
import os
import shlex
import signal
import sys

import orjson
import structlog

from assay.errors import BadInput
from assay.gateway.upstreams.text import as_bytes

log = structlog.get_logger()
CHUNK = 65_536
KILL_SECONDS = 5.0


def split(command: str) -> list[str]:
    """The arguments of a command line, as a POSIX shell parts them. BadInput for none or open quotes."""
    try:
        arguments = shlex.split(command)
    except ValueError as error:
        raise BadInput(f"the command cannot be read: {error}", "close its quotes", where="--command") from None
    if not arguments:
        raise BadInput("the command is empty", "name a program", where="--command")
    return arguments


class LineUpstream:
    """A program that reads one JSON string a line and writes one JSON string, or null for silence, a line.

    One question at a time. A program that died is started again with the next question; one that hangs, writes too much or
    anything else is killed, since nobody knows any more which line answers which.
    """

    def __init__(self, arguments: list[str], *, timeout: float, limit: int) -> None:
        """`timeout` in seconds for one answer, `limit` in bytes of a response."""
        self._arguments, self._timeout, self._limit = arguments, timeout, limit
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def translate(self, prompt: str) -> bytes | None:
        """What the program answers to this line; None for null or any trouble."""
        async with self._turn:
            if self._closed:
                return None
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._exchange(prompt)
            except asyncio.CancelledError:
                await self._kill()
                raise
            except (TimeoutError, OSError, ValueError, EOFError) as error:
                log.warning("upstream failed", kind="command", error=type(error).__name__)
                await self._kill()
                return None

    async def close(self) -> None:
        """Kill the program and its children."""
        self._closed = True
        await self._kill()

    async def _exchange(self, prompt: str) -> bytes | None:
        process = self._process
        if process is None or process.returncode is not None:
            await self._kill()  # children of a dead program may live
            # A byte of the response takes at most six in JSON.
            process = self._process = await start(self._arguments, limit=6 * self._limit + CHUNK)
        if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
            raise EOFError
        process.stdin.write(orjson.dumps(prompt) + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()  # ValueError above the limit
        if not line.endswith(b"\n"):
            raise EOFError
        result = orjson.loads(line)  # JSONDecodeError is a ValueError
        if result is not None and not isinstance(result, str):
            raise ValueError("neither a string nor null")
        return as_bytes(result, self._limit)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await kill(process)


class TextUpstream:
    """A program that is started for each text: prompt on standard input, response on standard output, exit code 0.

    One line end at the end of the output is not part of the response. Up to `parallel` run at once.
    """

    def __init__(self, arguments: list[str], *, timeout: float, limit: int, parallel: int = 2) -> None:
        """`timeout` in seconds for one run, `limit` in bytes of a response."""
        self._arguments, self._timeout, self._limit = arguments, timeout, limit
        self._turn = asyncio.Semaphore(parallel)
        self._running: set[asyncio.subprocess.Process] = set()
        self._closed = False

    async def translate(self, prompt: str) -> bytes | None:
        """What the program writes; None for another exit code or any trouble."""
        async with self._turn:
            if self._closed:
                return None
            try:
                process = await start(self._arguments, limit=CHUNK)
            except OSError as error:
                log.warning("upstream failed", kind="command", error=type(error).__name__)
                return None
            self._running.add(process)
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._run(process, prompt.encode())
            except (TimeoutError, OSError, ValueError) as error:
                log.warning("upstream failed", kind="command", error=type(error).__name__)
                return None
            finally:
                await kill(process)
                self._running.discard(process)

    async def close(self) -> None:
        """Kill the programs that run and their children."""
        self._closed = True
        for process in tuple(self._running):
            await kill(process)

    async def _run(self, process: asyncio.subprocess.Process, prompt: bytes) -> bytes | None:
        if process.stdin is None or process.stdout is None:  # pragma: no cover - both are pipes
            return None
        feeding = asyncio.create_task(_feed(process.stdin, prompt))
        output = bytearray()
        try:
            while chunk := await process.stdout.read(CHUNK):
                output += chunk
                if len(output) > self._limit + 1:
                    raise ValueError("too much output")
            code = await process.wait()
        finally:
            feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await feeding
        if code != 0:
            log.warning("upstream failed", kind="command", exit_code=code)
            return None
        return as_bytes(bytes(output).removesuffix(b"\n"), self._limit)


async def start(arguments: list[str], *, limit: int) -> asyncio.subprocess.Process:
    """Start a program in a session of its own. OSError where it cannot."""
    return await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=sys.stderr.fileno() if _has_fileno() else asyncio.subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if not key.startswith("ASSAY_")},
        limit=limit,
        start_new_session=True,
    )


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill a program with its whole process group, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    # Closed by hand: a pipe that a grandchild in a session of its own holds open would never end by itself.
    process._transport.close()  # type: ignore[attr-defined]  # asyncio has no public way to it
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILL_SECONDS):
            await process.wait()


async def _feed(stdin: asyncio.StreamWriter, prompt: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # a program may answer without reading all
        stdin.write(prompt)
        await stdin.drain()
        stdin.close()


def _has_fileno() -> bool:
    try:
        return sys.stderr.fileno() >= 0
    except (OSError, ValueError, AttributeError):
        return False
