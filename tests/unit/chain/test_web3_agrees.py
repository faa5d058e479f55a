"""web3.py, an independent client, reads the same facts from the same chain as our wrappers, and sees the same event."""

from typing import Any

import pytest
from web3 import HTTPProvider, Web3

from assay.chain import artifacts, index
from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from unit.chain import world

pytestmark = pytest.mark.chain


@pytest.fixture
def web3(devnet: Devnet) -> Web3:
    return Web3(HTTPProvider(devnet.rpc))


def contract(web3: Web3, name: str, address: str) -> Any:
    return web3.eth.contract(address=address, abi=artifacts.load(name).abi)  # type: ignore[call-overload]


def test_round__read_by_web3__same_facts_deadlines_and_event(chain: Chain, web3: Web3) -> None:
    built = world.build(chain, "web3 agrees")
    round_ = built.seal(b"r" * 32)
    built.enrol(round_)
    rounds = contract(web3, "Rounds", chain.deployment.rounds)
    ours, theirs = chain.rounds.round(round_), rounds.functions.roundOf(round_).call()
    assert ours is not None
    assert theirs == (
        ours.set_root,
        ours.task,
        ours.benchmarker,
        ours.operator,
        ours.items,
        ours.sealed_at,
        ours.revealed_at,
        ours.enrolled,
        ours.attested,
        ours.fault,
        ours.bundle_digest,
    )
    deadlines = chain.rounds.deadlines(round_)
    assert rounds.functions.deadlinesOf(round_).call() == (
        deadlines.answer_by,
        deadlines.attest_by,
        deadlines.reveal_by,
        deadlines.versions_released_at,
    )
    assert rounds.functions.phaseOf(round_).call() == chain.rounds.phase(round_)
    (event,) = rounds.events.Sealed().get_logs(from_block=0, argument_filters={"round": round_})
    sealed = index.round_log(chain, round_).sealed
    assert sealed is not None
    assert (event.args.setRoot, event.args.cardDigest, event.blockNumber) == (sealed.set_root, sealed.card_digest, sealed.block)


def test_version_and_stake__read_by_web3__same_facts(chain: Chain, web3: Web3) -> None:
    built = world.build(chain, "web3 stake")
    ours = chain.models.version(built.version)
    assert ours is not None
    models = contract(web3, "ModelRegistry", chain.deployment.models)
    expected = (ours.model, ours.owner, ours.operator, ours.committed_at, ours.number)
    assert models.functions.versionOf(built.version).call() == expected
    vault = contract(web3, "StakeVault", chain.deployment.vault)
    assert tuple(vault.functions.balanceOf(ours.owner).call()) == chain.vault.balance(ours.owner)
    pair = (ours.owner, ours.operator)
    assert tuple(vault.functions.allowanceOf(*pair).call()) == chain.vault.allowance(*pair)
