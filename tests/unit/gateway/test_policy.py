"""policy.toml: what it says is what holds, and what it does not mean is refused by name."""

import pytest

from assay.errors import BadInput
from assay.gateway.policy import TEMPLATE, amount, load, parse

ADDRESS = "0x" + "aB" * 20
TASK = "0x" + "5a" * 32


def with_line(old, new):
    assert old in TEMPLATE
    return TEMPLATE.replace(old, new)


def test_parse__template__every_value():
    policy = parse(TEMPLATE)
    assert policy.benchmarkers is None
    assert policy.tasks is None
    assert policy.largest_version_bond == 10**17
    assert policy.largest_unacknowledged == 64
    assert (policy.least_answer_window, policy.least_post_window) == (60, 1)
    assert (policy.least_bytes, policy.largest_bytes, policy.largest_items) == (64, 65536, 100_000)


def test_parse__lists__whatever_the_case():
    text = with_line('benchmarkers = "any"', f'benchmarkers = ["{ADDRESS}"]').replace(
        'tasks = "any"', f'tasks = ["{TASK.upper().replace("X", "x")}"]'
    )
    policy = parse(text)
    assert {address.lower() for address in policy.benchmarkers} == {ADDRESS.lower()}
    assert policy.tasks == {bytes.fromhex(TASK[2:])}


def test_parse__empty_list__admits_nobody():
    assert parse(with_line('benchmarkers = "any"', "benchmarkers = []")).benchmarkers == frozenset()


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ("schema = 1", "schema = true", "schema"),
        ("schema = 1", "", "schema"),
        ("schema = 1", "schema = 1\nunknown_key = 1", "unknown_key"),
        ("largest_items = 100000", "largest_items = 100000\nmore = 1", "limits.more"),
        ("largest_items = 100000", "", "limits.largest_items"),
        ("[limits]", "[limit]", "limit"),
        ('benchmarkers = "any"', 'benchmarkers = "all"', "benchmarkers"),
        ('benchmarkers = "any"', "benchmarkers = [1]", "benchmarkers"),
        ('benchmarkers = "any"', f'benchmarkers = ["{ADDRESS[:-1]}"]', "benchmarkers"),
        ('tasks = "any"', f'tasks = ["{ADDRESS}"]', "tasks"),
        ('"0.1 ether"', '"0.1"', "largest_version_bond"),
        ('"0.1 ether"', "1", "largest_version_bond"),
        ('"0.1 ether"', '"-1 ether"', "largest_version_bond"),
        ("largest_unacknowledged = 64", "largest_unacknowledged = 0", "largest_unacknowledged"),
        ("largest_unacknowledged = 64", "largest_unacknowledged = 1.0", "largest_unacknowledged"),
        ("least_bytes = 64", "least_bytes = -1", "limits.least_bytes"),
        ("least_bytes = 64", "least_bytes = true", "limits.least_bytes"),
        ("least_bytes = 64", 'least_bytes = "64"', "limits.least_bytes"),
        ("schema = 1", "schema = ", "TOML"),
    ],
)
def test_parse__anything_else__bad_input_by_name(old, new, named):
    with pytest.raises(BadInput) as caught:
        parse(with_line(old, new))
    assert named in caught.value.message


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("0 wei", 0),
        ("1 wei", 1),
        ("1wei", 1),
        ("1.5 gwei", 1_500_000_000),
        ("0.1 ether", 10**17),
        ("0.000000000000000001 ether", 1),
        ("123456789012345678901234567890 ether", 123456789012345678901234567890 * 10**18),
        ("123456789012.123456789012345678 ether", 123456789012123456789012345678),
    ],
)
def test_amount__numbers_and_units__exact(text, wei):
    assert amount(text) == wei


@pytest.mark.parametrize(
    "text",
    ["", "1", "ether", "-1 wei", "0.5 wei", "1.0000000001 gwei", "1e3 wei", "1 eth", " 1 wei", "1 wei\n", "1_0 wei", "٣ wei"],
)
def test_amount__anything_else__value_error(text):
    with pytest.raises(ValueError, match=r".*"):
        amount(text)


def test_load__file__names_it_in_errors(tmp_path):
    path = tmp_path / "policy.toml"
    with pytest.raises(BadInput) as caught:
        load(path)
    assert caught.value.where == str(path)
    path.write_text(TEMPLATE + "\nx = 1\n")
    with pytest.raises(BadInput) as caught:
        load(path)
    assert str(path) in caught.value.message
    assert "limits.x" in caught.value.message
    path.write_bytes(b"\xff")
    with pytest.raises(BadInput):
        load(path)
    path.write_text("#" * 70_000)
    with pytest.raises(BadInput):
        load(path)
    path.write_text(TEMPLATE)
    assert load(path) == parse(TEMPLATE)
