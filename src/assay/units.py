"""Amounts and times as people read them."""

from datetime import UTC, datetime

__all__ = ["ETHER", "date", "in_ether"]

ETHER = 10**18
_YEAR_10000 = 253_402_300_800


def in_ether(wei: int) -> str:
    """An amount of wei, not below zero, as exact decimal ether: '0.5 ether'."""
    whole, part = divmod(wei, ETHER)
    return f"{whole}.{part:018}".rstrip("0").rstrip(".") + " ether"


def date(seconds: int) -> str:
    """Unix seconds as date and time in UTC; those that a calendar cannot hold as they are."""
    if not 0 <= seconds < _YEAR_10000:
        return f"{seconds} s of Unix time"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
