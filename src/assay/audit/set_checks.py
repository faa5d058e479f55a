"""Checks of the bundle as a whole and of the sealed set in it."""

import hashlib
from collections.abc import Iterator

from assay.audit.facts import ChainFacts
from assay.audit.openings import set_tree
from assay.audit.report import Finding, Log, show
from assay.encoding.hashing import keccak
from assay.errors import BadInput, Tampered
from assay.storage.bundle import CARD, ITEMS, MANIFEST, Bundle, ItemLine, ManifestFacts, answers_name
from assay.storage.cids import cid_of
from assay.storage.lines import canonical
from assay.types import Kind

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


def check_card(facts: ChainFacts, bundle: Bundle, log: Log, step: int) -> None:
    """The dataset card is the one named at the seal, and the items keep the groups that it fixed."""
    try:
        digest, card = bundle.card_digest(), bundle.card()
    except (Tampered, BadInput) as error:
        log.fail(step, Finding("dataset card", "a JSON object", error.message, error.where))
        return
    log.expect(step, "sha256 of the card", facts.card_digest, digest, CARD)
    groups = card.get("groups")
    if not isinstance(groups, list) or len(groups) != facts.round.items:
        got = f"{len(groups)} of them" if isinstance(groups, list) else "none"
        log.fail(step, Finding("groups of the card", f"one for each of {facts.round.items} positions", got, CARD))
        return
    try:
        for line in bundle.items():
            log.expect(step, f"group of item {line.position}", groups[line.position], line.group, _place(line))
    except (Tampered, BadInput) as error:
        log.missing([step], f"a readable {ITEMS} ({error.message})")


def check_items(facts: ChainFacts, bundle: Bundle, log: Log, root_step: int, repeat_step: int, cap_step: int) -> bool:
    """The items lead to the sealed root, no scored question comes twice, no text is over the cap.

    Says whether they are the sealed ones.
    """
    first: dict[bytes, int] = {}

    def checked() -> Iterator[ItemLine]:
        for line in bundle.items():
            _check_repeat(line, first, log, repeat_step)
            for name, text in (("prompt", line.prompt), ("reference", line.reference)):
                if len(text) > facts.task.max_bytes:
                    cap = f"at most {facts.task.max_bytes} bytes"
                    log.fail(cap_step, Finding(f"{name} of item {line.position}", cap, str(len(text)), _place(line)))
            yield line

    try:
        tree = set_tree(facts, checked())
    except (Tampered, BadInput) as error:
        log.fail(root_step, Finding(ITEMS, "one readable line a position", error.message, error.where))
        log.missing([repeat_step, cap_step], f"a readable {ITEMS}")
        return False
    return log.expect(root_step, "root of the set", facts.round.set_root, tree.root, ITEMS)


def _check_repeat(line: ItemLine, first: dict[bytes, int], log: Log, step: int) -> None:
    if line.kind is Kind.DECOY:
        return
    known = first.setdefault(keccak(line.prompt), line.position)
    if known != line.position:
        log.fail(step, Finding(f"prompt of item {line.position}", "asked once", f"the same as item {known}", _place(line)))


def _place(line: ItemLine) -> str:
    return f"{ITEMS}:{line.position + 1}"
