"""The frame of the command line, in process: exit codes, JSON, what goes to which stream."""

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import click
import pytest

from assay.chain.devnet import Devnet
from assay.cli import common, verify
from assay.cli.main import COMMANDS, cli
from assay.errors import BadInput, NoFunds, NotYet, Reverted, Tampered, Unreachable, WrongChain
from assay.settings import Settings
from assay.types import Node, Phase
from unit.chain.world import signer

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


class Terminal:
    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self._capsys = home, capsys
        self.password = home.parent / "password"
        self.password.write_text(PASSWORD + "\n")
        self.password.chmod(0o600)

    def __call__(self, *words: str) -> Ran:
        self._capsys.readouterr()
        code = common.run(cli, ["--home", str(self.home), *words])
        captured = self._capsys.readouterr()
        return Ran(code, captured.out, captured.err)


@pytest.fixture
def assay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(tmp_path / "home", capsys)


def raising(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    group = click.Group("assay", params=[click.Option(["--json"], is_flag=True), click.Option(["--log-level"])])
    group.callback = lambda **_: None
    group.add_command(click.Command("fail", callback=fail))
    return group


def test_assay__alone__three_roles_and_a_command_for_each(assay: Terminal) -> None:
    ran = assay()
    assert ran.code == 0
    for role, next_command in (("Reader", "assay verify"), ("Benchmarker", "assay bench"), ("Provider", "assay provider")):
        assert any(line.split()[:1] == [role] and next_command in line for line in ran.out.splitlines())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help__of_every_command__exits_0(assay: Terminal, name: str) -> None:
    ran = assay(name, "--help")
    assert ran.code == 0
    assert ran.out.startswith("Usage: assay")


@pytest.mark.parametrize("words", [["nothing"], ["--nothing"], ["keys", "nothing"], ["keys", "new"], ["task", "show", "0x12"]])
def test_usage__wrong__exit_2_and_nothing_on_stdout(assay: Terminal, words: list[str]) -> None:
    ran = assay(*words)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


def test_usage__wrong_with_json__one_object_on_stdout(assay: Terminal) -> None:
    ran = assay("--json", "keys", "nothing")
    assert ran.code == 2
    assert json.loads(ran.out)["error"] == "Usage"
    assert ran.err == ""


@pytest.mark.parametrize(
    ("words", "meant", "more"),
    [
        (["verfy"], "Did you mean verify?", "assay --help"),
        (["--hoem", "x", "verify"], "Did you mean --home or --help?", "assay --help"),
        (["bench", "sael"], "Did you mean seal?", "assay bench --help"),
        (["verify", "--evidnce", "x"], "Did you mean --evidence?", "assay verify --help"),
        (["keys", "new"], "Usage: assay keys new [OPTIONS] NAME;", "assay keys new --help"),
        (["task", "show", "0x12"], "Usage: assay task show", "assay task show --help"),
        (["verify"], "Usage: assay verify", "assay verify --help"),
        (["qwxzyp"], "Usage: assay [OPTIONS]", "assay --help"),
    ],
)
def test_usage__wrong__the_remedy_names_what_was_meant_and_the_help_of_that_command(
    assay: Terminal, words: list[str], meant: str, more: str
) -> None:
    ran = assay("--json", *words)
    remedy = json.loads(ran.out)["remedy"]
    assert ran.code == 2
    assert remedy.startswith(meant)
    assert remedy.endswith(f"; more: {more}")
    assert json.loads(ran.out)["message"].count("Did you mean") == 0
    command = more.removeprefix("assay ").split()
    assert assay(*command).code == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NoFunds("m", "r"), 1),
        (NotYet("m", "r"), 1),
        (BadInput("m", "r"), 2),
        (Unreachable("m", "r"), 2),
        (WrongChain("m", "r"), 2),
        (Tampered("m", "r"), 3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_run__error_on_purpose__message_remedy_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    assert common.run(raising(error), ["fail"]) == code
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "m\n  r\n")
    assert common.run(raising(error), ["--json", "fail"]) == code
    assert json.loads(capsys.readouterr().out) == {"error": type(error).__name__, "message": "m", "remedy": "r"}


@pytest.mark.parametrize(
    ("error", "code"), [(Unreachable("m", "r"), 2), (NotYet("m", "r"), 2), (Reverted("m", "r"), 2), (Tampered("m", "r"), 3)]
)
def test_verify__cannot_look__never_1_which_tells_of_a_fault(
    assay: Terminal, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    def fail(_: Settings) -> None:
        raise error

    monkeypatch.setattr(verify, "connect", fail)
    ran = assay("verify", "0x" + "11" * 32)
    assert (ran.code, ran.out, ran.err) == (code, "", "m\n  r\n")


def test_run__defect__exit_70_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert common.run(raising(RuntimeError("secret inside")), ["fail"]) == common.UNEXPECTED
    told = capsys.readouterr()
    assert "secret inside" not in told.out + told.err
    assert "--log-level debug" in told.err


def test_run__debug__shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    common.run(raising(RuntimeError("inside")), ["--log-level", "debug", "fail"])
    assert "Traceback" in capsys.readouterr().err


def test_run__interrupted__exit_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert common.run(raising(KeyboardInterrupt()), ["fail"]) == common.INTERRUPTED
    assert "Traceback" not in capsys.readouterr().err


def test_plain__facts__as_json_types() -> None:
    assert common.plain(Node(b"\x01", (1, 1 << 60))) == {"hash": "0x01", "sums": [1, str(1 << 60)]}
    assert common.plain({b"\x02": Phase.FINAL}) == {"0x02": "final"}
    assert common.plain(Settings("r", None, Path("/h")))["home"] == "/h"
    assert common.plain([True, None, 1.5]) == [True, None, 1.5]


@pytest.mark.parametrize("words", [("--json", "keys", "list"), ("keys", "--json", "list"), ("keys", "list", "--json")])
def test_json__wherever_it_stands(assay: Terminal, words: tuple[str, ...]) -> None:
    assert assay(*words) == Ran(0, "[]\n", "")


def test_keys__new_list_address_import(assay: Terminal, tmp_path: Path) -> None:
    password = ["--password-file", str(assay.password)]
    made = json.loads(assay("--json", "keys", "new", "op", "--light", *password).out)
    assert json.loads(assay("--json", "keys", "list").out) == [made]
    assert assay("keys", "address", "op").out == made["address"] + "\n"
    (tmp_path / "secret").write_text("0x" + "11" * 32)
    imported = assay("keys", "import", "old", "--secret-file", str(tmp_path / "secret"), "--light", *password)
    assert imported.code == 0
    assert "11" * 32 not in imported.out + imported.err


def test_keys__no_password_and_no_terminal__bad_input_instead_of_waiting(assay: Terminal) -> None:
    ran = assay("keys", "new", "op")
    assert ran.code == 2
    assert "--password-file" in ran.err


def test_load_signer__missing_key__told_before_the_password(assay: Terminal) -> None:
    ran = assay("task", "register", "none.toml", "--key", "nobody")
    assert ran.code == 2
    assert "none.toml" in ran.err


@pytest.mark.chain
def test_task__init_register_list_show(assay: Terminal, devnet: Devnet, tmp_path: Path) -> None:
    password, node = ["--password-file", str(assay.password)], ["--rpc", devnet.rpc]
    address = json.loads(assay("--json", "keys", "new", "op", "--light", *password).out)["address"]
    assert assay(*node, "devnet", "fund", address, "--ether", "1.5").code == 0
    assert devnet.node.balance(address) == Decimal("1.5") * 10**18
    file = str(tmp_path / "task.toml")
    assert assay("task", "init", file, "--profile", "demo").code == 0
    assert assay("task", "init", file).code == 2
    first = json.loads(assay("--json", *node, "task", "register", file, "--key", "op", *password).out)
    again = json.loads(assay("--json", *node, "task", "register", file, "--key", "op", *password).out)
    assert (first["registered"], again) == (True, first | {"registered": False})
    listed = json.loads(assay("--json", *node, "task", "list").out)
    assert [entry["name"] for entry in listed if entry["task"] == first["task"]] == ["English to Brazilian Portuguese, sentences"]
    shown = json.loads(assay("--json", *node, "task", "show", first["task"]).out)
    assert (shown["max_items"], shown["description"]["languages"]) == (200, ["eng", "por-BR"])
    kept = assay.home / f"tasks/{first['task']}.json"
    kept.write_bytes(kept.read_bytes() + b" ")
    assert json.loads(assay("--json", *node, "task", "show", first["task"]).out)["description"] is None
    assert assay(*node, "task", "show", "0x" + "00" * 32).code == 2


@pytest.mark.chain
@pytest.mark.parametrize("words", [["devnet", "fund", "0x12"], ["devnet", "fund", signer("x").address, "--ether", "much"]])
def test_fund__wrong_words__exit_2(assay: Terminal, devnet: Devnet, words: list[str]) -> None:
    assert assay("--rpc", devnet.rpc, *words).code == 2


@pytest.mark.chain
def test_register__no_money__exit_1_names_the_command(assay: Terminal, devnet: Devnet, tmp_path: Path) -> None:
    password, file = ["--password-file", str(assay.password)], tmp_path / "task.toml"
    assay("keys", "new", "poor", "--light", *password)
    assay("task", "init", str(file), "--profile", "demo")
    file.write_text(file.read_text().replace("sentences", "poems"))
    ran = assay("--rpc", devnet.rpc, "task", "register", str(file), "--key", "poor", *password)
    assert ran.code == 1
    assert "assay devnet fund 0x" in ran.err
