"""`assay provider`, from an empty home to answers over HTTP."""

import contextlib
import io
import json
import signal
import subprocess
import sys
import time

import httpx
import pytest
import structlog

from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.devnet import fund
from assay.cli.common import run
from assay.cli.main import cli
from assay.encoding.hashing import keccak
from assay.encoding.receipts import recover
from assay.gateway.messages import Ack, Ask, Place
from assay.gateway.wire import hex_of
from assay.types import RoundId, VersionId
from unit.gateway.onchain import ETHER, Examiner, mine, parameters
from unit.gateway.test_app import ack_body, ask_body, assert_problem

pytestmark = pytest.mark.chain
SECONDS = 60


class Shell:
    """Runs commands in one home: short ones in this process, `serve` in one of its own."""

    def __init__(self, path, devnet):
        self.home, self.password = path / "home", path / "password"
        self.password.write_text("correct horse\n")
        self.password.chmod(0o600)
        deployments.save(path / "deployment.json", devnet.deployment)
        self.options = ["--json", "--home", str(self.home), "--rpc", devnet.rpc, "--deployment", str(path / "deployment.json")]
        self.secret = ["--password-file", str(self.password)]
        self.log = path / "log"

    def __call__(self, command, *arguments, codes=(0,)):
        secret = [] if command in ("list", "status") else self.secret
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(cli, [*self.options, "provider", command, *arguments, *secret])
        structlog.reset_defaults()
        assert code in codes, out.getvalue() + err.getvalue()
        assert "correct horse" not in out.getvalue() + err.getvalue()
        assert "Traceback" not in err.getvalue()
        return json.loads(out.getvalue())

    def popen(self, *arguments):
        start = [sys.executable, "-c", "from assay.cli.main import main; main()", *self.options]
        command = [*start, "provider", *arguments, *self.secret]
        with self.log.open("w") as log:  # a pipe that nobody reads would stop the gateway
            return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)


def settle(path, devnet):
    """A home with keys, stake and one version; its shell and what its commands said."""
    shell = Shell(path, devnet)
    made = shell("init", "--light")
    connected = Chain.connect(devnet.rpc, devnet.deployment)
    for role in ("owner", "operator"):
        fund(connected.node, made[role], 5 * ETHER)
    shell("deposit", "2 ether", "--key", "owner")
    shell("allow", "operator", "1 ether", "--key", "owner")
    model = shell("register", "mine", "--owner", "owner", "--key", "operator")
    version = shell("commit-version", "mine", "--label", "v1", "--artifact-digest", "0d" * 32, "--key", "operator")
    mine(connected, 1, 2)
    connected.close()
    return shell, {**made, "model": model["model"], "version": version["version"]}


@pytest.fixture
def home(tmp_path, devnet):
    return settle(tmp_path, devnet)


@pytest.fixture(scope="module")
def shared(tmp_path_factory, devnet):
    """The same for tests that change nothing."""
    return settle(tmp_path_factory.mktemp("shared"), devnet)


class Gateway:
    """A served version, as an examiner sees it."""

    def __init__(self, shell, *arguments):
        self.log = shell.log
        self.process = shell.popen("serve", "--port", "0", "--key", "operator", *arguments)
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.about = json.loads(line)
        self.client = httpx.Client(base_url=self.about["url"], timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=SECONDS)
        return self.process.returncode, self.log.read_text()


def question(chain, examiner, round_, version, position, prompt, until=None):
    place = Place(RoundId(round_), VersionId(version), position)
    until = until or chain.rounds.deadlines(round_).answer_by - 100
    unsigned = Ask(place, prompt, until, b"")
    return Ask(place, prompt, until, examiner.operator.sign(unsigned.digest(chain.domain)))


def test_home__after_the_first_commands__staked_and_private(home, chain):
    shell, ready = home
    assert chain.vault.balance(ready["owner"]) == (2 * ETHER, 0)
    assert chain.vault.allowance(ready["owner"], ready["operator"]) == (ETHER, 0)
    assert shell("init", "--light") == {key: ready[key] for key in ("owner", "operator", "policy")}
    assert shell("withdraw", "0.5 ether", "--key", "owner")["free"] == str(3 * ETHER // 2)
    listed = shell("list")
    assert [model["name"] for model in listed["models"]] == ["mine"]
    assert [version["version"] for version in listed["versions"]] == [ready["version"]]
    for path in shell.home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_serve__round_over_http__answers_repeats_and_leaves_quietly(home, chain, devnet, examiner, tmp_path):
    shell, ready = home
    outputs = tmp_path / "outputs.tsv"
    outputs.write_text("prompt\toutput\nSECRET hello\tSECRET olá\nnothing\t\n", encoding="utf-8")
    serving = ("--version", ready["version"][:10], "--upstream", "replay", "--replay", str(outputs))
    version = VersionId(bytes.fromhex(ready["version"][2:]))
    round_ = examiner.seal(parameters(devnet), 3)
    asked = question(chain, examiner, round_, version, 0, "SECRET hello")
    with Gateway(shell, *serving) as gateway:
        assert gateway.about["version"] == ready["version"]
        assert gateway.client.get("/v1").json()["versions"] == [ready["version"]]
        consent = gateway.client.post("/v1/enrol", json={"round": hex_of(round_), "version": ready["version"]}).json()
        examiner.enrol(round_, version, bytes.fromhex(consent["signature"][2:]))
        mine(chain, 3)
        wait_for_enrolment(gateway.client, asked)
        first = gateway.client.post("/v1/ask", json=ask_body(asked)).json()
        digest = chain.domain.answer(*asked.place, asked.prompt_hash, keccak(first["response"].encode()))
        assert recover(digest, bytes.fromhex(first["signature"][2:])) == ready["operator"]
        unknown = question(chain, examiner, round_, version, 1, "unknown")
        assert_problem(gateway.client.post("/v1/ask", json=ask_body(unknown)), "silent")
        code, log = gateway.stop()
    assert code == 0
    assert "SECRET" not in log
    with Gateway(shell, *serving) as gateway:
        assert gateway.client.post("/v1/ask", json=ask_body(asked)).json() == first
        ack = Ack(asked.place, keccak("SECRET olá".encode()), b"")
        ack = Ack(ack.place, ack.response_hash, examiner.operator.sign(ack.digest(chain.domain)))
        assert gateway.client.post("/v1/ack", json={"acks": [ack_body(ack)]}).json() == {"accepted": 1}
        gateway.process.kill()
    (seat,) = shell("list")["rounds"]
    assert (seat["answers"], seat["acks"], seat["posts"]) == (1, 1, 0)
    prefix = hex_of(round_)[:12]
    assert shell("release", prefix, "--key", "operator", codes=[1])["error"] == "NotYet"
    mine(chain, 1, chain.rounds.deadlines(round_).versions_released_at - chain.head().timestamp)
    assert shell("release", prefix, "--key", "operator")["released"] == [ready["version"]]


def test_serve__gas_budget_of_nothing__the_round_is_answered_no_more_and_status_says_until_when(home, chain, devnet, examiner):
    shell, ready = home
    version = VersionId(bytes.fromhex(ready["version"][2:]))
    round_ = examiner.seal(parameters(devnet), 40)
    until = chain.head().timestamp + 200
    serving = ("--version", ready["version"], "--upstream", "command", "--command", "cat", "--gas-budget", "1 wei")
    with Gateway(shell, *serving) as gateway:
        consent = gateway.client.post("/v1/enrol", json={"round": hex_of(round_), "version": ready["version"]}).json()
        examiner.enrol(round_, version, bytes.fromhex(consent["signature"][2:]))
        mine(chain, 3)
        wait_for_enrolment(gateway.client, question(chain, examiner, round_, version, 0, "one", until))
        (waiting,) = shell("status", "--gas-budget", "1 wei")["waiting"]
        assert (waiting["waiting"], waiting["lost"], waiting["last_lost_at"]) == (1, 0, until + 100)
        mine(chain, 1, until + 26 - chain.head().timestamp)
        for position in range(1, 40):  # it looks every two seconds, and what was answered is repeated: always another place
            later = question(chain, examiner, round_, version, position, "two")
            response = gateway.client.post("/v1/ask", json=ask_body(later))
            if response.status_code != 200:
                break
            time.sleep(0.5)
        assert_problem(response, "unacknowledged")
        assert "gas budget is spent" in response.json()["detail"]
        assert int(response.headers["retry-after"]) > 0
        code, _ = gateway.stop()
    assert code == 0
    mine(chain, 1, until + 100 - chain.head().timestamp)
    found = shell("status", "--gas-budget", "1 wei")
    assert (found["spent"], found["left"]) == (0, 1)
    assert [(seat["waiting"], seat["lost"]) for seat in found["waiting"]] == [(position - 1, 1)]
    mine(chain, 1, chain.rounds.deadlines(round_).answer_by - chain.head().timestamp)
    found = shell("status", "--gas-budget", "1 wei")
    assert [(seat["waiting"], seat["lost"]) for seat in found["waiting"]] == [(0, position)]


def wait_for_enrolment(client, asked):
    """The gateway's reading of the chain may be a second old."""
    for _ in range(50):
        response = client.post("/v1/ask", json=ask_body(asked))
        if response.status_code == 200:
            return
        assert response.json()["type"] in ("urn:assay:not-finalized", "urn:assay:not-enrolled")
        time.sleep(0.1)
    raise AssertionError("never enrolled")


@pytest.fixture
def examiner(devnet, chain):
    return Examiner(devnet, chain)


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["--upstream", "replay"], 2, "BadInput"),
        (["--upstream", "command", "--command", "'"], 2, "BadInput"),
        (["--upstream", "python", "--python", "nowhere.py:x"], 2, "BadInput"),
        (["--upstream", "python", "--python", "x", "--key", "owner"], 1, "BadKey"),
        (["--upstream", "python", "--python", "x", "--version", "0x" + "00" * 32], 2, "BadInput"),
        (["--upstream", "python", "--python", "x", "--version", "0xffffff"], 2, "BadInput"),
        (["--upstream", "command", "--command", "cat", "--host", "203.0.113.1"], 2, "BadInput"),
        (["--upstream", "command", "--command", "cat", "--policy", "/nowhere"], 2, "BadInput"),
    ],
)
def test_serve__cannot__says_why_and_what_to_do(shared, arguments, code, error):
    shell, ready = shared
    said = shell("serve", "--version", ready["version"], "--key", "operator", *arguments, codes=[code])
    assert said["error"] == error
    assert said["remedy"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["deposit", "1", "--key", "owner"],
        ["allow", "nobody", "1 ether", "--key", "owner"],
        ["allow", "0x12", "1 ether", "--key", "owner"],
        ["register", "", "--owner", "owner", "--key", "operator"],
        ["commit-version", "unknown", "--label", "x", "--artifact-digest", "0d" * 32, "--key", "operator"],
        ["commit-version", "mine", "--label", "x", "--key", "operator"],
        ["commit-version", "mine", "--label", "x", "--artifact-digest", "0d", "--key", "operator"],
        ["release", "0x1234", "--key", "operator"],
    ],
)
def test_commands__cannot__message_and_remedy(shared, arguments):
    said = shared[0](*arguments, codes=(1, 2))
    assert said["error"] in ("BadInput", "BadKey")
    assert said["remedy"]
