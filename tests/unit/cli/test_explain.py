"""`assay explain` in process, without any node."""

import json

import pytest

from assay.cli import common
from assay.cli.main import cli
from assay.encoding.hashing import keccak


def explain(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = common.run(cli, ["--rpc", "http://127.0.0.1:1", *words])
    return code, capsys.readouterr().out


def test_explain__verdict__sentence_and_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explain(capsys, "explain", "5")
    assert code == 0
    assert out.startswith("verdict WrongStatistics: ")
    assert "assay challenge" in out


def test_explain__data_of_a_revert__arguments_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    data = keccak(b"WrongSize(uint256,uint256)")[:4] + (9).to_bytes(32, "big") + (8).to_bytes(32, "big")
    code, out = explain(capsys, "--json", "explain", "0x" + data.hex())
    assert code == 0
    (found,) = json.loads(out)
    assert (found["name"], found["arguments"]) == ("WrongSize", {"items": "9", "maxItems": "8"})


def test_explain__too_small_a_limit__what_is_used_and_how_to_raise_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = b"".join(value.to_bytes(32, "big") for value in (1, 2, 10**18, 3 * 10**18))
    code, out = explain(capsys, "explain", "0x" + (keccak(b"NotAllowed(address,address,uint256,uint256)")[:4] + words).hex())
    assert code == 0
    assert "wouldBeUsed  3000000000000000000 (3 ether)" in out
    assert "assay bench allow" in out


def test_explain__topic_of_an_event__needs_no_node(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = explain(capsys, "explain", "0x" + keccak(b"RoundReleased(bytes32)").hex())
    assert (code, out.split(":")[0]) == (0, "event RoundReleased")


def test_explain__text_that_moves_the_cursor__spelt_out(capsys: pytest.CaptureFixture[str]) -> None:
    reason = b"\x1b[2J"
    words = (32).to_bytes(32, "big") + len(reason).to_bytes(32, "big") + reason.ljust(32, b"\0")
    _, out = explain(capsys, "explain", "0x" + (keccak(b"Error(string)")[:4] + words).hex())
    assert "\x1b" not in out
    assert "[2J" in out


@pytest.mark.parametrize("what", ["0x", "0xzz", "0x123", "nothing", "0xffffffff"])
def test_explain__rubbish__exit_2(capsys: pytest.CaptureFixture[str], what: str) -> None:
    assert explain(capsys, "explain", what) == (2, "")
