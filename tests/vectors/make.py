"""Writes protocol.json, the golden vectors that the Python and the Solidity tests both read.

Run `python tests/vectors/make.py` after a change of the encoding, and commit the difference on purpose.
"""

import json
from dataclasses import asdict
from pathlib import Path

from assay.encoding import ids, seals, sumtree
from assay.encoding.hashing import checksum, keccak
from assay.encoding.receipts import Domain, LocalSigner, domain_separator
from assay.types import Item, Kind, Node, Outcome, TaskParams

CHAIN_ID = 31337
ROUNDS = checksum(keccak(b"vector rounds")[12:])
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 17, 33)
WORDS = 2


def seeded(*parts: object) -> bytes:
    """32 bytes named by their parts."""
    return keccak(("vector/" + "/".join(map(str, parts))).encode())


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


def task() -> TaskParams:
    return TaskParams(
        description_digest=seeded("description"),
        metric=checksum(seeded("metric")[12:]),
        metric_words=1,
        max_items=20_000,
        max_bytes=1_800,
        max_silence_bps=100,
        answer_window=259_200,
        post_window=3_600,
        attest_window=864_000,
        reveal_window=864_001,
        challenge_window=864_002,
        round_bond=10**18,
        demand_window=14_400,
        version_bond=10**17,
        demand_fee=10**16,
    )


def items(count: int) -> list[Item]:
    texts = ("Hello, world!", "", "ሰላም ልዑል", "1.5–2 % & more\n", "ação")
    return [
        Item(p, Kind.DECOY if p % 5 == 3 else Kind.SCORED, texts[p % 5].encode(), texts[(p + 2) % 5].encode(), seeded("salt", p))
        for p in range(count)
    ]


def set_tree(count: int, benchmarker: str) -> dict[str, object]:
    leaves = [seals.set_leaf(CHAIN_ID, ROUNDS, benchmarker, item) for item in items(count)]
    tree = seals.SetTree(leaves)
    return {
        "n": count,
        "depth": tree.depth,
        "leaves": [hexed(leaf) for leaf in leaves],
        "root": hexed(tree.root),
        "lastPath": [hexed(node) for node in tree.path(count - 1)],
        "firstPath": [hexed(node) for node in tree.path(0)],
    }


def score_tree(count: int) -> dict[str, object]:
    leaves = []
    for position in range(count):
        outcome = Outcome(position % 3)
        if outcome is Outcome.ANSWERED:
            leaf_hash = sumtree.score_leaf(position, outcome, seeded("r", position), seeded("s", position), b"")
        else:
            leaf_hash = sumtree.empty_score_leaf(position, outcome)
        statistic = int.from_bytes(seeded("sum", position), "big")  # full words, so that additions wrap
        leaves.append(Node(leaf_hash, (sumtree.counts_word(outcome), statistic)))
    tree = sumtree.SumTree(leaves)
    last = tree.path(count - 1)
    return {
        "n": count,
        "words": WORDS,
        "leafHashes": [hexed(leaf.hash) for leaf in leaves],
        "leafSums": [hexed(sumtree.pack_sums(leaf.sums)) for leaf in leaves],
        "rootHash": hexed(tree.root.hash),
        "rootSums": hexed(sumtree.pack_sums(tree.root.sums)),
        "commitment": hexed(sumtree.commitment(tree.root)),
        "lastPathHashes": [hexed(node.hash) for node in last],
        "lastPathSums": [hexed(sumtree.pack_sums(node.sums)) for node in last],
    }


def vectors() -> dict[str, object]:
    params = task()
    task_id = ids.task_id(params)
    benchmarker, provider = LocalSigner(seeded("benchmarker")), LocalSigner(seeded("provider"))
    owner = checksum(seeded("owner")[12:])
    name = ids.name_hash("a model", seeded("name salt"))
    model = ids.model_id(owner, name)
    commitment = ids.version_commitment(model, "2026-11", seeded("artifact"), seeded("version salt"))
    version = ids.version_id(model, 3, commitment, provider.address)
    round_ = ids.round_id(CHAIN_ID, ROUNDS, owner, task_id, seeded("set root"), 13, benchmarker.address)
    domain = Domain(CHAIN_ID, ROUNDS)
    prompt_hash, response_hash = keccak(b"prompt"), keccak(b"response")
    signed = {
        "Enrol": (provider, domain.enrol(round_, version)),
        "Ask": (benchmarker, domain.ask(round_, version, 7, prompt_hash, 1_800_000_000)),
        "Answer": (provider, domain.answer(round_, version, 7, prompt_hash, response_hash)),
        "Ack": (benchmarker, domain.ack(round_, version, 7, response_hash)),
    }
    return {
        "chainId": CHAIN_ID,
        "rounds": ROUNDS,
        "domainSeparator": hexed(domain_separator(CHAIN_ID, ROUNDS)),
        "tags": {
            "SET_LEAF": hexed(seals.SET_LEAF),
            "SET_NODE": hexed(seals.SET_NODE),
            "SCORE_LEAF": hexed(sumtree.SCORE_LEAF),
            "NODE": hexed(sumtree.NODE),
        },
        "task": {
            "params": {key: hexed(value) if isinstance(value, bytes) else value for key, value in asdict(params).items()},
            "encoded": hexed(ids.encode_task(params)),
            "id": hexed(task_id),
        },
        "model": {"owner": owner, "nameHash": hexed(name), "id": hexed(model)},
        "version": {
            "number": 3,
            "commitment": hexed(commitment),
            "operator": provider.address,
            "labelHash": hexed(keccak(b"2026-11")),
            "artifactDigest": hexed(seeded("artifact")),
            "salt": hexed(seeded("version salt")),
            "id": hexed(version),
        },
        "round": {
            "benchmarker": owner,
            "setRoot": hexed(seeded("set root")),
            "items": 13,
            "operator": benchmarker.address,
            "id": hexed(round_),
        },
        "setItems": [
            {
                "position": item.position,
                "kind": int(item.kind),
                "prompt": hexed(item.prompt),
                "reference": hexed(item.reference),
                "salt": hexed(item.salt),
            }
            for item in items(8)
        ],
        "setTrees": [set_tree(count, owner) for count in SIZES],
        "scoreTrees": [score_tree(count) for count in SIZES],
        "typed": {
            "position": 7,
            "promptHash": hexed(prompt_hash),
            "responseHash": hexed(response_hash),
            "answerUntil": 1_800_000_000,
            "benchmarker": benchmarker.address,
            "provider": provider.address,
            **{
                name: {"digest": hexed(digest), "signer": signer.address, "signature": hexed(signer.sign(digest))}
                for name, (signer, digest) in signed.items()
            },
        },
    }


if __name__ == "__main__":
    Path(__file__).with_name("protocol.json").write_text(json.dumps(vectors(), indent=1) + "\n")
