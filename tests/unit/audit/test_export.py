"""given a round / when it is exported / stock sacreBLEU gives the score on chain, or the text in the way is named."""

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from assay.audit.export import REFERENCE, export_sacrebleu, hypothesis_name, sacrebleu_options
from assay.errors import BadInput
from assay.metrics import METRICS
from assay.storage.bundle import Bundle
from unit.audit.exam import METRIC, SILENT, Exam, some_items


def stock_score(out: Path, name: str) -> float:
    def read(path: Path) -> list[str]:
        with path.open(encoding="utf-8", newline="\n") as file:
            return [line.rstrip("\n") for line in file]

    return float(BLEU().corpus_score(read(out / name), [read(out / REFERENCE)]).score)


def exported(exam: Exam, tmp_path: Path) -> Path:
    folder = exam.write(tmp_path / "bundle")
    export_sacrebleu(exam.facts(folder), Bundle(folder), tmp_path / "out")
    return tmp_path / "out"


def agrees(exam: Exam, out: Path) -> None:
    for sitting in exam.facts(None).sittings:
        mine = Decimal(sitting.attested_score) / 10**16
        assert stock_score(out, hypothesis_name(sitting.version.id)) == pytest.approx(float(mine), abs=1e-9)


def test_export__sound_round__gives_sacrebleu_the_score_on_chain(tmp_path: Path) -> None:
    exam = Exam(some_items(40))
    out = exported(exam, tmp_path)
    agrees(exam, out)
    assert 0 < stock_score(out, hypothesis_name(exam.first)) < 100


def test_export__scored_positions_only_and_silence_as_an_empty_line(tmp_path: Path) -> None:
    exam = Exam()
    out = exported(exam, tmp_path)
    lines = (out / hypothesis_name(exam.first)).read_text().split("\n")
    assert len(lines) == 6 + 1
    assert lines[SILENT - 1] == ""
    assert "decoy" not in (out / REFERENCE).read_text()


HARMLESS = [
    "two\nlines",
    "two\r\nlines",
    "hyphen-\nated words",
    "\nlead",
    "trail\n",
    "tab\tand\u2028separator",
    "a\x85b",
    "a\x0bb",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_export__text_whose_statistics_stay__is_written_on_one_line(tmp_path: Path, text: str) -> None:
    items = some_items()
    items[1] = replace(items[1], reference=b"two lines and hyphenated words")
    exam = Exam(items)
    exam.lines[exam.first][1] = exam.answer(exam.first, 1, text.encode())
    out = exported(exam, tmp_path)
    assert len((out / hypothesis_name(exam.first)).read_bytes().split(b"\n")) == 6 + 1
    agrees(exam, out)


def test_export__reference_of_two_lines__agrees(tmp_path: Path) -> None:
    items = some_items()
    items[1] = replace(items[1], reference=b"How are\nyou?")
    exam = Exam(items)
    agrees(exam, exported(exam, tmp_path))


# sacreBLEU drops this tag before it joins hyphenated lines, so no single line has the same words.
UNFIT = b"hyphen-<skipped>\nated"


def test_export__text_whose_statistics_would_change__is_refused_by_name_and_leaves_nothing(tmp_path: Path) -> None:
    exam = Exam()
    exam.lines[exam.first][2] = exam.answer(exam.first, 2, UNFIT)
    with pytest.raises(BadInput) as refused:
        exported(exam, tmp_path)
    assert refused.value.where == f"answers/{exam.first.hex()}.jsonl:3"
    assert not list((tmp_path / "out").iterdir())


def test_export__reference_whose_statistics_would_change__is_refused_by_name(tmp_path: Path) -> None:
    items = some_items()
    items[2] = replace(items[2], reference=UNFIT)
    with pytest.raises(BadInput) as refused:
        exported(Exam(items), tmp_path)
    assert refused.value.where == "items.jsonl:3"


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(alphabet="ab-.,& \n\r\t;<>\u00e9\u2028\x00", max_size=24), min_size=6, max_size=6))
def test_export__any_text__agrees_or_is_refused(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    exam = Exam()
    scored = [item.position for item in exam.items if item.position != 3]
    for position, text in zip(scored, texts, strict=True):
        exam.lines[exam.first][position] = exam.answer(exam.first, position, text.encode())
    tmp_path = tmp_path_factory.mktemp("any")
    try:
        out = exported(exam, tmp_path)
    except BadInput:
        assert not list((tmp_path / "out").iterdir())
    else:
        agrees(exam, out)


def test_export__into_a_folder_that_is_not_empty__is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    with pytest.raises(BadInput):
        exported(Exam(), tmp_path)
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"


def test_options__of_shipped_metrics__are_sacrebleus_or_refused() -> None:
    options = {}
    for signature in METRICS:
        try:
            options[signature.split("|")[0]] = sacrebleu_options(signature)
        except BadInput:
            options[signature.split("|")[0]] = ()
    assert options["BLEU"] == ("-m", "bleu", "--tokenize", "13a", "--smooth-method", "exp")
    assert options["EM"] == ()


def test_export__with_sacrebleus_own_command__prints_the_score(tmp_path: Path) -> None:
    exam = Exam(some_items(40))
    out = exported(exam, tmp_path)
    files = [str(out / REFERENCE), "-i", str(out / hypothesis_name(exam.first))]
    command = [sys.executable, "-m", "sacrebleu", *files, *sacrebleu_options(METRIC.signature), "-w", "4", "-b"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert float(shown) == pytest.approx(exam.facts(None).sittings[0].attested_score / 10**16, abs=1e-4)
