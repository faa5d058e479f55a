"""Every proof and the way of a demand, sent to the real contracts through the wrappers, one of each."""

from dataclasses import dataclass, replace

import pytest

from assay.chain import index
from assay.chain.client import Chain
from assay.chain.devnet import ETHER
from assay.chain.door import Door
from assay.encoding import sumtree
from assay.encoding.hashing import keccak
from assay.encoding.seals import SetTree, set_leaf
from assay.errors import Reverted
from assay.types import (
    Attestation,
    Demand,
    DemandState,
    Fault,
    Item,
    Kind,
    Node,
    Opening,
    Outcome,
    Phase,
    RoundId,
    SetOpening,
    SignedAnswer,
    SignedAsk,
)
from unit.chain import world

pytestmark = pytest.mark.chain
ITEMS = 3
FEE = 10**15


@dataclass(frozen=True)
class Sitting:
    """A round in which one version sits and is silent throughout."""

    place: world.World
    round: RoundId
    items: list[Item]
    sealed: SetTree
    tree: sumtree.SumTree

    def set_opening(self, position: int) -> SetOpening:
        item = self.items[position]
        path = self.sealed.path(position)
        return SetOpening(position, item.kind, keccak(item.prompt), keccak(item.reference), item.salt, path)

    def opening(self, position: int) -> Opening:
        item = self.items[position]
        return Opening(
            position=position,
            kind=item.kind,
            prompt=item.prompt,
            reference=item.reference,
            salt=item.salt,
            set_path=self.sealed.path(position),
            outcome=Outcome.SILENT,
            response=b"",
            answer_signature=b"",
            evidence=b"",
            sums=self.tree.leaf(position).sums,
            sum_path=self.tree.path(position),
            seed=0,
        )

    def ask(self, position: int, prompt: bytes) -> SignedAsk:
        until = 2**32
        digest = self.place.chain.domain.ask(self.round, self.place.version, position, keccak(prompt), until)
        signature = world.signer(f"{self.place.name} operator").sign(digest)
        return SignedAsk(self.place.version, position, keccak(prompt), until, signature)

    def answer(self, position: int, response: bytes) -> SignedAnswer:
        digest = self.place.chain.domain.answer(self.round, self.place.version, position, keccak(b"prompt"), keccak(response))
        return SignedAnswer(keccak(b"prompt"), keccak(response), self.place.gateway.sign(digest))

    def ack(self, position: int, response: bytes) -> bytes:
        digest = self.place.chain.domain.ack(self.round, self.place.version, position, keccak(response))
        return world.signer(f"{self.place.name} operator").sign(digest)

    def attest(self) -> None:
        chain = self.place.chain
        deadlines = chain.rounds.deadlines(self.round)
        assert deadlines is not None
        world.move_to(chain, deadlines.answer_by)
        self.place.operator.send(chain.rounds.attest(self.round, [Attestation(self.place.version, self.tree.root)]))

    def reveal(self) -> None:
        self.place.operator.send(self.place.chain.rounds.reveal(self.round, keccak(b"bundle")))

    def expect_slashed(self, fault: Fault, challenger: Door) -> None:
        chain = self.place.chain
        assert chain.rounds.phase(self.round) is Phase.SLASHED
        found = index.round_log(chain, self.round).slashed
        assert found is not None
        assert (found.fault, found.challenger) == (fault, challenger.address)


def sit(place: world.World, tag: str = "") -> Sitting:
    """Seal three items that all have the prompts `prompt 0` to `prompt 2`; the tag goes into the salts."""
    chain = place.chain
    owner = str(place.benchmarker.address)
    items = [Item(p, Kind.SCORED, f"prompt {p}".encode(), b"reference", keccak(f"{tag}{p}".encode())) for p in range(ITEMS)]
    sealed = SetTree([set_leaf(chain.deployment.chain_id, chain.deployment.rounds, owner, item) for item in items])
    sums = (sumtree.counts_word(Outcome.SILENT), *chain.metric(chain.deployment.metrics["Bleu"]).measure(b"", b"reference"))
    tree = sumtree.SumTree([Node(sumtree.empty_score_leaf(p, Outcome.SILENT), sums) for p in range(ITEMS)])
    sitting = Sitting(place, place.seal(sealed.root, ITEMS), items, sealed, tree)
    place.enrol(sitting.round)
    return sitting


@pytest.fixture
def place(chain: Chain, request: pytest.FixtureRequest) -> world.World:
    return world.build(chain, request.node.name)


@pytest.fixture
def challenger(chain: Chain) -> Door:
    return world.door(chain, "challenger of all kinds")


def test_challenge_ack__silent_leaf__slashed(chain: Chain, place: world.World, challenger: Door) -> None:
    sat = sit(place)
    sat.attest()
    call = chain.disputes.challenge_ack(sat.round, place.version, sat.opening(1), keccak(b"answer"), sat.ack(1, b"answer"))
    challenger.send(call)
    sat.expect_slashed(Fault.ACK_DROPPED, challenger)


def test_challenge_ask__another_question__slashed(chain: Chain, place: world.World, challenger: Door) -> None:
    sat = sit(place)
    with pytest.raises(Reverted, match="AskedAsSealed"):
        challenger.send(chain.disputes.challenge_ask(sat.round, sat.ask(1, b"prompt 1"), sat.set_opening(1)))
    challenger.send(chain.disputes.challenge_ask(sat.round, sat.ask(1, b"another"), sat.set_opening(1)))
    sat.expect_slashed(Fault.WRONG_ASK, challenger)


def test_challenge_reuse__two_rounds__later_slashed(chain: Chain, place: world.World, challenger: Door) -> None:
    first = sit(place)
    world.move_to(chain, chain.head().timestamp + 1)  # of two seals of one second, the id says which is the later
    second = sit(place, "again")
    call = chain.disputes.challenge_reuse(first.round, first.set_opening(2), second.round, second.set_opening(2))
    challenger.send(call)
    second.expect_slashed(Fault.REUSED, challenger)
    assert chain.rounds.phase(first.round) is Phase.ANSWERING


def test_challenge_reuse_by_ask__buried_round__later_slashed(chain: Chain, place: world.World, challenger: Door) -> None:
    first = sit(place)
    deadlines = chain.rounds.deadlines(first.round)
    assert deadlines is not None
    world.move_to(chain, deadlines.attest_by)
    second = sit(place, "again")
    ask = first.ask(0, b"prompt 0")
    challenger.send(chain.disputes.challenge_reuse_by_ask(second.round, second.set_opening(0), first.round, ask))
    second.expect_slashed(Fault.REUSED, challenger)


def test_challenge_leak__before_answer_by__slashed(chain: Chain, place: world.World, challenger: Door) -> None:
    sat = sit(place)
    challenger.send(chain.disputes.challenge_leak(sat.round, sat.set_opening(0)))
    sat.expect_slashed(Fault.LEAKED, challenger)


def test_challenge_answers__two__version_bond_taken(chain: Chain, place: world.World, challenger: Door) -> None:
    sat = sit(place)
    before = chain.vault.balance(str(challenger.address)).free
    call = chain.disputes.challenge_answers(sat.round, place.version, 0, sat.answer(0, b"one"), sat.answer(0, b"other"))
    challenger.send(call)
    assert chain.vault.balance(str(challenger.address)).free == before + world.VERSION_BOND // 10
    assert chain.rounds.phase(sat.round) is Phase.ANSWERING
    assert index.round_log(chain, sat.round).versions_slashed == (place.version,)
    with pytest.raises(Reverted, match="NothingToSlash"):
        challenger.send(call)


def test_demand__answered__pays_half_of_the_fee(chain: Chain, place: world.World, challenger: Door) -> None:
    sat = sit(place)
    sat.attest()
    assert chain.rounds.closing(sat.round).final_at == 0
    sat.reveal()
    reader = funded_reader(chain, place)
    reader.send(chain.disputes.demand(sat.round, place.version, 1))
    deadline = chain.head().timestamp + 10
    assert chain.disputes.demand_of(sat.round, place.version, 1) == Demand(str(reader.address), deadline, DemandState.OPEN)
    assert chain.disputes.demand_of(sat.round, place.version, 0) is None
    assert chain.rounds.closing(sat.round).queue_end == deadline
    before = chain.vault.balance(str(challenger.address)).free
    asked = chain.head().number
    challenger.send(chain.disputes.answer_demand(sat.round, place.version, sat.opening(1)))
    assert chain.vault.balance(str(challenger.address)).free == before + FEE // 2
    assert chain.vault.balance(str(reader.address)) == (ETHER - FEE, 0)
    (record,) = index.demands_of(chain, sat.round)
    expected = index.DemandRecord(place.version, 1, str(reader.address), deadline, DemandState.ANSWERED, asked)
    assert record == expected
    assert index.demands_of(chain, sat.round, asked) == (replace(expected, state=DemandState.OPEN),)
    assert index.demands_of(chain, RoundId(bytes(32))) == ()


def test_demand__unanswered__expired_and_fee_reclaimed(chain: Chain, place: world.World, challenger: Door) -> None:
    sat = sit(place)
    sat.attest()
    sat.reveal()
    reader = funded_reader(chain, place)
    reader.send(chain.disputes.demand(sat.round, place.version, 1))
    world.move_to(chain, chain.rounds.closing(sat.round).queue_end)
    challenger.send(chain.disputes.expire(sat.round, place.version, 1))
    sat.expect_slashed(Fault.UNANSWERED, reader)
    challenger.send(chain.disputes.reclaim(sat.round, place.version, 1))
    assert chain.vault.balance(str(reader.address)) == (ETHER + world.BOND // 2, 0)
    found = chain.disputes.demand_of(sat.round, place.version, 1)
    assert found is not None
    assert found.state is DemandState.RECLAIMED
    assert [record.state for record in index.demands_of(chain, sat.round)] == [DemandState.RECLAIMED]


def funded_reader(chain: Chain, place: world.World) -> Door:
    reader = world.door(chain, f"{place.name} reader")
    reader.send(chain.vault.deposit(str(reader.address), ETHER))
    reader.send(chain.vault.allow(str(reader.address), ETHER))
    return reader
