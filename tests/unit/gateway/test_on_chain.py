"""Views, names and posts on a real chain."""

import asyncio
import threading
import time
from contextlib import closing

import pytest

from assay.chain.client import Chain
from assay.chain.devnet import Devnet, Options
from assay.encoding.hashing import keccak
from assay.encoding.ids import name_hash, version_commitment
from assay.errors import BadInput, BadKey, NotYet, Reverted, Unreachable
from assay.gateway import doctor
from assay.gateway.board import ChainBoard
from assay.gateway.catalogue import Catalogue
from assay.gateway.chainview import CachedChain, Enrolment
from assay.gateway.database import Database
from assay.gateway.guard import Guard
from assay.gateway.journal import Journal
from assay.gateway.messages import Ack, Ask, Place, Seat
from assay.gateway.policy import TEMPLATE, parse
from assay.gateway.poster import Poster, _posted
from assay.gateway.problems import Problem
from assay.gateway.registrar import Registrar, by_prefix, named
from assay.gateway.sending import Sender
from assay.gateway.service import Service
from assay.types import Phase, Standing
from unit.gateway.onchain import ETHER, Examiner, Provider, mine, parameters
from unit.gateway.stage import Echo, policy

pytestmark = pytest.mark.chain
DIGEST = b"\x0d" * 32


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "gateway.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def provider(chain):
    return Provider(chain)


@pytest.fixture
def examiner(devnet, chain):
    return Examiner(devnet, chain)


@pytest.fixture
def registrar(chain, provider, database):
    return Registrar(chain, provider.door, Catalogue(database))


@pytest.fixture
def version(registrar, provider, chain):
    model = registrar.register(provider.owner.address, "mine")
    found = registrar.commit(model, "v1", DIGEST, provider.operator.address)
    mine(chain, 1, 2)
    return found


@pytest.fixture
def view(chain):
    opened = CachedChain(chain, fresh=0.0)
    yield opened
    opened.close()


# -- names


def test_register__twice__one_model_whose_salt_opens_it(registrar, provider, chain, database):
    model = registrar.register(provider.owner.address, "mine")
    sent = chain.head().number
    assert registrar.register(provider.owner.address, "mine") == model
    assert chain.head().number == sent
    assert chain.models.owner(model.id) == provider.owner.address
    assert name_hash("mine", model.salt) not in (name_hash("mine", bytes(32)), name_hash("yours", model.salt))
    assert named(Catalogue(database), "mine") == model


def test_register__crash_before_it_was_sent__same_salt_later(chain, provider, database):
    class Broken:
        def send(self, call, journal=None):
            raise Unreachable("cut off")

    catalogue = Catalogue(database)
    with pytest.raises(Unreachable):
        Registrar(chain, Broken(), catalogue).register(provider.owner.address, "mine")
    kept = catalogue.model(provider.owner.address, "mine")
    assert Registrar(chain, provider.door, catalogue).register(provider.owner.address, "mine") == kept


def test_register__operator_not_allowed__reverted(chain, provider, examiner, database):
    registrar = Registrar(chain, provider.door, Catalogue(database))
    with pytest.raises(Reverted) as caught:
        registrar.register(examiner.owner.address, "theirs")
    assert caught.value.error.startswith("NotAuthorised(")


def test_register__crash_while_it_waits_to_be_mined__the_same_transaction_is_taken_up(chain, provider, database):
    class Impatient:
        def send(self, call, journal=None):
            return provider.door.send(call, journal, timeout=0.2)

    catalogue = Catalogue(database)
    chain.node.request("evm_setAutomine", [False])
    with pytest.raises(Unreachable):
        Registrar(chain, Impatient(), catalogue).register(provider.owner.address, "mine")
    threading.Timer(0.5, lambda: chain.node.request("evm_mine")).start()
    try:
        model = Registrar(chain, provider.door, catalogue).register(provider.owner.address, "mine")
    finally:
        chain.node.request("evm_setAutomine", [True])
    assert chain.models.owner(model.id) == provider.owner.address
    assert len(catalogue.transactions(model.id)) == 1


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201])
def test_register__no_name__bad_input(registrar, provider, name):
    with pytest.raises(BadInput):
        registrar.register(provider.owner.address, name)


def test_commit__twice__one_version_that_its_salt_opens(registrar, provider, chain, database):
    model = registrar.register(provider.owner.address, "mine")
    version = registrar.commit(model, "v1", DIGEST, provider.operator.address)
    assert registrar.commit(model, "v1", DIGEST, provider.operator.address) == version
    assert chain.models.versions(model.id) == 1
    made = Catalogue(database).commitment(model.id, "v1", DIGEST)
    assert version_commitment(model.id, "v1", DIGEST, made.salt) == made.commitment
    assert [found.version for found in Catalogue(database).versions()] == [version]


def test_commit__new_key__new_version_of_the_same_commitment(registrar, provider, chain, database):
    model = registrar.register(provider.owner.address, "mine")
    registrar.commit(model, "v1", DIGEST, provider.operator.address)
    second = registrar.commit(model, "v1", DIGEST, provider.owner.address)
    assert chain.models.version(second).number == 2
    assert chain.models.version(second).operator == provider.owner.address
    assert len(database.rows("SELECT * FROM commitments")) == 1


def test_commit__crash_after_sending__transaction_brought_to_its_end(chain, provider, database):
    """The node has the transaction and has not mined it when the command is run again: no second version."""

    class Deaf:
        def __init__(self, door):
            self.door = door
            self.resume = door.resume

        def send(self, call, journal=None):
            def keep(signed):
                journal(signed)
                raise Unreachable("cut off")

            return self.door.send(call, keep if journal else None)

    catalogue = Catalogue(database)
    model = Registrar(chain, provider.door, catalogue).register(provider.owner.address, "mine")
    with pytest.raises(Unreachable):
        Registrar(chain, Deaf(provider.door), catalogue).commit(model, "v1", DIGEST, provider.operator.address)
    version = Registrar(chain, Deaf(provider.door), catalogue).commit(model, "v1", DIGEST, provider.operator.address)
    assert chain.models.version(version).number == chain.models.versions(model.id) == 1


def test_by_prefix__digits__the_only_id_that_fits():
    ids = [b"\xab\xcd" + bytes(30), b"\xab\xce" + bytes(30)]
    assert by_prefix("0xabcd", ids, "x") == ids[0]
    assert by_prefix("ABCE", ids, "x") == ids[1]
    assert by_prefix("0x" + "99" * 32, ids, "x") == b"\x99" * 32
    for wrong in ("ab", "0x", "", "99", "0x" + "zz" * 32):
        with pytest.raises(BadInput):
            by_prefix(wrong, ids, "x")


# -- views


def test_view__round_through_its_life__as_the_chain_says(view, devnet, chain, examiner, provider, version):
    params = parameters(devnet)
    round_ = examiner.seal(params, 3)
    seat = Seat(round_, version)

    async def look():
        facts = await view.facts(round_)
        return facts, await view.phase(round_), await view.enrolment(seat)

    facts, phase, enrolment = asyncio.run(look())
    assert (facts.round, facts.task, facts.deadlines) == (chain.rounds.round(round_), params, chain.rounds.deadlines(round_))
    assert (phase, enrolment) == (Phase.ANSWERING, Enrolment.NONE)
    examiner.enrol(round_, version, provider.operator.sign(chain.domain.enrol(*seat)))
    assert asyncio.run(look())[2] is Enrolment.SEEN
    mine(chain, 3)
    assert asyncio.run(look())[2] is Enrolment.FINALIZED
    mine(chain, 1, params.answer_window)
    assert asyncio.run(look())[1] is Phase.ATTESTING
    assert asyncio.run(view.now()) == chain.head().timestamp


def test_view__unknown__nothing(view):
    async def look():
        nothing = keccak(b"nothing")
        return await view.facts(nothing), await view.version(nothing), await view.enrolment(Seat(nothing, nothing))

    assert asyncio.run(look()) == (None, None, Enrolment.NONE)


def test_view__task__objection_to_a_metric_that_nobody_ships(view, devnet):
    assert asyncio.run(view.objection(parameters(devnet))) is None
    assert "metric" in asyncio.run(view.objection(parameters(devnet, metric=devnet.deployment.vault)))


def test_view__many_readers__one_request(chain, examiner, devnet):
    round_ = examiner.seal(parameters(devnet), 3)
    methods = []
    request = chain.node.request

    def counting(method, params=()):
        methods.append(method)
        return request(method, params)

    chain.node.request = counting
    view = CachedChain(chain, fresh=60.0)

    async def crowd():
        await asyncio.gather(*(view.phase(round_) for _ in range(100)))
        await view.phase(round_)

    asyncio.run(crowd())
    view.close()
    assert len(methods) == 1


def test_view__node_gone__unreachable_as_soon_as_the_reading_is_stale():
    with Devnet(Options(block_time=0)) as own:
        connected = Chain.connect(own.rpc, own.deployment, timeout=2.0)
        view = CachedChain(connected, fresh=0.2)

        async def watch():
            now = await view.now()
            own.stop()
            assert await view.now() == now
            await asyncio.sleep(0.3)
            with pytest.raises(Unreachable):
                await view.now()
            begun = time.monotonic()
            with pytest.raises(Unreachable):
                await view.now()
            assert time.monotonic() - begun < 0.1  # errors are kept as well

        asyncio.run(watch())
        view.close()
        connected.close()


def test_view__head_stands_still__unreachable(chain):
    view = CachedChain(chain, fresh=0.0, stall=0.2)

    async def watch():
        await view.now()
        await asyncio.sleep(0.3)
        with pytest.raises(Unreachable):
            await view.now()
        mine(chain)
        await view.now()

    asyncio.run(watch())
    view.close()


# -- doctor


def test_doctor__version__must_be_on_chain_under_the_key(chain, version, provider, examiner):
    assert doctor.check_version(chain, version, provider.operator.address).id == version
    with pytest.raises(BadKey):
        doctor.check_version(chain, version, examiner.operator.address)
    with pytest.raises(BadInput):
        doctor.check_version(chain, keccak(b"nothing"), provider.operator.address)


def test_doctor__means__each_lack_with_its_remedy(chain, version, provider):
    found = chain.models.version(version)
    assert doctor.check_means(chain, found, parse(TEMPLATE)) == []
    remedies = [warned.remedy for warned in doctor.check_means(chain, found, policy(largest_version_bond=2 * ETHER))]
    assert [remedy.split('"')[0] for remedy in remedies] == [
        "assay provider deposit ",
        f"assay provider allow {provider.operator.address} ",
    ]
    provider.door.send(chain.vault.deposit(provider.owner.address, 0))
    chain.node.request("anvil_setBalance", [provider.operator.address, "0x0"])
    assert len(doctor.check_means(chain, found, parse(TEMPLATE))) == 1


# -- a round, and answers whose acknowledgement stays away


class Sitting:
    """A gateway's service on the real chain, in an enrolled round."""

    def __init__(self, chain, view, database, examiner, provider, version, params, **rules):
        self.chain, self.examiner, self.params, self.clock = chain, examiner, params, 0.0
        self.round = examiner.seal(params, 10)
        self.seat = Seat(self.round, version)
        self.journal = Journal(database)
        self.service = Service(
            domain=chain.domain,
            signer=provider.operator,
            chain=view,
            journal=self.journal,
            policy=policy(**rules),
            upstreams={version: Echo()},
        )
        limit = rules.get("largest_unacknowledged", 64)
        self.provider, self.catalogue = provider, Catalogue(database)
        board = ChainBoard(chain, Sender(provider.door, self.catalogue))
        self.poster = Poster(self.service, self.journal, view, board, limit=limit, clock=lambda: self.clock)

    def enrol(self):
        examiner = self.examiner
        examiner.enrol(self.round, self.seat.version, asyncio.run(self.service.enrol(self.seat)))
        mine(self.chain, 3)

    def question(self, position, until=None):
        deadlines = self.chain.rounds.deadlines(self.round)
        until = until or deadlines.answer_by - self.params.post_window
        unsigned = Ask(Place(*self.seat, position), f"prompt {position}", until, b"")
        return Ask(unsigned.place, unsigned.prompt, until, self.examiner.operator.sign(unsigned.digest(self.chain.domain)))

    def ask(self, position, until=None):
        return asyncio.run(self.service.ask(self.question(position, until)))

    def cycle(self):
        return asyncio.run(self.poster.cycle())

    def posted(self, position):
        return self.chain.rounds.posted(*self.seat, position)


@pytest.fixture
def sit(chain, view, database, examiner, provider, version, devnet):
    made = []

    def make(**rules):
        sitting = Sitting(chain, view, database, examiner, provider, version, parameters(devnet), **rules)
        made.append(sitting)
        return sitting

    yield make
    for sitting in made:
        sitting.poster.close()
        asyncio.run(sitting.service.close())


def test_round__enrolled_with_our_signature__asked_once_final(sit):
    sitting = sit()
    examiner = sitting.examiner
    examiner.enrol(sitting.round, sitting.seat.version, asyncio.run(sitting.service.enrol(sitting.seat)))
    assert sitting.chain.rounds.score(*sitting.seat).standing is Standing.ENROLLED
    with pytest.raises(Problem) as caught:
        sitting.ask(0)
    assert caught.value.slug == "not-finalized"
    mine(sitting.chain, 3)
    assert sitting.ask(0).response == b"PROMPT 0 1"


def test_poster__ask_runs_out_without_ack__posted_with_the_full_text_once(sit):
    sitting = sit()
    sitting.enrol()
    until = sitting.chain.head().timestamp + 50
    answers = [sitting.ask(position, until) for position in range(2)]
    ack = Ack(answers[1].place, answers[1].response_hash, b"")
    ack = Ack(ack.place, ack.response_hash, sitting.examiner.operator.sign(ack.digest(sitting.chain.domain)))
    asyncio.run(sitting.service.acknowledge([ack]))
    assert not sitting.cycle()
    mine(sitting.chain, 1, 50 + sitting.params.post_window // 4)
    assert sitting.cycle()
    assert sitting.posted(0) == answers[0].response_hash
    assert sitting.posted(1) is None
    assert not sitting.cycle()
    assert sitting.journal.counts(sitting.seat) == (2, 1, 0)
    mine(sitting.chain, 3)
    assert not sitting.cycle()
    assert sitting.journal.counts(sitting.seat) == (2, 1, 1)


def test_poster__post_window_over__lets_it_be(sit):
    sitting = sit()
    sitting.enrol()
    until = sitting.chain.head().timestamp + 50
    sitting.ask(0, until)
    mine(sitting.chain, 1, 50 + sitting.params.post_window)
    assert not sitting.cycle()


def due(sit):
    """A seat with one answer that should be posted now."""
    sitting = sit()
    sitting.enrol()
    sitting.ask(0, sitting.chain.head().timestamp + 50)
    mine(sitting.chain, 1, 50 + sitting.params.post_window // 4)
    return sitting


def test_poster__posted_by_another__noted_without_a_transaction(sit, database):
    sitting = due(sit)
    kept = sitting.journal.answer(Place(*sitting.seat, 0))
    sitting.examiner.door.send(sitting.chain.rounds.post_answer(sitting.round, _posted(kept)))
    head = sitting.chain.head().number
    assert sitting.cycle()
    assert sitting.chain.head().number == head
    mine(sitting.chain, 3)
    assert not sitting.cycle()
    assert database.rows("SELECT tx_hash FROM posts") == [(b"",)]


def test_poster__crash_while_the_post_waits__the_same_transaction_is_taken_up(sit, database, chain):
    """The node has the first one and has not mined it: a second one would be mined too, and fail at our cost."""

    class Impatient:
        def send(self, call, journal=None):
            return sitting.provider.door.send(call, journal, timeout=0.2)

    sitting = due(sit)
    board = sitting.poster._board
    sitting.poster._board = ChainBoard(chain, Sender(Impatient(), sitting.catalogue))
    chain.node.request("evm_setAutomine", [False])
    with pytest.raises(Unreachable):
        sitting.cycle()
    sitting.poster._board = board
    threading.Timer(0.5, lambda: chain.node.request("evm_mine")).start()
    try:
        assert sitting.cycle()
    finally:
        chain.node.request("evm_setAutomine", [True])
    assert sitting.posted(0) is not None
    ((kept,),) = database.rows("SELECT tx_hash FROM transactions WHERE what LIKE 'post%'")
    assert chain.node.request("eth_getTransactionReceipt", ["0x" + kept.hex()])["status"] == "0x1"


def test_poster__post_reorganised_away__posted_again(sit, chain):
    sitting = due(sit)
    before = chain.head().number
    assert sitting.cycle()
    mine(chain, 1)
    chain.node.request("anvil_rollback", [chain.head().number - before])
    assert sitting.posted(0) is None
    mine(chain, 4)
    assert not sitting.cycle()
    assert sitting.posted(0) is not None
    assert sitting.journal.counts(sitting.seat).posts == 0
    mine(chain, 3)
    assert not sitting.cycle()
    assert sitting.journal.counts(sitting.seat).posts == 1


def test_poster__two_rounds__what_is_lost_first_is_posted_first(sit, chain):
    """Else an examiner who acknowledges nothing keeps the poster busy until the answers of all others are lost."""
    older, newer = sit(), sit()
    older.enrol()
    newer.enrol()
    soon = chain.head().timestamp + 50
    older.ask(0, soon + 5)
    newer.ask(0, soon + 2)
    newer.ask(1, soon)
    mine(chain, 1, 55 + newer.params.post_window // 4)
    with closing(Guard(chain, newer.journal, Sender(newer.provider.door, newer.catalogue))) as guard:
        for posted in ([False, False, True], [False, True, True], [True, True, True]):
            assert guard._runner.run(guard._poster.cycle())
            assert [one is not None for one in (older.posted(0), newer.posted(0), newer.posted(1))] == posted


def test_poster__overtaken_by_anothers_post_of_it__counts_as_posted(sit):
    """Whoever refuses acknowledgements and then posts first, seat by seat, would stop the gateway for good otherwise."""
    sitting = sit(largest_unacknowledged=1)
    sitting.enrol()
    sitting.ask(0)
    board, first = sitting.poster._board, []

    class Overtaken:
        posted, head, final = board.posted, board.head, board.final

        def post(self, round_, answer):
            if not first:
                first.append(board.post(round_, answer))
            return board.post(round_, answer)

    sitting.poster._board = Overtaken()
    sitting.clock = 30.0
    assert not sitting.cycle()
    sitting.clock = 60.0
    assert sitting.cycle()
    assert first
    assert sitting.service.unsettled(sitting.seat) == frozenset()
    assert sitting.ask(1).response


def test_poster__too_many_wait__posts_after_some_patience_and_answering_goes_on(sit):
    sitting = sit(largest_unacknowledged=2)
    sitting.enrol()
    sitting.ask(0)
    sitting.ask(1)
    with pytest.raises(Problem) as caught:
        sitting.ask(2)
    assert caught.value.slug == "unacknowledged"
    assert not sitting.cycle()
    sitting.clock = 30.0
    assert sitting.cycle()
    assert sitting.posted(0) is not None
    assert not sitting.cycle()
    assert sitting.ask(2).response


def test_release__before_and_after_its_time__not_yet_then_free(sit, registrar, provider, chain):
    sitting = sit()
    sitting.enrol()
    versions = [sitting.seat.version]
    with pytest.raises(NotYet) as caught:
        registrar.release(sitting.round, versions)
    free_at = chain.rounds.deadlines(sitting.round).versions_released_at
    assert caught.value.at == free_at
    assert chain.vault.balance(provider.owner.address).locked == sitting.params.version_bond
    mine(chain, 1, free_at - chain.head().timestamp)
    assert registrar.release(sitting.round, versions) == versions
    assert chain.vault.balance(provider.owner.address) == (ETHER, 0)
    with pytest.raises(BadInput):
        registrar.release(keccak(b"nothing"), versions)
