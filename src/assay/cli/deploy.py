"""`assay deploy`: bring the contracts of this release to a chain, and leave what users and source verifiers need."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.common import emit, key_options, load_signer, pass_settings
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.chain.deployments import Deployment
    from assay.chain.node import Node
    from assay.encoding.receipts import Signer


@click.command("deploy")
@click.option(
    "--out",
    metavar="DIR",
    default="deployments",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of <chain>.json and <chain>-sources/.",
)
@click.option(
    "--sources",
    metavar="DIR",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Repository of this release, which holds contracts/.",
)
@click.option("--dry-run", is_flag=True, help="Show the addresses and send nothing; needs no key.")
@key_options("operator")
@pass_settings
def command(settings: Settings, out: Path, sources: Path, dry_run: bool, key: str, password_file: Path | None) -> None:
    """Deploy what does not stand yet on the chain of --rpc. The key only pays: addresses follow from the code.

    Writes <chain>.json, which every command takes as --deployment, and beside it a folder with the compiler's standard JSON input
    of each contract and index.json with address, name, compiler and constructor arguments, for any source verifier.
    """
    from assay.chain.deploy import planned
    from assay.chain.node import Node

    with Node(settings.rpc) as node:
        if dry_run:
            emit(settings, _shown(planned(node.chain_id())) | {"sent": False})
        else:
            emit(settings, _deploy(node, load_signer(settings, key, password_file), out, sources))


def _deploy(node: "Node", signer: "Signer", out: Path, sources: Path) -> dict[str, object]:
    from assay.chain import verification
    from assay.chain.deploy import deploy
    from assay.chain.deployments import save

    inputs = verification.inputs(sources)  # before any money is spent
    deployment = deploy(node, signer)
    file, folder = out / f"{deployment.chain_id}.json", out / f"{deployment.chain_id}-sources"
    verification.write(folder, deployment, inputs)
    save(file, deployment)
    return _shown(deployment) | {"sent": True, "deployment": file, "sources": folder}


def _shown(deployment: "Deployment") -> dict[str, object]:
    from assay.chain.verification import addresses

    return {"chain_id": deployment.chain_id, **addresses(deployment)}
