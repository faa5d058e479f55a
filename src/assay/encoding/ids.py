"""Ids of tasks, models, versions and rounds: keccak256 of `abi.encode` of what they are made of."""

from assay.encoding.hashing import address_word, hash32, keccak, uint
from assay.types import ModelId, RoundId, TaskId, TaskParams, VersionId


def encode_task(params: TaskParams) -> bytes:
    """`abi.encode` of a task's parameters, one word each, in their order."""
    numbers = (
        params.metric_words,
        params.max_items,
        params.max_bytes,
        params.max_silence_bps,
        params.answer_window,
        params.post_window,
        params.attest_window,
        params.reveal_window,
        params.challenge_window,
        params.round_bond,
        params.demand_window,
        params.version_bond,
        params.demand_fee,
    )
    return hash32(params.description_digest) + address_word(params.metric) + b"".join(uint(number) for number in numbers)


def task_id(params: TaskParams) -> TaskId:
    """Id of a task: the hash of all its parameters."""
    return TaskId(keccak(encode_task(params)))


def model_id(owner: str, name_hash: bytes) -> ModelId:
    """Id of a model: its owner and the salted hash of its name."""
    return ModelId(keccak(address_word(owner) + hash32(name_hash)))


def name_hash(name: str, salt: bytes) -> bytes:
    """Salted hash of a model's name, so that its owner may stay pseudonymous and prove the name later."""
    return keccak(hash32(salt) + name.encode())


def version_commitment(model: ModelId, label: str, artifact_digest: bytes, salt: bytes) -> bytes:
    """Commitment to a version: keccak256(abi.encode(model, keccak256(label), artifactDigest, salt))."""
    return keccak(hash32(model) + keccak(label.encode()) + hash32(artifact_digest) + hash32(salt))


def version_id(model: ModelId, number: int, commitment: bytes, operator: str) -> VersionId:
    """Id of a version."""
    return VersionId(keccak(hash32(model) + uint(number) + hash32(commitment) + address_word(operator)))


def round_id(chain_id: int, rounds: str, benchmarker: str, task: TaskId, set_root: bytes, items: int, operator: str) -> RoundId:
    """Id of a round, known before it is sealed."""
    return RoundId(
        keccak(
            uint(chain_id)
            + address_word(rounds)
            + address_word(benchmarker)
            + hash32(task)
            + hash32(set_root)
            + uint(items)
            + address_word(operator)
        )
    )
