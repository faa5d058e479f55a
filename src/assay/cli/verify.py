"""`assay verify`: check a whole round against the chain and its bundle."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.bundles import Choice, bundle_options
from assay.cli.common import connect, emit, pass_settings
from assay.cli.disputing import evidence_option, read_evidence
from assay.errors import AssayError
from assay.settings import Settings

if TYPE_CHECKING:
    from assay.audit.report import Finding, Report, ScoreRow, Step
    from assay.storage.bundle import Bundle

VERDICTS = {
    0: ("Sound: everything that was promised holds.", "green"),
    1: ("A fault was found.", "red"),
    2: ("Cannot tell everything: see what is missing.", "yellow"),
    3: ("The bundle was tampered with: its bytes are not those that the chain names.", "red"),
}
COLOURS = {"Passed": "green", "Failed": "red", "CannotTell": "yellow"}
Row = tuple[str, str | None]


@click.command("verify")
@click.argument("target", metavar="ROUND|BUNDLE")
@bundle_options
@evidence_option
@pass_settings
def command(settings: Settings, target: str, source: Choice, evidence: tuple[Path, ...]) -> int:
    """Check a round: bundle, seal, receipts, statistics, trees and scores.

    ROUND is a round's id or a unique beginning of it; BUNDLE a folder, a CAR file or a CID in the store, which names its round
    itself. What providers hold can be given as --evidence. Ends with 0 if all is sound, 1 if a fault was found, 2 if something
    cannot be told, 3 if the bundle was tampered with.
    """
    from assay.audit import sources
    from assay.audit.report import UNKNOWN, as_record

    if source.given is not None and sources.is_bundle(target):
        raise click.UsageError("--bundle goes with a round, and the argument is a bundle already")
    try:
        report = _verified(settings, target, source, evidence)
    except AssayError as error:
        if error.exit_code == AssayError.exit_code:  # a node that is away is no fault of the round
            error.exit_code = UNKNOWN
        raise
    if settings.json:
        emit(settings, as_record(report))
    else:
        _print(report)
    return report.exit_code


def _verified(settings: Settings, target: str, source: Choice, files: tuple[Path, ...]) -> "Report":
    from assay.audit import sources
    from assay.audit.calldata import posted_messages
    from assay.audit.evidence import check
    from assay.audit.facts import collect
    from assay.audit.verify import verify

    with ExitStack() as stack:
        chain = stack.enter_context(closing(connect(settings)))
        messages = read_evidence(chain, files)
        bundle: Bundle | None
        if sources.is_bundle(target):
            bundle = stack.enter_context(source.of_target(settings, target))
            facts = collect(chain, bundle.manifest.facts.round)
        else:
            facts = collect(chain, sources.find_round(chain, target))
            bundle = stack.enter_context(source.of_round(settings, facts))
        return verify(facts, bundle, check(facts, messages + posted_messages(chain, facts)))


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
    for step in report.steps:
        yield from _step_rows(step, report)
    yield "", None
    for row in report.scores:
        yield _score_row(row, report.metric), None
    text, colour = VERDICTS[report.exit_code]
    yield text, f"bold {colour}"


def _step_rows(step: "Step", report: "Report") -> Iterator[Row]:
    state = step.state.value
    yield f"{step.number:>2}  {step.title.promise:<3}  {state:<10}  {step.title.text}", COLOURS[state]
    for finding in step.findings:
        yield from ((f"        {line}", None) for line in _finding_lines(finding, report))
    if step.failures > len(step.findings):
        yield f"        and {step.failures - len(step.findings)} more", None
    yield from ((f"        missing   {what}", None) for what in step.missing)
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
