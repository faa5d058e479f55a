"""`assay challenge`: bring the proof of a fault to the chain, or see what would happen."""

import secrets
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from assay.cli.bundles import Choice
from assay.cli.common import pass_settings
from assay.cli.disputing import Case, bring, case_of, first_of, proof_options, signer_of
from assay.errors import Refused
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.audit.proofs import Proof

ROUND = click.argument("round_", metavar="ROUND")
VERSION = click.argument("version", required=False)
POSITION = click.argument("position", type=click.IntRange(min=0), required=False)


class WithDefault(click.Group):
    """A group whose first word may also be a round: then all kinds of proof are tried."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `any` in front where no kind is named."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["any", *args]
        return super().parse_args(ctx, args)


@click.group(
    "challenge", cls=WithDefault, subcommand_metavar="[KIND] ROUND ...", context_settings={"help_option_names": ["-h", "--help"]}
)
def command() -> None:
    """Prove a fault of ROUND on chain; half of the bond is yours, the other half is burned.

    \b
    assay challenge ROUND [VERSION] [POSITION]    the first proof of any kind that can be found
    assay challenge KIND --help                   one kind; what it needs

    A dry run unless --send is given: the verdict here, the chain's verdict, the gas, the reward and who pays.
    """


@command.command("any", hidden=True)
@ROUND
@VERSION
@POSITION
@proof_options
@pass_settings
def any_(settings: Settings, /, round_: str, source: Choice, version: str | None, position: int | None, **options: Any) -> None:
    """Prove a fault of ROUND: at POSITION of VERSION, or the first that a verification and evidence give."""

    def found(case: Case) -> "Proof":
        if version is None or position is None:
            return first_of(_all(case), case, version, position, "a fault")
        try:
            return _item(case, version, position)
        except Refused as refusal:
            wanted = case.version(version), position
            others = (proof for proof in _all(case) if (proof.version, proof.position) == wanted)
            proof = next(others, None)
            if proof is None:
                raise refusal from None
            return proof

    _bring(settings, round_, source, options, found)


@command.command()
@ROUND
@VERSION
@POSITION
@proof_options
@pass_settings
def item(settings: Settings, /, round_: str, source: Choice, version: str | None, position: int | None, **options: Any) -> None:
    """An opened item whose verdict is a fault: a wrong statistic, count, signature, kind, or a dropped posted answer."""
    if version is not None and position is not None:
        _bring(settings, round_, source, options, lambda case: _item(case, version, position))
    else:
        _bring(settings, round_, source, options, lambda case: first_of(_items(case), case, version, position, "a wrong item"))


@command.command()
@ROUND
@VERSION
@POSITION
@proof_options
@pass_settings
def ack(settings: Settings, /, round_: str, source: Choice, version: str | None, position: int | None, **options: Any) -> None:
    """An item counted as Silent although its answer was acknowledged: the Ack is in the bundle, or in a provider's evidence."""
    _bring(settings, round_, source, options, lambda case: first_of(_acks(case), case, version, position, "a dropped Ack"))


@command.command()
@ROUND
@VERSION
@POSITION
@proof_options
@pass_settings
def ask(settings: Settings, /, round_: str, source: Choice, version: str | None, position: int | None, **options: Any) -> None:
    """An Ask that is not the sealed question, or is beyond the set: from a provider's evidence, or from a posted answer."""
    _bring(settings, round_, source, options, lambda case: first_of(_asks(case), case, version, position, "a wrong Ask"))


@command.command()
@ROUND
@VERSION
@POSITION
@proof_options
@pass_settings
def answers(
    settings: Settings, /, round_: str, source: Choice, version: str | None, position: int | None, **options: Any
) -> None:
    """Two different Answers of a provider at one position; takes its bond of the round, a tenth of it for you."""
    from assay.audit.finding import find_answers

    _bring(
        settings, round_, source, options,
        lambda case: first_of(find_answers(case.facts, case.held, case.bundle), case, version, position, "two Answers"),
    )  # fmt: skip


@command.command()
@ROUND
@click.argument("other", metavar="OTHER")
@click.option("--other-bundle", metavar="PATH|CID", help="The other round's bundle, where the store does not hold it.")
@proof_options
@pass_settings
def reuse(settings: Settings, /, round_: str, source: Choice, other: str, other_bundle: str | None, **options: Any) -> None:
    """A Scored question that stands in ROUND and in OTHER, two rounds of one benchmarker.

    Slashes the later one, or the other where that is Final. Where OTHER was Slashed or Forfeited before its reveal, Asks of it in
    --evidence serve.
    """
    from assay.audit.finding import find_reuse, find_reuse_by_ask

    signer = signer_of(settings, options)
    elsewhere = Choice(other_bundle, source.store_dir, source.nodes, source.gateways)
    with (
        case_of(settings, round_, source, options["evidence"]) as one,
        case_of(settings, other, elsewhere, options["evidence"]) as two,
    ):
        if two.bundle is not None:
            found = find_reuse(one.facts, one.need_bundle(), two.facts, two.bundle)
        else:
            found = find_reuse_by_ask(one.facts, one.need_bundle(), two.facts, two.held)
        bring(settings, one.chain, first_of(found, one, None, None, "a question asked twice"), signer, options["key"])


@command.command()
@ROUND
@POSITION
@proof_options
@pass_settings
def leak(settings: Settings, /, round_: str, source: Choice, position: int | None, **options: Any) -> None:
    """A sealed item shown while ROUND is still Answering: from --evidence, or from the leaked set as --bundle."""
    from assay.audit.proofs import leak as proof_of

    def found(case: Case) -> "Proof":
        from assay.audit.finding import find_leaks
        from assay.audit.openings import Openings

        if case.bundle is not None:
            return proof_of(case.facts, Openings(case.facts, case.bundle).sealed(position or 0))
        return first_of(find_leaks(case.facts, case.held), case, None, position, "a leak")

    _bring(settings, round_, source, options, found)


@command.command()
@ROUND
@proof_options
@pass_settings
def forfeit(settings: Settings, /, round_: str, source: Choice, **options: Any) -> None:
    """A deadline that ROUND missed: half of its bond is paid out to you."""
    from assay.audit.proofs import forfeit as proof_of

    _bring(settings, round_, source, options, lambda case: proof_of(case.facts))


def _bring(settings: Settings, round_: str, source: Choice, options: dict[str, Any], build: "Callable[[Case], Proof]") -> None:
    signer = signer_of(settings, options)
    with case_of(settings, round_, source, options["evidence"]) as case:
        bring(settings, case.chain, build(case), signer, options["key"])


def _item(case: Case, version: str, position: int) -> "Proof":
    from assay.audit import proofs
    from assay.audit.openings import Openings
    from assay.audit.sources import find_version

    openings = Openings(case.facts, case.need_bundle())
    return proofs.item(case.facts, openings, find_version(case.facts, version), position, secrets.randbits(64))


def _items(case: Case) -> "Iterator[Proof]":
    from assay.audit.finding import find_items
    from assay.audit.openings import Openings
    from assay.audit.verify import verify

    bundle = case.need_bundle()
    yield from find_items(case.facts, Openings(case.facts, bundle), verify(case.facts, bundle, case.held))


def _acks(case: Case) -> "Iterator[Proof]":
    from assay.audit.finding import find_dropped
    from assay.audit.openings import Openings

    bundle = case.need_bundle()
    yield from find_dropped(case.facts, bundle, case.held, Openings(case.facts, bundle))


def _asks(case: Case) -> "Iterator[Proof]":
    from assay.audit.finding import find_asks
    from assay.audit.openings import Openings

    yield from find_asks(case.facts, case.held, Openings(case.facts, case.bundle) if case.bundle is not None else None)


def _all(case: Case) -> "Iterator[Proof]":
    from assay.audit.finding import find, find_answers, find_leaks
    from assay.audit.verify import verify

    if case.bundle is None:
        yield from find_leaks(case.facts, case.held)
        yield from _asks(case)
        yield from find_answers(case.facts, case.held)
        case.need_bundle()
        return
    yield from find(case.facts, case.bundle, case.held, verify(case.facts, case.bundle, case.held))
