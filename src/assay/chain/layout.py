"""Where the contracts keep what a verification needs: storage slots of Rounds, ModelRegistry and TaskRegistry, and their fields.

Mirrors the structs in `contracts/RoundBook.sol`, `ModelRegistry.sol` and `interfaces/ITaskRegistry.sol`; tests hold it against
what the contracts' own views return. `Read` gives a slot's word, from a node or from a proof: the same code serves both.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from assay.chain.deployments import Deployment
from assay.encoding.hashing import checksum, keccak
from assay.types import (
    Address,
    Closing,
    Deadlines,
    Fault,
    ModelId,
    Phase,
    Round,
    RoundId,
    ScoreView,
    Standing,
    TaskId,
    TaskParams,
    Version,
    VersionId,
)

__all__ = ["Read", "Stored", "closing_of", "deadlines_of", "phase_of", "round_of", "stored", "view_of"]

Read = Callable[[Address, int], int]
"""The word in a slot of a contract."""

_RECORDS, _ENTRIES = 0, 1
_TASKS, _VERSIONS = 1, 1


@dataclass(frozen=True, slots=True)
class Record:
    """A round as it is stored. `digest` is the card's until the reveal, and the bundle's from then on."""

    set_root: bytes
    digest: bytes
    benchmarker: Address
    sealed_at: int
    items: int
    enrolled: int
    fault: Fault
    operator: Address
    task: int
    revealed_at: int
    attested: int
    queue_end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A version in a round as it is stored."""

    score: int
    answered: int
    silent: int
    decoys: int
    standing: Standing
    commitment: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """All words that a verification of one round needs, as their fields. Versions that were never committed are left out."""

    record: Record
    task: TaskParams
    entries: Mapping[VersionId, Entry]
    versions: Mapping[VersionId, Version]


def stored(read: Read, deployment: Deployment, round_: RoundId, versions: Iterable[VersionId]) -> Stored | None:
    """Reads a round with these versions; None where there is no such round."""
    record = _record(_Words(read, deployment.rounds, _at(round_, _RECORDS)))
    if not record.sealed_at:
        return None
    entries, known = {}, {}
    for version in versions:
        entries[version] = _entry(_Words(read, deployment.rounds, _nested(round_, version, _ENTRIES)))
        found = _version(version, _Words(read, deployment.models, _at(version, _VERSIONS)))
        if found.committed_at:
            known[version] = found
    task = _task(_Words(read, deployment.tasks, _at(record.task.to_bytes(32, "big"), _TASKS)))
    return Stored(record, task, entries, known)


def round_of(round_: RoundId, task: TaskId, r: Record) -> Round:
    """What `roundOf` returns."""
    bundle = r.digest if r.revealed_at else bytes(32)
    parties, times = (r.benchmarker, r.operator), (r.sealed_at, r.revealed_at)
    return Round(round_, r.set_root, task, *parties, r.items, *times, r.enrolled, r.attested, r.fault, bundle)


def deadlines_of(r: Record, task: TaskParams) -> Deadlines:
    """What `deadlinesOf` returns."""
    answer_by = r.sealed_at + task.answer_window
    attest_by = answer_by + task.attest_window
    reveal_by = attest_by + task.reveal_window
    return Deadlines(answer_by, attest_by, reveal_by, reveal_by + task.challenge_window)


def closing_of(r: Record, task: TaskParams) -> Closing:
    """What `closingOf` returns."""
    if not r.revealed_at:
        return Closing(0, 0)
    unqueued, queued = r.revealed_at + task.challenge_window, r.queue_end + task.challenge_window // 2
    return Closing(max(unqueued, queued), r.queue_end)


def phase_of(r: Record, task: TaskParams, now: int) -> Phase:
    """What `phaseOf` returns in a block of this time."""
    ends = deadlines_of(r, task)
    if r.fault is not Fault.NONE:
        return Phase.SLASHED
    if now < ends.answer_by:
        return Phase.ANSWERING
    if not r.enrolled:
        return Phase.VOID
    if r.attested < r.enrolled:
        return Phase.ATTESTING if now < ends.attest_by else Phase.FORFEITED
    if not r.revealed_at:
        return Phase.REVEALING if now < ends.reveal_by else Phase.FORFEITED
    return Phase.CHALLENGING if now < closing_of(r, task).final_at else Phase.FINAL


def view_of(entry: Entry, phase: Phase) -> ScoreView:
    """What `scoreOf` returns in that phase."""
    struck = entry.standing is not Standing.NONE and phase in (Phase.SLASHED, Phase.FORFEITED)
    standing, score = (Standing.STRUCK, 0) if struck else (entry.standing, entry.score)
    return ScoreView(phase, standing, score, entry.answered, entry.silent, entry.decoys)


class _Words:
    """The fields of a struct, taken one after the other from its slots, as the compiler packs them."""

    def __init__(self, read: Read, contract: Address, slot: int) -> None:
        self._read, self._contract, self._slot = read, contract, slot
        self._word, self._used, self._begun = 0, 32, False

    def take(self, size: int) -> int:
        """The next field of so many bytes; it begins a new slot where it does not fit into this one."""
        if self._used + size > 32:
            self._slot += self._begun
            self._word, self._used, self._begun = self._read(self._contract, self._slot % (1 << 256)), 0, True
        value = self._word >> (8 * self._used) & ((1 << (8 * size)) - 1)
        self._used += size
        return value

    def word(self) -> bytes:
        return self.take(32).to_bytes(32, "big")

    def address(self) -> Address:
        return checksum(self.take(20).to_bytes(20, "big"))


def _record(w: _Words) -> Record:
    set_root, digest = w.word(), w.word()
    benchmarker, sealed_at, items, enrolled, fault = w.address(), w.take(5), w.take(4), w.take(2), w.take(1)
    operator, task, revealed_at, attested = w.address(), w.take(4), w.take(5), w.take(2)
    w.take(1)  # settled
    queue_end = w.take(5)
    parties = (benchmarker, sealed_at, items, enrolled, Fault(fault), operator, task, revealed_at, attested)
    return Record(set_root, digest, *parties, queue_end)


def _entry(w: _Words) -> Entry:
    score, answered, silent, decoys, standing = w.take(8), w.take(4), w.take(4), w.take(4), w.take(1)
    w.take(1)  # settled
    return Entry(score, answered, silent, decoys, Standing(standing), w.word())


def _version(version: VersionId, w: _Words) -> Version:
    operator, committed_at, number, owner, model = w.address(), w.take(5), w.take(4), w.address(), w.word()
    return Version(version, ModelId(model), owner, operator, committed_at, number)


def _task(w: _Words) -> TaskParams:
    digest, metric = w.word(), w.address()
    return TaskParams(digest, metric, *(w.take(size) for size in (1, 4, 4, 2, 4, 4, 4, 4, 4, 12, 4, 12, 8)))


def _at(key: bytes, slot: int) -> int:
    return int.from_bytes(keccak(key + slot.to_bytes(32, "big")), "big")


def _nested(outer: bytes, inner: bytes, slot: int) -> int:
    return _at(inner, _at(outer, slot))
