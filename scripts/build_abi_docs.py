"""Writes contracts/ABI.md from what the compiler says of the shipped contracts, and from the enums of the interfaces.

python scripts/build_abi_docs.py
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from assay.chain import artifacts
from assay.chain.abi import Entry, Interface

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "contracts/ABI.md"
HEAD = """\
# The ABI

Written by `make artifacts` from the NatSpec of the contracts that the package ships; a test compares. [README.md](README.md) says
who may call what and when, with every error; this page has the selectors, topics and numbers that a block explorer shows.
`assay explain` turns each of them into a sentence.
"""


def enums() -> dict[str, list[tuple[str, str]]]:
    """Every enum of the interfaces with its values in order, each with its comment."""
    found = {}
    for path in sorted((ROOT / "contracts/interfaces").glob("*.sol")):
        for name, body in re.findall(r"^enum (\w+) \{\n(.*?)^\}", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            found[name] = [(value, says) for value, says in re.findall(r"^ +(\w+),? // (.*)$", body, re.MULTILINE)]
    return found


def page() -> str:
    """The whole text."""
    lines = [HEAD, "## Enums", "", "| enum | number | name | meaning |", "|---|---|---|---|"]
    for name, values in enums().items():
        lines += [f"| {name} | {number} | {value} | {says} |" for number, (value, says) in enumerate(values)]
    for name in (*artifacts.CORE, "Deployer", *artifacts.metrics()):
        lines += ["", *_contract(name)]
    return "\n".join(lines) + "\n"


def _contract(name: str) -> Iterator[str]:
    artifact = artifacts.load(name)
    interface, output = Interface(artifact.abi), json.loads(artifact.metadata)["output"]
    users, developers = output["userdoc"], output["devdoc"]
    views = {item["name"] for item in artifact.abi if item.get("stateMutability") in ("view", "pure")}
    yield f"## {name}"
    yield from ("", str(users.get("notice", "")), "", "| function | selector | what | rules |", "|---|---|---|---|")
    for entry in sorted(interface.functions.values(), key=lambda entry: (entry.name in views, entry.name)):
        notice = users["methods"].get(entry.signature, {}).get("notice", "")
        details = developers["methods"].get(entry.signature, {}).get("details", "")
        yield f"| `{_shown(entry)}`{' view' if entry.name in views else ''} | `0x{entry.key.hex()}` | {notice} | {details} |"
    yield from _table("event", "topic", interface.events.values(), users.get("events", {}))
    yield from _table("error", "selector", interface.errors.values(), users.get("errors", {}))


def _table(what: str, key: str, entries: Any, notices: Mapping[str, Any]) -> Iterator[str]:
    if entries:
        yield from ("", f"| {what} | {key} | meaning |", "|---|---|---|")
    for entry in sorted(entries, key=lambda entry: str(entry.name)):
        found = notices.get(entry.signature, {})
        notice = (found[0] if isinstance(found, list) else found).get("notice", "")
        yield f"| `{_shown(entry)}` | `0x{entry.key.hex()}` | {notice} |"


def _shown(entry: Entry) -> str:
    """Name and parameters, each with its canonical type."""
    types = _split(entry.signature[len(entry.name) + 1 : -1])
    return f"{entry.name}({', '.join(_named(kind, item['name']) for kind, item in zip(types, entry.inputs, strict=True))})"


def _named(kind: str, name: str) -> str:
    return f"{kind} {name}".strip()


def _split(types: str) -> list[str]:
    """The types of a signature's list, tuples whole."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(types):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(types[start:at])
            start = at + 1
    return [*parts, types[start:]] if types else []


def main() -> None:
    """Write the page."""
    TARGET.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
