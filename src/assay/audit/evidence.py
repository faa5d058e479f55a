"""What somebody holds outside a bundle: signed Asks, Answers and Acks, and items of a sealed set, as one file.

    {"schema": 1, "chain_id": 31337, "rounds": "0x…", "messages": [{"kind": "ack", "round": "0x…", …}, …]}

A message proves itself by its signature, an item by the sealed root; who handed it over does not matter. `check` says of each
whether it holds for a round.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import orjson

from assay.audit.facts import ChainFacts
from assay.encoding.hashing import keccak
from assay.encoding.receipts import recover
from assay.encoding.seals import climb_set, depth_of, sealed_leaf
from assay.errors import BadInput
from assay.storage.fields import Fields, hexed, text_fields
from assay.storage.lines import Record, canonical
from assay.types import Address, Kind, RoundId, SetOpening, SignedAnswer, SignedAsk, VersionId

__all__ = [
    "NOTHING",
    "Evidence",
    "Held",
    "HeldAck",
    "HeldAnswer",
    "HeldAsk",
    "HeldItem",
    "Message",
    "Place",
    "check",
    "dump",
    "load",
    "merged",
    "parse",
    "save",
]

SCHEMA = 1
MAX_BYTES = 64 << 20
MAX_MESSAGES = 1 << 18
MAX_REFUSED = 20
MAX_A_PLACE = 64
_DEPTH = 32
_HASH, _SIGNATURE = 32, 65
_POSITIONS, _TIMES, _CHAINS = 1 << 32, 1 << 40, 1 << 53
_REMEDY = "Ask for the file again; `assay provider evidence ROUND` writes such files."

Place = tuple[VersionId, int]
"""A version and a position."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldAsk:
    """An Ask of a round's operator. `prompt` is its text where the holder has it."""

    round: RoundId
    version: VersionId
    position: int
    prompt_hash: bytes
    answer_until: int
    signature: bytes
    prompt: bytes | None = None

    @property
    def signed(self) -> SignedAsk:
        """As the disputes take it."""
        return SignedAsk(self.version, self.position, self.prompt_hash, self.answer_until, self.signature)


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """An Answer of a version's operator. `response` is its text where the holder has it."""

    round: RoundId
    version: VersionId
    position: int
    prompt_hash: bytes
    response_hash: bytes
    signature: bytes
    response: bytes | None = None

    @property
    def signed(self) -> SignedAnswer:
        """As the disputes take it."""
        return SignedAnswer(self.prompt_hash, self.response_hash, self.signature)


@dataclass(frozen=True, slots=True)
class HeldAck:
    """An Ack of a round's operator."""

    round: RoundId
    version: VersionId
    position: int
    response_hash: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class HeldItem:
    """The sealed half of an item: of a set that is still secret, whoever shows it proves a leak."""

    round: RoundId
    opening: SetOpening

    @property
    def position(self) -> int:
        """Where it is sealed."""
        return self.opening.position


Message = HeldAsk | HeldAnswer | HeldAck | HeldItem


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file of messages, of any rounds of one deployment."""

    chain_id: int
    rounds: Address
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What of some evidence holds for one round. `refused` says of the first others why they do not, `others` counts them all."""

    asks: Mapping[Place, tuple[HeldAsk, ...]] = field(default_factory=dict)
    answers: Mapping[Place, tuple[HeldAnswer, ...]] = field(default_factory=dict)
    acks: Mapping[Place, tuple[HeldAck, ...]] = field(default_factory=dict)
    items: Mapping[int, HeldItem] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    others: int = 0


NOTHING = Held()
"""No evidence at all."""


def check(facts: ChainFacts, messages: Iterable[Message]) -> Held:
    """The messages about this round that hold: signed by whom they should be, items under the sealed root; the rest is refused.

    Messages about other rounds are left out. At most `MAX_A_PLACE` different ones are kept of one kind at one place.
    """
    asks: dict[Place, list[HeldAsk]] = {}
    answers: dict[Place, list[HeldAnswer]] = {}
    acks: dict[Place, list[HeldAck]] = {}
    items: dict[int, HeldItem] = {}
    refused: list[str] = []
    others = 0
    for message in messages:
        if message.round != facts.round.id:
            continue
        why = _why_not(facts, message)
        if why:
            others += 1
            refused += [why] if len(refused) < MAX_REFUSED else []
        elif isinstance(message, HeldItem):
            items.setdefault(message.position, message)
        elif isinstance(message, HeldAsk):
            _keep(asks, message, (message.version, message.position))
        elif isinstance(message, HeldAnswer):
            _keep(answers, message, (message.version, message.position))
        else:
            _keep(acks, message, (message.version, message.position))
    return Held(_frozen(asks), _frozen(answers), _frozen(acks), items, tuple(refused), others)


def merged(parts: Iterable[Evidence]) -> tuple[Message, ...]:
    """All messages of several files, each once, in their order."""
    return tuple(dict.fromkeys(message for part in parts for message in part.messages))


def load(path: Path) -> Evidence:
    """A file of evidence. BadInput names the file and what is wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "Name a file that can.", where=str(path)) from None
    return parse(raw, str(path))


def parse(raw: bytes, where: str) -> Evidence:
    """Evidence from the bytes of a file. BadInput beyond a limit and for whatever is not exactly of this schema."""
    if len(raw) > MAX_BYTES:
        raise BadInput(f"more than {MAX_BYTES} bytes", "Split it by version.", where=where)
    try:
        fields = Fields(orjson.loads(raw), where, ("schema", "chain_id", "rounds", "messages"))
        if fields.integer("schema") != SCHEMA:
            raise fields.refuse("schema", str(SCHEMA))
        records = fields.sequence("messages")
        if len(records) > MAX_MESSAGES:
            raise fields.refuse("messages", f"a list of at most {MAX_MESSAGES}")
        messages = tuple(_message(record, f"{where}, message {number}") for number, record in enumerate(records, 1))
        return Evidence(fields.integer("chain_id", _CHAINS), fields.address("rounds"), messages)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"is not JSON ({error})", _REMEDY, where=where) from None
    except BadInput as error:
        raise BadInput(error.message, _REMEDY) from None


def dump(evidence: Evidence) -> bytes:
    """The bytes of a file; the same evidence gives the same bytes."""
    messages = [_record(message) for message in evidence.messages]
    body: Record = {"schema": SCHEMA, "chain_id": evidence.chain_id, "rounds": evidence.rounds, "messages": messages}
    return canonical(body) + b"\n"


def save(path: Path, evidence: Evidence) -> None:
    """Writes a file, mode 0600. BadInput where there is one already, or it cannot be written."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(dump(evidence))
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", "Name a new file.", where=str(path)) from None


def _why_not(facts: ChainFacts, message: Message) -> str:
    """Why a message does not hold, empty where it does."""
    if isinstance(message, HeldItem):
        return "" if _is_sealed(facts, message.opening) else f"item {message.position} does not lead to the sealed root"
    name = f"{type(message).__name__.removeprefix('Held')} of item {message.position}"
    sitting, domain, id_ = facts.sitting(message.version), facts.domain, facts.round.id
    if sitting is None:
        return f"{name}: version {message.version.hex()} is not enrolled"
    expected = facts.round.operator
    if isinstance(message, HeldAsk):
        digest = domain.ask(id_, message.version, message.position, message.prompt_hash, message.answer_until)
    elif isinstance(message, HeldAnswer):
        digest = domain.answer(id_, message.version, message.position, message.prompt_hash, message.response_hash)
        expected = sitting.version.operator
    else:
        digest = domain.ack(id_, message.version, message.position, message.response_hash)
    signer = recover(digest, message.signature)
    return "" if signer == expected else f"{name}: signed by {signer}, not by {expected}"


def _is_sealed(facts: ChainFacts, opening: SetOpening) -> bool:
    if opening.position >= facts.round.items or len(opening.path) != depth_of(facts.round.items):
        return False
    leaf = sealed_leaf(facts.chain_id, facts.rounds, facts.round.benchmarker, opening)
    return climb_set(leaf, opening.position, opening.path) == facts.round.set_root


def _keep(into: dict[Place, list[T]], message: T, place: Place) -> None:
    known = into.setdefault(place, [])
    if len(known) < MAX_A_PLACE and message not in known:
        known.append(message)


def _frozen(found: dict[Place, list[T]]) -> dict[Place, tuple[T, ...]]:
    return {place: tuple(messages) for place, messages in found.items()}


def _record(message: Message) -> Record:
    if isinstance(message, HeldItem):
        return _item_record(message)
    record: Record = {
        "kind": type(message).__name__.removeprefix("Held").lower(),
        "round": hexed(message.round),
        "version": hexed(message.version),
        "position": message.position,
        "signature": hexed(message.signature),
    }
    if isinstance(message, HeldAck):
        return {**record, "response_hash": hexed(message.response_hash)}
    record["prompt_hash"] = hexed(message.prompt_hash)
    if isinstance(message, HeldAsk):
        text = text_fields("prompt", message.prompt) if message.prompt is not None else {}
        return {**record, "answer_until": message.answer_until, **text}
    text = text_fields("response", message.response) if message.response is not None else {}
    return {**record, "response_hash": hexed(message.response_hash), **text}


def _item_record(message: HeldItem) -> Record:
    o = message.opening
    hashes = {"prompt_hash": hexed(o.prompt_hash), "reference_hash": hexed(o.reference_hash), "salt": hexed(o.salt)}
    path = [hexed(sibling) for sibling in o.path]
    return {
        "kind": "item",
        "round": hexed(message.round),
        "position": o.position,
        "item_kind": Kind(o.kind).name.lower(),
        "path": path,
        **hashes,
    }


_SIGNED = ("kind", "round", "version", "position", "signature")
_KEYS = {
    "ask": (*_SIGNED, "prompt_hash", "answer_until", "prompt", "prompt_b64"),
    "answer": (*_SIGNED, "prompt_hash", "response_hash", "response", "response_b64"),
    "ack": (*_SIGNED, "response_hash"),
    "item": ("kind", "round", "position", "item_kind", "prompt_hash", "reference_hash", "salt", "path"),
}


def _message(record: object, where: str) -> Message:
    kind = record.get("kind") if isinstance(record, dict) else None
    if not isinstance(kind, str) or kind not in _KEYS:
        raise BadInput(f"its kind is none of {', '.join(_KEYS)}", where=where)
    fields = Fields(record, where, _KEYS[kind])
    round_, position = RoundId(fields.hex("round", _HASH)), fields.integer("position", _POSITIONS)
    if kind == "item":
        return HeldItem(round_, _opening(fields, position))
    place = round_, VersionId(fields.hex("version", _HASH)), position
    signature = fields.hex("signature", _SIGNATURE)
    if kind == "ack":
        return HeldAck(*place, fields.hex("response_hash", _HASH), signature)
    prompt_hash = fields.hex("prompt_hash", _HASH)
    if kind == "ask":
        prompt = _text(fields, "prompt", prompt_hash)
        return HeldAsk(*place, prompt_hash, fields.integer("answer_until", _TIMES), signature, prompt)
    response_hash = fields.hex("response_hash", _HASH)
    return HeldAnswer(*place, prompt_hash, response_hash, signature, _text(fields, "response", response_hash))


def _opening(fields: Fields, position: int) -> SetOpening:
    names = {kind.name.lower(): kind for kind in Kind}
    if fields.string("item_kind") not in names:
        raise fields.refuse("item_kind", "scored or decoy")
    path = fields.hexes("path", _HASH)
    if len(path) > _DEPTH:
        raise fields.refuse("path", f"a list of at most {_DEPTH}")
    hashes = fields.hex("prompt_hash", _HASH), fields.hex("reference_hash", _HASH)
    return SetOpening(position, names[fields.string("item_kind")], *hashes, fields.hex("salt", _HASH), path)


def _text(fields: Fields, key: str, expected: bytes) -> bytes | None:
    text = fields.text(key)
    if text is not None and keccak(text) != expected:
        raise fields.refuse(key, f"the text that {key}_hash is of")
    return text
