"""Lines of items.jsonl and of answers/<version>.jsonl: their dataclasses and how they are written and read."""

from dataclasses import dataclass
from typing import NamedTuple

from assay.errors import BadInput
from assay.storage.fields import Fields, hexed, text_fields
from assay.storage.lines import Record
from assay.types import Item, Kind, Outcome, Sums

__all__ = ["AnswerLine", "AskPart", "ItemLine", "answer_line", "answer_record", "item_line", "item_record"]

_KINDS = {"scored": Kind.SCORED, "decoy": Kind.DECOY}
_OUTCOMES = {"answered": Outcome.ANSWERED, "silent": Outcome.SILENT, "decoy": Outcome.DECOY}
_ITEM_KEYS = ("position", "kind", "prompt", "reference", "salt", "group", "tags")
_ANSWER_KEYS = (
    "position", "outcome", "response", "response_b64", "evidence", "sums", "ask", "answer", "ack",
    "asked_at", "answered_at", "latency_ms", "tokens", "cost",
)  # fmt: skip
_SIGNATURE = 65
_WORD = 32
_MAX_SUMS = 17
_MAX_POSITION = 1 << 32
_MAX_TIME = 1 << 40


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One sealed position. Texts are raw bytes, valid UTF-8; `group` names the document it belongs to."""

    position: int
    kind: Kind
    prompt: bytes
    reference: bytes
    salt: bytes
    group: str = ""
    tags: tuple[str, ...] = ()

    @property
    def item(self) -> Item:
        """What the set's leaf is made of."""
        return Item(self.position, self.kind, self.prompt, self.reference, self.salt)


class AskPart(NamedTuple):
    """What an Ask adds to round, version, position and the sealed prompt."""

    answer_until: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """What became of one position for one version.

    `response` is None where none came; a Decoy's is published though its leaf is empty. `sums` are the leaf's claimed sums.
    `answer` and `ack` are the signatures of Answer and Ack. Times (Unix seconds), latency, tokens and cost are the
    benchmarker's word.
    """

    position: int
    outcome: Outcome
    response: bytes | None
    sums: Sums
    evidence: bytes = b""
    ask: AskPart | None = None
    answer: bytes | None = None
    ack: bytes | None = None
    asked_at: float | None = None
    answered_at: float | None = None
    latency_ms: float | None = None
    tokens: int | None = None
    cost: float | None = None


def item_record(line: ItemLine) -> Record:
    """An item as a JSON object. BadInput where a text is not UTF-8."""
    try:
        prompt, reference = line.prompt.decode("utf-8"), line.reference.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"prompt or reference {line.position} is not UTF-8: {error}", "Only UTF-8 texts can be sealed.") from None
    return {
        "position": line.position,
        "kind": line.kind.name.lower(),
        "prompt": prompt,
        "reference": reference,
        "salt": hexed(line.salt),
        "group": line.group,
        "tags": list(line.tags),
    }


def item_line(record: Record, where: str) -> ItemLine:
    """An item from its JSON object. BadInput where a field is missing or wrong."""
    fields = Fields(record, where, _ITEM_KEYS)
    if fields.string("kind") not in _KINDS:
        raise fields.refuse("kind", "scored or decoy")
    return ItemLine(
        fields.integer("position", _MAX_POSITION),
        _KINDS[fields.string("kind")],
        fields.string("prompt").encode("utf-8"),
        fields.string("reference").encode("utf-8"),
        fields.hex("salt", _WORD),
        fields.string("group"),
        fields.strings("tags"),
    )


def answer_record(line: AnswerLine) -> Record:
    """An answer as a JSON object; optional fields that are empty are left out."""
    optional = {"asked_at": line.asked_at, "answered_at": line.answered_at, "latency_ms": line.latency_ms}
    optional |= {"tokens": line.tokens, "cost": line.cost}
    record: Record = {
        "position": line.position,
        "outcome": line.outcome.name.lower(),
        "sums": [hexed(word.to_bytes(_WORD, "big")) for word in line.sums],
        "ask": {"answer_until": line.ask.answer_until, "signature": hexed(line.ask.signature)} if line.ask else None,
        "answer": {"signature": hexed(line.answer)} if line.answer is not None else None,
        "ack": {"signature": hexed(line.ack)} if line.ack is not None else None,
        **{key: value for key, value in optional.items() if value is not None},
    }
    if line.response is not None:
        record |= text_fields("response", line.response)
    if line.evidence:
        record["evidence"] = hexed(line.evidence)
    return record


def answer_line(record: Record, where: str) -> AnswerLine:
    """An answer from its JSON object. BadInput where a field is missing or wrong."""
    fields = Fields(record, where, _ANSWER_KEYS)
    if fields.string("outcome") not in _OUTCOMES:
        raise fields.refuse("outcome", "answered, silent or decoy")
    sums = tuple(int.from_bytes(word, "big") for word in fields.hexes("sums", _WORD))
    if not 1 <= len(sums) <= _MAX_SUMS:
        raise fields.refuse("sums", f"a list of 1 to {_MAX_SUMS} words")
    return AnswerLine(
        position=fields.integer("position", _MAX_POSITION),
        outcome=_OUTCOMES[fields.string("outcome")],
        response=fields.text("response"),
        sums=sums,
        evidence=_evidence(fields),
        ask=fields.inner("ask", ("answer_until", "signature"), _ask),
        answer=fields.inner("answer", ("signature",), _signature),
        ack=fields.inner("ack", ("signature",), _signature),
        asked_at=fields.number("asked_at"),
        answered_at=fields.number("answered_at"),
        latency_ms=fields.number("latency_ms"),
        tokens=fields.integer("tokens") if fields.has("tokens") else None,
        cost=fields.number("cost"),
    )


def _ask(fields: Fields) -> AskPart:
    return AskPart(fields.integer("answer_until", _MAX_TIME), fields.hex("signature", _SIGNATURE))


def _signature(fields: Fields) -> bytes:
    return fields.hex("signature", _SIGNATURE)


def _evidence(fields: Fields) -> bytes:
    value = fields.string("evidence") if fields.has("evidence") else "0x"
    return fields.hex("evidence", (len(value) - 2) // 2) if value != "0x" else b""
