"""The watchtower's memory: one SQLite file for each key, written before anything is signed or sent, and never changed afterwards.

Mode 0600 in a folder of mode 0700, write-ahead log with a full sync at every commit. Whoever works on it holds its lock.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from assay.chain.transactions import SignedTx
from assay.errors import BadInput, Refused
from assay.types import Address, Phase, RoundId, TaskId, VersionId
from assay.watch.records import Act, Audit, Found, Known, Sighting, Spent
from assay.watch.schema import MIGRATIONS, TABLES, append_only

__all__ = ["DAY", "Journal"]

APPLICATION_ID = 0x41575443
BUSY_SECONDS = 10.0
DAY = 86_400
NOWHERE = -1
_ACTS = """SELECT a.id, a.kind, a.round, a.version, a.position, a.reward, a.locks, a.block, a.at,
    COALESCE(o.state, 'open'), COALESCE(o.fee, '0'), COALESCE(o.block, -1) FROM acts a LEFT JOIN outcomes o ON o.act = a.id"""


class Journal:
    """One open journal. Methods may be called from any thread."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and bring its schema up to date. BadInput where it is another program's or a later one's."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self.path, self._lock = path, threading.RLock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise BadInput(f"the journal does not open: {error}", "restore it, or name another --home", where=str(path)) from None
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "trusted_schema=OFF"):
            self._db.execute(f"PRAGMA {pragma}")
        with self.transaction():
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            (owner,) = self._db.execute("PRAGMA application_id").fetchone()
            if (version and owner != APPLICATION_ID) or version > len(MIGRATIONS):
                raise BadInput("another program, or a newer one, wrote this journal", "use that program", where=str(self.path))
            for number, script in enumerate(MIGRATIONS[version:], version + 1):
                self._run(script)
                self._db.execute(f"PRAGMA user_version = {number}")
            if version < len(MIGRATIONS):
                self._run("".join(append_only(table) for table in TABLES))
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _run(self, script: str) -> None:
        statement = ""
        for part in script.split(";"):
            statement += part + ";"
            if sqlite3.complete_statement(statement):
                self._db.execute(statement)
                statement = ""

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Keep every other watchtower of this key away for as long as this one runs. Refused if there is one."""
        with os.fdopen(os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Refused("another watchtower runs with this key", "stop it, or use another key") from None
            yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are on disk when it ends, or none is. Inside another one, it is a part of that one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]  # rows are typed where they are read
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def add(self, table: str, *rows: Sequence[object], ignore: bool = False) -> int:
        """Append rows, all columns given; the id of the last. With `ignore`, those that are there already are left out."""
        if not rows:
            return 0
        marks, verb = ",".join("?" * len(rows[0])), "INSERT OR IGNORE" if ignore else "INSERT"
        with self.transaction():
            for row in rows:
                last = self._db.execute(f"{verb} INTO {table} VALUES ({marks})", row).lastrowid
        return last or 0

    # Facts and rounds

    def fact(self, name: str, value: str) -> str:
        """The value kept under a name: this one, unless there was another before."""
        self.add("facts", (name, value), ignore=True)
        return str(self.rows("SELECT value FROM facts WHERE name = ?", name)[0][0])

    def scanned(self) -> int | None:
        """The last final block up to which rounds were sought."""
        return next((block for (block,) in self.rows("SELECT block FROM scans ORDER BY id DESC LIMIT 1")), None)

    def add_rounds(self, rounds: Iterable[Known], to_block: int) -> None:
        """Keep the rounds sealed up to a final block."""
        with self.transaction():
            self.add("rounds", *((r.round, r.benchmarker, r.task, r.block) for r in rounds), ignore=True)
            if self.scanned() != to_block:
                self.add("scans", (None, to_block))

    def rounds(self, *, closed: bool = False) -> list[Known]:
        """Rounds in the order of their seals: those to be followed, or all."""
        where = "" if closed else "WHERE round NOT IN (SELECT round FROM closed)"
        found = self.rows(f"SELECT round, benchmarker, task, block FROM rounds {where} ORDER BY block, rowid")  # noqa: S608
        return [Known(RoundId(round_), Address(who), TaskId(task), block) for round_, who, task, block in found]

    def close_round(self, round_: RoundId, phase: Phase, at: int) -> None:
        """Nothing more can come of a round."""
        self.add("closed", (round_, phase.name.lower(), at), ignore=True)

    def closed(self) -> dict[RoundId, Phase]:
        """Rounds of which nothing more can come, with the phase that they keep."""
        return {RoundId(round_): Phase[phase.upper()] for round_, phase in self.rows("SELECT round, phase FROM closed")}

    # Audits

    def add_audit(self, audit: Audit, at: int) -> None:
        """Keep an audit; the latest of a round counts."""
        row = (audit.round, audit.evidence, audit.block, audit.exit_code, int(audit.served), _record(audit), at)
        self.add("audits", (None, *row))

    def audit(self, round_: RoundId) -> Audit | None:
        """The latest audit of a round."""
        query = "SELECT round, evidence, block, served, exit_code, record FROM audits WHERE round = ? ORDER BY id DESC LIMIT 1"
        return next((_audit(row) for row in self.rows(query, round_)), None)

    def audits(self) -> list[Audit]:
        """The latest audit of each round."""
        query = """SELECT round, evidence, block, served, exit_code, record FROM audits
            WHERE id IN (SELECT MAX(id) FROM audits GROUP BY round) ORDER BY id"""
        return [_audit(row) for row in self.rows(query)]

    # Acts and money

    def begin(self, act: Act, reserve: int) -> int:
        """Keep what will be done, and set its money aside; its number."""
        with self.transaction():
            row = (act.kind, act.round, act.version, act.position, str(act.reward), str(act.locks), act.block, act.at)
            number = self.add("acts", (None, *row))
            self.add("ledger", (None, number, str(reserve), "reserved", act.at))
        return number

    def add_transaction(self, act: int, tx: SignedTx, at: int, reserve: int = 0) -> None:
        """Keep a signed transaction before it is sent, and set aside `reserve` wei at least for its act. Again is harmless."""
        with self.transaction():
            self.add("transactions", (tx.hash, act, tx.raw, tx.nonce, tx.what, at), ignore=True)
            if (more := reserve - self.reserved(act)) > 0:
                self.add("ledger", (None, act, str(more), "reserved", at))

    def reserved(self, act: int) -> int:
        """Wei that count as spent for an act."""
        return sum(int(wei) for (wei,) in self.rows("SELECT wei FROM ledger WHERE act = ?", act))

    def transactions(self, act: int) -> list[SignedTx]:
        """Transactions signed for an act, oldest first."""
        query = "SELECT hash, raw, nonce, what FROM transactions WHERE act = ? ORDER BY rowid"
        return [SignedTx(*row) for row in self.rows(query, act)]

    def finish(
        self, act: int, state: str, at: int, *, tx: bytes = b"", block: int = NOWHERE, fee: int = 0, locked: int = 0
    ) -> None:
        """Keep how an act ended, and put right in the ledger what was set aside for it."""
        with self.transaction():
            if self.rows("SELECT 1 FROM outcomes WHERE act = ?", act):
                return
            self.add("outcomes", (act, state, tx, block, str(fee), at))
            self.add("ledger", (None, act, str(fee + locked - self.reserved(act)), state, at))

    def acts(self, *, open_only: bool = False) -> list[Act]:
        """Acts in their order."""
        where = " WHERE o.act IS NULL" if open_only else ""
        rows = self.rows(f"{_ACTS}{where} ORDER BY a.id")
        return [
            Act(i, k, RoundId(r), v, p, int(w), int(lk), b, at, s, int(f), m) for i, k, r, v, p, w, lk, b, at, s, f, m in rows
        ]

    def spent(self, now: int) -> Spent:
        """What was spent or set aside: in the day before `now`, and ever."""
        ever = sum(int(wei) for (wei,) in self.rows("SELECT wei FROM ledger"))
        query = "SELECT wei FROM ledger WHERE act IN (SELECT id FROM acts WHERE at > ?)"
        return Spent(sum(int(wei) for (wei,) in self.rows(query, now - DAY)), ever)

    # Sightings

    def add_sightings(self, sightings: Iterable[Sighting], at: int) -> None:
        """Keep prompts that were seen before."""
        self.add("sightings", *((None, *sighting, at) for sighting in sightings), ignore=True)

    def sightings(self, round_: RoundId | None = None) -> list[Sighting]:
        """Prompts that were seen before, of one round or of all."""
        where, values = ("WHERE round = ?", (round_,)) if round_ else ("", ())
        rows = self.rows(f"SELECT round, position, kind, source, place, similarity FROM sightings {where} ORDER BY id", *values)  # noqa: S608
        return [Sighting(RoundId(r), *rest) for r, *rest in rows]


def _record(audit: Audit) -> str:
    found = [
        [f.kind, f.version.hex() if f.version else None, f.position, f.other.hex() if f.other else None] for f in audit.found
    ]
    shut = {version.hex(): why for version, why in audit.shut.items()}
    return orjson.dumps(
        {"bundle": audit.bundle.hex(), "early": audit.early, "failed": list(audit.failed), "found": found, "shut": shut}
    ).decode()


def _audit(row: Sequence[Any]) -> Audit:
    round_, evidence, block, served, exit_code, record = row
    body = orjson.loads(record)
    found = tuple(
        Found(kind, VersionId(bytes.fromhex(v)) if v else None, position, RoundId(bytes.fromhex(o)) if o else None)
        for kind, v, position, o in body["found"]
    )
    shut = {VersionId(bytes.fromhex(version)): why for version, why in body["shut"].items()}
    failed = tuple(body["failed"])
    of = bytes.fromhex(body["bundle"])
    return Audit(RoundId(round_), evidence, block, bool(served), exit_code, of, body["early"], failed, found, shut)
