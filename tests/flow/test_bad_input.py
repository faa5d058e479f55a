"""What people get wrong: one clear message that names the place or the remedy, an exit code, and nothing half done."""

from pathlib import Path

import pytest
from stage import Person, Stage

from flow.world import QUESTIONS, World, failed, replay

HEADER = "prompt,reference,group,kind\n"
FILES = {
    "malformed line": ('one,uno\n"two,dos\n', 3, "quote"),
    "too many cells": ("one,uno,g,scored,more\n", 2, ""),
    "duplicate prompt": ("one,uno\ntwo,dos\none,otro\n", 4, "one"),
    "empty reference": ("one,uno\ntwo,\n", 3, "reference"),
    "unknown kind": ("one,uno,g,maybe\n", 2, "kind"),
}


def bench(person: Person, *words: str | Path, codes: tuple[int, ...] = (1, 2)) -> str:
    """The message of a `bench` command that must fail."""
    return failed(person.assay("--json", "bench", *words, codes=codes))


@pytest.mark.parametrize("name", FILES)
def test_import__bad_file__names_the_line_and_imports_nothing(examiner: Person, name: str) -> None:
    text, line, word = FILES[name]
    header = HEADER if text.split("\n")[0].count(",") > 1 else "prompt,reference\n"
    file = examiner.home / "bad.csv"
    file.write_text(header + text)
    message = bench(examiner, "import", file, "--set", "bad")
    assert f"bad.csv:{line}" in message
    assert word in message
    assert examiner.json("bench", "list")["sets"] == []


def test_seal__text_over_the_cap__names_it_and_seals_nothing(world: World, examiner: Person) -> None:
    task = world.task(examiner, cap=40)
    file = examiner.home / "long.csv"
    file.write_text("prompt,reference\nshort,curto\n" + "word " * 9 + ",palavra\n")
    examiner.assay("bench", "import", file, "--set", "long")
    message = bench(examiner, "seal", "long", "--task", task)
    assert "40" in message
    assert examiner.json("bench", "list")["rounds"] == []


def test_any_command__wrong_chain__says_so(world: World, examiner: Person) -> None:
    file = world.root / "elsewhere.json"
    file.write_text(world.deployment.read_text().replace("31337", "1"))
    ran = examiner.assay("--json", "--deployment", file, "bench", "balance", codes=(2,))
    assert failed(ran).startswith("WrongChain")


def test_any_command__no_node__says_how_to_get_one(examiner: Person) -> None:
    ran = examiner.assay("--rpc", "http://127.0.0.1:9", "--json", "bench", "balance", codes=(2,))
    assert failed(ran).startswith("Unreachable")
    assert "assay devnet" in failed(ran)


def test_seal__no_stake_no_allowance_no_gas__each_names_its_command(world: World) -> None:
    poor = Person(world, "poor")
    poor.assay("bench", "init", "--light")
    poor.assay("devnet", "fund", poor.address("operator"))
    task = world.task(poor)
    file = poor.home / "set.csv"
    file.write_text("prompt,reference\none,um\n")
    poor.assay("bench", "import", file, "--set", "set")
    message = bench(poor, "seal", "set", "--task", task)
    assert message.startswith("NoFunds")
    assert "assay bench deposit" in message or "assay bench allow" in message
    poor.assay("devnet", "fund", poor.address("owner"))
    poor.assay("bench", "deposit", "3 ether")
    assert "assay bench allow" in bench(poor, "seal", "set", "--task", task)
    assert poor.json("bench", "list")["rounds"] == []
    poor.assay("bench", "allow", "operator", "3 ether")
    poor.assay("bench", "seal", "set", "--task", task)


def test_deposit__no_gas__says_what_is_missing(world: World) -> None:
    broke = Person(world, "broke")
    broke.assay("bench", "init", "--light")
    message = bench(broke, "deposit", "1 ether")
    assert message.startswith("NoFunds")
    assert broke.address("owner") in message


def test_enrol__gateway_down__says_so_and_enrols_nobody(world: World, examiner: Person) -> None:
    round_ = world.seal(examiner, world.task(examiner))
    ran = examiner.assay("--json", "bench", "enrol", round_, "http://127.0.0.1:9", codes=(1,))
    assert "127.0.0.1:9" in ran.out
    assert examiner.json("bench", "show", round_)["versions"] == []


def test_any_key__wrong_password__says_so_and_shows_nothing(examiner: Person) -> None:
    wrong = examiner.home / "wrong"
    wrong.write_text("not the password\n")
    wrong.chmod(0o600)
    message = bench(examiner, "deposit", "1 ether", "--password-file", wrong)
    assert message.startswith("BadKey")
    assert "not the password" not in message


def test_steps__window_missed__say_what_follows(world: World, examiner: Person) -> None:
    late = world.candidate("too-late", *replay(world.root / "too-late.tsv", {QUESTIONS[0][0]: "uma resposta"}))
    round_ = world.seal(examiner, world.task(examiner, answer=60, attest=5))
    world.sit(examiner, round_, late)
    world.pass_deadline(examiner, round_, "attest_by")
    for words in (("attest", round_), ("enrol", round_, late.url), ("ask", round_)):
        message = bench(examiner, *words)
        assert message.startswith(("TooLate", "Refused")), message
    shown = examiner.json("bench", "show", round_)
    assert shown["phase"] == "forfeited"


def test_homes__private_files__readable_by_their_owner_alone(world: World, examiner: Person) -> None:
    world.seal(examiner, world.task(examiner))
    for path in [examiner.home, *examiner.home.rglob("*")]:
        if path.parent in (examiner.home, examiner.home / "tasks") and path.suffix in (".csv", ".json"):
            continue  # written by the story itself, or published with the task
        assert not path.stat().st_mode & 0o077, path


def test_stage__commands__never_carry_a_secret(world: World) -> None:
    told: list[str] = []
    stage = Stage(world.root / "spied", lambda _person, line: told.append(line))
    stage.rpc, stage.deployment = world.rpc, world.deployment
    spied = Person(stage, "spied")
    spied.settle_in("bench")
    password = spied.password_file.read_text().strip()
    assert told
    assert not any(password in line for line in told)
