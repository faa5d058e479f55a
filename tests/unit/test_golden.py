"""The golden files of the contracts are what the package ships and what the manual says."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests/forge/golden"
TABLE = (ROOT / "contracts/README.md").read_text("utf-8").split("\n## Gas\n")[1].split("\n## ")[0]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden", ROOT / "scripts/golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_code__of_the_artifacts__is_golden() -> None:
    assert script().code() == (GOLDEN / "code.json").read_text("utf-8"), "run: make golden"


def test_gas__of_the_manual__is_golden() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([\d,]+) \|", TABLE, re.MULTILINE)
    told = {what: int(gas.replace(",", "")) for what, gas in rows}
    golden = {what: int(gas) for what, gas in json.loads((GOLDEN / "gas.json").read_text("utf-8")).items()}
    assert told == golden
