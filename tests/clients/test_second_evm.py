"""Whole exams on an EVM that is not Anvil's, by `assay` commands in processes of their own, on a public chain's terms.

`make geth` builds the client, where Go is found, and plays them.
"""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from stage import Person, free_port

from assay import keys
from assay.audit import sources
from assay.audit.facts import collect
from assay.audit.openings import opening
from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.contracts.base import Call
from assay.chain.door import Door, Site
from assay.chain.node import Node
from assay.encoding.hashing import checksum
from assay.encoding.receipts import LocalSigner
from assay.storage.store import Store
from assay.types import Address, DemandState, Fault, Phase, RoundId, Verdict, VersionId
from clients.engine import Client, Ports
from flow.world import QUESTIONS, ROOT, Candidate, World, replay

pytestmark = [pytest.mark.chain, pytest.mark.slow]
HOUR, DAY, ETHER = 3_600, 86_400, 10**18
WINDOWS = {"answer": DAY, "post": HOUR, "attest": DAY, "reveal": DAY, "challenge": 3 * DAY, "demand": HOUR}
FEES = ETHER // 10
FORGER = ROOT / "tests" / "forger" / "falsify.py"
RICH = LocalSigner(b"pays for the second EVM".rjust(32, b"\0"))


class OtherWorld(World):
    """A world whose chain is another client's. Nothing there makes money or moves a clock, but the client's own consensus."""

    def open_devnet(self) -> None:  # type: ignore[override]
        """Starts the client and deploys with `assay deploy`."""
        if "ASSAY_GETH" not in os.environ:
            pytest.fail("ASSAY_GETH names no client: make geth")
        self._stack = ExitStack()
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise

    def _begin(self) -> None:
        ports = Ports(self.port, free_port(), free_port())
        self.client = self._stack.enter_context(Client(self.root / "client", ports, RICH.address))
        self.rich = self._stack.enter_context(Node(self.rpc))
        payer = Person(self, "payer")
        self.fund(payer, [payer.json("keys", "new", "operator", "--light")["address"]], 1)
        made = payer.json("deploy", "--sources", ROOT, "--out", self.root / "deployments")
        self.deployment = Path(made["deployment"])

    def fund(self, person: Person, addresses: Sequence[str], ether: int) -> None:
        """Sends money of the one account that has some."""
        for address in addresses:
            Door(Site(self.rich), RICH).send(Call(checksum(bytes.fromhex(address[2:])), b"", ether * ETHER, "pay"))

    def move_to(self, timestamp: int) -> None:
        """Moves the chain past a moment, and finalizes that."""
        self.client.jump(timestamp)
        assert self.node.finalized().timestamp >= timestamp

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._stack.close()


@dataclass(frozen=True)
class Exams:
    """Three rounds of one benchmarker: an honest one, one with a falsified score, one with an item that nobody will show."""

    world: OtherWorld
    candidate: Candidate
    examiner: Person
    finder: Door
    honest: str
    liar: str
    mute: str

    @property
    def version(self) -> VersionId:
        return VersionId(bytes.fromhex(self.candidate.version[2:]))

    @property
    def store(self) -> Path:
        return self.examiner.home / "store"


def id_of(round_: str) -> RoundId:
    return RoundId(bytes.fromhex(round_[2:]))


def address_of(door: Door) -> Address:
    assert door.address is not None
    return door.address


def finder_of(world: OtherWorld, chain: Chain) -> Door:
    """A reader with a key that pays, and with money of its own in the vault, so that it may demand."""
    reader = world.reader
    world.fund(reader, [reader.json("keys", "new", "operator", "--light")["address"]], 1)
    door = Door(chain, keys.open_key(reader.home / "keys", "operator", keys.read_password(reader.password_file)))
    door.send(chain.vault.deposit(address_of(door), FEES))
    door.send(chain.vault.allow(address_of(door), FEES))
    return door


@pytest.fixture(scope="module")
def exams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exams]:
    """Sealed, sat and revealed, each step for all three before the next."""
    with OtherWorld(tmp_path_factory.mktemp("second")) as world:
        sets = {name: [(f"{name}: {row[0]}", *row[1:]) for row in QUESTIONS] for name in ("honest", "liar", "mute")}
        answers = {prompt: reference for rows in sets.values() for prompt, reference, *_ in rows}
        answers |= {rows[0][0]: "O comitê se encontra na terça." for rows in sets.values()}
        candidate = world.candidate("parrot", *replay(world.root / "parrot.tsv", answers))
        examiner = Person(world, "examiner")
        examiner.settle_in("bench", "20")
        task = world.task(examiner, silence_bps=1_000, **WINDOWS)
        rounds = {name: world.seal(examiner, task, rows, title=name) for name, rows in sets.items()}
        for round_ in rounds.values():
            world.sit(examiner, round_, candidate)
        world.pass_deadline(examiner, rounds["mute"], "answer_by")
        for name, round_ in rounds.items():
            examiner.assay("bench", "score", round_)
            if name == "liar":
                examiner.run(ROOT / ".venv" / "bin" / "python", FORGER, round_)
            else:
                examiner.assay("bench", "attest", round_)
                examiner.assay("bench", "reveal", round_)
        chain = Chain.connect(world.rpc, deployments.load(world.deployment), timeout=60)
        with closing(chain):
            yield Exams(world, candidate, examiner, finder_of(world, chain), **rounds)
        assert world.client.failed is None


@pytest.fixture
def chain(exams: Exams) -> Iterator[Chain]:  # type: ignore[override]
    """The contracts on the other client."""
    with closing(Chain.connect(exams.world.rpc, deployments.load(exams.world.deployment), timeout=60)) as connected:
        yield connected


def test_honest_round__is_verified_and_every_item_judged_sound(exams: Exams, chain: Chain) -> None:
    assert exams.world.reader.json("verify", exams.honest, "--store", exams.store)["exit_code"] == 0
    facts = collect(chain, id_of(exams.honest))
    with sources.round_bundle(facts, Store(exams.store), None) as bundle:
        assert bundle is not None
        for position in range(len(QUESTIONS)):
            item = opening(facts, bundle, exams.version, position, secrets.randbits(256))
            assert chain.judge.judge(facts.round.id, exams.version, item) is Verdict.SOUND


def test_falsified_score__is_proven_by_one_transaction_and_costs_the_bond(exams: Exams, chain: Chain) -> None:
    before = chain.vault.balance(address_of(exams.finder)).free
    sent = exams.world.reader.json("challenge", exams.liar, "--store", exams.store, "--send")
    assert sent["verdict_on_chain"] == "wrong_statistics"
    facts = chain.rounds.round(id_of(exams.liar))
    assert facts is not None
    assert (facts.fault, chain.rounds.phase(id_of(exams.liar))) == (Fault.WRONG_STATISTICS, Phase.SLASHED)
    assert chain.vault.balance(address_of(exams.finder)).free - before == ETHER
    assert "RoundSlashed" in {found["name"] for found in exams.world.reader.json("explain", sent["transaction"])}


def test_demands__one_answered_by_anyone_one_expired(exams: Exams, chain: Chain) -> None:
    door, honest, mute = exams.finder, id_of(exams.honest), id_of(exams.mute)
    for round_ in (honest, mute):
        door.send(chain.disputes.demand(round_, exams.version, 3))
    facts = collect(chain, honest)
    with sources.round_bundle(facts, Store(exams.store), None) as bundle:
        assert bundle is not None
        door.send(chain.disputes.answer_demand(honest, exams.version, opening(facts, bundle, exams.version, 3, 0)))
    answered, open_ = (chain.disputes.demand_of(round_, exams.version, 3) for round_ in (honest, mute))
    assert answered is not None
    assert open_ is not None
    assert (answered.state, open_.state) == (DemandState.ANSWERED, DemandState.OPEN)
    exams.world.move_to(open_.deadline)
    door.send(chain.disputes.expire(mute, exams.version, 3))
    assert (chain.rounds.phase(mute), chain.rounds.phase(honest)) == (Phase.SLASHED, Phase.CHALLENGING)


def test_honest_round__after_its_window__is_final_and_everything_is_paid_back(exams: Exams) -> None:
    exams.world.pass_deadline(exams.examiner, exams.honest, "versions_released_at")
    exams.examiner.assay("bench", "release", exams.honest)
    shown = exams.examiner.json("bench", "show", exams.honest)
    assert (shown["phase"], shown["versions"][0]["standing"]) == ("final", "scored")
    assert int(exams.examiner.json("bench", "balance")["locked"]) == 0
