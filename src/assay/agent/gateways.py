"""HTTP to one provider's gateway, with nothing left open: sizes, times, redirects, encodings and content types are all bounded.

What comes back is parsed into facts and is not believed yet; `accept.py` checks signatures and hashes. Every failure is one of
three: Unreachable (no whole answer in time), NotNow (the gateway says: later) and GatewayRefused (it says no, or talks nonsense).
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import orjson

from assay.agent.reaching import Guarded, NotPublic
from assay.agent.records import Ack, Ask
from assay.errors import BadInput, Refused, Retry, Unreachable
from assay.types import RoundId, VersionId

SMALL_BYTES = 65_536
TIMEOUT = 20.0
CONNECT_TIMEOUT = 5.0
MAX_VERSIONS = 100
LATER_SLUGS = frozenset({"not-finalized", "unacknowledged", "busy", "silent", "chain-unreachable", "internal", "too-slow"})
LATER_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
MAX_PAUSE = 60
MAX_URL = 2_000


class NotNow(Retry):
    """The gateway said that the same request may work later. `slug` names its reason, `pause` the seconds it asked for."""

    def __init__(self, message: str, *, slug: str, pause: int) -> None:
        super().__init__(message, "try again in a moment")
        self.slug = slug
        self.pause = pause


class GatewayRefused(Refused):
    """The gateway said no, or said what no gateway says. `slug` names the reason."""

    def __init__(self, message: str, remedy: str = "", *, slug: str) -> None:
        super().__init__(message, remedy or "ask the provider; the round goes on without this answer")
        self.slug = slug


@dataclass(frozen=True, slots=True)
class GatewayInfo:
    """What a gateway says of itself."""

    chain_id: int
    rounds: str
    operator: str
    versions: tuple[VersionId, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came, its form checked and nothing else."""

    round: bytes
    version: bytes
    position: int
    prompt_hash: bytes
    response: bytes
    signature: bytes


def checked_url(url: str) -> str:
    """The base address of a gateway without its last slash. BadInput for anything but plain http or https."""
    try:
        parts = urlsplit(url)
        plain = (
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not parts.query and not parts.fragment
        )
    except ValueError:
        plain = False
    if not plain or len(url) > MAX_URL:
        raise BadInput(f"{url!r} is no address of a gateway", "write it like https://models.example.org:8443", where="GATEWAY")
    if parts.username or parts.password:
        raise BadInput("a gateway's address holds no user and password", "leave them out", where="GATEWAY")
    return url.rstrip("/")


class Gateway:
    """One gateway, over one pool of connections that stay open. Use it with `async with`."""

    def __init__(self, url: str, *, connections: int = 8) -> None:
        """From its base address; nothing is sent yet."""
        self.url = checked_url(url)
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),
            transport=Guarded(limits=limits),
            follow_redirects=False,
            trust_env=False,
            headers={"accept": "application/json", "accept-encoding": "identity", "content-type": "application/json"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def info(self) -> GatewayInfo:
        """What it serves."""
        body = await self._call("GET", "/v1", None, SMALL_BYTES, TIMEOUT)
        if body.get("protocol") != 1:
            raise self._nonsense("it speaks another protocol")
        versions = body.get("versions")
        if not isinstance(versions, list) or len(versions) > MAX_VERSIONS:
            raise self._nonsense("it names no versions")
        ids = tuple(VersionId(self._hex(version, 32)) for version in versions)
        return GatewayInfo(self._integer(body, "chain_id"), str(body.get("rounds")), str(body.get("operator")), ids)

    async def enrol(self, round_: RoundId, version: VersionId) -> bytes:
        """Its signature under an Enrol of a version, for the round that was asked about."""
        body = await self._call("POST", "/v1/enrol", {"round": _hex(round_), "version": _hex(version)}, SMALL_BYTES, TIMEOUT)
        if self._hex(body.get("round"), 32) != round_ or self._hex(body.get("version"), 32) != version:
            raise self._nonsense("it answered for another round or version")
        return self._hex(body.get("signature"), 65)

    async def ask(self, ask: Ask, prompt: bytes, acks: Sequence[Ack], *, cap: int, within: float) -> Reply:
        """Put one question, with acknowledgements for earlier answers. `cap` is the task's largest text in bytes."""
        question = {
            "round": _hex(ask.round),
            "version": _hex(ask.version),
            "position": ask.position,
            "prompt": prompt.decode(),
            "answer_until": ask.answer_until,
            "signature": _hex(ask.signature),
            "acks": [_ack(ack) for ack in acks],
        }
        body = await self._call("POST", "/v1/ask", question, 6 * cap + SMALL_BYTES, within)
        return Reply(
            self._hex(body.get("round"), 32),
            self._hex(body.get("version"), 32),
            self._integer(body, "position"),
            self._hex(body.get("prompt_hash"), 32),
            self._response(body),
            self._hex(body.get("signature"), 65),
        )

    async def acknowledge(self, acks: Sequence[Ack]) -> int:
        """Deliver acknowledgements; how many it took."""
        body = await self._call("POST", "/v1/ack", {"acks": [_ack(ack) for ack in acks]}, SMALL_BYTES, TIMEOUT)
        return self._integer(body, "accepted")

    async def _call(self, verb: str, path: str, body: Mapping[str, object] | None, limit: int, within: float) -> dict[str, Any]:
        content = None if body is None else orjson.dumps(body)
        try:
            async with asyncio.timeout(within), self._http.stream(verb, self.url + path, content=content) as response:
                raw = await self._read(response, limit)
        except TimeoutError:
            raise Unreachable(f"{self.url} did not answer within {within:.0f} s", "try again, or ask the provider") from None
        except NotPublic:
            remedy = "for a gateway of your own network write its address itself, like http://192.168.0.7:8600"
            raise GatewayRefused(f"{self.url} leads to an address that is not public", remedy, slug="not-public") from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Unreachable(f"{self.url}: {type(error).__name__}", "try again, or ask the provider") from None
        return self._body(response, raw)

    async def _read(self, response: httpx.Response, limit: int) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise self._nonsense("it compressed its answer, which nobody asked for")
        raw = bytearray()
        async for chunk in response.aiter_raw():
            raw += chunk
            if len(raw) > limit:
                raise GatewayRefused(f"{self.url}: the answer is larger than {limit} bytes", slug="too-large")
        return bytes(raw)

    def _body(self, response: httpx.Response, raw: bytes) -> dict[str, Any]:
        kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
        if 300 <= response.status_code < 400:
            raise GatewayRefused(f"{self.url} redirects, and redirects are not followed", slug="redirect")
        if kind not in ("application/json", "application/problem+json"):
            if response.status_code in LATER_STATUSES:
                raise self._later(response, "", "")
            raise self._nonsense(f"content type {kind!r:.60} with status {response.status_code}")
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise self._nonsense("not JSON") from None
        if not isinstance(body, dict):
            raise self._nonsense("not a JSON object")
        if response.status_code != 200:
            raise self._problem(response, body)
        return body

    def _problem(self, response: httpx.Response, body: Mapping[str, Any]) -> Exception:
        slug = str(body.get("type", "")).removeprefix("urn:assay:")[:40]
        detail = "".join(c for c in str(body.get("detail", ""))[:300] if c.isprintable())
        if slug in LATER_SLUGS or response.status_code in LATER_STATUSES or "retry-after" in response.headers:
            return self._later(response, slug, detail)
        return GatewayRefused(f"{self.url} says {response.status_code} {slug!r}: {detail}", slug=slug or "refused")

    def _later(self, response: httpx.Response, slug: str, detail: str) -> NotNow:
        wanted = response.headers.get("retry-after", "1")
        pause = min(int(wanted), MAX_PAUSE) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 1
        return NotNow(f"{self.url} says {response.status_code} {slug}: {detail}", slug=slug or "unavailable", pause=pause)

    def _response(self, body: Mapping[str, Any]) -> bytes:
        text, packed = body.get("response"), body.get("response_b64")
        if (text is None) == (packed is None) or not isinstance(text if packed is None else packed, str):
            raise self._nonsense("it gives not exactly one response")
        if packed is None:
            return str(text).encode()
        try:
            return base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            raise self._nonsense("response_b64 is not base64") from None

    def _hex(self, value: object, length: int) -> bytes:
        if isinstance(value, str) and value.startswith("0x") and len(value) == 2 + 2 * length:
            try:
                return bytes.fromhex(value[2:])
            except ValueError:
                pass
        raise self._nonsense(f"a field is not 0x and {2 * length} hex digits")

    def _integer(self, body: Mapping[str, Any], name: str) -> int:
        value = body.get(name)
        if type(value) is not int or value < 0:
            raise self._nonsense(f"{name} is no number")
        return value

    def _nonsense(self, what: str) -> GatewayRefused:
        return GatewayRefused(f"{self.url}: {what}", slug="malformed")


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _ack(ack: Ack) -> dict[str, object]:
    return {
        "round": _hex(ack.round),
        "version": _hex(ack.version),
        "position": ack.position,
        "response_hash": _hex(ack.response_hash),
        "signature": _hex(ack.signature),
    }
