"""The daemon's settings file: what is read, and that everything else is refused with file and reason."""

from pathlib import Path

import pytest

from assay.agent.asking import AskOptions
from assay.agent.plans import Plans, RoundPlan, load
from assay.errors import BadInput

TASK = "0x" + "ab" * 32
ROUND = f'[[round]]\nset = "news"\ntask = "{TASK}"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


def test_load__least__has_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "schema = 1\n")) == Plans()
    (plan,) = load(written(tmp_path, "schema = 1\n" + ROUND)).rounds
    assert plan == RoundPlan("news", bytes.fromhex("ab" * 32))


def test_load__everything__as_written(tmp_path: Path) -> None:
    text = (
        'schema = 1\npoll_seconds = 2\nbackoff_seconds = 3\nlongest_backoff_seconds = 9\nseed = "s"\nmax_fee_gwei = 7\n' + ROUND
    ) + (
        'gateways = ["https://a.example/", "https://a.example", "http://b.example:8"]\nowner = "cold"\ncard = "card.json"\n'
        "answer_timeout = 5\nconcurrency = 6\nattempts = 7\nenrol_within = 8\n"
    )
    plans = load(written(tmp_path, text))
    gateways = ("https://a.example", "http://b.example:8")
    plan = RoundPlan("news", bytes.fromhex(TASK[2:]), gateways, "cold", tmp_path / "card.json", AskOptions(5, 6, 7), 8)
    assert plans == Plans((plan,), 2, 3, 9, "s", 7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "schema"),
        ("schema = 2\n", "schema"),
        ("schema = 1\ncolour = 3\n", "unknown keys: colour"),
        ("schema = 1\n[round]\n", "no list"),
        ("schema = 1\n" + ROUND + "timeout = 3\n", "round 1: unknown keys: timeout"),
        ("schema = 1\n" + ROUND + ROUND, "named twice"),
        ("schema = 1\n[[round]]\nset = 'x'\n", "task"),
        ("schema = 1\n[[round]]\nset = 'x'\ntask = '0x12'\n", "task"),
        ("schema = 1\n[[round]]\ntask = '0x12'\n", "task"),
        ("schema = 1\n" + ROUND + "concurrency = 0\n", "concurrency"),
        ("schema = 1\n" + ROUND + "concurrency = true\n", "concurrency"),
        ("schema = 1\n" + ROUND + "answer_timeout = '60'\n", "answer_timeout"),
        ("schema = 1\n" + ROUND + "gateways = 'https://a.example'\n", "gateways"),
        ("schema = 1\n" + ROUND + "gateways = ['ftp://a.example']\n", "ftp"),
        ("schema = 1\n" + ROUND + "gateways = ['https://me:secret@a.example']\n", "no user"),
        ("schema = 1\npoll_seconds = 0\n", "poll_seconds"),
        ("schema", "TOML"),
    ],
)
def test_load__not_understood__refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        load(written(tmp_path, text))


def test_load__no_file_or_too_long__bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / "none.toml")
    with pytest.raises(BadInput, match="bytes"):
        load(written(tmp_path, "#" * (1 << 20) + "\n"))
