"""Acknowledgements that stay away, posts, and what they cost whom. Each story follows the money to the wei."""

import re
from functools import partial
from typing import NamedTuple

import pytest
from stage import Person

from flow.world import ETHER, QUESTIONS, Candidate, World, failed, replay, round_of, until, version_of

pytestmark = pytest.mark.slow

LIMIT = 5
REFERENCES = {prompt: reference for prompt, reference, *_ in QUESTIONS}
FRAME = "Uma resposta que nunca foi dada."


class Mute(NamedTuple):
    """A round whose benchmarker acknowledged nothing, with the gateway's status codes of both tries."""

    examiner: Person
    round: str
    first: list[int]
    second: list[int]


def counts(provider: Person, round_: str) -> tuple[int, int, int]:
    """Answers, Acks and posts of a round by the gateway's own account."""
    rows = {row["round"]: row for row in provider.json("provider", "list")["rounds"]}
    row = rows[round_]
    return row["answers"], row["acks"], row["posts"]


def set_limit(provider: Person, most: int) -> None:
    policy = provider.home / "policy.toml"
    policy.write_text(re.sub(r"(?m)^(largest_unacknowledged) = .*", rf"\1 = {most}", policy.read_text()))


@pytest.fixture(scope="module")
def patient(world: World) -> Candidate:
    """A candidate that knows every reference and waits for no more than a few Acks."""
    provider = world.provider("patient")
    set_limit(provider, LIMIT)
    version = provider.commit("patient")
    return Candidate(provider, version, provider.serve_model(version, *replay(world.root / "patient.tsv", REFERENCES)))


@pytest.fixture(scope="module")
def mutes(world: World, patient: Candidate) -> tuple[Mute, Mute]:
    """Two rounds at once whose benchmarkers refuse all Acks: one will tell the truth in the end, one will not."""
    people = [world.benchmarker("mute"), world.benchmarker("dropper")]
    tasks = [world.task(person, post=120, challenge=600) for person in people]
    rounds = [world.seal(person, task) for person, task in zip(people, tasks, strict=True)]
    for person, round_ in zip(people, rounds, strict=True):
        person.assay("bench", "enrol", round_, patient.url)
    tries = []
    for posts in (LIMIT, len(QUESTIONS)):
        told = [world.forge(person, "mute", round_).json for person, round_ in zip(people, rounds, strict=True)]
        tries.append([list(one["said"].values()) for one in told])
        world.move_to(max(one["answer_until"] for one in told) + 31)
        until(partial(all_posted, world, rounds, patient, posts), patient.server.log.read_text)
    mute, dropper = (Mute(*found) for found in zip(people, rounds, *tries, strict=True))
    return mute, dropper


def all_posted(world: World, rounds: list[str], candidate: Candidate, count: int) -> bool:
    """Whether that many answers of each round are posted, by the chain's account."""
    places = [(round_of(round_), version_of(candidate.version), p) for round_ in rounds for p in range(count)]
    return all(world.chain.rounds.posted(*place) for place in places)


def test_acks_refused__gateway_stops_at_its_limit__posts_and_goes_on(patient: Candidate, mutes: tuple[Mute, Mute]) -> None:
    mute, _ = mutes
    assert mute.first == [200] * LIMIT + [429] * (len(QUESTIONS) - LIMIT)
    assert mute.second == [200] * len(QUESTIONS)
    everything = len(QUESTIONS), 0, len(QUESTIONS)
    until(lambda: counts(patient.person, mute.round) == everything)  # a post counts once it is final


def test_posted_answers_dropped__proven_and_half_of_the_bond_is_burned(
    world: World, patient: Candidate, mutes: tuple[Mute, Mute]
) -> None:
    mute, dropper = mutes[0].examiner, mutes[1]
    world.pass_deadline(dropper.examiner, dropper.round, "answer_by")
    world.forge(dropper.examiner, "falsify", dropper.round, "--drop")
    store = ("--store", dropper.examiner.home / "store")
    report = world.reader.json("verify", dropper.round, *store, codes=(1,))
    found = [finding for step in report["steps"] for finding in step["findings"] if finding["verdict"] == "dropped"]
    assert len(found) == 6
    before, burned = [world.stake(who) for who in (mute, dropper.examiner, patient.person)], world.burned(dropper.examiner)
    sent = mute.json("challenge", dropper.round, *store, "--send")
    assert (sent["verdict"], sent["verdict_on_chain"]) == ("dropped", "dropped")
    after = [world.stake(who) for who in (mute, dropper.examiner, patient.person)]
    assert [a.free - b.free for a, b in zip(after, before, strict=True)] == [ETHER, 0, 0]
    assert [a.locked - b.locked for a, b in zip(after, before, strict=True)] == [0, -2 * ETHER, 0]
    assert world.burned(dropper.examiner) - burned == ETHER
    assert dropper.examiner.json("bench", "show", dropper.round)["phase"] == "slashed"


def test_acks_refused__trees_are_built_from_the_posts__nobody_loses_a_wei(
    world: World, patient: Candidate, mutes: tuple[Mute, Mute]
) -> None:
    mute, _ = mutes
    staked = world.stake(mute.examiner)
    world.settle(mute.examiner, mute.round)
    row = world.score(mute.examiner, mute.round, patient.version)
    assert (row["standing"], row["received"], row["answered"], row["silent"]) == ("scored", 0, 6, 0)
    assert row["score"] == str(ETHER)
    assert world.reader.json("verify", mute.round, "--store", mute.examiner.home / "store")["exit_code"] == 0
    world.pass_deadline(mute.examiner, mute.round, "versions_released_at")
    mute.examiner.assay("bench", "release", mute.round)
    assert world.stake(mute.examiner) == (staked.free + 2 * ETHER, 0)


def test_provider_frames__acknowledged_answer_stands__two_answers_cost_the_version_bond(
    world: World, examiner: Person, patient: Candidate
) -> None:
    set_limit(patient.person, 64)  # counts from the next consent on
    round_ = world.seal(examiner, world.task(examiner, challenge=600))
    world.sit(examiner, round_, patient)
    position = int(world.forge(patient.person, "post", round_, "--text", FRAME).out)
    world.settle(examiner, round_)
    row = world.score(examiner, round_, patient.version)
    assert (row["score"], row["answered"], row["silent"]) == (str(ETHER), 6, 0)
    assert examiner.json("bench", "show", round_)["contradictions"] == 1
    store = ("--store", examiner.home / "store")
    report = world.reader.json("verify", round_, *store)
    assert any("two different Answers" in note for step in report["steps"] for note in step["notes"])
    accused = examiner.assay("--json", "challenge", "item", round_, patient.version, str(position), *store, codes=(1,))
    assert "sound" in failed(accused).lower()
    staked = [world.stake(who) for who in (examiner, patient.person)]
    evidence = examiner.home / "evidence.json"
    assert examiner.json("bench", "evidence", round_, "--out", evidence)["pairs"] == 1
    examiner.assay("challenge", "answers", round_, *store, "--evidence", evidence, "--send")
    assert world.stake(examiner) == (staked[0].free + ETHER // 100, staked[0].locked)
    assert world.stake(patient.person) == (staked[1].free, staked[1].locked - ETHER // 10)
    world.pass_deadline(examiner, round_, "versions_released_at")
    examiner.assay("bench", "release", round_)
    assert world.stake(examiner) == (staked[0].free + ETHER // 100 + 2 * ETHER, 0)
    assert world.score(examiner, round_, patient.version)["standing"] == "scored"


def test_post__too_late__refused_by_the_chain_and_no_bond_suffers(world: World, examiner: Person, patient: Candidate) -> None:
    staked = [world.stake(who) for who in (examiner, patient.person)]
    round_ = world.seal(examiner, world.task(examiner))
    examiner.assay("bench", "enrol", round_, patient.url)
    asked = world.forge(examiner, "mute", round_).json
    patient.server.kill()
    world.move_to(asked["answer_until"] + 20)
    late = world.forge(patient.person, "post", round_, codes=(1,))
    assert late.err.startswith("PostTooLate")
    world.settle(examiner, round_)
    row = world.score(examiner, round_, patient.version)
    assert (row["standing"], row["silent"], row["score"]) == ("incomplete", 6, 0)
    assert world.reader.json("verify", round_, "--store", examiner.home / "store")["exit_code"] == 0
    world.pass_deadline(examiner, round_, "versions_released_at")
    examiner.assay("bench", "release", round_)
    assert [world.stake(who) for who in (examiner, patient.person)] == staked
