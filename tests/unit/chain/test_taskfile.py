import json
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.chain import taskfile
from assay.chain.client import Chain
from assay.chain.minima import DAY, HOUR, check_bounds
from assay.cli.task import PROFILES
from assay.encoding.hashing import checksum
from assay.encoding.ids import task_id
from assay.encoding.seals import depth_of
from assay.errors import BadInput
from assay.metrics import Bleu, Chrf, by_signature
from assay.types import TaskParams
from unit.chain.world import door

METRIC = checksum(b"\x01" * 20)


def write(tmp_path: Path, record: object) -> Path:
    file = tmp_path / "task.json"
    file.write_text(json.dumps(record))
    return file


def good() -> dict[str, Any]:
    return tomllib.loads(taskfile.template("weekly"))


def params_of(tmp_path: Path, profile: str) -> TaskParams:
    (tmp_path / "task.toml").write_text(taskfile.template(profile))
    written = taskfile.read(tmp_path / "task.toml")
    return written.params(b"\x02" * 32, METRIC, by_signature(written.metric_signature).words)


def test_profiles__on_the_command_line__all() -> None:
    assert set(PROFILES) == set(taskfile.PROFILES)


@pytest.mark.parametrize("profile", taskfile.PROFILES)
def test_template__as_it_is__keeps_the_registrys_rules(tmp_path: Path, profile: str) -> None:
    params = params_of(tmp_path, profile)
    assert params.max_bytes <= by_signature("BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp").max_bytes
    assert params.max_items * params.max_bytes < 1 << 28
    assert params.challenge_window >= 2 * (depth_of(params.max_items) + 1) * params.demand_window
    assert params.post_window < params.answer_window
    if profile != "demo":
        check_bounds(params)


@pytest.mark.chain
@pytest.mark.parametrize("profile", taskfile.PROFILES)
def test_template__as_it_is__is_registered(tmp_path: Path, chain: Chain, profile: str) -> None:
    params = replace(params_of(tmp_path, profile), metric=chain.deployment.metrics["Bleu"])
    door(chain, f"profile {profile}").send(chain.tasks.register(params))
    assert chain.tasks.params(task_id(params)) == params


@pytest.mark.parametrize(("profile", "answer"), [("weekly", 72 * HOUR), ("slow", 30 * DAY)])
def test_template__of_long_windows__leaves_ten_days_to_people(tmp_path: Path, profile: str, answer: int) -> None:
    params = params_of(tmp_path, profile)
    assert params.answer_window == answer
    assert min(params.attest_window, params.reveal_window, params.challenge_window) >= 10 * DAY


def test_template__decoding_as_a_table__is_kept(tmp_path: Path) -> None:
    text = taskfile.template("weekly").replace('"as the provider serves it"', "{ temperature = 0, max_tokens = 200 }")
    (tmp_path / "task.toml").write_text(text)
    assert taskfile.read(tmp_path / "task.toml").description["decoding"] == {"temperature": 0, "max_tokens": 200}


def test_read__json_and_toml__the_same(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_text(taskfile.template("weekly"))
    assert taskfile.read(tmp_path / "task.toml") == taskfile.read(write(tmp_path, good()))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(7, 7), ("1 second", 1), ("20 seconds", 20), ("3 minutes", 180), ("4hours", 14_400), ("180 days", 15_552_000)],
)
def test_read__windows__in_seconds(tmp_path: Path, text: object, seconds: int) -> None:
    record = good()
    record["windows"]["answer"] = text
    assert taskfile.read(write(tmp_path, record)).numbers["answer_window"] == seconds


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("windows", "answer", 0),
        ("windows", "answer", -1),
        ("windows", "answer", True),
        ("windows", "answer", "soon"),
        ("windows", "answer", "3 fortnights"),
        ("windows", "answer", 1.5),
        ("bonds", "round", "-1"),
        ("bonds", "round", "NaN"),
        ("bonds", "round", "Infinity"),
        ("bonds", "round", "1e-19"),
        ("bonds", "round", "1e30"),
        ("bonds", "round", None),
        ("caps", "max_items", -1),
        ("caps", "max_items", "10"),
        ("caps", "max_items", 1 << 32),
        ("description", "metric_signature", 7),
    ],
)
def test_read__wrong_value__bad_input_names_file_and_key(tmp_path: Path, table: str, key: str, value: object) -> None:
    record = good()
    record[table][key] = value
    with pytest.raises(BadInput, match=rf"task\.json: {table}\.{key}"):
        taskfile.read(write(tmp_path, record))


@pytest.mark.parametrize("table", taskfile.TABLES)
def test_read__table_missing__bad_input(tmp_path: Path, table: str) -> None:
    record = good()
    del record[table]
    with pytest.raises(BadInput, match=table):
        taskfile.read(write(tmp_path, record))


@pytest.mark.parametrize(("table", "key"), [("windows", "answr"), ("bonds", "fee"), ("caps", "x")])
def test_read__unknown_key__bad_input(tmp_path: Path, table: str, key: str) -> None:
    record = good()
    record[table][key] = 1
    with pytest.raises(BadInput, match=key):
        taskfile.read(write(tmp_path, record))


def test_read__more_in_the_description__is_kept(tmp_path: Path) -> None:
    record = good()
    record["description"]["contact"] = "x@example.org"
    assert taskfile.read(write(tmp_path, record)).description["contact"] == "x@example.org"


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b"3", b"[" * 100_000, b" " * (2 << 20)])
def test_read__rubbish__bad_input(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "task.json").write_bytes(raw)
    with pytest.raises(BadInput, match=r"task\.json"):
        taskfile.read(tmp_path / "task.json")


def test_read__deeply_nested_toml__bad_input(tmp_path: Path) -> None:
    (tmp_path / "task.toml").write_bytes(b"a = " + b"[" * 100_000)
    with pytest.raises(BadInput):
        taskfile.read(tmp_path / "task.toml")


def test_read__missing__bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none\.toml") as raised:
        taskfile.read(tmp_path / "none.toml")
    assert "assay task init" in raised.value.remedy


BLEU, CHRF = (name.signature for name in (Bleu, Chrf))
UNSPACED = ["zh", "zho", "cmn", "yue", "ja", "jpn", "th", "tha", "km", "khm", "lo", "lao", "my", "mya"]
SUBTAGS = ["zh-Hans", "zho_Hant", "ZH-hant-TW", "ja-JP", "jpn-Jpan", " yue-HK "]


@pytest.mark.parametrize("target", [*UNSPACED, *SUBTAGS])
def test_read__bleu_for_a_language_without_spaces__refused_with_chrf(tmp_path: Path, target: str) -> None:
    record = good()
    record["description"] |= {"languages": ["eng", target], "metric_signature": BLEU}
    with pytest.raises(BadInput, match=r"task\.json: description\.languages") as raised:
        taskfile.read(write(tmp_path, record))
    assert CHRF in raised.value.remedy
    record["description"]["metric_signature"] = CHRF
    assert taskfile.read(write(tmp_path, record)).metric_signature == CHRF


@pytest.mark.parametrize(
    "languages", [["zho", "eng"], ["ja", "tha-extra", "por-BR"], ["eng", "kor"], ["eng", "myv"], ["eng", "lov"]]
)
def test_read__bleu_from_a_language_without_spaces__is_fine(tmp_path: Path, languages: list[str]) -> None:
    record = good()
    record["description"]["languages"] = languages
    assert taskfile.read(write(tmp_path, record)).description["languages"] == languages


@pytest.mark.parametrize("languages", ["zho", [], [7], {"source": "eng"}, None])
def test_read__languages_are_no_list_of_codes__bad_input(tmp_path: Path, languages: object) -> None:
    record = good()
    record["description"]["languages"] = languages
    with pytest.raises(BadInput, match=r"description\.languages"):
        taskfile.read(write(tmp_path, record))
