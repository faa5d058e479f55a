"""Deploys the contracts of this release to the network that ape is connected to: `make deploy NETWORK=… ARGS="--key NAME"`.

The devnet and all tests deploy with the same function. The addresses follow from the code, so it matters to nobody who pays.
"""

from pathlib import Path

import ape
import click
from ape.cli import ConnectedProviderCommand, network_option

from assay import keys
from assay.chain.deploy import deploy
from assay.chain.deployments import save, to_json
from assay.chain.node import Node
from assay.encoding.receipts import LocalSigner


@click.command(cls=ConnectedProviderCommand)
@network_option()
@click.option("--key", metavar="NAME", help="Keystore that pays; a test account on a local network.")
@click.option("--home", default="~/.assay", type=click.Path(path_type=Path, file_okay=False), help="Folder of keys/.")
@click.option("--password-file", envvar="ASSAY_PASSWORD_FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the deployment to this file.")
def cli(key: str | None, home: Path, password_file: Path | None, out: Path | None) -> None:
    """Deploy what does not stand yet and print the deployment."""
    with Node(str(ape.networks.provider.http_uri)) as node:
        deployment = deploy(node, _signer(key, home.expanduser() / "keys", password_file))
    if out is not None:
        save(out, deployment)
    click.echo(to_json(deployment), nl=False)


def _signer(key: str | None, folder: Path, password_file: Path | None) -> LocalSigner:
    if key is not None:
        password = keys.read_password(password_file) if password_file else click.prompt("Password", hide_input=True, err=True)
        return keys.open_key(folder, key, password)
    if ape.networks.provider.network.name != "local":
        raise click.UsageError("on a network that is not local, name the key that pays: --key")
    return LocalSigner(bytes.fromhex(ape.accounts.test_accounts[0].private_key[2:]))
