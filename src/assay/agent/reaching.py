"""Where a gateway's address leads. A name is resolved once, what it stands for is looked at, and exactly that is connected to.

Addresses come from strangers. A literal address and `localhost` are the benchmarker's own word, since it can see where they lead;
any other name has to lead to the public network, or a stranger's gateway would have us knock at doors inside our own.
"""

import asyncio
import socket

import httpx

from assay.storage.public import can_serve, is_public, literal

LOCAL = "localhost"


class NotPublic(Exception):
    """The host is, or stands for, an address that no gateway has."""


class Guarded(httpx.AsyncHTTPTransport):
    """Connects where the host was first found to lead; the certificate is still that of the name."""

    def __init__(self, *, limits: httpx.Limits) -> None:
        """For requests to one host."""
        super().__init__(limits=limits, trust_env=False)
        self._found: dict[str, str] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx says; NotPublic, or httpx.ConnectError where the name is not known."""
        host = request.url.host
        if host not in self._found:
            self._found[host] = await address_of(host)
        if self._found[host] != host:
            request.url = request.url.copy_with(host=self._found[host])  # the Host header keeps the name
            request.extensions = {**request.extensions, "sni_hostname": host}
        return await super().handle_async_request(request)


async def address_of(host: str) -> str:
    """The address to connect to for a host. NotPublic, httpx.ConnectError."""
    known = literal(host)
    if known is not None:
        if not can_serve(known):
            raise NotPublic
        return host
    if host == LOCAL:
        return host
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        raise httpx.ConnectError("the name is not known") from None
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise NotPublic
    return addresses[0]
