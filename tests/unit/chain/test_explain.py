"""Everything that a contract can say has a sentence."""

import itertools
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from assay.chain import artifacts, explain
from assay.chain.client import Chain
from assay.chain.devnet import ETHER, fund
from assay.chain.meanings import MEANINGS
from assay.chain.reverts import ENUMS, known_errors
from assay.encoding.hashing import keccak
from assay.errors import BadInput
from assay.types import Verdict
from unit.chain import world


def parameters(items: Any) -> Iterator[Mapping[str, Any]]:
    for item in items:
        yield item
        yield from parameters(item.get("components", ()))


def abis() -> list[Mapping[str, Any]]:
    return list(itertools.chain.from_iterable(artifacts.load(name).abi for name in artifacts.names()))


def test_meanings__of_errors_and_events__exactly_those_of_the_shipped_contracts() -> None:
    assert set(MEANINGS["error"]) == {entry.name for entry in known_errors().values()}
    assert set(MEANINGS["event"]) == {item["name"] for item in abis() if item["type"] == "event"}


def test_meanings__of_enums__every_value_of_every_enum() -> None:
    spoken = [entry for item in abis() for side in ("inputs", "outputs") for entry in parameters(item.get(side, ()))]
    used = {kind for entry in spoken if (kind := entry.get("internalType", "").removesuffix("[]")).startswith("enum ")}
    assert used
    assert used <= set(ENUMS)
    for kind, enum in ENUMS.items():
        names = {value.name.title().replace("_", "") for value in enum}
        assert set(MEANINGS[kind.removeprefix("enum ").lower()]) == names


def test_meanings__each__a_sentence_and_what_to_do_next() -> None:
    for table in MEANINGS.values():
        for meaning in table.values():
            assert meaning.says[0].isupper()
            assert meaning.says.endswith(".")
            assert meaning.then


@pytest.mark.parametrize("text", ["WrongReceipt", "wrong_receipt", "WRONGRECEIPT"])
def test_by_name__of_a_fault_that_is_a_verdict_too__both(text: str) -> None:
    assert [found.kind for found in explain.by_name(text)] == ["verdict", "fault"]


def test_by_name__as_an_error_is_shown__the_error() -> None:
    (found,) = explain.by_name("WrongPhase(round=0x12, phase=Final)")
    assert (found.kind, found.name) == ("error", "WrongPhase")


@pytest.mark.parametrize("verdict", list(Verdict))
def test_by_name__number__that_verdict(verdict: Verdict) -> None:
    (found,) = explain.by_name(str(int(verdict)))
    assert (found.kind, found.name.upper()) == ("verdict", verdict.name.replace("_", ""))


@pytest.mark.parametrize("text", ["", "9", "-1", "nothing", "1" * 5000, "²"])
def test_by_name__of_nothing__bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        explain.by_name(text)


def test_by_revert__with_an_enum__its_name() -> None:
    data = keccak(b"WrongPhase(bytes32,uint8)")[:4] + b"\x11" * 32 + (5).to_bytes(32, "big")
    found = explain.by_revert(data)
    assert (found.name, found.arguments) == ("WrongPhase", {"round": "0x" + "11" * 32, "phase": "Final"})


def test_by_revert__reason_with_commas__whole() -> None:
    reason = b"a, b=c"
    words = (32).to_bytes(32, "big") + len(reason).to_bytes(32, "big") + reason.ljust(32, b"\0")
    assert explain.by_revert(keccak(b"Error(string)")[:4] + words).arguments == {"reason": "a, b=c"}


@pytest.mark.parametrize("data", [b"", b"\x01\x02", b"\xff" * 36])
def test_by_revert__unknown__bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        explain.by_revert(data)


def test_by_revert__cut_off__named_without_arguments() -> None:
    found = explain.by_revert(keccak(b"WrongPhase(bytes32,uint8)")[:4] + b"\x11")
    assert (found.name, found.arguments) == ("WrongPhase", {})


def test_by_topic__of_an_event__it() -> None:
    found = explain.by_topic(keccak(b"Revealed(bytes32,bytes32)"))
    assert found is not None
    assert found.name == "Revealed"
    assert explain.by_topic(b"\0" * 32) is None


@pytest.mark.chain
def test_by_transaction__deposit__its_event_with_amounts(chain: Chain) -> None:
    payer = world.door(chain, "explained")
    owner = world.signer("explained").address
    receipt = payer.send(chain.vault.deposit(owner, ETHER))
    (found,) = explain.by_transaction(chain, receipt.tx_hash)
    assert (found.kind, found.name) == ("event", "Deposited")
    assert found.arguments == {"owner": owner, "from": owner, "amount": str(ETHER)}


@pytest.mark.chain
def test_by_transaction__refused_on_chain__why(chain: Chain) -> None:
    sender = world.signer("refused").address
    fund(chain.node, sender, ETHER)
    call = chain.vault.withdraw(7, sender)
    chain.node.request("anvil_impersonateAccount", [sender])
    body = {"from": sender, "to": call.to, "data": "0x" + call.data.hex(), "gas": hex(200_000)}
    sent = chain.node.request("eth_sendTransaction", [body])
    deadline = time.monotonic() + 10
    while chain.node.request("eth_getTransactionReceipt", [sent]) is None:  # Anvil mines a moment after it answers
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (found,) = explain.by_transaction(chain, bytes.fromhex(sent[2:]))
    assert (found.kind, found.name, found.arguments["amount"]) == ("error", "InsufficientFree", "7")


@pytest.mark.chain
def test_by_transaction__unknown__bad_input(chain: Chain) -> None:
    with pytest.raises(BadInput):
        explain.by_transaction(chain, b"\x01" * 32)
