"""Options by which every reader's command takes a bundle: from a path, a CID, the store, a node or a gateway."""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.settings import Settings

if TYPE_CHECKING:  # the storage is imported by the commands that need it
    from assay.audit.facts import ChainFacts
    from assay.storage.bundle import Bundle
    from assay.storage.fetching import Places
    from assay.storage.store import Store

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a reader wants the bundle from. `given` is a folder, a CAR file or a CID."""

    given: str | None
    store_dir: Path | None
    nodes: tuple[str, ...]
    gateways: tuple[str, ...]

    def store(self, settings: Settings) -> "Store":
        """The store that is meant."""
        from assay.storage.store import Store

        return Store(self.store_dir or settings.store)

    @property
    def places(self) -> "Places":
        """Where else to ask. BadInput for an address that is none."""
        return places_of(self.nodes, self.gateways)

    def of_round(self, settings: Settings, facts: "ChainFacts") -> "AbstractContextManager[Bundle | None]":
        """The bundle of a round, as `audit.sources.round_bundle` says."""
        from assay.audit.sources import round_bundle

        return round_bundle(facts, self.store(settings), self.given, self.places)

    def of_target(self, settings: Settings, target: str) -> "AbstractContextManager[Bundle]":
        """The bundle that an argument names, as `audit.sources.target_bundle` says."""
        from assay.audit.sources import target_bundle

        return target_bundle(target, self.store(settings), self.places)


def places_of(nodes: tuple[str, ...], gateways: tuple[str, ...]) -> "Places":
    """Nodes and gateways, their addresses looked at before anything is done. BadInput."""
    from assay.storage.addresses import checked_gateway, checked_node
    from assay.storage.fetching import Places

    return Places(tuple(map(checked_node, nodes)), tuple(map(checked_gateway, gateways)))


def bundle_options(function: Function) -> Function:
    """Adds --bundle, --store and those of `place_options`; the command gets them as one `source`."""

    @functools.wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        names = ("given", "store_dir", "nodes", "gateways")
        return function(*arguments, source=Choice(*(options.pop(name) for name in names)), **options)

    given = click.option(
        "--bundle", "given", metavar="PATH|CID", help="The round's bundle: a folder, a CAR file, or a CID to look for."
    )
    store = click.option(
        "--store", "store_dir", metavar="DIR", type=click.Path(path_type=Path), help="Store of bundles. Default: HOME/store."
    )
    return given(store(place_options(called)))  # type: ignore[return-value]


def place_options(function: Function) -> Function:
    """Adds --gateway and --ipfs, as `gateways` and `nodes`."""
    gateway = click.option(
        "--gateway",
        "gateways",
        metavar="URL",
        multiple=True,
        envvar="ASSAY_GATEWAY",
        help="HTTP gateway of IPFS to ask; nobody needs to trust it. May be repeated.",
    )
    return gateway(node_option(function))


def node_option(function: Function) -> Function:
    """Adds --ipfs, as `nodes`."""
    return click.option(
        "--ipfs",
        "nodes",
        metavar="ADDR",
        multiple=True,
        envvar="ASSAY_IPFS",
        help="RPC of an IPFS node of yours, like /ip4/127.0.0.1/tcp/5001. May be repeated.",
    )(function)
