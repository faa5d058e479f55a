"""The unit of work of a verification: the lines of some positions, of the items and of some versions, checked by themselves.

A part holds all that is needed, so it may be checked in another process or on another machine: no file, no network, no state.
"""

from collections.abc import Sequence
from typing import NamedTuple

from assay.audit.facts import ChainFacts, Sitting
from assay.audit.line_checks import LineChecks, StepNumbers
from assay.audit.openings import leaf_node
from assay.audit.report import Finding, Log, Title
from assay.encoding.frontier import Frontier, Subtree
from assay.encoding.hashing import keccak
from assay.encoding.seals import set_leaf, set_node
from assay.encoding.sumtree import parent
from assay.storage.bundle import ItemLine
from assay.storage.slices import Broken, Slice, read_answers, read_items
from assay.types import Kind, Node, Sums

__all__ = ["POSITION_BYTES", "ItemSteps", "ItemsPart", "Part", "PartResult", "VersionPart", "check_part"]

POSITION_BYTES = 4


class ItemSteps(NamedTuple):
    """Which step each kind of finding about the sealed set belongs to, and how many steps there are."""

    groups: int
    root: int
    repeats: int
    caps: int
    steps: int


class Part(NamedTuple):
    """What `check_part` works on.

    `facts` has the sittings of these versions alone, in the order of `answers`, and what was posted at these positions.
    `groups` are the card's for these positions, None where they are not to be compared. Items are checked unless `only_answers`.
    `decoys_carry` as in `openings`.
    """

    facts: ChainFacts
    items: Slice
    answers: tuple[Slice, ...]
    groups: Sequence[object] | None
    item_steps: ItemSteps
    steps: StepNumbers
    only_answers: bool
    decoys_carry: bool

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return self.items.size + sum(answers.size for answers in self.answers)


class ItemsPart(NamedTuple):
    """Items of a part: findings, subtrees of the set, and each scored prompt's hash with its position."""

    log: Log
    subtrees: tuple[Subtree[bytes], ...]
    prompts: bytes


class VersionPart(NamedTuple):
    """One version's lines of a part. `broken` says why the lines end; the log is of those lines that have an item."""

    log: Log
    subtrees: tuple[Subtree[Node], ...]
    counts: tuple[int, ...]
    true: Sums | None
    broken: Broken | None


class PartResult(NamedTuple):
    """What was found, in the order of the part's sittings."""

    items_broken: Broken | None
    items: ItemsPart | None
    versions: tuple[VersionPart, ...]


def check_part(part: Part) -> PartResult:
    """All checks of these positions."""
    items, broken = read_items(part.items)
    found = None if part.only_answers else _check_items(part, items)
    versions = zip(part.facts.sittings, part.answers, strict=True)
    return PartResult(broken, found, tuple(_check_version(part, items, sitting, lines) for sitting, lines in versions))


def _log(part: Part) -> Log:
    return Log([Title("", "")] * part.item_steps.steps)


def _check_items(part: Part, items: list[ItemLine]) -> ItemsPart:
    facts, log = part.facts, _log(part)
    tree, prompts = Frontier(set_node, part.items.first), bytearray()
    for number, line in enumerate(items):
        _check_item(part, number, line, log)
        tree.push(set_leaf(facts.chain_id, facts.rounds, facts.round.benchmarker, line.item))
        if line.kind is not Kind.DECOY:
            prompts += keccak(line.prompt) + line.position.to_bytes(POSITION_BYTES, "big")
    return ItemsPart(log, tree.subtrees, bytes(prompts))


def _check_item(part: Part, number: int, line: ItemLine, log: Log) -> None:
    where, most = f"{part.items.name}:{line.position + 1}", part.facts.task.max_bytes
    if part.groups is not None:
        expected = part.groups[number] if number < len(part.groups) else "no item there"
        log.expect(part.item_steps.groups, f"group of item {line.position}", expected, line.group, where)
    for name, text in (("prompt", line.prompt), ("reference", line.reference)):
        if len(text) > most:
            found = Finding(f"{name} of item {line.position}", f"at most {most} bytes", str(len(text)), where)
            log.fail(part.item_steps.caps, found)


def _check_version(part: Part, items: list[ItemLine], sitting: Sitting, lines: Slice) -> VersionPart:
    facts, log, tree = part.facts, _log(part), Frontier(parent, lines.first)
    checks = LineChecks(facts, sitting, log, part.steps)
    answers, broken = read_answers(lines)
    for number, line in enumerate(answers):
        if len(line.sums) != facts.words:
            where = f"{lines.name}:{line.position + 1}"
            broken = Broken(f"{where}: has {len(line.sums)} sums, the task asks for {facts.words}", where)
            break
        tree.push(leaf_node(line, decoys_carry=part.decoys_carry))
        if number < len(items):
            checks.line(items[number], line, decoys_carry=part.decoys_carry)
    return VersionPart(log, tree.subtrees, tuple(checks.counts), checks.true, broken)
