"""The line to a remote model: one HTTP client with bounds on time, size, rate and retries, that follows nobody anywhere.

Requests are at most `per_minute` in any minute and `parallel` at a time. Trouble that may pass is retried with growing pauses;
where the other side names a time (Retry-After), nobody asks before it. All of it, waiting included, happens within `timeout`.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx

from assay.gateway.upstreams.credentials import Credentials
from assay.gateway.upstreams.failed import Failed, by_status

CONNECT_SECONDS = 10.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 3_600.0
MINUTE = 60.0
ERROR_BYTES = 65_536


class Request(NamedTuple):
    """What is sent, without its headers. `public` is the body without secrets, where it holds one."""

    method: str
    url: str
    body: bytes | None
    public: bytes | None = None

    @property
    def shown(self) -> "Request":
        """The same as it may be kept and shown."""
        return self if self.public is None else Request(self.method, self.url, self.public)


@dataclass(frozen=True, slots=True)
class Limits:
    """`timeout` in seconds for one question with all its attempts, `body` in bytes of a reply."""

    timeout: float
    body: int
    per_minute: int
    parallel: int = 2
    attempts: int = 4


class Reply(NamedTuple):
    """A reply of status 200."""

    body: bytes
    attempts: int


class Line:
    """One endpoint. Use it within one running loop, and close it."""

    def __init__(
        self,
        credentials: Credentials,
        limits: Limits,
        explain: Callable[[int, bytes], Failed | None] = lambda _status, _body: None,
    ) -> None:
        """`explain` may read the body of a refusal for a better account of it than its status gives."""
        self.limits, self._explain = limits, explain
        self._client = httpx.AsyncClient(
            headers={**credentials.headers, "Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "assay"},
            timeout=httpx.Timeout(limits.timeout, connect=min(CONNECT_SECONDS, limits.timeout)),
            limits=httpx.Limits(max_connections=limits.parallel, max_keepalive_connections=limits.parallel),
            follow_redirects=False,
            trust_env=False,  # no proxy, no .netrc: what is sent where stands in the arguments
        )
        self._turn = asyncio.Semaphore(limits.parallel)
        self._started: deque[float] = deque()
        self._not_before = 0.0

    async def send(self, request: Request) -> Reply:
        """The reply to a request. Failed for anything else, and within the time limit."""
        try:
            async with asyncio.timeout(self.limits.timeout), self._turn:
                return await self._send(request)
        except TimeoutError:
            raise Failed("timeout", "raise --timeout or --rate-limit, or ask the endpoint less at a time") from None

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def _send(self, request: Request) -> Reply:
        for attempt in range(1, self.limits.attempts + 1):
            await self._wait()
            try:
                return Reply(await self._once(request), attempt)
            except Failed as failed:
                pause = max(failed.after, FIRST_PAUSE * 2 ** (attempt - 1)) if failed.again else 0.0
                if failed.after:
                    self._not_before = max(self._not_before, time.monotonic() + failed.after)
                if not failed.again or attempt == self.limits.attempts or pause >= self.limits.timeout:
                    raise
            await asyncio.sleep(pause)
        raise Failed("no-attempts", "allow at least one attempt")  # pragma: no cover - attempts are 1 or more

    async def _wait(self) -> None:
        """Until it is our turn in this minute, and the endpoint wants to hear from us."""
        while True:
            now = time.monotonic()
            while self._started and self._started[0] <= now - MINUTE:
                self._started.popleft()
            ready = self._not_before
            if len(self._started) >= self.limits.per_minute:
                ready = max(ready, self._started[0] + MINUTE)
            if ready <= now:
                self._started.append(now)
                return
            await asyncio.sleep(ready - now)

    async def _once(self, request: Request) -> bytes:
        content = {"content": request.body, "headers": {"Content-Type": "application/json"}} if request.body is not None else {}
        try:
            async with self._client.stream(request.method, request.url, **content) as response:  # type: ignore[arg-type]
                if response.status_code != 200:
                    raise await self._refusal(response)
                return await _body(response, self.limits.body)
        except httpx.HTTPError as error:  # its text may name more than logs should
            what = type(error).__name__
        except httpx.InvalidURL:
            raise Failed("bad-address", "check the endpoint's address") from None
        raise Failed(what, "check that the endpoint runs and can be reached from here", again=True)

    async def _refusal(self, response: httpx.Response) -> Failed:
        after = seconds_of(response.headers.get("retry-after", ""))
        try:
            body = await _body(response, ERROR_BYTES)
        except Failed:
            body = b""
        failed = self._explain(response.status_code, body) or by_status(response.status_code)
        failed.after = after if failed.again else 0.0
        return failed


def seconds_of(retry_after: str) -> float:
    """What a Retry-After header says, in seconds from now; 0 where it says nothing that can be understood."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_PAUSE)


async def _body(response: httpx.Response, limit: int) -> bytes:
    if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Failed("compressed", "the endpoint compresses though it was asked not to: put another one in front of it")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            raise Failed("too-large", f"the endpoint sends more than {limit} bytes: limit its output")
    return bytes(body)
