"""given rounds of a task on a real chain / when they are ranked by the command line / what stands and what does not is told."""

import json
import secrets
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from assay.audit.facts import collect
from assay.audit.openings import opening
from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from assay.encoding.ids import task_id
from assay.encoding.receipts import LocalSigner
from assay.storage.bundle import Bundle
from assay.storage.store import Store
from assay.types import Version
from unit.audit.faults import wrong_statistic
from unit.audit.test_on_chain import LiveExam, Reader

pytestmark = pytest.mark.chain


@pytest.fixture
def reader(devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reader:
    return Reader(devnet, tmp_path, capsys)


class Repeated(LiveExam):
    """An exam of a named benchmarker, sat by the versions of an earlier one where that is given."""

    def __init__(self, chain: Chain, examiner: str, title: str, earlier: LiveExam | None = None, **task: int) -> None:
        self.examiner, self.earlier = examiner, earlier
        super().__init__(chain, f"{examiner} {title}", **task)

    def _version(self, number: int, signer: LocalSigner) -> Version:
        return self.earlier.versions[number] if self.earlier else super()._version(number, signer)


def hexed(raw: bytes) -> str:
    return "0x" + raw.hex()


def test_rank__a_task_with_honest_lying_and_hiding_benchmarkers(
    chain: Chain,
    reader: Reader,
    tmp_path: Path,
) -> None:
    unique, task = secrets.token_hex(4), {"answer_window": 1_600 + secrets.randbelow(3_000)}
    honest, other, liar, hider = (f"{name} {unique}" for name in ("honest", "other", "liar", "hider"))
    first = Repeated(chain, honest, "one", **task)
    exams = [first, *(Repeated(chain, who, "two", first, **task) for who in (honest, other, liar, hider))]
    exams.append(Repeated(chain, hider, "hidden", first, **task))
    wrong_statistic(exams[3])
    store = Store(tmp_path / "store")
    folders = [exam.play(tmp_path / f"bundle {at}") for at, exam in enumerate(exams)]
    for folder in folders[:5]:
        store.add(folder)

    code, found = reader.json("rank", "--task", hexed(task_id(first.params)), "--gateway", "http://127.0.0.1:9")
    assert code == 0  # a gateway that is away takes nothing from those whose bundles are here
    assert [entry["round"] for entry in found["rounds"]] == [hexed(exam.round) for exam in exams[:3]]
    (pooled,) = found["pooled"]
    assert pooled["rounds"] == [hexed(exam.round) for exam in exams[:2]]
    assert (pooled["items"], pooled["groups"], len(pooled["versions"])) == (12, 8, 2)
    reasons = {entry["round"]: entry["reason"] for entry in found["unranked"]}
    assert reasons.keys() == {hexed(exam.round) for exam in exams[3:]}
    assert "sound" in reasons[hexed(exams[3].round)]
    assert hexed(exams[5].round)[:12] in reasons[hexed(exams[4].round)]  # its other round is what is not served
    assert {entry["state"] for entry in found["rounds"]} == {"provisional"}
    assert {(entry["enrolled"], entry["scored"], entry["elsewhere"]) for entry in found["attempts"]} == {(6, 3, 3)}
    for exam, entry in zip(exams, found["rounds"], strict=False):
        for row in entry["versions"]:
            stored = chain.rounds.score(exam.round, bytes.fromhex(row["version"][2:]))  # type: ignore[arg-type]
            assert row["score"] == stored.score / 10**18

    slash(chain, exams[3], folders[3])
    code, found = reader.json("rank", *(hexed(exam.round) for exam in exams[3:5]), "--svg", tmp_path / "pictures")
    assert (code, [entry["round"] for entry in found["rounds"]]) == (0, [hexed(exams[4].round)])  # named: taken as it is
    assert [entry["reason"] for entry in found["unranked"]] == ["a fault was proven: wrong_statistics"]
    assert {(entry["scored"], entry["struck"]) for entry in found["attempts"]} == {(1, 1)}
    assert len(list((tmp_path / "pictures").glob("*.svg"))) == 2


def slash(chain: Chain, exam: LiveExam, folder: Path) -> None:
    opened = opening(collect(chain, exam.round), Bundle(folder), exam.first, 2)
    exam.send(exam.stranger, chain.disputes.challenge(exam.round, exam.first, opened))


def test_rank__formats_and_wrong_words(chain: Chain, reader: Reader, tmp_path: Path) -> None:
    exam = Repeated(chain, f"formats {secrets.token_hex(4)}", "one")
    Store(tmp_path / "store").add(exam.play(tmp_path / "bundle"))
    names = tmp_path / "names.json"
    names.write_text(json.dumps({hexed(exam.first): "bold [red] & <b>"}))
    said: dict[str, Any] = {}
    for form in ("table", "md", "svg", "json"):
        code, said[form], _ = reader.run("rank", hexed(exam.round), "--names", names, "--format", form)
        assert code == 0
    assert "bold [red] & <b>" in said["table"]
    assert "provisional" in said["md"]
    ElementTree.fromstring(said["svg"])  # noqa: S314 - our own
    assert json.loads(said["json"])["rounds"][0]["round"] == hexed(exam.round)
    for wrong in (("rank",), ("rank", hexed(exam.round), "--task", hexed(bytes(32))), ("rank", "--task", hexed(bytes(32)))):
        code, _, _ = reader.run(*wrong)
        assert code == 2
