"""The journal's half about exchanges: Asks, Answers, Acks, their delivery, and contradictions."""

import time
from collections.abc import Sequence
from enum import Enum

from assay.agent.journal import Journal
from assay.agent.records import Ack, Answer, Ask, Contradiction, Exchange
from assay.types import RoundId, VersionId


class Kept(Enum):
    """What became of an answer that was put before the journal."""

    NEW = "new"
    SAME = "same"
    CONTRADICTION = "contradiction"


def add_asks(journal: Journal, asks: Sequence[Ask]) -> None:
    """Append signed questions in one commit, before the first of them is sent.

    sqlite3.IntegrityError if one is not later than an earlier one at its place, or carries another prompt than the sealed one.
    """
    with journal.transaction():
        journal.add(
            "asks", *((a.round, a.version, a.position, a.answer_until, a.prompt_hash, a.signature, a.asked_at) for a in asks)
        )


def add_answers(journal: Journal, answers: Sequence[tuple[Answer, Ack]]) -> list[Kept]:
    """Append answers with their acknowledgements in one commit, before the first Ack is sent.

    An answer that differs from the one that stands is kept as a contradiction, and its Ack is not kept: it must not be sent.
    """
    with journal.transaction():
        return [_add_answer(journal, answer, ack) for answer, ack in answers]


def _add_answer(journal: Journal, answer: Answer, ack: Ack) -> Kept:
    place = (answer.round, answer.version, answer.position)
    known = journal.one("SELECT response_hash FROM answers WHERE round = ? AND version = ? AND position = ?", place)
    if known and known[0] == answer.response_hash:
        return Kept.SAME
    if known:
        _add_contradiction(
            journal, Contradiction(*place, answer.response, answer.response_hash, answer.signature, source="gateway")
        )
        return Kept.CONTRADICTION
    journal.add(
        "answers",
        (
            *place,
            answer.answer_until,
            answer.response,
            answer.response_hash,
            answer.signature,
            answer.answered_at,
            answer.latency_ms,
        ),
    )
    journal.add("acks", (*place, ack.response_hash, ack.signature, time.time()))
    return Kept.NEW


def add_contradiction(journal: Journal, contradiction: Contradiction) -> None:
    """Keep a second, different Answer as evidence; the same one again changes nothing."""
    with journal.transaction():
        _add_contradiction(journal, contradiction)


def _add_contradiction(journal: Journal, c: Contradiction) -> None:
    place = (c.round, c.version, c.position)
    sql = "SELECT 1 FROM contradictions WHERE round = ? AND version = ? AND position = ? AND response_hash = ?"
    if not journal.one(sql, (*place, c.response_hash)):
        journal.add("contradictions", (*place, c.response, c.response_hash, c.signature, c.source, time.time()))


def contradictions(journal: Journal, round_: RoundId) -> list[Contradiction]:
    """All evidence against providers of a round."""
    sql = "SELECT round, version, position, response, response_hash, signature, source FROM contradictions WHERE round = ?"
    return [Contradiction(*row) for row in journal.all(sql + " ORDER BY rowid", (round_,))]


def add_deliveries(journal: Journal, acks: Sequence[Ack]) -> None:
    """Note that gateways have these acknowledgements."""
    with journal.transaction():
        for a in acks:
            place = (a.round, a.version, a.position)
            if not journal.one("SELECT 1 FROM deliveries WHERE round = ? AND version = ? AND position = ?", place):
                journal.add("deliveries", (*place, time.time()))


def undelivered(journal: Journal, round_: RoundId) -> list[Ack]:
    """Acknowledgements that no gateway has confirmed, as they were signed."""
    sql = """SELECT a.round, a.version, a.position, a.response_hash, a.signature FROM acks a LEFT JOIN deliveries d
        USING (round, version, position) WHERE a.round = ? AND d.delivered_at IS NULL ORDER BY a.version, a.position"""
    return [Ack(*row) for row in journal.all(sql, (round_,))]


def answered(journal: Journal, round_: RoundId) -> set[tuple[VersionId, int]]:
    """Places that have their answer."""
    return {(VersionId(v), p) for v, p in journal.all("SELECT version, position FROM answers WHERE round = ?", (round_,))}


def last_asks(journal: Journal, round_: RoundId) -> dict[tuple[VersionId, int], Ask]:
    """The latest Ask of every place that was asked."""
    sql = """SELECT round, version, position, answer_until, prompt_hash, signature, asked_at FROM asks WHERE round = ?
        ORDER BY answer_until"""
    return {(ask.version, ask.position): ask for ask in (Ask(*row) for row in journal.all(sql, (round_,)))}


def exchanges(journal: Journal, round_: RoundId, version: VersionId) -> dict[int, Exchange]:
    """What passed with a version, by position. An answered place shows the Ask that was answered."""
    places = (round_, version)
    sql = """SELECT round, version, position, answer_until, prompt_hash, signature, asked_at FROM asks
        WHERE round = ? AND version = ? ORDER BY answer_until"""
    all_asks = [Ask(*row) for row in journal.all(sql, places)]
    answers = {row[2]: Answer(*row) for row in journal.all("SELECT * FROM answers WHERE round = ? AND version = ?", places)}
    acks = {row[2]: Ack(*row[:5]) for row in journal.all("SELECT * FROM acks WHERE round = ? AND version = ?", places)}
    latest = {
        ask.position: ask
        for ask in all_asks
        if ask.position not in answers or answers[ask.position].answer_until == ask.answer_until
    }
    return {p: Exchange(latest.get(p), answers.get(p), acks.get(p)) for p in latest.keys() | answers.keys()}
