"""Blocks that are taken back while agent and gateway work on top of them: they recover by themselves, with one result."""

import pytest
from stage import Person

from assay.chain.contracts.base import Call
from assay.chain.index import RoundLog, round_log, sealed_rounds
from assay.chain.transactions import Price, sign
from assay.types import Address, RoundId
from flow.world import ETHER, Candidate, World, until, version_of

pytestmark = pytest.mark.slow

GWEI = 10**9


def test_seal_enrolment_and_attestation_taken_back__the_daemon_ends_with_one_round_and_one_bond(
    world: World, examiner: Person, parrot: Candidate
) -> None:
    staked, owner = world.stake(examiner), Address(examiner.address("owner"))
    world.bring(examiner)
    daemon = examiner.serve("bench", "run", "--settings", world.plan(examiner, world.task(examiner), parrot))
    log = daemon.log.read_text

    (sealed,) = until(lambda: sealed_rounds(world.chain, owner), log)
    world.undo(sealed.block)
    round_, named = sealed.round, "0x" + sealed.round.hex()
    until(lambda: world.chain.rounds.round(round_), log)

    (enrolled,) = until(lambda: events(world, round_).enrolled, log)
    world.undo(enrolled.block)
    until(lambda: enrolled_and_answered(examiner, named), log)
    assert world.stake(examiner).locked == 2 * ETHER

    world.pass_deadline(examiner, named, "answer_by")
    attested = until(lambda: events(world, round_).attested, log)[version_of(parrot.version)]
    world.undo(attested.block, [other_transaction(world, examiner, attested.block)])
    until(lambda: examiner.json("bench", "show", named)["phase"] == "challenging", log, seconds=180)
    assert world.reader.json("verify", named, "--store", examiner.home / "store")["exit_code"] == 0
    assert [entry.round for entry in sealed_rounds(world.chain, owner)] == [round_]
    row = world.score(examiner, named, parrot.version)
    assert (row["standing"], row["answered"], row["silent"]) == ("scored", 6, 0)

    world.pass_deadline(examiner, named, "versions_released_at")
    assert daemon.process.wait(180) == 0
    assert world.stake(examiner) == staked


def events(world: World, round_: RoundId) -> RoundLog:
    return round_log(world.chain, round_)


def enrolled_and_answered(examiner: Person, round_: str) -> bool:
    shown = examiner.json("bench", "show", round_)
    return shown["next"] == "score" and shown["phase"] == "answering"


def other_transaction(world: World, person: Person, block: int) -> bytes:
    """What else the operator might have sent in place of its first transaction of a block: nothing, to itself."""
    signer = world.signer(person)
    nonce = int(world.node.request("eth_getTransactionCount", [signer.address, hex(block - 1)]), 16)
    call = Call(signer.address, b"", 0, "send nothing")
    return sign(signer, call, chain_id=world.node.chain_id(), nonce=nonce, gas=21_000, price=Price(100 * GWEI, GWEI)).raw
