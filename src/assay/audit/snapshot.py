"""A round's facts from an exported chain snapshot and one block hash that the reader trusts. Pure; nothing else is believed.

    (1)  The last header hashes to the trusted block; each other one is the parent of the next.
    (2)  The contracts are those of the reader's deployment, and the code at each, under its state root, is the one we ship.
    (3)  Round, task, versions, scores and commitments are read from storage, each word under that state root.
    (4)  The round's id follows from what is stored, and with it the chain's id.
    (5)  Each block before answerBy whose bloom admits an event of the round brings all of its receipts, under its receipts root:
         nothing can be left out of Sealed (the card's digest), Enrolled (the order) and AnswerPosted (the posted answers). Where
         an answer was posted, the block's transactions come too, under its transactions root: only they hold the Ask.
    (6)  As many versions are enrolled as is stored, each with a standing; no others are told of.
    (7)  Each version's commitment is the one in its id, each root the one in its stored commitment.
    (8)  Nothing in the file is left over.

What a metric says of itself is known here for the code that we ship; another code is shown by its hash and says nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import rlp
from trie import HexaryTrie
from trie.exceptions import MissingTraversalNode, MissingTrieNode

from assay.audit.calldata import calls_in
from assay.audit.evidence import HeldAnswer, HeldAsk, Message
from assay.audit.facts import ChainFacts, MetricFacts, Posted, Sitting
from assay.chain import artifacts
from assay.chain.abi import Interface, decode_event
from assay.chain.deployments import CONTRACTS, Deployment
from assay.chain.headers import Entry, Header, calldata_of, header_of, list_root, logs_of, may_hold
from assay.chain.layout import Stored, closing_of, deadlines_of, phase_of, round_of, stored, view_of
from assay.chain.snapshots import BlockReceipts, Snapshot, account_key, load, slot_key
from assay.encoding.hashing import checksum, keccak
from assay.encoding.ids import round_id, task_id, version_id
from assay.encoding.sumtree import commitment
from assay.errors import AssayError, Tampered, WrongChain
from assay.metrics import METRICS
from assay.types import Address, Block, Node, Standing, VersionId

__all__ = ["Proven", "prove", "read"]

T = TypeVar("T")
_REMEDY = "Export it again, from another node if this happens twice."
_SLOT_BYTES, _HASH_BYTES = 32, 32


class Proven(NamedTuple):
    """What `collect` and `posted_messages` would say at the trusted block, and whose contracts these are."""

    facts: ChainFacts
    messages: tuple[Message, ...]
    deployment: Deployment


def read(path: Path, trusted: bytes, deployment: Deployment | None = None) -> Proven:
    """What a file proves. Errors as `prove`, and BadInput where it is no snapshot.

    Without a deployment the packaged one of the snapshot's chain is taken.
    """
    from assay.chain.deployments import packaged

    snapshot = load(path)
    return prove(snapshot, trusted, deployment or packaged(snapshot.chain_id))


def prove(snapshot: Snapshot, trusted: bytes, deployment: Deployment) -> Proven:
    """What a snapshot proves under one trusted hash.

    Tampered, naming the part, where anything in the snapshot is not what it should be; WrongChain where it is of another chain,
    other contracts or other code than the deployment's.
    """
    headers = _headers(snapshot, trusted)  # (1)
    state = _State(snapshot, headers[-1])
    _check_contracts(snapshot, deployment, state)  # (2)
    told = tuple(version for version, _ in snapshot.commitments)
    found = stored(state.read, deployment, snapshot.round, told)  # (3)
    if found is None:
        raise Tampered("the trusted block knows no such round", _REMEDY, where="round")
    _check_id(snapshot, deployment, found)  # (4)
    events = _Events(snapshot, headers, deployment, found)  # (5)
    _check_enrolled(told, events, found)  # (6)
    sittings = tuple(_sittings(snapshot, found, headers[-1]))  # (7)
    metric = _metric(state, found.task.metric)
    state.demand_used()  # (8)
    facts = _facts(snapshot, deployment, headers[-1], found, events, sittings, metric)
    return Proven(facts, tuple(events.messages), deployment)


def _facts(
    snapshot: Snapshot,
    deployment: Deployment,
    head: Header,
    found: Stored,
    events: "_Events",
    sittings: tuple[Sitting, ...],
    metric: MetricFacts,
) -> ChainFacts:
    return ChainFacts(
        chain_id=snapshot.chain_id,
        contracts={name: getattr(deployment, name) for name in CONTRACTS},
        block=Block(head.number, head.hash, head.timestamp),
        round=round_of(snapshot.round, task_id(found.task), found.record),
        phase=phase_of(found.record, found.task, head.timestamp),
        deadlines=deadlines_of(found.record, found.task),
        card_digest=events.card_digest,
        task=found.task,
        metric=metric,
        sittings=sittings,
        posted=tuple(events.posted),
        closing=closing_of(found.record, found.task),
    )


def _headers(snapshot: Snapshot, trusted: bytes) -> list[Header]:
    headers = [header_of(raw, f"header {index}") for index, raw in enumerate(snapshot.headers)]
    if not headers or headers[-1].hash != trusted:
        got = f"it ends in 0x{headers[-1].hash.hex()}" if headers else "it is empty"
        raise Tampered(f"the chain does not end in the trusted block 0x{trusted.hex()}: {got}", _REMEDY, where="headers")
    for index, (one, following) in enumerate(pairwise(headers)):
        if following.parent != one.hash or following.number != one.number + 1:
            raise Tampered(f"block {one.number} is not the parent of block {following.number}", _REMEDY, where=f"header {index}")
    return headers


class _Nodes(dict[bytes, bytes]):
    """Trie nodes by their hashes; knows which were used."""

    def __init__(self, nodes: tuple[bytes, ...]) -> None:
        super().__init__((keccak(node), node) for node in nodes)
        self.used: set[bytes] = set()

    def __getitem__(self, key: bytes) -> bytes:
        node = super().__getitem__(key)
        self.used.add(key)
        return node


class _State:
    """Accounts and storage under the state root of one header."""

    def __init__(self, snapshot: Snapshot, head: Header) -> None:
        self._nodes, self._root = _Nodes(snapshot.nodes), head.state_root
        self._codes = {keccak(code): code for code in snapshot.codes}
        self._counts = len(snapshot.nodes), len(snapshot.codes)
        self._used_codes: set[bytes] = set()
        self._accounts: dict[Address, tuple[bytes, bytes]] = {}

    def read(self, contract: Address, slot: int) -> int:
        """The word in a slot."""
        root, _ = self._account(contract)
        raw = self._proven(root, slot_key(slot), f"storage of {contract}, slot 0x{slot:064x}")
        word = _decoded(raw, f"storage of {contract}, slot 0x{slot:064x}") if raw else b""
        if not isinstance(word, bytes) or len(word) > _SLOT_BYTES:
            raise Tampered("is no word", _REMEDY, where=f"storage of {contract}, slot 0x{slot:064x}")
        return int.from_bytes(word, "big")

    def code(self, contract: Address) -> bytes:
        """The code of a contract."""
        _, digest = self._account(contract)
        if digest not in self._codes:
            raise Tampered("the code with the proven hash is missing", _REMEDY, where=f"code of {contract}")
        self._used_codes.add(digest)
        return self._codes[digest]

    def demand_used(self) -> None:
        """Tampered where a node or a code served for nothing."""
        if (len(self._nodes.used), len(self._used_codes)) != self._counts:
            raise Tampered("holds nodes or codes that prove nothing, or one twice", _REMEDY, where="nodes")

    def _account(self, contract: Address) -> tuple[bytes, bytes]:
        if contract not in self._accounts:
            where = f"account {contract}"
            fields = _decoded(self._proven(self._root, account_key(contract), where), where)
            if not isinstance(fields, list) or len(fields) != 4 or any(len(part) != _HASH_BYTES for part in fields[2:]):
                raise Tampered("is no account of the state", _REMEDY, where=where)
            self._accounts[contract] = fields[2], fields[3]
        return self._accounts[contract]

    def _proven(self, root: bytes, key: bytes, where: str) -> bytes:
        try:
            return bytes(HexaryTrie(self._nodes, root).get(key))
        except (MissingTrieNode, MissingTraversalNode, KeyError):
            raise Tampered("a node of its proof is missing or altered", _REMEDY, where=where) from None


def _decoded(raw: bytes, where: str) -> Any:
    try:
        return rlp.decode(raw)
    except (rlp.exceptions.RLPException, TypeError, RecursionError):
        raise Tampered("is not what a state holds", _REMEDY, where=where) from None


def _check_contracts(snapshot: Snapshot, deployment: Deployment, state: _State) -> None:
    for field, name, address in zip(CONTRACTS, artifacts.CORE, snapshot.contracts, strict=True):
        expected: Address = getattr(deployment, field)
        if address != expected:
            raise WrongChain(f"the snapshot's {name} is at {address}, the deployment's at {expected}", "check --deployment")
        if not artifacts.load(name).matches(state.code(address)):
            raise WrongChain(f"the code at {address} is not the {name} of this release", "use the release it was made by")
    if snapshot.chain_id != deployment.chain_id:
        raise WrongChain(f"the snapshot is of chain {snapshot.chain_id}, not {deployment.chain_id}", "check --deployment")


def _check_id(snapshot: Snapshot, deployment: Deployment, found: Stored) -> None:
    r, task = found.record, task_id(found.task)
    expected = round_id(snapshot.chain_id, deployment.rounds, r.benchmarker, task, r.set_root, r.items, r.operator)
    if expected != snapshot.round:
        message = f"does not follow from what is stored: expected 0x{expected.hex()}, got 0x{snapshot.round.hex()}"
        raise Tampered(message, _REMEDY, where="round")


class _Events:
    """What the round logged before answerBy, completely."""

    def __init__(self, snapshot: Snapshot, headers: list[Header], deployment: Deployment, found: Stored) -> None:
        self._round, self._rounds = snapshot.round, deployment.rounds
        self._interface = Interface(artifacts.load("Rounds").abi)
        self._cards: list[bytes] = []
        self.enrolled: list[VersionId] = []
        self.posted: list[Posted] = []
        self.messages: list[Message] = []
        self._read(snapshot, headers, deadlines_of(found.record, found.task).answer_by)
        if len(self._cards) != 1:
            raise Tampered("the round's seal is not among its events", _REMEDY, where="receipts")
        self.card_digest = self._cards[0]

    def _read(self, snapshot: Snapshot, headers: list[Header], answer_by: int) -> None:
        wanted = (bytes.fromhex(self._rounds[2:]), self._round)
        given = iter(snapshot.receipts)
        for header in headers:
            if header.timestamp < answer_by and may_hold(header.bloom, wanted):
                block = next(given, None)
                if block is None or block.number != header.number or list_root(block.receipts) != header.receipts_root:
                    where = f"receipts of block {header.number}"
                    raise Tampered("they are missing, or do not lead to the block's receipts root", _REMEDY, where=where)
                self._note(block, header)
            if not self._cards:
                raise Tampered("the first block is not that of the seal", _REMEDY, where="header 0")
        if next(given, None) is not None:
            raise Tampered("there are receipts of a block that needs none", _REMEDY, where="receipts")

    def _note(self, block: BlockReceipts, header: Header) -> None:
        posted = len(self.posted)
        for index, receipt in enumerate(block.receipts):
            for log in logs_of(receipt, f"receipt {index} of block {block.number}"):
                if checksum(log.address) == self._rounds and len(log.topics) > 1 and log.topics[1] == self._round:
                    self._take(log, block, header, index)
        if block.transactions and len(self.posted) == posted:
            raise Tampered("nothing of them is needed", _REMEDY, where=f"transactions of block {block.number}")

    def _take(self, log: Entry, block: BlockReceipts, header: Header, index: int) -> None:
        event = self._interface.events.get(log.topics[0])
        if event is None:
            return
        values = decode_event(event, log.topics, log.data)
        if event.name == "Sealed":
            self._cards.append(values["cardDigest"])
        elif event.name == "Enrolled":
            self.enrolled.append(VersionId(values["version"]))
        elif event.name == "AnswerPosted":
            self._post(values, _calldata(block, header, index))

    def _post(self, values: Mapping[str, Any], calldata: bytes) -> None:
        """The posted answer, and as messages the Answer and the Ask that came with it."""
        version, position, prompt_hash, response = (values[name] for name in ("version", "position", "promptHash", "response"))
        place = self._round, VersionId(version), position
        self.posted.append(Posted(place[1], position, prompt_hash, keccak(response)))
        self.messages.append(HeldAnswer(*place, prompt_hash, keccak(response), values["answerSignature"], response))
        for round_, (id_, at, asked, until, _, ask_signature, _) in calls_in(self._interface, "postAnswer", calldata):
            if (round_, id_, at, asked) == (*place, prompt_hash):
                self.messages.append(HeldAsk(*place, prompt_hash, until, ask_signature))
                break


def _calldata(block: BlockReceipts, header: Header, index: int) -> bytes:
    where = f"transactions of block {block.number}"
    if len(block.transactions) != len(block.receipts) or list_root(block.transactions) != header.transactions_root:
        raise Tampered("they are missing, or do not lead to the block's transactions root", _REMEDY, where=where)
    return calldata_of(block.transactions[index], where)


def _check_enrolled(told: tuple[VersionId, ...], events: _Events, found: Stored) -> None:
    if list(told) != events.enrolled or len(told) != found.record.enrolled:
        message = f"{found.record.enrolled} are enrolled by state, {len(events.enrolled)} by event, {len(told)} are told of"
        raise Tampered(message, _REMEDY, where="versions")
    for version in told:
        if found.entries[version].standing is Standing.NONE or version not in found.versions:
            raise Tampered("is not enrolled by what is stored", _REMEDY, where=f"version 0x{version.hex()}")


def _sittings(snapshot: Snapshot, found: Stored, head: Header) -> Iterator[Sitting]:
    roots = dict(snapshot.roots)
    phase = phase_of(found.record, found.task, head.timestamp)
    if len(roots) != len(snapshot.roots) or not set(roots) <= {version for version, _ in snapshot.commitments}:
        raise Tampered("roots of versions that are not enrolled, or two of one", _REMEDY, where="roots")
    for id_, committed in snapshot.commitments:
        version, entry = found.versions[id_], found.entries[id_]
        if version_id(version.model, version.number, committed, version.operator) != id_:
            raise Tampered("is not the one that its id follows from", _REMEDY, where=f"commitment of version 0x{id_.hex()}")
        _check_root(id_, roots.get(id_), entry.commitment)
        yield Sitting(version, committed, roots.get(id_), entry.commitment, entry.score, view_of(entry, phase))


def _check_root(version: VersionId, root: Node | None, expected: bytes) -> None:
    where = f"root of version 0x{version.hex()}"
    if root is None and expected != bytes(32):
        raise Tampered("is missing, and the version is attested", _REMEDY, where=where)
    if root is not None and _or_tampered(lambda: commitment(root), where) != expected:
        raise Tampered("is not the one that the chain has a commitment to", _REMEDY, where=where)


def _or_tampered(compute: Callable[[], T], where: str) -> T:
    try:
        return compute()
    except (AssayError, ValueError, OverflowError):
        raise Tampered("is not of the form that it should have", _REMEDY, where=where) from None


def _metric(state: _State, address: Address) -> MetricFacts:
    code = state.code(address)
    shipped = next((name for name in artifacts.metrics() if artifacts.load(name).matches(code)), "")
    mirror = next((metric for metric in METRICS.values() if type(metric).__name__ == shipped), None)
    if mirror is None:
        return MetricFacts("", 0, 0, keccak(code), shipped)
    return MetricFacts(mirror.signature, mirror.words, mirror.max_bytes, keccak(code), shipped)
