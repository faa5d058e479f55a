"""Which addresses belong to the public network, and at which a server can be.

given an address -> what it is itself
given an address that holds an older one (mapped, 6to4, Teredo, NAT64) -> public only if both are
"""

import pytest

from assay.storage.public import can_serve, is_public, literal


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("239.1.1.1", False),
        ("fe80::1%eth0", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("2002:808:808::", True),
        ("2002:7f00:1::", False),
        ("2001:0:808:808::f5ff:fffe", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::e000:1", False),
        ("::808:808", False),
        ("::a00:1", False),
        ("::ffff:0:a00:1", False),
        ("64:ff9b:1::a00:1", False),
        ("3fff::1", False),
        ("5f00::1", False),
        ("fec0::1", False),
        ("nonsense", False),
    ],
)
def test_is_public__also_what_an_address_holds_inside(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("127.0.0.1", True),
        ("10.0.0.1", True),
        ("64:ff9b::a00:1", True),
        ("169.254.169.254", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:a9fe:a9fe::1", False),
        ("::", False),
        ("ff02::1", False),
    ],
)
def test_can_serve__a_metadata_service_in_disguise__no(address: str, possible: bool) -> None:
    known = literal(address)
    assert known is not None
    assert can_serve(known) is possible
