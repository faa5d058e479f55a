"""`assay storage`: bundles kept here, and their way to and from IPFS."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.bundles import node_option, place_options, places_of
from assay.cli.common import emit, pass_settings
from assay.errors import BadInput
from assay.settings import Settings, home_folder, private_folder

if TYPE_CHECKING:  # the storage is imported by the commands that need it
    from assay.storage.checkup import Check
    from assay.storage.store import Store

NEW_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("storage")
def command() -> None:
    """Bundles of this home, and IPFS.

    The CID of a bundle is the same here and there, so whoever serves it is no matter of trust.
    """


@command.command("list")
@pass_settings
def list_(settings: Settings) -> None:
    """CIDs of all bundles kept here, with their sizes in bytes."""
    store = _store(settings)
    found = [{"cid": cid, "bytes": store.path(cid).stat().st_size} for cid in store.list()]
    emit(settings, {"bundles": found}, [f"{entry['cid']}  {entry['bytes']:>12,}" for entry in found] or ["none yet"])


@command.command("import")
@click.argument("source", metavar="CID|PATH")
@place_options
@pass_settings
def import_(settings: Settings, source: str, nodes: tuple[str, ...], gateways: tuple[str, ...]) -> None:
    """Keep a bundle: a folder, a CAR file, or a CID that a node or a gateway serves. Every block is checked."""
    from assay.storage.fetching import with_car

    places, path = places_of(nodes, gateways), Path(source)
    home_folder(settings.home)
    private_folder(settings.store)
    store = _store(settings)
    if path.is_dir():
        cid = store.add(path)
    elif path.is_file():
        cid = store.take(path)
    else:
        cid = source if store.has(source) else with_car(source, places, store.take)
    emit(settings, {"cid": cid, "bytes": store.path(cid).stat().st_size}, cid)


@command.command("export")
@click.argument("cid")
@click.argument("file", type=NEW_FILE)
@place_options
@pass_settings
def export(settings: Settings, cid: str, file: Path, nodes: tuple[str, ...], gateways: tuple[str, ...]) -> None:
    """Write the bundle CID as a CAR file, as `ipfs dag import` takes it; from here, or from a node or a gateway."""
    from assay.storage.fetching import with_car

    store, places = _store(settings), places_of(nodes, gateways)
    if file.exists():
        raise BadInput("is there already", "name a new file", where=str(file))
    if store.has(cid):
        shutil.copyfile(store.path(cid), file)
    elif places:
        with_car(cid, places, lambda car: shutil.copyfile(car, file))
    else:
        raise BadInput(f"the store holds no {cid}", "say where it is: --gateway URL or --ipfs ADDR")
    emit(settings, {"cid": cid, "file": file, "bytes": file.stat().st_size}, f"{file}; for Kubo: ipfs dag import {file}")


@command.command("publish")
@click.argument("cid")
@node_option
@click.option(
    "--providers", default=1, show_default=True, type=click.IntRange(0, 20), help="Wait until so many nodes are known to have it."
)
@click.option("--wait", "seconds", default=60, show_default=True, type=click.IntRange(0, 3_600), help="Seconds to wait for them.")
@pass_settings
def publish(settings: Settings, cid: str, nodes: tuple[str, ...], providers: int, seconds: int) -> int:
    """Bring a bundle of this home to IPFS nodes and pin it there. Only what was revealed may be shown: see `assay bench reveal`.

    Ends with 1 if fewer nodes than wanted are known to have it.
    """
    from assay.storage.kubo import Kubo

    store = _store(settings)
    if not nodes:
        raise click.UsageError("name a node: --ipfs ADDR")
    if not store.has(cid):
        raise BadInput(f"the store holds no {cid}", "see `assay storage list`")
    found = {}
    for address in places_of(nodes, ()).nodes:
        with Kubo(address) as node:
            node.version()
            node.put(store.path(cid), cid)
            found[address] = node.wait_for_providers(cid, providers, seconds) if providers else 0
    text = [f"{address}: pinned, {count} nodes are known to have it" for address, count in found.items()]
    emit(settings, {"cid": cid, "pinned": list(found), "providers": found}, text)
    return 0 if all(count >= providers for count in found.values()) else 1


@command.command("doctor")
@place_options
@pass_settings
def doctor(settings: Settings, nodes: tuple[str, ...], gateways: tuple[str, ...]) -> int:
    """Check the store, each node (it must give our CID to our bytes, and give them back) and each gateway.

    Ends with 1 if anything failed.
    """
    lines = list(_checks(settings, nodes, gateways))
    text = [
        f"{'ok' if line.ok else 'failed':<8} {line.what:<8} {line.message}" + f"\n{'':18}{line.remedy}" * bool(line.remedy)
        for line in lines
    ]
    failed = sum(not line.ok for line in lines)
    if not nodes and not gateways:
        text.append("no node and no gateway was tried: name them with --ipfs ADDR and --gateway URL")
    emit(settings, {"failed": failed, "lines": lines}, text)
    return 1 if failed else 0


def _checks(settings: Settings, nodes: tuple[str, ...], gateways: tuple[str, ...]) -> "Iterator[Check]":
    from assay.storage import checkup

    places = places_of(nodes, gateways)
    yield from checkup.store(_store(settings))
    for address in places.nodes:
        yield from checkup.node(address)
    for url in places.gateways:
        yield from checkup.gateway(url)


def _store(settings: Settings) -> "Store":
    from assay.storage.store import Store

    return Store(settings.store)
