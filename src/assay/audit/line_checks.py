"""Checks of one version's answers, line by line, beside the items: receipts, leaves and statistics.

What is found counts as a proof; whether the lines stand under both roots, so that the chain takes them, shows only once all
were read.
"""

from typing import NamedTuple

from assay.audit.facts import ChainFacts, Posted, Sitting
from assay.audit.judge import expected_sums, leaf_verdict
from assay.audit.openings import opened
from assay.audit.report import Finding, Log, show
from assay.encoding.hashing import keccak
from assay.encoding.receipts import recover
from assay.encoding.sumtree import add_sums
from assay.metrics import UnknownMetric
from assay.storage.bundle import AnswerLine, ItemLine, answers_name
from assay.types import Kind, Opening, Outcome, Sums, Verdict

__all__ = ["LineChecks", "StepNumbers"]


class StepNumbers(NamedTuple):
    """Which step each kind of finding belongs to."""

    caps: int
    asks: int
    answers: int
    acks: int
    leaves: int
    dropped: int
    statistics: int
    root: int
    counts: int
    score: int
    silence: int


_STEP_OF = {
    Verdict.WRONG_KIND: "leaves",
    Verdict.MALFORMED: "leaves",
    Verdict.TOO_LONG: "caps",
    Verdict.WRONG_RECEIPT: "answers",
    Verdict.WRONG_STATISTICS: "statistics",
    Verdict.DROPPED: "dropped",
}
_EXPECTED = {
    Verdict.WRONG_KIND: "outcome Decoy if and only if the kind is Decoy",
    Verdict.MALFORMED: "a Silent or Decoy leaf that carries nothing",
    Verdict.WRONG_RECEIPT: "the provider's signature over this prompt and response",
    Verdict.DROPPED: "Answered: an answer was posted",
}


class LineChecks:
    """Checks of a stretch of one version's lines.

    `counts` are those of outcomes, `true` the sum of what the items' statistics should be, None where one cannot be told.
    """

    def __init__(self, facts: ChainFacts, sitting: Sitting, log: Log, steps: StepNumbers) -> None:
        self._facts, self._sitting, self._log, self._steps = facts, sitting, log, steps
        self._posted = {posted.position: posted for posted in facts.posted if posted.version == sitting.version.id}
        self.name = answers_name(sitting.version.id)
        self.counts = [0, 0, 0]
        self.true: Sums | None = (0,) * facts.words

    def line(self, item: ItemLine, line: AnswerLine, *, decoys_carry: bool) -> None:
        """All checks of one position."""
        leaf = opened(item, line, decoys_carry=decoys_carry)
        self.counts[line.outcome] += 1
        self._check_ask(item, line)
        self._check_exchange(item, line)
        self._check_dropped(item, line)
        self._check_leaf(leaf, line)

    def _check_ask(self, item: ItemLine, line: AnswerLine) -> None:
        facts, where = self._facts, self._place(line)
        if line.ask is None:
            if line.response is None:
                self._log.note(
                    self._steps.asks, f"item {line.position} was never asked of {self.name}, by the benchmarker's own account"
                )
            elif not self._was_posted(item, line):
                self._fail(self._steps.asks, f"Ask of item {line.position}", "one signed Ask", "none", where)
            return
        prompt_hash, until = keccak(item.prompt), line.ask.answer_until
        digest = facts.domain.ask(facts.round.id, self._sitting.version.id, line.position, prompt_hash, until)
        signer = recover(digest, line.ask.signature)
        if signer != facts.round.operator:
            expected = f"signed by {facts.round.operator} over the sealed prompt"
            self._fail(self._steps.asks, f"Ask of item {line.position}", expected, f"signer {signer}", where)
        last = facts.deadlines.answer_by - facts.task.post_window
        if until > last:
            self._fail(self._steps.asks, f"answerUntil of item {line.position}", f"at most {last}", str(until), where)

    def _was_posted(self, item: ItemLine, line: AnswerLine) -> bool:
        """Whether an answer to the sealed prompt was posted: the chain has checked its Ask, which a lost journal cannot show."""
        posted = self._posted.get(line.position)
        return posted is not None and posted.prompt_hash == keccak(item.prompt)

    def _check_exchange(self, item: ItemLine, line: AnswerLine) -> None:
        """Answer of a Decoy (an Answered leaf's is the judge's matter) and Ack of any line."""
        facts, version, where = self._facts, self._sitting.version, self._place(line)
        response_hash = keccak(line.response or b"")
        if line.answer is not None and line.outcome is not Outcome.ANSWERED:
            digest = facts.domain.answer(facts.round.id, version.id, line.position, keccak(item.prompt), response_hash)
            self._expect_signer(
                self._steps.answers, f"Answer of item {line.position}", version.operator, digest, line.answer, where
            )
        if line.answer is None and line.response is not None:
            self._fail(self._steps.answers, f"Answer of item {line.position}", "a signature for this response", "none", where)
        if line.ack is not None:
            digest = facts.domain.ack(facts.round.id, version.id, line.position, response_hash)
            self._expect_signer(self._steps.acks, f"Ack of item {line.position}", facts.round.operator, digest, line.ack, where)

    def _expect_signer(self, step: int, item: str, expected: str, digest: bytes, signature: bytes, where: str) -> None:
        signer = recover(digest, signature)
        if signer != expected:
            self._fail(step, item, f"signed by {expected} over this exchange", f"signer {signer}", where)

    def _check_dropped(self, item: ItemLine, line: AnswerLine) -> None:
        posted, where = self._posted.get(line.position), self._place(line)
        silent = line.outcome is Outcome.SILENT
        if silent and (line.ack is not None or line.answer is not None):
            got = "Silent with an Ack" if line.ack is not None else "Silent with an Answer"
            proof = "ack" if self._is_acked(item, line) else ""
            about, version = f"outcome of item {line.position}", self._sitting.version.id
            found = Finding(about, "Answered", got, where, version, line.position, proof=proof)
            self._log.fail(self._steps.dropped, found)
        if posted is None:
            return
        if posted.prompt_hash != keccak(item.prompt):
            item_ = f"prompt of the posted Ask of item {line.position}"
            self._fail(self._steps.asks, item_, show(keccak(item.prompt)), show(posted.prompt_hash), where)
        self._note_two_answers(posted, line)

    def _is_acked(self, item: ItemLine, line: AnswerLine) -> bool:
        """Whether the line's Ack, with the line's leaf, is a proof by itself."""
        if line.ack is None or item.kind is not Kind.SCORED:
            return False
        hashed = keccak(line.response or b"")
        digest = self._facts.domain.ack(self._facts.round.id, self._sitting.version.id, line.position, hashed)
        return recover(digest, line.ack) == self._facts.round.operator

    def _note_two_answers(self, posted: Posted, line: AnswerLine) -> None:
        if line.outcome is Outcome.ANSWERED and posted.response_hash != keccak(line.response or b""):
            text = (
                f"item {line.position} of {self.name}: another answer was posted; two different Answers are the provider's fault"
            )
            self._log.note(self._steps.dropped, text)

    def _check_leaf(self, leaf: Opening, line: AnswerLine) -> None:
        facts, version = self._facts, self._sitting.version.id
        try:
            verdict = leaf_verdict(facts, version, leaf)
            self._add(leaf, line, verdict)
        except UnknownMetric as error:
            self.true = None
            self._log.missing([self._steps.statistics], error.message)
            return
        if verdict is Verdict.SOUND:
            return
        step = getattr(self._steps, _STEP_OF[verdict])
        expected, got = self._explain(verdict, leaf)
        item = f"{verdict.name}: item {line.position}"
        self._log.fail(step, Finding(item, expected, got, self._place(line), version, line.position, verdict))

    def _explain(self, verdict: Verdict, leaf: Opening) -> tuple[str, str]:
        outcome = f"{Outcome(leaf.outcome).name} with {len(leaf.response)} bytes"
        if verdict is Verdict.WRONG_STATISTICS:
            return show(expected_sums(self._facts, leaf)), show(leaf.sums)
        if verdict is Verdict.TOO_LONG:
            sizes = max(map(len, (leaf.prompt, leaf.reference, leaf.response, leaf.evidence)))
            return f"at most {self._facts.task.max_bytes} bytes", f"{sizes} bytes"
        if verdict is Verdict.WRONG_RECEIPT:
            hashes = keccak(leaf.prompt), keccak(leaf.response)
            digest = self._facts.domain.answer(self._facts.round.id, self._sitting.version.id, leaf.position, *hashes)
            return (
                f"signed by {self._sitting.version.operator} over this exchange",
                f"signer {recover(digest, leaf.answer_signature)}",
            )
        return _EXPECTED[verdict], outcome

    def _add(self, leaf: Opening, line: AnswerLine, verdict: Verdict) -> None:
        """Adds the true statistics of an item; a text over the cap has none."""
        if verdict is Verdict.TOO_LONG:
            self.true = None
        elif self.true is not None:
            sums = leaf.sums if verdict in (Verdict.SOUND, Verdict.DROPPED) else expected_sums(self._facts, leaf)
            self.true = add_sums(self.true, sums)

    def _fail(self, step: int, item: str, expected: str, got: str, where: str = "") -> None:
        self._log.fail(step, Finding(item, expected, got, where, self._sitting.version.id))

    def _place(self, line: AnswerLine) -> str:
        return f"{self.name}:{line.position + 1}"
