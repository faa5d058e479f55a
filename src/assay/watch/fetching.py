"""Where a watchtower gets bundles: from its own store, and what it found elsewhere it keeps there."""

from collections.abc import Iterator
from contextlib import contextmanager

from assay.audit.sources import target_bundle
from assay.storage.bundle import Bundle
from assay.storage.fetching import NOWHERE, Places, with_car
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.store import Store
from assay.watch.auditing import Fetch

__all__ = ["from_store"]


def from_store(store: Store, places: Places = NOWHERE, seconds: float = DEFAULT_LIMITS.fetch_seconds) -> Fetch:
    """Fetches from the store, else from the places into the store, every block checked; each place has so many seconds.

    Unreachable, BadInput, Tampered; also where a bundle, packed or unpacked, has more bytes than are asked for.
    """

    @contextmanager
    def fetch(cid: str, most_bytes: int) -> Iterator[Bundle]:
        limits = Limits(total_bytes=most_bytes, fetch_seconds=seconds)
        kept = Store(store.root, limits)
        if places and not kept.has(cid):
            with_car(cid, places, kept.take, limits)
        with target_bundle(cid, kept) as bundle:
            yield bundle

    return fetch
