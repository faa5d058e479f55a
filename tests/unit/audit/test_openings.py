"""given a bundle / when an item is opened / both paths lead to the chain's roots, or the judge says that they do not."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit.judge import judge
from assay.audit.openings import Openings, opening, rebuild
from assay.errors import BadInput, Tampered
from assay.storage.bundle import Bundle
from assay.types import Verdict, VersionId
from unit.audit.exam import DECOY, Exam, some_items


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 40), data=st.data())
def test_opening__of_an_honest_bundle_of_any_size__is_sound(
    tmp_path_factory: pytest.TempPathFactory, count: int, data: st.DataObject
) -> None:
    exam = Exam(some_items(count))
    folder = exam.write(tmp_path_factory.mktemp("any") / "bundle")
    position = data.draw(st.integers(0, count - 1))
    version = data.draw(st.sampled_from(exam.versions)).id
    facts = exam.facts(folder)
    assert judge(facts, version, opening(facts, Bundle(folder), version, position, seed=7)) is Verdict.SOUND


def test_opening__of_a_decoy__carries_nothing_though_the_bundle_shows_the_answer(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    opened = opening(exam.facts(folder), Bundle(folder), exam.first, DECOY)
    assert (opened.response, opened.answer_signature, opened.evidence) == (b"", b"", b"")
    assert exam.lines[exam.first][DECOY].response


def test_opening__of_a_response_that_is_not_utf8__keeps_its_bytes(tmp_path: Path) -> None:
    exam = Exam()
    exam.lines[exam.first][1] = exam.answer(exam.first, 1, b"How \xff\xfe are you?\x00")
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    opened = opening(facts, Bundle(folder), exam.first, 1)
    assert opened.response == b"How \xff\xfe are you?\x00"
    assert judge(facts, exam.first, opened) is Verdict.SOUND


def test_opening__of_a_corrupt_bundle__is_not_attested(tmp_path: Path) -> None:
    exam = Exam()
    facts = exam.facts(exam.write(tmp_path / "true"))
    exam.edit(1, response=b"another")
    opened = opening(facts, Bundle(exam.write(tmp_path / "bundle")), exam.first, 0)
    assert judge(facts, exam.first, opened) is Verdict.NOT_ATTESTED


def test_opening__of_a_bundle_with_other_items__is_not_sealed(tmp_path: Path) -> None:
    exam = Exam()
    facts = exam.facts(exam.write(tmp_path / "true"))
    exam.items[2] = replace(exam.items[2], reference=b"another")
    opened = opening(facts, Bundle(exam.write(tmp_path / "bundle")), exam.first, 0)
    assert judge(facts, exam.first, opened) is Verdict.NOT_SEALED


@pytest.mark.parametrize("position", [-1, 7])
def test_opening__beyond_the_set__is_refused(tmp_path: Path, position: int) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    with pytest.raises(BadInput):
        opening(exam.facts(folder), Bundle(folder), exam.first, position)


def test_opening__of_a_version_that_the_bundle_lacks__is_refused(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    with pytest.raises(Tampered) as refused:
        opening(exam.facts(folder), Bundle(folder), VersionId(bytes(32)), 0)
    assert refused.value.where == f"answers/{bytes(32).hex()}.jsonl"


def test_openings__of_several_items__are_those_of_one_each(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    many = Openings(facts, Bundle(folder))
    for version in exam.versions:
        for position in range(7):
            assert many.open(version.id, position, 9) == opening(facts, Bundle(folder), version.id, position, 9)


def test_rebuild__decoys_that_carried_their_answers__are_told_apart(tmp_path: Path) -> None:
    exam = Exam()
    exam.decoys_carry = True
    folder = exam.write(tmp_path / "bundle")
    rebuilt = rebuild(exam.facts(folder), exam.first, Bundle(folder).answers(exam.first))
    assert (rebuilt.decoys_carry, rebuilt.attested) == (True, True)
