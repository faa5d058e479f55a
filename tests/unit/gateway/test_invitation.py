"""Invitations: what is written is read again, and a file that says two things is no invitation."""

import hashlib
import json
from dataclasses import replace

import orjson
import pytest

from assay.chain import invitation as invitations
from assay.chain.descriptions import keep, read
from assay.chain.invitation import Invitation, SealedRound
from assay.encoding.hashing import keccak
from assay.encoding.ids import round_id
from assay.encoding.receipts import LocalSigner
from assay.errors import BadInput, Tampered
from assay.gateway import app
from assay.gateway.policy import MAX_POLICY_BYTES, TEMPLATE, PolicyFile, admit, load, parse
from assay.types import TaskId
from unit.gateway.stage import BENCHMARKER, DOMAIN, EXAMINER, STRANGER, TASK

ETHER = 10**18
DESCRIPTION = {"name": "English to Portuguese", "template": "{prompt}", "decoding": {"temperature": 0}, "licence": "CC0-1.0"}
PARAMS = replace(
    TASK,
    description_digest=hashlib.sha256(orjson.dumps(DESCRIPTION, option=orjson.OPT_SORT_KEYS)).digest(),
    round_bond=50 * ETHER,
)
CONTRACTS = {name: LocalSigner(bytes([n + 20]) * 32).address for n, name in enumerate(invitations.CONTRACTS)} | {
    "rounds": DOMAIN.rounds
}
OPEN = Invitation(31337, CONTRACTS, PARAMS, DESCRIPTION, BENCHMARKER, EXAMINER.address, 1_800_000_000)
ROOT = keccak(b"root")
SEALED = replace(
    OPEN,
    round=SealedRound(round_id(31337, DOMAIN.rounds, BENCHMARKER, OPEN.task, ROOT, 5, EXAMINER.address), ROOT, 5, 1_800_000_100),
)


def written(invitation=SEALED, signer=EXAMINER):
    return invitations.write(invitation, signer)


def changed(raw, signer=None, **members):
    """A file with other members; signed anew over what it then says, if a signer is given."""
    record = json.loads(raw) | members
    if signer:
        del record["signature"]
        content = keccak(orjson.dumps(record, option=orjson.OPT_SORT_KEYS))
        record["signature"] = "0x" + signer.sign(DOMAIN.invitation(content)).hex()
    return json.dumps(record).encode()


@pytest.mark.parametrize("invitation", [OPEN, SEALED])
def test_read__what_was_written__the_same_facts(invitation):
    assert invitations.read(written(invitation)) == invitation


def test_read__another_layout_of_the_same_json__the_same_facts():
    assert invitations.read(json.dumps(json.loads(written())).encode()) == SEALED


def test_write__for_people__dates_bonds_and_licence():
    record = json.loads(written())
    assert record["licence"] == "CC0-1.0"
    assert record["bonds"]["round_bond"] == str(50 * ETHER)
    assert record["dates"]["answer_by"] == "2027-01-15 08:11:40 UTC"
    assert json.loads(written(OPEN))["dates"] is None
    assert record["gateway_protocol"] == app.PROTOCOL


def test_write__another_key__bad_input():
    with pytest.raises(BadInput):
        written(signer=STRANGER)


@pytest.mark.parametrize("signer", [None, EXAMINER])
@pytest.mark.parametrize(
    "members",
    [
        {"licence": "MIT"},
        {"bonds": {"round_bond": "0", "version_bond": "0", "demand_fee": "0"}},
        {"windows": {}},
        {"dates": None},
        {"task": "0x" + "11" * 32},
        {"more": 1},
    ],
)
def test_read__contradicts_itself__tampered_even_if_signed(members, signer):
    with pytest.raises(Tampered):
        invitations.read(changed(written(), signer, **members))


@pytest.mark.parametrize("change", [{"items": 6}, {"id": keccak(b"x")}, {"set_root": keccak(b"x")}])
def test_read__round_that_is_not_this_benchmarkers__bad_input_even_if_signed(change):
    with pytest.raises(BadInput):
        invitations.read(written(replace(SEALED, round=SEALED.round._replace(**change))))
    with pytest.raises(BadInput):
        invitations.read(written(replace(SEALED, operator=STRANGER.address), STRANGER))


def test_read__signed_by_a_stranger__tampered():
    with pytest.raises(Tampered):
        invitations.read(changed(written(), STRANGER))
    with pytest.raises(Tampered):
        invitations.read(changed(written(), made_at=1_800_000_001))


def test_read__signature_for_another_chain__tampered():
    elsewhere = changed(written(OPEN), chain_id=1)
    with pytest.raises(Tampered):
        invitations.read(elsewhere)


@pytest.mark.parametrize(
    "members",
    [
        {"schema": 2},
        {"gateway_protocol": 2},
        {"chain_id": "31337"},
        {"chain_id": True},
        {"chain_id": -1},
        {"contracts": {}},
        {"contracts": None},
        {"benchmarker": "0x12"},
        {"operator": None},
        {"made_at": 1.5},
        {"made_at": 1 << 62},
        {"task_params": {}},
        {"task_params": json.loads(invitations.write(OPEN, EXAMINER))["task_params"] | {"max_items": 5}},
        {"task_params": json.loads(invitations.write(OPEN, EXAMINER))["task_params"] | {"max_items": "9" * 29}},
        {"task_params": json.loads(invitations.write(OPEN, EXAMINER))["task_params"] | {"extra": "5"}},
        {"description": {"name": "another"}},
        {"description": None},
        {"round": {"id": "0x" + "11" * 32, "set_root": "0x" + "22" * 32, "items": 5, "sealed_at": 1}},
        {"round": {}},
        {"round": 7},
        {"signature": None},
        {"signature": "0x12"},
    ],
)
def test_read__malformed__bad_input_or_tampered(members):
    with pytest.raises((BadInput, Tampered)):
        invitations.read(changed(written(), **members))


@pytest.mark.parametrize("raw", [b"", b"[]", b"7", b"{", b"\xff", b"{}", b"[" * 100_000, b" " * (invitations.MAX_BYTES + 1)])
def test_read__no_invitation__bad_input(raw):
    with pytest.raises(BadInput):
        invitations.read(raw)


def test_invitation_digest__type_of_its_own__no_other_message():
    content = keccak(b"content")
    others = {DOMAIN.enrol(content, content), DOMAIN.ack(content, content, 0, content), DOMAIN.digest(content)}
    assert DOMAIN.invitation(content) not in others


# -- descriptions


def test_keep__then_read__private_and_as_pinned(tmp_path):
    keep(tmp_path, OPEN.task, OPEN.raw_description)
    assert read(tmp_path, OPEN.task, PARAMS.description_digest) == DESCRIPTION
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput):
        read(tmp_path, OPEN.task, bytes(32))
    with pytest.raises(BadInput):
        read(tmp_path, TaskId(bytes(32)), PARAMS.description_digest)


# -- the policy


def closed_policy(tmp_path):
    path = tmp_path / "policy.toml"
    path.touch(mode=0o600)
    text = TEMPLATE.replace('benchmarkers = "any"', "benchmarkers = []").replace('tasks = "any"', "tasks = []  # none yet")
    path.write_text(text)
    return path, text


def test_admit__benchmarker_with_task__that_pair_and_no_other(tmp_path):
    path, text = closed_policy(tmp_path)
    policy = admit(path, BENCHMARKER, OPEN.task, "name\nof = the # task")
    assert load(path) == policy
    assert path.read_text().startswith(text)
    assert path.stat().st_mode & 0o777 == 0o600
    small = replace(PARAMS, answer_window=1)
    assert policy.refusal(BENCHMARKER, OPEN.task, small, 5) is None
    assert policy.refusal(BENCHMARKER, TaskId(bytes(32)), small, 5) is not None
    assert policy.refusal(STRANGER.address, OPEN.task, small, 5) is not None


def test_admit__bond_above_the_limit__still_refused(tmp_path):
    path, _ = closed_policy(tmp_path)
    policy = admit(path, BENCHMARKER, OPEN.task, "x")
    assert "bond" in policy.refusal(BENCHMARKER, OPEN.task, replace(PARAMS, version_bond=ETHER), 5)


def test_admit__twice__once_in_the_file(tmp_path):
    path, _ = closed_policy(tmp_path)
    admit(path, BENCHMARKER, OPEN.task, "x")
    once = path.read_text()
    admit(path, BENCHMARKER, OPEN.task, "x")
    assert path.read_text() == once
    admit(path, STRANGER.address, OPEN.task, "y")
    assert len(load(path).admitted) == 2


def test_admit__file_that_is_full_or_broken__unchanged(tmp_path):
    path, text = closed_policy(tmp_path)
    full = text + "#" * (MAX_POLICY_BYTES - len(text) - 1) + "\n"
    for content in (full, text + "odd = 1\n"):
        path.write_text(content)
        with pytest.raises(BadInput):
            admit(path, BENCHMARKER, OPEN.task, "x")
        assert path.read_text() == content
        assert [file.name for file in tmp_path.iterdir()] == ["policy.toml"]


@pytest.mark.parametrize(
    "entry",
    [
        'admitted = "any"',
        "[[admitted]]\n",
        '[[admitted]]\nbenchmarker = "0x12"\ntask = "0x12"\n',
        f'[[admitted]]\nbenchmarker = "{BENCHMARKER}"\n',
        f'[[admitted]]\nbenchmarker = "{BENCHMARKER}"\ntask = "0x{"11" * 32}"\nmore = 1\n',
        f'[[admitted]]\nbenchmarker = "{BENCHMARKER}"\ntask = 7\n',
    ],
)
def test_parse__admitted_entry_that_is_none__bad_input(entry):
    text = TEMPLATE + entry if entry.startswith("[[") else entry + "\n" + TEMPLATE
    with pytest.raises(BadInput):
        parse(text)


def test_policy_file__changes_while_the_gateway_serves__followed_and_broken_ones_admit_nothing(tmp_path):
    path, text = closed_policy(tmp_path)
    live, asked = PolicyFile(path), (BENCHMARKER, OPEN.task, PARAMS, 5)
    assert "list" in live.refusal(*asked)
    admit(path, BENCHMARKER, OPEN.task, "x")
    assert live.refusal(*asked) is None
    joined = path.read_text()
    for broken in ("schema = 2", ""):
        path.write_text(broken)
        assert live.refusal(*asked) == "this provider's policy cannot be read"
        assert live.refusal(*asked) == "this provider's policy cannot be read"
    path.unlink()
    assert live.refusal(*asked) == "this provider's policy cannot be read"
    path.write_text(joined)
    assert live.refusal(*asked) is None
    path.write_text(text)
    assert "list" in live.refusal(*asked)
