"""What a verification found: numbered steps, each Passed, Failed or CannotTell, and the exit code that follows."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple

from assay.types import RoundId, Verdict, VersionId

__all__ = ["SHOWN", "Finding", "Log", "Provable", "Report", "ScoreRow", "State", "Step", "Title", "as_record"]

SHOWN = 20
"""Findings kept of one step, and as many that the chain takes as proofs; the rest is counted."""

SCHEMA = 1
"""Of the record; `report.schema.json` beside this file describes it."""

SOUND, FAULT, UNKNOWN, TAMPERED = 0, 1, 2, 3


class State(Enum):
    """Outcome of one step."""

    PASSED = "Passed"
    FAILED = "Failed"
    CANNOT_TELL = "CannotTell"


class Title(NamedTuple):
    """A step before it ran: the promise it checks (P1 to P11 of PROTOCOL.md) and one sentence that it makes true."""

    promise: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    `where` is 'file:line' in the bundle, empty for facts of the chain. `verdict` is the judge's where the chain takes this item
    as a proof, so that version and position are all that `assay challenge` needs. `proof` is the kind of another proof that the
    chain takes (`proofs.ProofKind`), empty where there is none.
    """

    item: str
    expected: str
    got: str
    where: str = ""
    version: VersionId | None = None
    position: int | None = None
    verdict: Verdict | None = None
    proof: str = ""

    @property
    def is_provable(self) -> bool:
        """Whether the chain takes it as a proof of some kind."""
        return self.verdict is not None or bool(self.proof)


@dataclass(slots=True)
class Step:
    """One numbered step. `findings` holds the first `SHOWN` of `failures`, and the first `SHOWN` that are proofs."""

    number: int
    title: Title
    findings: list[Finding] = field(default_factory=list)
    failures: int = 0
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """Failed before CannotTell before Passed."""
        if self.failures:
            return State.FAILED
        return State.CANNOT_TELL if self.missing else State.PASSED


class ScoreRow(NamedTuple):
    """One version's score: as attested on chain, and as recomputed here (None where it could not be)."""

    version: VersionId
    attested: int
    recomputed: int | None
    answered: int
    silent: int
    decoys: int
    standing: str


class Provable(NamedTuple):
    """An item whose opening proves a fault."""

    version: VersionId
    position: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """All steps of one verification."""

    round: RoundId
    block: int
    phase: str
    bundle: str
    metric: str
    steps: tuple[Step, ...]
    scores: tuple[ScoreRow, ...]
    tampered: bool

    @property
    def exit_code(self) -> int:
        """0 sound, 1 a fault was found, 2 cannot tell, 3 the bundle's bytes are not those that the chain names."""
        states = {step.state for step in self.steps}
        if self.tampered:
            return TAMPERED
        if State.FAILED in states:
            return FAULT
        return UNKNOWN if State.CANNOT_TELL in states else SOUND

    @property
    def proofs(self) -> tuple[Provable, ...]:
        """The items among the findings that the chain takes as proofs, each of which slashes the round."""
        findings = (finding for step in self.steps for finding in step.findings)
        return tuple(
            Provable(found.version, found.position, found.verdict)
            for found in findings
            if found.version is not None and found.position is not None and found.verdict is not None
        )


class Log:
    """Gathers findings while the steps run."""

    def __init__(self, titles: Iterable[Title]) -> None:
        self.steps = tuple(Step(number, title) for number, title in enumerate(titles, 1))
        self.scores: list[ScoreRow] = []

    def fail(self, number: int, finding: Finding) -> None:
        """Step `number` failed."""
        step = self.steps[number - 1]
        step.failures += 1
        kept = sum(known.is_provable for known in step.findings)  # a flood of what proves nothing must not hide a proof
        if len(step.findings) - kept < SHOWN if not finding.is_provable else kept < SHOWN:
            step.findings.append(finding)

    def absorb(self, other: "Log", *, provable: bool = True) -> None:
        """Everything that a log of later lines gathered; unless `provable`, its findings are no proofs after all."""
        for step, found in zip(self.steps, other.steps, strict=True):
            for finding in found.findings:
                self.fail(step.number, finding if provable else replace(finding, verdict=None, proof=""))
            step.failures += found.failures - len(found.findings)
            for what in found.missing:
                self.missing([step.number], what)
            for text in found.notes:
                self.note(step.number, text)

    def expect(self, number: int, item: str, expected: object, got: object, where: str = "") -> bool:
        """Step `number` failed unless both are equal; bytes are shown in hex. Says whether they were."""
        if expected != got:
            self.fail(number, Finding(item, show(expected), show(got), where))
        return expected == got

    def missing(self, numbers: Iterable[int], what: str) -> None:
        """These steps cannot tell for want of something."""
        for number in numbers:
            if what not in self.steps[number - 1].missing:
                self.steps[number - 1].missing.append(what)

    def note(self, number: int, text: str) -> None:
        """Something worth saying that is no fault."""
        notes = self.steps[number - 1].notes
        if len(notes) < SHOWN and text not in notes:
            notes.append(text)


def show(value: object) -> str:
    """A value for people: bytes in hex, sums as hex words."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return "(" + ", ".join(hex(part) if isinstance(part, int) else show(part) for part in value) + ")"
    return str(value)


def as_record(report: Report) -> dict[str, object]:
    """A report as plain data for JSON, as `report.schema.json` describes it: its fields, each step's state, the exit code."""
    return {
        "schema": SCHEMA,
        "round": report.round,
        "block": report.block,
        "phase": report.phase,
        "bundle": report.bundle,
        "metric": report.metric,
        "exit_code": report.exit_code,
        "steps": [
            {
                "number": step.number,
                "promise": step.title.promise,
                "title": step.title.text,
                "state": step.state.value,
                "failures": step.failures,
                "findings": step.findings,
                "missing": step.missing,
                "notes": step.notes,
            }
            for step in report.steps
        ],
        "scores": report.scores,
    }
