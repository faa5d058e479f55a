"""Faults that an opening proves, each named by its defect: how to make it, the step that finds it, the verdict, and where."""

from collections.abc import Callable

from assay.encoding.sumtree import counts_word
from assay.types import Outcome, Verdict
from unit.audit.exam import DECOY, METRIC, SILENT, Exam

Alter = Callable[[Exam], None]


def wrong_statistic(exam: Exam) -> None:
    line = exam.lines[exam.first][2]
    exam.edit(2, sums=(line.sums[0], line.sums[1] + 1))


def wrong_count(exam: Exam) -> None:
    exam.edit(SILENT, sums=(counts_word(Outcome.ANSWERED), exam.lines[exam.first][SILENT].sums[1]))


def stranger_signs_the_answer(exam: Exam) -> None:
    exam.edit(2, answer=exam.sign_answer(exam.first, 2, exam.lines[exam.first][2].response or b"", exam.stranger))


def answer_changed_after_signing(exam: Exam) -> None:
    line = exam.lines[exam.first][2]
    exam.edit(
        2, response=b"This was a house.", sums=(line.sums[0], *METRIC.measure(b"This was a house.", exam.items[2].reference))
    )


def posted_answer_dropped(exam: Exam) -> None:
    exam.post(SILENT, b"The moon shines.")


def scored_item_counted_as_decoy(exam: Exam) -> None:
    exam.edit(2, outcome=Outcome.DECOY, sums=(counts_word(Outcome.DECOY), 0))


def decoy_counted_as_answer(exam: Exam) -> None:
    line = exam.lines[exam.first][DECOY]
    words = METRIC.measure(line.response or b"", exam.items[DECOY].reference)
    exam.edit(DECOY, outcome=Outcome.ANSWERED, sums=(counts_word(Outcome.ANSWERED), *words))


def decoy_counted_as_silent(exam: Exam) -> None:
    words = METRIC.measure(b"", exam.items[DECOY].reference)
    exam.edit(DECOY, outcome=Outcome.SILENT, response=None, answer=None, ack=None, sums=(counts_word(Outcome.SILENT), *words))


def silent_leaf_carries_a_response(exam: Exam) -> None:
    exam.edit(SILENT, response=b"The moon shines.")


def decoy_leaf_carries_its_response(exam: Exam) -> None:
    exam.decoys_carry = True


def response_over_the_cap(exam: Exam) -> None:
    exam.lines[exam.first][2] = exam.answer(exam.first, 2, b"x" * 401)


PROVABLE: list[tuple[Alter, int, Verdict, int]] = [
    (wrong_statistic, 18, Verdict.WRONG_STATISTICS, 2),
    (wrong_count, 18, Verdict.WRONG_STATISTICS, SILENT),
    (stranger_signs_the_answer, 14, Verdict.WRONG_RECEIPT, 2),
    (answer_changed_after_signing, 14, Verdict.WRONG_RECEIPT, 2),
    (posted_answer_dropped, 17, Verdict.DROPPED, SILENT),
    (scored_item_counted_as_decoy, 16, Verdict.WRONG_KIND, 2),
    (decoy_counted_as_answer, 16, Verdict.WRONG_KIND, DECOY),
    (decoy_counted_as_silent, 16, Verdict.WRONG_KIND, DECOY),
    (silent_leaf_carries_a_response, 16, Verdict.MALFORMED, SILENT),
    (decoy_leaf_carries_its_response, 16, Verdict.MALFORMED, DECOY),
    (response_over_the_cap, 9, Verdict.TOO_LONG, 2),
]
