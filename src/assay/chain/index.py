"""The event index: what happened to a round, a model or a version, rebuilt from logs alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from assay.chain import artifacts
from assay.chain.abi import Interface, decode_event
from assay.chain.client import Chain
from assay.chain.logs import Log, block_at, logs
from assay.types import Address, DemandState, Fault, ModelId, Node, RoundId, Skip, TaskId, TaskParams, VersionId


@dataclass(frozen=True, slots=True)
class Sealed:
    """A round began. `block` and `tx` say where."""

    round: RoundId
    benchmarker: Address
    task: TaskId
    operator: Address
    set_root: bytes
    items: int
    card_digest: bytes
    block: int
    tx: bytes


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A version was enrolled."""

    version: VersionId
    block: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A version could not be enrolled."""

    version: VersionId
    reason: Skip
    block: int


@dataclass(frozen=True, slots=True)
class Posted:
    """An answer was posted with its full text. `tx` says where: its calldata holds the Ask as well."""

    version: VersionId
    position: int
    prompt_hash: bytes
    response: bytes
    answer_signature: bytes
    block: int
    tx: bytes


@dataclass(frozen=True, slots=True)
class Attested:
    """A score tree was attested; `score` is zero where it is not complete."""

    version: VersionId
    root: Node
    score: int
    complete: bool
    block: int


@dataclass(frozen=True, slots=True)
class Revealed:
    """The bundle was revealed."""

    digest: bytes
    block: int


@dataclass(frozen=True, slots=True)
class Slashed:
    """A fault was proven."""

    fault: Fault
    challenger: Address
    block: int


@dataclass(frozen=True, slots=True)
class Forfeited:
    """A missed deadline was paid for."""

    caller: Address
    block: int


@dataclass(frozen=True)
class RoundLog:
    """All that happened to a round up to `to_block`, in the order of the chain."""

    round: RoundId
    to_block: int
    sealed: Sealed | None = None
    enrolled: tuple[Enrolled, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    posted: tuple[Posted, ...] = ()
    attested: Mapping[VersionId, Attested] = field(default_factory=dict)
    revealed: Revealed | None = None
    slashed: Slashed | None = None
    forfeited: Forfeited | None = None
    released: bool = False
    versions_released: tuple[VersionId, ...] = ()
    versions_slashed: tuple[VersionId, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version was committed."""

    version: VersionId
    model: ModelId
    operator: Address
    number: int
    commitment: bytes
    block: int


@dataclass(frozen=True, slots=True)
class DemandRecord:
    """A position was demanded, and what became of it."""

    version: VersionId
    position: int
    demander: Address
    deadline: int
    state: DemandState
    block: int


def round_log(chain: Chain, round_: RoundId, to_block: int | None = None) -> RoundLog:
    """Everything that happened to a round up to a block (the head, if none is named). An unknown round has an empty log."""
    last = chain.head().number if to_block is None else to_block
    facts = chain.rounds.round(round_, at=last)
    if facts is None:
        return RoundLog(round_, last)
    first = block_at(chain.node, facts.sealed_at, min(chain.deployment.first_block, last), last)
    interface = _interface("Rounds")
    found: dict[str, list[Any]] = {}
    for log in logs(chain.node, chain.deployment.rounds, [None, round_], first, last):
        event = interface.events.get(log.topics[0])
        if event is not None and event.name in _READERS:
            found.setdefault(event.name, []).append(_READERS[event.name](decode_event(event, log.topics, log.data), log))
    return _assemble(round_, last, found)


def demands_of(chain: Chain, round_: RoundId, to_block: int | None = None) -> tuple[DemandRecord, ...]:
    """Demands of a round in the order of the chain, each with its state at that block (the head, if none is named)."""
    last = chain.head().number if to_block is None else to_block
    facts = chain.rounds.round(round_, at=last)
    if facts is None:
        return ()
    first = block_at(chain.node, facts.sealed_at, min(chain.deployment.first_block, last), last)
    interface = _interface("Disputes")
    found: dict[tuple[bytes, int], DemandRecord] = {}
    for log in logs(chain.node, chain.deployment.disputes, [None, round_], first, last):
        event = interface.events.get(log.topics[0])
        if event is None or event.name not in _DEMAND_STATES:
            continue
        values = decode_event(event, log.topics, log.data)
        place = values["version"], values["position"]
        state = _DEMAND_STATES[event.name]
        if state is DemandState.OPEN:
            version = VersionId(values["version"])
            found[place] = DemandRecord(version, values["position"], values["demander"], values["deadline"], state, log.block)
        else:
            found[place] = replace(found[place], state=state)
    return tuple(found.values())


def sealed_rounds(
    chain: Chain,
    benchmarker: Address | None = None,
    task: TaskId | None = None,
    to_block: int | None = None,
    from_block: int | None = None,
) -> tuple[Sealed, ...]:
    """Rounds in the order of their seals, of one benchmarker and of one task where they are named."""
    interface = _interface("Rounds")
    who = bytes(12) + bytes.fromhex(benchmarker[2:]) if benchmarker else None
    last = chain.head().number if to_block is None else to_block
    topics = [interface.topic("Sealed"), None, who, task]
    first = chain.deployment.first_block if from_block is None else from_block
    found = logs(chain.node, chain.deployment.rounds, topics, first, last)
    event = interface.events[interface.topic("Sealed")]
    return tuple(_sealed(decode_event(event, log.topics, log.data), log) for log in found)


def registered_tasks(chain: Chain, to_block: int | None = None) -> tuple[tuple[TaskId, TaskParams], ...]:
    """All tasks with their parameters, in the order of their registration."""
    interface = _interface("TaskRegistry")
    topic = interface.topic("TaskRegistered")
    last = chain.head().number if to_block is None else to_block
    found = logs(chain.node, chain.deployment.tasks, [topic], chain.deployment.first_block, last)
    events = (decode_event(interface.events[topic], log.topics, log.data) for log in found)
    return tuple((TaskId(event["task"]), TaskParams(*event["params"])) for event in events)


def versions_of(chain: Chain, model: ModelId, to_block: int | None = None) -> tuple[VersionRecord, ...]:
    """Versions of a model in their order."""
    return _versions(chain, None, model, to_block)


def version_log(chain: Chain, version: VersionId, to_block: int | None = None) -> VersionRecord | None:
    """How a version was committed, None where it never was."""
    return next(iter(_versions(chain, version, None, to_block)), None)


def _versions(chain: Chain, version: VersionId | None, model: ModelId | None, to_block: int | None) -> tuple[VersionRecord, ...]:
    interface = _interface("ModelRegistry")
    topic = interface.topic("VersionCommitted")
    last = chain.head().number if to_block is None else to_block
    found = logs(chain.node, chain.deployment.models, [topic, version, model], chain.deployment.first_block, last)
    return tuple(_committed(decode_event(interface.events[topic], log.topics, log.data), log) for log in found)


def _interface(name: str) -> Interface:
    return Interface(artifacts.load(name).abi)


def _committed(values: Mapping[str, Any], log: Log) -> VersionRecord:
    return VersionRecord(
        VersionId(values["version"]),
        ModelId(values["model"]),
        values["operator"],
        values["number"],
        values["commitment"],
        log.block,
    )


def _sealed(values: Mapping[str, Any], log: Log) -> Sealed:
    return Sealed(
        round=RoundId(values["round"]),
        benchmarker=values["benchmarker"],
        task=TaskId(values["task"]),
        operator=values["operator"],
        set_root=values["setRoot"],
        items=values["items"],
        card_digest=values["cardDigest"],
        block=log.block,
        tx=log.tx,
    )


def _posted(values: Mapping[str, Any], log: Log) -> Posted:
    return Posted(
        version=VersionId(values["version"]),
        position=values["position"],
        prompt_hash=values["promptHash"],
        response=values["response"],
        answer_signature=values["answerSignature"],
        block=log.block,
        tx=log.tx,
    )


def _attested(values: Mapping[str, Any], log: Log) -> Attested:
    root = Node(values["rootHash"], values["sums"])
    return Attested(VersionId(values["version"]), root, values["score"], values["complete"], log.block)


_DEMAND_STATES: Mapping[str, DemandState] = {
    "Demanded": DemandState.OPEN,
    "DemandAnswered": DemandState.ANSWERED,
    "FeeReclaimed": DemandState.RECLAIMED,
}

_READERS: Mapping[str, Callable[[Mapping[str, Any], Log], Any]] = {
    "Sealed": _sealed,
    "Enrolled": lambda values, log: Enrolled(VersionId(values["version"]), log.block),
    "EnrolSkipped": lambda values, log: Skipped(VersionId(values["version"]), Skip(values["reason"]), log.block),
    "AnswerPosted": _posted,
    "Attested": _attested,
    "Revealed": lambda values, log: Revealed(values["bundleDigest"], log.block),
    "RoundForfeited": lambda values, log: Forfeited(values["caller"], log.block),
    "RoundSlashed": lambda values, log: Slashed(Fault(values["fault"]), values["challenger"], log.block),
    "RoundReleased": lambda _values, _log: True,
    "VersionReleased": lambda values, _log: VersionId(values["version"]),
    "VersionSlashed": lambda values, _log: VersionId(values["version"]),
}


def _assemble(round_: RoundId, last: int, found: Mapping[str, list[Any]]) -> RoundLog:
    def one(name: str) -> Any:
        return found[name][0] if name in found else None

    return RoundLog(
        round=round_,
        to_block=last,
        sealed=one("Sealed"),
        enrolled=tuple(found.get("Enrolled", ())),
        skipped=tuple(found.get("EnrolSkipped", ())),
        posted=tuple(found.get("AnswerPosted", ())),
        attested={attested.version: attested for attested in found.get("Attested", ())},
        revealed=one("Revealed"),
        slashed=one("RoundSlashed"),
        forfeited=one("RoundForfeited"),
        released="RoundReleased" in found,
        versions_released=tuple(found.get("VersionReleased", ())),
        versions_slashed=tuple(found.get("VersionSlashed", ())),
    )
