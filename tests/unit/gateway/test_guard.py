"""given answers that wait, in a journal whose gateway is gone / when the guard looks / they are posted, within the budget."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from assay.errors import Refused
from assay.gateway.catalogue import Catalogue
from assay.gateway.chainview import CachedChain
from assay.gateway.database import Database
from assay.gateway.guard import Guard
from assay.gateway.purse import DAY, BudgetedSender, Purse
from assay.gateway.registrar import Registrar
from assay.gateway.sending import Sender
from unit.gateway.onchain import ETHER, Examiner, Provider, mine, parameters
from unit.gateway.test_on_chain import DIGEST, Sitting

pytestmark = pytest.mark.chain


@pytest.fixture
def due(chain: Chain, devnet: Devnet, tmp_path: Path) -> Iterator[Sitting]:
    """A journal with two answers that should be posted now, and one that has time."""
    with ExitStack() as stack:
        database = stack.enter_context(closing(Database(tmp_path / "gateway.sqlite")))
        view = stack.enter_context(closing(CachedChain(chain, fresh=0.0)))
        provider, examiner = Provider(chain), Examiner(devnet, chain)
        registrar = Registrar(chain, provider.door, Catalogue(database))
        version = registrar.commit(registrar.register(provider.owner.address, "mine"), "v1", DIGEST, provider.operator.address)
        mine(chain, 1, 2)
        sitting = Sitting(chain, view, database, examiner, provider, version, parameters(devnet))
        stack.callback(sitting.poster.close)
        sitting.enrol()
        soon = chain.head().timestamp + 20
        for position, until in ((0, soon), (1, soon), (2, None)):
            sitting.ask(position, until)
        mine(chain, 1, 20 + sitting.params.post_window // 4)
        yield sitting


def sender(sitting: Sitting, budget: int, clock: float = 0.0) -> BudgetedSender:
    purse = Purse(sitting.chain, sitting.catalogue, budget, clock=lambda: clock or time.time())
    return BudgetedSender(sitting.provider.door, sitting.catalogue, purse)


def test_post__gateway_is_gone__what_is_due_and_only_once(due: Sitting) -> None:
    with closing(Guard(due.chain, due.journal, Sender(due.provider.door, due.catalogue))) as guard:
        assert guard.post() == 2
        assert [due.posted(position) is not None for position in range(3)] == [True, True, False]
        assert guard.post() == 0
    mine(due.chain, 3)
    with closing(Guard(due.chain, due.journal, Sender(due.provider.door, due.catalogue))) as again:
        again.post()  # the chain says that they are posted
    assert len(due.catalogue.sent_since(0, (b"post",))) == 2


def test_post__beyond_the_budget__refused_before_anything_is_signed(due: Sitting) -> None:
    with closing(Guard(due.chain, due.journal, sender(due, 1))) as guard, pytest.raises(Refused, match="gas budget"):
        guard.post()
    assert due.posted(0) is None
    assert due.catalogue.sent_since(0, (b"post",)) == []


def test_purse__what_was_posted__is_its_fee_today_and_nothing_tomorrow(due: Sitting) -> None:
    before = due.chain.node.balance(due.provider.operator.address)
    with closing(Guard(due.chain, due.journal, sender(due, ETHER))) as guard:
        assert guard.post() == 2
    paid = before - due.chain.node.balance(due.provider.operator.address)
    assert Purse(due.chain, due.catalogue, ETHER).spent() == paid > 0
    assert Purse(due.chain, due.catalogue, ETHER, clock=lambda: time.time() + DAY + 1).spent() == 0


def test_purse__signed_and_never_mined__counts_with_the_most_that_it_may_cost(due: Sitting) -> None:
    due.chain.node.request("evm_setAutomine", [False])
    try:
        with pytest.raises(ZeroDivisionError):
            due.provider.door.send(due.chain.vault.withdraw(0, due.provider.owner.address), lambda signed: keep(due, signed))
    finally:
        due.chain.node.request("evm_setAutomine", [True])
    assert Purse(due.chain, due.catalogue, ETHER).spent() > 21_000 * 10**6


def test_send__nonce_of_what_was_signed_is_taken__signs_anew_only_within_the_budget(due: Sitting) -> None:
    call, door = due.chain.vault.withdraw(0, due.provider.owner.address), due.provider.door
    with pytest.raises(ZeroDivisionError):
        door.send(call, lambda signed: keep(due, signed))
    door.send(due.chain.vault.withdraw(0, due.provider.operator.address), lambda _: None)
    with pytest.raises(Refused, match="gas budget"):
        sender(due, 1).send(call, b"challenge")
    assert len(due.catalogue.transactions(b"challenge")) == 1
    sender(due, ETHER).send(call, b"challenge")
    assert len(due.catalogue.transactions(b"challenge")) == 2


def keep(sitting: Sitting, signed: object) -> None:
    """Keeps a transaction and dies before it leaves."""
    sitting.catalogue.add_transaction(b"challenge", signed.hash, signed.raw, signed.nonce, signed.what)  # type: ignore[attr-defined]
    _ = 1 / 0
