"""The chain of custody of a round: who signed what with which key, block by block, as one JSON record that checks itself.

    links      each transaction that touched the round, in the order of the chain: its signed bytes, from which anyone recovers
               its sender, its block and time, the events it made, the consents and posted messages in its calldata, and a hash
               over all of that and the link before it
    exchanges  for each version how many Asks, Answers and Acks the bundle holds and how many are signed by the right key, with a
               running hash over all of them, and each one where it is wanted
    keys       the addresses of the round, its versions and the senders of the links, and what each is
    head       sha256 over the whole record

The hashes tie the file together; what proves it are the signatures in it, and the chain. Pure: `ChainPart` holds what was read.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assay.audit.calldata import MAX_TRIES, calls_in
from assay.audit.evidence import HeldAck, HeldAnswer, HeldAsk, Message
from assay.audit.facts import ChainFacts, Sitting
from assay.audit.finding import exchanged, line_messages
from assay.chain import artifacts, rawtx
from assay.chain.abi import Interface
from assay.encoding.hashing import keccak
from assay.encoding.receipts import SIGNATURE_BYTES, Domain, recover
from assay.storage.bundle import Bundle
from assay.storage.cids import cid_of
from assay.storage.lines import Record, canonical
from assay.types import Address, RoundId, VersionId

__all__ = [
    "KIND",
    "SCHEMA",
    "ChainPart",
    "Event",
    "Link",
    "build",
    "digest_of",
    "head_of",
    "keys_of",
    "link_hash",
    "message_record",
    "plain",
    "signed_in",
]

SCHEMA, KIND = 1, "assay.audit-log"
START = hashlib.sha256(b"assay.audit-log").digest()
SHORT = 64
"""Bytes of an argument that are written out; a longer one is told by its length and keccak256."""
_SAFE = 1 << 53
_WORD = 32
_NAMES = {HeldAsk: "ask", HeldAnswer: "answer", HeldAck: "ack"}


@dataclass(frozen=True, slots=True)
class Event:
    """A log of one of our contracts; `contract` is named as in a manifest."""

    log_index: int
    contract: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A mined transaction. `sender` is the node's word; `raw` proves it, and is empty where it cannot be rebuilt."""

    tx: bytes
    block: int
    block_hash: bytes
    time: int
    index: int
    sender: Address
    raw: bytes
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ChainPart:
    """All that the chain tells of a round's custody, in its order, and the facts at the block up to which it was read."""

    facts: ChainFacts
    links: tuple[Link, ...]


def build(part: ChainPart, bundle: Bundle | None, *, items: bool = False) -> Record:
    """The record as JSON types. `items` writes each message of the bundle out, with its signature.

    Without a bundle there are no exchanges. Errors of `Bundle` for a damaged one.
    """
    facts = part.facts
    record: Record = {
        "schema": SCHEMA,
        "kind": KIND,
        "chain_id": facts.chain_id,
        "contracts": dict(facts.contracts),
        "as_of": {"block": facts.block.number, "hash": _hex(facts.block.hash), "time": facts.block.timestamp},
        "round": _round(facts),
        "versions": [_version(sitting) for sitting in facts.sittings],
        "links": list(_links(facts, part.links)),
        "exchanges": None if bundle is None else [_exchanges(facts, s, bundle, items=items) for s in facts.sittings],
    }
    record["keys"] = keys_of(record)
    return {**record, "head": head_of(record)}


def head_of(record: Mapping[str, Any]) -> str:
    """The hash over all of a record but itself."""
    return _hex(hashlib.sha256(canonical({key: value for key, value in record.items() if key != "head"})).digest())


def link_hash(previous: bytes, link: Mapping[str, Any]) -> bytes:
    """The hash of a link over what it says and the hash of the one before it."""
    return hashlib.sha256(previous + canonical({key: value for key, value in link.items() if key != "hash"})).digest()


def digest_of(messages: Iterable[Mapping[str, Any]]) -> tuple[bytes, int]:
    """The running hash over messages, and how many there were."""
    running, count = START, 0
    for count, message in enumerate(messages, 1):  # noqa: B007 - the last one is the count
        running = hashlib.sha256(running + canonical(message)).digest()
    return running, count


def signed_in(domain: Domain, round_: RoundId, data: bytes) -> Iterator[Record]:
    """Signatures in a transaction's calldata: consents of providers, Ask and Answer of posted answers, with who signed each."""
    interface = Interface(artifacts.load("Rounds").abi)
    for version, signature in _consents_in(interface.functions["enrol"].key, round_, data):
        signer = recover(domain.enrol(round_, VersionId(version)), signature)
        yield {"kind": "enrol", "version": _hex(version), "signature": _hex(signature), "signer": signer}
    for id_, (version, position, prompt_hash, until, response, asked, answered) in calls_in(interface, "postAnswer", data):
        if id_ == round_:
            place = round_, VersionId(version), position
            ask, answer = HeldAsk(*place, prompt_hash, until, asked), HeldAnswer(*place, prompt_hash, keccak(response), answered)
            for record in (message_record(ask), message_record(answer)):
                signer = recover(digest_to_sign(domain, *place[:2], record), _raw(record["signature"]))
                yield {"version": _hex(version), **record, "signer": signer}


def _consents_in(selector: bytes, round_: RoundId, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Versions and signatures wherever calldata may hold `enrol(round, versions, signatures)`.

    Read by hand: entries may overlap, and a general decoder would unfold a few bytes to gigabytes.
    """
    at = data.find(selector)
    for _ in range(MAX_TRIES):
        if at < 0:
            return
        call = data[at + len(selector) :]
        if call[:_WORD] == round_:
            yield from _entries(call)
        at = data.find(selector, at + 1)


def _entries(call: bytes) -> Iterator[tuple[bytes, bytes]]:
    def word(where: int) -> int:
        return int.from_bytes(call[where : where + _WORD], "big")

    versions, signatures = word(_WORD) + _WORD, word(2 * _WORD) + _WORD
    for number in range(min(word(versions - _WORD), word(signatures - _WORD), len(call) // _WORD)):
        found = signatures + word(signatures + number * _WORD)
        version = call[versions + number * _WORD : versions + (number + 1) * _WORD]
        if word(found) == SIGNATURE_BYTES and len(version) == _WORD:
            yield version, call[found + _WORD : found + _WORD + SIGNATURE_BYTES]


def digest_to_sign(domain: Domain, round_: RoundId, version: VersionId, message: Mapping[str, Any]) -> bytes:
    """What was signed for a message as `message_record` writes it. KeyError, TypeError, ValueError where it is none."""
    place = round_, version, message["position"]
    if message["kind"] == "ask":
        return domain.ask(*place, _raw(message["prompt_hash"]), message["answer_until"])
    if message["kind"] == "answer":
        return domain.answer(*place, _raw(message["prompt_hash"]), _raw(message["response_hash"]))
    if message["kind"] == "ack":
        return domain.ack(*place, _raw(message["response_hash"]))
    raise ValueError(message["kind"])


def message_record(message: Message) -> Record:
    """A message as JSON types, without the round and version that its place gives."""
    if isinstance(message, HeldAsk):
        more: Record = {"prompt_hash": _hex(message.prompt_hash), "answer_until": message.answer_until}
    elif isinstance(message, HeldAnswer):
        more = {"prompt_hash": _hex(message.prompt_hash), "response_hash": _hex(message.response_hash)}
    elif isinstance(message, HeldAck):
        more = {"response_hash": _hex(message.response_hash)}
    else:
        raise TypeError(type(message).__name__)
    return {"kind": _NAMES[type(message)], "position": message.position, **more, "signature": _hex(message.signature)}


def _round(facts: ChainFacts) -> Record:
    found, ends = facts.round, facts.deadlines
    return {
        "id": _hex(found.id),
        "benchmarker": found.benchmarker,
        "operator": found.operator,
        "task": _hex(found.task),
        "set_root": _hex(found.set_root),
        "items": found.items,
        "card_digest": _hex(facts.card_digest),
        "metric": facts.metric.signature,
        "phase": facts.phase.name.lower(),
        "fault": found.fault.name.lower(),
        "sealed_at": found.sealed_at,
        "answer_by": ends.answer_by,
        "attest_by": ends.attest_by,
        "reveal_by": ends.reveal_by,
        "revealed_at": found.revealed_at,
        "bundle": cid_of(found.bundle_digest) if found.revealed_at else None,
    }


def _version(sitting: Sitting) -> Record:
    version, view = sitting.version, sitting.view
    return {
        "id": _hex(version.id),
        "model": _hex(version.model),
        "number": version.number,
        "commitment": _hex(sitting.version_commitment),
        "committed_at": version.committed_at,
        "owner": version.owner,
        "operator": version.operator,
        "root": _hex(sitting.root.hash) if sitting.root else None,
        "standing": view.standing.name.lower(),
        "score": str(view.score),
    }


def keys_of(record: Mapping[str, Any]) -> list[Record]:
    """Addresses of a record's round, versions and links and what they are, in the order in which a reader meets them."""
    roles: dict[str, list[str]] = {record["round"]["benchmarker"]: ["benchmarker"]}
    roles.setdefault(record["round"]["operator"], []).append("operator of the benchmarker: signs Asks and Acks")
    for version in record["versions"]:
        short = version["id"][:12]
        roles.setdefault(version["owner"], []).append(f"owner of version {short}")
        roles.setdefault(version["operator"], []).append(f"operator of version {short}: signs Enrol and Answers")
    for link in record["links"]:
        known = roles.setdefault(link["sender"], [])
        if "sender of transactions" not in known:
            known.append("sender of transactions")
    return [{"address": address, "roles": what} for address, what in roles.items()]


def _links(facts: ChainFacts, links: Iterable[Link]) -> Iterator[Record]:
    previous = START
    for number, link in enumerate(links):
        read = rawtx.read(link.raw)
        record: Record = {
            "number": number,
            "tx": _hex(link.tx),
            "block": link.block,
            "block_hash": _hex(link.block_hash),
            "time": link.time,
            "index": link.index,
            "sender": link.sender,
            "raw": _hex(link.raw) if link.raw else None,
            "events": [_event(event) for event in link.events],
            "signatures": list(signed_in(facts.domain, facts.round.id, read.data)) if read else [],
        }
        previous = link_hash(previous, record)
        yield {**record, "hash": _hex(previous)}


def _event(event: Event) -> Record:
    arguments = {name: plain(value) for name, value in event.arguments.items()}
    return {"log": event.log_index, "contract": event.contract, "event": event.name, "arguments": arguments}


def _exchanges(facts: ChainFacts, sitting: Sitting, bundle: Bundle, *, items: bool) -> Record:
    version = sitting.version
    counts = {name: {"signed": 0, "by_the_key": 0} for name in _NAMES.values()}
    written: list[Record] = []

    def messages() -> Iterator[Record]:
        for item, line in exchanged(bundle, version.id):
            for message in line_messages(facts.round.id, version.id, item, line):
                record = message_record(message)
                key = version.operator if record["kind"] == "answer" else facts.round.operator
                signed = digest_to_sign(facts.domain, facts.round.id, version.id, record)
                counts[record["kind"]]["signed"] += 1
                counts[record["kind"]]["by_the_key"] += recover(signed, _raw(record["signature"])) == key
                if items:
                    written.append(record)
                yield record

    digest, total = digest_of(messages())
    return {"version": _hex(version.id), **counts, "messages": total, "digest": _hex(digest), "items": written if items else None}


def plain(value: Any) -> Any:
    """An event's argument as JSON types."""
    if isinstance(value, bytes):
        return _hex(value) if len(value) <= SHORT + 1 else {"bytes": len(value), "keccak256": _hex(keccak(value))}
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > _SAFE else value


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])
