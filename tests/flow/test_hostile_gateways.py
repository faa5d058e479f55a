"""Ten gateways that cheat and one that does not, in one round: each cheat is silent, says why, and delays nobody for long."""

import sys
import time
from typing import Any, NamedTuple

import pytest
from stage import Person

from flow.world import FORGER, Candidate, World

pytestmark = pytest.mark.slow

REASONS = {
    "slow": "unreachable",
    "huge": "too-large",
    "redirect": "redirect",
    "says_more": "unreachable",
    "says_less": "malformed",
    "wrong_signature": "wrong-signature",
    "no_signature": "malformed",
    "other_round": "other-place",
    "other_position": "other-place",
    "relabelled": "wrong-signature",
}
DISGUISES = ("127.1", "2130706433", "0x7f000001")
MOST_SECONDS = 90.0


class Sat(NamedTuple):
    """A round that all of them sat, who could not, what `ask` reported, how long it took, and the cheats' versions."""

    examiner: Person
    round: str
    refused: list[dict[str, str]]
    asked: dict[str, dict[str, Any]]
    seconds: float
    versions: dict[str, str]


@pytest.fixture(scope="module")
def sat(world: World, parrot: Candidate) -> Sat:
    cheat, examiner = world.provider("cheat"), world.benchmarker("prey")
    cheat.assay("provider", "register", "cheat")
    ways = world.start(cheat, sys.executable, FORGER / "gateway.py", "--honest", parrot.url).ready
    round_ = world.seal(examiner, world.task(examiner))
    disguised = [parrot.url.replace("127.0.0.1", host) for host in DISGUISES]
    enrolled = examiner.json("bench", "enrol", round_, parrot.url, *(way["url"] for way in ways.values()), *disguised)
    began = time.monotonic()
    report = examiner.json("bench", "ask", round_, "--answer-timeout", "4", "--attempts", "2")
    seconds = time.monotonic() - began
    world.settle(examiner, round_)
    asked = {row["version"]: row for row in report["versions"]}
    return Sat(examiner, round_, enrolled["refused"], asked, seconds, {way: facts["version"] for way, facts in ways.items()})


def test_round_with_cheats__ends_in_time__the_honest_model_loses_nothing(world: World, parrot: Candidate, sat: Sat) -> None:
    assert sat.seconds < MOST_SECONDS
    row = world.score(sat.examiner, sat.round, parrot.version)
    assert (row["standing"], row["answered"], row["silent"]) == ("scored", 6, 0)
    assert sat.asked[parrot.version]["failures"] == {}
    assert world.reader.json("verify", sat.round, "--store", sat.examiner.home / "store")["exit_code"] == 0


@pytest.mark.parametrize("way", REASONS)
def test_cheat__is_silent_and_the_report_says_why(world: World, sat: Sat, way: str) -> None:
    asked = sat.asked[sat.versions[way]]
    assert (asked["answered"], asked["missing"]) == (0, 7)
    assert REASONS[way] in asked["failures"]
    row = world.score(sat.examiner, sat.round, sat.versions[way])
    assert (row["standing"], row["received"], row["silent"]) == ("incomplete", 0, 6)


@pytest.mark.parametrize("host", DISGUISES)
def test_name_for_a_private_address__is_not_connected_to(sat: Sat, host: str) -> None:
    (refused,) = (row for row in sat.refused if f"//{host}:" in row["url"])
    assert (refused["version"], "not public" in refused["reason"]) == ("0x", True)
