"""What the gateway must never forget of rounds: consents, questions, answers, acknowledgements and posts.

What a method returned from is on disk. There is at most one answer a place, so a second, different one cannot be kept, and what
is not kept is not sent.
"""

import sqlite3
import time
from collections.abc import Iterable
from typing import NamedTuple

from assay.encoding.hashing import keccak
from assay.gateway.database import Database
from assay.gateway.messages import Ack, Answer, Ask, Place, Seat
from assay.types import RoundId, VersionId

MAX_ASKS_A_PLACE = 32
"""Questions of one place that are kept: evidence of two different prompts, and a bound to what one signer can make us write."""

_ANSWER = """SELECT prompt_hash, response, signature, answer_until, ask_signature FROM answers
  WHERE round=? AND version=? AND position=?"""
_UNSETTLED = """SELECT position, response FROM answers WHERE round=? AND version=? AND position NOT IN
  (SELECT position FROM acks WHERE round=? AND version=? UNION SELECT position FROM posts WHERE round=? AND version=?)"""

_COUNT = (
    "SELECT count(*) FROM answers WHERE round=? AND version=?",
    "SELECT count(*) FROM acks WHERE round=? AND version=?",
    "SELECT count(DISTINCT position) FROM posts WHERE round=? AND version=?",
)


class Kept(NamedTuple):
    """An answer as it is kept, with the Ask that it was first given to."""

    answer: Answer
    answer_until: int
    ask_signature: bytes


class KeptAsk(NamedTuple):
    """A question as it is kept: without its text."""

    place: Place
    prompt_hash: bytes
    answer_until: int
    signature: bytes


class Counts(NamedTuple):
    """How far a seat has come."""

    answers: int
    acks: int
    posts: int


class Journal:
    """The gateway's memory of rounds."""

    def __init__(self, database: Database) -> None:
        """Over an open file."""
        self.database = database

    def add_enrolment(self, seat: Seat, signature: bytes) -> None:
        """Keep a consent before it is sent; the same again is harmless."""
        with self.database.writing() as db:
            db.execute("INSERT OR IGNORE INTO enrolments VALUES (?,?,?,?)", (*seat, signature, time.time()))

    def seats(self) -> list[Seat]:
        """All seats that were consented to, oldest first."""
        rows = self.database.rows("SELECT round, version FROM enrolments ORDER BY at")
        return [Seat(RoundId(round_), VersionId(version)) for round_, version in rows]

    def receive(self, ask: Ask, acks: Iterable[Ack]) -> None:
        """Keep a question and the acknowledgements that came with it."""
        now, place = time.time(), ask.place
        row = (*place, ask.prompt_hash, ask.answer_until, ask.signature, now)
        with self.database.writing() as db:
            _put_acks(db, acks, now)
            asked = db.execute("SELECT count(*) FROM asks WHERE round=? AND version=? AND position=?", place).fetchone()[0]
            if asked < MAX_ASKS_A_PLACE:
                db.execute("INSERT OR IGNORE INTO asks VALUES (?,?,?,?,?,?,?)", row)

    def add_answer(self, answer: Answer, ask: Ask, acks: Iterable[Ack] = ()) -> Kept:
        """Keep an answer before it is sent, with what it was given to; what its place holds from now on.

        That is another answer if another came first.
        """
        place = answer.place
        row = (*place, answer.prompt_hash, answer.response, answer.signature, ask.answer_until, ask.signature, time.time())
        with self.database.writing() as db:
            self.receive(ask, acks)
            db.execute("INSERT OR IGNORE INTO answers VALUES (?,?,?,?,?,?,?,?,?)", row)
            kept = _kept(place, db.execute(_ANSWER, place).fetchone())
        if kept is None:  # pragma: no cover - the row was just written
            raise RuntimeError("an answer was not kept")
        return kept

    def answer(self, place: Place) -> Kept | None:
        """The answer of a place, or None."""
        rows = self.database.rows(_ANSWER, *place)
        return _kept(place, rows[0] if rows else None)

    def asks(self, round_: RoundId) -> list[KeptAsk]:
        """All questions of a round, by version and position."""
        query = "SELECT version, position, prompt_hash, answer_until, signature FROM asks WHERE round=? ORDER BY 1, 2, at"
        return [KeptAsk(Place(round_, VersionId(v), p), *rest) for v, p, *rest in self.database.rows(query, round_)]

    def answers(self, round_: RoundId) -> list[Answer]:
        """All answers of a round, by version and position."""
        query = "SELECT version, position, prompt_hash, response, signature FROM answers WHERE round=? ORDER BY 1, 2"
        return [Answer(Place(round_, VersionId(v), p), *rest) for v, p, *rest in self.database.rows(query, round_)]

    def acks(self, round_: RoundId) -> list[Ack]:
        """All acknowledgements of a round, by version and position."""
        query = "SELECT version, position, response_hash, signature FROM acks WHERE round=? ORDER BY 1, 2"
        return [Ack(Place(round_, VersionId(v), p), *rest) for v, p, *rest in self.database.rows(query, round_)]

    def add_acks(self, acks: Iterable[Ack]) -> None:
        """Keep acknowledgements; the first of a place stays."""
        with self.database.writing() as db:
            _put_acks(db, acks, time.time())

    def add_post(self, place: Place, tx_hash: bytes) -> None:
        """Keep that the answer of a place is on chain; `tx_hash` is empty where somebody else posted it."""
        with self.database.writing() as db:
            db.execute("INSERT OR IGNORE INTO posts VALUES (?,?,?,?,?)", (*place, tx_hash, time.time()))

    def unsettled(self, seat: Seat) -> dict[int, bytes]:
        """Positions whose answer was neither acknowledged nor posted, with the hash of the response."""
        return {position: keccak(response) for position, response in self.database.rows(_UNSETTLED, *(seat * 3))}

    def counts(self, seat: Seat) -> Counts:
        """How many answers, acknowledgements and posts a seat has."""
        return Counts(*(self.database.rows(query, *seat)[0][0] for query in _COUNT))


def _put_acks(db: sqlite3.Connection, acks: Iterable[Ack], now: float) -> None:
    rows = [(*ack.place, ack.response_hash, ack.signature, now) for ack in acks]
    db.executemany("INSERT OR IGNORE INTO acks VALUES (?,?,?,?,?,?)", rows)


def _kept(place: Place, row: tuple[bytes, bytes, bytes, int, bytes] | None) -> Kept | None:
    return Kept(Answer(place, row[0], row[1], row[2]), row[3], row[4]) if row else None
