"""The gateway's file: SQLite, mode 0600, write-ahead log with a full sync at every commit.

Rows are added and never changed; triggers see to that. Safe to use from several threads and from several processes.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.errors import BadInput

BUSY_SECONDS = 10.0

_FIRST = """
CREATE TABLE enrolments (round BLOB, version BLOB, signature BLOB NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (round, version)) WITHOUT ROWID;
CREATE TABLE asks (round BLOB, version BLOB, position INTEGER, prompt_hash BLOB, answer_until INTEGER, signature BLOB NOT NULL,
  at REAL NOT NULL, PRIMARY KEY (round, version, position, prompt_hash, answer_until)) WITHOUT ROWID;
CREATE TABLE answers (round BLOB, version BLOB, position INTEGER, prompt_hash BLOB NOT NULL, response BLOB NOT NULL,
  signature BLOB NOT NULL, answer_until INTEGER NOT NULL, ask_signature BLOB NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (round, version, position));
CREATE TABLE acks (round BLOB, version BLOB, position INTEGER, response_hash BLOB NOT NULL, signature BLOB NOT NULL,
  at REAL NOT NULL, PRIMARY KEY (round, version, position)) WITHOUT ROWID;
CREATE TABLE posts (round BLOB, version BLOB, position INTEGER, tx_hash BLOB NOT NULL, at REAL NOT NULL,
  PRIMARY KEY (round, version, position, tx_hash)) WITHOUT ROWID;
CREATE TABLE models (model BLOB PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, salt BLOB NOT NULL, at REAL NOT NULL,
  UNIQUE (owner, name));
CREATE TABLE commitments (commitment BLOB PRIMARY KEY, model BLOB NOT NULL, label TEXT NOT NULL, artifact_digest BLOB NOT NULL,
  salt BLOB NOT NULL, at REAL NOT NULL, UNIQUE (model, label, artifact_digest));
CREATE TABLE versions (version BLOB PRIMARY KEY, commitment BLOB NOT NULL, operator TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE transactions (tx_hash BLOB PRIMARY KEY, purpose BLOB NOT NULL, raw BLOB NOT NULL, nonce INTEGER NOT NULL,
  what TEXT NOT NULL, at REAL NOT NULL);
"""
_TABLES = ("enrolments", "asks", "answers", "acks", "posts", "models", "commitments", "versions", "transactions")
_CALLS = """
CREATE TABLE calls (round BLOB NOT NULL, version BLOB NOT NULL, position INTEGER NOT NULL, method TEXT NOT NULL,
  url TEXT NOT NULL, body BLOB NOT NULL, failure TEXT NOT NULL, attempts INTEGER NOT NULL, seconds REAL NOT NULL,
  at REAL NOT NULL);
CREATE INDEX calls_of_a_place ON calls (round, version, position);
"""


def _append_only(tables: Sequence[str]) -> str:
    return "".join(
        f"CREATE TRIGGER {name}_{verb.lower()} BEFORE {verb} ON {name} BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END;\n"
        for name in tables
        for verb in ("UPDATE", "DELETE")
    )


MIGRATIONS: Sequence[str] = (_FIRST + _append_only(_TABLES), _CALLS + _append_only(("calls",)))
"""Numbered from one; `user_version` of the file says how many it has had."""

_OUTER = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
_INNER = ("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


class Database:
    """One open file. Close it when done."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it with mode 0600. BadInput if it is not one that this program can read."""
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._write_lock, self._read_lock = threading.RLock(), threading.Lock()
        self._db = _connect(path)
        self._reader = _connect(path)  # its reads never wait for a sync
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._migrate(path)
        except sqlite3.DatabaseError as error:
            self.close()
            raise BadInput(f"the journal does not open: {error}", "restore it from its backup", where=str(path)) from None
        except BadInput:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is on disk afterwards, or nothing. Inside another one, a part of it that fails alone."""
        with self._write_lock:
            begin, commit, undo = _INNER if self._db.in_transaction else _OUTER
            self._db.execute(begin)
            try:
                yield self._db
                self._db.execute(commit)  # one that fails may leave the transaction open, and what follows would be a part of it
            except BaseException:
                if self._db.in_transaction:  # after some errors SQLite has undone it all by itself
                    for statement in undo:
                        self._db.execute(statement)
                raise

    def rows(self, query: str, *values: object) -> list[Any]:
        """All rows of a query over what is committed."""
        with self._read_lock:
            return self._reader.execute(query, values).fetchall()

    def _migrate(self, path: Path) -> None:
        with self.writing() as db:
            had = int(db.execute("PRAGMA user_version").fetchone()[0])
            if had > len(MIGRATIONS):
                raise BadInput("a newer program wrote this journal", "use that program", where=str(path))
            for number, script in enumerate(MIGRATIONS[had:], had + 1):
                for statement in _statements(script):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {number:d}")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit in the middle of a migration."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
