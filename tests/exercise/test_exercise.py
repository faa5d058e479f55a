"""given forty rounds, most with a planted fault / when one watchtower looks / every fault is punished, and nobody else harmed."""

from pathlib import Path

import pytest

from exercise import run
from exercise.faults import PLANTS

pytestmark = [pytest.mark.chain, pytest.mark.slow]


def test_exercise__every_planted_fault__is_found_and_punished_and_no_honest_party_harmed(tmp_path: Path) -> None:
    rows, money = run.play(tmp_path)
    assert [(row.plant, row.wrong) for row in rows if row.wrong] == []
    assert money == []
    assert len(rows) == len(PLANTS) > 30


def test_plants__the_table__names_each_once() -> None:
    titles = [plant.title for plant in PLANTS]
    assert len(set(titles)) == len(titles)
    readme = (run.FOLDER / "README.md").read_text()
    assert [title for title in titles if f"| {title.replace('_', ' ')} |" not in readme] == []
