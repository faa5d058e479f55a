"""The journal: what must never exist twice is refused by the schema itself, below any code.

Asks: two with the same or an earlier answer_until, or another prompt -> refused
Answers, Acks: a second one at a place -> refused; a different Answer -> kept as evidence
All tables: change or removal of a row -> refused
"""

import sqlite3
import stat
import threading
import time

import pytest

from assay.agent import exchanges
from assay.agent.exchanges import Kept
from assay.agent.journal import Journal
from assay.agent.records import Ack, Answer, Ask, BundleRecord, Enrolment, RoundRecord, ScoreRecord, SetItem, TxRecord
from assay.agent.schema import MIGRATIONS, TABLES
from assay.encoding.hashing import keccak
from assay.errors import BadInput, Fatal, Refused
from assay.types import Kind, ModelId, Node, RoundId, TaskId, VersionId

ROUND, VERSION = RoundId(b"\x11" * 32), VersionId(b"\x22" * 32)
SIGNATURE = b"\x1b" * 65
ITEMS = [
    SetItem(n, Kind.DECOY if n == 2 else Kind.SCORED, f"p{n}".encode(), b"r", "g", ("t",), keccak(f"p{n}".encode()))
    for n in range(3)
]
PLACED = [ITEMS[2], ITEMS[0], ITEMS[1]]


def record(round_=ROUND, set_name="s"):
    return RoundRecord(
        round_, set_name, 31337, "0xR", "0xB", "0xO", TaskId(b"\x33" * 32), b"{}", b"n", b"\x44" * 32, 3, b"{}", time.time()
    )


@pytest.fixture
def journal(tmp_path):
    opened = Journal(tmp_path / "home" / "bench.sqlite")
    opened.add_set("s", b"digest", ITEMS)
    opened.add_round(record(), PLACED)
    opened.add_enrolment(Enrolment(ROUND, VERSION, ModelId(b"\x55" * 32), "0xP", SIGNATURE, "http://a"))
    yield opened
    opened.close()


def ask(until=100, position=0, prompt_hash=None, signature=SIGNATURE):
    return Ask(ROUND, VERSION, position, until, prompt_hash or PLACED[position].prompt_hash, signature, 1.5)


def exchange(text=b"answer", until=100, position=0):
    place = (ROUND, VERSION, position)
    return Answer(*place, until, text, keccak(text), SIGNATURE, 2.5, 7.0), Ack(*place, keccak(text), SIGNATURE)


# -- the file


def test_open__new_file__private_and_versioned(journal):
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700
    assert journal.schema_version == len(MIGRATIONS)
    for suffix in ("-wal", "-shm"):
        assert stat.S_IMODE(journal.path.with_name(journal.path.name + suffix).stat().st_mode) == 0o600


def test_open__settings__wal_full_and_foreign_keys(journal):
    assert journal.one("PRAGMA journal_mode") == ("wal",)
    assert journal.one("PRAGMA synchronous") == (2,)
    assert journal.one("PRAGMA foreign_keys") == (1,)


def test_open__again__everything_is_there(journal):
    again = Journal(journal.path)
    assert again.rounds() == journal.rounds()
    assert again.placed_items(ROUND) == PLACED
    again.close()


def test_open__later_schema__is_fatal(tmp_path):
    path = tmp_path / "bench.sqlite"
    Journal(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(Fatal, match=f"schema {len(MIGRATIONS) + 1}"):
        Journal(path)


def test_open__earlier_schema__is_brought_up_to_date_and_keeps_its_rows(tmp_path, monkeypatch):
    path = tmp_path / "bench.sqlite"
    with monkeypatch.context() as earlier:
        earlier.setattr("assay.agent.journal.MIGRATIONS", MIGRATIONS[:1])
        earlier.setattr("assay.agent.journal.TABLES", tuple(table for table in TABLES if table != "publications"))
        old = Journal(path)
        old.add_set("s", b"digest", ITEMS)
        old.add_round(record(), PLACED)
        old.close()
    new = Journal(path)
    assert new.schema_version == len(MIGRATIONS)
    assert new.placed_items(ROUND) == PLACED
    new.add_publication(ROUND, "cid", "node")
    assert (new.publications(ROUND), new.publications(ROUND, "other")) == ({"node"}, set())
    new.close()


@pytest.mark.parametrize("foreign", ["text", "database"])
def test_open__file_of_another_program__is_fatal_and_left_alone(tmp_path, foreign):
    path = tmp_path / "bench.sqlite"
    if foreign == "text":
        path.write_text("not a database, and long enough to be told from an empty one" * 20)
    else:
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 1")
        db.close()
    with pytest.raises(Fatal):
        Journal(path)


def test_alone__a_second_process__is_refused(journal):
    other = Journal(journal.path)
    with journal.alone(), pytest.raises(Refused), other.alone():
        pass
    with other.alone():
        pass
    other.close()


# -- append-only


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_any_table__a_row_changed_or_removed__is_refused(journal, table, verb):
    exchanges.add_asks(journal, [ask()])
    exchanges.add_answers(journal, [exchange()])
    exchanges.add_answers(journal, [exchange(b"other")])
    exchanges.add_deliveries(journal, [exchange()[1]])
    journal.add_transaction(ROUND, "seal", TxRecord(b"\x66" * 32, b"raw", 3, "seal"))
    journal.add_scores(ROUND, [ScoreRecord(VERSION, Node(b"\x77" * 32, (1, 2)), 5, b"\x88" * 32)])
    journal.add_bundle(ROUND, BundleRecord("cid", b"\x99" * 32))
    journal.add_publication(ROUND, "cid", "node")
    (column,) = journal.one("SELECT name FROM pragma_table_info(?) LIMIT 1", (table,))
    change = {"UPDATE": f"UPDATE {table} SET {column} = {column}", "DELETE": f"DELETE FROM {table}"}  # noqa: S608 - our own names
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal.one(change[verb])


def test_replace__of_a_row__is_refused_too(journal):
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        journal.one("INSERT OR REPLACE INTO sets VALUES ('s', x'00', 1.0)")


def fail_after(journal, name):
    with journal.transaction():
        journal.add("sets", (name, b"d", 1.0))
        raise ZeroDivisionError


def test_transaction__an_error_inside__nothing_of_it_is_kept(journal):
    with pytest.raises(ZeroDivisionError):
        fail_after(journal, "t")
    assert [found.name for found in journal.sets()] == ["s"]


def test_transaction__an_error_in_an_inner_one__undoes_the_inner_one_alone(journal):
    with journal.transaction():
        journal.add("sets", ("t", b"d", 1.0))
        with pytest.raises(ZeroDivisionError):
            fail_after(journal, "u")
    assert [row[0] for row in journal.all("SELECT name FROM sets ORDER BY rowid")] == ["s", "t"]


def test_transaction__commit_fails__nothing_is_kept_and_the_next_one_is(journal):
    """A failed COMMIT can leave SQLite's transaction open: the next one would be a part of it, and never reach the disk."""

    def fail():
        with journal.transaction():
            journal._db.execute("PRAGMA defer_foreign_keys = ON")
            journal.add("gateways", (None, b"\x01" * 32, b"\x02" * 32, "http://nowhere"))

    with pytest.raises(sqlite3.IntegrityError):
        fail()
    exchanges.add_asks(journal, [ask()])
    on_disk = sqlite3.connect(journal.path)
    assert on_disk.execute("SELECT COUNT(*) FROM asks").fetchone() == (1,)
    assert on_disk.execute("SELECT url FROM gateways").fetchall() == [("http://a",)]
    on_disk.close()


# -- asks


@pytest.mark.parametrize("until", [100, 99])
def test_add_asks__not_later_than_the_last__is_refused(journal, until):
    exchanges.add_asks(journal, [ask(100)])
    with pytest.raises(sqlite3.IntegrityError, match="later answer_until"):
        exchanges.add_asks(journal, [ask(until, signature=b"\x1c" * 65)])
    exchanges.add_asks(journal, [ask(101)])
    assert exchanges.last_asks(journal, ROUND)[(VERSION, 0)].answer_until == 101


def test_add_asks__another_prompt_than_the_sealed_one__is_refused(journal):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        exchanges.add_asks(journal, [ask(prompt_hash=PLACED[1].prompt_hash)])


def test_add_asks__position_beyond_the_set__is_refused(journal):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        exchanges.add_asks(journal, [Ask(ROUND, VERSION, 3, 100, PLACED[0].prompt_hash, SIGNATURE, 1.0)])


def test_add_asks__a_version_without_consent__is_refused(journal):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        exchanges.add_asks(journal, [Ask(ROUND, VersionId(b"\x00" * 32), 0, 100, PLACED[0].prompt_hash, SIGNATURE, 1.0)])


def test_add_asks__one_of_several_is_wrong__none_is_kept(journal):
    with pytest.raises(sqlite3.IntegrityError):
        exchanges.add_asks(journal, [ask(), ask(position=1, prompt_hash=b"\x00" * 32)])
    assert exchanges.last_asks(journal, ROUND) == {}


# -- answers and acks


def test_add_answers__a_first_one__kept_with_its_ack(journal):
    exchanges.add_asks(journal, [ask()])
    assert exchanges.add_answers(journal, [exchange()]) == [Kept.NEW]
    found = exchanges.exchanges(journal, ROUND, VERSION)[0]
    assert (found.answer.response, found.ack.response_hash, found.ask.answer_until) == (b"answer", keccak(b"answer"), 100)


def test_add_answers__the_same_again__changes_nothing(journal):
    exchanges.add_asks(journal, [ask()])
    exchanges.add_answers(journal, [exchange()])
    assert exchanges.add_answers(journal, [exchange()]) == [Kept.SAME]
    assert exchanges.contradictions(journal, ROUND) == []


def test_add_answers__a_different_one__is_evidence_and_never_used(journal):
    exchanges.add_asks(journal, [ask()])
    exchanges.add_answers(journal, [exchange()])
    assert exchanges.add_answers(journal, [exchange(b"other")] * 2) == [Kept.CONTRADICTION] * 2
    assert [c.response for c in exchanges.contradictions(journal, ROUND)] == [b"other"]
    found = exchanges.exchanges(journal, ROUND, VERSION)[0]
    assert (found.answer.response, found.ack.response_hash) == (b"answer", keccak(b"answer"))


def test_answers__a_second_row_at_a_place__is_refused_by_the_schema(journal):
    exchanges.add_asks(journal, [ask()])
    exchanges.add_answers(journal, [exchange()])
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        journal.add("answers", (ROUND, VERSION, 0, 100, b"x", keccak(b"x"), SIGNATURE, 1.0, 1.0))


def test_acks__a_second_row_at_a_place__is_refused_by_the_schema(journal):
    exchanges.add_asks(journal, [ask()])
    exchanges.add_answers(journal, [exchange()])
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        journal.add("acks", (ROUND, VERSION, 0, keccak(b"answer"), SIGNATURE, 1.0))


def test_acks__for_another_response_than_the_stored_one__is_refused_by_the_schema(journal):
    exchanges.add_asks(journal, [ask(), ask(position=1)])
    journal.add("answers", (ROUND, VERSION, 1, 100, b"x", keccak(b"x"), SIGNATURE, 1.0, 1.0))
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        journal.add("acks", (ROUND, VERSION, 1, keccak(b"y"), SIGNATURE, 1.0))


def test_answers__without_an_ask__is_refused_by_the_schema(journal):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        exchanges.add_answers(journal, [exchange()])


def test_undelivered__until_delivered__the_same_bytes(journal):
    exchanges.add_asks(journal, [ask(), ask(position=1)])
    pairs = [exchange(), exchange(position=1)]
    exchanges.add_answers(journal, pairs)
    assert exchanges.undelivered(journal, ROUND) == [ack for _, ack in pairs]
    exchanges.add_deliveries(journal, [pairs[0][1]] * 2)
    assert exchanges.undelivered(journal, ROUND) == [pairs[1][1]]


def test_exchanges__asked_twice_and_answered_the_first_time__shows_the_ask_that_was_answered(journal):
    exchanges.add_asks(journal, [ask(100)])
    exchanges.add_asks(journal, [ask(200)])
    exchanges.add_answers(journal, [exchange(until=100)])
    assert exchanges.exchanges(journal, ROUND, VERSION)[0].ask.answer_until == 100


# -- sets, rounds and the rest


def test_add_set__the_same_again__changes_nothing_and_another_is_refused(journal):
    journal.add_set("s", b"digest", ITEMS)
    with pytest.raises(BadInput, match="another set"):
        journal.add_set("s", b"other digest", ITEMS)
    assert [(found.scored, found.decoys) for found in journal.sets()] == [(2, 1)]


def test_add_set__the_same_prompt_twice__nothing_is_kept(journal):
    with pytest.raises(sqlite3.IntegrityError):
        journal.add_set("t", b"d", [ITEMS[0], SetItem(1, Kind.SCORED, b"p0", b"r", "", (), ITEMS[0].prompt_hash)])
    assert [found.name for found in journal.sets()] == ["s"]


def test_rounds_with_prompts_of__another_set_with_a_scored_prompt__names_the_round(journal):
    journal.add_set("t", b"d", [SetItem(0, Kind.SCORED, b"p1", b"other", "", (), ITEMS[1].prompt_hash)])
    journal.add_set("u", b"d", [SetItem(0, Kind.DECOY, b"p1", b"", "", (), ITEMS[1].prompt_hash)])
    assert journal.rounds_with_prompts_of("t") == [(ROUND, 1, b"p1")]
    assert journal.rounds_with_prompts_of("u") == []


def test_rounds_with_prompts_of__a_prompt_that_was_a_decoy__counts_as_asked(journal):
    journal.add_set("t", b"d", [SetItem(0, Kind.SCORED, b"p2", b"other", "", (), ITEMS[2].prompt_hash)])
    assert journal.rounds_with_prompts_of("t") == [(ROUND, 1, b"p2")]


def test_add_enrolment__the_gateway_moved__latest_address(journal):
    journal.add_enrolment(Enrolment(ROUND, VERSION, ModelId(b"\x55" * 32), "0xP", SIGNATURE, "http://b"))
    assert [e.url for e in journal.enrolments(ROUND)] == ["http://b"]


def test_add_scores__another_root__the_latest_counts(journal):
    first, second = (ScoreRecord(VERSION, Node(bytes([n]) * 32, (1, 2**256 - 1)), 5, b"\x88" * 32) for n in (1, 2))
    journal.add_scores(ROUND, [first])
    journal.add_scores(ROUND, [second, second])
    assert journal.scores(ROUND) == {VERSION: second}
    assert journal.one("SELECT COUNT(*) FROM scores") == (2,)


def test_transactions__of_a_step__in_order(journal):
    for n in (1, 2):
        journal.add_transaction(ROUND, "seal", TxRecord(bytes([n]) * 32, b"raw", n, "seal the set"))
    journal.add_transaction(ROUND, "attest", TxRecord(b"\x09" * 32, b"raw", 9, "attest"))
    assert [tx.nonce for tx in journal.transactions(ROUND, "seal")] == [1, 2]


def test_many_threads__writing_at_once__nothing_is_lost(journal):
    exchanges.add_asks(journal, [ask(position=p) for p in range(3)])
    pairs = [exchange(position=p) for p in range(3)]
    threads = [threading.Thread(target=exchanges.add_answers, args=(journal, [pair])) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert exchanges.answered(journal, ROUND) == {(VERSION, p) for p in range(3)}
