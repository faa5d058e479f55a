"""Invitations: what a benchmarker hands to providers, signed by its operator, so that they can decide before they consent.

An invitation is one JSON object. It states the task with its description, who examines, where, and, once a round is sealed, that
round; dates, bonds and licence are there for people and follow from the rest. A reader computes all that can be computed again:
an invitation that says two things is no invitation. The signature names the sender; what holds is on the chain.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import orjson

from assay.chain.deployments import CONTRACTS, Deployment
from assay.encoding.hashing import checksum, keccak
from assay.encoding.ids import round_id, task_id
from assay.encoding.receipts import Domain, Signer, recover
from assay.errors import BadInput, Tampered
from assay.types import Address, Deadlines, RoundId, TaskId, TaskParams
from assay.units import date

SCHEMA = 1
GATEWAY_PROTOCOL = 1
MAX_BYTES = 1 << 20
BONDS = ("round_bond", "version_bond", "demand_fee")
WINDOWS = ("answer_window", "post_window", "attest_window", "reveal_window", "challenge_window", "demand_window")
_ADDRESSES = frozenset({"metric"})
_HASHES = frozenset({"description_digest"})
_REMEDY = "ask the benchmarker for another one: assay bench invite"


class SealedRound(NamedTuple):
    """A round that providers are invited to. `sealed_at` in Unix seconds."""

    id: RoundId
    set_root: bytes
    items: int
    sealed_at: int


@dataclass(frozen=True, slots=True)
class Invitation:
    """What is stated. `round` None invites to any round that this benchmarker will seal under the task."""

    chain_id: int
    contracts: Mapping[str, Address]
    params: TaskParams
    description: Mapping[str, Any]
    benchmarker: Address
    operator: Address
    made_at: int
    round: SealedRound | None = None

    @property
    def task(self) -> TaskId:
        """Id of the task."""
        return task_id(self.params)

    @property
    def domain(self) -> Domain:
        """Where its signature, and those of a round, are valid."""
        return Domain(self.chain_id, self.contracts["rounds"])

    @property
    def raw_description(self) -> bytes:
        """The description's canonical bytes, whose SHA-256 the task pins."""
        return _canonical(self.description)

    @property
    def deadlines(self) -> Deadlines | None:
        """When a sealed round's windows end; the chain says the same."""
        return deadlines_of(self.params, self.round.sealed_at) if self.round else None


def contracts_of(deployment: Deployment) -> dict[str, Address]:
    """The contracts that an invitation names."""
    return {name: getattr(deployment, name) for name in CONTRACTS}


def deadlines_of(params: TaskParams, sealed_at: int) -> Deadlines:
    """Deadlines of a round by its task, as `Rounds.deadlinesOf` computes them."""
    answer_by = sealed_at + params.answer_window
    attest_by = answer_by + params.attest_window
    reveal_by = attest_by + params.reveal_window
    return Deadlines(answer_by, attest_by, reveal_by, reveal_by + params.challenge_window)


def write(invitation: Invitation, signer: Signer) -> bytes:
    """The file of an invitation, signed by the operator that it names. BadInput where the signer is another one."""
    if signer.address != invitation.operator:
        raise BadInput(f"the invitation is from {invitation.operator}", "sign with that key", where="--key")
    content = _content(invitation)
    signature = signer.sign(invitation.domain.invitation(keccak(_canonical(content))))
    return orjson.dumps({**content, "signature": "0x" + signature.hex()}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read(raw: bytes, where: str = "invitation") -> Invitation:
    """The invitation in a file. BadInput where it is none, Tampered where it contradicts itself or its signature."""
    record = _object(raw, where)
    signature = record.pop("signature", None)
    try:
        invitation = _facts(record)
        content = _content(invitation)
        claimed = bytes.fromhex(_text(signature, r"0x[0-9a-f]{130}")[2:])
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError):
        raise BadInput("is no invitation, or one of another version of this program", _REMEDY, where=where) from None
    if record != content:
        odd = sorted(key for key in record.keys() | content.keys() if record.get(key) != content.get(key))
        raise Tampered(f"does not agree with itself in: {', '.join(odd)[:200]}", _REMEDY, where=where)
    if recover(invitation.domain.invitation(keccak(_canonical(content))), claimed) != invitation.operator:
        raise Tampered(f"is not signed by the operator {invitation.operator}", _REMEDY, where=where)
    return invitation


def _content(invitation: Invitation) -> dict[str, Any]:
    """Everything but the signature."""
    params, description = invitation.params, invitation.description
    ends = invitation.deadlines
    return {
        "schema": SCHEMA,
        "gateway_protocol": GATEWAY_PROTOCOL,
        "chain_id": invitation.chain_id,
        "contracts": dict(invitation.contracts),
        "benchmarker": invitation.benchmarker,
        "operator": invitation.operator,
        "made_at": invitation.made_at,
        "task": _hex(invitation.task),
        "task_params": {key: _written(value) for key, value in asdict(params).items()},
        "description": dict(description),
        "licence": description.get("licence"),
        "bonds": {key: str(getattr(params, key)) for key in BONDS},
        "windows": {key: getattr(params, key) for key in WINDOWS},
        "round": _written_round(invitation.round),
        "dates": {key: date(value) for key, value in asdict(ends).items()} if ends else None,
    }


def _facts(record: Mapping[str, Any]) -> Invitation:
    """What a record states, unchecked against itself. Raises what Python raises."""
    if record["schema"] != SCHEMA or record["gateway_protocol"] != GATEWAY_PROTOCOL:
        raise ValueError("another version")
    params = TaskParams(**{key: _parsed(key, value) for key, value in record["task_params"].items()})
    description = record["description"]
    if hashlib.sha256(_canonical(description)).digest() != params.description_digest:
        raise ValueError("another description")
    contracts = {name: _address(record["contracts"][name]) for name in CONTRACTS}
    chain_id, benchmarker, operator = record["chain_id"], _address(record["benchmarker"]), _address(record["operator"])
    made_at = _natural(record["made_at"])
    sealed = record["round"]
    found = None if sealed is None else _parsed_round(sealed)
    if found is not None:
        expected = round_id(chain_id, contracts["rounds"], benchmarker, task_id(params), found.set_root, found.items, operator)
        if found.id != expected:
            raise ValueError("another round")
    return Invitation(_natural(chain_id), contracts, params, description, benchmarker, operator, made_at, found)


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        if len(raw) > MAX_BYTES:
            raise ValueError("too long")
        record = orjson.loads(raw)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise BadInput("is no invitation", _REMEDY, where=where)
    return record


def _written(value: object) -> object:
    if isinstance(value, bytes):
        return _hex(value)
    return str(value) if isinstance(value, int) else value


def _parsed(key: str, value: Any) -> Any:
    if key in _HASHES:
        return _hash(value)
    return _address(value) if key in _ADDRESSES else int(_text(value, r"0|[1-9][0-9]{0,28}"))


def _written_round(sealed: SealedRound | None) -> dict[str, Any] | None:
    if sealed is None:
        return None
    return {"id": _hex(sealed.id), "set_root": _hex(sealed.set_root), "items": sealed.items, "sealed_at": sealed.sealed_at}


def _parsed_round(record: Mapping[str, Any]) -> SealedRound:
    sealed_at, items = _natural(record["sealed_at"]), _natural(record["items"])
    return SealedRound(RoundId(_hash(record["id"])), _hash(record["set_root"]), items, sealed_at)


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise ValueError(value)
    return value


def _address(value: Any) -> Address:
    return checksum(bytes.fromhex(_text(value, r"0x[0-9a-fA-F]{40}")[2:]))


def _hash(value: Any) -> bytes:
    return bytes.fromhex(_text(value, r"0x[0-9a-f]{64}")[2:])


def _text(value: Any, pattern: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise ValueError(value)
    return value


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _canonical(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
