"""`assay challenge`: bring the proof of a fault to the chain, or see what would happen."""

import secrets
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, key_options, load_signer, pass_settings
from assay.errors import Refused
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.audit.facts import ChainFacts
    from assay.storage.bundle import Bundle
    from assay.types import VersionId


@click.command("challenge")
@click.argument("round_", metavar="ROUND")
@click.argument("version", required=False)
@click.argument("position", type=click.IntRange(min=0), required=False)
@bundle_options
@click.option("--send", is_flag=True, help="Send it. Without this nothing leaves your machine but questions to the node.")
@key_options("operator")
@pass_settings
def command(
    settings: Settings,
    round_: str,
    version: str | None,
    position: int | None,
    source: Choice,
    send: bool,
    key: str,
    password_file: Path | None,
) -> None:
    """Prove a fault of ROUND: at POSITION of VERSION, or the first that a verification finds.

    A dry run unless --send is given: the verdict here, the chain's verdict, the gas and the reward.
    """
    from assay.audit import sources
    from assay.audit.facts import collect
    from assay.audit.judge import judge
    from assay.audit.openings import opening
    from assay.chain.door import Door

    signer = load_signer(settings, key, password_file) if send else None
    with ExitStack() as stack:
        chain = stack.enter_context(closing(connect(settings)))
        facts = collect(chain, sources.find_round(chain, round_))
        chosen = sources.find_version(facts, version) if version else None
        found = stack.enter_context(source.of_round(settings, facts))
        bundle = sources.need_bundle(facts, found)
        if chosen is None or position is None:
            chosen, position = _first_fault(facts, bundle, chosen)
        opened = opening(facts, bundle, chosen, position, secrets.randbits(256))
        here, there = judge(facts, chosen, opened), chain.judge.judge(facts.round.id, chosen, opened)
        if not there.is_fault:
            message = f"item {position} is no fault: {here.name} here, {there.name} on chain"
            raise Refused(message, "Run `assay verify` to find one.")
        result = {"round": facts.round.id, "version": chosen, "position": position, "verdict": here, "verdict_on_chain": there}
        call, door = chain.disputes.challenge(facts.round.id, chosen, opened), Door(chain, signer)
        result |= {"gas": door.dry_run(call).gas, "reward": facts.task.round_bond // 2, "sent": send}
        if send:
            receipt = door.send(call)
            result |= {"transaction": receipt.tx_hash, "block": receipt.block, "gas": receipt.gas_used, "fee": receipt.fee}
    emit(settings, result)


def _first_fault(facts: "ChainFacts", bundle: "Bundle", version: "VersionId | None") -> "tuple[VersionId, int]":
    from assay.audit.verify import verify

    for proof in verify(facts, bundle).proofs:
        if version in (None, proof.version):
            return proof.version, proof.position
    raise Refused("no item of this bundle is a fault that an opening proves", "Run `assay verify` to see what was found.")
