"""A slice of the crash run, and proofs that its parts see what they are there to see."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from crash.points import read_trace
from crash.relay import messages
from crash.signed import Signed, take, twice

HERE = Path(__file__).parent
SLICE_SECONDS = 600
WRITER = """
import sqlite3, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from crash.points import End, watch
watch(Path(sys.argv[2]), End("commit", sys.argv[4], int(sys.argv[5]), "a"))
db = sqlite3.connect(sys.argv[3], isolation_level=None)
db.execute("CREATE TABLE IF NOT EXISTS a (x)")
for number in range(5):
    db.execute("BEGIN IMMEDIATE")
    db.execute("SELECT 1")
    db.execute("COMMIT")
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO a VALUES (?)", (number,))
    db.execute("COMMIT")
"""


@pytest.mark.parametrize(("when", "number", "kept"), [("before", 3, 2), ("after", 3, 3), ("after", 1, 1), ("before", 6, 5)])
def test_watch__kth_commit__dies_there_and_only_writes_count(tmp_path: Path, when: str, number: int, kept: int) -> None:
    trace, file = tmp_path / "trace", tmp_path / "a.sqlite"
    words = [sys.executable, "-c", WRITER, str(HERE.parent), str(trace), str(file), when, str(number)]
    ended = subprocess.run(words, check=False, timeout=60)
    assert ended.returncode == (-signal.SIGKILL if number <= 5 else 0)
    db = sqlite3.connect(file)
    assert db.execute("SELECT COUNT(*) FROM a").fetchone() == (kept,)
    db.close()
    assert sum("died" not in point for point in read_trace(trace)) == kept


def test_messages__cut_off_by_a_crash__whole_ones_alone() -> None:
    whole = b'POST /v1/ask HTTP/1.1\r\nContent-Length: 8\r\n\r\n{"a": 1}'
    assert list(messages(whole + whole + whole[:-1])) == [(b"POST /v1/ask HTTP/1.1", {"a": 1})] * 2
    assert list(messages(whole[:20])) == []


def line(response: str, signature: str) -> dict[str, object]:
    told = {"response": response, "answer": {"signature": signature}, "ack": {"signature": "0xaa"}}
    return told | {"ask": {"answer_until": 7, "signature": "0xbb"}}


def test_twice__one_answer_everywhere__nothing() -> None:
    place = ("0x01", "0x02", 0)
    places = defaultdict(Signed)
    for where in ("wire", "bundle"):
        take(places[place], line("yes", "0xcc"), where)
    places[place].prompts["0x03"].add("wire")
    assert list(twice(places, {place: {}})) == []


@pytest.mark.parametrize(
    ("second", "told"),
    [(line("no", "0xdd"), "2 Answers"), (line("yes", "0xdd"), "2 Answers"), (line("no", "0xcc"), "2 Acks")],
)
def test_twice__a_second_one_anywhere__is_told(second: dict[str, object], told: str) -> None:
    place = ("0x01", "0x02", 0)
    places = defaultdict(Signed)
    take(places[place], line("yes", "0xcc"), "wire")
    take(places[place], second, "bundle")
    places[place].prompts["0x03"].add("wire")
    assert any(told in fault for fault in twice(places, {place: {}}))


@pytest.mark.slow
def test_slice__agent_gateways_and_chain_killed__every_round_ends_like_the_undisturbed_one(tmp_path: Path) -> None:
    words = [sys.executable, str(HERE / "run.py"), "--out", str(tmp_path / "out")]
    ended = subprocess.run(words, check=False, capture_output=True, text=True, timeout=SLICE_SECONDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr[-3000:]
    results = [json.loads(row) for row in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    assert sum(result["outcome"] == "sound" for result in results) >= len(results) - 2
    assert {result["victim"] for result in results} == {"agent", "table", "program", "chain"}
