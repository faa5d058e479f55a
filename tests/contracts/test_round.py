"""A round through ape: typed data by ape's encoder, windows to the second, the bond to the last wei."""

from collections.abc import Callable
from typing import Any

import ape
import pytest
from eip712.messages import EIP712Domain, EIP712Message
from eth_pydantic_types import HexBytes, abi

ETHER = 10**18
ROOT = b"\x22" * 32
ANSWERING, ATTESTING, FORFEITED, VOID = 1, 2, 7, 6


class Enrol(EIP712Message):
    """The provider's consent, as ape's library reads it."""

    round: abi.bytes32
    version: abi.bytes32


class Exam:
    """A sealed round of three items, and one committed version that may be enrolled."""

    def __init__(self, rounds: Any, round_: bytes, version: bytes, sealed_at: int) -> None:
        self.rounds, self.round, self.version, self.sealed_at = rounds, round_, version, sealed_at

    def consent(self, chain_id: int, account: Any) -> bytes:
        """The provider's Enrol signature, by ape."""
        domain = EIP712Domain(name="Assay", version="1", chainId=chain_id, verifyingContract=self.rounds.address)
        signature = account.sign_message(Enrol(round=self.round, version=self.version, eip712_domain=domain))
        return bytes(signature.encode_rsv())


@pytest.fixture
def exam(
    chain: Any, vault: Any, tasks: Any, models: Any, rounds: Any, params: Any, owner: Any, operator: Any, provider: Any
) -> Exam:
    tasks.register(params, sender=owner)
    vault.deposit(owner, sender=owner, value=2 * ETHER)
    vault.allow(operator, 2 * ETHER, sender=owner)
    vault.deposit(provider, sender=provider, value=ETHER)
    vault.allow(provider, ETHER, sender=provider)
    (registered,) = models.registerModel(provider, b"\x33" * 32, sender=provider).decode_logs(models.ModelRegistered)
    committed = models.commitVersion(registered.model, b"\x44" * 32, provider, sender=provider)
    chain.pending_timestamp = chain.blocks.head.timestamp + 1
    sealed = rounds.seal(owner, tasks.idOf(params), ROOT, 3, b"\x55" * 32, sender=operator)
    (event,), (version,) = sealed.decode_logs(rounds.Sealed), committed.decode_logs(models.VersionCommitted)
    return Exam(rounds, bytes(HexBytes(event.round)), bytes(HexBytes(version.version)), sealed.timestamp)


def test_seal__stranger__reverts_with_the_limit(
    rounds: Any, tasks: Any, vault: Any, params: Any, owner: Any, provider: Any
) -> None:
    tasks.register(params, sender=owner)
    with ape.reverts(vault.NotAllowed):
        rounds.seal(owner, tasks.idOf(params), ROOT, 3, b"\x55" * 32, sender=provider)


def test_seal__twice__reverts(rounds: Any, tasks: Any, params: Any, owner: Any, operator: Any, exam: Exam) -> None:
    with ape.reverts(rounds.AlreadySealed, error_inputs={"round": exam.round}):
        rounds.seal(owner, tasks.idOf(params), ROOT, 3, b"\x55" * 32, sender=operator)


def test_enrol__signature_by_ape__is_accepted_and_locks_the_bond(
    chain: Any, rounds: Any, vault: Any, operator: Any, provider: Any, exam: Exam
) -> None:
    receipt = rounds.enrol(exam.round, [exam.version], [exam.consent(chain.chain_id, provider)], sender=operator)
    assert [bytes(HexBytes(log.version)) for log in receipt.decode_logs(rounds.Enrolled)] == [exam.version]
    assert vault.balanceOf(provider) == (ETHER - ETHER // 10, ETHER // 10)


@pytest.mark.parametrize("defect", ["another signer", "another chain"])
def test_enrol__no_consent__is_skipped_and_locks_nothing(
    chain: Any, rounds: Any, vault: Any, operator: Any, provider: Any, exam: Exam, defect: str
) -> None:
    signer = operator if defect == "another signer" else provider
    signature = exam.consent(chain.chain_id + (defect == "another chain"), signer)
    receipt = rounds.enrol(exam.round, [exam.version], [signature], sender=operator)
    assert [log.reason for log in receipt.decode_logs(rounds.EnrolSkipped)] == [3]
    assert vault.balanceOf(provider) == (ETHER, 0)


def test_enrol__last_second_and_one_later(
    chain: Any, rounds: Any, operator: Any, provider: Any, exam: Exam, at: Callable[[int], None]
) -> None:
    signature = exam.consent(chain.chain_id, provider)
    answer_by = rounds.deadlinesOf(exam.round).answerBy
    assert answer_by == exam.sealed_at + 1_000
    at(answer_by - 1)
    rounds.enrol(exam.round, [exam.version], [signature], sender=operator)
    at(answer_by)
    with ape.reverts(rounds.WrongPhase, error_inputs={"round": exam.round, "phase": ATTESTING}):
        rounds.enrol(exam.round, [exam.version], [signature], sender=operator)


def test_phase__nobody_enrolled__void_and_the_bond_is_free(
    chain: Any, rounds: Any, vault: Any, owner: Any, operator: Any, exam: Exam, at: Callable[[int], None]
) -> None:
    at(exam.sealed_at + 1_000)
    chain.mine()
    assert rounds.phaseOf(exam.round) == VOID
    rounds.release(exam.round, sender=operator)
    assert vault.balanceOf(owner) == (2 * ETHER, 0)
    with ape.reverts(rounds.NothingToRelease):
        rounds.release(exam.round, sender=operator)


def test_forfeit__nothing_attested__half_to_the_finder_half_burned(
    chain: Any, rounds: Any, vault: Any, owner: Any, operator: Any, provider: Any, exam: Exam, at: Callable[[int], None]
) -> None:
    rounds.enrol(exam.round, [exam.version], [exam.consent(chain.chain_id, provider)], sender=operator)
    burned = vault.burnedOf(owner)
    at(exam.sealed_at + 2_000 - 1)
    with ape.reverts(rounds.WrongPhase):
        rounds.forfeit(exam.round, sender=provider)
    at(exam.sealed_at + 2_000)
    receipt = rounds.forfeit(exam.round, sender=provider)
    half = ETHER // 2
    assert receipt.events == [rounds.RoundForfeited(round=exam.round, caller=provider, reward=half, burned=half)]
    assert rounds.phaseOf(exam.round) == FORFEITED
    assert vault.balanceOf(owner) == (ETHER, 0)
    assert vault.balanceOf(provider) == (ETHER - ETHER // 10 + half, ETHER // 10)
    assert vault.burnedOf(owner) == burned + half
    assert vault.allowanceOf(owner, operator) == (2 * ETHER, ETHER)
