"""The watchtower's parts by themselves: settings, memory, inbox, likeness of prompts, figures and the alerts over them."""

import re
import socket
import sqlite3
import stat
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.audit import evidence
from assay.audit.evidence import Evidence
from assay.chain.transactions import SignedTx
from assay.errors import BadInput, Refused
from assay.storage.bundle import Bundle
from assay.types import RoundId, VersionId
from assay.watch.inbox import Inbox
from assay.watch.journal import DAY, Journal
from assay.watch.library import Library
from assay.watch.meters import Meters
from assay.watch.pauses import Pauses, doubled
from assay.watch.records import Act, Audit, Found, Known
from assay.watch.settings import Plan, load
from assay.watch.similar import bands_of, grams_of, normal, similarity
from unit.audit.exam import Exam, seeded
from unit.audit.holding import held_ack, held_ask

ROOT = Path(__file__).resolve().parents[3]
ROUND = RoundId(seeded("round"))


# Settings


def test_load__the_readmes_example__is_read_whole(tmp_path: Path) -> None:
    text = (ROOT / "src/assay/watch/README.md").read_text()
    block = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    (tmp_path / "watch.toml").write_text(block[1])
    plan = load(tmp_path / "watch.toml")
    assert (plan.evidence, plan.public_sets) == (tmp_path / "inbox", (tmp_path / "wmt.txt",))
    assert (plan.metrics_port, plan.similarity, plan.budget, plan.least_bond) == (9464, 0.8, 10**18, 10**16)
    (tmp_path / "least.toml").write_text("schema = 1\n")
    assert load(tmp_path / "least.toml") == Plan()


@pytest.mark.parametrize(
    "line",
    [
        "schema = 2",
        "poll = 3",
        "poll_seconds = 0",
        "poll_seconds = true",
        "sample = 1.5",
        "prove = 1",
        'rpcs = "http://127.0.0.1"',
        "rpcs = [1]",
        'budget_ether = "much"',
        "budget_ether = -1",
        "budget_ether = true",
        "similarity_percent = 101",
        'seed = "a\\u0000b"',
        "schema = 1 1",
    ],
)
def test_load__a_wrong_line__is_refused_by_file(tmp_path: Path, line: str) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(line if line.startswith("schema") else f"schema = 1\n{line}\n")
    with pytest.raises(BadInput, match=r"watch\.toml"):
        load(path)


# Memory


@pytest.fixture
def journal(tmp_path: Path):  # type: ignore[no-untyped-def]
    opened = Journal(tmp_path / "watch" / "key.sqlite")
    yield opened
    opened.close()


def test_journal__its_files__are_private(journal: Journal) -> None:
    with journal.lease():
        journal.fact("seed", "x")
        for path in journal.path.parent.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


def test_journal__every_row__can_be_added_and_not_changed(journal: Journal) -> None:
    journal.add_rounds([Known(ROUND, Exam().benchmarker, Exam().facts(None).round.task, 7)], 9)
    assert (journal.scanned(), [known.block for known in journal.rounds()]) == (9, [7])
    assert journal.fact("seed", "one") == journal.fact("seed", "other") == "one"
    for table in ("rounds", "scans", "facts"):
        for verb in ("DELETE FROM {}", "UPDATE {} SET rowid = rowid"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                journal.rows(verb.format(table))


def test_journal__audits__are_read_back_and_the_latest_counts(journal: Journal) -> None:
    found = (Found("item", VersionId(seeded("v")), 3), Found("reuse", None, 1, RoundId(seeded("other"))))
    first = Audit(ROUND, b"", 5, served=False, exit_code=2, shut={VersionId(seeded("v")): "unserved"})
    second = Audit(ROUND, b"e", 6, served=True, exit_code=1, bundle=seeded("b"), failed=(18, 21), found=found)
    journal.add_audit(first, 1)
    assert journal.audit(ROUND) == first
    journal.add_audit(second, 2)
    assert journal.audit(ROUND) == second
    assert journal.audits() == [second]
    assert journal.audit(RoundId(bytes(32))) is None


def test_ledger__reserve_then_end__counts_what_was_really_spent(journal: Journal) -> None:
    act = Act(0, "demand", ROUND, seeded("v"), 2, 0, 10**16, 5, 1_000)
    number = journal.begin(act, 10**20)
    assert journal.spent(1_000) == (10**20, 10**20)
    journal.add_transaction(number, SignedTx(seeded("tx"), b"raw", 3, "demand"), 1_000)
    assert [tx.nonce for tx in journal.transactions(number)] == [3]
    journal.finish(number, "mined", 1_010, tx=seeded("tx"), block=6, fee=77, locked=10**16)
    journal.finish(number, "dropped", 1_020)
    assert journal.spent(1_010) == (10**16 + 77, 10**16 + 77)
    assert journal.spent(1_000 + DAY) == (0, 10**16 + 77)
    other = journal.begin(act, 5)
    assert [open_.id for open_ in journal.acts(open_only=True)] == [other]
    journal.finish(other, "dropped", 1_030)
    assert journal.spent(1_030).ever == 10**16 + 77


def test_journal__of_another_program_or_a_later_one__is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("no database at all, but long enough to be looked at as one")
    with pytest.raises(BadInput):
        Journal(tmp_path / "text.sqlite")
    database = sqlite3.connect(tmp_path / "other.sqlite")
    database.execute("PRAGMA user_version = 1")
    database.close()
    with pytest.raises(BadInput):
        Journal(tmp_path / "other.sqlite")
    Journal(tmp_path / "new.sqlite").close()
    database = sqlite3.connect(tmp_path / "new.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(BadInput, match="newer"):
        Journal(tmp_path / "new.sqlite")


HOLD = """
import sys
from pathlib import Path
from assay.watch.journal import Journal
with Journal(Path(sys.argv[1])).lease():
    print("leased", flush=True)
    sys.stdin.readline()
"""


def test_lease__another_process_of_this_key__is_refused_until_it_is_killed(journal: Journal) -> None:
    command = [sys.executable, "-c", HOLD, str(journal.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "leased\n"
        with pytest.raises(Refused, match="another watchtower"), journal.lease():
            pytest.fail("two at once")
        holder.kill()
        holder.wait(10)
    with journal.lease():
        pass


# Inbox


def test_inbox__files_come_change_and_go__messages_follow(tmp_path: Path) -> None:
    exam = Exam()
    rounds = exam.contracts["rounds"]
    inbox = Inbox(tmp_path, 31337, rounds)
    inbox.read()
    assert (inbox.messages(exam.round), inbox.digest(exam.round)) == ((), b"")
    evidence.save(tmp_path / "a.json", Evidence(31337, rounds, (held_ask(exam, 0),)))
    evidence.save(tmp_path / "b.json", Evidence(31337, rounds, (held_ask(exam, 0), held_ack(exam, 1, b"x"))))
    evidence.save(tmp_path / "elsewhere.json", Evidence(1, rounds, (held_ask(exam, 3),)))
    (tmp_path / "broken.json").write_text("[]")
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    inbox.read()
    digest = inbox.digest(exam.round)
    assert inbox.messages(exam.round) == (held_ask(exam, 0), held_ack(exam, 1, b"x"))
    assert sorted(inbox.problems) == ["broken.json", "elsewhere.json"]
    (tmp_path / "b.json").unlink()
    (tmp_path / "broken.json").unlink()
    inbox.read()
    assert inbox.messages(exam.round) == (held_ask(exam, 0),)
    assert inbox.digest(exam.round) not in (digest, b"")
    assert sorted(inbox.problems) == ["elsewhere.json"]
    Inbox(None, 31337, rounds).read()
    Inbox(tmp_path / "nowhere", 31337, rounds).read()


# Likeness


def test_normal__case_marks_and_spaces__do_not_count() -> None:
    assert normal("  »Grüße,\tWELT!« ﬁn ".encode()) == normal(b"gr\xc3\xbc\xc3\x9fe welt fin") == "grüsse welt fin"
    assert normal(b"\xff\xfe") == ""
    assert grams_of(b"") == frozenset()
    assert bands_of(frozenset()) == ()
    assert (similarity(grams_of(b""), grams_of(b"")), similarity(grams_of(b"ab"), grams_of(b"AB!"))) == (0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_bands__of_any_bytes__are_eight_numbers_or_none(text: bytes) -> None:
    keys = bands_of(grams_of(text))
    assert len(keys) in (0, 8)
    assert all(0 <= key < 1 << 56 for key in keys)
    assert keys == bands_of(grams_of(text))


def test_library__one_word_changed__is_near_and_another_sentence_is_not(journal: Journal, tmp_path: Path) -> None:
    base = "The committee will meet again on the second Thursday of next month to decide about the new bridge over the river."
    lines = [f"Sentence number {n} is about something else entirely, such as the weather in {n} towns." for n in range(200)]
    (tmp_path / "public.txt").write_text("\n".join([*lines, base]) + "\n")
    library = Library(journal, 0.8)
    source = library.add_public(tmp_path / "public.txt")
    assert library.add_public(tmp_path / "public.txt") == source
    assert len(journal.rows("SELECT id FROM prompts")) == 201
    exam = Exam()
    changed = base.replace("second", "third").upper().encode()
    exam.items[0] = replace(exam.items[0], prompt=changed)
    library.add_bundle(exam.round, Bundle(exam.write(tmp_path / "bundle")))
    (found,) = library.sightings(exam.round, frozenset({source}))
    assert (found.position, found.kind, found.source, found.place) == (0, "near", source, 201)
    assert 0.8 <= found.similarity < 1
    assert library.sightings(exam.round, frozenset()) == []
    for nothing in ("nowhere.txt", "."):
        with pytest.raises(BadInput):
            library.add_public(tmp_path / nothing)


def test_library__two_sets_of_one_name_and_a_changed_one__are_all_read(journal: Journal, tmp_path: Path) -> None:
    library, names = Library(journal, 0.8), []
    for folder, text in (("a", "one\n"), ("b", "two\n"), ("a", "three\n"), ("b", "two\n")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "known.txt").write_text(text)
        names.append(library.add_public(tmp_path / folder / "known.txt"))
    assert [text for (text,) in journal.rows("SELECT text FROM prompts ORDER BY id")] == [b"one", b"two", b"three"]
    assert (len(set(names)), names[3]) == (3, names[1])
    assert all(name.startswith("known.txt ") for name in names)


# Pauses


def test_pauses__each_failure__doubles_the_wait_until_something_worked() -> None:
    assert [doubled(60, failures) for failures in (1, 2, 3, 6, 7, 99)] == [60, 120, 240, 1920, 3600, 3600]
    pauses = Pauses()
    waits = []
    for _ in range(3):
        began = time.monotonic()
        pauses.add("a", 0.02)
        while not pauses.is_over("a"):
            assert pauses.is_over("b")
            time.sleep(0.001)
        waits.append(time.monotonic() - began)
    assert all(wait >= least for wait, least in zip(waits, (0.02, 0.04, 0.08), strict=True))
    pauses.end("a")
    assert pauses.is_over("a")
    pauses.for_ever("a")
    assert not pauses.is_over("a")


def test_pauses__at_most_once__nothing_that_failed_comes_again_before_the_end() -> None:
    pauses = Pauses()
    with pauses.at_most_once():
        pauses.add("a", 0.01)
        time.sleep(0.02)
        assert not pauses.is_over("a")
        assert pauses.is_over("b")
    assert pauses.is_over("a")


# Figures


def test_meters__their_names__are_those_of_the_alerts() -> None:
    meters = Meters()
    rules = yaml.safe_load((ROOT / "scripts/assay-watch.rules.yml").read_text())
    names = {
        name for group in rules["groups"] for rule in group["rules"] for name in re.findall(r"assay_watch_\w+", rule["expr"])
    }
    known = {sample.name for metric in meters.registry.collect() for sample in metric.samples}
    known |= {f"{metric.name}_total" for metric in meters.registry.collect() if metric.type == "counter"}
    assert names <= known
    assert len(names) > 10
    for group in rules["groups"]:
        assert all({"alert", "expr", "labels", "annotations"} <= set(rule) for rule in group["rules"])


@pytest.mark.loopback
def test_meters__a_scrape__shows_the_figures() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meters = Meters()
    meters.block.set(42)
    stop = meters.serve(port)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert b"assay_watch_block 42.0" in answer.read()
    finally:
        stop()
