"""given a round with one named defect / when it is verified / it is found by step, file and line, and by no wrong exit code."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assay.audit.facts import ChainFacts
from assay.audit.judge import judge
from assay.audit.openings import opening
from assay.audit.report import SHOWN, Report, State, Step
from assay.audit.verify import TITLES, verify
from assay.encoding.sumtree import commitment
from assay.metrics import METRICS
from assay.storage.bundle import AskPart, Bundle
from assay.storage.lines import canonical
from assay.types import Deadlines, Fault, Kind, Node, Phase, Standing, Verdict
from unit.audit.exam import DECOY, METRIC, SEALED_AT, SILENT, Exam, some_items
from unit.audit.faults import PROVABLE

Alter = Callable[[Exam], None]


def run(exam: Exam, tmp_path: Path, **facts: object) -> Report:
    folder = exam.write(tmp_path / "bundle")
    return verify(replace(exam.facts(folder), **facts), Bundle(folder))


def failed(report: Report) -> dict[int, Step]:
    return {step.number: step for step in report.steps if step.state is State.FAILED}


def untold(report: Report) -> set[int]:
    return {step.number for step in report.steps if step.state is State.CANNOT_TELL}


def test_verify__sound_round__all_steps_pass_and_scores_are_recomputed(tmp_path: Path) -> None:
    report = run(Exam(), tmp_path)
    assert [step.state for step in report.steps] == [State.PASSED] * len(TITLES)
    assert report.exit_code == 0
    assert not report.proofs
    assert [(row.attested, row.answered, row.silent, row.decoys) for row in report.scores][1] == (10**18, 6, 0, 1)
    assert all(row.attested == row.recomputed for row in report.scores)
    assert 0 < report.scores[0].attested < 10**18


@pytest.mark.parametrize("count", [1, 2, 3, 4, 8, 9, 33])
def test_verify__sound_round_of_any_size__passes(tmp_path: Path, count: int) -> None:
    assert run(Exam(some_items(count)), tmp_path).exit_code == 0


def test_docstring__numbers_and_promises__are_those_of_the_steps() -> None:
    import assay.audit.verify as module

    told = [line.split()[:2] for line in (module.__doc__ or "").splitlines() if line[4:6].strip().isdigit()]
    assert told == [[str(number), title.promise] for number, title in enumerate(TITLES, 1)]


# Faults that an opening proves: published, attested, and taken by the judge.


@pytest.mark.parametrize(("alter", "step", "verdict", "position"), PROVABLE, ids=[entry[0].__name__ for entry in PROVABLE])
def test_verify__provable_fault__names_it_and_the_judge_agrees(
    tmp_path: Path, alter: Alter, step: int, verdict: Verdict, position: int
) -> None:
    exam = Exam()
    alter(exam)
    report = run(exam, tmp_path)
    assert report.exit_code == 1
    finding = failed(report)[step].findings[0]
    assert (finding.version, finding.position, finding.verdict) == (exam.first, position, verdict)
    assert finding.where == f"answers/{exam.first.hex()}.jsonl:{position + 1}"
    assert finding.expected != finding.got
    assert (exam.first, position, verdict) in report.proofs
    folder = tmp_path / "bundle"
    facts = exam.facts(folder)
    assert judge(facts, exam.first, opening(facts, Bundle(folder), exam.first, position)) is verdict
    assert 19 not in failed(report), "the tree itself is the attested one"


def test_verify__falsified_score_in_a_well_formed_bundle__names_item_expected_and_got(tmp_path: Path) -> None:
    exam = Exam()
    true = exam.facts(None).sittings[0].attested_score
    line, better = exam.lines[exam.first][4], METRIC.measure(exam.items[4].reference, exam.items[4].reference)
    assert line.sums[1:] != better
    exam.edit(4, sums=(line.sums[0], *better))
    report = run(exam, tmp_path)
    assert report.exit_code == 1
    assert set(failed(report)) == {18, 21}
    statistic, score = failed(report)[18].findings[0], failed(report)[21].findings[0]
    assert hex(better[0]) in statistic.got
    assert hex(line.sums[1]) in statistic.expected
    assert score.expected == str(true)
    assert int(score.got) > true
    assert report.proofs[0].position == 4


# Faults that only a reader, another proof or a demand can act on.


def acknowledged_answer_dropped(exam: Exam) -> None:
    exam.edit(SILENT, ack=exam.sign_ack(exam.first, SILENT, b"The moon shines."))


def ask_of_another_prompt(exam: Exam) -> None:
    exam.edit(1, ask=exam.ask(exam.first, 1, prompt=b"Wie alt bist du?"))


def ask_without_signature(exam: Exam) -> None:
    exam.edit(1, ask=AskPart(SEALED_AT + 1000, bytes(65)))


def ask_too_late_to_post(exam: Exam) -> None:
    exam.edit(1, ask=exam.ask(exam.first, 1, until=SEALED_AT + 3600 - 600 + 1))


def answered_without_an_ask(exam: Exam) -> None:
    exam.edit(1, ask=None)


def posted_ask_of_another_prompt(exam: Exam) -> None:
    exam.post(1, exam.lines[exam.first][1].response or b"", prompt=b"Wie alt bist du?")


def decoy_answer_of_a_stranger(exam: Exam) -> None:
    exam.edit(DECOY, answer=exam.sign_answer(exam.first, DECOY, b"decoy", exam.stranger))


def ack_of_another_response(exam: Exam) -> None:
    exam.edit(1, ack=exam.sign_ack(exam.first, 1, b"something else"))


UNPROVABLE: list[tuple[Alter, int, int]] = [
    (acknowledged_answer_dropped, 17, SILENT),
    (ask_of_another_prompt, 13, 1),
    (ask_without_signature, 13, 1),
    (ask_too_late_to_post, 13, 1),
    (answered_without_an_ask, 13, 1),
    (posted_ask_of_another_prompt, 13, 1),
    (decoy_answer_of_a_stranger, 14, DECOY),
    (ack_of_another_response, 15, 1),
]


@pytest.mark.parametrize(("alter", "step", "position"), UNPROVABLE, ids=[entry[0].__name__ for entry in UNPROVABLE])
def test_verify__bad_exchange__is_named_by_step_file_and_line(tmp_path: Path, alter: Alter, step: int, position: int) -> None:
    exam = Exam()
    alter(exam)
    report = run(exam, tmp_path)
    assert report.exit_code == 1
    assert failed(report)[step].findings[0].where == f"answers/{exam.first.hex()}.jsonl:{position + 1}"
    assert not report.proofs


def test_verify__ask_at_the_last_moment_to_post__passes(tmp_path: Path) -> None:
    exam = Exam()
    exam.edit(1, ask=exam.ask(exam.first, 1, until=SEALED_AT + 3600 - 600))
    assert run(exam, tmp_path).exit_code == 0


def test_verify__never_asked__is_a_note_not_a_fault(tmp_path: Path) -> None:
    exam = Exam()
    exam.edit(SILENT, ask=None)
    report = run(exam, tmp_path)
    assert report.exit_code == 0
    assert len(report.steps[12].notes) == 1


def test_verify__decoy_that_was_never_asked__is_a_note_not_a_fault(tmp_path: Path) -> None:
    exam = Exam()
    exam.edit(DECOY, ask=None, answer=None, ack=None, response=None)
    report = run(exam, tmp_path)
    assert report.exit_code == 0
    assert len(report.steps[12].notes) == 1


def test_verify__ask_lost_with_the_journal__passes_where_the_answer_was_posted(tmp_path: Path) -> None:
    exam = Exam()
    exam.edit(1, ask=None, ack=None)
    assert run(exam, tmp_path).steps[12].failures == 1
    exam.post(1, exam.lines[exam.first][1].response or b"")
    assert run(exam, tmp_path / "again").exit_code == 0


def test_verify__another_answer_was_posted__is_the_providers_fault_and_a_note(tmp_path: Path) -> None:
    exam = Exam()
    exam.post(1, b"another answer")
    report = run(exam, tmp_path)
    assert report.exit_code == 0
    assert len(report.steps[16].notes) == 1


def test_verify__wrong_inner_sum__no_item_opens_and_no_proof_is_offered(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    honest = facts.sittings[0]
    root = Node(honest.root.hash, (honest.root.sums[0], honest.root.sums[1] + 1))
    facts = replace(facts, sittings=(replace(honest, root=root, root_commitment=commitment(root)), facts.sittings[1]))
    report = verify(facts, Bundle(folder))
    assert report.exit_code == 1
    assert 19 in failed(report)
    assert not report.proofs
    opened = opening(facts, Bundle(folder), exam.first, 0)
    assert judge(facts, exam.first, opened) is Verdict.NOT_ATTESTED


# The set.


def flip_decoy(exam: Exam) -> None:
    exam.sealed = list(exam.items)
    exam.items[DECOY] = replace(exam.items[DECOY], kind=Kind.SCORED)


def change_reference(exam: Exam) -> None:
    exam.sealed = list(exam.items)
    exam.items[1] = replace(exam.items[1], reference=b"How is it going?")


def change_salt(exam: Exam) -> None:
    exam.sealed = list(exam.items)
    exam.items[1] = replace(exam.items[1], salt=bytes(32))


@pytest.mark.parametrize("alter", [flip_decoy, change_reference, change_salt])
def test_verify__items_are_not_the_sealed_ones__fails_and_offers_no_proof(tmp_path: Path, alter: Alter) -> None:
    exam = Exam()
    alter(exam)
    report = run(exam, tmp_path)
    assert report.exit_code == 1
    assert 7 in failed(report)
    assert not report.proofs


def test_verify__set_sealed_for_another_chain__fails(tmp_path: Path) -> None:
    exam = Exam()
    exam.sealed_for = (1, exam.sealed_for[1])
    exam.round = exam._round_id()
    exam.lines = exam.attested = {version.id: exam._answers(version.id, n) for n, version in enumerate(exam.versions)}
    assert set(failed(run(exam, tmp_path))) == {7}


def test_verify__same_question_twice__names_the_second(tmp_path: Path) -> None:
    items = some_items()
    items[4] = replace(items[4], prompt=items[1].prompt)
    report = run(Exam(items), tmp_path)
    assert set(failed(report)) == {8}
    assert failed(report)[8].findings[0].where == "items.jsonl:5"


def test_verify__decoy_repeats_a_question__passes(tmp_path: Path) -> None:
    items = some_items()
    items[DECOY] = replace(items[DECOY], prompt=items[1].prompt)
    assert run(Exam(items), tmp_path).exit_code == 0


def test_verify__prompt_over_the_cap__fails_and_is_provable(tmp_path: Path) -> None:
    items = some_items()
    items[1] = replace(items[1], prompt=b"y" * 401)
    report = run(Exam(items), tmp_path)
    assert set(failed(report)) == {9, 21} or set(failed(report)) == {9}
    assert {proof.verdict for proof in report.proofs} == {Verdict.TOO_LONG}


# The card.


def test_verify__card_is_not_the_sealed_one__fails(tmp_path: Path) -> None:
    exam = Exam()
    assert set(failed(run(exam, tmp_path, card_digest=bytes(32)))) == {6}


def test_verify__groups_changed_after_the_seal__names_the_item(tmp_path: Path) -> None:
    exam = Exam()
    exam.items[2] = replace(exam.items[2], group="another document")
    report = run(exam, tmp_path)
    assert set(failed(report)) == {6}
    assert failed(report)[6].findings[0].where == "items.jsonl:3"


@pytest.mark.parametrize("card", [b"not json", b"[]", canonical({"groups": ["one"]}), canonical({})])
def test_verify__card_without_groups__fails(tmp_path: Path, card: bytes) -> None:
    exam = Exam()
    exam.card = card
    assert set(failed(run(exam, tmp_path))) == {6}


# Facts of the chain.


def late_version(facts: ChainFacts) -> ChainFacts:
    return first_sitting(facts, version=replace(facts.sittings[0].version, committed_at=SEALED_AT))


def other_number(facts: ChainFacts) -> ChainFacts:
    return first_sitting(facts, version=replace(facts.sittings[0].version, number=2))


def left_out(facts: ChainFacts) -> ChainFacts:
    view = replace(facts.sittings[0].view, standing=Standing.ENROLLED)
    return first_sitting(facts, root=None, view=view)


def one_more_enrolled(facts: ChainFacts) -> ChainFacts:
    return replace(facts, round=replace(facts.round, enrolled=3))


def other_score(facts: ChainFacts) -> ChainFacts:
    return first_sitting(facts, attested_score=facts.sittings[0].attested_score + 1)


def other_stored_score(facts: ChainFacts) -> ChainFacts:
    view = facts.sittings[0].view
    return first_sitting(facts, view=replace(view, score=view.score - 1))


def other_counts(facts: ChainFacts) -> ChainFacts:
    return first_sitting(facts, view=replace(facts.sittings[0].view, silent=0, answered=6))


def scored_as_incomplete(facts: ChainFacts) -> ChainFacts:
    return first_sitting(facts, view=replace(facts.sittings[0].view, standing=Standing.INCOMPLETE))


def other_round_id(facts: ChainFacts) -> ChainFacts:
    return replace(facts, round=replace(facts.round, items=8))


def other_task(facts: ChainFacts) -> ChainFacts:
    return replace(facts, round=replace(facts.round, task=bytes(32)))


def other_metric_code(facts: ChainFacts) -> ChainFacts:
    return replace(facts, metric=replace(facts.metric, shipped_as=""))


def other_deadlines(facts: ChainFacts) -> ChainFacts:
    d = facts.deadlines
    return replace(facts, deadlines=Deadlines(d.answer_by + 1, d.attest_by, d.reveal_by, d.versions_released_at))


def revealed_late(facts: ChainFacts) -> ChainFacts:
    return replace(facts, round=replace(facts.round, revealed_at=facts.deadlines.reveal_by))


def slashed(facts: ChainFacts) -> ChainFacts:
    return replace(facts, phase=Phase.SLASHED, round=replace(facts.round, fault=Fault.WRONG_STATISTICS))


def forfeited(facts: ChainFacts) -> ChainFacts:
    return replace(facts, phase=Phase.FORFEITED)


def first_sitting(facts: ChainFacts, **changes: object) -> ChainFacts:
    return replace(facts, sittings=(replace(facts.sittings[0], **changes), *facts.sittings[1:]))


CHAIN: list[tuple[Callable[[ChainFacts], ChainFacts], int]] = [
    (late_version, 10),
    (other_number, 11),
    (left_out, 12),
    (one_more_enrolled, 12),
    (other_score, 21),
    (other_stored_score, 21),
    (other_counts, 20),
    (scored_as_incomplete, 22),
    (other_round_id, 3),
    (other_task, 4),
    (other_metric_code, 4),
    (other_deadlines, 5),
    (revealed_late, 5),
    (slashed, 5),
    (forfeited, 5),
]


@pytest.mark.parametrize(("alter", "step"), CHAIN, ids=[entry[0].__name__ for entry in CHAIN])
def test_verify__fact_of_the_chain_does_not_fit__fails_that_step(
    tmp_path: Path, alter: Callable[[ChainFacts], ChainFacts], step: int
) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    report = verify(alter(exam.facts(folder)), Bundle(folder))
    assert report.exit_code == 1
    assert step in failed(report)


def test_verify__too_much_silence__is_incomplete_and_sound(tmp_path: Path) -> None:
    report = run(Exam(max_silence_bps=100), tmp_path)
    assert report.exit_code == 0
    assert (report.scores[0].standing, report.scores[0].attested) == ("incomplete", 0)


def test_verify__unknown_metric__cannot_tell_statistics_and_score(tmp_path: Path) -> None:
    exam = Exam()
    report = run(exam, tmp_path, metric=replace(exam.facts(None).metric, signature="BLEU|tok:none"))
    assert untold(report) == {4, 18, 21}
    assert report.exit_code == 2
    assert "BLEU|tok:none" not in METRICS


# The bundle as a whole.


def test_verify__no_bundle__checks_the_chain_and_cannot_tell_the_rest(tmp_path: Path) -> None:
    exam = Exam()
    report = verify(exam.facts(exam.write(tmp_path / "bundle")), None)
    assert report.exit_code == 2
    assert {step.number for step in report.steps if step.state is State.PASSED} == {3, 4, 5, 10, 11, 12}


def test_verify__not_yet_revealed__cannot_tell(tmp_path: Path) -> None:
    exam = Exam()
    report = verify(exam.facts(None), Bundle(exam.write(tmp_path / "bundle")))
    assert report.exit_code == 2
    assert not failed(report)


NAMES = ["manifest.json", "card.json", "card.md", "items.jsonl", "answers"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", [0.0, 0.31, 0.62, 0.99])
def test_verify__one_byte_edited__is_tampered_and_names_file_and_line(tmp_path: Path, name: str, part: float) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    path = folder / name if name != "answers" else folder / f"answers/{exam.first.hex()}.jsonl"
    data = bytearray(path.read_bytes())
    at = int(part * len(data))
    data[at] ^= 1
    path.write_bytes(data)
    report = verify(facts, Bundle(folder))
    assert report.exit_code == 3
    assert set(failed(report)) == {1}
    line = bytes(data[:at]).count(b"\n") + 1
    assert failed(report)[1].findings[0].where == f"{path.relative_to(folder).as_posix()}:{line}"


def missing_answers(folder: Path, answers: str) -> str:
    (folder / answers).unlink()
    return answers


def missing_items(folder: Path, _: str) -> str:
    (folder / "items.jsonl").unlink()
    return "items.jsonl"


def missing_manifest(folder: Path, _: str) -> str:
    (folder / "manifest.json").unlink()
    return "manifest.json"


def extra_file(folder: Path, _: str) -> str:
    (folder / "answers/extra.jsonl").write_bytes(b"{}\n")
    return "answers/extra.jsonl"


def line_removed(folder: Path, _: str) -> str:
    path = folder / "items.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    return "items.jsonl"


def lines_swapped(folder: Path, _: str) -> str:
    path = folder / "items.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[1], lines[0], *lines[2:]]))
    return "items.jsonl"


def bad_json(folder: Path, _: str) -> str:
    path = folder / "items.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b"{oops\n", *lines[4:]]))
    return "items.jsonl:4"


def other_rounds_bundle(folder: Path, _: str) -> str:
    shutil.rmtree(folder)
    Exam(some_items(8)).write(folder)
    return "manifest.json:1"


@pytest.mark.parametrize(
    "damage",
    [missing_answers, missing_items, missing_manifest, extra_file, line_removed, lines_swapped, bad_json, other_rounds_bundle],
)
def test_verify__damaged_bundle__is_tampered_and_named(tmp_path: Path, damage: Callable[[Path, str], str]) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    where = damage(folder, f"answers/{exam.first.hex()}.jsonl")
    report = verify(facts, Bundle(folder))
    assert report.exit_code == 3
    assert failed(report)[1].findings[0].where == where


def test_verify__bundle_rewritten_with_all_its_checks__is_tampered(tmp_path: Path) -> None:
    exam = Exam()
    facts = exam.facts(exam.write(tmp_path / "true"))
    exam.card_md = "# Another card\n"
    report = verify(facts, Bundle(exam.write(tmp_path / "bundle")))
    assert report.exit_code == 3
    assert failed(report)[1].findings[0].where == "manifest.json:1"


@pytest.mark.parametrize("name", ["items.jsonl", "answers", "manifest.json"])
def test_verify__revealed_bundle_is_itself_broken__is_a_fault_of_the_round(tmp_path: Path, name: str) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    path = folder / name if name != "answers" else folder / f"answers/{exam.first.hex()}.jsonl"
    path.write_bytes(path.read_bytes()[:-20] + b"\n")
    report = verify(exam.facts(folder), Bundle(folder))
    assert report.exit_code == 1
    assert 2 in failed(report)
    assert untold(report)


def test_verify__manifest_of_another_chain__fails(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle", chain_id=1)
    assert set(failed(verify(exam.facts(folder), Bundle(folder)))) == {3}


def test_verify__description_is_not_the_tasks__fails(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle", description={"name": "another"})
    assert set(failed(verify(exam.facts(folder), Bundle(folder)))) == {3}


def test_verify__version_left_out_of_the_bundle__fails_and_cannot_tell_its_answers(tmp_path: Path) -> None:
    exam = Exam()
    full = exam.facts(exam.write(tmp_path / "full"))
    exam.versions.pop()
    folder = exam.write(tmp_path / "bundle")
    partial = exam.facts(folder)
    report = verify(replace(full, round=replace(full.round, bundle_digest=partial.round.bundle_digest)), Bundle(folder))
    assert set(failed(report)) == {12}
    assert untold(report) == {9, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22}
    assert report.exit_code == 1


def test_verify__version_that_was_never_enrolled__fails(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    facts = replace(facts, sittings=facts.sittings[:1], round=replace(facts.round, enrolled=1, attested=1))
    assert set(failed(verify(facts, Bundle(folder)))) == {12}


def test_verify__many_faults__keeps_some_and_counts_all(tmp_path: Path) -> None:
    exam = Exam(some_items(60))
    for line in list(exam.lines[exam.first]):
        exam.edit(line.position, ask=AskPart(SEALED_AT, bytes(65)))
    step = failed(run(exam, tmp_path))[13]
    assert step.failures == 60
    assert len(step.findings) == SHOWN


def test_verify__sums_of_another_length__are_named(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "true")
    facts = exam.facts(folder)
    exam.edit(1, sums=(1, 2, 3))
    other = exam.write(tmp_path / "bundle")
    facts = replace(facts, round=replace(facts.round, bundle_digest=Exam.facts(Exam(), other).round.bundle_digest))
    report = verify(facts, Bundle(other))
    assert failed(report)[19].findings[0].where == f"answers/{exam.first.hex()}.jsonl:2"
    assert report.exit_code == 1
