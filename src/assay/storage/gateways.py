"""Bundles from HTTP gateways that nobody needs to trust: every block is checked against its hash before it is kept.

A gateway is asked for the whole folder (`?format=car`) and, where it does not serve that, for block after block (`?format=raw`).
Redirects are not followed, compression is refused, sizes and times are bounded, and a name that stands for an address of a
private network is not asked (write the address itself for a gateway of your own).
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import httpx

from assay.errors import AssayError, BadInput, Unreachable
from assay.storage.addresses import checked_gateway
from assay.storage.cids import cid_of, digest_of, parse_cid
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.public import can_serve, is_public, literal
from assay.storage.receiving import CarStream, Receiver

__all__ = ["fetch_car"]

CAR, BLOCK = "application/vnd.ipld.car", "application/vnd.ipld.raw"
_CONNECT_SECONDS = 5.0
_PARALLEL = 8
_ADDRESSES = 4
_NO_CAR = frozenset({400, 404, 406, 415, 501})
_REMEDY = "Try again, or name another gateway."
_LOCAL = "localhost"


class _NoCar(Exception):
    """The gateway does not serve CAR files."""


def fetch_car(gateway: str, cid: str, path: Path, limits: Limits = DEFAULT_LIMITS) -> None:
    """Writes the bundle with this CID as a CAR file to `path`, which must not exist; a failure may leave a part of it there.

    Unreachable where the gateway does not give it whole and in time, Tampered and BadInput where it sends anything else.
    """
    url, digest = checked_gateway(gateway), digest_of(cid)
    asyncio.run(_bounded(url, digest, path, limits))


async def _bounded(url: str, digest: bytes, path: Path, limits: Limits) -> None:
    try:
        async with asyncio.timeout(limits.fetch_seconds):
            with Receiver(path, digest, limits) as receiver:
                async with _Gateway(url, limits).opened() as gateway:
                    try:
                        await gateway.car(cid_of(digest), CarStream(receiver, limits))
                    except _NoCar:
                        await gateway.blocks(receiver)
    except TimeoutError:
        raise Unreachable(f"{url} did not give the bundle within {limits.fetch_seconds:g} s", _REMEDY) from None
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
        raise Unreachable(f"{url}: {type(error).__name__}", _REMEDY) from None


class _Gateway:
    """One gateway while a bundle is fetched from it."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._url, self._limits = url, limits
        self._base, self._host = url, ""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["_Gateway"]:
        """Resolves the name once, so that what was looked at is what is connected to."""
        timeout = httpx.Timeout(self._limits.stall_seconds, connect=_CONNECT_SECONDS, pool=None)
        connections = httpx.Limits(max_connections=_PARALLEL, max_keepalive_connections=_PARALLEL)
        headers = {"accept-encoding": "identity", "user-agent": "assay"}
        async with httpx.AsyncClient(
            timeout=timeout, limits=connections, headers=headers, follow_redirects=False, trust_env=False
        ) as client:
            self._client = client
            parts = urlsplit(self._url)
            addresses = await _addresses(parts)
            self._host = parts.hostname or ""
            self._base = await self._reachable(parts, addresses)
            yield self

    async def _reachable(self, parts: SplitResult, addresses: list[str]) -> str:
        """The base address with the first of these that takes a connection."""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        for address in addresses[:_ADDRESSES]:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    _, writer = await asyncio.open_connection(address, port)
            except OSError:  # a TimeoutError is one
                continue
            writer.close()
            host = f"[{address}]" if ":" in address else address
            return f"{parts.scheme}://{host}:{port}{parts.path}"
        raise Unreachable(f"{self._url} cannot be reached", _REMEDY)

    async def car(self, cid: str, stream: CarStream) -> None:
        """The whole folder in one answer. _NoCar where the gateway does not serve that."""
        async with self._get(cid, "car", CAR) as response:
            kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
            if response.status_code in _NO_CAR or (response.status_code == 200 and kind != CAR):
                raise _NoCar
            self._demand_good(response)
            async for piece in response.aiter_raw():
                stream.feed(piece)
        stream.end()

    async def blocks(self, receiver: Receiver) -> None:
        """Block after block, a few at a time."""
        while wanted := receiver.missing[:_PARALLEL]:
            tasks = [asyncio.ensure_future(self._block(cid)) for cid in wanted]
            try:
                for cid, data in zip(wanted, await asyncio.gather(*tasks), strict=True):
                    receiver.take(cid, data)
            finally:
                for task in tasks:
                    task.cancel()
        receiver.demand_whole()

    async def _block(self, cid: bytes) -> bytes:
        codec, digest = parse_cid(cid)
        async with self._get(cid_of(digest, codec), "raw", BLOCK) as response:
            self._demand_good(response)
            data = bytearray()
            async for piece in response.aiter_raw():
                data += piece
                if len(data) > self._limits.block_bytes:
                    raise Unreachable(f"{self._url} sends more than a block holds", _REMEDY)
        return bytes(data)

    @asynccontextmanager
    async def _get(self, cid: str, form: str, kind: str) -> AsyncIterator[httpx.Response]:
        """An answer to one request, its body not yet read. The certificate is that of the name, not of the address."""
        parts = urlsplit(self._url)
        headers = {"accept": kind, "host": parts.netloc}
        url, extensions = f"{self._base.rstrip('/')}/ipfs/{cid}?format={form}", {"sni_hostname": self._host}
        async with self._client.stream("GET", url, headers=headers, extensions=extensions) as response:
            yield response

    def _demand_good(self, response: httpx.Response) -> None:
        if 300 <= response.status_code < 400:
            raise Unreachable(f"{self._url} redirects, and redirects are not followed", "Name the gateway that it sends you to.")
        if response.status_code != 200:
            raise Unreachable(f"{self._url} answers with status {response.status_code}", _REMEDY)
        if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise Unreachable(f"{self._url} compresses, which nobody asked for", "Name another gateway.")


async def _addresses(parts: SplitResult) -> list[str]:
    """Where a gateway is. A literal address and `localhost` are the reader's own word; a name must lead to the public network."""
    host = parts.hostname or ""
    known = literal(host)
    if known is not None:
        if not can_serve(known):
            raise BadInput(f"{host} is no address of a gateway", "Name another gateway.", where="--gateway")
        return [host]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise Unreachable(f"the name {host} is not known", _REMEDY) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if host != _LOCAL and not all(is_public(address) for address in addresses):
        raise _private(host)
    return sorted(addresses, key=lambda address: ":" in address)


def _private(host: str) -> AssayError:
    return BadInput(
        f"the name {host} stands for an address that is not public",
        "For a gateway of your own write the address itself, like http://127.0.0.1:8080.",
        where="--gateway",
    )
