"""given a bundle / when it is written and read / it is the same, byte for byte; and a damaged one is named by file and line."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.encoding.hashing import checksum
from assay.errors import BadInput, Tampered
from assay.storage import bundle
from assay.storage.bundle import AnswerLine, AskPart, Bundle, ItemLine, ManifestFacts, VersionFacts, answers_name
from assay.storage.limits import DEFAULT_LIMITS, Limits
from assay.storage.lines import canonical, checked_line, line_check, parse_line, text_checks
from assay.types import Kind, ModelId, Outcome, RoundId, TaskParams, VersionId

ADDRESS = checksum(b"\xab" * 20)
VERSION, OTHER = VersionId(b"\x01" * 32), VersionId(b"\x02" * 32)
PARAMS = TaskParams(b"\x05" * 32, ADDRESS, 1, 100, 400, 100, 1, 2, 3, 4, 5, 2**96 - 1, 6, 10**17, 10**16)

ITEMS = [
    ItemLine(0, Kind.SCORED, "Grüß\u2028Gott\n".encode(), b"", b"\x00" * 32, "a", ("x", "y")),
    ItemLine(1, Kind.SCORED, b"\x00", b'"quotes" \\', b"\x01" * 32),
    ItemLine(2, Kind.DECOY, b"d", b"d", b"\x02" * 32, "b"),
]
ANSWERS = [
    AnswerLine(
        0,
        Outcome.ANSWERED,
        b"\xff\x00",
        (1, 2**256 - 1),
        b"\x07",
        AskPart(99, b"s" * 65),
        b"a" * 65,
        b"k" * 65,
        1.5,
        2.0,
        3.25,
        4,
        0.1,
    ),
    AnswerLine(1, Outcome.SILENT, None, (1 << 32, 0)),
    AnswerLine(2, Outcome.DECOY, b"", (1 << 64, 0), ask=AskPart(1, bytes(65))),
]


def facts(*versions: VersionId, items: int = 3) -> ManifestFacts:
    return ManifestFacts(
        31337,
        {"rounds": ADDRESS},
        RoundId(b"\x03" * 32),
        ADDRESS,
        ADDRESS,
        PARAMS,
        {"name": "ä", "n": [1, 2.5, None]},
        items,
        b"\x04" * 32,
        tuple(VersionFacts(version, ModelId(b"\x06" * 32), 1, 1, 1) for version in versions),
        {"assay": "0.1.0"},
    )


def written(folder: Path) -> Bundle:
    bundle.write(
        folder, facts(VERSION, OTHER), b'{"groups": []}\n', "# Card\n\nText\n", ITEMS, {VERSION: ANSWERS, OTHER: ANSWERS}
    )
    return Bundle.open(folder)


def test_bundle__written_and_read__is_the_same(tmp_path: Path) -> None:
    opened = written(tmp_path / "b")
    assert opened.manifest.facts == facts(VERSION, OTHER)
    assert opened.manifest.task == facts().task
    assert list(opened.items()) == ITEMS
    assert list(opened.answers(VERSION)) == ANSWERS
    assert opened.card() == {"groups": []}
    opened.check_files()


def test_bundle__same_input__has_the_same_cid(tmp_path: Path) -> None:
    assert written(tmp_path / "a").root_cid() == written(tmp_path / "b").root_cid()


def test_bundle__is_private(tmp_path: Path) -> None:
    opened = written(tmp_path / "b")
    for path in (opened.folder, *opened.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
WORD = st.integers(0, 2**256 - 1)
SIGNATURE = st.binary(min_size=65, max_size=65)
MAYBE = st.none() | st.floats(0, 1e12)
ITEM = st.builds(
    ItemLine,
    st.just(0),
    st.sampled_from(Kind),
    TEXT.map(str.encode),
    TEXT.map(str.encode),
    st.binary(min_size=32, max_size=32),
    TEXT,
    st.lists(TEXT, max_size=3).map(tuple),
)
ANSWER = st.builds(
    AnswerLine,
    st.just(0),
    st.sampled_from(Outcome),
    st.none() | st.binary(max_size=60),
    st.lists(WORD, min_size=1, max_size=4).map(tuple),
    st.binary(max_size=9),
    st.none() | st.builds(AskPart, st.integers(0, 2**40 - 1), SIGNATURE),
    st.none() | SIGNATURE,
    st.none() | SIGNATURE,
    MAYBE,
    MAYBE,
    MAYBE,
    st.none() | st.integers(0, 2**53 - 1),
    MAYBE,
)


@settings(max_examples=60, deadline=None)
@given(items=st.lists(ITEM, min_size=1, max_size=5), data=st.data())
def test_bundle__any_lines__round_trip(
    tmp_path_factory: pytest.TempPathFactory, items: list[ItemLine], data: st.DataObject
) -> None:
    items = [replace(item, position=position) for position, item in enumerate(items)]
    answers = [replace(data.draw(ANSWER), position=position) for position in range(len(items))]
    counts = [[answer.outcome for answer in answers].count(outcome) for outcome in Outcome]
    told = replace(facts(items=len(items)), versions=(VersionFacts(VERSION, ModelId(bytes(32)), *counts),))
    folder = tmp_path_factory.mktemp("any") / "b"
    bundle.write(folder, told, b"{}", "", items, {VERSION: answers})
    opened = Bundle.open(folder)
    assert list(opened.items()) == items
    assert list(opened.answers(VERSION)) == answers
    opened.check_files()


# What the writer refuses.


def test_write__positions_out_of_order__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        bundle.write(tmp_path / "b", facts(VERSION), b"", "", [ITEMS[1], ITEMS[0], ITEMS[2]], {VERSION: ANSWERS})


def test_write__too_few_answers__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        bundle.write(tmp_path / "b", facts(VERSION), b"", "", ITEMS, {VERSION: ANSWERS[:2]})


def test_write__other_versions_than_the_manifests__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        bundle.write(tmp_path / "b", facts(VERSION), b"", "", ITEMS, {OTHER: ANSWERS})


def test_write__counts_that_are_not_the_manifests__is_refused(tmp_path: Path) -> None:
    wrong = [*ANSWERS[:2], replace(ANSWERS[2], outcome=Outcome.SILENT)]
    with pytest.raises(BadInput):
        bundle.write(tmp_path / "b", facts(VERSION), b"", "", ITEMS, {VERSION: wrong})


def test_write__prompt_that_is_not_utf8__is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        bundle.write(tmp_path / "b", facts(VERSION), b"", "", [replace(ITEMS[0], prompt=b"\xff"), *ITEMS[1:]], {VERSION: ANSWERS})


def test_write__into_a_folder_with_files__is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(BadInput):
        bundle.write(tmp_path, facts(VERSION), b"", "", ITEMS, {VERSION: ANSWERS})


# What the reader refuses. Each defect carries a true check, so that the schema alone has to see it.


def with_line(folder: Path, name: str, number: int, change: Callable[[dict[str, object]], object]) -> Bundle:
    """The bundle with one line changed and checked anew."""
    opened = written(folder)
    path = folder / name
    lines = path.read_bytes().splitlines(keepends=True)
    record = parse_line(lines[number], name)
    change(record)
    lines[number] = checked_line(record)
    path.write_bytes(b"".join(lines))
    return opened


ITEM_DEFECTS: list[dict[str, object]] = [
    {"position": 5},
    {"position": -1},
    {"position": True},
    {"position": "1"},
    {"position": None},
    {"kind": "Scored"},
    {"kind": 0},
    {"prompt": None},
    {"prompt": 3},
    {"salt": "0x" + "0" * 63},
    {"salt": "0x" + "A" * 64},
    {"salt": "0x" + "g" * 64},
    {"salt": "00" * 33},
    {"group": None},
    {"tags": "x"},
    {"tags": [1]},
    {"extra": 1},
]


@pytest.mark.parametrize("defect", ITEM_DEFECTS, ids=str)
def test_items__field_that_does_not_fit__is_named_by_file_and_line(tmp_path: Path, defect: dict[str, object]) -> None:
    opened = with_line(tmp_path / "b", "items.jsonl", 1, lambda record: record.update(defect))
    with pytest.raises(BadInput) as caught:
        list(opened.items())
    assert caught.value.where == "items.jsonl:2"


ANSWER_DEFECTS: list[dict[str, object]] = [
    {"outcome": "lost"},
    {"sums": []},
    {"sums": ["0x00"]},
    {"sums": ["0x" + "0" * 64] * 18},
    {"sums": [1]},
    {"sums": "0x"},
    {"ask": 1},
    {"ask": {"answer_until": 1}},
    {"ask": {"answer_until": 2**40, "signature": "0x" + "00" * 65}},
    {"ask": {"answer_until": 1, "signature": "0x" + "00" * 64}},
    {"answer": {"signature": "0x"}},
    {"answer": {"signature": "0x" + "00" * 65, "more": 1}},
    {"ack": []},
    {"response": 1},
    {"response": "a", "response_b64": "/w=="},
    {"response_b64": "YQ=="},
    {"response_b64": "/w"},
    {"response_b64": "/x=="},
    {"response_b64": "@@@@"},
    {"evidence": "0x0"},
    {"evidence": "zz"},
    {"latency_ms": -1},
    {"latency_ms": "1"},
    {"tokens": 1.5},
    {"cost": True},
]


@pytest.mark.parametrize("defect", ANSWER_DEFECTS, ids=str)
def test_answers__field_that_does_not_fit__is_named_by_file_and_line(tmp_path: Path, defect: dict[str, object]) -> None:
    opened = with_line(tmp_path / "b", answers_name(VERSION), 1, lambda record: record.update(defect))
    with pytest.raises(BadInput) as caught:
        list(opened.answers(VERSION))
    assert caught.value.where.startswith(f"{answers_name(VERSION)}:2")


MANIFEST_DEFECTS: list[dict[str, object]] = [
    {"schema": 2},
    {"schema": None},
    {"chain_id": "1"},
    {"contracts": {"rounds": ADDRESS.lower()}},
    {"contracts": []},
    {"round": "0x12"},
    {"benchmarker": "nobody"},
    {"task_params": {}},
    {"description": "text"},
    {"items": -3},
    {"versions": {}},
    {"versions": [{"version": "0x"}]},
    {"files": {"items.jsonl": {"cid": 1, "bytes": 1, "lines": 1}}},
    {"tools": {"assay": 1}},
    {"unknown": 1},
]


@pytest.mark.parametrize("defect", MANIFEST_DEFECTS, ids=str)
def test_manifest__field_that_does_not_fit__is_named(tmp_path: Path, defect: dict[str, object]) -> None:
    with_line(tmp_path / "b", "manifest.json", 0, lambda record: record.update(defect))
    with pytest.raises(BadInput) as caught:
        Bundle.open(tmp_path / "b")
    assert caught.value.where.startswith("manifest.json:1")


@pytest.mark.parametrize("bond", ["01", "-1", "1.0", 5, "", "9" * 80, "٣"])
def test_manifest__money_that_is_no_decimal__is_refused(tmp_path: Path, bond: object) -> None:
    def change(record: dict[str, object]) -> None:
        params = record["task_params"]
        assert isinstance(params, dict)
        params["round_bond"] = bond

    with_line(tmp_path / "b", "manifest.json", 0, change)
    with pytest.raises(BadInput):
        Bundle.open(tmp_path / "b")


DAMAGED = [
    b"{}\n",
    b"[]\n",
    b"null\n",
    b"\n",
    b"{\n",
    b"\xff\n",
    b'{"check":"0"}\n',
    b"[" * 5000 + b"\n",
    b'{"a":NaN}\n',
    b'{"a":1,"a":1}\n',
]


@pytest.mark.parametrize("line", DAMAGED, ids=range(len(DAMAGED)))
def test_items__line_that_is_not_one__is_named(tmp_path: Path, line: bytes) -> None:
    opened = written(tmp_path / "b")
    path = tmp_path / "b" / "items.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], line, lines[2]]))
    with pytest.raises(Tampered) as caught:
        list(opened.items())
    assert caught.value.where == "items.jsonl:2"


def test_parse_line__other_spelling_of_the_same_record__is_refused() -> None:
    good = checked_line({"a": "é", "b": 1.0})
    assert parse_line(good, "x:1") == {"a": "é", "b": 1.0}
    for bad in (
        good.replace(b":", b": "),
        good.replace("é".encode(), b"\\u00e9"),
        good[:-1],
        good + b" ",
        good.replace(b"1.0", b"1.00"),
    ):
        with pytest.raises(Tampered):
            parse_line(bad, "x:1")


def test_items__line_over_the_limit__is_refused_unread(tmp_path: Path) -> None:
    written(tmp_path / "b")
    path = tmp_path / "b" / "items.jsonl"
    path.write_bytes(path.read_bytes() + b"x" * 5000)
    opened = Bundle.open(tmp_path / "b", Limits(line_bytes=2000))
    with pytest.raises(BadInput) as caught:
        list(opened.items())
    assert caught.value.where == "items.jsonl:4"


@pytest.mark.parametrize("filler", [b"{},", b"[],", b'{"a":1},', b'"\xc3\xa9",'], ids=["objects", "lists", "records", "texts"])
def test_card__as_dear_as_its_limit_allows__takes_less_than_a_gibibyte(tmp_path: Path, filler: bytes) -> None:
    room = DEFAULT_LIMITS.card_bytes - 20
    (tmp_path / "card.json").write_bytes(b'{"groups":[' + filler * (room // len(filler)) + b"0]}")
    code = "import resource, sys; from pathlib import Path; from assay.storage.bundle import Bundle; "
    code += "Bundle(Path(sys.argv[1])).card(); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    found = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, check=True)
    assert int(found.stdout) < 1 << 20  # KiB


def test_card__over_its_limit__is_refused_unread(tmp_path: Path) -> None:
    opened = written(tmp_path / "b")
    (tmp_path / "b" / "card.json").write_bytes(b" " * (DEFAULT_LIMITS.card_bytes + 1))
    with pytest.raises(BadInput):
        opened.card()


def test_items__more_or_fewer_lines_than_items__is_refused(tmp_path: Path) -> None:
    opened = written(tmp_path / "b")
    path = tmp_path / "b" / "items.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2]))
    with pytest.raises(BadInput):
        list(opened.items())
    path.write_bytes(b"".join([*lines, checked_line({**parse_line(lines[2], "x"), "position": 3})]))
    with pytest.raises(BadInput):
        list(opened.items())


def test_open__too_many_files_or_bytes__is_refused(tmp_path: Path) -> None:
    written(tmp_path / "b")
    for limits in (Limits(files=5), Limits(total_bytes=500), Limits(manifest_bytes=100)):
        with pytest.raises(BadInput):
            Bundle.open(tmp_path / "b", limits)


@pytest.mark.parametrize("what", ["link", "pipe"])
def test_open__something_that_is_no_file__is_refused(tmp_path: Path, what: str) -> None:
    opened = written(tmp_path / "b")
    if what == "link":
        (tmp_path / "b" / "evil").symlink_to("/etc/passwd")
    else:
        os.mkfifo(tmp_path / "b" / "evil")
    for check in (lambda: Bundle.open(tmp_path / "b"), opened.root_cid, opened.check_files):
        with pytest.raises(BadInput):
            check()


def test_checks__are_of_each_line() -> None:
    assert text_checks(b"a\nb") == [line_check(b"a"), line_check(b"b")]
    assert text_checks(b"") == [line_check(b"")]
    assert len(line_check(b"")) == 16


def test_canonical__sorts_and_refuses_what_json_cannot_say() -> None:
    assert canonical({"b": 1, "a": "é"}) == '{"a":"é","b":1}'.encode()
    for value in ({1: 2}, b"x", {"a": {1, 2}}, 2**70):
        with pytest.raises(BadInput):
            canonical(value)
