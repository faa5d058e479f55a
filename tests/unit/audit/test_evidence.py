"""given what somebody holds outside a bundle / when it is read, checked or verified / only what proves itself counts."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay.audit import evidence
from assay.audit.evidence import Evidence, Held, HeldItem, Message, check, merged
from assay.audit.openings import Openings
from assay.audit.report import SHOWN, Finding, Log, Report, State, Title
from assay.audit.verify import verify
from assay.errors import BadInput
from assay.storage.bundle import Bundle
from assay.types import RoundId, Verdict
from unit.audit.exam import DECOY, SILENT, Exam
from unit.audit.holding import held_ack, held_answer, held_ask


def all_kinds(exam: Exam, folder: Path) -> tuple[Message, ...]:
    sealed = Openings(exam.facts(folder), Bundle(folder)).sealed(2)
    bare = replace(held_answer(exam, 1, b"x"), response=None)
    odd = held_answer(exam, 4, b"\xff\x00")
    return (
        held_ask(exam, 0),
        replace(held_ask(exam, 1), prompt=None),
        bare,
        odd,
        held_ack(exam, 3, b""),
        HeldItem(exam.round, sealed),
    )


def test_save__all_kinds__are_read_back_and_the_file_is_private(tmp_path: Path) -> None:
    exam = Exam()
    kept = Evidence(31337, exam.contracts["rounds"], all_kinds(exam, exam.write(tmp_path / "bundle")))
    evidence.save(tmp_path / "held.json", kept)
    assert evidence.load(tmp_path / "held.json") == kept
    assert evidence.dump(kept) == (tmp_path / "held.json").read_bytes()
    assert (tmp_path / "held.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput):
        evidence.save(tmp_path / "held.json", kept)
    assert merged([kept, kept]) == kept.messages


def broken(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], bytes]:
    def made(body: dict[str, Any]) -> bytes:
        change(body)
        return json.dumps(body).encode()

    return made


DEFECTS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "not_json": lambda _: b"{",
    "a_list": lambda _: b"[]",
    "other_schema": broken(lambda body: body.update(schema=2)),
    "unknown_field": broken(lambda body: body.update(more=1)),
    "no_messages": broken(lambda body: body.pop("messages")),
    "address_unchecksummed": broken(lambda body: body.update(rounds=body["rounds"].lower())),
    "unknown_kind": broken(lambda body: body["messages"][0].update(kind="enrol")),
    "kind_is_a_list": broken(lambda body: body["messages"][0].update(kind=[])),
    "message_is_a_number": broken(lambda body: body["messages"].append(7)),
    "short_signature": broken(lambda body: body["messages"][0].update(signature="0x00")),
    "position_too_large": broken(lambda body: body["messages"][0].update(position=1 << 32)),
    "position_is_true": broken(lambda body: body["messages"][0].update(position=True)),
    "time_too_large": broken(lambda body: body["messages"][0].update(answer_until=1 << 40)),
    "another_text": broken(lambda body: body["messages"][0].update(prompt="another")),
    "path_too_long": broken(lambda body: body["messages"][-1].update(path=["0x" + "00" * 32] * 33)),
    "item_kind": broken(lambda body: body["messages"][-1].update(item_kind="other")),
}


@pytest.mark.parametrize("name", sorted(DEFECTS))
def test_parse__a_file_with_a_defect__is_refused_by_name(tmp_path: Path, name: str) -> None:
    exam = Exam()
    kept = Evidence(31337, exam.contracts["rounds"], all_kinds(exam, exam.write(tmp_path / "bundle")))
    raw = DEFECTS[name](json.loads(evidence.dump(kept)))
    with pytest.raises(BadInput, match=r"held\.json"):
        evidence.parse(raw, "held.json")


def test_parse__too_much__is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    exam = Exam()
    raw = evidence.dump(Evidence(31337, exam.contracts["rounds"], (held_ask(exam, 0), held_ask(exam, 1))))
    for limit in ("MAX_BYTES", "MAX_MESSAGES"):
        with monkeypatch.context() as patched:
            patched.setattr(evidence, limit, 1)
            with pytest.raises(BadInput):
                evidence.parse(raw, "held.json")
    with pytest.raises(BadInput, match="cannot be read"):
        evidence.load(Path("/nowhere/held.json"))


def test_check__messages_of_all_kinds__hold_by_their_signatures_alone(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts, messages = exam.facts(folder), all_kinds(exam, folder)
    held = check(facts, [*messages, *messages])
    assert (sum(map(len, held.asks.values())), sum(map(len, held.answers.values())), len(held.acks)) == (2, 2, 1)
    assert (set(held.items), held.others, held.refused) == ({2}, 0, ())
    assert check(facts, [replace(message, round=RoundId(bytes(32))) for message in messages]) == Held()


def test_check__forged_messages__are_refused_with_a_reason(tmp_path: Path) -> None:
    exam = Exam()
    folder = exam.write(tmp_path / "bundle")
    facts, sealed = exam.facts(folder), Openings(exam.facts(folder), Bundle(folder)).sealed(2)
    forged: list[Message] = [
        held_ask(exam, 0, signer=exam.stranger),
        held_answer(exam, 0, b"x", exam.stranger),
        held_answer(exam, 0, b"x", exam.operator),
        held_ack(exam, 0, b"x", exam.providers[0]),
        replace(held_ack(exam, 0, b"x"), position=1),
        replace(held_ask(exam, 0), answer_until=1),
        replace(held_ack(exam, 0, b"x"), version=exam.versions[1].id),
        replace(held_ack(exam, 0, b"x"), version=type(exam.first)(bytes(32))),
        HeldItem(exam.round, replace(sealed, salt=bytes(32))),
        HeldItem(exam.round, replace(sealed, path=sealed.path[1:])),
        HeldItem(exam.round, replace(sealed, position=99)),
    ]
    held = check(facts, forged)
    assert (held.asks, held.answers, held.acks, held.items) == ({}, {}, {}, {})
    assert held.others == len(held.refused) == len(forged)
    assert check(facts, forged * 5).others == 5 * len(forged)
    assert len(check(facts, forged * 5).refused) == evidence.MAX_REFUSED


def verified(exam: Exam, tmp_path: Path, *messages: Message) -> Report:
    folder = exam.write(tmp_path / "bundle")
    facts = exam.facts(folder)
    return verify(facts, Bundle(folder), check(facts, messages))


def failed(report: Report) -> dict[int, list[Finding]]:
    return {step.number: step.findings for step in report.steps if step.state is State.FAILED}


def test_verify__evidence_that_agrees__changes_nothing(tmp_path: Path) -> None:
    exam = Exam()
    text = exam.lines[exam.first][2].response or b""
    report = verified(exam, tmp_path, held_ask(exam, 2), held_answer(exam, 2, text), held_ack(exam, 2, text))
    assert report.exit_code == 0
    assert not any(step.notes for step in report.steps[12:])


def test_verify__ask_over_another_prompt__step_13_fails_with_a_proof(tmp_path: Path) -> None:
    exam = Exam()
    found = failed(verified(exam, tmp_path, held_ask(exam, 2, b"another question")))
    assert set(found) == {13}
    assert [(each.position, each.proof) for each in found[13]] == [(2, "ask")]


def test_verify__ask_beyond_the_set__step_13_fails_without_a_bundle(tmp_path: Path) -> None:
    exam = Exam()
    ask = held_ask(exam, 0)
    beyond = replace(
        ask,
        position=7,
        signature=exam.operator.sign(exam.domain.ask(exam.round, exam.first, 7, ask.prompt_hash, ask.answer_until)),
    )
    facts = exam.facts(exam.write(tmp_path / "bundle"))
    found = failed(verify(facts, None, check(facts, [beyond])))
    assert [(each.position, each.proof) for each in found[13]] == [(7, "ask")]


def test_verify__ack_of_a_silent_item__step_17_fails_with_a_proof(tmp_path: Path) -> None:
    exam = Exam()
    found = failed(verified(exam, tmp_path, held_ack(exam, SILENT, b"The moon shines.")))
    assert set(found) == {17}
    assert [(each.position, each.proof) for each in found[17]] == [(SILENT, "ack")]


def test_verify__ack_in_a_silent_line__step_17_fails_with_a_proof(tmp_path: Path) -> None:
    exam = Exam()
    exam.edit(SILENT, ack=exam.sign_ack(exam.first, SILENT, b""))
    found = failed(verified(exam, tmp_path))
    assert [(each.position, each.proof) for each in found[17]] == [(SILENT, "ack")]


@pytest.mark.parametrize("signer", ["stranger", "provider"])
def test_verify__forged_ack_of_a_silent_item__is_a_note_and_no_fault(tmp_path: Path, signer: str) -> None:
    exam = Exam()
    key = exam.stranger if signer == "stranger" else exam.providers[0]
    report = verified(exam, tmp_path, held_ack(exam, SILENT, b"The moon shines.", key))
    assert report.exit_code == 0
    assert any("refused evidence" in note for note in report.steps[14].notes)


def test_verify__answers_that_nobody_acknowledged__are_notes(tmp_path: Path) -> None:
    exam = Exam()
    report = verified(exam, tmp_path, held_answer(exam, SILENT, b"late"), held_answer(exam, 2, b"another answer"))
    assert report.exit_code == 0
    assert report.steps[16].notes
    assert any("two different Answers" in note for note in report.steps[13].notes)


def test_verify__ack_of_a_decoy_or_of_another_answer__accuses_nobody(tmp_path: Path) -> None:
    exam = Exam()
    report = verified(exam, tmp_path, held_ack(exam, DECOY, b"x"), held_ack(exam, 2, b"another answer"))
    assert report.exit_code == 0
    assert report.steps[14].notes


def test_log__flood_of_findings_that_prove_nothing__hides_no_proof() -> None:
    log = Log([Title("P1", "one")])
    for number in range(3 * SHOWN):
        log.fail(1, Finding(f"unproven {number}", "", ""))
    for number in range(3 * SHOWN):
        log.fail(1, Finding(f"proven {number}", "", "", verdict=Verdict.WRONG_RECEIPT))
    log.fail(1, Finding("late", "", ""))
    kept = log.steps[0].findings
    assert log.steps[0].failures == 6 * SHOWN + 1
    assert [each.item for each in kept if each.is_provable] == [f"proven {number}" for number in range(SHOWN)]
    assert len(kept) == 2 * SHOWN
