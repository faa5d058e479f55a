"""A wire tap between agent and gateway: passes bytes on, in both directions, and keeps them.

It outlives both: what one side sent before it was killed is here, whether or not the other side ever took note of it.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CHUNK = 1 << 16
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"


@dataclass
class Talk:
    """The bytes of one connection."""

    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)


class Relay:
    """Listens on a free port of the loopback interface and connects to another one for each connection."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.talks: list[Talk] = []
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._take, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What the agent is told to be the gateway's address."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no more."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = Talk()
        self.talks.append(talk)
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pump(reader, there_writer, talk.up), _pump(there_reader, writer, talk.down))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray) -> None:
    try:
        while chunk := await reader.read(CHUNK):
            kept += chunk
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def messages(raw: bytes) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """First line and JSON body of every whole HTTP message in a direction; what a crash cut off is left out."""
    at = 0
    while (end := raw.find(END_OF_HEAD, at)) >= 0:
        head = raw[at:end]
        lines = head.split(b"\r\n")
        lengths = [int(line[len(LENGTH) :]) for line in lines if line.lower().startswith(LENGTH)]
        start = end + len(END_OF_HEAD)
        at = start + (lengths[0] if lengths else 0)
        if at > len(raw):
            return
        body = json.loads(raw[start:at] or b"{}")
        yield lines[0], body if isinstance(body, dict) else {}
