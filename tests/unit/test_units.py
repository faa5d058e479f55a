"""given amounts and times / when they are shown to people / they are exact, and no number is too odd."""

import pytest

from assay.units import date, in_ether


@pytest.mark.parametrize(
    ("wei", "text"),
    [
        (0, "0 ether"),
        (1, "0.000000000000000001 ether"),
        (5 * 10**17, "0.5 ether"),
        (10**19, "10 ether"),
        (2**128 - 1, "340282366920938463463.374607431768211455 ether"),
    ],
)
def test_in_ether__any_amount__is_exact(wei: int, text: str) -> None:
    assert in_ether(wei) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (1_795_372_190, "2026-11-22 18:29:50 UTC"),
        (253_402_300_799, "9999-12-31 23:59:59 UTC"),
        (2**40 - 1, "1099511627775 s of Unix time"),
        (-1, "-1 s of Unix time"),
    ],
)
def test_date__any_number_of_seconds__is_shown(seconds: int, text: str) -> None:
    assert date(seconds) == text
