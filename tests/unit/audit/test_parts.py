"""given a round, sound or full of faults / when others check it in parts of any size / the report is the same, byte for byte."""

import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from assay.audit.report import SHOWN, Report, as_record
from assay.audit.verify import verify
from assay.cli.common import plain
from assay.storage import slices
from assay.storage.bundle import AskPart, Bundle
from unit.audit.exam import SEALED_AT, Exam, some_items
from unit.audit.faults import PROVABLE

Alter = Callable[[Exam], None]
ITEMS = 90


@pytest.fixture(scope="module")
def pool() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        yield executor


def told(report: Report) -> str:
    return json.dumps(plain(as_record(report)))


def faults_all_over(exam: Exam) -> None:
    """Of every kind, more than are shown, some that are proofs and some that are none."""
    for position in range(0, ITEMS, 3):
        exam.edit(position, ask=AskPart(SEALED_AT, bytes(65)))
    for position in range(1, ITEMS, 4):
        line = exam.lines[exam.first][position]
        exam.edit(position, sums=(line.sums[0], line.sums[1] + 1))
    for position in range(2, ITEMS, 5):
        exam.edit(position, ack=exam.sign_ack(exam.first, position, b"something else"))
    for position in range(0, ITEMS, 6):
        exam.post(position, b"another answer")
    for position in range(8, ITEMS, 7):
        exam.items[position] = replace(exam.items[position], prompt=exam.items[position % 8].prompt, group="elsewhere")


def decoys_carry_and_faults(exam: Exam) -> None:
    exam.decoys_carry = True
    faults_all_over(exam)


def nothing(_: Exam) -> None:
    pass


@pytest.mark.parametrize("alter", [nothing, faults_all_over, decoys_carry_and_faults])
def test_verify__by_processes_in_parts_of_any_size__is_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: Executor, alter: Alter
) -> None:
    exam = Exam(some_items(ITEMS))
    alter(exam)
    folder = exam.write(tmp_path / "bundle")
    facts, bundle = exam.facts(folder), Bundle(folder)
    whole = told(verify(facts, bundle))
    assert (whole.count("Failed") > 0) == (alter is not nothing)
    for positions in (16,) if alter is nothing else (7, 16):
        monkeypatch.setattr(slices, "POSITIONS", positions)
        assert told(verify(facts, bundle)) == whole
        assert told(verify(facts, bundle, executor=pool)) == whole


@pytest.mark.parametrize("alter", [entry[0] for entry in PROVABLE], ids=[entry[0].__name__ for entry in PROVABLE])
def test_verify__provable_fault_in_parts__is_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alter: Alter
) -> None:
    exam = Exam()
    alter(exam)
    folder = exam.write(tmp_path / "bundle")
    whole = told(verify(exam.facts(folder), Bundle(folder)))
    for positions in (1, 2, 3):
        monkeypatch.setattr(slices, "POSITIONS", positions)
        with ThreadPoolExecutor(3) as executor:
            assert told(verify(exam.facts(folder), Bundle(folder), executor=executor)) == whole


def bad_line(path: Path, at: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[at] = b"{oops\n"
    path.write_bytes(b"".join(lines))


@pytest.mark.parametrize("at", [0, 9, ITEMS - 1])
@pytest.mark.parametrize("names", [["items"], ["first"], ["second"], ["items", "first"]])
def test_verify__unreadable_line_in_any_part__is_the_same_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int, names: list[str]
) -> None:
    exam = Exam(some_items(ITEMS))
    faults_all_over(exam)
    folder = exam.write(tmp_path / "bundle")
    answers = [folder / f"answers/{version.id.hex()}.jsonl" for version in exam.versions]
    paths = {"items": folder / "items.jsonl", "first": answers[0], "second": answers[1]}
    for name in names:
        bad_line(paths[name], at)
    facts = exam.facts(folder)
    whole = verify(facts, Bundle(folder))
    assert whole.exit_code == 1
    assert f"{paths[names[-1]].relative_to(folder)}:{at + 1}" in {found.where for found in whole.steps[18].findings}
    monkeypatch.setattr(slices, "POSITIONS", 9)
    with ThreadPoolExecutor(2) as executor:
        assert told(verify(facts, Bundle(folder), executor=executor)) == told(whole)


def test_verify__more_items_than_the_manifest_says__is_a_finding(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    longer = Exam(some_items(8)).write(tmp_path / "longer")
    shutil.copy(longer / "items.jsonl", folder / "items.jsonl")
    report = verify(exam.facts(folder), Bundle(folder))
    assert report.exit_code == 1
    assert "items.jsonl: has 8 lines, the set has 7 items" in {finding.got for finding in report.steps[6].findings}


def test_verify__no_items_at_all__is_a_finding(tmp_path: Path) -> None:
    exam = Exam()
    exam.items, exam.lines = [], {version: [] for version in exam.lines}
    true = Exam()
    folder = exam.write(tmp_path / "bundle", set_root=bytes(32))
    revealed = replace(true.facts(None).round, bundle_digest=_digest(folder), revealed_at=true.facts(None).deadlines.answer_by)
    report = verify(replace(true.facts(None), round=revealed), Bundle(folder))
    assert report.exit_code == 1
    assert report.steps[6].findings[0].got == "items.jsonl: has no lines"
    assert report.steps[18].findings[0].got.endswith(".jsonl: has no lines")


def _digest(folder: Path) -> bytes:
    from assay.storage.cids import digest_of, folder_cid

    return digest_of(folder_cid(folder))


def test_verify__hundreds_of_repeats__shows_the_first_and_counts_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "POSITIONS", 32)
    items = [replace(item, prompt=b"one question") for item in some_items(ITEMS)]
    exam = Exam(items)
    folder = exam.write(tmp_path / "bundle")
    step = verify(exam.facts(folder), Bundle(folder)).steps[7]
    scored = [item.position for item in items if not item.kind]
    assert step.failures == len(scored) - 1
    assert [finding.where for finding in step.findings] == [f"items.jsonl:{at + 1}" for at in scored[1 : SHOWN + 1]]
    assert {finding.got for finding in step.findings} == {"the same as item 0"}


def test_slices__lines_too_long_for_one__are_cut_earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "MOST_BYTES", 2000)
    exam = Exam(some_items(ITEMS))
    folder = exam.write(tmp_path / "bundle")
    names = ["items.jsonl", f"answers/{exam.first.hex()}.jsonl"]
    cuts = list(slices.slices(Bundle(folder), names))
    assert max(sum(part.size for part in cut) for cut in cuts) < 2000 + 2000
    for one, other in pairwise(cuts):
        assert [part.first for part in other] == [part.first + len(part.lines) for part in one]
    for number, name in enumerate(names):
        assert b"".join(line for cut in cuts for line in cut[number].lines) == (folder / name).read_bytes()
