"""Which network addresses belong to the public network: one rule for all who connect to what a stranger named."""

import ipaddress

__all__ = ["Address", "can_serve", "is_public", "literal"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NOT_GLOBAL = tuple(
    ipaddress.ip_network(net) for net in ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "3fff::/20", "5f00::/16", "fec0::/10")
)
"""Compatible and translated IPv4, local NAT64, documentation, segment routing, site-local: not all are known to `ipaddress`."""
_LAST_32 = 2**32 - 1


def is_public(text: str) -> bool:
    """Whether an address, and every older one inside it (mapped, 6to4, Teredo, NAT64), belongs to the public network."""
    address = literal(text.split("%", maxsplit=1)[0])
    if address is None:
        return False
    if any(address in network for network in _NOT_GLOBAL):
        return False
    return all(one.is_global and not one.is_multicast for one in (address, *_inner(address)))


def can_serve(address: Address) -> bool:
    """Whether a server can be at an address that a reader wrote: it, and every one inside it, is one host on some network."""
    found = (address, *_inner(address))
    return not any(one.is_link_local or one.is_multicast or one.is_unspecified for one in found)


def literal(host: str) -> Address | None:
    """The address that a text is, or None."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _inner(address: Address) -> list[Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(ipaddress.IPv4Address(int(address) & _LAST_32))
    return [one for one in found if one is not None]
