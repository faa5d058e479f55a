"""The dataset card: what the benchmarker says of its set. Pinned at the seal by its digest, published with the bundle.

`groups` is added here, the group of each position, so that the resampling of the ranking cannot be chosen afterwards.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from assay.agent.records import SetItem
from assay.errors import BadInput
from assay.storage.limits import DEFAULT_LIMITS
from assay.storage.lines import canonical
from assay.types import Address

SCHEMA = 1
MAX_CARD_BYTES = 65_536
TEXTS = ("name", "author", "origin", "licence", "collected")
LISTS = ("languages", "affiliations", "tags")
ORIGINS = ("human", "machine", "mixed", "unstated")
UNSTATED = "unstated"


def read_card(path: Path) -> Mapping[str, Any]:
    """A card from a JSON file. BadInput names what is unknown or wrong."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_CARD_BYTES + 1)
        card = orjson.loads(raw) if len(raw) <= MAX_CARD_BYTES else None
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "name another file", where=str(path)) from None
    except orjson.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", "mend it", where=f"{path}:{error.lineno}") from None
    if not isinstance(card, dict):
        raise BadInput("not a JSON object, or too long", f"at most {MAX_CARD_BYTES} bytes", where=str(path))
    _check(card, str(path))
    return card


def _check(card: Mapping[str, Any], where: str) -> None:
    unknown = sorted(card.keys() - {*TEXTS, *LISTS, "schema"})
    if unknown:
        raise BadInput(f"unknown fields: {', '.join(unknown):.200}", f"known are {', '.join(TEXTS + LISTS)}", where=where)
    for name in TEXTS:
        if not isinstance(card.get(name, ""), str):
            raise BadInput(f"{name} is not a text", "write it in quotes", where=where)
    for name in LISTS:
        value = card.get(name, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise BadInput(f"{name} is not a list of texts", 'write it like ["eng", "spa"]', where=where)
    if card.get("origin", UNSTATED) not in ORIGINS:
        raise BadInput(f"origin is {card['origin']!r:.40}", f"write {', '.join(ORIGINS)}", where=where)


def card_bytes(set_name: str, benchmarker: Address, card: Mapping[str, Any], placed: Sequence[SetItem]) -> bytes:
    """card.json, canonical. What nobody stated says so; an item without a group is a group of its own, named by its position.

    BadInput where it is larger than what readers take.
    """
    whole: dict[str, Any] = {"schema": SCHEMA, "name": set_name, "author": benchmarker}
    whole |= dict.fromkeys(("origin", "licence", "collected"), UNSTATED)
    whole |= {name: [] for name in LISTS}
    whole |= {name: value for name, value in card.items() if name != "schema"}
    found = canonical(whole | {"groups": [group_of(item, position) for position, item in enumerate(placed)]})
    if len(found) > DEFAULT_LIMITS.card_bytes:
        what = f"the dataset card has {len(found)} bytes, readers take {DEFAULT_LIMITS.card_bytes}"
        raise BadInput(what, "shorten the names of the groups, or make two sets of it", where=set_name)
    return found


def group_of(item: SetItem, position: int) -> str:
    """Group of the item at a position."""
    return item.group or f"#{position}"


def card_text(card: bytes) -> str:
    """card.md: the same for people."""
    facts = orjson.loads(card)
    lines = [f"# {facts['name']}", ""]
    lines += [f"* {name}: {facts[name]}" for name in TEXTS if name != "name"]
    lines += [f"* {name}: {', '.join(facts[name]) or 'none stated'}" for name in LISTS]
    groups = len(set(facts["groups"]))
    return "\n".join([*lines, f"* positions: {len(facts['groups'])} in {groups} groups", ""])
