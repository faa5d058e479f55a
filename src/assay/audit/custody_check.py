"""Checks an audit log by itself: no node, no bundle, no clock. What only a node can say is compared apart, by `against`.

    1  The file is a record of this schema, and its head is the hash over it.
    2  The links are numbered, in the order of the chain, and each hash follows from the one before.
    3  Each transaction's bytes have its hash and were signed by its sender.
    4  The signatures listed of a transaction are those in its bytes; of each enrolment one is the version's operator's, of each
       post one Ask the round's and one Answer the version's. Commitments, seal, posts, score roots with their sums, and bundle
       are arguments of the very call that makes their event.
    5  The round's id follows from chain, contract, benchmarker, task, set root, size and operator.
    6  Every version's id follows from model, number, commitment and operator.
    7  The seal, the consents, the roots, the bundle and the fault among the events are those of the round and the versions.
    8  The messages written out are signed by the right keys, as often as is counted, and their running hash is the one named.
    9  The task's id follows from its parameters. Each score follows from the attested sums by the metric that is named, and
       whether it counts from the silence that the task allows; the versions have these scores and standings.
    10 The keys are those of the round, the versions and the links.

What cannot be told from the file alone is listed as unproven and is no problem: blocks, times and other events, who owns a
version, whether the task's metric is the one named, phase and deadlines, transactions of other types, messages that are counted
and not written out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from assay.audit.custody import (
    KIND,
    SCHEMA,
    START,
    ChainPart,
    build,
    digest_of,
    digest_to_sign,
    head_of,
    keys_of,
    link_hash,
    signed_in,
)
from assay.audit.custody_calls import MAKERS, is_fixed, is_whole
from assay.chain import rawtx
from assay.encoding.hashing import checksum
from assay.encoding.ids import round_id, task_id, version_id
from assay.encoding.receipts import Domain, recover
from assay.encoding.sumtree import unpack_counts
from assay.errors import BadInput
from assay.metrics import METRICS
from assay.storage.cids import cid_of
from assay.types import Fault, ModelId, RoundId, TaskId, TaskParams, VersionId

__all__ = ["MAX_BYTES", "Checked", "against", "check", "parse"]

MAX_BYTES = 256 << 20
SHOWN = 20
EVENTS = (
    "that these transactions made these events in these blocks at these times, who owns the versions, that the task's metric is "
    "the one named, the round's phase and deadlines: compare with a node"
)
_PARTS = {"schema", "kind", "chain_id", "contracts", "as_of", "round", "versions", "keys", "links", "exchanges", "head"}
_BPS = 10_000
_REMEDY = "Make it anew: assay audit-log ROUND --out FILE"


@dataclass
class Checked:
    """What a check found. `problems` holds the first of `failures`; `unproven` says what the file alone cannot prove."""

    links: int = 0
    senders: int = 0
    signatures: int = 0
    failures: int = 0
    problems: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)

    def doubt(self, what: str) -> None:
        """Notes something that the file alone cannot prove; the first of many."""
        if len(self.unproven) < SHOWN:
            self.unproven.append(what)

    def expect(self, truth: object, problem: str) -> None:
        """Notes a problem unless it is true."""
        if not truth:
            self.failures += 1
            if len(self.problems) < SHOWN:
                self.problems.append(problem)


def parse(raw: bytes, where: str) -> dict[str, Any]:
    """The record of a file. BadInput beyond the limit and for what is no audit log of this schema."""
    if len(raw) > MAX_BYTES:
        raise BadInput(f"more than {MAX_BYTES} bytes", "Write it without --items.", where=where)
    try:
        record = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"is not JSON ({error})", _REMEDY, where=where) from None
    if not isinstance(record, dict) or (record.get("schema"), record.get("kind")) != (SCHEMA, KIND) or record.keys() != _PARTS:
        raise BadInput(f"is no audit log of schema {SCHEMA}", _REMEDY, where=where)
    return record


def check(record: Mapping[str, Any]) -> Checked:
    """All steps of the list above. What has not the shape that the schema gives it is a problem, not an error."""
    checked = Checked(unproven=[EVENTS])
    for step in (_head, _links, _ids, _events, _standings, _keys, _exchanges):
        _guarded(checked, step, record)
    return checked


def against(record: Mapping[str, Any], part: ChainPart) -> list[str]:
    """What differs from a node's word at the record's block: parts of the record by name, links by number."""
    expected = build(part, None)
    found = [key for key in ("chain_id", "contracts", "as_of", "round", "versions", "keys") if record[key] != expected[key]]
    pairs = zip(record["links"], expected["links"], strict=False)
    found += [f"link {number}" for number, (one, other) in enumerate(pairs) if one != other][:SHOWN]
    if len(record["links"]) != len(expected["links"]):
        found.append(f"{len(record['links'])} links, the chain has {len(expected['links'])}")
    return found


def _guarded(checked: Checked, step: Callable[[Checked, Mapping[str, Any]], None], record: Mapping[str, Any]) -> None:
    try:
        step(checked, record)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        checked.expect(False, f"{step.__name__.strip('_')}: has not the shape of the schema ({type(error).__name__})")


def _head(checked: Checked, record: Mapping[str, Any]) -> None:
    checked.expect(record["head"] == head_of(record), "the head is not the hash over the record")  # (1)
    numbers = (record["chain_id"], record["as_of"]["block"], record["as_of"]["time"])
    checked.expect(all(type(number) is int for number in numbers), "the block is none")  # (1)


def _links(checked: Checked, record: Mapping[str, Any]) -> None:
    previous, last = START, (-1, -1, -1)
    operators = {version["id"]: version["operator"] for version in record["versions"]}
    for number, link in enumerate(record["links"]):
        checked.links += 1
        order = link["block"], link["time"], link["index"]
        in_order = order[0] > last[0] or (order[0] == last[0] and order[1] == last[1] and order[2] > last[2])
        checked.expect(link["number"] == number and in_order and order[1] >= last[1], f"link {number} is out of order")  # (2)
        previous, last = link_hash(previous, link), order
        checked.expect(link["hash"] == _hex(previous), f"link {number} is not what its hash says")  # (2)
        if link["raw"] is None:
            checked.expect(not link["signatures"], f"link {number} lists signatures without the bytes that hold them")  # (4)
            checked.doubt(f"link {number}: sender and call of 0x{link['tx'][2:12]}… are the node's word")
            continue
        _transaction(checked, record, link, operators)


def _transaction(checked: Checked, record: Mapping[str, Any], link: Mapping[str, Any], operators: Mapping[str, str]) -> None:
    number, mined = link["number"], rawtx.read(_raw(link["raw"]))
    if mined is None:
        checked.expect(False, f"link {number}: its bytes are no transaction")  # (3)
        return
    true = (_hex(mined.hash), mined.sender) == (link["tx"], link["sender"])
    checked.expect(true, f"link {number}: its bytes have another hash or sender")  # (3)
    checked.senders += true
    listed = list(signed_in(_domain(record), RoundId(_raw(record["round"]["id"])), mined.data))
    checked.expect(listed == link["signatures"], f"link {number}: its signatures are not those in its bytes")  # (4)
    _consents(checked, record, link, listed, operators)
    _commitments(checked, record, link, mined)


def _consents(
    checked: Checked,
    record: Mapping[str, Any],
    link: Mapping[str, Any],
    listed: Sequence[Mapping[str, Any]],
    operators: Mapping[str, str],
) -> None:
    """Each enrolment and each post of a link needs one good signature; what else its calldata holds proves nothing."""
    for what in _needed(link["events"]):
        kind, version = what[:2]
        found = [signed["signer"] for signed in listed if (signed["kind"], signed["version"], signed.get("position")) == what]
        key = record["round"]["operator"] if kind == "ask" else operators.get(version)
        checked.signatures += key in found
        if not found:
            checked.doubt(f"link {link['number']}: the {kind} of {version[:12]} is not found in its bytes")
        else:
            checked.expect(key in found, f"link {link['number']}: the {kind} of {version[:12]} is not signed by the key")  # (4)


def _commitments(checked: Checked, record: Mapping[str, Any], link: Mapping[str, Any], mined: rawtx.Mined) -> None:
    """What an event says was fixed is what the call says that its sender signed."""
    for event in link["events"]:
        if event["event"] not in MAKERS:
            continue
        direct = mined.to == record["contracts"][MAKERS[event["event"]][0]]
        if is_fixed(event["event"], event["arguments"], mined.data, direct=direct):
            continue
        what = f"link {link['number']}: {event['event']} is not what its bytes call for"
        if direct and is_whole(mined.data):
            checked.expect(False, what)  # (4)
        else:
            checked.doubt(what)  # a smart account may have computed it


def _needed(events: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, int | None]]:
    for event in events:
        arguments = event["arguments"]
        if event["event"] == "Enrolled":
            yield "enrol", arguments["version"], None
        elif event["event"] == "AnswerPosted":
            yield "ask", arguments["version"], arguments["position"]
            yield "answer", arguments["version"], arguments["position"]


def _ids(checked: Checked, record: Mapping[str, Any]) -> None:
    found, contracts = record["round"], record["contracts"]
    task, root = TaskId(_raw(found["task"])), _raw(found["set_root"])
    expected = round_id(
        record["chain_id"], contracts["rounds"], found["benchmarker"], task, root, found["items"], found["operator"]
    )
    checked.expect(_hex(expected) == found["id"], "the round's id does not follow from what it is made of")  # (5)
    for version in record["versions"]:
        made = version_id(ModelId(_raw(version["model"])), version["number"], _raw(version["commitment"]), version["operator"])
        checked.expect(_hex(made) == version["id"], f"version {version['id'][:12]}: its id does not follow")  # (6)


def _events(checked: Checked, record: Mapping[str, Any]) -> None:
    found, by_name = record["round"], _by_name(record)
    names = ("round", "benchmarker", "task", "operator", "setRoot", "items", "cardDigest")
    sealed = [tuple(e[name] for name in names) for e in by_name["Sealed"]]
    told = tuple(found[key] for key in ("id", "benchmarker", "task", "operator", "set_root", "items", "card_digest"))
    checked.expect(sealed == [told], "the seal among the events is not the round's")  # (7)
    bundles = [cid_of(_raw(e["bundleDigest"])) for e in by_name.get("Revealed", ())]
    checked.expect(bundles == ([found["bundle"]] if found["bundle"] else []), "the bundle among the events is another")  # (7)
    faults = [Fault(e["fault"]).name.lower() for e in by_name.get("RoundSlashed", ())]
    checked.expect(
        faults == ([] if found["fault"] == "none" else [found["fault"]]), "the fault among the events is another"
    )  # (7)
    checked.expect((found["phase"] == "slashed") == bool(faults), "the phase is not that of the fault")  # (7)
    enrolled = {e["version"] for e in by_name.get("Enrolled", ())}
    checked.expect(enrolled == {version["id"] for version in record["versions"]}, "others are enrolled than are listed")  # (7)
    committed = {(e["version"], e["operator"], e["commitment"]) for e in by_name.get("VersionCommitted", ())}
    for version in record["versions"]:
        made = version["id"], version["operator"], version["commitment"]
        checked.expect(made in committed, f"version {version['id'][:12]}: no event commits it")  # (7)
        roots = [e["rootHash"] for e in by_name.get("Attested", ()) if e["version"] == version["id"]]
        checked.expect(
            roots == ([version["root"]] if version["root"] else []), f"version {version['id'][:12]}: another root"
        )  # (7)


def _by_name(record: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Arguments of the events that are facts of the round, its task and its versions; money is left out."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for event in (event for link in record["links"] for event in link["events"]):
        if event["contract"] in ("rounds", "models", "tasks"):
            by_name.setdefault(event["event"], []).append(event["arguments"])
    return by_name


def _standings(checked: Checked, record: Mapping[str, Any]) -> None:
    found, by_name = record["round"], _by_name(record)
    registered = [_task(e["params"]) for e in by_name.get("TaskRegistered", ())]
    task = next((params for params in registered if _hex(task_id(params)) == found["task"]), None)
    checked.expect(task is not None, "the task's id does not follow from the parameters among the events")  # (9)
    if found["metric"] not in METRICS:
        checked.doubt(f"the scores: no metric {found['metric']!r} is shipped to recompute them")
    for version in record["versions"]:
        short, standing, score = f"version {version['id'][:12]}", "enrolled", 0
        for event in (e for e in by_name.get("Attested", ()) if e["version"] == version["id"]):
            standing, score = "scored" if event["complete"] else "incomplete", int(event["score"])
            if task is not None:
                checked.expect(
                    _is_scored(event, found["metric"], task), f"{short}: the score does not follow from its sums"
                )  # (9)
        if found["phase"] in ("slashed", "forfeited"):
            standing, score = "struck", 0
        told = version["standing"], version["score"]
        checked.expect(told == (standing, str(score)), f"{short}: another score or standing than was attested")  # (9)


def _is_scored(event: Mapping[str, Any], signature: str, task: TaskParams) -> bool:
    """Whether an attestation has the score of its sums, if the metric is one that we ship, and counts if it may."""
    counts, *sums = map(int, event["sums"])
    answered, silent, _ = unpack_counts(counts)
    complete = answered + silent > 0 and silent * _BPS <= task.max_silence_bps * (answered + silent)
    if complete and signature not in METRICS:
        return event["complete"] is True
    return (event["complete"], int(event["score"])) == (complete, METRICS[signature].score(sums) if complete else 0)


def _task(params: Sequence[Any]) -> TaskParams:
    digest, metric, *numbers = params
    return TaskParams(_raw(digest), checksum(_raw(metric)), *map(int, numbers))


def _keys(checked: Checked, record: Mapping[str, Any]) -> None:
    checked.expect(record["keys"] == keys_of(record), "the keys are not those of round, versions and links")  # (10)


def _exchanges(checked: Checked, record: Mapping[str, Any]) -> None:
    if record["exchanges"] is None:
        checked.doubt("no exchanges: the bundle was not at hand")
        return
    operators = {version["id"]: version["operator"] for version in record["versions"]}
    checked.expect([e["version"] for e in record["exchanges"]] == list(operators), "exchanges and versions differ")
    for exchange in record["exchanges"]:
        if exchange["items"] is None:
            checked.doubt(f"{exchange['messages']} messages of version {exchange['version'][:12]}: counted, not written out")
        else:
            _messages(checked, record, exchange, operators[exchange["version"]])


def _messages(checked: Checked, record: Mapping[str, Any], exchange: Mapping[str, Any], operator: str) -> None:
    short, domain = exchange["version"][:12], _domain(record)
    place = RoundId(_raw(record["round"]["id"])), VersionId(_raw(exchange["version"]))
    counts = {kind: {"signed": 0, "by_the_key": 0} for kind in ("ask", "answer", "ack")}
    for message in exchange["items"]:
        key = operator if message["kind"] == "answer" else record["round"]["operator"]
        good = recover(digest_to_sign(domain, *place, message), _raw(message["signature"])) == key
        counts[message["kind"]]["signed"] += 1
        counts[message["kind"]]["by_the_key"] += good
        checked.signatures += good
    told = {kind: exchange[kind] for kind in counts}
    checked.expect(told == counts, f"version {short}: messages are not signed as is counted: {counts}")  # (8)
    digest, total = digest_of(exchange["items"])
    same = (_hex(digest), total) == (exchange["digest"], exchange["messages"])
    checked.expect(same, f"version {short}: the messages are not those of the running hash")  # (8)


def _domain(record: Mapping[str, Any]) -> Domain:
    return Domain(record["chain_id"], checksum(_raw(record["contracts"]["rounds"])))


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])
