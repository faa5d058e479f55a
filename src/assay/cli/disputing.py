"""What `assay challenge` and `assay demand` share: a round with its bundle and evidence, and one way to bring a proof."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay import keys
from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, key_options, load_signer, plain
from assay.errors import BadInput, BadKey, NoFunds, Refused
from assay.settings import Settings
from assay.units import in_ether

if TYPE_CHECKING:  # the chain is imported by the commands that need it
    from assay.audit.evidence import Held, Message
    from assay.audit.facts import ChainFacts
    from assay.audit.proofs import Proof
    from assay.chain.client import Chain
    from assay.chain.deployments import Deployment
    from assay.encoding.receipts import LocalSigner
    from assay.storage.bundle import Bundle
    from assay.types import Address, VersionId

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Case:
    """A round at one block, its bundle where it is at hand, and what evidence holds for it."""

    chain: "Chain"
    facts: "ChainFacts"
    bundle: "Bundle | None"
    held: "Held"
    messages: "tuple[Message, ...]"

    def need_bundle(self) -> "Bundle":
        """The bundle, demanded to be at hand. BadInput says how to get it."""
        from assay.audit.sources import need_bundle

        return need_bundle(self.facts, self.bundle)

    def version(self, text: str | None) -> "VersionId | None":
        """The enrolled version that a word means; None for no word."""
        from assay.audit.sources import find_version

        return find_version(self.facts, text) if text else None


@contextmanager
def case_of(settings: Settings, round_: str, source: Choice | None = None, files: Sequence[Path] = ()) -> Iterator[Case]:
    """Everything about a round, for a while; no bundle without a source. What was posted on chain is added to the files."""
    from assay.audit.calldata import posted_messages
    from assay.audit.evidence import check
    from assay.audit.facts import collect
    from assay.audit.sources import find_round

    with ExitStack() as stack:
        chain = stack.enter_context(closing(connect(settings)))
        messages = read_evidence(chain.deployment, files)
        facts = collect(chain, find_round(chain, round_))
        bundle = stack.enter_context(source.of_round(settings, facts)) if source else None
        messages += posted_messages(chain, facts)
        yield Case(chain, facts, bundle, check(facts, messages), messages)


def read_evidence(deployment: "Deployment", files: Sequence[Path]) -> "tuple[Message, ...]":
    """Messages of all files. BadInput for one of another deployment."""
    from assay.audit.evidence import load, merged

    found = [load(path) for path in files]
    here = deployment.chain_id, deployment.rounds
    for path, part in zip(files, found, strict=True):
        if (part.chain_id, part.rounds) != here:
            raise BadInput(
                f"is about Rounds {part.rounds} on chain {part.chain_id}", "Check --rpc and --deployment.", where=str(path)
            )
    return merged(found)


def evidence_option(function: Function) -> Function:
    """Adds --evidence, as `evidence`."""
    return click.option(
        "--evidence",
        metavar="FILE",
        multiple=True,
        type=click.Path(path_type=Path, dir_okay=False),
        help="Asks, Answers, Acks or leaked items that somebody holds; see `assay provider evidence`. May be repeated.",
    )(function)


def send_options(function: Function) -> Function:
    """Adds --send, --key and --password-file."""
    send = click.option(
        "--send", is_flag=True, help="Send it. Without this nothing leaves your machine but questions to the node."
    )
    return send(key_options("operator")(function))


def proof_options(function: Function) -> Function:
    """Adds all that a proof against a round may need: bundle, evidence, and how to send it."""
    return bundle_options(evidence_option(send_options(function)))


def signer_of(settings: Settings, options: dict[str, Any]) -> "LocalSigner | None":
    """The signer where it is to be sent, None for a dry run; asked for before anything else is done."""
    return load_signer(settings, options["key"], options["password_file"]) if options["send"] else None


def bring(settings: Settings, chain: "Chain", proof: "Proof", signer: "LocalSigner | None", key: str = "") -> None:
    """Say what a proof would do by our reckoning and by the chain's, and send it where there is a signer."""
    from assay.audit.proofs import call_of
    from assay.chain.door import Door

    result: dict[str, Any] = {
        "kind": proof.kind.value,
        "round": proof.round,
        "version": proof.version,
        "position": proof.position,
        "fault": proof.fault,
        "verdict": proof.verdict,
        "verdict_on_chain": _said_there(chain, proof),
        "loser": proof.loser,
        "loses": proof.loses,
        "reward": proof.reward,
        "receiver": proof.receiver or "sender",
        "locks": proof.locks,
    }
    call, door, sender = call_of(chain, proof), Door(chain, signer), signer.address if signer else _known(settings, key)
    _demand_stake(chain, proof, sender, key)
    result |= {"gas": door.dry_run(call, None if signer else sender).gas, "sent": signer is not None}
    if signer is not None:
        receipt = door.send(call)
        result |= {"transaction": receipt.tx_hash, "block": receipt.block, "gas": receipt.gas_used, "fee": receipt.fee}
    emit(settings, {name: value for name, value in result.items() if value is not None}, _told(result))


def _told(result: dict[str, Any]) -> "Iterator[str]":
    """A proof for people."""
    at = "" if result["position"] is None else f" at item {result['position']} of version 0x{result['version'].hex()}"
    yield f"act      {result['kind']}{at}"
    if result["fault"] is not None:
        yield f"fault    {plain(result['fault'])}"
    if result["verdict_on_chain"] is not None:
        yield f"verdict  {plain(result['verdict'])} here, {plain(result['verdict_on_chain'])} on chain"
    if result["loses"]:
        yield f"loses    {in_ether(result['loses'])}, of {result['loser']}"
    if result["reward"]:
        yield f"reward   {in_ether(result['reward'])}, to {result['receiver'].replace('sender', 'the sender')}"
    if result["locks"]:
        yield f"locks    {in_ether(result['locks'])} of the sender's stake"
    yield f"gas      {result['gas']:,}"
    if not result["sent"]:
        yield "A dry run: nothing was sent. The same command with --send brings it to the chain."
        return
    yield f"fee      {in_ether(result['fee'])}"
    yield f"Taken by the chain in block {result['block']}: assay explain {plain(result['transaction'])}"


def first_of(found: "Iterator[Proof]", case: Case, version: str | None, position: int | None, what: str) -> "Proof":
    """The first proof of the wanted version and position. Refused where there is none."""
    wanted = case.version(version)
    for proof in found:
        if wanted in (None, proof.version) and position in (None, proof.position):
            return proof
    where = "" if position is None else f" at item {position}"
    state = f"the round is {case.facts.phase.name.capitalize()}"
    remedy = "Run `assay verify` to see what was found, and bring --evidence."
    raise Refused(f"there is no proof of {what}{where}: {state}", remedy)


def _said_there(chain: "Chain", proof: "Proof") -> Any:
    """The judge's verdict on the proof's opening, demanded to be ours. That other proofs are taken is shown by their gas."""
    from assay.types import Opening

    if proof.verdict is None or proof.version is None or not isinstance(proof.arguments[2], Opening):
        return None
    there = chain.judge.judge(proof.round, proof.version, proof.arguments[2])
    if there is not proof.verdict:
        raise Refused(
            f"item {proof.position}: {proof.verdict.name} here, {there.name} on chain", "Use the release of this deployment."
        )
    return there


def _demand_stake(chain: "Chain", proof: "Proof", sender: "Address | None", key: str) -> None:
    """NoFunds where a demand's fee is more than the sender has, or than it let itself lock and lose."""
    from assay.audit.proofs import ProofKind
    from assay.chain.stakes import lacks

    if proof.kind is ProofKind.DEMAND and sender is not None:
        for lack in lacks(chain, "provider", sender, sender, proof.locks):
            raise NoFunds(lack.says, f"{lack.then} --key {key}")


def _known(settings: Settings, key: str) -> Any:
    """Address of the key that would send it, None where there is no such key yet."""
    try:
        return keys.address_of_key(settings.keys, key) if key else None
    except BadKey:
        return None
