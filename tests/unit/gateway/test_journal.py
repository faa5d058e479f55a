"""The journal: private, append-only, on disk before anything is said, one answer a place."""

import asyncio
import sqlite3
import stat
import threading
from dataclasses import replace
from functools import partial

import pytest

from assay.errors import BadInput
from assay.gateway.catalogue import Catalogue, Commitment, Model
from assay.gateway.database import MIGRATIONS, Database
from assay.gateway.journal import Journal
from assay.gateway.messages import Ack, Answer, Place
from assay.gateway.writer import Writer
from unit.gateway.stage import ROUND, SEAT, VERSION, ask


@pytest.fixture
def path(tmp_path):
    return tmp_path / "gateway.sqlite"


@pytest.fixture
def database(path):
    opened = Database(path)
    yield opened
    opened.close()


def answer(position=0, response=b"r"):
    return Answer(Place(ROUND, VERSION, position), ask(position).prompt_hash, response, response * 65)


def test_database__new__private_and_synced(path, database):
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert database.rows("PRAGMA journal_mode") == [("wal",)]
    assert database.rows("PRAGMA synchronous") == [(2,)]
    assert database.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
    for sidecar in path.parent.glob("gateway.sqlite-*"):
        assert stat.S_IMODE(sidecar.stat().st_mode) == 0o600


def test_database__world_readable_file__closed_again(path):
    path.touch(mode=0o644)
    Database(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_database__written_by_a_newer_program__bad_input(path):
    Database(path).close()
    raw = sqlite3.connect(path)
    raw.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    raw.close()
    with pytest.raises(BadInput):
        Database(path)


def test_database__no_database__bad_input(path):
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(BadInput):
        Database(path)


def test_database__transaction_that_fails__nothing_of_it(database):
    def fail():
        with database.writing() as db:
            db.execute("INSERT INTO enrolments VALUES (x'01', x'02', x'03', 0)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert database.rows("SELECT * FROM enrolments") == []


def test_database__commit_fails__nothing_is_kept_and_the_next_one_is(database, path):
    """A failed COMMIT can leave SQLite's transaction open: an answer in the next one would be sent and never reach the disk."""

    def fail():
        with database.writing() as db:
            db.execute("CREATE TABLE a (x INTEGER PRIMARY KEY)")
            db.execute("CREATE TABLE b (x INTEGER REFERENCES a DEFERRABLE INITIALLY DEFERRED)")
            db.execute("INSERT INTO b VALUES (1)")

    database._db.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        fail()
    Journal(database).add_answer(answer(), ask())
    on_disk = sqlite3.connect(path)
    assert on_disk.execute("SELECT COUNT(*) FROM answers").fetchone() == (1,)
    assert on_disk.execute("SELECT name FROM sqlite_master WHERE name = 'b'").fetchall() == []
    on_disk.close()


@pytest.mark.parametrize("statement", ["UPDATE answers SET response = x'00'", "DELETE FROM answers"])
def test_database__rows__cannot_be_changed_or_deleted(database, statement):
    Journal(database).add_answer(answer(), ask())
    with pytest.raises(sqlite3.IntegrityError, match="append-only"), database.writing() as db:
        db.execute(statement)


def test_append_only__every_table__has_both_triggers(database):
    tables = {name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    triggers = {name for (name,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert triggers == {f"{table}_{verb}" for table in tables for verb in ("update", "delete")}


def test_add_answer__second_and_different__first_stays(database):
    journal = Journal(database)
    first = journal.add_answer(answer(response=b"one"), ask())
    assert journal.add_answer(answer(response=b"two"), ask()) == first
    assert journal.answer(Place(ROUND, VERSION, 0)).answer.response == b"one"


def test_add_answer__many_threads_and_two_connections__one_wins_for_all(path, database):
    other = Database(path)
    journals = [Journal(database), Journal(other)]
    results = []

    def write(number):
        results.append(journals[number % 2].add_answer(answer(response=bytes([number + 1])), ask()))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert len(results) == 16
    assert len(set(results)) == 1


def test_kept__after_opening_again__with_the_ask_it_was_given_to(path):
    database = Database(path)
    Journal(database).add_answer(answer(), ask(until=1_000_100))
    database.close()
    database = Database(path)
    kept = Journal(database).answer(Place(ROUND, VERSION, 0))
    database.close()
    assert (kept.answer, kept.answer_until, kept.ask_signature) == (answer(), 1_000_100, ask(until=1_000_100).signature)


def test_unsettled__acknowledged_and_posted__leave(database):
    journal = Journal(database)
    for position in range(4):
        journal.add_answer(answer(position, bytes([position])), ask(position))
    journal.add_acks([Ack(Place(ROUND, VERSION, 1), answer(1, b"\x01").response_hash, b"s" * 65)])
    journal.add_post(Place(ROUND, VERSION, 2), b"")
    assert journal.unsettled(SEAT) == {0: answer(0, b"\x00").response_hash, 3: answer(3, b"\x03").response_hash}
    assert journal.counts(SEAT) == (4, 1, 1)


def test_add_acks__second__first_stays(database):
    journal = Journal(database)
    first = Ack(Place(ROUND, VERSION, 0), b"h" * 32, b"s" * 65)
    journal.add_acks([first])
    journal.add_acks([replace(first, signature=b"t" * 65)])
    assert database.rows("SELECT signature FROM acks") == [(b"s" * 65,)]


def test_catalogue__names_and_versions__read_back(database):
    catalogue = Catalogue(database)
    model = Model(b"m" * 32, "0xowner", "mine", b"s" * 32)
    made = Commitment(b"c" * 32, model.id, "v1", b"d" * 32, b"t" * 32)
    catalogue.add_model(model)
    catalogue.add_commitment(made)
    catalogue.add_version(b"v" * 32, made.commitment, "0xoperator")
    assert catalogue.model("0xowner", "mine") == model
    assert catalogue.model("0xother", "mine") is None
    assert catalogue.commitment(model.id, "v1", b"d" * 32) == made
    assert catalogue.commitment(model.id, "v2", b"d" * 32) is None
    assert catalogue.versions() == [(b"v" * 32, model.id, "mine", "v1", "0xoperator")]
    with pytest.raises(sqlite3.IntegrityError):
        catalogue.add_model(model._replace(id=b"n" * 32))


def test_writer__jobs_that_wait_together__one_transaction_in_which_each_fails_alone(database):
    journal = Journal(database)
    writer = Writer(database)
    started, go = threading.Event(), threading.Event()

    def first():
        started.set()
        go.wait(5)

    def half():
        journal.add_enrolment(SEAT, b"half")
        raise ZeroDivisionError

    async def crowd():
        blocker = asyncio.create_task(writer(first))
        await asyncio.to_thread(started.wait, 5)
        jobs = [writer(partial(journal.add_answer, answer(position), ask(position))) for position in range(10)]
        tasks = [asyncio.create_task(job) for job in [*jobs, writer(half)]]
        await asyncio.sleep(0.05)
        go.set()
        await blocker
        return await asyncio.gather(*tasks, return_exceptions=True)

    commits = []
    database._db.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
    *kept, failed = asyncio.run(crowd())
    writer.close()
    assert [entry.answer for entry in kept] == [answer(position) for position in range(10)]
    assert isinstance(failed, ZeroDivisionError)
    assert journal.seats() == []
    assert len(commits) == 2
    assert len(database.rows("SELECT * FROM answers")) == 10


def test_writer__closed_with_jobs_waiting__does_them_first(database):
    async def last():
        writer = Writer(database)
        task = asyncio.create_task(writer(partial(Journal(database).add_enrolment, SEAT, b"s")))
        await asyncio.sleep(0)
        writer.close()
        await task

    asyncio.run(last())
    assert Journal(database).seats() == [SEAT]
