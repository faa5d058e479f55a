"""given any verification / when it is written as JSON or as a page / the JSON follows the published schema, the page is safe.

the page: given hostile texts -> escaped and cut; given anything -> well formed, no script, all steps and promises
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from assay.audit.page import MAX_TEXT, PROMISES, failed_items, page
from assay.audit.report import Report, as_record
from assay.audit.verify import TITLES, verify
from assay.cli.common import plain
from assay.storage.bundle import Bundle
from assay.types import Phase
from unit.audit.exam import Exam
from unit.audit.faults import PROVABLE, Alter, wrong_statistic

HOSTILE = "<script>alert(1)</script>\"'&<img src=x onerror=y>\u202e\x1b[31m\x00" + "é" * 5_000
VOID = {"meta", "br", "!doctype"}


def checked(exam: Exam, folder: Path) -> tuple[Report, Bundle]:
    bundle = Bundle(exam.write(folder))
    return verify(exam.facts(folder), bundle), bundle


def record_of(report: Report) -> dict[str, Any]:
    """As `assay verify --json` prints it."""
    return json.loads(json.dumps(plain(as_record(report))))


@pytest.fixture(scope="module")
def schema() -> Draft202012Validator:
    raw = json.loads(resources.files("assay.audit").joinpath("report.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(raw)
    return Draft202012Validator(raw)


def reports(folder: Path) -> Iterator[tuple[int, Report, Bundle | None]]:
    """A report for each end that there is, and how it ended."""
    sound = Exam()
    report, bundle = checked(sound, folder / "sound")
    yield 0, report, bundle
    faulty = Exam()
    wrong_statistic(faulty)
    yield 1, *checked(faulty, folder / "faulty")
    yield 2, verify(sound.facts(folder / "sound"), None), None
    yield 2, verify(replace(sound.facts(None), phase=Phase.ANSWERING), None), None
    (folder / "sound/items.jsonl").write_bytes(b"{}\n")
    yield 3, verify(replace(faulty.facts(folder / "faulty")), Bundle(folder / "sound")), Bundle(folder / "sound")


# JSON


def test_as_record__every_end__is_what_the_schema_says(schema: Draft202012Validator, tmp_path: Path) -> None:
    for end, report, _ in reports(tmp_path):
        record = record_of(report)
        schema.validate(record)
        assert record["exit_code"] == end
        assert len(record["steps"]) == len(TITLES)


@pytest.mark.parametrize("alter", [entry[0] for entry in PROVABLE], ids=[entry[0].__name__ for entry in PROVABLE])
def test_as_record__every_provable_fault__is_what_the_schema_says(
    schema: Draft202012Validator, tmp_path: Path, alter: Alter
) -> None:
    exam = Exam()
    alter(exam)
    record = record_of(checked(exam, tmp_path / "bundle")[0])
    schema.validate(record)
    assert any(finding["verdict"] for step in record["steps"] for finding in step["findings"])


def test_schema__anything_else__is_refused(schema: Draft202012Validator, tmp_path: Path) -> None:
    exam = Exam()
    wrong_statistic(exam)
    true = record_of(checked(exam, tmp_path / "bundle")[0])

    def places(value: Any) -> Iterator[Any]:
        if isinstance(value, dict):
            yield value
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from places(inner)

    count = len(list(places(true)))
    assert count > 25
    for index in range(count):
        for key in list(list(places(true))[index]):
            for change in ("gone", "other"):
                lie = copy.deepcopy(true)
                target = list(places(lie))[index]
                if change == "gone":
                    del target[key]
                else:
                    target[key] = {"other": 1}
                with pytest.raises(ValidationError):
                    schema.validate(lie)
        lie = copy.deepcopy(true)
        list(places(lie))[index]["more"] = 1
        with pytest.raises(ValidationError):
            schema.validate(lie)


# the page


class Strict(HTMLParser):
    """Refuses tags that are left open or closed twice, scripts, and whatever fetches or runs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "link", "iframe", "object", "embed", "base", "form", "svg")
        self.tags.append(tag)
        for name, value in attrs:
            assert name not in ("src", "href", "srcset", "style", "action"), name
            assert not name.startswith("on"), name
            assert "javascript:" not in (value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_page__every_end__is_well_formed_and_says_all(tmp_path: Path) -> None:
    words = {0: "Sound", 1: "A fault was found", 2: "Cannot tell everything", 3: "Tampered with"}
    for end, report, bundle in reports(tmp_path):
        text = page(report, failed_items(report, bundle))
        read = Strict(text)
        shown = "".join(read.texts)
        assert words[end] in shown
        assert read.tags.count("details") == len(TITLES)
        assert all(title.text in shown for title in TITLES)
        assert all(promise in shown for promise in PROMISES.values())
        assert "@import" not in text
        assert "url(" not in text
        assert "http" not in text.replace("http-equiv", "")
        assert text == page(report, failed_items(report, bundle))


def test_page__a_fault__shows_expected_got_texts_and_the_proof(tmp_path: Path) -> None:
    exam = Exam()
    wrong_statistic(exam)
    report, bundle = checked(exam, tmp_path / "bundle")
    items = failed_items(report, bundle)
    assert items[exam.first, 2].prompt == exam.items[2].prompt
    shown = "\n".join(Strict(page(report, items)).texts)
    finding = next(found for step in report.steps for found in step.findings if found.verdict)
    for part in (finding.expected, finding.got, "Das ist ein Haus.", "This is a house.", "answers/"):
        assert part in shown
    assert f"assay challenge 0x{exam.round.hex()} 0x{exam.first.hex()} 2" in shown


def test_page__hostile_texts__are_escaped_spelt_out_and_cut(tmp_path: Path) -> None:
    exam = Exam(max_bytes=20_000)
    hostile = HOSTILE.encode()
    exam.lines[exam.first][2] = replace(exam.answer(exam.first, 2, hostile), sums=(1, 7))
    report, bundle = checked(exam, tmp_path / "bundle")
    report = replace(report, metric=HOSTILE)
    text = page(report, failed_items(report, bundle))
    shown = "".join(Strict(text).texts)
    assert "<script" not in text
    assert "<img" not in text
    assert not any(char in text for char in "\u202e\x1b\x00")
    assert "\\u202e\\x1b[31m\\x00" in shown
    assert "<script>alert(1)</script>" in shown
    assert "é" * (MAX_TEXT - 100) in shown
    assert "é" * MAX_TEXT not in shown


def test_failed_items__a_bundle_that_cannot_be_read__shows_what_it_can(tmp_path: Path) -> None:
    exam = Exam()
    wrong_statistic(exam)
    report, bundle = checked(exam, tmp_path / "bundle")
    path = tmp_path / "bundle/items.jsonl"
    path.write_bytes(path.read_bytes()[:300])
    assert failed_items(report, bundle) == {}
    assert failed_items(report, None) == {}
    Strict(page(report, {}))
