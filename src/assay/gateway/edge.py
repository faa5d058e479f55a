"""The outermost layer: whole bodies within a size and a time, failures that show nothing of the inside, a line of log a request.

The log says route, status and duration, and nothing of what was asked or answered.
"""

import asyncio
import time

import orjson
import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.gateway.problems import Problem

log = structlog.get_logger()
MAX_BODY_BYTES = 2 * 2**20
BODY_SECONDS = 20.0


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, max_bytes: int = MAX_BODY_BYTES, seconds: float = BODY_SECONDS) -> None:
        """`max_bytes` of a body, `seconds` for its arrival."""
        self._app, self._max_bytes, self._seconds = app, max_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.monotonic(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._handle(scope, receive, noted)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller learns nothing of it
            log.error("request failed", error=type(error).__name__, place=_place_of(error))
            if not status:
                await respond(noted, Problem("internal", "see the provider's log"))
        finally:
            milliseconds = round((time.monotonic() - begun) * 1000, 1)
            log.info("request", method=scope["method"], path=scope["path"][:100], status=status, milliseconds=milliseconds)

    async def _handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except TimeoutError:
            await respond(send, Problem("too-slow", f"the body takes more than {self._seconds:g} s"), close=True)
            return
        except Problem as problem:
            await respond(send, problem, close=True)
            return
        if body is None:
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body, or None where the client went away."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                raise Problem("too-large", f"a body has at most {self._max_bytes} bytes")
            if not message.get("more_body", False):
                return bytes(body)


async def respond(send: Send, problem: Problem, *, close: bool = False) -> None:
    """Send a problem as it is."""
    headers = {"content-type": "application/problem+json", **problem.headers()}
    if close:
        headers["connection"] = "close"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": orjson.dumps(problem.body())})


def _place_of(error: BaseException) -> str:
    """File and line where an exception was raised; never its text, which may hold a prompt."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
