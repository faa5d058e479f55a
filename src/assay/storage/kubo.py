"""An IPFS node behind Kubo's RPC: put bundles there, keep them pinned, see that others find them, take them back.

ipfshttpclient speaks to it; every answer is bounded in size and time, redirects and proxies are off. What a node gives is checked
block by block, and what it takes must have the CID that the embedded store gives it.
"""

import contextlib
import time
import warnings
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
import urllib3

from assay.errors import BadInput, Tampered, Unreachable
from assay.storage.addresses import checked_node
from assay.storage.cids import canonical_cid, digest_of
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.receiving import CarStream, Receiver

with warnings.catch_warnings():  # it knows neither today's urllib3 nor any daemon since
    warnings.simplefilter("ignore")
    import ipfshttpclient
    from ipfshttpclient import exceptions

__all__ = ["LEAST_VERSION", "Kubo"]

LEAST_VERSION = (0, 12)
"""The first Kubo whose RPC has all that is used here; js-ipfs counts in the same way."""
_SMALL_BYTES = 1 << 22
_PIECE = 1 << 16
_PAUSE = 1.0
_FOUND = 4
"""Type of a line of `findprovs` that names providers."""
_REMEDY = "Is the node running, and is this its RPC address? Kubo's is /ip4/127.0.0.1/tcp/5001."


class Kubo:
    """One node, used by one thread as a context manager. Whoever reaches a node's RPC commands it: keep it to yourself."""

    def __init__(self, address: str, limits: Limits = DEFAULT_LIMITS) -> None:
        """Nothing is sent yet. BadInput for an address that is none."""
        self.address, self._limits = checked_node(address), limits
        self._budget, self._deadline = _SMALL_BYTES, 0.0
        try:
            self._client = ipfshttpclient.Client(self.address, timeout=limits.stall_seconds, session=True)
        except Exception as error:  # noqa: BLE001 - multiaddresses fail in many ways
            raise BadInput(f"{address[:200]!r} is no RPC address ({type(error).__name__})", _REMEDY, where="--ipfs") from None
        self._harden(self._client._client._session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    def version(self) -> str:
        """Version of the node. Unreachable where there is none, BadInput for one that is too old."""
        with self._call("version"):
            told = str(self._client.version()["Version"])[:80]
        try:
            numbers = tuple(int(part) for part in told.split("-")[0].split(".")[:2])
        except ValueError:
            raise Unreachable(f"{self.address} names no version, but {told!r}", _REMEDY) from None
        if numbers < LEAST_VERSION:
            least = ".".join(map(str, LEAST_VERSION))
            raise BadInput(f"{self.address} is version {told}, at least {least} is needed", "Update the node.", where="--ipfs")
        return told

    def add(self, folder: Path) -> str:
        """Adds and pins a folder file by file; the CID that the node computed, in our spelling."""
        with self._call("add"):
            found = self._client.add(str(folder), recursive=True, cid_version=1, raw_leaves=True, pin=True)
            entries = found if isinstance(found, list) else [found]
            return canonical_cid(str(entries[-1]["Hash"]))

    def put(self, car: Path, cid: str) -> None:
        """Imports the CAR file of a bundle and pins it. Tampered where the node then does not hold this CID."""
        with self._call("dag import"), car.open("rb") as file:
            self._client.dag.imprt(file)
        self.pin(cid)

    def pin(self, cid: str) -> None:
        """Pins a bundle with all of its blocks, fetching them from the network where it has to. Tampered if it then is not."""
        with self._call("pin add"):
            self._client.pin.add(cid, recursive=True)
        if not self.pinned(cid):
            raise Tampered(f"{self.address} did not pin {cid}", "See the node's log.")

    def pinned(self, cid: str) -> bool:
        """Whether the bundle is pinned recursively."""
        try:
            with self._call("pin ls"):
                keys = self._client.pin.ls(cid, type="recursive")["Keys"]
                return any(canonical_cid(str(key)) == cid for key in keys)
        except _Refusal:
            return False

    def unpin(self, cid: str) -> None:
        """Lets a bundle go; harmless where it was not pinned."""
        with contextlib.suppress(_Refusal), self._call("pin rm"):
            self._client.pin.rm(cid, recursive=True)

    def fetch_car(self, cid: str, path: Path) -> None:
        """Writes the bundle as a CAR file to `path`, which must not exist; a failure may leave a part of it there.

        Unreachable where the node does not give it whole and in time, Tampered and BadInput where it sends anything else.
        """
        with Receiver(path, digest_of(cid), self._limits) as receiver:
            stream = CarStream(receiver, self._limits)
            with self._call("dag export", 2 * self._limits.total_bytes), self._client.dag.export(cid, stream=True) as pieces:
                for piece in pieces:
                    stream.feed(piece)
            stream.end()

    def wait_for_providers(self, cid: str, wanted: int, seconds: float) -> int:
        """How many nodes are known to provide a bundle: asked again until `wanted` are found or `seconds` are over."""
        deadline = time.monotonic() + seconds
        while True:
            found = len(self._providers(cid, wanted, max(1.0, deadline - time.monotonic())))
            if found >= wanted or time.monotonic() + _PAUSE > deadline:
                return found
            time.sleep(_PAUSE)

    def _providers(self, cid: str, wanted: int, seconds: float) -> set[str]:
        """Peer ids; none where the node is offline and knows no routing."""
        found: set[str] = set()
        opts = {"num-providers": str(wanted)}
        with contextlib.suppress(Unreachable), self._call("findprovs", seconds=seconds):
            asked = self._client._client.request("/routing/findprovs", (cid,), opts=opts, decoder="json", stream=True)
            with asked as lines:
                for line in lines:
                    if line.get("Type") == _FOUND:
                        found |= {str(peer.get("ID"))[:100] for peer in line.get("Responses") or []}
                    if len(found) >= wanted:
                        break
        return found

    def _harden(self, session: Any) -> None:
        session.trust_env, session.max_redirects = False, 0
        session.headers["Accept-Encoding"] = "identity"
        session.hooks["response"].append(self._bound)
        for adapter in session.adapters.values():  # an option that urllib3 warns of
            adapter.poolmanager.connection_pool_kw.pop("strict", None)

    def _bound(self, response: Any, *_: object, **__: object) -> None:
        """Gives an answer piece by piece as it comes, and no more of it than the call may cost."""

        def iter_content(*_: object, **__: object) -> Iterator[bytes]:
            size = 0
            while piece := response.raw.read1(_PIECE, decode_content=False):
                size += len(piece)
                if size > self._budget or time.monotonic() > self._deadline:
                    response.close()
                    raise Unreachable(f"{self.address} sends too much, or too slowly", _REMEDY)
                yield piece

        response.iter_content = iter_content

    @contextlib.contextmanager
    def _call(self, what: str, budget: int = _SMALL_BYTES, seconds: float | None = None) -> Iterator[None]:
        """Bounds one call. Unreachable where the node does not answer, _Refusal, which is one, where it says no."""
        self._budget, self._deadline = budget, time.monotonic() + (seconds or self._limits.fetch_seconds)
        try:
            yield
        except (exceptions.ErrorResponse, exceptions.StatusError) as error:
            raise _Refusal(f"{self.address} refused {what}: {str(error)[:200]!r}", _REMEDY) from None
        except (exceptions.Error, requests.RequestException, urllib3.exceptions.HTTPError, HTTPException) as error:
            raise Unreachable(f"{self.address} did not answer {what} ({type(error).__name__})", _REMEDY) from None
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise Unreachable(f"{self.address} answered {what} as no IPFS node does ({type(error).__name__})", _REMEDY) from None


class _Refusal(Unreachable):
    """The node answered with an error."""
