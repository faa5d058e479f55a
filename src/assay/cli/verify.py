"""`assay verify`: check a whole round against the chain and its bundle."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import HASH, connect, emit, pass_settings
from assay.cli.disputing import evidence_option, read_evidence
from assay.cli.workers import executor, work_options
from assay.errors import AssayError, BadInput
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.audit.evidence import Message
    from assay.audit.facts import ChainFacts
    from assay.audit.report import Finding, Report, ScoreRow, Step
    from assay.audit.snapshot import Proven
    from assay.chain.client import Chain
    from assay.storage.bundle import Bundle

VERDICTS = {
    0: ("Sound: everything that was promised holds.", "green"),
    1: ("A fault was found.", "red"),
    2: (
        "Cannot tell everything. Say where the missing is: --bundle, --store, --ipfs or --gateway.",
        "yellow",
    ),
    3: ("The bundle was tampered with: its bytes are not those that the chain names.", "red"),
}
_WORST_FIRST = (3, 1, 2)
COLOURS = {"Passed": "green", "Failed": "red", "CannotTell": "yellow"}
Row = tuple[str, str | None]


@click.command("verify")
@click.argument("targets", metavar="[ROUND|BUNDLE]...", nargs=-1)
@click.option(
    "--snapshot",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Ask no node: read the chain from what `assay export --chain` wrote.",
)
@click.option(
    "--trust", metavar="BLOCKHASH", type=HASH, help="Hash of the snapshot's last block, from somebody that you believe."
)
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Also write a page for people.")
@bundle_options
@evidence_option
@work_options
@pass_settings
def command(
    settings: Settings,
    targets: tuple[str, ...],
    snapshot: Path | None,
    trust: bytes | None,
    html: Path | None,
    source: Choice,
    evidence: tuple[Path, ...],
    workers: int | None,
    scheduler: str | None,
) -> int:
    """Check rounds: bundle, seal, receipts, statistics, trees and scores.

    ROUND is a round's id or a unique beginning of it; BUNDLE a folder, a CAR file or a CID in the store, which names its round
    itself. What providers hold can be given as --evidence. Ends with 0 if all is sound, 1 if a fault was found, 2 if something
    cannot be told, 3 if the bundle (or a snapshot) was tampered with. Of several rounds each is reported (with --json a line
    each), and the end is 3 or 1 or 2 if any of them ended so, in this order.

    With --snapshot and --trust nothing is asked of any node: the file names its round and proves all of it under that one hash.
    """
    from assay.audit import sources
    from assay.audit.report import UNKNOWN, as_record

    if (snapshot is None) != (trust is None):
        raise click.UsageError("--snapshot and --trust go together")
    if (not targets and snapshot is None) or (len(targets) > 1 and snapshot is not None):
        raise click.UsageError("name a round or a bundle; with --snapshot one at most")
    if html is not None and len(targets) > 1:
        raise click.UsageError("--html goes with one round")
    if source.given is not None and (len(targets) > 1 or any(map(sources.is_bundle, targets))):
        raise click.UsageError("--bundle goes with one round, and not with an argument that is a bundle already")
    codes = []
    try:
        checking = executor(workers, scheduler)
        if snapshot is not None and trust is not None:
            reports = _offline(settings, targets, source, evidence, checking, html, read_snapshot(settings, snapshot, trust))
        else:
            reports = _verified(settings, targets, source, evidence, checking, html)
        for report in reports:
            if settings.json:
                emit(settings, as_record(report))
            else:
                _print(report)
            codes.append(report.exit_code)
    except AssayError as error:
        if error.exit_code == AssayError.exit_code:  # no look is no fault of the round
            error.exit_code = UNKNOWN
        error.exit_code = next((code for code in _WORST_FIRST if code in (*codes, error.exit_code)), error.exit_code)
        raise
    return next((code for code in _WORST_FIRST if code in codes), 0)


def _verified(
    settings: Settings,
    targets: tuple[str, ...],
    source: Choice,
    files: tuple[Path, ...],
    workers: AbstractContextManager[Executor | None],
    html: Path | None,
) -> Iterator["Report"]:
    with ExitStack() as stack:
        chain = stack.enter_context(closing(connect(settings)))
        messages = read_evidence(chain.deployment, files)
        checking = stack.enter_context(workers)
        for target in targets:
            yield _report(settings, chain, target, source, messages, checking, html)


def read_snapshot(settings: Settings, path: Path, trusted: bytes) -> "Proven":
    """What a snapshot proves, said on standard error. Errors as `audit.snapshot.read`."""
    from assay.audit.snapshot import read
    from assay.chain import deployments

    proven = read(path, trusted, deployments.load(settings.deployment) if settings.deployment else None)
    block = proven.facts.block
    click.echo(f"chain from {path}, proven under block {block.number}, 0x{block.hash.hex()}", err=True)
    return proven


def _offline(
    settings: Settings,
    targets: tuple[str, ...],
    source: Choice,
    files: tuple[Path, ...],
    workers: AbstractContextManager[Executor | None],
    html: Path | None,
    proven: "Proven",
) -> Iterator["Report"]:
    from assay.audit import sources

    facts, target = proven.facts, targets[0] if targets else ""
    with ExitStack() as stack:
        messages = read_evidence(proven.deployment, files)
        checking = stack.enter_context(workers)
        bundle: Bundle | None
        if target and sources.is_bundle(target):
            bundle = stack.enter_context(source.of_target(settings, target))
            named = bundle.manifest.facts.round.hex()
        else:
            bundle = stack.enter_context(source.of_round(settings, facts))
            named = target.lower().removeprefix("0x")
        if not facts.round.id.hex().startswith(named):
            raise BadInput(f"the snapshot is of round 0x{facts.round.id.hex()}, not 0x{named:.64}", "name the file of that round")
        yield _checked(facts, bundle, messages + proven.messages, checking, html)


def _report(
    settings: Settings,
    chain: "Chain",
    target: str,
    source: Choice,
    messages: tuple["Message", ...],
    checking: Executor | None,
    html: Path | None,
) -> "Report":
    from assay.audit import sources
    from assay.audit.calldata import posted_messages
    from assay.audit.facts import collect

    with ExitStack() as stack:
        bundle: Bundle | None
        if sources.is_bundle(target):
            bundle = stack.enter_context(source.of_target(settings, target))
            facts = collect(chain, bundle.manifest.facts.round)
        else:
            facts = collect(chain, sources.find_round(chain, target))
            bundle = stack.enter_context(source.of_round(settings, facts))
        return _checked(facts, bundle, messages + posted_messages(chain, facts), checking, html)


def _checked(
    facts: "ChainFacts",
    bundle: "Bundle | None",
    messages: tuple["Message", ...],
    checking: Executor | None,
    html: Path | None,
) -> "Report":
    from assay.audit.evidence import check
    from assay.audit.page import failed_items, page
    from assay.audit.verify import verify

    report = verify(facts, bundle, check(facts, messages), executor=checking)
    if html is not None:
        html.write_text(page(report, failed_items(report, bundle)), "utf-8")
    return report


def _print(report: "Report") -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for line, style in _rows(report):
        console.print(Text(_printable(line), style or ""), soft_wrap=True)


def _rows(report: "Report") -> Iterator[Row]:
    yield f"round   0x{report.round.hex()}", "bold"
    yield f"        {report.phase} at block {report.block}, metric {report.metric}", None
    yield f"bundle  {report.bundle or 'not revealed'}", None
    yield "", None
    told: set[str] = set()
    for step in report.steps:
        yield from _step_rows(step, report, told)
    yield "", None
    for row in report.scores:
        yield _score_row(row, report.metric), None
    text, colour = VERDICTS[report.exit_code]
    yield text, f"bold {colour}"


def _step_rows(step: "Step", report: "Report", told: set[str]) -> Iterator[Row]:
    state = step.state.value
    yield f"{step.number:>2}  {step.title.promise:<3}  {state:<10}  {step.title.text}", COLOURS[state]
    for finding in step.findings:
        yield from ((f"        {line}", None) for line in _finding_lines(finding, report))
    if step.failures > len(step.findings):
        yield f"        and {step.failures - len(step.findings)} more", None
    yield from ((f"        missing   {what}", None) for what in step.missing if what not in told)
    told.update(step.missing)  # once is enough: without its bundle most steps of a round miss the same
    yield from ((f"        note      {note}", None) for note in step.notes)


def _finding_lines(finding: "Finding", report: "Report") -> Iterator[str]:
    yield f"{finding.where + ': ' if finding.where else ''}{finding.item}"
    yield f"  expected  {finding.expected}"
    yield f"  got       {finding.got}"
    if finding.is_provable and finding.version is not None:
        kind = f"{finding.proof} " if finding.proof else ""
        yield f"  prove it  assay challenge {kind}0x{report.round.hex()} 0x{finding.version.hex()} {finding.position}"


def _score_row(row: "ScoreRow", signature: str) -> str:
    from assay.metrics import METRICS

    metric = METRICS.get(signature)
    attested, recomputed = (
        "?" if score is None else metric.display(score) if metric else str(score) for score in (row.attested, row.recomputed)
    )
    counts = f"{row.answered} answered, {row.silent} silent, {row.decoys} decoys"
    return f"version 0x{row.version.hex()}  {row.standing}  attested {attested}, recomputed {recomputed}  ({counts})"


def _printable(text: str) -> str:
    """The text with control characters spelt out: what a stranger wrote must not steer a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
