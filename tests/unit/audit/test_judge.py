"""given an opening / when it is judged / the verdict is the contract's: order first, and no invented opening is ever a fault."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.facts import ChainFacts
from assay.audit.judge import expected_sums, has_wrong_sums, judge
from assay.audit.openings import Openings, opening
from assay.encoding.hashing import ZERO_HASH
from assay.encoding.sumtree import climb_sums, commitment, score_leaf
from assay.errors import BadInput
from assay.metrics import UnknownMetric
from assay.storage.bundle import Bundle
from assay.types import Kind, Node, Opening, Outcome, Verdict, VersionId
from unit.audit.exam import DECOY, SILENT, Exam


def opened(tmp_path: Path, position: int = 1, exam: Exam | None = None) -> tuple[ChainFacts, VersionId, Opening]:
    exam = exam or Exam()
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    return facts, exam.first, opening(facts, Bundle(folder), exam.first, position)


def reattested(facts: ChainFacts, changed: Opening) -> ChainFacts:
    """The chain as if the changed leaf had been attested."""
    hashed = score_leaf(changed.position, changed.outcome, changed.response, changed.answer_signature, changed.evidence)
    root = climb_sums(Node(hashed, changed.sums), changed.position, changed.sum_path)
    return replace(facts, sittings=(replace(facts.sittings[0], root_commitment=commitment(root)), *facts.sittings[1:]))


@pytest.mark.parametrize("position", range(7))
def test_judge__honest_item__is_sound(tmp_path: Path, position: int) -> None:
    facts, version, item = opened(tmp_path, position)
    assert judge(facts, version, item) is Verdict.SOUND


@pytest.mark.parametrize("seed", [0, 1, 2**256 - 1])
def test_judge__any_seed__changes_nothing(tmp_path: Path, seed: int) -> None:
    facts, version, item = opened(tmp_path)
    assert judge(facts, version, replace(item, seed=seed)) is Verdict.SOUND


def test_judge__wrong_set_and_wrong_leaf__is_not_sealed_first(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path)
    assert judge(facts, version, replace(item, prompt=b"x", response=b"y", kind=1)) is Verdict.NOT_SEALED


def test_judge__leaf_that_was_never_attested__is_not_attested(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path)
    assert judge(facts, version, replace(item, response=b"y")) is Verdict.NOT_ATTESTED
    assert judge(facts, VersionId(bytes(32)), item) is Verdict.NOT_ATTESTED


ORDER = [Verdict.WRONG_KIND, Verdict.MALFORMED, Verdict.TOO_LONG, Verdict.WRONG_RECEIPT, Verdict.WRONG_STATISTICS]


def with_fault(item: Opening, verdict: Verdict) -> Opening:
    if verdict is Verdict.WRONG_KIND:
        return replace(item, outcome=Outcome.DECOY)
    if verdict is Verdict.MALFORMED:
        return replace(item, outcome=Outcome.SILENT)
    if verdict is Verdict.TOO_LONG:
        return replace(item, response=b"z" * 401)
    if verdict is Verdict.WRONG_RECEIPT:
        return replace(item, answer_signature=bytes(65))
    return replace(item, sums=(item.sums[0] + (1 << 200), *item.sums[1:]))


@pytest.mark.parametrize("first", ORDER)
def test_judge__several_faults__tells_the_first_of_the_order(tmp_path: Path, first: Verdict) -> None:
    facts, version, item = opened(tmp_path)
    for verdict in reversed(ORDER[ORDER.index(first) :]):
        item = with_fault(item, verdict)
    if first is Verdict.TOO_LONG:
        item = replace(item, outcome=Outcome.ANSWERED)
    assert judge(reattested(facts, item), version, item) is first


@pytest.mark.parametrize("kind", [2, 255])
def test_judge__no_such_kind__is_wrong_kind(tmp_path: Path, kind: int) -> None:
    exam = Exam()
    exam.items[1] = replace(exam.items[1], kind=kind)  # type: ignore[arg-type]
    exam.round = exam._round_id()
    facts = exam.facts(None)
    items = [line.item for line in exam.items]
    from assay.encoding.seals import SetTree, set_leaf

    tree = SetTree([set_leaf(facts.chain_id, facts.rounds, facts.round.benchmarker, item) for item in items])
    _, version, item = opened(tmp_path)
    changed = replace(item, kind=kind, set_path=tree.path(1))
    assert judge(facts, version, changed) is Verdict.WRONG_KIND


def test_judge__no_such_outcome__is_wrong_kind(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path)
    changed = replace(item, outcome=3)
    assert judge(reattested(facts, changed), version, changed) is Verdict.WRONG_KIND


def test_judge__padding_that_counts__is_wrong_statistics(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path, 6)
    padded = (Node(ZERO_HASH, (0, 1)), *item.sum_path[1:])
    changed = replace(item, sum_path=padded)
    assert judge(reattested(facts, changed), version, changed) is Verdict.WRONG_STATISTICS
    assert not has_wrong_sums(facts, changed)
    assert has_wrong_sums(facts, replace(changed, sums=(changed.sums[0], changed.sums[1] + 1)))


def test_judge__padding_with_any_hash_but_no_sums__is_sound(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path, 6)
    changed = replace(item, sum_path=(Node(b"\x01" * 32, (0, 0)), *item.sum_path[1:]))
    assert judge(reattested(facts, changed), version, changed) is Verdict.SOUND


@pytest.mark.parametrize("part", ["response", "answer_signature", "evidence"])
@pytest.mark.parametrize("position", [DECOY, SILENT])
def test_judge__empty_leaf_that_carries__is_malformed(tmp_path: Path, part: str, position: int) -> None:
    facts, version, item = opened(tmp_path, position)
    changed = replace(item, **{part: b"x"})
    assert judge(reattested(facts, changed), version, changed) is Verdict.MALFORMED


@pytest.mark.parametrize("part", ["response", "evidence"])
def test_judge__cap__holds_for_each_text_by_itself(tmp_path: Path, part: str) -> None:
    facts, version, item = opened(tmp_path)
    for size, verdicts in ((401, {Verdict.TOO_LONG}), (400, {Verdict.WRONG_RECEIPT, Verdict.SOUND})):
        changed = replace(item, **{part: b"z" * size})
        assert judge(reattested(facts, changed), version, changed) in verdicts


def test_judge__answered_and_another_answer_posted__is_sound(tmp_path: Path) -> None:
    exam = Exam()
    exam.post(1, b"another")
    facts, version, item = opened(tmp_path, 1, exam)
    assert judge(facts, version, item) is Verdict.SOUND


def test_judge__silent_and_posted_elsewhere__is_sound(tmp_path: Path) -> None:
    exam = Exam()
    exam.post(1, b"another")
    facts, version, item = opened(tmp_path, SILENT, exam)
    assert judge(facts, version, item) is Verdict.SOUND


def test_judge__wrong_shape__is_refused_as_the_contract_reverts(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path)
    node = item.sum_path[0]
    shapes = [
        {"position": 7},
        {"position": -1},
        {"set_path": item.set_path[:-1]},
        {"set_path": (*item.set_path, ZERO_HASH)},
        {"sum_path": item.sum_path[:-1]},
        {"sum_path": (*item.sum_path, node)},
        {"sums": item.sums[:-1]},
        {"sums": (*item.sums, 0)},
        {"sum_path": (Node(node.hash, node.sums[:-1]), *item.sum_path[1:])},
        {"sums": (2**256, 0)},
        {"kind": 256},
        {"outcome": -1},
        {"seed": 2**256},
    ]
    for shape in shapes:
        with pytest.raises(BadInput):
            judge(facts, version, replace(item, **shape))


def test_judge__metric_that_we_do_not_ship__is_refused_not_guessed(tmp_path: Path) -> None:
    facts, version, item = opened(tmp_path)
    with pytest.raises(UnknownMetric):
        judge(replace(facts, metric=replace(facts.metric, signature="chrF9")), version, item)


def test_expected_sums__of_the_outcomes__count_in_their_lanes(tmp_path: Path) -> None:
    facts, _, item = opened(tmp_path)
    lanes = [expected_sums(facts, replace(item, outcome=outcome))[0] for outcome in Outcome]
    assert lanes == [1, 1 << 32, 1 << 64]
    assert expected_sums(facts, replace(item, outcome=Outcome.DECOY))[1:] == (0,)


INVENTED = {
    "position": st.integers(0, 6),
    "kind": st.sampled_from([*Kind, 2]),
    "prompt": st.binary(max_size=30),
    "reference": st.binary(max_size=30),
    "salt": st.binary(min_size=32, max_size=32),
    "set_path": st.lists(st.binary(min_size=32, max_size=32), min_size=3, max_size=3).map(tuple),
    "outcome": st.integers(0, 4),
    "response": st.binary(max_size=500),
    "answer_signature": st.binary(max_size=70),
    "evidence": st.binary(max_size=10),
    "sums": st.tuples(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1)),
    "sum_path": st.lists(
        st.builds(Node, st.binary(min_size=32, max_size=32), st.tuples(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))),
        min_size=3,
        max_size=3,
    ).map(tuple),
    "seed": st.integers(0, 2**256 - 1),
}


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[ChainFacts, VersionId, Openings]:
    exam = Exam()
    exam.post(1, b"another")
    folder = exam.write(tmp_path_factory.mktemp("honest") / "bundle")
    facts = exam.facts(folder)
    return facts, exam.first, Openings(facts, Bundle(folder))


def test_invented__covers_every_part_of_an_opening() -> None:
    assert set(INVENTED) == {field.name for field in fields(Opening)}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_judge__invented_opening_against_an_honest_round__is_never_a_fault(
    honest: tuple[ChainFacts, VersionId, Openings], data: st.DataObject
) -> None:
    facts, version, openings = honest
    true = openings.open(version, data.draw(st.integers(0, 6)))
    parts = data.draw(st.lists(st.sampled_from(sorted(INVENTED)), min_size=1, max_size=4, unique=True))
    forged = replace(true, **{part: data.draw(INVENTED[part]) for part in parts})
    assert not judge(facts, version, forged).is_fault
