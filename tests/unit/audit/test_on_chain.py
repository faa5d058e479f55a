"""given rounds on a real chain / when readers use the command line / verdicts here and there are the same, and proofs pay."""

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from assay import keys
from assay.audit.facts import collect
from assay.audit.judge import judge
from assay.audit.openings import Openings
from assay.audit.verify import verify
from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, fund
from assay.chain.door import Door
from assay.chain.node import Node
from assay.cli.common import run
from assay.cli.main import cli
from assay.encoding.ids import model_id, task_id, version_id
from assay.encoding.receipts import LocalSigner
from assay.errors import BadInput, Reverted
from assay.storage.bundle import Bundle
from assay.storage.cids import cid_of, digest_of
from assay.storage.store import Store
from assay.types import Attestation, Kind, Opening, Phase, PostedAnswer, Standing, Verdict, Version
from unit.audit.exam import Exam, seeded, some_items
from unit.audit.faults import PROVABLE, Alter, wrong_statistic

pytestmark = pytest.mark.chain

ROOT = Path(__file__).resolve().parents[3]
CAST = ROOT / "node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
ETHER = 10**18


class LiveExam(Exam):
    """An exam whose models, task and set stand on a real chain. `name` makes its set another than those before it."""

    def __init__(self, chain: Chain, name: str, **task: int) -> None:
        self.chain, self.name = chain, name
        deployment = chain.deployment
        self.contracts = {key: getattr(deployment, key) for key in ("tasks", "models", "vault", "rounds", "judge", "disputes")}
        self.metric = deployment.metrics["Bleu"]
        self.started = chain.head().timestamp
        self.commitments: list[bytes] = []
        super().__init__([replace(item, salt=seeded(f"{name} {item.position}")) for item in some_items()], **task)

    def send(self, signer: LocalSigner, call: Any) -> None:
        fund(self.chain.node, signer.address, 10 * ETHER)
        Door(self.chain, signer).send(call)

    def stake(self, owner: LocalSigner, operator: LocalSigner) -> None:
        self.send(owner, self.chain.vault.deposit(owner.address, 2 * ETHER))
        lost = self.chain.vault.allowance(owner.address, operator.address).used  # in rounds of other tests on this chain
        self.send(owner, self.chain.vault.allow(operator.address, lost + 100 * ETHER))

    def _version(self, number: int, signer: LocalSigner) -> Version:
        chain, owner = self.chain, LocalSigner(seeded(f"owner {number}"))
        self.stake(owner, signer)
        self.send(owner, chain.models.register_model(owner.address, seeded(f"name {number}")))
        model, commitment = model_id(owner.address, seeded(f"name {number}")), seeded(f"{self.name} {number}")
        expected = version_id(model, chain.models.versions(model) + 1, commitment, signer.address)
        self.send(owner, chain.models.commit_version(model, commitment, signer.address))
        version = chain.models.version(expected)
        assert version is not None
        return version

    def play(self, folder: Path) -> Path:
        """Seals, enrols, posts, attests and reveals; the bundle's folder."""
        self.begin()
        self.attest()
        return self.reveal(folder)

    def seal(self) -> None:
        """Seals, and nobody enrols."""
        chain, rounds, p = self.chain, self.chain.rounds, self.params
        pass_time(chain.node, 2)
        self.stake(self.owner, self.operator)
        self.send(self.operator, chain.tasks.register(p))
        self.send(
            self.operator,
            rounds.seal(self.benchmarker, task_id(p), self._set_root(), len(self.sealed), hashlib.sha256(self.card).digest()),
        )

    def begin(self) -> None:
        """Seals, enrols and posts."""
        self.seal()
        rounds = self.chain.rounds
        consents = [
            signer.sign(self.domain.enrol(self.round, version.id))
            for signer, version in zip(self.providers, self.versions, strict=True)
        ]
        self.send(self.operator, rounds.enrol(self.round, [version.id for version in self.versions], consents))
        for posted, text in zip(self.posted, self.posted_texts, strict=True):
            ask = self.ask(posted.version, posted.position)
            answer = self.sign_answer(posted.version, posted.position, text)
            self.send(
                self.stranger,
                rounds.post_answer(
                    self.round,
                    PostedAnswer(
                        posted.version, posted.position, posted.prompt_hash, ask.answer_until, text, ask.signature, answer
                    ),
                ),
            )

    def attest(self) -> None:
        pass_time(self.chain.node, self.params.answer_window)
        roots = [Attestation(version.id, self.root(version.id)) for version in self.versions]
        self.send(self.operator, self.chain.rounds.attest(self.round, roots))

    def reveal(self, folder: Path) -> Path:
        self.write(folder)
        self.send(self.operator, self.chain.rounds.reveal(self.round, digest_of(Bundle(folder).root_cid())))
        return folder


def pass_time(node: Node, seconds: int) -> None:
    node.request("evm_increaseTime", [seconds])
    node.request("evm_mine", [])


class Reader:
    """Somebody with a home folder, a node and the command line."""

    def __init__(self, devnet: Devnet, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self.home, self.rpc = capsys, home, devnet.rpc
        deployments.save(home / "deployment.json", devnet.deployment)

    def run(self, *arguments: object) -> tuple[int, str, str]:
        globals_ = ["--rpc", self.rpc, "--deployment", str(self.home / "deployment.json"), "--home", str(self.home)]
        self._capsys.readouterr()
        assert isinstance(cli, click.Command)
        code = run(cli, [*globals_, *map(str, arguments)])
        out, err = self._capsys.readouterr()
        return code, out, err

    def json(self, *arguments: object) -> tuple[int, Any]:
        code, out, _ = self.run("--json", *arguments)
        return code, json.loads(out)


@pytest.fixture
def reader(devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reader:
    return Reader(devnet, tmp_path, capsys)


def test_verify__sound_round_on_chain__ends_with_zero(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "sound")
    folder = exam.play(tmp_path / "bundle")
    report = verify(collect(chain, exam.round), Bundle(folder))
    assert [(step.number, step.findings, step.missing) for step in report.steps if step.state.value != "Passed"] == []
    cid = Store(tmp_path / "store").add(folder)
    name = "0x" + exam.round.hex()
    car = tmp_path / "store" / f"{cid}.car"
    for arguments in ((name,), (name[:20],), (folder,), (cid,), (car,), (name, "--bundle", folder), (name, "--bundle", car)):
        code, found = reader.json("verify", *arguments)
        assert (code, found["exit_code"], found["round"]) == (0, 0, name)
    code, out, _ = reader.run("verify", name)
    assert code == 0
    assert "\x1b" not in out


def test_verify__no_bundle_at_hand__ends_with_two(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "absent")
    exam.play(tmp_path / "bundle")
    code, out, _ = reader.run("verify", "0x" + exam.round.hex())
    assert code == 2
    assert out.count(cid_of(chain.rounds.round(exam.round).bundle_digest)) == 2  # type: ignore[union-attr]  # its line, and once missing


def test_verify__one_byte_edited__ends_with_three_and_names_the_line(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "edited")
    folder = exam.play(tmp_path / "bundle")
    path = folder / "items.jsonl"
    path.write_bytes(path.read_bytes().replace(b"This is a house", b"This is a horse"))
    code, out, _ = reader.run("verify", "0x" + exam.round.hex(), "--bundle", folder)
    assert code == 3
    assert "items.jsonl:3" in out


def test_verify__unknown_round__is_refused(reader: Reader) -> None:
    code, _, err = reader.run("verify", "0x" + "ab" * 32)
    assert code == 2
    assert err


def test_verify__a_faulty_round_and_an_unknown_one__ends_with_the_fault(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "faulty first")
    wrong_statistic(exam)
    code, out, err = reader.run("verify", exam.play(tmp_path / "bundle"), "0x" + "ab" * 32)
    assert code == 1
    assert out
    assert err


@pytest.mark.parametrize(("alter", "step", "verdict", "position"), PROVABLE, ids=[entry[0].__name__ for entry in PROVABLE])
def test_judge__provable_fault__the_chain_says_the_same(
    chain: Chain, tmp_path: Path, alter: Alter, step: int, verdict: Verdict, position: int
) -> None:
    exam = LiveExam(chain, alter.__name__)
    alter(exam)
    folder = exam.play(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    report = verify(facts, Bundle(folder))
    assert report.exit_code == 1
    assert (exam.first, position, verdict) in report.proofs
    assert {finding.position for finding in report.steps[step - 1].findings} == {position}
    openings = Openings(facts, Bundle(folder))
    for each in range(7):
        opened = openings.open(exam.first, each, seed=each)
        here = judge(facts, exam.first, opened)
        assert here is chain.judge.judge(exam.round, exam.first, opened)
        assert here.is_fault == (each == position)


def test_judge__forged_openings__the_chain_says_the_same_or_refuses_too(chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, "forged")
    folder = exam.play(tmp_path / "bundle")
    facts = collect(chain, exam.round)
    true = Openings(facts, Bundle(folder)).open(exam.first, 6)
    node = true.sum_path[0]
    forgeries: list[dict[str, Any]] = [
        {},
        {"prompt": b"x"},
        {"kind": Kind.DECOY},
        {"kind": 7},
        {"salt": bytes(32)},
        {"position": 5},
        {"position": 7},
        {"outcome": 9},
        {"response": b""},
        {"answer_signature": b""},
        {"evidence": b"e"},
        {"sums": (1, 0)},
        {"sums": true.sums[:1]},
        {"set_path": true.set_path[:2]},
        {"set_path": tuple(reversed(true.set_path))},
        {"sum_path": true.sum_path[:2]},
        {"sum_path": (node._replace(sums=(1, 2, 3)), *true.sum_path[1:])},
        {"sum_path": (node._replace(sums=(0, 5)), *true.sum_path[1:])},
        {"seed": 2**256 - 1},
    ]
    for changes in forgeries:
        forged = replace(true, **changes)
        assert said_here(facts, exam, forged) == said_there(chain, exam, forged), changes


def said_here(facts: Any, exam: LiveExam, opened: Opening) -> Verdict | None:
    try:
        return judge(facts, exam.first, opened)
    except BadInput:
        return None


def said_there(chain: Chain, exam: LiveExam, opened: Opening) -> Verdict | None:
    try:
        return chain.judge.judge(exam.round, exam.first, opened)
    except Reverted:
        return None


def test_open__its_tuple__is_what_cast_sends_to_the_judge(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "opened")
    exam.lines[exam.first][1] = exam.answer(exam.first, 1, b'quotes " and $(echo) `and` \xff\x00, (commas), [brackets]')
    folder = exam.play(tmp_path / "bundle")
    assert CAST.is_file(), "npm ci"
    name, version = "0x" + exam.round.hex(), exam.first.hex()[:8]
    for position, verdict in ((1, "0"), (3, "0"), (5, "0")):
        code, out, err = reader.run("open", name[:18], version, position, "--bundle", folder)
        assert code == 0, err
        code, found = reader.json("open", name, version, position, "--bundle", folder)
        assert (code, found["verdict"]) == (0, "sound")
        for text in (out.strip(), found["tuple"]):
            signature = found["cast"].split('"')[1]
            command = [
                CAST,
                "call",
                "--rpc-url",
                reader.rpc,
                found_judge(found["cast"]),
                signature,
                name,
                "0x" + exam.first.hex(),
                text,
            ]
            assert subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip() == verdict
        environment = {"PATH": f"{CAST.parent}:/usr/bin:/bin"}
        shell = subprocess.run(
            ["/bin/bash", "-c", found["cast"]], capture_output=True, text=True, check=True, timeout=60, env=environment
        )
        assert shell.stdout.strip() == verdict


def found_judge(line: str) -> str:
    return line.split()[4]


def test_challenge__falsified_statistic__dry_run_then_slash_and_reward(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "challenged")
    wrong_statistic(exam)
    folder = exam.play(tmp_path / "bundle")
    name = "0x" + exam.round.hex()
    code, found = reader.json("verify", name, "--bundle", folder)
    assert code == 1
    code, dry = reader.json("challenge", name, "--bundle", folder)
    assert (code, dry["position"], dry["verdict"], dry["verdict_on_chain"]) == (0, 2, "wrong_statistics", "wrong_statistics")
    assert (dry["sent"], dry["reward"]) == (False, str(ETHER // 2))
    assert 0 < dry["gas"] < 12_000_000
    assert chain.rounds.phase(exam.round) is Phase.CHALLENGING

    (tmp_path / "password").write_text("open sesame\n")
    (tmp_path / "password").chmod(0o600)
    hunter = keys.new_key(tmp_path / "keys", "hunter", "open sesame", light=True)
    fund(chain.node, hunter, ETHER)
    sending = ("--send", "--key", "hunter", "--password-file", tmp_path / "password")
    code, sent = reader.json("challenge", name, "0x" + exam.first.hex(), 2, "--bundle", folder, *sending)
    assert (code, sent["sent"]) == (0, True)
    taken = chain.node.request("eth_getTransactionByHash", [sent["transaction"]])
    assert taken["to"].lower() == chain.rounds.address.lower()  # by its statistics alone, which costs less
    assert chain.rounds.phase(exam.round) is Phase.SLASHED
    assert chain.vault.balance(hunter)[0] == ETHER // 2
    assert chain.rounds.score(exam.round, exam.first).standing is Standing.STRUCK
    code, found = reader.json("verify", name, "--bundle", folder)
    assert code == 1
    assert {step["number"] for step in found["steps"] if step["state"] == "Failed"} == {5, 18, 21}


def test_challenge__honest_item__is_refused_and_nothing_is_sent(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "honest")
    folder = exam.play(tmp_path / "bundle")
    for arguments in ((), ("0x" + exam.first.hex(), 1)):
        code, found = reader.json("challenge", "0x" + exam.round.hex(), *arguments, "--bundle", folder)
        assert (code, found["error"]) == (1, "Refused")


def test_export__its_command__prints_the_score_on_chain(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = LiveExam(chain, "exported")
    folder = exam.play(tmp_path / "bundle")
    code, found = reader.json("export", "--sacrebleu", "0x" + exam.round.hex(), "--bundle", folder, "--out", tmp_path / "out")
    assert code == 0
    for entry in found["scores"]:
        stored = chain.rounds.score(exam.round, bytes.fromhex(entry["version"][2:]))  # type: ignore[arg-type]
        command = f"{ROOT}/.venv/bin/{entry['command']} -b"
        shown = subprocess.run(["/bin/bash", "-c", command], capture_output=True, text=True, check=True, timeout=60).stdout
        assert float(shown) == pytest.approx(stored.score / 10**16, abs=1e-4)
