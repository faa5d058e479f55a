"""A world that was left goes on: chain, bundles and keys are there again, and the printed commands work as they stand."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stage import ASSAY, Following

from assay.chain import background
from assay.chain.devnet import find_anvil
from flow.world import QUESTIONS, World, replay

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
    """The folder of a world in which one small exam was held, and the report from then."""
    folder = tmp_path_factory.mktemp("left") / "the demo"
    with World(folder, keep=True) as world:
        examiner = world.benchmarker("examiner")
        answers = {prompt: reference for prompt, reference, *_ in QUESTIONS}
        parrot = world.candidate("parrot", *replay(folder / "parrot.tsv", answers))
        round_ = world.exam(examiner, world.task(examiner, challenge=86_400), parrot)
        report = verified(world.reader.assay("--json", "verify", round_, "--store", examiner.home / "store").out)
        following = [
            Following(["DEMO/reader/assay", "--json", "verify", round_, "--store", "DEMO/examiner/store"], "check it"),
            Following(["DEMO/examiner/assay", "bench", "show", round_], "see it"),
            Following(["DEMO/examiner/assay", "bench", "allow", "operator", "4 ether"], "sign something"),
        ]
        world.leave([world.reader, examiner], following)
    yield folder, report
    background.stop(folder)


def resume(folder: Path) -> dict[str, Any]:
    resumed: dict[str, Any] = json.loads(command(str(ASSAY), "--json", "demo", "resume", "--dir", folder.name, cwd=folder.parent))
    return resumed


def test_resume__after_the_world_ended__same_report_and_commands_that_work(left: tuple[Path, dict[str, Any]]) -> None:
    folder, report = left
    lines = [entry["line"] for entry in resume(folder)["commands"]]
    told = [command(*shlex.split(line), cwd=folder.parent) for line in lines]
    assert verified(told[0]) == report
    assert "challenging" in told[1]
    assert json.loads(command(str(ASSAY), "--json", "demo", "stop", "--dir", str(folder), cwd=folder))["stopped"]
    assert verified(command(*shlex.split(resume_line(folder)), cwd=folder.parent)) == report
    command(str(ASSAY), "demo", "stop", "--dir", str(folder), cwd=folder)


def resume_line(folder: Path) -> str:
    line: str = resume(folder)["commands"][0]["line"]
    return line


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
