"""given a node that lies or lags, a disk that fails / when a watchtower runs / it goes on, and no wei is lost of sight.

given prices of nothing -> what was signed counts, and goes out within the budget or not at all
given a receipt that is none, an endless fee, receipts behind nonces -> the act stays open until it can be booked as it was
given an error that nobody foresaw -> told, and tried again after a pause that doubles
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assay.chain.client import Chain
from assay.chain.door import Door
from assay.chain.transactions import most_of
from assay.errors import Unreachable
from assay.types import Fault, Phase
from assay.watch.tower import Tower
from unit.audit.faults import wrong_statistic
from unit.watch.stage import ETHER, LiveExam, Scene, played, whats
from unit.watch.wire import Wire

pytestmark = pytest.mark.chain
RECEIPT = "eth_getTransactionReceipt"


class Node:
    """What stands between the tower and its node; `lie` gets method and result, `deaf` is a method that gets no answer."""

    def __init__(self) -> None:
        self.lie: Callable[[str, Any], Any] = lambda _, result: result
        self.deaf = ""

    def before(self, method: str) -> None:
        if method == self.deaf:
            raise ConnectionAbortedError

    def bend(self, method: str, result: Any) -> Any:
        return self.lie(method, result)


@pytest.fixture
def scene(chain: Chain, tmp_path: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(chain, tmp_path, request.node.name)


@pytest.fixture
def exam(scene: Scene) -> LiveExam:
    exam = LiveExam(scene.chain, scene.name)
    wrong_statistic(exam)
    return played(scene, "lie", exam=exam)


@contextmanager
def through(scene: Scene, node: Node) -> Iterator[None]:
    """From now on the scene's towers reach their node through this one."""
    honest = scene.chain
    with Wire(honest.node.url, before=node.before, bend=node.bend) as wire:
        scene.chain = Chain.connect(wire.url, honest.deployment)
        try:
            yield
        finally:
            scene.chain.close()
            scene.chain = honest


def states(tower: Tower) -> list[str]:
    return [act.state for act in tower.tools.journal.acts()]


def figure(tower: Tower, name: str, **labels: str) -> float:
    return tower.tools.meters.registry.get_sample_value(f"assay_watch_{name}_total", labels) or 0.0


def free_gas(method: str, result: Any) -> Any:
    return "0x0" if method == "eth_gasPrice" else result


# Prices


@pytest.mark.parametrize("changes", [{"budget": 10**12}, {"budget_per_day": 10**12}])
def test_once__the_node_says_that_gas_is_free__nothing_beyond_the_budget_is_signed(
    scene: Scene, exam: LiveExam, changes: dict[str, int]
) -> None:
    node = Node()
    node.lie = free_gas
    before = scene.chain.node.nonce(scene.signer.address)
    with through(scene, node), scene.tower(**changes) as tower:
        assert whats(tower.until_idle()) == ["audit"]
        assert states(tower) == ["dropped"]
        assert tower.tools.journal.transactions(1) == []
        assert tower.tools.journal.spent(scene.chain.head().timestamp) == (0, 0)
    assert scene.chain.node.nonce(scene.signer.address) == before
    assert scene.chain.rounds.phase(exam.round) is Phase.CHALLENGING


@pytest.mark.usefixtures("exam")
def test_once__the_node_says_that_gas_is_free__what_was_signed_is_set_aside(scene: Scene) -> None:
    node = Node()
    node.lie, node.deaf = free_gas, "eth_sendRawTransaction"
    with through(scene, node), scene.tower() as tower:
        tower.until_idle()
        assert states(tower) == ["open"]
        (signed,) = tower.tools.journal.transactions(1)
        assert tower.tools.journal.spent(scene.chain.head().timestamp).ever == most_of(signed) > 0


@pytest.mark.usefixtures("exam")
def test_once__only_one_node_says_that_gas_is_free__nothing_is_even_begun(scene: Scene) -> None:
    node, honest = Node(), scene.chain
    node.lie = free_gas
    with through(scene, node), scene.tower(honest, budget=10**12) as tower:
        assert whats(tower.until_idle()) == ["audit"]
        assert states(tower) == []


# Receipts


@pytest.mark.parametrize(
    "change",
    [{"effectiveGasPrice": None}, {"status": "0x7"}, {"gasUsed": "rubbish"}, {"logs": "0x"}, {"blockNumber": hex(2**64)}],
)
def test_once__receipt_that_is_none__the_act_stays_open_until_there_is_one(
    scene: Scene, exam: LiveExam, change: dict[str, object]
) -> None:
    node = Node()
    node.lie = lambda method, result: result | change if method == RECEIPT and result else result
    with through(scene, node):
        for _ in range(2):
            with scene.tower() as tower:
                tower.until_idle()
                assert tower.once() > 0
                assert isinstance(tower.error, Unreachable)
                assert states(tower) == ["open"]
        node.lie = lambda _, result: result
        with scene.tower() as tower:
            tower.until_idle()
            (act,) = tower.tools.journal.acts()
            assert (act.state, tower.error) == ("mined", None)
            assert act.fee == tower.tools.journal.spent(scene.chain.head().timestamp).ever > 0
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)


@pytest.mark.usefixtures("exam")
def test_once__an_endless_fee__no_more_than_was_signed_is_booked(scene: Scene) -> None:
    node = Node()
    node.lie = lambda method, result: result | {"effectiveGasPrice": hex(10**35)} if method == RECEIPT and result else result
    with through(scene, node), scene.tower() as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        (act,) = tower.tools.journal.acts()
        assert act.fee == most_of(tower.tools.journal.transactions(1)[0])


def test_once__receipts_are_behind_nonces__booked_as_mined_at_the_second_look(scene: Scene, exam: LiveExam) -> None:
    node = Node()
    node.lie = lambda method, result: None if method == RECEIPT else result
    with through(scene, node), scene.tower() as tower:
        assert (tower.once(), tower.once() > 0) == (0, True)
        assert states(tower) == ["open"]
        make_final(scene)
        tower.once()
        assert tower.tools.hand.is_unsure
        node.lie = lambda _, result: result
        tower.until_idle()
        assert states(tower) == ["mined"]
        assert not tower.tools.hand.is_unsure
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)


def test_until_idle__another_took_the_nonce__dropped_at_the_second_look_and_brought_anew(scene: Scene, exam: LiveExam) -> None:
    node = Node()
    node.deaf = "eth_sendRawTransaction"
    with through(scene, node), scene.tower() as tower:
        tower.until_idle()
        assert states(tower) == ["open"]
    Door(scene.chain, scene.signer).send(scene.chain.vault.deposit(scene.signer.address, 1))
    with scene.tower() as tower:
        tower.until_idle()
        assert states(tower) == ["open"]  # a reorganisation may still take the other one back
        make_final(scene)
        assert tower.once() > 0
        assert states(tower) == ["open"]
    with scene.tower() as tower:  # a new process, as from a timer: its two looks are its own
        tower.until_idle()
        assert states(tower) == ["dropped", "mined"]
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)


@pytest.mark.usefixtures("exam")
def test_once__the_first_node_shows_no_fee__the_witness_is_believed(scene: Scene) -> None:
    node, honest = Node(), scene.chain
    before = honest.node.balance(scene.signer.address)
    node.lie = lambda method, result: result | {"effectiveGasPrice": "0x0"} if method == RECEIPT and result else result
    with through(scene, node), scene.tower(honest) as tower:
        assert whats(tower.until_idle()) == ["audit", "item"]
        spent = tower.tools.journal.spent(honest.head().timestamp).ever
    assert spent == before - honest.node.balance(scene.signer.address) > 0


@pytest.mark.usefixtures("exam")
def test_once__the_first_node_swallows_and_counts_nonces_up__nothing_more_is_signed(scene: Scene) -> None:
    node, honest, swallowed = Node(), scene.chain, []
    base = honest.node.nonce(scene.signer.address)

    def before(method: str) -> bytes | None:
        if method != "eth_sendRawTransaction":
            return None
        swallowed.append(method)
        return b'{"jsonrpc":"2.0","id":1,"result":"0x' + b"00" * 32 + b'"}'

    node.before = before
    node.lie = lambda method, result: hex(base + len(swallowed)) if method == "eth_getTransactionCount" else result
    with through(scene, node), scene.tower(honest) as tower:
        for _ in range(4):
            tower._pauses.__init__()  # type: ignore[misc]  # as after a while
            tower.once()
            make_final(scene)
        assert states(tower) == ["open"]
        assert len(tower.tools.journal.transactions(1)) == 1


@pytest.mark.usefixtures("exam")
@pytest.mark.parametrize("told", [None, {"status": "0x0"}])
def test_once__the_first_node_hides_or_belies_the_receipt__open_until_it_tells_it_too(
    scene: Scene, told: dict[str, str] | None
) -> None:
    node, honest = Node(), scene.chain
    node.lie = lambda method, result: told and result | told if method == RECEIPT and result else result
    with through(scene, node), scene.tower(honest) as tower:
        for _ in range(5):
            tower.once()
            make_final(scene)
        assert states(tower) == ["open"]
        node.lie = lambda _, result: result
        tower.until_idle()
        assert states(tower) == ["mined"]


def make_final(scene: Scene) -> None:
    """Blocks enough that what was mined is in a final one."""
    for _ in range(4):
        scene.chain.node.request("evm_mine")


# Anything else


def test_once__the_journal_breaks__told_with_doubling_pauses_and_then_goes_on(scene: Scene, exam: LiveExam) -> None:
    with scene.tower() as tower:
        disk = sqlite3.connect(tower.tools.journal.path)
        disk.execute("ALTER TABLE scans RENAME TO lost")
        assert [tower.once() for _ in range(3)] == [1.0, 2.0, 4.0]
        assert isinstance(tower.error, sqlite3.OperationalError)
        assert figure(tower, "errors", error="OperationalError") == figure(tower, "unexpected") == 3
        disk.execute("ALTER TABLE lost RENAME TO scans")
        disk.close()
        assert whats(tower.until_idle()) == ["audit", "item"]
        assert tower.error is None
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)


def test_once__the_node_answers_rubbish__is_away_and_the_watch_goes_on(scene: Scene, exam: LiveExam) -> None:
    node = Node()
    with through(scene, node), scene.tower() as tower:
        for method in ("eth_getBlockByNumber", "eth_getBalance"):
            node.lie = lambda asked, result, method=method: [] if asked == method else result
            assert tower.once() > 0
            assert isinstance(tower.error, Unreachable)
        node.lie = lambda _, result: result
        assert whats(tower.until_idle()) == ["audit", "item"]
    assert scene.chain.vault.balance(scene.signer.address).free > ETHER
    scene.expect_slashed(exam.round, Fault.WRONG_STATISTICS)
