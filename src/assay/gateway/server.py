"""Runs the gateway: one socket, a graceful end at SIGINT and SIGTERM, the poster beside it."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from assay.errors import BadInput
from assay.gateway.poster import Poster

KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 20
BACKLOG = 512


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. BadInput where it cannot be had."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or "no such address"
        raise BadInput(f"{host}:{port} cannot be listened on: {reason}", "choose another --host or --port") from None


def url_of(listener: socket.socket) -> str:
    """Where a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None], poster: Poster | None = None) -> None:
    """Serve until a signal comes, then finish what is under way. `ready` is called once requests are taken."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config, ready)
    posting = asyncio.create_task(poster.run()) if poster else None
    try:
        await server.serve(sockets=[listener])
    finally:
        if posting is not None and poster is not None:
            posting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await posting
            poster.close()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """In place of uvicorn's, which would end the process by the signal itself: leaving quietly is success."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
        self.force_exit = self.should_exit  # a second signal does not wait
        self.should_exit = True
