"""The embedded store: a folder with one CAR file per bundle, named by its CID, the same CID that Kubo gives the folder.

A bundle is secret until its reveal, so the store's folder is 0700 and its files 0600. Any IPFS node takes the files
(`ipfs dag import`).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aleph_cid import write_folder_car

from assay.errors import BadInput
from assay.storage.cars import CarFile, car_root
from assay.storage.cids import DAG_PB, cid_of, codec_of, digest_of
from assay.storage.limits import DEFAULT_LIMITS, Limits

__all__ = ["Store", "unpack_car"]


class Store:
    """Content-addressed bundles in a folder. Safe for several processes: files appear whole or not at all."""

    def __init__(self, root: Path, limits: Limits = DEFAULT_LIMITS) -> None:
        """Opens the store; its folder is made at the first `add`."""
        self.root, self._limits = root, limits

    def path(self, cid: str) -> Path:
        """Where the CAR of a bundle is kept. BadInput where `cid` is not the CID of a folder."""
        if codec_of(cid) != DAG_PB:
            raise BadInput(f"{cid} is a single block, not a folder", "A bundle's CID begins with 'bafybei'.")
        return self.root / f"{cid}.car"

    def add(self, folder: Path) -> str:
        """Packs a folder of plain files and returns its CID; on disk when this returns. Adding it again is harmless."""
        _demand_plain(folder)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _scratch(self.root) as scratch:
            packed = scratch / "bundle.car"
            cid = write_folder_car(folder, packed, follow_symlinks=False)
            self._keep(packed, cid)
        return cid

    def take(self, car: Path) -> str:
        """Adds the CAR file of a bundle that came from elsewhere, every block checked, and returns its CID.

        BadInput or Tampered where it is not a whole CAR of one root.
        """
        cid = cid_of(car_root(car, self._limits))
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _scratch(self.root) as scratch:
            copy = Path(shutil.copyfile(car, scratch / "bundle.car"))
            unpack_car(copy, digest_of(cid), scratch / "unpacked", self._limits)
            self._keep(copy, cid)
        return cid

    def has(self, cid: str) -> bool:
        """Whether the bundle is kept here."""
        return self.path(cid).is_file()

    def list(self) -> tuple[str, ...]:
        """CIDs of all bundles kept here, sorted."""
        return tuple(sorted(path.stem for path in self.root.glob("bafy*.car")))

    def fetch(self, cid: str, into: Path) -> Path:
        """Unpacks a bundle into `into`, which must not exist yet, every block checked; returns `into`.

        BadInput where the bundle is not kept here or breaks a limit, Tampered where a block is not what its hash says.
        """
        if not self.has(cid):
            raise BadInput(f"the store holds no {cid}", f"Say where it is (--gateway, --ipfs), or: assay storage import {cid}")
        return unpack_car(self.path(cid), digest_of(cid), into, self._limits)

    def _keep(self, packed: Path, cid: str) -> None:
        packed.chmod(0o600)
        _sync(packed)
        packed.replace(self.path(cid))
        _sync(self.root)


def unpack_car(car: Path, root: bytes, into: Path, limits: Limits = DEFAULT_LIMITS) -> Path:
    """Unpacks the folder with this digest from a CAR into `into`, which must not exist yet; an error leaves nothing."""
    with CarFile(car, limits) as opened:
        into.mkdir(mode=0o700, parents=True)
        try:
            opened.unpack(root, into)
        except BaseException:
            shutil.rmtree(into)
            raise
    return into


def _demand_plain(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise BadInput("is neither a file nor a folder", "Remove it from the bundle.", where=str(path))


@contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix=".adding-", dir=root))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
