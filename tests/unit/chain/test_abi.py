"""Our reading of an ABI against web3.py's codec rules, through eth-abi's own encoder."""

import eth_abi
import pytest
from eth_utils.abi import event_abi_to_log_topic, function_abi_to_4byte_selector

from assay.chain import artifacts
from assay.chain.abi import Interface, decode, decode_event
from assay.encoding.hashing import checksum
from assay.errors import WrongChain

ADDRESS = checksum(b"\xab" * 20)


@pytest.mark.parametrize("name", artifacts.names())
def test_keys__of_every_shipped_entry__equal_eth_utils(name: str) -> None:
    abi = artifacts.load(name).abi
    interface = Interface(abi)
    for item in abi:
        if item["type"] == "function":
            assert interface.functions[item["name"]].key == function_abi_to_4byte_selector(dict(item))
        elif item["type"] == "event":
            assert interface.events[event_abi_to_log_topic(dict(item))].name == item["name"]


def test_encode_decode__nested_tuples__round_trip_with_checksummed_addresses() -> None:
    parts = [{"name": "who", "type": "address"}, {"name": "sums", "type": "uint256[]"}]
    parameters = [
        {"name": "roots", "type": "tuple[]", "components": parts},
        {"name": "one", "type": "tuple", "components": parts},
    ]
    interface = Interface([{"type": "function", "name": "f", "inputs": parameters, "outputs": parameters}])
    values = (((ADDRESS, (1, 2)), (ADDRESS, ())), (ADDRESS, (3,)))
    data = interface.encode("f", values)
    assert interface.decode("f", data[4:]) == values


@pytest.mark.parametrize("data", [b"", b"\x01", b"\xff" * 32, b"\xff" * 64])
def test_decode__other_bytes__wrong_chain(data: bytes) -> None:
    with pytest.raises(WrongChain):
        decode([{"name": "a", "type": "address"}, {"name": "s", "type": "string"}], data)


def test_decode_event__indexed_and_plain_arguments__by_name() -> None:
    interface = Interface(artifacts.load("StakeVault").abi)
    topic = interface.topic("Allowed")
    word = bytes(12) + b"\xab" * 20
    data = eth_abi.encode(["uint256"], [7])
    event = interface.events[topic]
    assert decode_event(event, [topic, word, word], data) == {"owner": ADDRESS, "operator": ADDRESS, "limit": 7}


def test_topic__unknown_event__key_error() -> None:
    with pytest.raises(KeyError):
        Interface([]).topic("Nothing")
