"""Costs before commitment, compared with the receipts of real rounds and with the stated formula."""

from math import sqrt
from pathlib import Path

import pytest

from assay.agent.costs import cost, gas_of, half_width, words_of
from assay.agent.steps import release
from assay.chain.client import Chain
from unit.agent.exam import Exam, pass_time

BLEU = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"
STEPS = ("seal", "enrol", "attest", "reveal", "release")


@pytest.mark.chain
@pytest.mark.parametrize("versions", [1, 3])
def test_gas_of__against_receipts__within_a_tenth(chain: Chain, tmp_path: Path, versions: int) -> None:
    with Exam(chain, tmp_path) as exam:
        gateways = exam.gateways(versions)
        round_ = exam.seal()
        exam.enrol(round_, *gateways)
        exam.ask(round_)
        exam.settle(round_)
        deadlines = chain.rounds.deadlines(round_)
        assert deadlines
        pass_time(chain, deadlines.versions_released_at)
        release.run(exam.agent, round_)
        for step in STEPS:
            spent = sum(_gas(chain, tx.hash) for tx in exam.agent.journal.transactions(round_, step))
            assert spent == pytest.approx(gas_of(step, versions), rel=0.1), step
        params = chain.tasks.params(exam.task)
        assert params
        sealed = chain.rounds.round(round_)
        assert sealed
        found = cost(params, BLEU, versions, ["one two three"] * 7, 3, gas_price=2, now=sealed.sealed_at)
        assert (found.deadlines, found.items) == (deadlines, 7)
        assert (found.words, found.reference_cents) == (21, (210, 525))
        assert found.gas == sum(gas_of(step, versions) for step in STEPS)
        assert (found.wei, found.round_bond, found.locked_seconds) == (2 * found.gas, params.round_bond, 4_000)
        assert deadlines.versions_released_at - deadlines.answer_by == found.versions_locked_seconds - params.answer_window


def _gas(chain: Chain, tx: bytes) -> int:
    return int(chain.node.request("eth_getTransactionReceipt", ["0x" + tx.hex()])["gasUsed"], 16)


def test_gas_of__step_that_sends_nothing__zero() -> None:
    assert gas_of("score", 5) == gas_of("ask", 5) == gas_of("", 5) == 0


def test_half_width__kish_by_hand() -> None:
    assert half_width("EM|case:mixed", 400, 400) == pytest.approx(1.96 * 0.5 / 20)
    assert half_width(BLEU, 1000, 100) == pytest.approx(1.96 * 0.174 * sqrt((1 + 9 * 0.19) / 1000))
    assert half_width("chrF2|nrefs:1", 900, 900) == pytest.approx(1.96 * 0.119 / 30)
    assert half_width("unknown", 1, 1) == 0.5


def test_half_width__the_measured_set__what_the_bootstrap_showed() -> None:
    """NTREX-128, English to Portuguese, the best of the systems: `bench/half_width.py`, by sentence and by document."""
    for signature, by_item, by_document in ((BLEU, 0.0076, 0.0150), ("chrF2|", 0.0052, 0.0111)):
        assert half_width(signature, 1997, 1997) == pytest.approx(by_item, rel=0.03)
        assert half_width(signature, 1997, 123) == pytest.approx(by_document, rel=0.03)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("  two words ", 2), ("It's 5.30, isn't it?", 4), ("你好世界", 2), ("你好，世界。再见", 4), ("ሰላም ለሁሉም", 2)],
)
def test_words_of__as_translators_count(text: str, words: int) -> None:
    assert words_of(text) == words


def test_half_width__grouping__never_helps() -> None:
    widths = [half_width(BLEU, 1000, groups) for groups in (1000, 500, 100, 10, 1)]
    assert widths == sorted(widths)
