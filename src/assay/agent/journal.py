"""The benchmarker's memory: one SQLite file that is written before anything is signed away, sent or paid for.

WAL, synchronous=FULL, mode 0600 in a folder of mode 0700, numbered migrations, append-only tables. What must never happen twice
is refused by the schema (see `schema.py`), not by the code above it.
"""

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from assay.agent.records import BundleRecord, Enrolment, RoundRecord, ScoreRecord, SetItem, SetRecord, TxRecord
from assay.agent.schema import MIGRATIONS, TABLES, append_only
from assay.encoding.hashing import uint
from assay.errors import BadInput, Fatal, Refused
from assay.types import Kind, ModelId, Node, RoundId, VersionId

APPLICATION_ID = 0x41535341
BUSY_MS = 10_000
ALONE = "wait until it is done, or stop it: what it signed is kept. Many rounds at once are run by: assay bench run"
OUTER = ("BEGIN IMMEDIATE", "COMMIT", ("ROLLBACK",))
INNER = ("SAVEPOINT part", "RELEASE part", ("ROLLBACK TO part", "RELEASE part"))


class Journal:
    """One open journal. Methods may be called from any thread, one at a time.

    Writes inside `transaction` are kept or lost together.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file and bring its schema up to date.

        Fatal for a journal of a later version or another program's file.
        """
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._lock = threading.RLock()
        self._leased = False
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        try:
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "foreign_keys=ON",
                "recursive_triggers=ON",
                "trusted_schema=OFF",
            ):
                self._db.execute(f"PRAGMA {pragma}")
        except sqlite3.DatabaseError:
            raise Fatal(f"{self.path} is no journal", "move it away, or name another --home") from None
        with self.transaction():
            version = _number(self.one("PRAGMA user_version"))
            if version and _number(self.one("PRAGMA application_id")) != APPLICATION_ID:
                raise Fatal(f"{self.path} is another program's file", "move it away, or name another --home")
            if version > len(MIGRATIONS):
                raise Fatal(f"the journal has schema {version}, this program knows {len(MIGRATIONS)}", "update assay")
            for number, migration in enumerate(MIGRATIONS[version:], version + 1):
                self._run(migration)
                self._run(f"PRAGMA user_version = {number}")
            if version < len(MIGRATIONS):
                self._run(f"PRAGMA application_id = {APPLICATION_ID};" + "".join(append_only(table) for table in TABLES))

    def _run(self, script: str) -> None:
        """Several statements inside the open transaction (`executescript` would commit it)."""
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

    @property
    def schema_version(self) -> int:
        """Number of migrations that this file has seen."""
        return _number(self.one("PRAGMA user_version"))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are on disk when it ends, or none of them is. Inside another one, it is a part of that one."""
        with self._lock:
            inner = self._db.in_transaction
            begin, commit, undo = INNER if inner else OUTER
            self._db.execute(begin)
            try:
                yield
                self._db.execute(commit)  # one that fails may leave the transaction open, and what follows would be a part of it
            except BaseException:
                if self._db.in_transaction:  # after some errors SQLite has undone it all by itself
                    for statement in undo:
                        self._db.execute(statement)
                raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process from running a step on this journal. Refused if one does. Free under our own lease."""
        if self._leased:
            yield
            return
        with os.fdopen(os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Refused("another process works on this journal", ALONE) from None
            yield

    @contextmanager
    def lease(self) -> Iterator[None]:
        """Be alone for as long as a daemon runs. Its threads may then work on different rounds side by side. Refused as above."""
        with self.alone():
            self._leased = True
            try:
                yield
            finally:
                self._leased = False

    def one(self, sql: str, values: Sequence[object] = ()) -> tuple[object, ...]:
        """The first row of a query; an empty tuple where there is none."""
        with self._lock:
            row: tuple[object, ...] | None = self._db.execute(sql, values).fetchone()
        return row or ()

    def all(self, sql: str, values: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]  # rows are typed where they are read
        """All rows of a query."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def add(self, table: str, *rows: Sequence[object]) -> None:
        """Append rows to a table, all columns given. sqlite3.IntegrityError where the schema forbids one."""
        if rows:
            marks = ",".join("?" * len(rows[0]))
            with self._lock:
                self._db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - names of our own tables

    # Sets

    def add_set(self, name: str, digest: bytes, items: Iterable[SetItem]) -> None:
        """Append a set with all its items. BadInput if the name is taken by another set; the same one again changes nothing."""
        with self.transaction():
            known = self.one("SELECT digest FROM sets WHERE name = ?", (name,))
            if known and known[0] != digest:
                raise BadInput(f"there is another set named {name}", "choose a new name; sets are never changed", where="--set")
            if known:
                return
            self.add("sets", (name, digest, time.time()))
            self.add(
                "items",
                *(
                    (name, i.ordinal, int(i.kind), i.prompt, i.reference, i.group, orjson.dumps(i.tags).decode(), i.prompt_hash)
                    for i in items
                ),
            )

    def sets(self) -> list[SetRecord]:
        """All sets, oldest first."""
        sql = """SELECT s.name, s.digest, SUM(i.kind = 0), SUM(i.kind = 1), s.imported_at
            FROM sets s JOIN items i ON i.set_name = s.name GROUP BY s.name ORDER BY s.imported_at, s.rowid"""
        return [SetRecord(*row) for row in self.all(sql)]

    def set_items(self, name: str) -> list[SetItem]:
        """Items of a set in the order of the source; empty for an unknown set."""
        sql = (
            "SELECT ordinal, kind, prompt, reference, doc_group, tags, prompt_hash FROM items WHERE set_name = ? ORDER BY ordinal"
        )
        return [SetItem(o, Kind(k), p, r, g, tuple(orjson.loads(t)), h) for o, k, p, r, g, t, h in self.all(sql, (name,))]

    # Rounds

    def add_round(self, record: RoundRecord, placed: Sequence[SetItem]) -> None:
        """Append a round with its items in the order of their positions. The same round again changes nothing."""
        with self.transaction():
            if self.round(record.round) is not None:
                return
            r = record
            facts = (r.set_name, r.chain_id, r.rounds_contract, r.benchmarker, r.operator, r.task, r.description, r.nonce)
            self.add("rounds", (r.round, *facts, r.set_root, r.items, r.card, r.journaled_at))
            self.add("positions", *((r.round, p, r.set_name, item.ordinal, item.prompt_hash) for p, item in enumerate(placed)))

    def round(self, round_: RoundId) -> RoundRecord | None:
        """A round of this journal."""
        found = self._rounds("WHERE round = ?", (round_,))
        return found[0] if found else None

    def rounds(self) -> list[RoundRecord]:
        """All rounds, oldest first."""
        return self._rounds("", ())

    def _rounds(self, where: str, values: Sequence[object]) -> list[RoundRecord]:
        rows = self.all(f"SELECT * FROM rounds {where} ORDER BY journaled_at, rowid", values)  # noqa: S608 - our own text
        return [_round_of(row) for row in rows]

    def placed_items(self, round_: RoundId) -> list[SetItem]:
        """Items of a round, one a position, in their order."""
        sql = """SELECT i.ordinal, kind, prompt, reference, doc_group, tags, i.prompt_hash FROM positions p
            JOIN items i ON i.set_name = p.set_name AND i.ordinal = p.ordinal WHERE p.round = ? ORDER BY p.position"""
        return [SetItem(o, Kind(k), p, r, g, tuple(orjson.loads(t)), h) for o, k, p, r, g, t, h in self.all(sql, (round_,))]

    def rounds_with_prompts_of(self, set_name: str) -> list[tuple[RoundId, int, bytes]]:
        """Every round that holds a prompt which is Scored in this set: round, how many such prompts, one of them."""
        sql = """SELECT p.round, COUNT(*), MIN(i.prompt) FROM items i JOIN positions p ON p.prompt_hash = i.prompt_hash
            WHERE i.set_name = ? AND i.kind = 0 GROUP BY p.round"""
        return [(RoundId(r), n, prompt) for r, n, prompt in self.all(sql, (set_name,))]

    # Transactions

    def add_transaction(self, round_: RoundId | None, step: str, tx: TxRecord) -> None:
        """Append a signed transaction, before it is sent. The same one again changes nothing."""
        with self.transaction():
            if not self.one("SELECT 1 FROM transactions WHERE hash = ?", (tx.hash,)):
                self.add("transactions", (tx.hash, round_, step, tx.what, tx.nonce, tx.raw, time.time()))

    def transactions(self, round_: RoundId, step: str) -> list[TxRecord]:
        """Transactions that were signed for a step of a round, oldest first."""
        sql = "SELECT hash, raw, nonce, what FROM transactions WHERE round = ? AND step = ? ORDER BY rowid"
        return [TxRecord(*row) for row in self.all(sql, (round_, step))]

    # Enrolments

    def add_enrolment(self, enrolment: Enrolment) -> None:
        """Append a provider's consent, or the new address of its gateway if it moved."""
        e = enrolment
        with self.transaction():
            if not self.one("SELECT 1 FROM enrolments WHERE round = ? AND version = ?", (e.round, e.version)):
                self.add("enrolments", (e.round, e.version, e.model, e.operator, e.signature, time.time()))
            known = self.one("SELECT url FROM gateways WHERE round = ? AND version = ? ORDER BY id DESC", (e.round, e.version))
            if known != (e.url,):
                self.add("gateways", (None, e.round, e.version, e.url))

    def enrolments(self, round_: RoundId) -> list[Enrolment]:
        """All consents for a round, oldest first, with the latest address of each gateway."""
        sql = """SELECT round, version, model, operator, signature,
            (SELECT url FROM gateways g WHERE g.round = e.round AND g.version = e.version ORDER BY id DESC LIMIT 1)
            FROM enrolments e WHERE round = ? ORDER BY rowid"""
        return [Enrolment(RoundId(r), VersionId(v), ModelId(m), *rest) for r, v, m, *rest in self.all(sql, (round_,))]

    # Scores and bundles

    def add_scores(self, round_: RoundId, scores: Sequence[ScoreRecord]) -> None:
        """Append roots of score trees; a root that is known already is not repeated."""
        with self.transaction():
            for s in scores:
                latest = self.scores(round_).get(s.version)
                if latest is None or latest.root.hash != s.root.hash:
                    sums = b"".join(uint(word) for word in s.root.sums)
                    self.add("scores", (None, round_, s.version, s.root.hash, sums, s.block_number, s.block_hash, time.time()))

    def scores(self, round_: RoundId) -> dict[VersionId, ScoreRecord]:
        """The latest root of each version."""
        sql = "SELECT version, root_hash, sums, block_number, block_hash FROM scores WHERE round = ? ORDER BY id"
        return {
            VersionId(v): ScoreRecord(VersionId(v), Node(h, _words(sums)), number, block)
            for v, h, sums, number, block in self.all(sql, (round_,))
        }

    def add_bundle(self, round_: RoundId, bundle: BundleRecord) -> None:
        """Append a bundle; the same one again changes nothing."""
        with self.transaction():
            if bundle not in self.bundles(round_):
                self.add("bundles", (None, round_, bundle.cid, bundle.digest, time.time()))

    def bundles(self, round_: RoundId) -> list[BundleRecord]:
        """Bundles that were made of a round, oldest first."""
        return [BundleRecord(*row) for row in self.all("SELECT cid, digest FROM bundles WHERE round = ? ORDER BY id", (round_,))]

    def add_publication(self, round_: RoundId, cid: str, node: str) -> None:
        """Remember that an IPFS node pins a bundle."""
        self.add("publications", (round_, cid, node, time.time()))

    def publications(self, round_: RoundId, cid: str | None = None) -> set[str]:
        """Addresses of the IPFS nodes that pin a bundle of a round: this one, or any."""
        rows = self.all("SELECT node FROM publications WHERE round = ? AND cid = coalesce(?, cid)", (round_, cid))
        return {row[0] for row in rows}


def _round_of(row: Sequence[Any]) -> RoundRecord:
    return RoundRecord(*row)


def _number(row: tuple[object, ...]) -> int:
    return int(str(row[0]))


def _words(raw: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(raw[at : at + 32], "big") for at in range(0, len(raw), 32))
