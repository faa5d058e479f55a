"""Addresses of IPFS nodes and gateways, looked at before anything is sent there."""

from urllib.parse import urlsplit

from assay.errors import BadInput

__all__ = ["checked_gateway", "checked_node"]

_MAX_URL = 2_000
_MAX_MULTIADDRESS = 300


def checked_node(address: str) -> str:
    """The multiaddress of a node's RPC, from itself or from http://HOST:PORT. BadInput for anything else."""
    if address.startswith("/") and len(address) <= _MAX_MULTIADDRESS:
        return address
    try:
        parts = urlsplit(address)
        plain = parts.scheme in ("http", "https") and parts.path in ("", "/") and not (parts.query or parts.fragment)
        host, port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        plain, host, port = False, None, 0
    if not plain or not host or parts.username or parts.password or not port:
        raise BadInput(
            f"{address[:200]!r} is no RPC address of an IPFS node", "write it like /ip4/127.0.0.1/tcp/5001", where="--ipfs"
        )
    kind = "ip6" if ":" in host else "ip4" if host.replace(".", "").isdigit() else "dns"
    return f"/{kind}/{host}/tcp/{port}/{parts.scheme}"


def checked_gateway(url: str) -> str:
    """The address of a gateway without a last slash. BadInput for anything but plain http or https."""
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        plain = False
    if not plain or parts.query or parts.fragment or len(url) > _MAX_URL or not url.isascii():
        raise BadInput(f"{url[:200]!r} is no address of a gateway", "write it like https://ipfs.example.org", where="--gateway")
    if parts.username or parts.password:
        raise BadInput("a gateway's address holds no user and password", "leave them out", where="--gateway")
    return url.rstrip("/")
