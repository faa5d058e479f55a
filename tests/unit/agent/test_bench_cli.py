"""`assay bench`, from an empty home to a revealed round, with what it prints and how it fails."""

import contextlib
import io
import json
import stat

import pytest
import structlog

from assay.agent.steps import publish
from assay.chain import deployments
from assay.chain.devnet import ETHER, fund
from assay.cli.common import run
from assay.cli.main import cli
from assay.storage.addresses import checked_node
from unit.agent.exam import Provider, finalize, pass_time, register_task, rich
from unit.agent.fakes import FakeGateway

pytestmark = pytest.mark.chain
PASSWORD = "correct horse"
SIGNED = {"init", "deposit", "withdraw", "allow", "seal", "enrol", "ask", "score", "attest", "reveal", "release"}


class Home:
    """One person's commands, run in this process."""

    def __init__(self, path, devnet):
        self.path, self.password = path / "home", path / "password"
        self.password.write_text(PASSWORD + "\n")
        self.password.chmod(0o600)
        deployments.save(path / "deployment.json", devnet.deployment)
        self.options = ["--home", str(self.path), "--rpc", devnet.rpc, "--deployment", str(path / "deployment.json")]

    def __call__(self, command, *arguments, code=0, as_json=True):
        secret = ["--password-file", str(self.password)] if command in SIGNED else []
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            got = run(cli, [*["--json"] * as_json, *self.options, "bench", command, *map(str, arguments), *secret])
        structlog.reset_defaults()
        said = out.getvalue() + err.getvalue()
        assert got == code, said
        assert PASSWORD not in said
        assert "Traceback" not in said
        return json.loads(out.getvalue()) if as_json else out.getvalue() + err.getvalue()


@pytest.fixture
def home(devnet, chain, tmp_path):
    made = Home(tmp_path, devnet)
    keys = made("init", "--light")
    for name in ("owner", "operator"):
        fund(chain.node, keys[name], 100 * ETHER)
    made("deposit", "5 ether", "--key", "owner")
    made("allow", "operator", "2 ether", "--key", "owner")
    return made


@pytest.fixture
def questions(tmp_path):
    path = tmp_path / "questions.csv"
    path.write_text(
        "prompt,reference,kind\n" + "".join(f"question {n},QUESTION {n} it is,\n" for n in range(5)) + "trap,,decoy\n"
    )
    return path


def test_init__again__keeps_what_is_there(home):
    before = {path.name: path.read_bytes() for path in (home.path / "keys").iterdir()}
    assert home("init", "--light")["made"] == []
    assert {path.name: path.read_bytes() for path in (home.path / "keys").iterdir()} == before
    assert sorted(before) == ["operator.json", "owner.json", "salts.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.path.iterdir() if path.is_file()} == {0o600}


def test_stake__deposit_withdraw_balance__add_up(home):
    assert home("withdraw", "1 ether", "--key", "owner")["free"] == str(4 * ETHER)
    found = home("balance", "--operator", "operator")
    assert (found["free"], found["locked"], found["burned"]) == (str(4 * ETHER), 0, 0)
    assert (found["limit"], found["used"]) == (str(2 * ETHER), 0)
    assert set(home("balance")) == {"owner", "free", "locked", "burned"}
    assert "AMOUNT" in home("deposit", "5", "--key", "owner", code=2)["message"]


def test_a_round__through_all_commands__each_names_the_next(home, chain, questions, ipfs, monkeypatch):
    monkeypatch.setattr(publish, "PROVIDER_SECONDS", 0.0)  # an offline node is found by nobody
    task = "0x" + register_task(chain, home.path / "tasks", rich(chain)).hex()
    provider = Provider(chain)
    assert "assay bench seal exam" in home("import", questions, "--set", "exam", as_json=False)
    pass_time(chain, 0)
    said = home("seal", "exam", "--task", task, as_json=False)
    for shown in ("gwei", "locked   1 ether of yours, until 20", "scores   ±", "US dollars", "assay bench enrol 0x"):
        assert shown in said
    again = home("seal", "exam", "--task", task, as_json=False)
    assert "was sealed before" in again
    assert "locked" not in again
    round_ = home("seal", "exam", "--task", task)["round"]
    with FakeGateway(chain.domain, provider.operator, (provider.version,)) as gateway:
        assert "assay bench ask" in home("enrol", "exam", gateway.url, "--no-wait", as_json=False)
        assert home("ask", "exam", code=1)["error"] == "NotYet"
        finalize(chain)
        assert "assay bench score" in home("ask", round_[:10], "--answer-timeout", 5, as_json=False)
        assert home("ask", "exam")["versions"][0]["answered"] == 6
    assert home("score", "exam", code=1)["error"] == "NotYet"
    pass_time(chain, home("show", "exam")["deadlines"]["answer_by"])
    assert "assay bench attest" in home("score", "exam", as_json=False)
    assert home("score", "exam")["scores"][0]["answered"] == 5
    assert "assay bench reveal" in home("attest", "exam", as_json=False)
    assert "assay verify" in home("reveal", "exam", as_json=False)
    shown = home("show", "exam")
    assert (shown["phase"], shown["next"], shown["versions"][0]["standing"]) == ("challenging", "release", "scored")
    assert (shown["cid"], home("list")["rounds"][0]["phase"]) == (home("reveal", "exam")["cid"], "challenging")
    assert home("reveal", "exam", "--ipfs", "http://127.0.0.1:9", code=2)["error"] == "Unreachable"
    assert [entry["node"] for entry in home("reveal", "exam", "--ipfs", ipfs.rpc)["ipfs"]["published"]] == [
        checked_node(ipfs.rpc)
    ]
    assert home("reveal", "exam", "--ipfs", ipfs.rpc)["ipfs"]["before"] == [checked_node(ipfs.rpc)]
    assert home("release", "exam", code=1)["error"] == "NotYet"
    pass_time(chain, shown["deadlines"]["versions_released_at"])
    assert home("release", "exam")["round_bond"] is True
    assert home("balance")["locked"] == 0


@pytest.mark.parametrize(("answer", "code"), [("n\n", 1), ("y\n", 0)])
def test_seal__on_a_terminal__asks_after_the_price(home, chain, questions, monkeypatch, answer, code):
    task = "0x" + register_task(chain, home.path / "tasks", rich(chain)).hex()
    home("import", questions, "--set", "exam")
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    said = home("seal", "exam", "--task", task, code=code, as_json=False)
    assert "Seal?" in said
    assert said.index("locked") < said.index("Seal?")
    assert len(home("list")["rounds"]) == (code == 0)


def test_ask__window_missed__says_what_follows(home, chain, questions):
    task = "0x" + register_task(chain, home.path / "tasks", rich(chain)).hex()
    home("import", questions, "--set", "exam")
    home("seal", "exam", "--task", task)
    pass_time(chain, home("show", "exam")["deadlines"]["answer_by"] - 100)
    error = home("ask", "exam", code=1)
    assert (error["error"], "score" in error["remedy"]) == ("TooLate", True)


def test_import__mistakes__are_listed_and_nothing_is_kept(home, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("prompt,reference\na,\nb\n")
    said = home("import", path, "--set", "bad", code=2, as_json=False)
    assert f"{path}:2: reference is empty" in said
    assert f"{path}:3: 1 fields" in said
    assert home("list")["sets"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("seal", "exam", "--task", "0x" + "01" * 32), 2, "BadInput"),
        (("show", "0x1234"), 2, "BadInput"),
        (("score", "nothing"), 2, "BadInput"),
        (("seal", "exam", "--task", "0x12"), 2, "Usage"),
        (("ask", "exam", "--key", "nobody"), 1, "BadKey"),
    ],
)
def test_commands__wrong_arguments__error_and_remedy(home, arguments, code, error):
    said = home(*arguments, code=code)
    assert said["error"] == error
    assert said["message"]


def test_seal__no_stake__names_the_command_that_supplies_it(home, chain, questions):
    task = "0x" + register_task(chain, home.path / "tasks", rich(chain)).hex()
    home("withdraw", "5 ether", "--key", "owner")
    home("import", questions, "--set", "exam")
    error = home("seal", "exam", "--task", task, code=1)
    assert error["error"] == "NoFunds"
    assert "assay bench deposit" in error["remedy"]
