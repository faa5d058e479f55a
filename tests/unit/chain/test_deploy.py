import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from assay.chain import artifacts, deployments
from assay.chain.client import Chain
from assay.chain.deploy import FACTORY, FACTORY_MAKER, deploy, planned
from assay.chain.deployments import CONTRACTS
from assay.chain.devnet import CHAIN_ID, ETHER, Devnet, Options, find_anvil, fund
from assay.chain.node import Node
from assay.encoding.hashing import checksum, keccak
from assay.errors import BadInput, Refused, Unreachable, WrongChain
from assay.types import Phase, RoundId
from unit.chain import world


@pytest.mark.chain
def test_deploy__twice_and_by_another__same_addresses_and_no_transaction(devnet: Devnet) -> None:
    before = devnet.node.head()
    poor = world.signer("has nothing")
    assert deploy(devnet.node, poor) == devnet.deployment
    assert devnet.node.head() == before


@pytest.mark.chain
def test_deploy__on_two_chains__the_planned_addresses(devnet: Devnet) -> None:
    with Devnet(Options(block_time=0)) as other:
        assert replace(other.deployment, first_block=0) == replace(devnet.deployment, first_block=0) == planned(CHAIN_ID)


@pytest.mark.chain
def test_deploy__interrupted__is_finished(devnet: Devnet) -> None:
    """A chain that stops after every single transaction of the deployment ends with the same contracts."""
    with Devnet(Options(block_time=0)) as fresh:
        node = fresh.node
        payer = world.signer("payer")
        for stop in range(1, 8):
            node.request("anvil_reset")
            fund(node, payer.address, 100 * ETHER)
            node.request("anvil_setNonce", [payer.address, "0x0"])
            snapshot_code(node, payer, stop)
            assert deploy(node, payer).rounds == devnet.deployment.rounds


def snapshot_code(node: Node, payer: world.LocalSigner, stop: int) -> None:
    """Begin to deploy with a key that fails after `stop` signatures."""

    class Dying:
        address = payer.address
        left = stop

        def sign(self, digest: bytes) -> bytes:
            if not self.left:
                raise RuntimeError("power cut")
            self.left -= 1
            return payer.sign(digest)

    with pytest.raises(RuntimeError):
        deploy(node, Dying())


@pytest.mark.chain
@pytest.mark.parametrize("block_seconds", [0, 1])
def test_deploy__no_create2_deployer__brings_it(devnet: Devnet, block_seconds: int) -> None:
    with Devnet(Options(block_time=0)) as fresh:
        code = fresh.node.code(FACTORY)
        fresh.node.request("anvil_reset")
        fresh.node.request("anvil_setCode", [FACTORY, "0x"])
        fresh.node.request("anvil_setNonce", [FACTORY, "0x0"])
        fresh.node.request("anvil_setBalance", [FACTORY_MAKER, "0x0"])
        payer = world.signer("payer")
        fund(fresh.node, payer.address, 100 * ETHER)
        if block_seconds:  # not mined at once, as everywhere but on a development chain
            fresh.node.request("evm_setIntervalMining", [block_seconds])
        assert deploy(fresh.node, payer).vault == devnet.deployment.vault
        assert fresh.node.code(FACTORY) == code


@pytest.mark.chain
def test_connect__other_chain_id__wrong_chain(devnet: Devnet) -> None:
    with pytest.raises(WrongChain, match="chain 31337, not 1"):
        Chain.connect(devnet.rpc, replace(devnet.deployment, chain_id=1))


@pytest.mark.chain
def test_connect__nothing_there__wrong_chain(devnet: Devnet) -> None:
    with pytest.raises(WrongChain, match="no Rounds"):
        Chain.connect(devnet.rpc, replace(devnet.deployment, rounds=checksum(b"\x01" * 20)))


@pytest.mark.chain
def test_connect__other_code_there__wrong_chain(devnet: Devnet) -> None:
    with pytest.raises(WrongChain, match="not the Rounds"):
        Chain.connect(devnet.rpc, replace(devnet.deployment, rounds=devnet.deployment.vault))


@pytest.mark.chain
def test_connect__no_deployment_named__the_packaged_one(devnet: Devnet) -> None:
    chain = Chain.connect(devnet.rpc)
    assert replace(chain.deployment, first_block=0) == replace(devnet.deployment, first_block=0)
    assert chain.rounds.phase(RoundId(keccak(b"none"))) is Phase.UNKNOWN
    chain.close()


@pytest.mark.chain
def test_fund__another_chain__refused() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        devnet.node.request("anvil_setChainId", [5])
        with pytest.raises(Refused):
            fund(devnet.node, world.signer("x").address, 1)


@pytest.mark.chain
def test_devnet__port_taken__unreachable(devnet: Devnet) -> None:
    with pytest.raises(Unreachable, match="did not start"):
        Devnet(Options(port=int(devnet.rpc.rsplit(":", 1)[1])))


@pytest.mark.chain
def test_devnet__kept_in_a_file__goes_on_after_a_jump_in_time(tmp_path: Path) -> None:
    kept = Options(state=tmp_path / "chain.json", block_time=0)
    with Devnet(kept) as first:
        first.node.request("evm_increaseTime", [30 * 86_400])
        first.node.request("evm_mine")
        head = first.node.head()
        fund(first.node, world.signer("x").address, 7)
    with Devnet(kept) as second:
        assert second.node.block(head.number) == head
        assert second.node.balance(world.signer("x").address) == 7
        second.node.request("evm_mine")
        assert second.node.head().timestamp > head.timestamp
        assert second.deployment == first.deployment


def test_find_anvil__named_but_missing__falls_back_or_bad_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ASSAY_ANVIL", str(tmp_path / "none"))
    with pytest.raises(BadInput):
        find_anvil()


@pytest.mark.chain
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_devnet_command__until_a_signal__serves_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    file = tmp_path / "deployment.json"
    command = [str(Path(sys.executable).with_name("assay")), "--json", "--deployment", str(file), "devnet", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "ASSAY_ANVIL": str(find_anvil())})
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    chain = Chain.connect(ready["rpc"], deployments.load(file))
    first = chain.head().number
    time.sleep(1.5)
    assert chain.head().number > first
    chain.close()
    process.send_signal(number)
    assert process.wait(15) == 0
    process.stdout.close()
    with Node(ready["rpc"]) as node, pytest.raises(Unreachable):
        node.chain_id()


def test_save__then_load__the_same(tmp_path: Path) -> None:
    made = planned(7, first_block=3)
    deployments.save(tmp_path / "a/d.json", made)
    assert deployments.load(tmp_path / "a/d.json") == made
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["d.json"]


def good() -> dict[str, object]:
    record: dict[str, object] = json.loads(deployments.to_json(planned(1)))
    return record


@pytest.mark.parametrize(
    "record",
    [
        [],
        {},
        good() | {"schema": 2},
        good() | {"chain_id": "1"},
        good() | {"first_block": -1},
        good() | {"contracts": {}},
        good() | {"contracts": dict.fromkeys(CONTRACTS, "0x12")},
        good() | {"metrics": []},
        good() | {"metrics": {"Bleu": 7}},
    ],
)
def test_load__no_deployment__bad_input_names_the_file(tmp_path: Path, record: object) -> None:
    (tmp_path / "d.json").write_text(json.dumps(record))
    with pytest.raises(BadInput, match=r"d\.json"):
        deployments.load(tmp_path / "d.json")


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b" " * 70_000, b"[" * 60_000])
def test_load__rubbish__bad_input(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "d.json").write_bytes(raw)
    with pytest.raises(BadInput):
        deployments.load(tmp_path / "d.json")


def test_load__missing__bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        deployments.load(tmp_path / "d.json")


def test_packaged__unknown_chain__bad_input() -> None:
    with pytest.raises(BadInput, match="chain 424242"):
        deployments.packaged(424242)


def test_planned__six_contracts_and_metrics__all_different() -> None:
    plan = planned(1)
    addresses = [getattr(plan, name) for name in CONTRACTS] + list(plan.metrics.values())
    assert len(set(addresses)) == len(CONTRACTS) + len(artifacts.metrics())
