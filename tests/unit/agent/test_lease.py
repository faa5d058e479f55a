"""One process a journal: a lease keeps every other one away, and lets its own threads work side by side."""

import subprocess
import sys
from pathlib import Path

import pytest

from assay.agent.journal import Journal
from assay.errors import Refused

HOLD = """
import sys
from pathlib import Path
from assay.agent.journal import Journal
journal = Journal(Path(sys.argv[1]))
with journal.lease():
    print("leased", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "bench.sqlite")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "leased\n"
        yield process
        process.kill()


@pytest.mark.usefixtures("holder")
def test_lease__another_process_has_it__refused_for_lease_and_steps(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "bench.sqlite")
    for enter in (journal.lease, journal.alone):
        with pytest.raises(Refused, match="another process"), enter():
            pytest.fail("two at once")
    journal.close()


def test_lease__its_holder_is_killed__free_at_once(tmp_path: Path, holder) -> None:
    holder.kill()
    holder.wait(10)
    journal = Journal(tmp_path / "bench.sqlite")
    with journal.lease():
        pass
    journal.close()


def test_lease__own_steps__side_by_side_and_after_it_one_at_a_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "bench.sqlite")
    with journal.lease(), journal.alone(), journal.alone():
        pass
    with journal.alone(), pytest.raises(Refused), journal.alone():
        pytest.fail("two at once")
    journal.close()
