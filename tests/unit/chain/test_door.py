import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
import rlp
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from assay.chain.client import Chain
from assay.chain.contracts import Call
from assay.chain.devnet import ETHER, Devnet, Options, fund
from assay.chain.door import GWEI, Door, Site
from assay.chain.node import Node
from assay.chain.transactions import Price, SignedTx, sign
from assay.encoding.hashing import keccak
from assay.errors import BadKey, NoFunds, NotYet, Reverted, Unreachable
from unit.chain import world

SECRET = keccak(b"a key")


@pytest.fixture
def poor(chain: Chain) -> Door:
    return Door(chain, world.signer("poor"))


def test_sign__same_bytes_as_eth_account() -> None:
    call = Call(world.signer("x").address, b"\x01\x02", 3, "test")
    signed = sign(world.LocalSigner(SECRET), call, chain_id=31337, nonce=7, gas=50_000, price=Price(9 * GWEI, GWEI))
    fields = {
        "chainId": 31337,
        "nonce": 7,
        "maxPriorityFeePerGas": GWEI,
        "maxFeePerGas": 9 * GWEI,
        "gas": 50_000,
        "to": call.to,
        "value": 3,
        "data": b"\x01\x02",
        "type": 2,
    }
    oracle = Account.sign_transaction(fields, SECRET)
    assert (signed.raw, signed.hash) == (bytes(oracle.raw_transaction), bytes(oracle.hash))
    assert TypedTransaction.from_bytes(oracle.raw_transaction).transaction_type == 2
    assert len(rlp.decode(signed.raw[1:])) == 12


@pytest.mark.chain
def test_send__no_signer__bad_key_and_dry_run_works(chain: Chain) -> None:
    door = Door(chain, None)
    call = chain.vault.deposit(world.signer("x").address, 0)
    with pytest.raises(BadKey):
        door.send(call)
    assert door.dry_run(call).gas > 21_000


@pytest.mark.chain
def test_send__no_money__no_funds_names_the_command_and_nothing_was_signed(chain: Chain, poor: Door) -> None:
    journal: list[SignedTx] = []
    with pytest.raises(NoFunds) as raised:
        poor.send(chain.vault.deposit(str(poor.address), 1), journal.append)
    assert f"assay devnet fund {poor.address}" in raised.value.remedy
    assert journal == []


@pytest.mark.chain
def test_send__money_for_the_value_but_not_for_gas__no_funds(chain: Chain) -> None:
    key = world.signer("no gas")
    chain.node.request("anvil_setBalance", [key.address, hex(1_000)])
    with pytest.raises(NoFunds):
        Door(chain, key).send(chain.vault.deposit(key.address, 1_000))


@pytest.mark.chain
def test_dry_run__sender_without_money__no_funds(chain: Chain) -> None:
    sender = world.signer("penniless").address
    with pytest.raises(NoFunds):
        Door(chain, None).dry_run(chain.vault.deposit(sender, 1), sender)


@pytest.mark.chain
def test_send__contract_refuses__reverted_with_decoded_error_and_remedy(chain: Chain) -> None:
    door = world.door(chain, "sealer")
    journal: list[SignedTx] = []
    with pytest.raises(Reverted) as raised:
        door.send(chain.rounds.seal(str(door.address), world.TaskId(bytes(32)), bytes(32), 1, bytes(32)), journal.append)
    assert raised.value.error == f"UnknownTask(task=0x{'00' * 32})"
    assert "assay task register" in raised.value.remedy
    assert journal == []


@pytest.mark.chain
def test_send__too_little_stake__no_funds_names_deposit(chain: Chain) -> None:
    door = world.door(chain, "withdrawer")
    with pytest.raises(NoFunds, match="InsufficientFree") as raised:
        door.send(chain.vault.withdraw(1, str(door.address)))
    assert "deposit" in raised.value.remedy


@pytest.mark.chain
def test_dry_run__changes_nothing(chain: Chain) -> None:
    door = world.door(chain, "dry")
    before = chain.node.balance(str(door.address)), chain.head().number
    door.dry_run(chain.vault.deposit(str(door.address), ETHER))
    assert (chain.node.balance(str(door.address)), chain.head().number) == before


@pytest.mark.chain
def test_send__journal__is_called_before_the_chain_knows(chain: Chain) -> None:
    door = world.door(chain, "journalled")
    seen: list[tuple[SignedTx, object]] = []

    def journal(signed: SignedTx) -> None:
        seen.append((signed, chain.node.request("eth_getTransactionByHash", ["0x" + signed.hash.hex()])))

    receipt = door.send(chain.vault.deposit(str(door.address), 5), journal)
    ((signed, known),) = seen
    assert known is None
    assert signed.hash == receipt.tx_hash == keccak(signed.raw)
    assert receipt.fee > 0
    assert len(receipt.logs) == 1


@pytest.mark.chain
def test_send__journal_fails__nothing_is_sent(chain: Chain) -> None:
    door = world.door(chain, "crash")

    def crash(_signed: SignedTx) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        door.send(chain.vault.deposit(str(door.address), 5), crash)
    assert chain.vault.balance(world.signer("crash").address) == (0, 0)
    assert door.send(chain.vault.deposit(str(door.address), 5)).gas_used > 0


@pytest.mark.chain
def test_resume__journalled_but_never_sent__is_sent_once(chain: Chain) -> None:
    door, kept = world.door(chain, "resume"), []

    def crash(signed: SignedTx) -> None:
        kept.append(signed)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        door.send(chain.vault.deposit(str(door.address), 5), crash)
    first, second = door.resume(kept[0]), door.resume(kept[0])
    assert first == second
    assert chain.vault.balance(world.signer("resume").address).free == 5


@pytest.mark.chain
def test_resume__nonce_taken_by_another__not_mined_in_time(chain: Chain) -> None:
    door, kept = world.door(chain, "taken"), []

    def crash(signed: SignedTx) -> None:
        kept.append(signed)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        door.send(chain.vault.deposit(str(door.address), 5), crash)
    door.send(chain.vault.deposit(str(door.address), 7))
    with pytest.raises(NotYet):
        door.resume(kept[0], timeout=0.5)


@pytest.mark.chain
def test_resume__too_cheap_by_now__a_dearer_one_goes_in_its_place() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        door, kept = world.door(chain, "cheap"), []

        def crash(signed: SignedTx) -> None:
            kept.append(signed)
            raise RuntimeError("power cut")

        with pytest.raises(RuntimeError):
            door.send(chain.vault.deposit(str(door.address), 5), crash)
        chain.node.request("anvil_setNextBlockBaseFeePerGas", [hex(50 * GWEI)])
        chain.node.request("evm_mine")
        with pytest.raises(Unreachable, match="base fee"):
            door.resume(kept[0])
        receipt = door.resume(kept[0], kept.append, timeout=10)
        assert [signed.hash for signed in kept[1:]] == [receipt.tx_hash]
        assert {signed.nonce for signed in kept} == {0}
        assert chain.vault.balance(world.signer("cheap").address).free == 5
        chain.close()


@pytest.mark.chain
def test_send__something_else_comes_first__reverted_on_chain(chain: Chain) -> None:
    """The seal is simulated well; before it leaves, the owner takes the allowance away."""
    place = world.build(chain, "overtaken")
    forbid = chain.vault.allow(str(place.operator.address), 0)
    seal = chain.rounds.seal(str(place.benchmarker.address), place.task, keccak(b"root"), 3, keccak(b"card"))
    with pytest.raises(Reverted, match="failed on chain"):
        place.operator.send(seal, lambda _: place.benchmarker.send(forbid) and None)


@pytest.mark.chain
def test_send__never_mined__unreachable_names_the_transaction() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        door = world.door(chain, "stuck")
        chain.node.request("evm_setAutomine", [False])
        with pytest.raises(Unreachable, match="not mined"):
            door.send(chain.vault.deposit(str(door.address), 5), timeout=0.3)
        chain.close()


@pytest.mark.chain
def test_send__stuck__is_replaced_by_a_dearer_one_of_the_same_nonce_that_was_journaled_first() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        key, kept, known = world.door(chain, "slow"), [], []
        door = Door(chain, world.signer("slow"), stuck_after=0.3)
        chain.node.request("evm_setAutomine", [False])

        def journal(signed: SignedTx) -> None:
            kept.append(signed)
            known.append(chain.node.request("eth_getTransactionByHash", ["0x" + signed.hash.hex()]))
            if len(kept) == 2:
                threading.Timer(0.3, chain.node.request, ("anvil_mine", ["0x1"])).start()

        receipt = door.send(chain.vault.deposit(str(key.address), 5), journal, timeout=10)
        first, second = (TypedTransaction.from_bytes(HexBytes(tx.raw)).as_dict() for tx in kept[:2])
        changed = {name for name in first if first[name] != second[name]}
        assert known[:2] == [None, None]
        assert receipt.tx_hash == kept[1].hash
        assert changed == {"maxFeePerGas", "maxPriorityFeePerGas", "v", "r", "s"} - (
            {"v"} if first["v"] == second["v"] else set()
        )
        for fee in ("maxFeePerGas", "maxPriorityFeePerGas"):
            assert second[fee] * 1000 >= first[fee] * 1125
        assert chain.vault.balance(world.signer("slow").address).free == 5
        chain.close()


@pytest.mark.chain
def test_send__stuck_and_the_cap_is_reached__is_not_replaced() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        world.door(chain, "capped")
        kept: list[SignedTx] = []
        base = int(chain.node.request("eth_getBlockByNumber", ["latest", False])["baseFeePerGas"], 16)
        tip = int(chain.node.request("eth_maxPriorityFeePerGas"), 16)
        door = Door(chain, world.signer("capped"), max_fee_gwei=(2 * base + tip) / GWEI, stuck_after=0.1)
        chain.node.request("evm_setAutomine", [False])
        with pytest.raises(Unreachable, match="not mined"):
            door.send(chain.vault.deposit(world.signer("capped").address, 5), kept.append, timeout=1)
        assert len(kept) == 1
        chain.close()


@pytest.mark.chain
def test_send__stuck_and_the_journal_refuses_a_dearer_one__goes_on_waiting_for_the_first() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        world.door(chain, "poor")
        kept: list[SignedTx] = []
        door = Door(chain, world.signer("poor"), stuck_after=0.3)
        chain.node.request("evm_setAutomine", [False])

        def journal(signed: SignedTx) -> None:
            if kept:
                threading.Timer(0.2, chain.node.request, ("anvil_mine", ["0x1"])).start()
                raise NoFunds("beyond the budget")
            kept.append(signed)

        receipt = door.send(chain.vault.deposit(world.signer("poor").address, 5), journal, timeout=10)
        assert receipt.tx_hash == kept[0].hash
        chain.close()


@pytest.mark.chain
def test_resume__the_transaction_before_it_is_lost__not_yet_until_that_one_is_sent(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.chain.door.GAP_SECONDS", 0.5)
    door, key = world.door(chain, "gap"), world.signer("gap")
    facts = {"chain_id": chain.node.chain_id(), "gas": 100_000, "price": Price(20 * GWEI, 2 * GWEI)}
    lost, later = (sign(key, chain.vault.deposit(key.address, 5), nonce=nonce, **facts) for nonce in (0, 1))
    with pytest.raises(NotYet, match="is lost"):
        door.resume(later, timeout=20)
    door.resume(lost)
    assert door.resume(later, timeout=20).tx_hash == later.hash


@pytest.mark.chain
def test_resume__another_takes_the_nonce_while_it_waits__not_yet_at_once() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        door, key = world.door(chain, "rivals"), world.signer("rivals")
        chain.node.request("evm_setAutomine", [False])
        price = Price(20 * GWEI, 2 * GWEI)
        facts = {"chain_id": chain.node.chain_id(), "nonce": 0, "gas": 100_000}
        ours = sign(key, chain.vault.deposit(key.address, 5), **facts, price=price)
        rival = sign(key, chain.vault.deposit(key.address, 7), **facts, price=Price(40 * GWEI, 4 * GWEI))

        def overtake() -> None:
            chain.node.request("eth_sendRawTransaction", ["0x" + rival.raw.hex()])
            chain.node.request("anvil_mine", ["0x1"])

        threading.Timer(0.5, overtake).start()
        began = time.monotonic()
        with pytest.raises(NotYet, match="took the nonce"):
            door.resume(ours, timeout=60)
        assert time.monotonic() - began < 10
        chain.close()


@pytest.mark.chain
def test_send__gas_dearer_than_allowed__not_yet(chain: Chain) -> None:
    key = world.signer("thrifty")
    fund(chain.node, key.address, ETHER)
    with pytest.raises(NotYet, match="gwei"):
        Door(chain, key, max_fee_gwei=1e-9).send(chain.vault.deposit(key.address, 1))


@pytest.mark.chain
def test_send__many_threads__each_gets_its_own_nonce(chain: Chain) -> None:
    door = world.door(chain, "busy")
    threads = [threading.Thread(target=door.send, args=(chain.vault.deposit(str(door.address), 1),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chain.vault.balance(world.signer("busy").address).free == 8


@pytest.mark.chain
def test_wait_final__waits_for_the_block(chain: Chain) -> None:
    door = world.door(chain, "final")
    receipt = door.send(chain.vault.deposit(str(door.address), 1))
    with pytest.raises(Unreachable):
        door.wait_final(receipt, timeout=0.2)
    chain.node.request("anvil_mine", ["0x2"])
    assert door.wait_final(receipt, timeout=1) == receipt


@pytest.mark.chain
def test_wait_final__reorganised_away__not_yet() -> None:
    with Devnet(Options(block_time=0)) as devnet:
        chain = Chain.connect(devnet.rpc, devnet.deployment)
        door = world.door(chain, "reorg")
        snapshot = chain.node.request("evm_snapshot")
        receipt = door.send(chain.vault.deposit(str(door.address), 1))
        chain.node.request("evm_revert", [snapshot])
        chain.node.request("anvil_mine", ["0x5"])
        with pytest.raises(NotYet, match="reorganised"):
            door.wait_final(receipt, timeout=2)
        chain.close()


class Reticent(Node):
    """A node that has no eth_maxPriorityFeePerGas, as ethereumjs has none."""

    def request(self, method: str, params: Sequence[Any] = ()) -> Any:
        return super().request("eth_noSuchMethod" if method == "eth_maxPriorityFeePerGas" else method, params)


@pytest.mark.chain
def test_send__node_suggests_no_tip__pays_a_gwei(devnet: Devnet) -> None:
    with Reticent(devnet.rpc) as node:
        payer = world.signer("pays a gwei")
        fund(node, payer.address, ETHER)
        receipt = Door(Site(node), payer).send(Call(world.signer("x").address, b"", 1, "pay"))
        sent = node.request("eth_getTransactionByHash", ["0x" + receipt.tx_hash.hex()])
        assert int(sent["maxPriorityFeePerGas"], 16) == GWEI
