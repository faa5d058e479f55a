"""Ids, trees and typed data: against eth-abi and eth-account, and against themselves on every size."""

import pytest
from eth_abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from assay.encoding import ids, seals, sumtree
from assay.encoding.hashing import checksum, keccak
from assay.encoding.receipts import CURVE_ORDER, Domain, LocalSigner, recover
from assay.types import Item, Kind, ModelId, Node, Outcome, RoundId, TaskId, TaskParams, VersionId

ROUNDS = checksum(bytes(range(20)))
OWNER = checksum(bytes(range(1, 21)))
SIGNER = LocalSigner(keccak(b"a test key"))
FIELDS = {
    "Enrol": ["round:bytes32", "version:bytes32"],
    "Ask": ["round:bytes32", "version:bytes32", "position:uint32", "promptHash:bytes32", "answerUntil:uint40"],
    "Answer": ["round:bytes32", "version:bytes32", "position:uint32", "promptHash:bytes32", "responseHash:bytes32"],
    "Ack": ["round:bytes32", "version:bytes32", "position:uint32", "responseHash:bytes32"],
}
hash32 = st.binary(min_size=32, max_size=32)


def test_task_id__equals_abi_encode() -> None:
    params = TaskParams(b"d" * 32, OWNER, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13)
    types = ["bytes32", "address", "uint8", "uint32", "uint32", "uint16", *["uint32"] * 5, "uint96", "uint32", "uint96", "uint64"]
    values = [b"d" * 32, OWNER, *range(1, 14)]
    assert ids.task_id(params) == keccak(encode(types, values))


@given(hash32, hash32, st.integers(1, 2**32 - 1))
def test_ids__equal_abi_encode(first: bytes, second: bytes, number: int) -> None:
    assert ids.model_id(OWNER, first) == keccak(encode(["address", "bytes32"], [OWNER, first]))
    assert ids.version_id(ModelId(first), number, second, OWNER) == keccak(
        encode(["bytes32", "uint32", "bytes32", "address"], [first, number, second, OWNER])
    )
    assert ids.round_id(5, ROUNDS, OWNER, TaskId(first), second, number, OWNER) == keccak(
        encode(
            ["uint256", "address", "address", "bytes32", "bytes32", "uint32", "address"],
            [5, ROUNDS, OWNER, first, second, number, OWNER],
        )
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from(Kind), st.binary(max_size=99), st.binary(max_size=99), hash32)
def test_set_leaf__equals_abi_encode(position: int, kind: Kind, prompt: bytes, reference: bytes, salt: bytes) -> None:
    leaf = seals.set_leaf(5, ROUNDS, OWNER, Item(position, kind, prompt, reference, salt))
    types = ["bytes32", "uint256", "address", "address", "uint32", "uint8", "bytes32", "bytes32", "bytes32"]
    values = [keccak(b"assay.SET_LEAF"), 5, ROUNDS, OWNER, position, int(kind), keccak(prompt), keccak(reference), salt]
    assert leaf == keccak(encode(types, values))


@pytest.mark.parametrize("name", FIELDS)
def test_digest__equals_eth_account(name: str) -> None:
    round_, version, prompt_hash, response_hash = (RoundId(b"r" * 32), VersionId(b"v" * 32), b"p" * 32, b"a" * 32)
    domain = Domain(5, ROUNDS)
    digest = {
        "Enrol": domain.enrol(round_, version),
        "Ask": domain.ask(round_, version, 7, prompt_hash, 99),
        "Answer": domain.answer(round_, version, 7, prompt_hash, response_hash),
        "Ack": domain.ack(round_, version, 7, response_hash),
    }[name]
    values = {
        "round": round_,
        "version": version,
        "position": 7,
        "promptHash": prompt_hash,
        "responseHash": response_hash,
        "answerUntil": 99,
    }
    fields = [dict(zip(("name", "type"), field.split(":"), strict=True)) for field in FIELDS[name]]
    message = encode_typed_data(
        domain_data={"name": "Assay", "version": "1", "chainId": 5, "verifyingContract": ROUNDS},
        message_types={name: fields},
        message_data={field["name"]: values[field["name"]] for field in fields},
    )
    signature = SIGNER.sign(digest)
    assert Account.recover_message(message, signature=signature) == SIGNER.address
    assert recover(digest, signature) == SIGNER.address


def test_recover__odd_signatures__none() -> None:
    digest = keccak(b"digest")
    good = SIGNER.sign(digest)
    r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
    malleable = r + (CURVE_ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    odd = {
        "malleable": malleable,
        "v as 0 or 1": good[:64] + bytes([v - 27]),
        "v 29": good[:64] + bytes([29]),
        "short": good[:64],
        "long": good + b"\0",
        "empty": b"",
        "r zero": bytes(32) + good[32:],
        "s zero": r + bytes(32) + good[64:],
        "r too large": CURVE_ORDER.to_bytes(32, "big") + good[32:],
        "no such point": (5).to_bytes(32, "big") + good[32:],
    }
    assert recover(digest, good) == SIGNER.address
    for name, signature in odd.items():
        assert recover(digest, signature) is None, name


def test_local_signer__shown__has_no_secret() -> None:
    secret = keccak(b"a test key")
    assert secret.hex() not in repr(SIGNER) + str(SIGNER) + str(vars(SIGNER))


@pytest.mark.parametrize("count", range(1, 40))
def test_trees__every_position__climbs_to_the_root(count: int) -> None:
    leaves = [keccak(bytes([position])) for position in range(count)]
    nodes = [Node(leaf, (sumtree.counts_word(Outcome.ANSWERED), position)) for position, leaf in enumerate(leaves)]
    set_tree, score_tree = seals.SetTree(leaves), sumtree.SumTree(nodes)
    assert score_tree.root.sums == (count, count * (count - 1) // 2)
    for position in range(count):
        assert len(set_tree.path(position)) == seals.depth_of(count) == len(score_tree.path(position))
        assert seals.climb_set(leaves[position], position, set_tree.path(position)) == set_tree.root
        assert sumtree.climb_sums(nodes[position], position, score_tree.path(position)) == score_tree.root
        assert not sumtree.padding_counts(position, score_tree.path(position), count)
    with pytest.raises(IndexError):
        set_tree.path(count)
    with pytest.raises(IndexError):
        score_tree.path(-1)


def test_padding_counts__padding_with_sums__seen() -> None:
    honest = sumtree.SumTree([Node(keccak(bytes([p])), (1, 0)) for p in range(5)])
    path = list(honest.path(4))
    assert not sumtree.padding_counts(4, path, 5)
    path[1] = Node(path[1].hash, (0, 3))
    assert sumtree.padding_counts(4, path, 5)
    assert not sumtree.padding_counts(4, path, 8)


def test_add_sums__overflow__wraps() -> None:
    assert sumtree.add_sums((2**256 - 1, 1), (1, 2)) == (0, 3)


def test_trees__empty__refused() -> None:
    with pytest.raises(ValueError, match="at least one item"):
        seals.SetTree([])
