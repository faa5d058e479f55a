"""What was sent to remote models for which place, in the journal's file: append-only, and bounded a place."""

import time
from typing import NamedTuple

from assay.gateway.database import Database
from assay.gateway.messages import Place
from assay.gateway.upstreams.remote import Exchange

MAX_CALLS_A_PLACE = 32
"""Calls of one place that are kept: a bound to what one signer can make us write."""


class Call(NamedTuple):
    """A call as it is kept: headers are never part of it."""

    method: str
    url: str
    body: bytes
    failure: str
    seconds: float


class Calls:
    """The calls of a gateway."""

    def __init__(self, database: Database) -> None:
        """Over an open file."""
        self._database = database

    def add(self, place: Place, done: Exchange) -> None:
        """Keep what was sent and how it ended, unless the place has its share already."""
        if done.request is None:
            return
        method, url, body, _ = done.request.shown
        row = (*place, method, url, body or b"", done.failure, done.attempts, done.seconds, time.time())
        with self._database.writing() as db:
            kept = db.execute("SELECT count(*) FROM calls WHERE round=? AND version=? AND position=?", place).fetchone()[0]
            if kept < MAX_CALLS_A_PLACE:
                db.execute("INSERT INTO calls VALUES (?,?,?,?,?,?,?,?,?,?)", row)

    def of(self, place: Place) -> list[Call]:
        """The calls of a place, oldest first."""
        query = "SELECT method, url, body, failure, seconds FROM calls WHERE round=? AND version=? AND position=? ORDER BY rowid"
        return [Call(*row) for row in self._database.rows(query, *place)]
