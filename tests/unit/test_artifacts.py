"""What the package ships of the contracts is what the sources compile to, byte for byte."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from assay.chain import artifacts, deployments
from assay.chain.deploy import planned
from assay.chain.devnet import CHAIN_ID
from assay.encoding.hashing import keccak
from vectors import make

ROOT = Path(__file__).resolve().parents[2]
EIP170 = 24_576


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_artifacts", ROOT / "scripts/build_artifacts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_artifacts__compiled_anew__are_the_same_bytes() -> None:
    module = builder()
    shipped = {path.stem: path.read_text() for path in module.TARGET.glob("*.json")}
    built = module.build()
    assert set(built) == set(shipped)
    assert [name for name in built if built[name] != shipped[name]] == [], "run: make artifacts"


def test_addresses_of_the_devnet__follow_from_the_artifacts() -> None:
    assert deployments.packaged(CHAIN_ID) == planned(CHAIN_ID)


def test_names__core_and_metrics__are_shipped() -> None:
    assert {*artifacts.CORE, *artifacts.metrics(), "Deployer"} == set(artifacts.names())


@pytest.mark.parametrize("name", artifacts.names())
def test_artifact__fits_the_chain(name: str) -> None:
    assert 0 < len(artifacts.load(name).deployed) <= EIP170


@pytest.mark.parametrize("name", artifacts.metrics())
def test_metric__has_no_state_and_no_constructor(name: str) -> None:
    artifact = artifacts.load(name)
    assert artifact.holes == ()
    assert all(item["type"] != "constructor" for item in artifact.abi)
    assert all(item["stateMutability"] in ("view", "pure") for item in artifact.abi if item["type"] == "function")


@pytest.mark.parametrize("name", artifacts.names())
def test_metadata__names_the_sources_by_their_hashes(name: str) -> None:
    for path, source in json.loads(artifacts.load(name).metadata)["sources"].items():
        assert source["keccak256"] == "0x" + keccak((ROOT / path).read_bytes()).hex()


def test_matches__immutables_differ__same_contract() -> None:
    artifact = artifacts.load("Rounds")
    code = bytearray(artifact.deployed)
    start, end = artifact.holes[0]
    code[start:end] = b"\xaa" * (end - start)
    assert artifact.matches(bytes(code))


@pytest.mark.parametrize("change", ["byte", "length"])
def test_matches__other_code__no(change: str) -> None:
    artifact = artifacts.load("Rounds")
    code = bytearray(artifact.deployed)
    if change == "byte":
        code[0] ^= 1
    else:
        code += b"\0"
    assert not artifact.matches(bytes(code))


def test_load__unknown__key_error() -> None:
    with pytest.raises(KeyError):
        artifacts.load("../../secrets")


def test_vectors__made_anew__are_the_same_bytes() -> None:
    shipped = Path(make.__file__).with_name("protocol.json").read_text()
    assert json.dumps(make.vectors(), indent=1) + "\n" == shipped, "run: make vectors"
