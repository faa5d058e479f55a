"""Checks of a round against Asks, Answers and Acks that somebody holds outside its bundle, and that the bundle contradicts."""

from contextlib import suppress

from assay.audit.evidence import Held, HeldAnswer, Place
from assay.audit.facts import ChainFacts
from assay.audit.finding import exchanged
from assay.audit.line_checks import StepNumbers
from assay.audit.report import Finding, Log, show
from assay.encoding.hashing import keccak
from assay.errors import BadInput, Tampered
from assay.storage.bundle import AnswerLine, Bundle, ItemLine, answers_name
from assay.types import Kind, Outcome, VersionId

__all__ = ["check_alone", "check_held"]


def check_alone(facts: ChainFacts, held: Held, log: Log, steps: StepNumbers) -> None:
    """What evidence says without any bundle: Asks beyond the set, two Answers at one place, and what was refused."""
    for place, asks in sorted(held.asks.items()):
        version, position = place
        if position >= facts.round.items:
            expected, got = f"a position below {facts.round.items}", f"{len(asks)} signed Asks"
            item = f"Ask of item {position} of {answers_name(version)}"
            log.fail(steps.asks, Finding(item, expected, got, "", version, position, proof="ask"))
    for place, answers in sorted(held.answers.items()):
        if len({(answer.prompt_hash, answer.response_hash) for answer in answers}) > 1:
            log.note(steps.answers, _two_answers(place))
    numbers = {"Ask": steps.asks, "Answer": steps.answers, "Ack": steps.acks}
    for why in held.refused:
        log.note(numbers.get(why.split()[0], steps.asks), f"refused evidence: {why}")


def check_held(
    facts: ChainFacts,
    version: VersionId,
    bundle: Bundle,
    held: Held,
    log: Log,
    steps: StepNumbers,
    *,
    items_hold: bool,
    leaves_hold: bool,
) -> None:
    """One version's lines against evidence. `items_hold`, `leaves_hold`: whether what the bundle shows stands under each root."""
    if not any(place[0] == version for part in (held.asks, held.answers, held.acks) for place in part):
        return
    checks = _Checks(facts, version, held, log, steps, items_hold=items_hold, leaves_hold=leaves_hold)
    with suppress(Tampered, BadInput):  # told by other steps
        for item, line in exchanged(bundle, version):
            checks.line(item, line)


class _Checks:
    def __init__(
        self,
        facts: ChainFacts,
        version: VersionId,
        held: Held,
        log: Log,
        steps: StepNumbers,
        *,
        items_hold: bool,
        leaves_hold: bool,
    ) -> None:
        self._facts, self._version, self._held, self._log, self._steps = facts, version, held, log, steps
        self._items_hold, self._leaves_hold = items_hold, leaves_hold

    def line(self, item: ItemLine, line: AnswerLine) -> None:
        place = self._version, line.position
        self._check_asks(item, line, place)
        self._check_acks(item, line, place)
        for answer in self._held.answers.get(place, ()):
            self._check_answer(item, line, answer)

    def _check_asks(self, item: ItemLine, line: AnswerLine, place: Place) -> None:
        sealed = keccak(item.prompt)
        for ask in self._held.asks.get(place, ()):
            if ask.prompt_hash != sealed:
                proof = "ask" if self._items_hold else ""
                self._fail(self._steps.asks, f"prompt of an Ask of item {line.position}", sealed, ask.prompt_hash, line, proof)

    def _check_acks(self, item: ItemLine, line: AnswerLine, place: Place) -> None:
        acks = self._held.acks.get(place, ())
        if acks and line.outcome is Outcome.SILENT and line.ack is None:
            proof = "ack" if self._leaves_hold and item.kind is Kind.SCORED else ""
            about, got = f"outcome of item {line.position}", "Silent, and the provider holds an Ack"
            self._fail(self._steps.dropped, about, "Answered", got, line, proof)
        if line.outcome is Outcome.ANSWERED and any(ack.response_hash != keccak(line.response or b"") for ack in acks):
            text = f"item {line.position} of {answers_name(self._version)}: another answer was acknowledged than is published"
            self._log.note(self._steps.acks, text)

    def _check_answer(self, item: ItemLine, line: AnswerLine, answer: HeldAnswer) -> None:
        place = self._version, line.position
        receipt = line.ack is not None or self._held.acks.get(place) or self._facts.posted_at(*place)
        if line.outcome is Outcome.SILENT and not receipt:
            text = "the provider signed an Answer, and nothing shows that it came in time"
            self._log.note(self._steps.dropped, f"item {line.position} of {answers_name(self._version)}: {text}")
        published = keccak(item.prompt), keccak(line.response or b"")
        if line.answer is not None and published != (answer.prompt_hash, answer.response_hash):
            self._log.note(self._steps.answers, _two_answers(place))

    def _fail(self, step: int, item: str, expected: object, got: object, line: AnswerLine, proof: str) -> None:
        where = f"{answers_name(self._version)}:{line.position + 1}"
        found = Finding(item, show(expected), show(got), where, self._version, line.position, proof=proof)
        self._log.fail(step, found)


def _two_answers(place: Place) -> str:
    version, position = place
    return (
        f"item {position} of {answers_name(version)}: two different Answers are the provider's fault (`assay challenge answers`)"
    )
