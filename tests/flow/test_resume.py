"""A world that was left goes on: chain, bundles and keys are there again, and the printed commands work as they stand."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from demo import Demo, Exam
from stage import ASSAY, Person

from assay.chain import background
from assay.chain.devnet import find_anvil
from flow.world import QUESTIONS, Candidate, World, replay, variant

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "ASSAY_ANVIL": str(find_anvil())}


def command(*words: str, cwd: Path, code: int = 0) -> str:
    ran = subprocess.run(words, check=False, cwd=cwd, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return ran.stdout


def verified(text: str) -> dict[str, Any]:
    """A report without the moment at which it was made."""
    report: dict[str, Any] = json.loads(text)
    assert report["exit_code"] == 0
    return {key: value for key, value in report.items() if key != "block"}


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The folder of a world in which two small exams were held, left as the demo leaves its own, and the report from then."""
    folder = tmp_path_factory.mktemp("left") / "the demo"
    with World(folder, keep=True) as world, ThreadPoolExecutor(1) as pool:
        examiner = world.benchmarker("examiner")
        answers = {prompt: reference for prompt, reference, *_ in [*QUESTIONS, *variant("again")]}
        parrot = world.candidate("parrot", *replay(folder / "parrot.tsv", answers))
        exams = hold(world, examiner, parrot)
        report = verified(world.reader.assay("--json", "verify", exams[0].round, "--store", examiner.home / "store").out)
        demo = Demo(world, pool)
        demo.proof = "0x" + world.send(examiner, world.chain.vault.deposit(world.signer(examiner).address, 1)).tx_hash.hex()
        (folder / "names.json").write_text(json.dumps({parrot.version: "parrot"}))
        demo.leave([world.reader, examiner, parrot.person], exams, world.reader, parrot.person)
    yield folder, report
    background.stop(folder)


def hold(world: World, examiner: Person, candidate: Candidate) -> list[Exam]:
    """Two rounds under one task, step by step beside each other."""
    task = world.task(examiner, challenge=86_400)
    exams = [Exam(examiner, title, examiner.home / f"{title}.csv") for title in ("first", "second")]
    for exam, questions in zip(exams, (QUESTIONS, variant("again")), strict=True):
        exam.round = world.seal(examiner, task, questions, exam.title)
        world.sit(examiner, exam.round, candidate)
    for exam in exams:
        world.settle(examiner, exam.round)
    return exams


def resume(folder: Path) -> dict[str, Any]:
    resumed: dict[str, Any] = json.loads(command(str(ASSAY), "--json", "demo", "resume", "--dir", folder.name, cwd=folder.parent))
    return resumed


def test_resume__after_the_world_ended__each_printed_command_works_and_the_report_is_the_same(
    left: tuple[Path, dict[str, Any]],
) -> None:
    folder, report = left
    lines = [entry["line"] for entry in resume(folder)["commands"]]
    assert len(lines) == 5
    told = [command(*shlex.split(line), cwd=folder.parent) for line in lines]
    assert "BLEU" in told[1]
    assert "challenging" in told[3]
    assert json.loads(command(str(ASSAY), "--json", "demo", "stop", "--dir", str(folder), cwd=folder))["stopped"]
    again = shlex.split(resume(folder)["commands"][0]["line"])
    assert verified(command(*again, "--json", cwd=folder.parent)) == report
    command(str(ASSAY), "demo", "stop", "--dir", str(folder), cwd=folder)


def test_resume__twice__refused_and_the_first_goes_on(left: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = left
    first = resume(folder)
    refused = json.loads(command(str(ASSAY), "--json", "demo", "resume", "--dir", str(folder), cwd=folder, code=1))
    assert refused["error"] == "Refused"
    assert background.running(folder) == first["pid"]
    assert background.stop(folder)
    assert not background.stop(folder)


def test_resume__nothing_left__bad_input(tmp_path: Path) -> None:
    told = json.loads(command(str(ASSAY), "--json", "demo", "resume", cwd=tmp_path, code=2))
    assert "make demo" in told["remedy"]


def test_stop__pid_of_another_program__left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as other:
        (tmp_path / background.PID).write_text(str(other.pid))
        assert not background.stop(tmp_path)
        assert other.poll() is None
        other.kill()
