"""Rounds side by side: what is pooled, what is never compared, who is counted."""

import json

import pytest

from assay.cli.common import plain
from assay.rank import report
from assay.rank.board import Board, Unranked, build, common, entries_of, pool
from assay.rank.table import RoundResult, rows
from assay.types import Phase, Standing, VersionId
from unit.rank.results import BLEU, round_result, version

A, B, C = (VersionId(name * 32) for name in (b"a", b"b", b"c"))


def sat(name: bytes, *who: str, benchmarker: str = "0x0", phase: Phase = Phase.FINAL, incomplete: str = "") -> RoundResult:
    noise = {"a": 0.1, "b": 0.4, "c": 0.6}
    first = 100 * name[0]
    versions = [
        version(
            each.encode(),
            noise[each],
            items=15,
            seed=each,
            first=first,
            standing=Standing.INCOMPLETE if each in incomplete else Standing.SCORED,
        )
        for each in who
    ]
    return round_result(name, versions, benchmarker=benchmarker, phase=phase)


def test_pool__two_rounds__items_together_and_documents_apart() -> None:
    one, two = sat(b"1", "a", "b"), sat(b"2", "b", "a")
    section = pool([one, two], [A, B])
    assert (len(section.groups), len(set(section.groups))) == (30, 10)  # both have a "document 0"
    found = {v.version: v for v in section.versions}
    parts = [next(v for v in result.versions if v.version == A) for result in (one, two)]
    totals = [sum(column) for column in zip(*parts[0].statistics, *parts[1].statistics, strict=True)]
    assert found[A].score == BLEU.score(totals)
    assert found[A].answered == 30
    assert {row.version: row.tier for row in rows(section, samples=200)} == {A: 1, B: 2}


def test_common__versions_that_sat_different_rounds__are_never_in_one_section() -> None:
    results = [sat(b"1", "a", "b", "c"), sat(b"2", "a", "b"), sat(b"3", "c")]
    sections = {tuple(v.version for v in section.versions): len(section.rounds) for section in common(results)}
    assert sections == {(A, B): 2, (C,): 2}
    assert {section.enrolled for section in common(results)} == {3}


def test_common__incomplete_in_one_round__is_pooled_over_the_others_only() -> None:
    results = [sat(b"1", "a", "b"), sat(b"2", "a", "b"), sat(b"3", "a", "b", incomplete="b")]
    sections = {tuple(v.version for v in section.versions): len(section.rounds) for section in common(results)}
    assert sections == {(A,): 3, (B,): 2}


def test_common__another_benchmarker_or_a_single_round__nothing_is_pooled() -> None:
    assert list(common([sat(b"1", "a"), sat(b"2", "a", benchmarker="0x1")])) == []


@pytest.mark.parametrize(("phases", "state"), [((Phase.FINAL, Phase.FINAL), True), ((Phase.FINAL, Phase.CHALLENGING), False)])
def test_pool__one_round_can_still_be_challenged__provisional(phases: tuple[Phase, Phase], state: bool) -> None:
    assert pool([sat(b"1", "a", phase=phases[0]), sat(b"2", "a", phase=phases[1])], [A]).final is state


def board() -> Board:
    results = [
        sat(b"1", "a", "b", incomplete="b"),
        sat(b"2", "a", "b", phase=Phase.CHALLENGING, incomplete="b"),
        sat(b"3", "a", benchmarker="0x1"),
    ]
    slashed, waiting = sat(b"4", "a", "c", phase=Phase.SLASHED), sat(b"5", "c", phase=Phase.ANSWERING)
    unranked = [Unranked(r.round, r.benchmarker, r.phase, "because", entries_of(r)) for r in (slashed, waiting)]
    return build(results, unranked)


def test_build__attempts__every_enrolment_is_counted_once() -> None:
    counted = {e.version: (e.enrolled, e.scored, e.incomplete, e.struck, e.elsewhere) for e in board().attempts}
    assert counted == {A: (4, 3, 0, 1, 0), B: (2, 0, 2, 0, 0), C: (2, 0, 0, 1, 1)}
    assert {entry.version for entry in board().never} == {B, C}


def test_standing_of__several_rounds_or_one_or_none() -> None:
    found = board()
    pooled, single = found.standing_of("0x0", A), found.standing_of("0x1", A)  # type: ignore[arg-type]
    assert pooled is not None
    assert single is not None
    assert (len(pooled[0].rounds), len(single[0].rounds)) == (2, 1)
    assert found.standing_of("0x0", B) is None  # type: ignore[arg-type]


def test_build__sums_beyond_the_metrics_lanes__that_round_is_not_ranked_and_the_others_are() -> None:
    huge = sat(b"1", "a")
    words = [(1 << 28) - 1 for _ in huge.groups]
    large = [(word,) for word in words]
    broken = round_result(b"9", [type(huge.versions[0])(A, huge.versions[0].model, 1, Standing.SCORED, 1, 15, 0,
                                                        huge.versions[0].outcomes, large)])  # fmt: skip
    found = build([broken, huge], [])
    assert [result.round for result in found.rounds] == [huge.round]
    assert [entry.round for entry in found.unranked] == [broken.round]
    assert "28 bits" in found.unranked[0].reason


def test_as_record__every_number_has_its_signature_and_its_seed() -> None:
    record = json.loads(json.dumps(plain(report.as_record(board(), {A: "first"}))))
    for section in (*record["rounds"], *record["pooled"]):
        assert section["signature"] == BLEU.signature
        assert section["seed"].startswith("assay rank ")
        assert section["samples"] >= 2000
    assert [entry["state"] for entry in record["rounds"]] == ["final", "provisional", "final"]
    assert record["never_scored"] == ["0x" + B.hex(), "0x" + C.hex()]
    assert [entry["phase"] for entry in record["unranked"]] == ["slashed", "answering"]
    assert record["rounds"][0]["versions"][0]["name"] == "first"


def test_as_markdown__tables_have_as_many_cells_as_headings() -> None:
    text = report.as_markdown(board(), {A: "a | b"})
    wide = 0
    for block in text.split("\n\n"):
        counts = {line.replace("\\|", "").count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(counts) <= 1, block
        wide += len(counts)
    assert wide == 4  # two benchmarkers, side by side, attempts
    assert BLEU.signature in text
    assert "not ranked" in text
