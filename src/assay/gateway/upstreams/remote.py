"""A model behind an HTTP endpoint, whatever language it speaks: ask, keep what was sent, answer or be silent."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from assay.gateway.messages import Place
from assay.gateway.upstreams import Occasion
from assay.gateway.upstreams.credentials import Credentials
from assay.gateway.upstreams.failed import Failed
from assay.gateway.upstreams.line import Limits, Line, Request
from assay.gateway.upstreams.text import as_bytes
from assay.types import TaskId

log = structlog.get_logger()
BODY_FACTOR = 6
"""A byte of a response takes at most six in JSON."""
OVERHEAD_BYTES = 65_536


class Dialect(Protocol):
    """How one kind of endpoint is spoken to. `task` None is no round's: a first try."""

    @property
    def kind(self) -> str:
        """Its name in logs."""
        ...

    def objection(self, task: TaskId, description_digest: bytes) -> str | None:
        """Why rounds of such a task cannot be answered, or None."""
        ...

    def request(self, prompt: str, occasion: Occasion | None) -> Request:
        """What to send. Failed where the task does not allow it."""
        ...

    def response(self, body: bytes, occasion: Occasion | None) -> str:
        """The answer in a reply of status 200. Failed where it holds none."""
        ...

    def explain(self, status: int, body: bytes) -> Failed | None:
        """What another reply means, or None where its status says all."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question to an endpoint and what came of it. `failure` is empty where `response` is an answer."""

    request: Request | None
    response: bytes | None
    failure: str
    remedy: str
    attempts: int
    seconds: float


Keep = Callable[[Place, Exchange], None]


class RemoteUpstream:
    """A TaskUpstream over HTTP."""

    def __init__(
        self, dialect: Dialect, credentials: Credentials, limits: Limits, *, limit: int, keep: Keep | None = None
    ) -> None:
        """`limit` in bytes of a response; `keep` writes an exchange of a round to disk, and is called in a thread."""
        self._dialect, self._credentials, self._limit, self._keep = dialect, credentials, limit, keep
        self._line = Line(credentials, limits, dialect.explain)

    def objection(self, task: TaskId, description_digest: bytes) -> str | None:
        """As TaskUpstream says."""
        return self._dialect.objection(task, description_digest)

    async def translate(self, prompt: str) -> bytes | None:
        """As Upstream says, outside of any round."""
        return (await self.exchange(prompt)).response

    async def answer(self, prompt: str, occasion: Occasion) -> bytes | None:
        """As TaskUpstream says. What was sent is on disk before the answer is used."""
        done = await self.exchange(prompt, occasion)
        if self._keep is not None:
            try:
                await asyncio.to_thread(self._keep, occasion.place, done)
            except Exception as error:  # noqa: BLE001 - an answer whose making is not kept is not used
                log.warning("upstream failed", kind=self._dialect.kind, failure=f"journal: {type(error).__name__}")
                return None
        return done.response

    async def exchange(self, prompt: str, occasion: Occasion | None = None) -> Exchange:
        """Ask once, and tell all about it. Never raises."""
        began, request, attempts = time.monotonic(), None, 0
        try:
            asked = self._dialect.request(prompt, occasion)
            request = asked.shown
            reply = await self._line.send(asked)
            attempts = reply.attempts
            response = self._checked(self._dialect.response(reply.body, occasion))
        except Failed as failed:
            log.warning("upstream failed", kind=self._dialect.kind, failure=failed.what, remedy=failed.remedy)
            return Exchange(request, None, failed.what, failed.remedy, attempts, time.monotonic() - began)
        except Exception as error:  # noqa: BLE001 - whatever a reply did to us, silence is the answer
            log.warning("upstream failed", kind=self._dialect.kind, failure=type(error).__name__)
            return Exchange(request, None, type(error).__name__, "report this defect", attempts, time.monotonic() - began)
        return Exchange(request, response, "", "", attempts, time.monotonic() - began)

    async def close(self) -> None:
        """As Upstream says."""
        await self._line.close()

    def _checked(self, text: str) -> bytes:
        if self._credentials.leak_in(text):
            raise Failed("leak", "the endpoint wrote our credentials into its answer: change both")
        response = as_bytes(text, self._limit)
        if response is None:
            raise Failed("no-text", "the answer is too long or no text: limit the model's output")
        return response


def limits_for(limit: int, *, timeout: float, per_minute: int, parallel: int) -> Limits:
    """Limits of a line whose answers have at most `limit` bytes."""
    return Limits(timeout, BODY_FACTOR * limit + OVERHEAD_BYTES, per_minute, parallel)
