"""The wrappers and the index against the real contracts: one round from its seal to its release, and its log."""

from dataclasses import replace

import pytest

from assay.chain import explain, index
from assay.chain.client import Chain
from assay.chain.contracts import opening_tuple
from assay.chain.contracts.rounds import measurement_tuple
from assay.chain.devnet import ETHER
from assay.chain.minima import BOUNDS, check_bounds, check_task
from assay.encoding import sumtree
from assay.encoding.hashing import EMPTY_HASH, keccak
from assay.encoding.receipts import domain_separator
from assay.encoding.seals import SetTree, set_leaf
from assay.errors import NoFunds, Refused, Reverted, WrongChain
from assay.types import (
    Attestation,
    Fault,
    Item,
    Kind,
    ModelId,
    Node,
    Opening,
    Outcome,
    Phase,
    PostedAnswer,
    RoundId,
    Skip,
    Standing,
    TaskId,
    Verdict,
    VersionId,
)
from unit.chain import world

pytestmark = pytest.mark.chain
ITEMS = 3


@pytest.fixture
def set_up(chain: Chain, request: pytest.FixtureRequest) -> world.World:
    return world.build(chain, request.node.name)


def items(place: world.World) -> tuple[list[Item], SetTree]:
    made = [Item(p, Kind.SCORED, f"prompt {p}".encode(), b"a reference", keccak(bytes([p]))) for p in range(ITEMS)]
    owner = str(place.benchmarker.address)
    return made, SetTree([set_leaf(place.chain.deployment.chain_id, place.chain.deployment.rounds, owner, item) for item in made])


def silent_tree(chain: Chain) -> sumtree.SumTree:
    silent = chain.metric(chain.deployment.metrics["Bleu"]).measure(b"", b"a reference")
    sums = (sumtree.counts_word(Outcome.SILENT), *silent)
    return sumtree.SumTree([Node(sumtree.empty_score_leaf(p, Outcome.SILENT), sums) for p in range(ITEMS)])


def opening(item: Item, sealed: SetTree, tree: sumtree.SumTree) -> Opening:
    return Opening(
        position=item.position,
        kind=item.kind,
        prompt=item.prompt,
        reference=item.reference,
        salt=item.salt,
        set_path=sealed.path(item.position),
        outcome=Outcome.SILENT,
        response=b"",
        answer_signature=b"",
        evidence=b"",
        sums=tree.leaf(item.position).sums,
        sum_path=tree.path(item.position),
        seed=0,
    )


def test_reads__unknown_ids__none_and_never_an_error(chain: Chain) -> None:
    nothing = bytes(32)
    assert chain.tasks.params(TaskId(nothing)) is None
    assert chain.models.version(VersionId(nothing)) is None
    assert chain.models.owner(ModelId(nothing)) is None
    assert chain.rounds.round(RoundId(nothing)) is None
    assert chain.rounds.deadlines(RoundId(nothing)) is None
    assert chain.rounds.phase(RoundId(nothing)) is Phase.UNKNOWN
    assert index.round_log(chain, RoundId(nothing)).sealed is None
    assert index.version_log(chain, VersionId(nothing)) is None


def test_domain__equals_the_contracts(chain: Chain) -> None:
    assert chain.rounds.domain_separator() == domain_separator(chain.deployment.chain_id, chain.deployment.rounds)


def test_task__registered__reads_back(chain: Chain, set_up: world.World) -> None:
    params = chain.tasks.params(set_up.task)
    assert params == world.task_params(chain, set_up.name)
    assert dict(index.registered_tasks(chain))[set_up.task] == params


def test_version__committed__reads_back(chain: Chain, set_up: world.World) -> None:
    version = chain.models.version(set_up.version)
    assert version is not None
    assert (version.number, version.operator) == (1, set_up.gateway.address)
    assert chain.models.owner(version.model) == version.owner
    assert chain.models.versions(version.model) == 1
    (record,) = index.versions_of(chain, version.model)
    assert (record.version, record.commitment) == (set_up.version, keccak(b"weights"))
    assert index.version_log(chain, set_up.version) == record
    assert chain.block(record.block).timestamp == version.committed_at


def test_reads__at_an_earlier_block__see_the_past(chain: Chain, set_up: world.World) -> None:
    before = chain.head().number
    set_up.benchmarker.send(chain.vault.deposit(str(set_up.benchmarker.address), ETHER))
    owner = set_up.benchmarker.address
    assert chain.vault.balance(str(owner)).free == chain.vault.balance(str(owner), at=before).free + ETHER


def test_round__silent_throughout__every_read_and_the_whole_log(chain: Chain, set_up: world.World) -> None:
    made, sealed = items(set_up)
    owner, operator = str(set_up.benchmarker.address), str(set_up.operator.address)
    round_ = set_up.seal(sealed.root, ITEMS)
    facts, deadlines = chain.rounds.round(round_), chain.rounds.deadlines(round_)
    assert facts is not None
    assert deadlines is not None
    assert (facts.benchmarker, facts.operator, facts.items, facts.set_root) == (owner, operator, ITEMS, sealed.root)
    assert deadlines.answer_by == facts.sealed_at + 1_000
    assert chain.vault.balance(owner) == (9 * ETHER, ETHER)
    assert chain.vault.allowance(owner, operator) == (10 * ETHER, ETHER)

    set_up.enrol(round_, set_up.version, VersionId(bytes(32)))
    assert chain.rounds.score(round_, set_up.version).standing is Standing.ENROLLED

    world.move_to(chain, deadlines.answer_by)
    assert chain.rounds.phase(round_) is Phase.ATTESTING
    tree = silent_tree(chain)
    set_up.operator.send(chain.rounds.attest(round_, [Attestation(set_up.version, tree.root)]))
    view = chain.rounds.score(round_, set_up.version)
    assert (view.standing, view.silent, view.answered) == (Standing.INCOMPLETE, ITEMS, 0)
    assert chain.rounds.commitment(round_, set_up.version) == sumtree.commitment(tree.root)
    assert chain.judge.judge(round_, set_up.version, opening(made[1], sealed, tree)) is Verdict.SOUND
    wrong = replace(opening(made[1], sealed, tree), salt=bytes(32))
    assert chain.judge.judge(round_, set_up.version, wrong) is Verdict.NOT_SEALED
    with pytest.raises(Reverted, match="WrongLength"):
        chain.judge.judge(round_, set_up.version, replace(wrong, set_path=()))
    with pytest.raises(Reverted, match="NoFault") as raised:
        set_up.operator.send(chain.disputes.challenge(round_, set_up.version, wrong))
    assert raised.value.error == "NoFault(verdict=NotSealed)"

    set_up.operator.send(chain.rounds.reveal(round_, keccak(b"bundle")))
    assert chain.rounds.phase(round_) is Phase.CHALLENGING
    revealed = chain.rounds.round(round_)
    assert revealed is not None
    world.move_to(chain, revealed.revealed_at + 1_000)
    assert chain.rounds.phase(round_) is Phase.FINAL
    set_up.operator.send(chain.rounds.release(round_))
    world.move_to(chain, max(chain.head().timestamp + 1, deadlines.versions_released_at))
    set_up.operator.send(chain.rounds.release_versions(round_, [set_up.version]))
    assert chain.vault.balance(owner) == (10 * ETHER, 0)

    log = index.round_log(chain, round_)
    assert log.sealed is not None
    assert (log.sealed.task, log.sealed.card_digest, log.sealed.items) == (set_up.task, keccak(b"card"), ITEMS)
    assert [entry.version for entry in log.enrolled] == [set_up.version]
    assert [(entry.version, entry.reason) for entry in log.skipped] == [(bytes(32), Skip.UNKNOWN)]
    assert log.attested[set_up.version].root == tree.root
    assert not log.attested[set_up.version].complete
    assert log.revealed is not None
    assert log.revealed.digest == keccak(b"bundle")
    assert (log.slashed, log.forfeited, log.released, log.versions_released) == (None, None, True, (set_up.version,))
    earlier = index.round_log(chain, round_, to_block=log.revealed.block - 1)
    assert earlier.attested == log.attested
    assert earlier.revealed is None
    assert [entry.round for entry in index.sealed_rounds(chain, benchmarker=owner)] == [round_]
    assert [entry.round for entry in index.sealed_rounds(chain, task=set_up.task)] == [round_]
    assert round_ in [entry.round for entry in index.sealed_rounds(chain)]


def test_post_answer__wrong_statistics_later__posted_in_log_and_slashed(chain: Chain, set_up: world.World) -> None:
    made, sealed = items(set_up)
    round_ = set_up.seal(sealed.root, ITEMS)
    set_up.enrol(round_)
    until = chain.head().timestamp + 500
    response, prompt_hash = b"resposta", keccak(made[0].prompt)
    ask = world.signer(f"{set_up.name} operator").sign(chain.domain.ask(round_, set_up.version, 0, prompt_hash, until))
    answer = set_up.gateway.sign(chain.domain.answer(round_, set_up.version, 0, prompt_hash, keccak(response)))
    assert chain.rounds.posted(round_, set_up.version, 0) is None
    set_up.operator.send(
        chain.rounds.post_answer(round_, PostedAnswer(set_up.version, 0, prompt_hash, until, response, ask, answer))
    )
    assert chain.rounds.posted(round_, set_up.version, 0) == keccak(response)

    deadlines = chain.rounds.deadlines(round_)
    assert deadlines is not None
    world.move_to(chain, deadlines.answer_by)
    tree = silent_tree(chain)
    set_up.operator.send(chain.rounds.attest(round_, [Attestation(set_up.version, tree.root)]))
    challenger = world.door(chain, "challenger")
    call = chain.disputes.challenge(round_, set_up.version, opening(made[0], sealed, tree))
    challenger.send(call)
    log = index.round_log(chain, round_)
    assert log.slashed is not None
    assert log.slashed.challenger == challenger.address
    (posted,) = log.posted
    assert (posted.position, posted.response, posted.prompt_hash, posted.answer_signature) == (0, response, prompt_hash, answer)
    assert chain.rounds.phase(round_) is Phase.SLASHED
    assert chain.vault.balance(str(challenger.address)).free == ETHER // 2
    benchmarker = str(set_up.benchmarker.address)
    assert chain.vault.burned_of(benchmarker) == ETHER // 2
    assert chain.vault.allowance(benchmarker, str(set_up.operator.address)) == (10 * ETHER, ETHER)  # lost, and so still used


def silent_round(chain: Chain, place: world.World, tree: sumtree.SumTree) -> tuple[RoundId, list[Item], SetTree]:
    """A round that attested a tree of silence."""
    made, sealed = items(place)
    round_ = place.seal(sealed.root, ITEMS)
    place.enrol(round_)
    deadlines = chain.rounds.deadlines(round_)
    assert deadlines is not None
    world.move_to(chain, deadlines.answer_by)
    place.operator.send(chain.rounds.attest(round_, [Attestation(place.version, tree.root)]))
    return round_, made, sealed


def raised_leaf(chain: Chain, position: int, *more: int) -> sumtree.SumTree:
    """A tree of silence in which one leaf claims more than it has."""
    leaves = [silent_tree(chain).leaf(p) for p in range(ITEMS)]
    leaves[position] = leaves[position]._replace(sums=sumtree.add_sums(leaves[position].sums, more))
    return sumtree.SumTree(leaves)


def test_challenge_statistics__wrong_word__slashed_for_less_gas(chain: Chain, set_up: world.World) -> None:
    tree = raised_leaf(chain, 1, 0, 1)
    round_, made, sealed = silent_round(chain, set_up, tree)
    wrong, challenger = opening(made[1], sealed, tree), world.door(chain, "challenger of statistics")
    call = chain.rounds.challenge_statistics(round_, set_up.version, wrong)
    dearer = challenger.dry_run(chain.disputes.challenge(round_, set_up.version, wrong)).gas
    assert challenger.dry_run(call).gas < dearer
    receipt = challenger.send(call)
    facts, before = chain.rounds.round(round_), chain.vault.balance(str(challenger.address)).free
    assert facts is not None
    assert (facts.fault, before) == (Fault.WRONG_STATISTICS, ETHER // 2)
    (found,) = explain.by_transaction(chain, receipt.tx_hash)
    assert (found.kind, found.name) == ("event", "RoundSlashed")
    half = str(ETHER // 2)
    assert found.arguments == {
        "round": "0x" + round_.hex(), "fault": "WrongStatistics", "challenger": challenger.address, "reward": half, "burned": half
    }  # fmt: skip
    with pytest.raises(Reverted, match="WrongPhase"):
        challenger.dry_run(call)


def test_challenge_statistics__whatever_proves_nothing__refused_with_its_reason(chain: Chain, set_up: world.World) -> None:
    tree = silent_tree(chain)
    round_, made, sealed = silent_round(chain, set_up, tree)
    sound, challenger = opening(made[1], sealed, tree), world.door(chain, "challenger of nothing")
    for error, changed in (
        ("StatisticsHold", sound),
        ("NotSealedHere", replace(sound, salt=bytes(32))),
        ("NotAttestedHere", replace(sound, sums=(sound.sums[0], sound.sums[1] + 1))),
        ("NotAttestedHere", replace(sound, answer_signature=b"another")),
        ("NotAttestedHere", replace(sound, sum_path=tuple(reversed(sound.sum_path)))),
        ("WrongLength", replace(sound, set_path=())),
        ("WrongLength", replace(sound, sum_path=sound.sum_path[:1])),
        ("PositionOutOfRange", replace(sound, position=ITEMS)),
    ):
        with pytest.raises(Reverted, match=error) as raised:
            challenger.send(chain.rounds.challenge_statistics(round_, set_up.version, changed))
        assert raised.value.error.split("(")[0] == error
        assert raised.value.remedy == explain.by_name(error)[0].then
    assert chain.rounds.phase(round_) is Phase.REVEALING


def test_measurement_tuple__order__is_the_interface() -> None:
    node = Node(b"\x01" * 32, (1, 2))
    made = Opening(1, 0, b"p", b"r", b"s" * 32, (b"x" * 32,), 2, b"a", b"g", b"e", (3, 4), (node, node), 5)
    path = [int.from_bytes(b"\x01" * 32, "big"), 1, 2] * 2
    hashes = keccak(b"p"), b"s" * 32, keccak(b"g")
    assert measurement_tuple(made) == (1, 0, 2, 5, *hashes, b"r", b"a", b"e", [b"x" * 32], [3, 4], path)


def test_forfeit__nothing_attested__in_the_log(chain: Chain, set_up: world.World) -> None:
    _, sealed = items(set_up)
    round_ = set_up.seal(sealed.root, ITEMS)
    set_up.enrol(round_)
    deadlines = chain.rounds.deadlines(round_)
    assert deadlines is not None
    world.move_to(chain, deadlines.attest_by)
    assert chain.rounds.phase(round_) is Phase.FORFEITED
    finder = world.door(chain, "finder")
    finder.send(chain.rounds.forfeit(round_))
    log = index.round_log(chain, round_)
    assert log.forfeited is not None
    assert log.forfeited.caller == finder.address


def test_seal__operator_not_allowed__no_funds(chain: Chain, set_up: world.World) -> None:
    stranger = world.door(chain, "stranger")
    call = chain.rounds.seal(str(set_up.benchmarker.address), set_up.task, keccak(b"root"), 1, bytes(32))
    with pytest.raises(NoFunds, match="NotAllowed") as raised:
        stranger.send(call)
    assert "assay bench allow" in raised.value.remedy


def test_opening_tuple__order__is_the_interface() -> None:
    node = Node(b"\x01" * 32, (1, 2))
    made = Opening(1, 0, b"p", b"r", b"s" * 32, (b"x" * 32,), 0, b"a", b"g", b"e", (3, 4), (node,), 5)
    expected = (1, 0, b"p", b"r", b"s" * 32, [b"x" * 32], 0, b"a", b"g", b"e", [3, 4], [(b"\x01" * 32, [1, 2])], 5)
    assert opening_tuple(made) == expected


def test_metric__empty_response__has_no_matches(chain: Chain) -> None:
    metric = chain.metric(chain.deployment.metrics["Bleu"])
    assert (metric.words(), metric.score([0])) == (1, 0)
    assert metric.max_bytes() > 100
    assert keccak(b"") == EMPTY_HASH


def test_metric__nothing_there__wrong_chain(chain: Chain) -> None:
    with pytest.raises(WrongChain):
        chain.metric(world.signer("nobody").address).words()


def test_check_task__foreign_metric__refused(chain: Chain) -> None:
    params = world.task_params(chain, "any")
    check_task(chain, params)
    with pytest.raises(Refused, match="metric"):
        check_task(chain, replace(params, metric=chain.deployment.vault))


@pytest.mark.parametrize("name", sorted(BOUNDS))
@pytest.mark.parametrize("side", ["least", "most"])
def test_check_bounds__one_step_outside__refused(chain: Chain, name: str, side: str) -> None:
    inside = replace(world.task_params(chain, "any"), **{field: bounds.least for field, bounds in BOUNDS.items()})
    check_bounds(inside)
    bounds = BOUNDS[name]
    check_bounds(replace(inside, **{name: getattr(bounds, side)}))
    outside = bounds.least - 1 if side == "least" else bounds.most + 1
    with pytest.raises(Refused, match=name):
        check_bounds(replace(inside, **{name: outside}))
