"""The lines of "Reading by hand" in the contracts' manual, typed as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from assay.types import VersionId
from unit.audit.test_on_chain import CAST, ROOT, LiveExam

pytestmark = pytest.mark.chain
SECTION = (ROOT / "contracts/README.md").read_text("utf-8").split("## Reading by hand\n")[1].split("\n## ")[0]
LINES = [line for block in re.findall(r"```bash\n(.*?)```", SECTION, re.DOTALL) for line in block.splitlines()]
MARK = "@@ line @@"


def typed(environment: dict[str, str]) -> list[str]:
    """What each line prints, errors included."""
    script = "\n".join(["exec 2>&1", *(f"echo '{MARK}'\n{line}" for line in LINES)])
    ran = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=False, timeout=300, env=environment)
    return [part.strip() for part in ran.stdout.split(MARK)[1:]]


def transaction(chain: Chain, exam: LiveExam) -> str:
    """The transaction that revealed a round."""
    sent = chain.node.request(
        "eth_getLogs", [{"fromBlock": "0x0", "address": chain.deployment.rounds, "topics": [None, exam_id(exam)]}]
    )
    return str(sent[-1]["transactionHash"])


def exam_id(exam: LiveExam) -> str:
    return "0x" + exam.round.hex()


def test_lines__as_they_stand__answer_as_the_manual_says(devnet: Devnet, chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, "by hand")
    folder = exam.play(tmp_path / "bundle")
    deployments.save(tmp_path / "deployment.json", devnet.deployment)
    version: VersionId = exam.first
    answers = typed(
        {
            "PATH": f"{CAST.parent}:{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": os.environ["HOME"],
            "ETH_RPC_URL": devnet.rpc,
            "ASSAY_RPC": devnet.rpc,
            "ASSAY_DEPLOYMENT": str(tmp_path / "deployment.json"),
            "ROUNDS": devnet.deployment.rounds,
            "JUDGE": devnet.deployment.judge,
            "BLEU": devnet.deployment.metrics["Bleu"],
            "ROUND": exam_id(exam),
            "VERSION": "0x" + version.hex(),
            "BUNDLE": str(folder),
            "TRANSACTION": transaction(chain, exam),
        }
    )
    expected = [line.split("  # ")[1] if "  # " in line else "" for line in LINES]
    assert len(answers) == len(expected)
    wrong = [
        (line, said) for line, said, begins in zip(LINES, answers, expected, strict=True) if not said.startswith(begins.strip())
    ]
    assert wrong == []


def test_lines__refusal__carries_the_data_that_is_explained_next() -> None:
    refused = next(number for number, line in enumerate(LINES) if line.endswith("# Error: "))
    assert "hash-zero" in LINES[refused]
    assert LINES[refused + 1].split()[2].endswith("00" * 32)
