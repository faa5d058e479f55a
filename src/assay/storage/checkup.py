"""Whether bundles can be kept, published and fetched: one line a check, with a remedy where it is not well."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from assay.errors import AssayError, Tampered
from assay.storage import gateways
from assay.storage.cars import CarFile
from assay.storage.cids import digest_of, folder_cid
from assay.storage.kubo import Kubo
from assay.storage.limits import Limits
from assay.storage.store import Store, unpack_car

__all__ = ["EMPTY_FOLDER", "Check", "gateway", "node", "store"]

EMPTY_FOLDER = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
"""CID of the empty folder, which every gateway of IPFS can give."""

_PROBE = b"assay storage doctor\n"
_QUICK = Limits(total_bytes=1 << 20, fetch_seconds=30.0, stall_seconds=10.0)


class Check(NamedTuple):
    """One line. The remedy is empty where nothing has to be done."""

    what: str
    ok: bool
    message: str
    remedy: str = ""


def store(kept: Store) -> Iterator[Check]:
    """Every CAR file that is kept, block by block."""
    cids, bad = kept.list(), 0
    for cid in cids:
        try:
            with CarFile(kept.path(cid)) as car:
                if car.roots != (b"\x01\x70\x12\x20" + digest_of(cid),):
                    raise Tampered("its root is another one", "Remove the file and fetch it again.", where=cid)
        except AssayError as error:
            bad += 1
            yield Check("store", ok=False, message=error.message, remedy=error.remedy)
    yield Check("store", ok=not bad, message=f"{len(cids) - bad} of {len(cids)} bundles in {kept.root} are whole")


def node(address: str) -> Iterator[Check]:
    """A node: its version, and a small folder there and back."""

    def look() -> Iterator[Check]:
        with Kubo(address, _QUICK) as opened:
            yield Check("node", ok=True, message=f"{address} is version {opened.version()}")
            yield _round_trip(opened)

    yield from _guarded("node", look)


def gateway(url: str) -> Iterator[Check]:
    """A gateway: the empty folder, block for block."""

    def look() -> Iterator[Check]:
        with tempfile.TemporaryDirectory(prefix="assay-") as scratch:
            gateways.fetch_car(url, EMPTY_FOLDER, Path(scratch) / "empty.car", _QUICK)
        yield Check("gateway", ok=True, message=f"{url} serves blocks that can be checked")

    yield from _guarded("gateway", look)


def _round_trip(opened: Kubo) -> Check:
    with tempfile.TemporaryDirectory(prefix="assay-") as scratch:
        folder = Path(scratch) / "probe"
        folder.mkdir()
        (folder / "probe.txt").write_bytes(_PROBE)
        expected, got = folder_cid(folder), opened.add(folder)
        if got != expected:
            return Check("node", ok=False, message=f"it calls our bytes {got}, we {expected}", remedy="Update the node.")
        opened.fetch_car(expected, Path(scratch) / "probe.car")
        unpack_car(Path(scratch) / "probe.car", digest_of(expected), Path(scratch) / "back")
        opened.unpin(expected)
    return Check("node", ok=True, message="it gives our CID to our bytes, and gives them back")


def _guarded(what: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    try:
        yield from look()
    except AssayError as error:
        yield Check(what, ok=False, message=error.message, remedy=error.remedy)
