"""What a node says of a mined transaction.

given a receipt of the transaction -> what it says, with no larger fee than was signed
given anything else -> Unreachable, or None where it is not mined
"""

import json
from typing import Any

import pytest

from assay.chain.client import Chain
from assay.chain.devnet import fund
from assay.chain.node import Node
from assay.chain.outcomes import outcome
from assay.chain.transactions import most_of
from assay.errors import Unreachable
from unit.chain import world
from unit.chain.test_node import says, server

pytestmark = pytest.mark.chain

HASH = b"\x11" * 32
LOG = {"address": "0x" + "22" * 20, "topics": ["0x" + "33" * 32], "data": "0x"}
RECEIPT: dict[str, Any] = {
    "transactionHash": "0x" + HASH.hex(),
    "blockNumber": "0x10",
    "status": "0x1",
    "gasUsed": "0x5208",
    "effectiveGasPrice": "0x3b9aca00",
    "logs": [LOG],
}


def told(result: object, most: int | None = None) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()
    with server(says(body)) as url, Node(url) as node:
        return outcome(node, HASH, most)


def test_outcome__a_receipt__what_it_says() -> None:
    found = told(RECEIPT)
    assert (found.block, found.succeeded, found.gas_used, found.fee, list(found.logs)) == (
        16,
        True,
        21_000,
        21_000 * 10**9,
        [LOG],
    )
    assert not told(RECEIPT | {"status": "0x0"}).succeeded


def test_outcome__fee_above_what_was_signed__is_not_believed() -> None:
    assert told(RECEIPT | {"effectiveGasPrice": hex(10**30)}, most=7).fee == 7
    assert told(RECEIPT, most=10**18).fee == 21_000 * 10**9


@pytest.mark.parametrize("result", [None, RECEIPT | {"blockNumber": None}])
def test_outcome__not_mined__none(result: object) -> None:
    assert told(result) is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": None},
        {"status": "0x2"},
        {"status": 1},
        {"gasUsed": "0xzz"},
        {"gasUsed": "-0x1"},
        {"gasUsed": "0x-1"},
        {"gasUsed": hex(2**63)},
        {"effectiveGasPrice": ""},
        {"effectiveGasPrice": hex(2**255)},
        {"blockNumber": hex(2**63)},
        {"blockNumber": 16},
        {"transactionHash": "0x" + "44" * 32},
        {"transactionHash": 7},
        {"logs": None},
        {"logs": "0x"},
        {"logs": ["0x"]},
        {"logs": [{}]},
        {"logs": [LOG | {"topics": ["0x0"]}]},
        {"logs": [LOG | {"topics": ["0x" + "33" * 32] * 5}]},
        {"logs": [LOG | {"data": None}]},
    ],
)
def test_outcome__malformed__unreachable(change: dict[str, object]) -> None:
    with pytest.raises(Unreachable):
        told(RECEIPT | change)


@pytest.mark.parametrize("result", [[], "0x", 3, True, {"blockNumber": "0x1"}])
def test_outcome__no_receipt_at_all__unreachable(result: object) -> None:
    with pytest.raises(Unreachable):
        told(result)


@pytest.mark.parametrize("result", [None, "", "0x", "0x-1", "12", 12, [], "0x" + "f" * 65])
def test_number__what_is_none__unreachable(result: object) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()
    with server(says(body)) as url, Node(url) as node:
        for ask in (
            node.chain_id,
            node.gas_price,
            node.base_fee,
            lambda: node.nonce("0x" + "00" * 20),
            lambda: node.balance("0x"),
        ):
            with pytest.raises(Unreachable):
                ask()


def test_most_of__what_was_sent__is_at_least_the_fee(chain: Chain) -> None:
    kept: list[Any] = []
    door = world.door(chain, "most")
    fund(chain.node, str(door.address), 10**18)
    receipt = door.send(chain.vault.deposit(str(door.address), 5), kept.append)
    found = outcome(chain.node, receipt.tx_hash, most_of(kept[0]))
    assert found is not None
    assert 0 < found.fee == receipt.fee <= most_of(kept[0])
