"""Deployed code against published sources, judged by the library behind Sourcify: `make sourcify` installs it."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.chain import artifacts, verification
from assay.chain.devnet import ETHER, Devnet, fund
from assay.cli import common
from assay.cli.main import cli
from assay.errors import BadInput

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SMALL = "ExactMatch"
Judged = dict[str, Any]


@pytest.fixture(scope="module")
def sources(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `assay deploy` leaves for source verifiers."""
    root = tmp_path_factory.mktemp("deploy")
    (root / "password").write_text("deployer\n")
    (root / "password").chmod(0o600)
    (root / "secret").write_text("0x" + b"pays for a deployment".hex().rjust(64, "0"))
    password = ["--password-file", str(root / "password")]
    made = common.run(
        cli, ["--home", str(root), "keys", "import", "payer", "--secret-file", str(root / "secret"), "--light", *password]
    )
    fund(devnet.node, json.loads((root / "keys/payer.json").read_text())["address"], ETHER)
    words = ["--rpc", devnet.rpc, "--home", str(root), "deploy", "--key", "payer", *password, "--sources", str(ROOT)]
    assert (made, common.run(cli, [*words, "--out", str(root / "deployments")])) == (0, 0)
    return root / "deployments" / f"{devnet.deployment.chain_id}-sources"


def job(sources: Path, name: str) -> dict[str, Any]:
    entry = json.loads((sources / "index.json").read_text())[name]
    return {**entry, "input": json.loads((sources / f"{name}.json").read_text())}


def judged(devnet: Devnet, *jobs: dict[str, Any]) -> list[Judged]:
    if not (HERE / "node_modules").is_dir():
        pytest.fail("lib-sourcify is not installed: make sourcify")
    words = ["node", str(HERE / "verify.cjs"), devnet.rpc, str(devnet.deployment.chain_id)]
    ran = subprocess.run(words, input=json.dumps(jobs), capture_output=True, text=True, check=True, timeout=540)
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.chain
@pytest.mark.slow
def test_deploy__all_contracts__are_perfect_matches_of_their_sources(devnet: Devnet, sources: Path) -> None:
    names = artifacts.names()
    found = judged(devnet, *(job(sources, name) for name in names))
    deployed = verification.addresses(devnet.deployment)
    assert found == [{"address": deployed[name], "runtime": "perfect"} for name in names]


def edited(made: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    path = made["contract"].split(":")[0]
    other = copy.deepcopy(made)
    text = other["input"]["sources"][path]["content"]
    assert change(text) != text
    other["input"]["sources"][path]["content"] = change(text)
    return other


@pytest.mark.chain
def test_verify__other_comment__is_partial(devnet: Devnet, sources: Path) -> None:
    other = edited(job(sources, SMALL), lambda text: text + "// one more line\n")
    assert judged(devnet, other)[0]["runtime"] == "partial"


@pytest.mark.chain
def test_verify__other_constant__matches_nothing(devnet: Devnet, sources: Path) -> None:
    other = edited(job(sources, SMALL), lambda text: text.replace("1e18", "1e17"))
    found = judged(devnet, other)[0]
    assert "no_match" in found["error"]


@pytest.mark.chain
def test_verify__source_of_another_contract__matches_nothing(devnet: Devnet, sources: Path) -> None:
    other = job(sources, SMALL) | {"address": devnet.deployment.vault}
    assert "runtime" not in judged(devnet, other)[0]


@pytest.mark.chain
def test_deploy__twice__the_same_files(devnet: Devnet, sources: Path) -> None:
    before = {path.name: path.read_bytes() for path in sources.iterdir()}
    verification.write(sources, devnet.deployment, verification.inputs(ROOT))
    assert {path.name: path.read_bytes() for path in sources.iterdir()} == before
    assert set(before) == {f"{name}.json" for name in artifacts.names()} | {"index.json"}


@pytest.mark.chain
def test_index__creation_code_with_the_arguments__makes_the_code_that_stands_there(devnet: Devnet, sources: Path) -> None:
    for name, entry in json.loads((sources / "index.json").read_text()).items():
        creation = "0x" + artifacts.load(name).bytecode.hex() + entry["constructor_arguments"][2:]
        made = devnet.node.request("eth_call", [{"data": creation, "gas": hex(30_000_000)}, "latest"])
        assert bytes.fromhex(made[2:]) == devnet.node.code(entry["address"]), name


def copied(folder: Path) -> Path:
    """The sources that the artifacts name, in a folder of their own."""
    for name in artifacts.names():
        for path in json.loads(artifacts.load(name).metadata)["sources"]:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes((ROOT / path).read_bytes())
    return folder


def test_inputs__a_source_differs_in_a_byte__bad_input_names_it(tmp_path: Path) -> None:
    root = copied(tmp_path)
    assert verification.inputs(root) == verification.inputs(ROOT)
    file = root / "contracts/Judge.sol"
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(BadInput, match=r"contracts/Judge\.sol: this is not the source"):
        verification.inputs(root)


def test_inputs__no_sources__bad_input_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read") as raised:
        verification.inputs(tmp_path)
    assert "--sources" in raised.value.remedy


@pytest.mark.chain
def test_dry_run__shows_the_addresses_and_needs_no_key(
    devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = common.run(cli, ["--json", "--rpc", devnet.rpc, "--home", str(tmp_path / "none"), "deploy", "--dry-run"])
    shown = json.loads(capsys.readouterr().out)
    assert (code, shown["sent"], shown["Rounds"]) == (0, False, devnet.deployment.rounds)
    assert list(tmp_path.iterdir()) == []
