"""How `make audit` tells an explained finding from a new one."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

RUN = Path(__file__).resolve().parents[1] / "audit/run.py"


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_run", RUN)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def result(check: str, name: str) -> dict[str, object]:
    parent = {"type": "contract", "name": "Vault"}
    element = {
        "name": name,
        "source_mapping": {"filename_relative": "contracts/V.sol"},
        "type_specific_fields": {"parent": parent},
    }
    return {"check": check, "elements": [element]}


def test_found__a_report__detector_file_and_function(audit: ModuleType) -> None:
    report = {"results": {"detectors": [result("timestamp", "f"), result("timestamp", "f")]}}
    assert set(audit.found(report)) == {audit.Finding("timestamp", "contracts/V.sol:Vault.f")}
    assert list(audit.found({"results": {}})) == []


def test_differences__new_and_gone__are_both_told(audit: ModuleType) -> None:
    one, other = audit.Finding("a", "x"), audit.Finding("b", "y")
    assert audit.differences({one}, [one, one]) == []
    assert audit.differences(set(), [other]) == ["not explained: b at y"]
    assert audit.differences({one}, []) == ["explained, and not found any more: a at x"]


def test_differences__a_place_that_ends_in_a_star__covers_what_begins_so_under_its_detector(audit: ModuleType) -> None:
    row = audit.Finding("assembly", "contracts/metrics/*")
    inside, outside = (audit.Finding("assembly", f"contracts/{place}") for place in ("metrics/A.sol:A.f", "Vault.sol:V.f"))
    assert audit.differences({row}, [inside]) == []
    assert audit.differences({row}, [inside, outside]) == ["not explained: assembly at contracts/Vault.sol:V.f"]
    assert audit.differences({row}, [audit.Finding("other", inside.where)])[0] == f"not explained: other at {inside.where}"


def test_table__every_row__has_a_reason_of_its_own_line(audit: ModuleType) -> None:
    rows = [line for line in audit.TABLE.read_text("utf-8").split("## Halmos")[0].splitlines() if line.startswith("| `")]
    assert len(rows) == len(audit.explained())
