"""given an operator that lost its owner's stake / when more is to be locked / its limit is used up, and its owner raises it."""

import pytest

from assay.chain.client import Chain
from assay.chain.contracts.vault import Allowance
from assay.chain.devnet import ETHER
from assay.chain.stakes import lacks
from assay.encoding.hashing import keccak
from assay.errors import NoFunds
from assay.types import Phase
from assay.units import in_ether
from unit.chain import world


@pytest.mark.parametrize(
    ("limit", "used", "amount", "admitted", "least"),
    [(0, 0, 0, False, 1), (1, 0, 0, True, 1), (5, 3, 2, True, 5), (5, 3, 3, False, 6), (2, 3, 0, False, 3)],
)
def test_allowance__limit_and_use__admits_what_is_left(limit: int, used: int, amount: int, admitted: bool, least: int) -> None:
    found = Allowance(limit, used)
    assert (found.admits(amount), found.least(amount), found.left) == (admitted, least, limit - used)
    assert Allowance(least, used).admits(amount)


@pytest.mark.chain
def test_lacks__after_a_forfeit__what_was_lost_stays_used_until_the_owner_allows_more(chain: Chain) -> None:
    place = world.build(chain, "a limit that was lost")
    owner, operator = str(place.benchmarker.address), str(place.operator.address)
    place.benchmarker.send(chain.vault.allow(operator, world.BOND))
    assert list(lacks(chain, "bench", owner, operator, world.BOND)) == []
    round_ = place.seal(keccak(b"one root"))
    place.enrol(round_)
    deadlines = chain.rounds.deadlines(round_)
    assert deadlines is not None
    world.move_to(chain, deadlines.attest_by)
    assert chain.rounds.phase(round_) is Phase.FORFEITED
    world.door(chain, "usher").send(chain.rounds.forfeit(round_))
    assert (chain.vault.balance(owner).locked, chain.vault.burned_of(owner)) == (0, world.BOND // 2)
    assert chain.vault.allowance(owner, operator) == (world.BOND, world.BOND)

    (lack,) = lacks(chain, "bench", owner, operator, world.BOND)
    assert lack.then == f'assay bench allow {operator} "{2 * world.BOND} wei"'
    assert f"{in_ether(world.BOND)} are" in lack.says
    with pytest.raises(NoFunds, match=f"wouldBeUsed={2 * world.BOND}"):
        place.seal(keccak(b"another root"))
    place.benchmarker.send(chain.vault.allow(operator, 2 * world.BOND))
    assert chain.rounds.phase(place.seal(keccak(b"another root"))) is Phase.ANSWERING
    assert chain.vault.allowance(owner, operator) == (2 * world.BOND, 2 * world.BOND)


@pytest.mark.chain
def test_lacks__neither_stake_nor_limit__both_with_their_commands(chain: Chain) -> None:
    nobody, other = world.signer("nobody at all").address, world.signer("somebody else").address
    found = list(lacks(chain, "provider", nobody, other, ETHER))
    assert [lack.then for lack in found] == [
        f'assay provider deposit "{ETHER} wei"',
        f'assay provider allow {other} "{ETHER} wei"',
    ]
