"""Reads a bundle's items and answers in parts, hands them to whoever checks them, and joins what comes back in order.

Parts are cut by the bundle's bytes alone and joined in their order, so a report is the same, byte for byte, whoever checked them.
Memory does not grow with the texts: so many bytes are under way, and of what is done a tree keeps a node a level, the set a hash
an item.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from assay.audit.facts import ChainFacts, Sitting
from assay.audit.line_checks import StepNumbers
from assay.audit.parts import POSITION_BYTES, ItemSteps, Part, PartResult, VersionPart, check_part
from assay.audit.report import Log, Title
from assay.encoding.frontier import Frontier
from assay.encoding.seals import padding_hash, set_node
from assay.encoding.sumtree import add_sums, commitment, padding_node, parent
from assay.storage.bundle import ITEMS, Bundle, answers_name
from assay.storage.slices import Broken, slices
from assay.types import Node, Sums

__all__ = ["ReadItems", "ReadRound", "ReadVersion", "read_round"]

VERSIONS = 8
"""Versions whose lines are read side by side; the items are read once for each group of them."""
UNDER_WAY = 32 << 20
"""Bytes of lines that wait or are being checked, beside one part."""
FEW = 3
"""Fewer parts than this are checked here: to hand them out takes longer."""
_BUCKETS = 256
_HASH = 32


@dataclass(slots=True)
class ReadItems:
    """What all items together say. `broken` says why they could not all be read; then the rest is of those before."""

    log: Log
    tree: Frontier[bytes] = field(default_factory=lambda: Frontier(set_node))
    broken: Broken | None = None
    _prompts: list[bytearray] = field(default_factory=lambda: [bytearray() for _ in range(_BUCKETS)])

    @property
    def root(self) -> bytes:
        """Root of the set. ValueError where there is no item."""
        return self.tree.root(padding_hash)

    def remember(self, prompts: bytes) -> None:
        """Hashes of scored prompts with their positions, as a part gives them."""
        for at in range(0, len(prompts), _HASH + POSITION_BYTES):
            self._prompts[prompts[at]] += prompts[at : at + _HASH + POSITION_BYTES]

    def repeats(self) -> Iterator[tuple[int, int]]:
        """Positions whose prompt stood before, each with the first position of it; not sorted."""
        for bucket in self._prompts:
            first: dict[bytes, int] = {}
            for at in range(0, len(bucket), _HASH + POSITION_BYTES):
                position = int.from_bytes(bucket[at + _HASH : at + _HASH + POSITION_BYTES], "big")
                known = first.setdefault(bytes(bucket[at : at + _HASH]), position)
                if known != position:
                    yield position, known


@dataclass(slots=True)
class ReadVersion:
    """What all lines of a version together say. `true` is None where an item's statistics cannot be told."""

    sitting: Sitting
    log: Log
    true: Sums | None
    decoys_carry: bool
    tree: Frontier[Node] = field(default_factory=lambda: Frontier(parent))
    counts: list[int] = field(default_factory=lambda: [0, 0, 0])
    broken: Broken | None = None

    @property
    def root(self) -> Node:
        """Root of the score tree. ValueError where there is no line."""
        words = len(self.tree.subtrees[0].root.sums) if self.tree.end else 0
        return self.tree.root(lambda level: padding_node(level, words))

    @property
    def is_attested(self) -> bool:
        """Whether it is the tree that the chain holds."""
        return self.broken is None and commitment(self.root) == self.sitting.root_commitment

    def add(self, part: VersionPart, *, items_broken: bool) -> None:
        """The next part. Its findings do not count where the items could not be read up to it."""
        if self.broken is not None:
            return
        self.tree.extend(part.subtrees)
        self.broken = part.broken
        if not items_broken:
            self.log.absorb(part.log)
            self.counts = [one + other for one, other in zip(self.counts, part.counts, strict=True)]
            self.true = None if self.true is None or part.true is None else add_sums(self.true, part.true)

    def close(self) -> None:
        """After the last part."""
        if self.broken is None and not self.tree.end:
            name = answers_name(self.sitting.version.id)
            self.broken = Broken(f"{name}: has no lines", name)


@dataclass(frozen=True, slots=True)
class ReadRound:
    """Items and versions, the latter in the order of the sittings."""

    items: ReadItems
    versions: tuple[ReadVersion, ...]


def read_round(
    facts: ChainFacts,
    bundle: Bundle,
    sittings: Sequence[Sitting],
    groups: Sequence[object] | None,
    item_steps: ItemSteps,
    steps: StepNumbers,
    executor: Executor | None,
) -> ReadRound:
    """Reads the items and the answers of these sittings. `groups` are the card's, None where they are not to be compared.

    Parts are checked by `executor`, here where there is none. What a version's decoys carry is tried a second time if the first
    does not lead to its root.
    """
    reading = _Reading(facts, bundle, groups, item_steps, steps, executor)
    items = ReadItems(reading.log())
    found: list[ReadVersion] = []
    for at in range(0, max(len(sittings), 1), VERSIONS):
        group = sittings[at : at + VERSIONS]
        versions = reading.read(group, None if at else items, decoys_carry=False)
        again = [read for read in versions if read.counts[2] and read.broken is None and not read.is_attested]
        carrying = reading.read([read.sitting for read in again], None, decoys_carry=True) if again else []
        better = {read.sitting.version.id: read for read in carrying if read.is_attested}
        found += [better.get(read.sitting.version.id, read) for read in versions]
    return ReadRound(items, tuple(found))


@dataclass(frozen=True, slots=True)
class _Reading:
    facts: ChainFacts
    bundle: Bundle
    groups: Sequence[object] | None
    item_steps: ItemSteps
    steps: StepNumbers
    executor: Executor | None

    def log(self) -> Log:
        return Log([Title("", "")] * self.item_steps.steps)

    def read(self, sittings: Sequence[Sitting], items: ReadItems | None, *, decoys_carry: bool) -> list[ReadVersion]:
        """One pass over the items and these versions; `items` gathers what the items say, None where that is known."""
        zero = (0,) * self.facts.words
        found = [ReadVersion(sitting, self.log(), zero, decoys_carry) for sitting in sittings]
        items_broken = False
        with closing(self._parts(sittings, only_answers=items is None, decoys_carry=decoys_carry)) as parts:
            for result in _checked(self.executor, parts):
                for version, part in zip(found, result.versions, strict=True):
                    version.add(part, items_broken=items_broken)
                if items is not None and result.items is not None and not items_broken:
                    items.log.absorb(result.items.log)
                    items.tree.extend(result.items.subtrees)
                    items.remember(result.items.prompts)
                    items.broken = result.items_broken
                items_broken = items_broken or result.items_broken is not None
        for version in found:
            version.close()
        if items is not None and items.broken is None and not items.tree.end:
            items.broken = Broken(f"{ITEMS}: has no lines", ITEMS)
        return found

    def _parts(self, sittings: Sequence[Sitting], *, only_answers: bool, decoys_carry: bool) -> Generator[Part, None, None]:
        ids = {sitting.version.id for sitting in sittings}
        posted = sorted((entry for entry in self.facts.posted if entry.version in ids), key=lambda entry: entry.position)
        positions = [entry.position for entry in posted]
        names = (ITEMS, *(answers_name(sitting.version.id) for sitting in sittings))
        with closing(slices(self.bundle, names)) as cuts:
            for items, *answers in cuts:
                first, count = items.first, max(len(cut.lines) for cut in (items, *answers))
                near = tuple(posted[bisect_left(positions, first) : bisect_left(positions, first + count)])
                facts = replace(self.facts, sittings=tuple(sittings), posted=near)
                groups = self.groups[first : first + count] if self.groups is not None else None
                yield Part(
                    facts, items, tuple(answers), groups, self.item_steps, self.steps, only_answers, decoys_carry
                )  # fmt: skip


def _checked(executor: Executor | None, parts: Iterable[Part]) -> Iterator[PartResult]:
    """Results in the order of the parts, with a bound on the bytes that are under way."""
    parts = iter(parts)
    begun = list(islice(parts, FEW))
    if executor is None or len(begun) < FEW:
        yield from map(check_part, chain(begun, parts))
        return
    waiting: deque[tuple[Future[PartResult], int]] = deque()
    size = 0
    try:
        for part in chain(begun, parts):
            while waiting and size + part.size > UNDER_WAY:
                future, done = waiting.popleft()
                size -= done
                yield future.result()
            waiting.append((executor.submit(check_part, part), part.size))
            size += part.size
        while waiting:
            yield waiting.popleft()[0].result()
    finally:
        for future, _ in waiting:
            future.cancel()
