"""`assay devnet`: a development chain in the foreground, and money out of nothing on it."""

import signal
from pathlib import Path
from types import FrameType

import click
from eth_utils import is_address, to_checksum_address

from assay.cli.common import emit, pass_settings
from assay.errors import BadInput, Unreachable
from assay.settings import Settings
from assay.types import Address
from assay.units import in_ether

FIRST_GIFT = "100"


class _Stopped(Exception):
    """SIGTERM came."""


@click.group("devnet", invoke_without_command=True)
@click.option(
    "--port",
    default=8545,
    show_default=True,
    type=click.IntRange(0, 65_535),
    help="Port on the loopback interface; 0 takes a free one.",
)
@click.option("--state", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Keep the chain in this file.")
@click.option("--fund", "gifts", metavar="ADDRESS", multiple=True, help=f"Give this account {FIRST_GIFT} ether. May be repeated.")
@click.pass_context
def command(ctx: click.Context, port: int, state: Path | None, gifts: tuple[str, ...]) -> None:
    """A development chain with all contracts, until it is interrupted.

    Blocks come every second and with every transaction; a block is final two blocks later.
    """
    if ctx.invoked_subcommand is None:
        _run(ctx.obj, port, state, [_address(gift) for gift in gifts])


@command.command("fund")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option("--ether", default=FIRST_GIFT, show_default=True, help="How much.")
@pass_settings
def fund_(settings: Settings, addresses: tuple[str, ...], ether: str) -> None:
    """Give each ADDRESS money on the development chain."""
    from assay.chain.devnet import fund
    from assay.chain.node import Node
    from assay.chain.taskfile import wei

    receivers, gift = [_address(address) for address in addresses], wei(ether, "--ether")
    with Node(settings.rpc) as node:
        balances = [(address, fund(node, address, gift)) for address in receivers]
    result = [{"address": address, "balance": balance} for address, balance in balances]
    emit(settings, result, [f"{address} has {in_ether(balance)}" for address, balance in balances])


def _run(settings: Settings, port: int, state: Path | None, gifts: list[Address]) -> None:
    from assay.chain import deployments
    from assay.chain.devnet import Devnet, Options, fund
    from assay.chain.taskfile import wei

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stopped

    for number in (signal.SIGTERM, signal.SIGINT):  # a shell that starts us in the background has SIGINT ignored
        signal.signal(number, stop)
    try:
        with Devnet(Options(port, state)) as devnet:
            for gift in gifts:
                fund(devnet.node, gift, wei(FIRST_GIFT, ""))
            if settings.deployment is not None:
                deployments.save(settings.deployment, devnet.deployment)
            emit(
                settings,
                {"rpc": devnet.rpc, "chain_id": devnet.deployment.chain_id, "deployment": settings.deployment},
                [f"chain {devnet.deployment.chain_id} at {devnet.rpc}", "stop it with Ctrl-C"],
            )
            code = devnet.wait()
            raise Unreachable(f"anvil ended by itself with code {code}", "start it again")
    except (_Stopped, KeyboardInterrupt):
        return


def _address(text: str) -> Address:
    if not is_address(text):
        raise BadInput(f"{text!r:.60} is no address", "an address is 0x and 40 hex digits", where="ADDRESS")
    return to_checksum_address(text)
