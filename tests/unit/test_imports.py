"""Imports point one way: base, metrics, chain and storage, then gateway, agent, audit and rank, then watch, explorer and cli."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import assay

PACKAGE = Path(assay.__file__).parent
BASE = {"types", "errors", "units", "encoding"}
MIDDLE = BASE | {"metrics", "chain", "storage"}
MAY_IMPORT = {
    "types": set(),
    "errors": set(),
    "units": set(),
    "encoding": {"types", "errors"},
    "metrics": BASE,
    "chain": BASE | {"metrics"},
    "storage": BASE | {"metrics"},
    "settings": {"errors"},
    "keys": BASE | {"settings"},
    "gateway": MIDDLE,
    "agent": MIDDLE,
    "audit": MIDDLE,
    "rank": MIDDLE | {"audit"},
    "watch": MIDDLE | {"audit"},
    "explorer": MIDDLE | {"audit", "rank"},
    "cli": MIDDLE | {"gateway", "agent", "audit", "rank", "watch", "explorer", "keys", "settings"},
}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Parts of the package that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            names = [f"assay.{alias.name}" for alias in node.names] if node.module == "assay" else [node.module or ""]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("assay.") and name != "assay.__version__")


FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.name != "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(PACKAGE)) for path in FILES])
def test_imports__of_a_file__point_one_way(path: Path) -> None:
    part = part_of(path)
    assert set(imported(path)) <= MAY_IMPORT[part] | {part}


def test_imports__every_part__has_a_rule() -> None:
    assert {part_of(path) for path in FILES} <= set(MAY_IMPORT)


def test_help__imports_nothing_heavy() -> None:
    heavy = {"assay.chain", "eth_abi", "fastapi", "httpx", "numpy", "sacrebleu", "eth_keyfile"}
    program = (
        "import sys\nfrom assay.cli.common import run\nfrom assay.cli.main import cli\nrun(cli, ['--help'])\n"
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ran.stderr == "[]\n"
