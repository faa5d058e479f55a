"""Where a gateway's address leads.

given a literal address or localhost -> itself, unless no gateway can be there
given a name -> an address of the public network, or NotPublic
"""

import asyncio
import socket

import pytest

from assay.agent.reaching import NotPublic, address_of

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "::1", "8.8.8.8", "localhost"])
def test_address_of__a_literal_or_localhost__is_taken_at_its_word(host: str) -> None:
    assert asyncio.run(address_of(host)) == host


@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "::ffff:169.254.169.254", "224.0.0.1", "0.0.0.0", "fe80::1", "127.1", "2130706433", "0x7f.1"],  # noqa: S104
)
def test_address_of__metadata_services_and_disguises__not_public(host: str) -> None:
    with pytest.raises(NotPublic):
        asyncio.run(address_of(host))


@pytest.mark.parametrize("address", ["10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::"])
def test_address_of__a_name_that_leads_into_a_private_network__not_public(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))])
    with pytest.raises(NotPublic):
        asyncio.run(address_of("gateway.example.org"))
