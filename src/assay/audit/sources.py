"""Finds what a reader means: a round, a version or a bundle, by id, by a unique beginning of one, by path or by CID."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from assay.audit.facts import ChainFacts
from assay.chain import index
from assay.chain.client import Chain
from assay.errors import BadInput, Tampered
from assay.storage.bundle import Bundle
from assay.storage.cars import car_root
from assay.storage.cids import cid_of
from assay.storage.fetching import NOWHERE, Places, fetch
from assay.storage.store import Store, unpack_car
from assay.types import RoundId, VersionId

__all__ = ["demand_true", "find_round", "find_version", "is_bundle", "need_bundle", "round_bundle", "target_bundle"]

Id = TypeVar("Id", bound=bytes)
_ID_DIGITS = 64
_CID = "bafy"


def is_bundle(text: str) -> bool:
    """Whether a reader's argument names a bundle (a folder, a CAR file or a CID) rather than a round."""
    return text.startswith(_CID) or Path(text).exists()


def find_round(chain: Chain, text: str) -> RoundId:
    """A round by its id, or by a beginning of it that no other sealed round shares. BadInput."""
    digits = _digits(text, "round")
    if len(digits) == _ID_DIGITS:
        return RoundId(bytes.fromhex(digits))
    return RoundId(_only((sealed.round for sealed in index.sealed_rounds(chain)), digits, "round"))


def find_version(facts: ChainFacts, text: str) -> VersionId:
    """An enrolled version by its id, or by a beginning of it that no other enrolled one shares. BadInput."""
    return VersionId(_only((sitting.version.id for sitting in facts.sittings), _digits(text, "version"), "enrolled version"))


@contextmanager
def target_bundle(text: str, store: Store, places: Places = NOWHERE) -> Iterator[Bundle]:
    """The bundle that a folder, a CAR file or a CID names; a CID is looked for in the store, then in the places.

    Unpacked ones live as long as the context. BadInput or, where places are named, Unreachable where it cannot be had.
    """
    path = Path(text)
    if path.is_dir():
        yield Bundle(path)
        return
    with tempfile.TemporaryDirectory(prefix="assay-") as scratch:
        into = Path(scratch) / "bundle"
        if path.is_file():
            yield Bundle(unpack_car(path, car_root(path), into))
        elif places and not store.has(text):
            yield Bundle(fetch(text, into, places))
        else:
            yield Bundle(store.fetch(text, into))


@contextmanager
def round_bundle(facts: ChainFacts, store: Store, given: str | Path | None, places: Places = NOWHERE) -> Iterator[Bundle | None]:
    """The bundle of a round: the given folder, CAR file or CID, else the store's, else one from the places.

    None where it is not revealed or nowhere at hand; errors as `target_bundle`.
    """
    wanted = str(given) if given is not None else cid_of(facts.round.bundle_digest)
    if given is not None and not is_bundle(wanted):
        raise BadInput("there is no such folder or file", "Name the bundle's folder, CAR file or CID.", where=wanted)
    if given is None and (not facts.round.revealed_at or not (places or store.has(wanted))):
        yield None
        return
    with target_bundle(wanted, store, places) as bundle:
        yield bundle


def need_bundle(facts: ChainFacts, bundle: Bundle | None) -> Bundle:
    """The bundle itself, demanded to be at hand. BadInput says how to get it."""
    if bundle is not None:
        return bundle
    if not facts.round.revealed_at:
        raise BadInput(f"the round is {facts.phase.name.capitalize()}: no bundle was revealed", "Try again after the reveal.")
    cid = cid_of(facts.round.bundle_digest)
    raise BadInput(f"the bundle {cid} is not at hand", "Say where it is: --bundle PATH, --gateway URL or --ipfs ADDR.")


def demand_true(facts: ChainFacts, bundle: Bundle) -> None:
    """Tampered unless the bundle is, byte for byte, the one that the chain names."""
    expected, got = cid_of(facts.round.bundle_digest), bundle.root_cid()
    if expected != got:
        raise Tampered(f"the bundle is {got}, the chain names {expected}", "Run `assay verify` to see where it differs.")


def _digits(text: str, what: str) -> str:
    digits = text.lower().removeprefix("0x")
    if not digits or len(digits) > _ID_DIGITS or any(digit not in "0123456789abcdef" for digit in digits):
        raise BadInput(f"{text[:80]!r} is no {what}", "Give 0x and hex digits.")
    return digits


def _only(ids: Iterable[Id], digits: str, what: str) -> Id:
    found = [id_ for id_ in ids if id_.hex().startswith(digits)]
    if len(found) != 1:
        raise BadInput(f"{len(found)} ids of a known {what} begin with {digits}", "Give more digits, or the whole id.")
    return found[0]
