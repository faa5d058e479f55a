"""Every attack and every promise of the protocol names tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PROTOCOL = (ROOT / "contracts/PROTOCOL.md").read_text("utf-8")
TABLE = (TESTS / "ATTACKS.md").read_text("utf-8")
NAMED = re.compile(r"`([\w/.]+)::((?:test|testFuzz|invariant)_\w+)`")


def attacks() -> list[str]:
    section = PROTOCOL.split("\n## 10. ")[1].split("\n## ")[0].split("\n", 1)[1]
    return " ".join(section.split()).rstrip(".").split(" · ")


def promises() -> list[str]:
    return [f"{number} {text}" for number, text in re.findall(r"^\| (P\d+) \| (.+?) \|", PROTOCOL, re.MULTILINE)]


def rows(heading: str) -> dict[str, str]:
    section = TABLE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ") and "---" not in line]
    return dict(lines[1:])


def is_defined(name: str, text: str) -> bool:
    return re.search(rf"\b(?:function|def) {name}\(", text) is not None


def test_attacks__of_the_protocol__are_the_rows_of_the_table() -> None:
    assert list(rows("Attacks")) == attacks()
    assert len(attacks()) > 30


def test_promises__of_the_protocol__are_the_rows_of_the_table() -> None:
    assert list(rows("Promises")) == promises()
    assert len(promises()) == 11


@pytest.mark.parametrize(("what", "cell"), [*rows("Attacks").items(), *rows("Promises").items()])
def test_row__names_tests_that_exist(what: str, cell: str) -> None:
    named = NAMED.findall(cell)
    assert named, what
    assert "<br>".join(f"`{file}::{name}`" for file, name in named) == cell
    missing = [f"{file}::{name}" for file, name in named if not is_defined(name, (TESTS / file).read_text("utf-8"))]
    assert missing == []
