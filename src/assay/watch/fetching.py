"""Where a watchtower gets bundles: from its own store, and what it found elsewhere it keeps there."""

from collections.abc import Iterator
from contextlib import contextmanager

from assay.audit.sources import target_bundle
from assay.storage.bundle import Bundle
from assay.storage.fetching import NOWHERE, Places, with_car
from assay.storage.store import Store
from assay.watch.auditing import Fetch

__all__ = ["from_store"]


def from_store(store: Store, places: Places = NOWHERE) -> Fetch:
    """Fetches from the store, else from the places into the store, every block checked. Unreachable, BadInput, Tampered."""

    @contextmanager
    def fetch(cid: str) -> Iterator[Bundle]:
        if places and not store.has(cid):
            with_car(cid, places, store.take)
        with target_bundle(cid, store) as bundle:
            yield bundle

    return fetch
