"""given answers that wait, in a journal whose gateway is gone / when the guard looks / they are posted, within the budget."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from assay.chain.door import Door
from assay.chain.transactions import Price, SignedTx, most_of, sign
from assay.encoding.receipts import LocalSigner
from assay.errors import NoFunds, Refused
from assay.gateway.board import ChainBoard
from assay.gateway.catalogue import Catalogue
from assay.gateway.chainview import CachedChain
from assay.gateway.database import Database
from assay.gateway.guard import Guard
from assay.gateway.messages import Ack, Place
from assay.gateway.poster import POOR_SECONDS
from assay.gateway.problems import Problem
from assay.gateway.purse import DAY, BudgetedSender, Purse
from assay.gateway.registrar import Registrar
from assay.gateway.sending import Sender
from unit.gateway.onchain import ETHER, Examiner, Provider, mine, parameters
from unit.gateway.test_on_chain import DIGEST, Sitting
from unit.watch.wire import Wire

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


# The gateway's own poster, where money is at its end


def acked(sitting: Sitting, *positions: int) -> None:
    """The examiner acknowledges after all."""
    acks = []
    for position in positions:
        place = Place(*sitting.seat, position)
        kept = sitting.journal.answer(place)
        digest = Ack(place, kept.answer.response_hash, b"").digest(sitting.chain.domain)
        acks.append(Ack(place, kept.answer.response_hash, sitting.examiner.operator.sign(digest)))
    asyncio.run(sitting.service.acknowledge(acks))


def expect_refusal(sitting: Sitting, why: str) -> None:
    with pytest.raises(Problem, match=why) as caught:
        sitting.ask(5)
    assert (caught.value.slug, caught.value.status) == ("unacknowledged", 429)
    assert caught.value.retry_after


def paid_from(sitting: Sitting, budget: int) -> None:
    sitting.poster._board = ChainBoard(sitting.chain, sender(sitting, budget))


def test_poster__purse_is_empty__that_round_is_answered_no_more_until_it_can_pay(due: Sitting) -> None:
    paid_from(due, 1)
    assert due.ask(4).response
    assert not due.cycle()
    expect_refusal(due, "3 answers|4 answers.*gas budget is spent")
    assert due.ask(0) == due.journal.answer(Place(*due.seat, 0)).answer  # what was answered is repeated all the same
    assert due.catalogue.sent_since(0, (b"post",)) == []
    paid_from(due, ETHER)
    assert not due.cycle()  # it is not tried at every moment
    due.clock = POOR_SECONDS
    assert due.cycle()
    assert due.posted(0) is not None
    assert due.ask(5).response


def test_poster__purse_is_empty_and_all_is_acknowledged__goes_on(due: Sitting) -> None:
    paid_from(due, 1)
    assert not due.cycle()
    expect_refusal(due, "gas budget is spent")
    acked(due, 0, 1, 2)
    assert not due.cycle()
    assert due.ask(5).response


def test_poster__no_money_for_gas__says_so_and_goes_on_with_some(due: Sitting) -> None:
    operator = due.provider.operator.address
    before = due.chain.node.balance(operator)
    due.chain.node.request("anvil_setBalance", [operator, "0x1"])
    assert not due.cycle()
    expect_refusal(due, "no money left")
    due.chain.node.request("anvil_setBalance", [operator, hex(before)])
    due.clock = POOR_SECONDS
    assert due.cycle()
    assert due.ask(5).response


def test_poster__purse_is_empty_until_it_is_too_late_for_all__goes_on(due: Sitting) -> None:
    acked(due, 2)
    paid_from(due, 1)
    assert not due.cycle()
    expect_refusal(due, "2 answers.*gas budget is spent")
    mine(due.chain, 1, due.params.post_window)
    assert not due.cycle()
    assert due.ask(5).response
    assert due.service.unsettled(due.seat) == {0, 1, 5}


def test_poster__purse_is_refilled_while_nothing_is_due__goes_on(due: Sitting) -> None:
    paid_from(due, 1)
    assert not due.cycle()
    acked(due, 0, 1)
    assert not due.cycle()
    expect_refusal(due, "gas budget is spent")
    paid_from(due, ETHER)
    due.clock = POOR_SECONDS
    assert not due.cycle()
    assert due.posted(2) is None
    assert due.ask(5).response


def test_poster__purse_is_empty_until_the_round_takes_no_more__the_loss_is_told(due: Sitting) -> None:
    paid_from(due, 1)
    assert not due.cycle()
    mine(due.chain, 1, due.chain.rounds.deadlines(due.round).answer_by - due.chain.head().timestamp)
    assert not due.cycle()
    assert not due.poster.refusals
    with closing(Guard(due.chain, due.journal, sender(due, ETHER))) as guard:
        assert guard.post() == 0
        assert guard._poster._given_up == due.poster._given_up == {Place(*due.seat, position) for position in range(3)}


def test_poster__posted_and_ended_before_that_was_final__is_not_lost_and_is_kept(due: Sitting) -> None:
    acked(due, 1, 2)
    assert due.cycle()
    mine(due.chain, 1, due.chain.rounds.deadlines(due.round).answer_by - due.chain.head().timestamp)
    mine(due.chain, 3)
    with closing(Guard(due.chain, due.journal, sender(due, ETHER))) as guard:
        guard.post()
        assert guard._poster._given_up == set()
        assert due.journal.counts(due.seat).posts == 0
        mine(due.chain, 3)
        guard.post()
    assert due.journal.counts(due.seat).posts == 1


def test_poster__post_reorganised_away_and_no_money__stays_stopped_until_it_can_pay(due: Sitting) -> None:
    acked(due, 1, 2)
    before = due.chain.head().number
    assert due.cycle()
    mine(due.chain, 1)
    due.chain.node.request("anvil_rollback", [due.chain.head().number - before])
    mine(due.chain, 4)
    board = due.poster._board

    class Poor:
        posted, head, final = board.posted, board.head, board.final

        def post(self, *_: object) -> None:
            raise NoFunds("nothing left", "send some")

    due.poster._board = Poor()
    for _ in range(3):
        assert not due.cycle()
        expect_refusal(due, "no money left")
    due.poster._board = board
    due.clock = POOR_SECONDS
    assert not due.cycle()
    assert due.posted(0) is not None
    assert due.ask(5).response


def test_poster__one_round_cannot_be_paid__what_was_posted_of_it_is_confirmed_all_the_same(due: Sitting) -> None:
    assert due.cycle()
    paid_from(due, 1)
    mine(due.chain, 3)
    assert not due.cycle()
    assert due.journal.counts(due.seat).posts == 1


def test_poster__its_journal_fails_for_a_while__is_not_ended_by_it(due: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the gateway would answer on, and nothing would ever be posted."""
    monkeypatch.setattr("assay.gateway.poster.CYCLE_SECONDS", 0.1)
    disk = sqlite3.connect(due.journal.database.rows("PRAGMA database_list")[0][2])
    disk.execute("ALTER TABLE answers RENAME TO lost")

    async def while_it_runs() -> bool:
        running = asyncio.create_task(due.poster.run())
        await asyncio.sleep(0.5)
        ended = running.done()
        disk.execute("ALTER TABLE lost RENAME TO answers")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if due.posted(0) is not None:
                break
        running.cancel()
        return ended

    try:
        assert asyncio.run(while_it_runs()) is False
    finally:
        disk.close()
    assert due.posted(0) is not None


# What the purse counts


def signed_by(sitting: Sitting, signer: LocalSigner, most: int = 10**9) -> SignedTx:
    call = sitting.chain.vault.withdraw(0, signer.address)
    return sign(signer, call, chain_id=sitting.chain.node.chain_id(), nonce=7, gas=100_000, price=Price(most, 1))


def test_purse__two_keys_with_one_nonce__both_count(due: Sitting) -> None:
    for purpose, signer in ((b"post a", due.provider.operator), (b"post b", due.provider.owner)):
        tx = signed_by(due, signer)
        due.catalogue.add_transaction(purpose, tx.hash, tx.raw, tx.nonce, tx.what)
    assert Purse(due.chain, due.catalogue, ETHER).spent() == 2 * 100_000 * 10**9


def test_purse__dearer_one_for_the_same__counts_in_place_of_the_first(due: Sitting) -> None:
    first, dearer = signed_by(due, due.provider.operator), signed_by(due, due.provider.operator, 2 * 10**9)
    due.catalogue.add_transaction(b"post a", first.hash, first.raw, first.nonce, first.what)
    Purse(due.chain, due.catalogue, most_of(dearer)).demand(b"post a", dearer)
    with pytest.raises(Refused):
        Purse(due.chain, due.catalogue, most_of(dearer) - 1).demand(b"post a", dearer)
    with pytest.raises(Refused):
        Purse(due.chain, due.catalogue, most_of(dearer)).demand(b"post b", dearer)


def test_sender__the_node_says_that_gas_is_free__nothing_beyond_the_budget_is_kept_or_sent(due: Sitting) -> None:
    with Wire(due.chain.node.url, bend=lambda method, result: "0x0" if method == "eth_gasPrice" else result) as wire:
        lied_to = Chain.connect(wire.url, due.chain.deployment)
        door, purse = Door(lied_to, due.provider.operator), Purse(lied_to, due.catalogue, 10**9)
        with pytest.raises(Refused, match="gas budget"):
            BudgetedSender(door, due.catalogue, purse).send(due.chain.vault.withdraw(0, due.provider.owner.address), b"challenge")
        lied_to.close()
    assert due.catalogue.transactions(b"challenge") == []
