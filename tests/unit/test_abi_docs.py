"""The page of the ABI is what the contracts say, and the manual has a row for whatever can be called."""

import re
from pathlib import Path

import build_abi_docs
import pytest

from assay.chain import artifacts
from assay.chain.abi import Interface
from assay.chain.reverts import ENUMS

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "contracts/README.md").read_text("utf-8").split("## Who can do what, when")[1].split("\n## ")[0]
CALLABLE = (*artifacts.CORE, "Deployer")
ROWS = [
    (cells[0], re.findall(r"`(\w+)`", cells[1]), re.findall(r"`(\w+)`", cells[5]))
    for line in MANUAL.splitlines()
    if len(cells := re.split(r"\s*\|\s*", line.strip("| "))) == 6 and "`" in cells[1]
]


def writes(name: str) -> set[str]:
    """What somebody can call to change something, and the one view that is a verdict."""
    functions = [item for item in artifacts.load(name).abi if item["type"] == "function"]
    changing = {str(item["name"]) for item in functions if item["stateMutability"] in ("nonpayable", "payable")}
    return changing | ({"judge"} if name == "Judge" else set())


def test_page__written_anew__is_the_same() -> None:
    assert build_abi_docs.TARGET.read_text("utf-8") == build_abi_docs.page(), "run: python scripts/build_abi_docs.py"


def test_page__everything_that_a_contract_says__has_a_meaning() -> None:
    silent = [line for line in build_abi_docs.page().splitlines() if re.match(r"\| `[^|]*` (view )?\| `0x\w+` \|  \|", line)]
    assert silent == []


@pytest.mark.parametrize("kind", ENUMS)
def test_enums__of_the_interfaces__are_numbered_as_in_python(kind: str) -> None:
    names = [name for name, _ in build_abi_docs.enums()[kind.removeprefix("enum ")]]
    assert names == [value.name.title().replace("_", "") for value in ENUMS[kind]]


@pytest.mark.parametrize("name", CALLABLE)
def test_manual__every_function_that_changes_something__has_a_row(name: str) -> None:
    told = {function for contract, functions, _ in ROWS if contract == name for function in functions}
    assert told == writes(name)


def test_manual__errors_that_it_names__exist() -> None:
    interfaces = [Interface(artifacts.load(name).abi) for name in CALLABLE]
    known = {entry.name for interface in interfaces for entry in interface.errors.values()}
    known |= {function for interface in interfaces for function in interface.functions}
    assert {name for _, _, errors in ROWS for name in errors} <= known


@pytest.mark.parametrize("name", CALLABLE)
def test_manual__every_error_of_a_contract__is_named(name: str) -> None:
    named = {error for _, _, errors in ROWS for error in errors}
    views = {"UnknownNumber", "UnknownVersion"}  # of views alone
    assert {entry.name for entry in Interface(artifacts.load(name).abi).errors.values()} - views <= named
