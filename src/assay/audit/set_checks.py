"""Checks of the bundle as a whole and of the sealed set in it."""

import hashlib
from collections.abc import Iterator
from heapq import nsmallest

from assay.audit.facts import ChainFacts
from assay.audit.parts import ItemSteps
from assay.audit.reading import ReadItems
from assay.audit.report import SHOWN, Finding, Log, show
from assay.errors import BadInput, Tampered
from assay.storage.bundle import CARD, ITEMS, MANIFEST, Bundle, ManifestFacts, answers_name
from assay.storage.cids import cid_of
from assay.storage.lines import canonical

__all__ = ["check_card", "check_digest", "check_files", "check_items", "check_manifest", "check_published"]


def check_digest(facts: ChainFacts, bundle: Bundle, log: Log, step: int) -> bool:
    """The folder is, byte for byte, the one that the chain names; else the place of the first difference is sought."""
    expected, got = cid_of(facts.round.bundle_digest), bundle.root_cid()
    if expected == got:
        return True
    where, what = _place_of_damage(facts, bundle)
    log.fail(step, Finding(f"the bundle ({what})", expected, got, where))
    return False


def _place_of_damage(facts: ChainFacts, bundle: Bundle) -> tuple[str, str]:
    try:
        told = bundle.manifest.facts
        if told.round != facts.round.id:
            return f"{MANIFEST}:1", f"it is of round {show(told.round)}"
        bundle.check_files()
        for _ in bundle.items():
            pass
        for entry in told.versions:
            for _ in bundle.answers(entry.version):
                pass
    except (Tampered, BadInput) as error:
        return error.where or MANIFEST, error.message
    return f"{MANIFEST}:1", "it agrees with itself: the manifest was rewritten with the rest"


def check_files(bundle: Bundle, log: Log, step: int) -> bool:
    """The manifest can be read, and every file is what it says; says whether the manifest can be read."""
    try:
        _ = bundle.manifest
    except (Tampered, BadInput) as error:
        log.fail(step, Finding(MANIFEST, "a manifest of this schema", error.message, error.where or MANIFEST))
        return False
    try:
        bundle.check_files()
    except (Tampered, BadInput) as error:
        log.fail(step, Finding("files", "what the manifest says", error.message, error.where))
    return True


def check_manifest(facts: ChainFacts, told: ManifestFacts, log: Log, step: int) -> None:
    """The manifest is about this round on this chain."""
    r, where = facts.round, f"{MANIFEST}:1"
    pairs: dict[str, tuple[object, object]] = {
        "chain id": (facts.chain_id, told.chain_id),
        "round": (r.id, told.round),
        "benchmarker": (r.benchmarker, told.benchmarker),
        "operator": (r.operator, told.operator),
        "items": (r.items, told.items),
        "set root": (r.set_root, told.set_root),
        "task parameters": (facts.task, told.task_params),
        "description digest": (facts.task.description_digest, hashlib.sha256(canonical(told.description)).digest()),
        **{f"contract {name}": (address, told.contracts.get(name)) for name, address in facts.contracts.items()},
    }
    for item, (expected, got) in pairs.items():
        log.expect(step, item, expected, got, where)


def check_published(facts: ChainFacts, told: ManifestFacts, log: Log, step: int) -> None:
    """The bundle holds exactly the enrolled versions, each under its model."""
    enrolled = {sitting.version.id: sitting.version.model for sitting in facts.sittings}
    published = {entry.version: entry.model for entry in told.versions}
    for version in sorted(enrolled.keys() - published.keys()):
        log.fail(step, Finding(f"version {version.hex()}", "published", "left out", answers_name(version), version))
    for version in sorted(published.keys() - enrolled.keys()):
        log.fail(step, Finding(f"version {version.hex()}", "only enrolled versions", "not enrolled", answers_name(version)))
    for version in sorted(enrolled.keys() & published.keys()):
        log.expect(step, f"model of version {version.hex()}", enrolled[version], published[version], f"{MANIFEST}:1")


def check_card(facts: ChainFacts, bundle: Bundle, log: Log, step: int) -> list[object] | None:
    """The dataset card is the one named at the seal; the groups that it fixes, one a position, None where it does not."""
    try:
        digest, card = bundle.card_digest(), bundle.card()
    except (Tampered, BadInput) as error:
        log.fail(step, Finding("dataset card", "a JSON object", error.message, error.where))
        return None
    log.expect(step, "sha256 of the card", facts.card_digest, digest, CARD)
    groups = card.get("groups")
    if not isinstance(groups, list) or len(groups) != facts.round.items:
        got = f"{len(groups)} of them" if isinstance(groups, list) else "none"
        log.fail(step, Finding("groups of the card", f"one for each of {facts.round.items} positions", got, CARD))
        return None
    return groups


def check_items(facts: ChainFacts, read: ReadItems, log: Log, steps: ItemSteps, *, groups: bool) -> bool:
    """The items keep their `groups` if these were compared, lead to the sealed root, and no scored question comes twice.

    Says whether they are the sealed ones.
    """
    log.absorb(read.log)
    _check_repeats(read, log, steps.repeats)
    if read.broken is not None:
        log.fail(steps.root, Finding(ITEMS, "one readable line a position", *read.broken))
        log.missing([steps.repeats, steps.caps], f"a readable {ITEMS}")
        if groups:
            log.missing([steps.groups], f"a readable {ITEMS} ({read.broken.message})")
        return False
    return log.expect(steps.root, "root of the set", facts.round.set_root, read.root, ITEMS)


def _check_repeats(read: ReadItems, log: Log, step: int) -> None:
    """Repeats are found by their hashes, in no order; the first of them are shown."""
    found = 0

    def counted() -> Iterator[tuple[int, int]]:
        nonlocal found
        for repeat in read.repeats():
            found += 1
            yield repeat

    shown = nsmallest(SHOWN, counted())
    for position, first in shown:
        item, where = f"prompt of item {position}", f"{ITEMS}:{position + 1}"
        log.fail(step, Finding(item, "asked once", f"the same as item {first}", where))
    log.steps[step - 1].failures += found - len(shown)
