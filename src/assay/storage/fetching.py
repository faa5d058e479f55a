"""A bundle from wherever a reader lets it come from: the store, the reader's own node, gateways that nobody needs to trust."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from assay.errors import AssayError, BadInput, Unreachable
from assay.storage import gateways
from assay.storage.cids import digest_of
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.store import unpack_car

__all__ = ["NOWHERE", "Places", "fetch", "with_car"]

T = TypeVar("T")
_MAX_PLACES = 16


@dataclass(frozen=True, slots=True)
class Places:
    """Where to ask, in this order: RPC addresses of IPFS nodes, then base addresses of gateways."""

    nodes: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.nodes or self.gateways)


NOWHERE = Places()


class _Place(NamedTuple):
    name: str
    fetch_car: Callable[[str, Path], None]


def with_car(cid: str, places: Places, use: Callable[[Path], T], limits: Limits = DEFAULT_LIMITS) -> T:
    """What `use` makes of the bundle's CAR file, from the first place that gives one which is whole and true.

    Unreachable, with what each of them did, where none does. A lie tells something of a place and nothing of the bundle.
    """
    digest_of(cid)
    if len(places.nodes) + len(places.gateways) > _MAX_PLACES:
        raise BadInput(f"more than {_MAX_PLACES} nodes and gateways", "Name fewer.")
    reasons = []
    with tempfile.TemporaryDirectory(prefix="assay-") as scratch:
        for number, place in enumerate(_places(places, limits)):
            car = Path(scratch) / f"{number}.car"
            try:
                place.fetch_car(cid, car)
                return use(car)
            except AssayError as error:
                reasons.append(f"{place.name}: {error.message}")
                car.unlink(missing_ok=True)
    told = "; ".join(reasons) or "no node or gateway is named"
    raise Unreachable(f"nobody gave {cid}: {told}", "Name another --gateway or --ipfs, or pass the bundle with --bundle.")


def fetch(cid: str, into: Path, places: Places, limits: Limits = DEFAULT_LIMITS) -> Path:
    """Unpacks the bundle with this CID into `into`, which must not exist yet; returns `into`. Errors as `with_car`."""
    return with_car(cid, places, lambda car: unpack_car(car, digest_of(cid), into, limits), limits)


def _places(places: Places, limits: Limits) -> Iterator[_Place]:
    for address in places.nodes:
        yield _Place(address, lambda cid, path, address=address: _from_node(address, cid, path, limits))  # type: ignore[misc]
    for url in places.gateways:
        yield _Place(url, lambda cid, path, url=url: gateways.fetch_car(url, cid, path, limits))  # type: ignore[misc]


def _from_node(address: str, cid: str, path: Path, limits: Limits) -> None:
    from assay.storage.kubo import Kubo  # its client takes a fifth of a second to import

    with Kubo(address, limits) as node:
        node.fetch_car(cid, path)
