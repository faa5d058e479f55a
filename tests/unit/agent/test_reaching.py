"""Where a gateway's address leads.

given a literal address or localhost -> itself, unless no gateway can be there
given a name -> an address of the public network, or NotPublic
"""

import asyncio

import pytest

from assay.agent.reaching import NotPublic, address_of, is_public

pytestmark = pytest.mark.loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "::1", "8.8.8.8", "localhost"])
def test_address_of__a_literal_or_localhost__is_taken_at_its_word(host: str) -> None:
    assert asyncio.run(address_of(host)) == host


@pytest.mark.parametrize("host", ["169.254.169.254", "224.0.0.1", "0.0.0.0", "fe80::1", "127.1", "2130706433", "0x7f.1"])  # noqa: S104
def test_address_of__metadata_services_and_disguises__not_public(host: str) -> None:
    with pytest.raises(NotPublic):
        asyncio.run(address_of(host))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("fe80::1%eth0", False),
        ("239.1.1.1", False),
        ("nonsense", False),
    ],
)
def test_is_public__also_what_an_address_holds_inside(address: str, public: bool) -> None:
    assert is_public(address) is public
