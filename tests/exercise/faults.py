"""The planted rounds: each fault that the protocol names and the chain can be shown, once, and rounds with none."""

from dataclasses import replace

from assay.audit.evidence import HeldAck, HeldAsk, HeldItem
from assay.encoding.hashing import keccak
from assay.encoding.receipts import CURVE_ORDER
from assay.encoding.seals import SetTree, set_leaf
from assay.encoding.sumtree import counts_word
from assay.metrics import Chrf, ExactMatch
from assay.storage.bundle import ItemLine
from assay.types import Kind, Outcome, SetOpening
from exercise.planted import Plant, Planted
from unit.audit import faults as provable


def nothing(_: Planted) -> None:
    """An honest round."""


def all_silent(exam: Planted) -> None:
    """A model that answers nothing: an Incomplete version harms nobody."""
    for position, item in enumerate(exam.items):
        if item.kind is Kind.SCORED:
            exam.lines[exam.first][position] = exam.silence(exam.first, position)


def posted_answer_counted(exam: Planted) -> None:
    """No Ack ever came, the provider posted, and the benchmarker counts it."""
    exam.lines[exam.first][2] = replace(exam.lines[exam.first][2], ack=None)
    exam.post(2, exam.lines[exam.first][2].response or b"")


def answers_what_is_demanded(exam: Planted) -> None:
    """Nobody serves the bundle, but every demand is answered: slow, and no fault."""
    exam.serves, exam.answers_demands = False, True


def answer_of_another_position(exam: Planted) -> None:
    exam.edit(2, answer=exam.lines[exam.first][1].answer)


def answer_of_another_round(exam: Planted) -> None:
    hashes = keccak(exam.items[2].prompt), keccak(exam.lines[exam.first][2].response or b"")
    elsewhere = keccak(b"another round")
    exam.edit(2, answer=exam.providers[0].sign(exam.domain.answer(elsewhere, exam.first, 2, *hashes)))  # type: ignore[arg-type]


def signature_turned_over(exam: Planted) -> None:
    """The same signature with the other s: valid for a curve, not for the protocol."""
    signature = exam.lines[exam.first][2].answer or b""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    exam.edit(2, answer=signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]]))


def sums_that_overflow(exam: Planted) -> None:
    """Statistics beyond their lanes, so that the totals wrap."""
    line = exam.lines[exam.first][2]
    exam.edit(2, sums=(line.sums[0], (1 << 256) - 1))


def acknowledged_answer_dropped(exam: Planted) -> None:
    """The bundle shows no Ack; the provider has it."""
    response = exam.lines[exam.first][2].response or b""
    ack = exam.sign_ack(exam.first, 2, response)
    exam.lines[exam.first][2] = exam.silence(exam.first, 2)
    exam.held.append(HeldAck(exam.round, exam.first, 2, keccak(response), ack))


def ask_in_the_bundle_is_another(exam: Planted) -> None:
    """No leaf holds the Ask that a bundle shows: verify tells it, the round is not ranked, and nothing proves what was asked."""
    exam.edit(2, ask=exam.ask(exam.first, 2, b"Something else."))


def another_question_asked(exam: Planted) -> None:
    part = exam.ask(exam.first, 2, b"Something else.")
    ask = HeldAsk(exam.round, exam.first, 2, keccak(b"Something else."), part.answer_until, part.signature)
    exam.held.append(ask)


def question_beyond_the_set(exam: Planted) -> None:
    beyond, hashed = len(exam.items), keccak(b"beyond")
    until = exam.started + 100
    digest = exam.domain.ask(exam.round, exam.first, beyond, hashed, until)
    exam.held.append(HeldAsk(exam.round, exam.first, beyond, hashed, until, exam.operator.sign(digest)))


def opening_leaked(exam: Planted) -> None:
    """Somebody shows a sealed item, salt and all, while the round is Answering."""
    leaves = [set_leaf(*exam.sealed_for, exam.benchmarker, line.item) for line in exam.sealed]
    item = exam.items[2]
    path = SetTree(leaves).path(2)
    opening = SetOpening(2, item.kind, keccak(item.prompt), keccak(item.reference), item.salt, path)
    exam.held.append(HeldItem(exam.round, opening))


def inner_sum(exam: Planted) -> None:
    """All leaves are true; the liar answers every demand that it can."""
    exam.inner_lie, exam.answers_demands = (1, 1), True


def padding_that_counts(exam: Planted) -> None:
    exam.inner_lie, exam.answers_demands = (0, len(exam.items)), True


def bundle_withheld(exam: Planted) -> None:
    exam.serves = False


def digest_of_nothing(exam: Planted) -> None:
    exam.digest, exam.serves = keccak(b"no bundle has this digest"), False


def reference_changed_after_the_answers(exam: Planted) -> None:
    exam.sealed = list(exam.items)
    exam.items[2] = replace(exam.items[2], reference=exam.lines[exam.first][2].response or b"")
    for version in exam.versions:
        exam.lines[version.id][2] = exam.answer(version.id, 2, exam.lines[version.id][2].response or b"")


def decoy_flag_changed_after_the_answers(exam: Planted) -> None:
    exam.sealed = list(exam.items)
    exam.items[2] = replace(exam.items[2], kind=Kind.DECOY)
    for version in exam.versions:
        exam.edit(2, version.id, outcome=Outcome.DECOY, sums=(counts_word(Outcome.DECOY), 0))


def attest_missed(exam: Planted) -> None:
    exam.attests = False


def reveal_missed(exam: Planted) -> None:
    exam.reveals = False


def two_answers(exam: Planted) -> None:
    """The provider signs one answer, is acknowledged, and posts another: its bond alone is taken."""
    exam.post(2, b"Quite another answer.")


def prompt_over_the_cap(items: list[ItemLine]) -> list[ItemLine]:
    """A question longer than the task allows."""
    return [replace(item, prompt=b"long " * 100) if item.position == 2 else item for item in items]


def ask_of_a_buried_round(exam: Planted) -> None:
    """Asked, then never attested; its provider keeps the Ask."""
    exam.attests = False
    part = exam.ask(exam.first, 2)
    exam.held.append(HeldAsk(exam.round, exam.first, 2, keccak(exam.items[2].prompt), part.answer_until, part.signature))


OPENED = {
    provable.wrong_statistic: "WRONG_STATISTICS",
    provable.wrong_count: "WRONG_STATISTICS",
    sums_that_overflow: "WRONG_STATISTICS",
    provable.stranger_signs_the_answer: "WRONG_RECEIPT",
    provable.answer_changed_after_signing: "WRONG_RECEIPT",
    answer_of_another_position: "WRONG_RECEIPT",
    answer_of_another_round: "WRONG_RECEIPT",
    signature_turned_over: "WRONG_RECEIPT",
    provable.posted_answer_dropped: "DROPPED",
    provable.scored_item_counted_as_decoy: "WRONG_KIND",
    provable.decoy_counted_as_answer: "WRONG_KIND",
    provable.decoy_counted_as_silent: "WRONG_KIND",
    provable.silent_leaf_carries_a_response: "MALFORMED",
    provable.decoy_leaf_carries_its_response: "MALFORMED",
    provable.response_over_the_cap: "TOO_LONG",
}
PLANTS = [
    Plant(nothing, "", "nobody", "honest"),
    Plant(nothing, "", "nobody", "honest_chrf", metric=Chrf()),
    Plant(nothing, "", "nobody", "honest_exact_match", metric=ExactMatch()),
    Plant(nothing, "", "nobody", "honest_flooded_with_demands"),
    Plant(all_silent, "", "nobody"),
    Plant(posted_answer_counted, "", "nobody"),
    Plant(answers_what_is_demanded, "", "nobody"),
    *(Plant(make, verdict, "item") for make, verdict in OPENED.items()),
    Plant(nothing, "TOO_LONG", "item", "prompt_over_the_cap", before=prompt_over_the_cap),
    Plant(acknowledged_answer_dropped, "ACK_DROPPED", "ack"),
    Plant(ask_in_the_bundle_is_another, "", "nobody"),
    Plant(another_question_asked, "WRONG_ASK", "ask"),
    Plant(question_beyond_the_set, "WRONG_ASK", "ask"),
    Plant(opening_leaked, "LEAKED", "leak"),
    Plant(nothing, "", "nobody", "question_asked_first", owner="reuser", words="again"),
    Plant(nothing, "REUSED", "reuse", "question_asked_again", owner="reuser", words="again", later=True),
    Plant(ask_of_a_buried_round, "FORFEITED", "forfeit", owner="burier", words="buried"),
    Plant(nothing, "REUSED", "reuse-by-ask", "buried_question_asked_again", owner="burier", words="buried", later=True),
    Plant(inner_sum, "UNANSWERED", "expire"),
    Plant(padding_that_counts, "UNANSWERED", "expire"),
    Plant(bundle_withheld, "UNANSWERED", "expire"),
    Plant(digest_of_nothing, "UNANSWERED", "expire"),
    Plant(reference_changed_after_the_answers, "UNANSWERED", "expire"),
    Plant(decoy_flag_changed_after_the_answers, "UNANSWERED", "expire"),
    Plant(nothing, "UNANSWERED", "expire", "root_bound_to_another_contract", foreign=True),
    Plant(attest_missed, "FORFEITED", "forfeit"),
    Plant(reveal_missed, "FORFEITED", "forfeit"),
    Plant(two_answers, "", "answers", provider=True),
]
