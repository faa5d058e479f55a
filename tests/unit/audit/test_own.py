"""given a provider that kept what it said / when its published tree differs / each difference has its name, and proof if any."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.audit.evidence import HeldAck, HeldAnswer, HeldAsk, Message, check
from assay.audit.own import MOST_PROOFS, Difference, Mismatch, compare, missing_at_least
from assay.encoding.hashing import keccak
from assay.encoding.sumtree import counts_word
from assay.storage.bundle import Bundle
from assay.types import Fault, Outcome, Phase
from unit.audit.exam import DECOY, METRIC, SILENT, Exam

Alter = Callable[[Exam], None]


def kept(exam: Exam, *, but: int | None = None) -> list[Message]:
    """What an honest gateway keeps of the first version's exchanges; of position `but` no Ack."""
    place = exam.round, exam.first
    found: list[Message] = []
    for line in exam.lines[exam.first]:
        prompt_hash = keccak(exam.items[line.position].prompt)
        if line.ask is not None:
            found.append(HeldAsk(*place, line.position, prompt_hash, line.ask.answer_until, line.ask.signature))
        if line.answer is not None:
            found.append(HeldAnswer(*place, line.position, prompt_hash, keccak(line.response or b""), line.answer))
        if line.ack is not None and line.position != but:
            found.append(HeldAck(*place, line.position, keccak(line.response or b""), line.ack))
    return found


def silence(exam: Exam, position: int) -> None:
    exam.lines[exam.first][position] = replace(exam.silence(exam.first, position), answer=None, ack=None)


def look(exam: Exam, folder: Path, messages: list[Message]) -> list[Mismatch]:
    path = exam.write(folder / "bundle")
    facts = exam.facts(path)
    return list(compare(facts, Bundle(path), exam.first, check(facts, messages)))


def only(found: list[Mismatch]) -> tuple[int | None, Difference, Fault | None]:
    (one,) = found
    return one.position, one.difference, one.proof.fault if one.proof else None


def test_compare__honest_tree_with_decoy_and_silence__nothing(tmp_path: Path) -> None:
    exam = Exam()
    assert look(exam, tmp_path, kept(exam)) == []


def test_compare__acknowledged_answer_is_silent__proof_by_its_ack(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    silence(exam, 2)
    assert only(look(exam, tmp_path, messages)) == (2, Difference.DROPPED_ACK, Fault.ACK_DROPPED)


def test_compare__posted_answer_is_silent__proof_by_the_item(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam, but=2)
    response = exam.lines[exam.first][2].response or b""
    silence(exam, 2)
    exam.post(2, response)
    assert only(look(exam, tmp_path, messages)) == (2, Difference.DROPPED_POST, Fault.DROPPED)


def test_compare__neither_acknowledged_nor_posted__named_and_nobody_is_accused(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam, but=2)
    silence(exam, 2)
    assert only(look(exam, tmp_path, messages)) == (2, Difference.UNSETTLED, None)


def test_compare__another_response_unsigned__proof_by_the_item(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    words = METRIC.measure(b"A worse one.", exam.items[2].reference)
    exam.edit(2, response=b"A worse one.", sums=(counts_word(Outcome.ANSWERED), *words))
    assert only(look(exam, tmp_path, messages)) == (2, Difference.OTHER_RESPONSE, Fault.WRONG_RECEIPT)


def test_compare__another_response_that_our_key_signed__the_key_is_elsewhere_and_nobody_is_accused(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    exam.lines[exam.first][2] = exam.answer(exam.first, 2, b"Signed on another machine.")
    assert only(look(exam, tmp_path, messages)) == (2, Difference.SIGNED_TWICE, None)


def test_compare__answer_that_was_never_given__proof_by_the_item(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    forged = exam.answer(exam.first, SILENT, b"The moon shines.")
    exam.lines[exam.first][SILENT] = replace(forged, answer=exam.sign_answer(exam.first, SILENT, b"x"))
    assert only(look(exam, tmp_path, messages)) == (SILENT, Difference.NEVER_GIVEN, Fault.WRONG_RECEIPT)


def test_compare__our_answer_with_a_false_statistic__proof_by_the_item(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    line = exam.lines[exam.first][4]
    exam.edit(4, sums=(line.sums[0], line.sums[1] + 1))
    assert only(look(exam, tmp_path, messages)) == (4, Difference.FALSE_LEAF, Fault.WRONG_STATISTICS)


def test_compare__scored_item_counted_as_decoy__is_no_fine_decoy(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    exam.edit(2, outcome=Outcome.DECOY, sums=(counts_word(Outcome.DECOY), 0))
    assert only(look(exam, tmp_path, messages)) == (2, Difference.FALSE_LEAF, Fault.WRONG_KIND)


def test_compare__we_were_asked_another_question__proof_by_the_ask(tmp_path: Path) -> None:
    exam = Exam()
    other = exam.ask(exam.first, 1, b"Something else?")
    ask = HeldAsk(exam.round, exam.first, 1, keccak(b"Something else?"), other.answer_until, other.signature)
    assert only(look(exam, tmp_path, [*kept(exam), ask])) == (1, Difference.WRONG_ASK, Fault.WRONG_ASK)


def test_compare__lines_that_lead_to_another_root__only_that_is_said(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    exam.attested = {version: list(lines) for version, lines in exam.lines.items()}
    silence(exam, 2)
    assert only(look(exam, tmp_path, messages)) == (None, Difference.OTHER_ROOT, None)


def test_compare__many_differences__all_are_named_and_a_few_proofs_built(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    for position in (0, 1, 2, 4):
        silence(exam, position)
    found = look(exam, tmp_path, messages)
    assert [one.position for one in found] == [0, 1, 2, 4]
    assert sum(one.proof is not None for one in found) == MOST_PROOFS


def test_compare__round_that_is_slashed_already__no_proof(tmp_path: Path) -> None:
    exam = Exam()
    messages = kept(exam)
    silence(exam, 2)
    path = exam.write(tmp_path / "bundle")
    facts = replace(exam.facts(path), phase=Phase.SLASHED)
    assert only(list(compare(facts, Bundle(path), exam.first, check(facts, messages)))) == (2, Difference.DROPPED_ACK, None)


@pytest.mark.parametrize(("dropped", "missing"), [((), 0), ((2,), 0), ((0, 1, 2), 2), ((0, 1, 2, DECOY), 3)])
def test_missing_at_least__root_alone__counts_what_it_must_leave_out(dropped: tuple[int, ...], missing: int) -> None:
    """Five of seven positions are settled: two may be silent for all we know."""
    exam = Exam()
    messages = [one for one in kept(exam) if not (isinstance(one, HeldAck) and one.position == 6)]
    for position in dropped:
        silence(exam, position)
    facts = exam.facts(None)
    sitting = facts.sitting(exam.first)
    assert sitting is not None
    assert missing_at_least(facts, sitting, check(facts, messages)) == missing
    assert missing_at_least(facts, replace(sitting, root=None), check(facts, messages)) == 0
