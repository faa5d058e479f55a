"""given a round on a real chain / when its audit log is written and checked / it holds, and whatever is altered is named."""

import copy
import json
import secrets
import tracemalloc
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import rlp

from assay.audit.custody import START, ChainPart, build, head_of, keys_of, link_hash, signed_in
from assay.audit.custody_calls import is_fixed
from assay.audit.custody_check import EVENTS, against, check, parse
from assay.audit.custody_page import page
from assay.audit.custody_reading import read
from assay.audit.facts import collect
from assay.audit.openings import Openings
from assay.chain import artifacts, rawtx
from assay.chain.abi import Interface
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, fund
from assay.cli.audit_log import schema_text
from assay.encoding.hashing import keccak, uint
from assay.encoding.receipts import LocalSigner
from assay.errors import BadInput
from assay.metrics import METRICS
from assay.storage.bundle import Bundle
from assay.storage.lines import canonical
from unit.audit.exam import SILENT
from unit.audit.faults import wrong_statistic
from unit.audit.test_on_chain import LiveExam, Reader, pass_time

pytestmark = pytest.mark.chain
Record = dict[str, Any]


class Logged:
    """A revealed round with a post, and its log with all messages."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.exam = LiveExam(chain, f"logged {secrets.token_hex(4)}")
        answer = self.exam.answer(self.exam.first, SILENT, b"The moon <b>shines</b>.")
        self.exam.lines[self.exam.first][SILENT] = answer
        self.exam.post(SILENT, answer.response or b"")
        self.folder = self.exam.play(folder / "bundle")
        self.part: ChainPart = read(chain, self.exam.round)
        self.record = build(self.part, Bundle(self.folder), items=True)


@pytest.fixture(scope="module")
def logged(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    chain = Chain.connect(devnet.rpc, devnet.deployment)
    yield Logged(chain, tmp_path_factory.mktemp("logged"))
    chain.close()


def sealed_again(record: Record) -> Record:
    """The hashes made anew, as whoever forges a file would make them."""
    previous = START
    for link in record["links"]:
        previous = link_hash(previous, link)
        link["hash"] = "0x" + previous.hex()
    record["head"] = head_of(record)
    return record


def test_build__events_in_the_order_of_the_chain__each_with_its_proven_sender(logged: Logged) -> None:
    record, exam = logged.record, logged.exam
    names = [event["event"] for link in record["links"] for event in link["events"] if event["contract"] == "rounds"]
    assert names == ["Sealed", "Enrolled", "Enrolled", "AnswerPosted", "Attested", "Attested", "Revealed"]
    assert [link["events"][0]["event"] for link in record["links"]].count("VersionCommitted") == 2
    senders = {event["event"]: link["sender"] for link in record["links"] for event in link["events"]}
    assert senders["Sealed"] == senders["Attested"] == exam.operator.address
    assert senders["AnswerPosted"] == exam.stranger.address
    assert [(s["kind"], s["signer"]) for link in record["links"] for s in link["signatures"]] == [
        *(("enrol", version.operator) for version in exam.versions),
        ("ask", exam.operator.address),
        ("answer", exam.versions[0].operator),
    ]


def test_check__true_log__all_is_proven_offline(logged: Logged) -> None:
    found = check(logged.record)
    assert (found.problems, found.unproven) == ([], [EVENTS])
    assert found.links == found.senders == len(logged.part.links)
    first, second = logged.record["exchanges"]
    assert first["ask"] == first["answer"] == first["ack"] == {"signed": 7, "by_the_key": 7}
    assert found.signatures == 4 + first["messages"] + second["messages"]


def test_build__schema_holds__and_the_same_bytes_come_again(logged: Logged) -> None:
    jsonschema.validate(logged.record, json.loads(schema_text()))
    assert canonical(logged.record) == canonical(build(logged.part, Bundle(logged.folder), items=True))
    assert parse(canonical(logged.record), "x") == logged.record
    short = build(logged.part, Bundle(logged.folder))
    jsonschema.validate(short, json.loads(schema_text()))
    assert [e["digest"] for e in short["exchanges"]] == [e["digest"] for e in logged.record["exchanges"]]
    assert len(check(short).unproven) == 1 + 2
    assert check(build(logged.part, None)).failures == 0


def change(record: Record, *path: Any, to: Any) -> None:
    for key in path[:-1]:
        record = record[key]
    record[path[-1]] = to(record[path[-1]]) if callable(to) else to


def event_of(record: Record, name: str) -> Record:
    """Arguments of the last event of a name."""
    return [event["arguments"] for link in record["links"] for event in link["events"] if event["event"] == name][-1]


FORGERIES: dict[str, Callable[[Record], None]] = {
    "another_sender": lambda r: change(r, "links", 0, "sender", to="0x" + "11" * 20),
    "bytes_changed": lambda r: change(r, "links", 0, "raw", to=lambda raw: raw[:-2] + ("00" if raw[-2:] != "00" else "01")),
    "link_left_out": lambda r: r["links"].pop(0),
    "links_swapped": lambda r: r["links"].insert(0, r["links"].pop(1)),
    "earlier_time": lambda r: change(r, "links", -1, "time", to=5),
    "another_round": lambda r: change(r, "round", "items", to=8),
    "another_operator": lambda r: change(r, "versions", 0, "operator", to="0x" + "22" * 20),
    "another_root": lambda r: change(r, "versions", 1, "root", to="0x" + "33" * 32),
    "another_seal": lambda r: change(event_of(r, "Sealed"), "setRoot", to="0x" + "44" * 32),
    "another_bundle": lambda r: change(event_of(r, "Revealed"), "bundleDigest", to="0x" + "44" * 32),
    "another_attested_root": lambda r: (
        change(event_of(r, "Attested"), "rootHash", to="0x" + "33" * 32),
        change(r, "versions", 1, "root", to="0x" + "33" * 32),
    ),
    "answer_exchanged": lambda r: change(r, "exchanges", 0, "items", 1, "response_hash", to="0x" + "55" * 32),
    "answer_left_out": lambda r: r["exchanges"][0]["items"].pop(1),
    "counted_more": lambda r: change(r, "exchanges", 0, "ack", "signed", to=8),
    "version_left_out": lambda r: r["versions"].pop(),
    "messages_swapped": lambda r: r["exchanges"][0]["items"].insert(0, r["exchanges"][0]["items"].pop(3)),
    "no_shape": lambda r: change(r, "links", 0, "events", to=5),
    "exchanges_of_nobody": lambda r: r["exchanges"].pop(),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_check__forged_and_hashed_anew__is_found(logged: Logged, name: str) -> None:
    record = copy.deepcopy(logged.record)
    FORGERIES[name](record)
    assert check(record).failures
    if name != "no_shape":
        assert check(sealed_again(record)).failures, "the hashes alone gave it away"


def swap(record: Record, *, calls: bool) -> None:
    """What was attested of the two versions, exchanged everywhere; `calls` also the versions' names in the events."""
    one, other = record["versions"]
    for key in ("root", "score", "standing"):
        one[key], other[key] = other[key], one[key]
    first, second = (e["arguments"] for link in record["links"] for e in link["events"] if e["event"] == "Attested")
    for key in ("version",) if calls else ("rootHash", "sums", "score", "complete"):
        first[key], second[key] = second[key], first[key]


def rescored(record: Record, **event: Any) -> None:
    """Another score of the last version, the same in event and version."""
    event_of(record, "Attested").update(event)
    score, complete = event_of(record, "Attested")["score"], event_of(record, "Attested")["complete"]
    record["versions"][1] |= {"score": str(score), "standing": "scored" if complete else "incomplete"}


CALL, SCORE = "is not what its bytes call for", "the score does not follow from its sums"
OTHER, KEYS = "another score or standing than was attested", "the keys are not those of round, versions and links"
LIES: dict[str, tuple[str, Callable[[Record], None]]] = {
    "score": (OTHER, lambda r: change(r, "versions", 0, "score", to="1000000000000000000")),
    "standing": (OTHER, lambda r: change(r, "versions", 0, "standing", to="incomplete")),
    "struck": (OTHER, lambda r: change(r, "versions", 0, "standing", to="struck")),
    "forfeited": (OTHER, lambda r: change(r, "round", "phase", to="forfeited")),
    "slashed": ("the phase is not that of the fault", lambda r: change(r, "round", "phase", to="slashed")),
    "fault": ("the fault among the events is another", lambda r: change(r, "round", "fault", to="dropped")),
    "swapped": (CALL, lambda r: swap(r, calls=False)),
    "swapped_names": (CALL, lambda r: swap(r, calls=True)),
    "score_in_the_event_too": (SCORE, lambda r: rescored(r, score=5)),
    "incomplete_in_the_event_too": (SCORE, lambda r: rescored(r, score=0, complete=False)),
    "sums": (CALL, lambda r: change(event_of(r, "Attested"), "sums", to=lambda sums: [sums[0], 0])),
    "another_metric": (
        SCORE,
        lambda r: change(r, "round", "metric", to=lambda name: next(other for other in METRICS if other != name)),
    ),
    "silence": ("the task's id does not follow", lambda r: change(event_of(r, "TaskRegistered"), "params", 5, to=9_999)),
    "card": ("the seal among the events is not the round's", lambda r: change(r, "round", "card_digest", to="0x" + "44" * 32)),
    "sealed_card": (CALL, lambda r: change(event_of(r, "Sealed"), "cardDigest", to="0x" + "44" * 32)),
    "bundle": ("the bundle among the events is another", lambda r: change(r, "round", "bundle", to="bafybeiother")),
    "committed_model": (CALL, lambda r: change(event_of(r, "VersionCommitted"), "model", to="0x" + "44" * 32)),
    "posted_text": (CALL, lambda r: change(event_of(r, "AnswerPosted"), "response", to="0x00")),
    "owner": (KEYS, lambda r: change(r, "versions", 0, "owner", to=r["versions"][1]["owner"])),
    "key": (KEYS, lambda r: change(r, "keys", 0, "address", to=r["links"][-1]["sender"])),
    "role": (KEYS, lambda r: change(r, "keys", 0, "roles", to=["nobody"])),
}


@pytest.mark.parametrize("lie", LIES)
def test_check__lie_and_all_hashes_made_anew__is_named(logged: Logged, lie: str) -> None:
    record, (problem, tell) = copy.deepcopy(logged.record), LIES[lie]
    tell(record)
    assert any(problem in found for found in check(sealed_again(record)).problems)


def test_check__owner_swapped_everywhere__is_named_as_unproven(logged: Logged) -> None:
    record = copy.deepcopy(logged.record)
    record["versions"][0]["owner"] = record["versions"][1]["owner"]
    record["keys"] = keys_of(record)
    found = check(sealed_again(record))
    assert (found.problems, found.unproven) == ([], [EVENTS])
    assert "who owns the versions" in EVENTS
    assert against(record, logged.part) == ["versions", "keys"]


def test_check__true_log_of_a_round_without_scores__holds_before_and_after_it_is_forfeited(chain: Chain) -> None:
    exam = LiveExam(chain, f"forfeited {secrets.token_hex(4)}")
    exam.begin()
    begun = build(read(chain, exam.round), None)
    pass_time(chain.node, 10 * exam.params.answer_window + exam.params.attest_window)
    late = build(read(chain, exam.round), None)
    assert [record["round"]["phase"] for record in (begun, late)] == ["answering", "forfeited"]
    assert [version["standing"] for record in (begun, late) for version in record["versions"]] == [
        *["enrolled"] * 2,
        *["struck"] * 2,
    ]
    assert check(begun).problems == check(late).problems == []


def test_check__true_log_of_a_slashed_round__holds_and_its_fault_cannot_be_denied(chain: Chain, tmp_path: Path) -> None:
    exam = LiveExam(chain, f"slashed {secrets.token_hex(4)}")
    wrong_statistic(exam)
    bundle = Bundle(exam.play(tmp_path / "bundle"))
    opened = Openings(collect(chain, exam.round), bundle).open(exam.first, 2)
    exam.send(exam.stranger, chain.disputes.challenge(exam.round, exam.first, opened))
    record = build(read(chain, exam.round), bundle, items=True)
    assert (record["round"]["phase"], record["versions"][0]["standing"]) == ("slashed", "struck")
    assert check(record).problems == []
    record["round"] |= {"phase": "challenging", "fault": "none"}
    for version in record["versions"]:
        score = next(
            e["arguments"]["score"]
            for link in record["links"]
            for e in link["events"]
            if e["event"] == "Attested" and e["arguments"]["version"] == version["id"]
        )
        version |= {"standing": "scored", "score": str(score)}
    assert "the fault among the events is another" in check(sealed_again(record)).problems


def test_check__swapped_where_the_bytes_are_left_out__sender_and_call_are_named_as_unproven(logged: Logged) -> None:
    record = copy.deepcopy(logged.record)
    swap(record, calls=False)
    link = next(link for link in record["links"] if any(event["event"] == "Attested" for event in link["events"]))
    link["raw"] = None
    found = check(sealed_again(record))
    name = f"link {link['number']}: sender and call of {link['tx'][:12]}… are the node's word"
    assert (found.problems, found.unproven) == ([], [EVENTS, name])


def test_check__metric_that_nobody_ships__the_scores_are_named_as_unproven(logged: Logged) -> None:
    record = copy.deepcopy(logged.record)
    record["round"]["metric"] = "own"
    assert check(sealed_again(record)).unproven == [EVENTS, "the scores: no metric 'own' is shipped to recompute them"]


def test_is_fixed__overlapping_attestations__are_read_in_little_memory() -> None:
    """Thousands of attestations that all share one list of sums; and a call behind another is not the direct one."""
    rounds, count = Interface(artifacts.load("Rounds").abi), 4_000
    words = [1, 64, count, *([32 * count] * count), 7, 8, 96, 256, *range(256)]
    data = rounds.functions["attest"].key + b"".join(uint(word) for word in words)
    event = {"round": "0x" + uint(1).hex(), "version": "0x" + uint(7).hex(), "rootHash": "0x" + uint(9).hex(), "sums": []}
    tracemalloc.start()
    try:
        assert not is_fixed("Attested", event, data[: 32 * 4_300], direct=True)
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()
    event |= {"rootHash": "0x" + uint(8).hex(), "sums": list(range(256))}
    assert is_fixed("Attested", event, data, direct=True)
    assert is_fixed("Attested", event, b"smart" + data, direct=False)
    assert not is_fixed("Attested", event, b"smart" + data, direct=True)


def test_check__link_edited_and_only_the_head_made_anew__the_chain_of_hashes_says_so(logged: Logged) -> None:
    record = copy.deepcopy(logged.record)
    record["links"][2]["block_hash"] = "0x" + "66" * 32
    record["head"] = head_of(record)
    assert check(record).problems[0] == "link 2 is not what its hash says"


def test_check__one_byte_edited__the_head_says_so(logged: Logged) -> None:
    record = copy.deepcopy(logged.record)
    record["as_of"]["hash"] = "0x" + "66" * 32
    assert check(record).problems == ["the head is not the hash over the record"]


def test_against__the_chain_itself__agrees_and_names_what_does_not(logged: Logged) -> None:
    assert against(logged.record, logged.part) == []
    record = copy.deepcopy(logged.record)
    record["links"][1]["block_hash"] = "0x" + "66" * 32
    record["keys"].pop()
    assert against(sealed_again(record), logged.part)[:2] == ["keys", "link 1"]


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b'{"schema": 1, "kind": "assay.audit-log"}', b"\xff", b"[" * 100_000])
def test_parse__no_log__bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput):
        parse(raw, "file")


def test_command__writes_checks_and_finds_an_edit(
    logged: Logged, devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = Reader(devnet, tmp_path, capsys)
    name, out, html = "0x" + logged.exam.round.hex(), tmp_path / "log.json", tmp_path / "log.html"
    code, said = reader.json("audit-log", name, "--items", "--out", out, "--html", html, "--bundle", logged.folder)
    assert (code, said["links"]) == (0, len(logged.part.links))
    code, found = reader.json("audit-log", "--check", out, "--against-chain")
    assert (code, found["failures"], found["unproven"], found["differs_from_chain"]) == (0, 0, [], [])
    edited = json.loads(out.read_text())
    edited["round"]["sealed_at"] += 1
    out.write_bytes(canonical(sealed_again(edited)))
    code, found = reader.json("audit-log", "--check", out)
    assert code == 0  # no signature covers that: only the chain can tell
    code, found = reader.json("audit-log", "--check", out, "--against-chain")
    assert (code, found["differs_from_chain"]) == (3, ["round"])
    edited["links"][0]["sender"] = "0x" + "11" * 20
    out.write_bytes(canonical(edited))
    assert reader.json("audit-log", "--check", out)[0] == 3
    for wrong in ((), (name, "--check", out), ("--schema", name)):
        assert reader.run("audit-log", *wrong)[0] == 2
    assert json.loads(reader.run("audit-log", "--schema")[1])["title"]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_page__hostile_texts__are_escaped_and_nothing_is_fetched(logged: Logged) -> None:
    record = copy.deepcopy(logged.record)
    evil = "\"><script src=x>alert(1)</script><img src=x onerror=y>'\x00\u202e"
    record["round"]["metric"] = record["round"]["phase"] = record["keys"][0]["address"] = evil
    record["keys"][0]["roles"] = [evil]
    record["links"][0]["events"][0] |= {"event": evil, "arguments": {evil: evil, "long": "0x" + evil + "x" * 60}}
    seen = Tags()
    seen.feed(page(record))
    assert set(seen.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table", "thead", "tbody", "tr", "th", "td"),
        *("code", "span", "strong", "br"),
    }
    assert {name for name, _ in seen.attributes} <= {"lang", "charset", "http-equiv", "content", "name", "class", "title"}
    assert page(logged.record) == page(copy.deepcopy(logged.record))


def test_signed_in__overlapping_entries__are_read_in_little_memory(logged: Logged) -> None:
    """Thousands of signatures that all point at one long text: a general decoder would copy it for each."""
    count, text = 3_000, 100_000
    words = [int.from_bytes(logged.exam.round, "big"), 96, 96 + 32 * (count + 1), count, *range(count), count]
    words += [32 * count] * count + [text]
    data = Interface(artifacts.load("Rounds").abi).functions["enrol"].key + b"".join(uint(word) for word in words) + bytes(text)
    tracemalloc.start()
    try:
        assert list(signed_in(logged.exam.domain, logged.exam.round, data)) == []
        assert tracemalloc.get_traced_memory()[1] < 5 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("tail", [b"", b"\xff" * 31, b"\xff" * 96, b"\xff" * 500, bytes(96)])
def test_signed_in__cut_or_wild_calldata__nothing(logged: Logged, tail: bytes) -> None:
    for function in ("enrol", "postAnswer"):
        selector = Interface(artifacts.load("Rounds").abi).functions[function].key
        assert list(signed_in(logged.exam.domain, logged.exam.round, selector + logged.exam.round + tail)) == []


def test_raw_of__every_type__as_eth_account_signs_it(chain: Chain) -> None:
    from eth_account import Account

    secret = secrets.token_bytes(32)
    sender = LocalSigner(secret).address
    fund(chain.node, sender, 10**18)
    common = {"to": "0x" + "77" * 20, "value": 5, "gas": 60_000, "data": "0x1234", "chainId": 31337}
    price, access = 10**10, [{"address": "0x" + "88" * 20, "storageKeys": ["0x" + "00" * 32]}]
    kinds = [
        {**common, "gasPrice": price},
        {**common, "gasPrice": price, "type": 1, "accessList": access},
        {**common, "maxFeePerGas": price, "maxPriorityFeePerGas": 1, "type": 2, "accessList": access},
    ]
    for nonce, fields in enumerate(kinds):
        signed = Account.sign_transaction({**fields, "nonce": nonce}, secret)
        sent = chain.node.request("eth_sendRawTransaction", ["0x" + signed.raw_transaction.hex()])
        raw = rawtx.raw_of(chain.node.request("eth_getTransactionByHash", [sent]))
        assert raw == bytes(signed.raw_transaction)
        mined = rawtx.read(raw)
        assert mined is not None
        assert (mined.hash, mined.sender, mined.data) == (keccak(raw), sender, b"\x12\x34")


@pytest.mark.parametrize("raw", [b"", b"\x02", b"\x03abc", rlp.encode([b""] * 9), b"\x02" + rlp.encode([[]] * 12), b"\xff" * 40])
def test_read__no_transaction__none_or_no_sender(raw: bytes) -> None:
    found = rawtx.read(raw)
    assert found is None or found.sender is None
