"""Whole rounds, played by separate processes on a real chain. Each story is one sentence of the protocol."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest
from stage import Person

from assay.types import SCORE_ONE
from flow.world import QUESTIONS, ROOT, Candidate, World, program, replay

FORGER = ROOT / "tests" / "forger" / "falsify.py"
SCORED = [question for question in QUESTIONS if question[3] == "scored"]


class Honest(NamedTuple):
    """A round in which nothing went wrong, and its benchmarker."""

    examiner: Person
    round: str


@pytest.fixture(scope="module")
def honest(world: World, parrot: Candidate) -> Honest:
    examiner = world.benchmarker("honest")
    return Honest(examiner, world.exam(examiner, world.task(examiner), parrot))


def store(person: Person) -> Path:
    return person.home / "store"


def test_honest_round__is_sound_and_its_audit_log_holds(world: World, parrot: Candidate, honest: Honest) -> None:
    row = world.score(honest.examiner, honest.round, parrot.version)
    assert (row["standing"], row["answered"], row["silent"], row["decoys"]) == ("scored", 6, 0, 1)
    assert 0 < int(str(row["score"])) < SCORE_ONE
    report = world.reader.json("verify", honest.round, "--store", store(honest.examiner))
    assert report["exit_code"] == 0
    log = world.reader.home / "log.json"
    world.reader.assay("audit-log", honest.round, "--items", "--store", store(honest.examiner), "--out", log)
    checked = world.reader.json("audit-log", "--check", log)
    assert (checked["failures"], checked["senders"], checked["signatures"]) == (0, checked["links"], 1 + 3 * 7)


def test_honest_round__sacrebleu_on_the_exported_files__same_digits(
    world: World, parrot: Candidate, honest: Honest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    world.reader.assay("export", "--sacrebleu", honest.round, "--store", store(honest.examiner), "--out", out)
    hypotheses = next(out.glob(f"*{parrot.version[2:10]}*"))
    ran = world.reader.run(
        ROOT / ".venv" / "bin" / "sacrebleu", out / "reference.txt", "-i", hypotheses, "-m", "bleu", "-b", "-w", "10"
    )
    score = int(str(world.score(honest.examiner, honest.round, parrot.version)["score"]))
    assert float(ran.out) == pytest.approx(score / 1e16, abs=1e-9)


def test_honest_round__challenged__refused_without_cost(world: World, parrot: Candidate, honest: Honest) -> None:
    words = ("challenge", "item", honest.round, parrot.version, "0", "--store", store(honest.examiner))
    ran = world.reader.assay("--json", *words, codes=(0, 1))
    assert "sound" in ran.out.lower()


def test_honest_round__over__pays_everything_back(world: World, parrot: Candidate, honest: Honest) -> None:
    world.pass_deadline(honest.examiner, honest.round, "versions_released_at")
    honest.examiner.assay("bench", "release", honest.round)
    parrot.person.assay("provider", "release", honest.round)
    assert int(honest.examiner.json("bench", "balance")["locked"]) == 0
    assert honest.examiner.json("bench", "show", honest.round)["phase"] == "final"


def test_bundle_edited_in_one_byte__exit_3_with_file_and_line(
    world: World, parrot: Candidate, honest: Honest, tmp_path: Path
) -> None:
    bundle = world.unpack(honest.examiner, honest.round, tmp_path / "bundle")
    file = bundle / "answers" / f"{parrot.version[2:]}.jsonl"
    lines = file.read_bytes().split(b"\n")
    at = next(number for number, line in enumerate(lines) if b"chuva" in line)
    edited = lines[at].replace(b"chuva", b"chuvo")
    file.write_bytes(b"\n".join([*lines[:at], edited, *lines[at + 1 :]]))
    ran = world.reader.assay("verify", honest.round, "--bundle", bundle, codes=(3,))
    assert f"answers/{parrot.version[2:]}.jsonl:{at + 1}" in ran.out


@pytest.mark.parametrize("silences", [1, 3])
def test_silent_provider__below_and_above_the_limit(world: World, examiner: Person, silences: int) -> None:
    answers = {prompt: reference for prompt, reference, *_ in [*SCORED[silences:], QUESTIONS[-1]]}
    quiet = world.candidate(f"quiet{silences}", *replay(world.root / f"quiet{silences}.tsv", answers))
    round_ = world.exam(examiner, world.task(examiner, silence_bps=2000), quiet)
    row = world.score(examiner, round_, quiet.version)
    assert (row["answered"], row["silent"]) == (6 - silences, silences)
    assert row["standing"] == ("scored" if silences == 1 else "incomplete")
    out = examiner.home / "out"
    exported = examiner.json("export", "--sacrebleu", round_, "--out", out)["scores"][0]
    assert (exported["shown"] == "Incomplete") == (silences == 3)
    assert (int(str(row["score"])) > 0) == (silences == 1)
    assert world.reader.json("verify", round_, "--store", store(examiner))["exit_code"] == 0


def test_odd_answers__over_the_cap_and_invalid_utf8__cut_kept_and_sound(world: World, examiner: Person) -> None:
    code = (
        "import sys\n"
        "text = sys.stdin.buffer.read()\n"
        "odd = b'\\xff\\xfe abc \\xc3' if b'bridge' in text else ('ação ' * 200).encode() if b'rain' in text else text\n"
        "sys.stdout.buffer.write(odd)\n"
    )
    odd = world.candidate("odd", *program(world.root / "odd.py", code, per_text=True))
    round_ = world.exam(examiner, world.task(examiner, cap=100), odd)
    assert world.score(examiner, round_, odd.version)["answered"] == 6
    bundle = world.unpack(examiner, round_, world.root / "odd-bundle")
    lines = [json.loads(line) for line in (bundle / "answers" / f"{odd.version[2:]}.jsonl").read_text().splitlines()]
    assert sum("response_b64" in line for line in lines) == 1
    assert max(len(line.get("response", "").encode()) for line in lines) in range(96, 101)
    assert world.reader.json("verify", round_, "--store", store(examiner))["exit_code"] == 0


def test_version_committed_after_the_seal__is_not_enrolled(world: World, examiner: Person) -> None:
    round_ = world.seal(examiner, world.task(examiner))
    late = world.candidate("late", *replay(world.root / "late.tsv", {}))
    (refused,) = examiner.assay("--json", "bench", "enrol", round_, late.url, codes=(1,)).json["refused"]
    assert refused["reason"] == "the version was committed after the seal"
    assert examiner.json("bench", "show", round_)["versions"] == []


def test_unenrolled_version__gets_no_question_and_gives_no_answer(world: World, examiner: Person, parrot: Candidate) -> None:
    other = world.candidate("other", *replay(world.root / "other.tsv", {}))
    round_ = world.seal(examiner, world.task(examiner))
    world.sit(examiner, round_, parrot)
    response = world.ask(examiner, round_, other, 0, "an unenrolled question")
    assert (response.status_code, response.json()["type"]) == (403, "urn:assay:not-enrolled")
    assert [row["version"] for row in examiner.json("bench", "show", round_)["versions"]] == [parrot.version]


def test_falsified_leaf__is_found_proven_and_costs_the_bond(world: World, parrot: Candidate) -> None:
    liar, finder = world.benchmarker("liar"), world.benchmarker("finder")
    task = world.task(liar)
    round_ = world.seal(liar, task)
    world.sit(liar, round_, parrot)
    world.pass_deadline(liar, round_, "answer_by")
    liar.assay("bench", "score", round_)
    liar.run(ROOT / ".venv" / "bin" / "python", FORGER, round_)
    report = world.reader.json("verify", round_, "--store", store(liar), codes=(1,))
    assert report["exit_code"] == 1
    finding = next(finding for step in report["steps"] for finding in step["findings"] if finding["verdict"])
    assert finding["verdict"] == "wrong_statistics"
    assert finding["item"].startswith("WRONG_STATISTICS: item ")
    assert finding["expected"] != finding["got"]
    watched = parrot.person.json("provider", "watch", "--once", "--store", store(liar), codes=(1,))
    (seat,) = (seat for seat in watched["seats"] if seat["round"] == round_)
    assert (seat["differences"], seat["shown"][0]["difference"], seat["shown"][0]["provable"]) == (1, "false_leaf", True)
    dry = finder.assay("challenge", round_, "--store", store(liar))
    assert "wrong_statistics" in dry.out
    before = int(finder.json("bench", "balance")["free"])
    finder.assay("challenge", round_, "--store", store(liar), "--send")
    gained = int(finder.json("bench", "balance")["free"]) - before
    gained += int(finder.json("bench", "balance", "--owner", "operator")["free"])  # whoever sends is paid, on its own account
    assert gained == 10**18
    shown = liar.json("bench", "show", round_)
    assert shown["phase"] == "slashed"
    assert {row["standing"] for row in shown["versions"]} == {"struck"}
    assert {int(row["score"]) for row in shown["versions"]} == {0}
    again = finder.assay("--json", "challenge", round_, "--store", store(liar), "--send", codes=(1,))
    assert "slashed" in again.out.lower()
