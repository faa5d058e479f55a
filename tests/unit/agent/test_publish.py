"""given a round / when its bundle is published / only after answerBy is final and the reveal is on chain, once at each node."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from assay.agent.cycle import Cycle, all_jobs
from assay.agent.deciding import Facts, decide
from assay.agent.plans import Plans, load
from assay.agent.steps import attest, publish, reveal, score
from assay.audit.facts import collect
from assay.audit.verify import verify
from assay.chain.client import Chain
from assay.cli.common import run
from assay.cli.main import cli
from assay.errors import BadInput, NotYet, Unreachable
from assay.storage.addresses import checked_node
from assay.storage.bundle import Bundle
from assay.storage.fetching import Places, fetch
from assay.storage.kubo import Kubo
from assay.types import Deadlines, Phase, RoundId
from ipfs.daemon import Daemon
from unit.agent.exam import Exam
from unit.storage.serving import Bend, Gateway, Reply, exported

AWAY = "/ip4/127.0.0.1/tcp/9"


@pytest.fixture
def exam(chain: Chain, ipfs: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exam]:
    monkeypatch.setattr(publish, "PROVIDER_SECONDS", 0.0)  # an offline node is found by nobody
    with Exam(chain, tmp_path) as running:
        running.agent = replace(running.agent, nodes=(checked_node(ipfs.rpc),))
        yield running


def sit(exam: Exam) -> RoundId:
    (gateway,) = exam.gateways(1)
    round_ = exam.seal()
    exam.enrol(round_, gateway)
    exam.ask(round_)
    return round_


@pytest.fixture
def pins(ipfs: Daemon) -> Callable[[], set[str]]:
    """What the node pins, as it says itself."""
    url = f"{ipfs.rpc}/api/v0/pin/ls?type=recursive"
    return lambda: set(httpx.post(url, timeout=30, trust_env=False).json()["Keys"])


@pytest.mark.chain
def test_publish__before_answer_by_is_final_or_before_the_reveal__nothing_leaves(
    exam: Exam, pins: Callable[[], set[str]]
) -> None:
    round_, before = sit(exam), pins()
    ends = exam.chain.rounds.deadlines(round_)
    assert ends

    def refuse(step: object) -> None:
        with pytest.raises(NotYet):
            step.run(exam.agent, round_)  # type: ignore[attr-defined]
        assert pins() == before

    refuse(publish)
    exam.chain.node.request("evm_setNextBlockTimestamp", [ends.answer_by])
    exam.chain.node.request("evm_mine")  # past answerBy, and not final
    assert exam.chain.finalized().timestamp < ends.answer_by
    refuse(publish)
    refuse(reveal)
    assert exam.agent.store.list() == ()
    exam.chain.node.request("anvil_mine", ["0x4"])
    score.run(exam.agent, round_)
    attest.run(exam.agent, round_)
    refuse(publish)  # attested, final, and not revealed
    assert exam.agent.store.list() == ()
    cid = reveal.run(exam.agent, round_).cid
    assert pins() == before
    assert [entry.node for entry in publish.run(exam.agent, round_).published] == list(exam.agent.nodes)
    with Kubo(exam.agent.nodes[0]) as node:
        assert node.pinned(cid)


@pytest.mark.chain
def test_reveal_and_publish__finality_stalls_after_the_attestation__openings_wait_though_scores_did_not(
    exam: Exam, pins: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    round_, before, stuck = sit(exam), pins(), exam.chain.finalized()
    ends = exam.chain.rounds.deadlines(round_)
    assert ends
    exam.pass_answers(round_)
    score.run(exam.agent, round_)
    attest.run(exam.agent, round_)
    assert exam.chain.rounds.phase(round_) is Phase.REVEALING
    with monkeypatch.context() as stalled:
        stalled.setattr(exam.chain, "finalized", lambda: stuck)
        assert stuck.timestamp < ends.answer_by
        with pytest.raises(NotYet):
            reveal.run(exam.agent, round_)
        assert exam.agent.store.list() == ()
    reveal.run(exam.agent, round_)
    with monkeypatch.context() as stalled:
        stalled.setattr(exam.chain, "finalized", lambda: stuck)
        with pytest.raises(NotYet):
            publish.run(exam.agent, round_)
    assert pins() == before


@pytest.mark.chain
def test_publish__a_node_is_away__the_others_have_it_and_the_next_run_asks_that_one_alone(exam: Exam, tmp_path: Path) -> None:
    round_ = sit(exam)
    cid = exam.settle(round_).cid
    (here,) = exam.agent.nodes
    both = replace(exam.agent, nodes=(here, AWAY))
    with pytest.raises(Unreachable):
        publish.run(both, round_)
    assert exam.agent.journal.publications(round_, cid) == {here}
    assert (publish.missing(both, round_), publish.missing(exam.agent, round_)) == (1, 0)
    again = publish.run(exam.agent, round_)
    assert (again.published, again.before) == ((), (here,))
    folder = fetch(cid, tmp_path / "fetched", Places(nodes=(here,)))
    assert verify(collect(exam.chain, round_), Bundle(folder)).exit_code == 0


@pytest.mark.chain
def test_cycle__a_round_to_its_reveal__its_bundle_is_pinned_by_itself(exam: Exam) -> None:
    round_ = sit(exam)
    exam.pass_answers(round_)
    with exam.agent.journal.lease():
        cycle = Cycle(exam.agent, all_jobs(exam.chain, exam.agent.journal, []), Plans(poll_seconds=1, backoff_seconds=1))
        for _ in range(300):
            cycle.once()
            if exam.agent.journal.publications(round_):
                break
            cycle._sleep(0.1)
    assert exam.chain.rounds.phase(round_) is Phase.CHALLENGING
    assert exam.agent.journal.publications(round_) == set(exam.agent.nodes)


@pytest.mark.chain
def test_verify__bundle_by_gateway_node_or_cid__is_the_same_report(
    exam: Exam, ipfs: Daemon, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    round_ = sit(exam)
    cid = exam.settle(round_).cid
    publish.run(exam.agent, round_)
    base = ["--json", "--rpc", exam.chain.node.url, "--home", str(tmp_path / "reader")]

    def report(*words: str) -> tuple[int, dict]:
        capfd.readouterr()
        code = run(cli, [*base, *words])
        return code, json.loads(capfd.readouterr().out.splitlines()[-1])

    name = "0x" + round_.hex()
    expected = report("verify", name, "--bundle", str(exam.agent.store.path(cid)))
    assert expected[0] == 0
    served = exported(exam.agent.store.path(cid), cid)
    with Gateway(exam.agent.store.path(cid)) as honest, Gateway(exam.agent.store.path(cid), bend=_lie(served)) as liar:
        for words in (
            (name, "--gateway", honest.url),
            (name, "--ipfs", ipfs.rpc),
            (name, "--gateway", liar.url, "--gateway", honest.url),
            (name, "--bundle", cid, "--ipfs", ipfs.rpc),
            (cid, "--gateway", honest.url),
        ):
            assert report("verify", *words) == expected, words
        code, told = report("verify", name, "--gateway", liar.url)
        assert (code, told["error"]) == (2, "Unreachable")  # a lying gateway says nothing of the round
        code, told = report("export", "--sacrebleu", name, "--out", str(tmp_path / "out"), "--gateway", honest.url)
        assert code == 0
        assert report("open", name, told["scores"][0]["version"], "0", "--ipfs", ipfs.rpc)[0] == 0
        assert report("challenge", name, "--gateway", honest.url)[1]["error"] == "Refused"
    assert report("verify", name)[0] == 2  # nothing was kept by the way


def _lie(served: bytes) -> Bend:
    return lambda _form, _cid, _reply: Reply(served[:-1] + bytes([served[-1] ^ 1]))


@pytest.mark.loopback
def test_doctor__nodes_of_the_settings_file__are_tried(ipfs: Daemon, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan, password = tmp_path / "rounds.toml", tmp_path / "password"
    plan.write_text(f'schema = 1\nipfs = ["{ipfs.rpc}", "{AWAY}"]\n')
    password.write_text("open sesame\n")
    password.chmod(0o600)
    base = ["--json", "--home", str(tmp_path / "home"), "--rpc", "http://127.0.0.1:9"]
    assert run(cli, [*base, "bench", "init", "--light", "--password-file", str(password)]) == 0
    capfd.readouterr()
    assert run(cli, [*base, "doctor", "--settings", str(plan)]) == 1  # the chain is away
    lines = [line for line in json.loads(capfd.readouterr().out)["lines"] if line["check"] == "ipfs"]
    assert [line["health"] for line in lines] == ["ok", "ok", "warning"]


def test_decide__revealed_and_not_pinned__publishes_first_and_only_while_challenging() -> None:
    ends = Deadlines(10, 20, 30, 40)
    facts = Facts(Phase.CHALLENGING, now=25, deadlines=ends, final_from=100, unpublished=1)
    assert (decide(facts, 0).step, decide(facts, 0).at, decide(facts, 0).deadline) == ("publish", 25, 100)
    assert decide(replace(facts, unpublished=0), 0).step == "release"
    assert decide(replace(facts, phase=Phase.FINAL), 0).step == "release"
    assert decide(replace(facts, phase=Phase.REVEALING), 0).step == "reveal"


def test_load__nodes__are_addresses(tmp_path: Path) -> None:
    path = tmp_path / "rounds.toml"
    path.write_text('schema = 1\nipfs = ["http://127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001/http"]\n')
    assert load(path).ipfs == ("/ip4/127.0.0.1/tcp/5001/http",)
    for wrong in ('["x"]', '"x"', "[1]"):
        path.write_text(f"schema = 1\nipfs = {wrong}\n")
        with pytest.raises(BadInput):
            load(path)
