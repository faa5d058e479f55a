"""Everything that was ever signed about a place of a round, wherever it was found: on the wire, in journals, in the bundle."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.encoding.hashing import keccak
from crash import ground
from crash.play import Played
from crash.relay import Talk, messages

Place = tuple[str, str, int]


@dataclass
class Signed:
    """Everything signed for one place, by whom it was found."""

    prompts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    asks: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    answers: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    acks: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))


def places_of(played: Played) -> dict[Place, Signed]:
    """Asks, Answers and Acks from the wire, from the agent's journal, from the gateways' journals and from the chain."""
    places: dict[Place, Signed] = defaultdict(Signed)
    for relay in played.relays.values():
        for talk in relay.talks:
            _from_wire(talk, places)
    _from_agent(played.folder / ground.EXAMINER / "bench.sqlite", places)
    for name in ground.PROVIDERS:
        _from_gateway(played.folder / name / "gateway.sqlite", places)
    return places


def _from_wire(talk: Talk, places: dict[Place, Signed]) -> None:
    for line, body in messages(bytes(talk.up)):
        for ack in body.get("acks", ()):
            places[_place(ack)].acks[ack["response_hash"], ack["signature"]].add("wire")
        if b"/v1/ask" in line:
            signed = places[_place(body)]
            signed.prompts[hexed(keccak(body["prompt"].encode()))].add("wire")
            signed.asks[body["answer_until"]].add(body["signature"])
    for line, body in messages(bytes(talk.down)):
        if b" 200" in line and "prompt_hash" in body:
            signed = places[_place(body)]
            signed.prompts[body["prompt_hash"]].add("wire, answered")
            signed.answers[hexed(keccak(body["response"].encode())), body["signature"]].add("wire")


def _from_agent(path: Path, places: dict[Place, Signed]) -> None:
    for round_, version, position, until, prompt, signature in rows(
        path, "SELECT round, version, position, answer_until, prompt_hash, signature FROM asks"
    ):
        signed = places[hexed(round_), hexed(version), position]
        signed.prompts[hexed(prompt)].add("agent")
        signed.asks[until].add(hexed(signature))
    for table in ("answers", "acks"):
        for round_, version, position, response, signature in rows(
            path,
            f"SELECT round, version, position, response_hash, signature FROM {table}",  # noqa: S608 - names of tables
        ):
            getattr(places[hexed(round_), hexed(version), position], table)[hexed(response), hexed(signature)].add("agent")
    for (count,) in rows(path, "SELECT COUNT(*) FROM contradictions"):
        if count:
            raise AssertionError(f"the agent kept {count} contradictions")


def _from_gateway(path: Path, places: dict[Place, Signed]) -> None:
    for round_, version, position, until, prompt, signature in rows(
        path, "SELECT round, version, position, answer_until, prompt_hash, signature FROM asks"
    ):
        signed = places[hexed(round_), hexed(version), position]
        signed.prompts[hexed(prompt)].add("gateway")
        signed.asks[until].add(hexed(signature))
    for round_, version, position, prompt, response, signature in rows(
        path, "SELECT round, version, position, prompt_hash, response, signature FROM answers"
    ):
        signed = places[hexed(round_), hexed(version), position]
        signed.prompts[hexed(prompt)].add("gateway, answered")
        signed.answers[hexed(keccak(response)), hexed(signature)].add("gateway")
    for round_, version, position, response, signature in rows(
        path, "SELECT round, version, position, response_hash, signature FROM acks"
    ):
        places[hexed(round_), hexed(version), position].acks[hexed(response), hexed(signature)].add("gateway")


def take(signed: Signed, line: Mapping[str, Any], where: str) -> None:
    response = hexed(keccak(line["response"].encode()))
    if line.get("answer"):
        signed.answers[response, line["answer"]["signature"]].add(where)
    if line.get("ack"):
        signed.acks[response, line["ack"]["signature"]].add(where)
    if line.get("ask"):
        signed.asks[line["ask"]["answer_until"]].add(line["ask"]["signature"])


def twice(places: Mapping[Place, Signed], contents: Mapping[Place, Mapping[str, Any]]) -> Iterator[str]:
    """One text, one Answer and one Ack for each place of the round, and one signature under each Ask."""
    if places.keys() != contents.keys():
        yield f"{len(places)} places were asked, {len(contents)} are in the bundle"
    for place, signed in places.items():
        where = f"{place[1][:10]} at {place[2]}"
        if len(signed.prompts) != 1:
            yield f"{where} was asked with {len(signed.prompts)} texts: {dict(signed.prompts)}"
        if len(signed.answers) != 1:
            yield f"{where} has {len(signed.answers)} Answers: {dict(signed.answers)}"
        if len(signed.acks) != 1:
            yield f"{where} has {len(signed.acks)} Acks: {dict(signed.acks)}"
        if any(len(signatures) != 1 for signatures in signed.asks.values()):
            yield f"{where} has one Ask under two signatures"


def rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path, timeout=10)) as db:
        return db.execute(query).fetchall()


def _place(body: Mapping[str, Any]) -> Place:
    return body["round"], body["version"], body["position"]


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()
