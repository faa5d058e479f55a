"""given a round's chain as a file from a real node / when it is read under one trusted hash / the node's own facts come out.

given the round in each phase, with posts, demands and a slash: the same facts, the same report
given a lie in any part (headers, receipts, logs, nodes, words, codes, versions, roots, an event left out): an error that names it
given any byte of the file changed: an error
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rlp

from assay.audit.calldata import posted_messages
from assay.audit.facts import ChainFacts, collect
from assay.audit.openings import Openings
from assay.audit.snapshot import prove, read
from assay.audit.verify import verify
from assay.chain import snapshots
from assay.chain.client import Chain
from assay.chain.devnet import Devnet
from assay.chain.headers import header_of, list_root, may_hold
from assay.chain.snapshots import Snapshot, dump, fetch, load
from assay.encoding.hashing import keccak
from assay.errors import AssayError, BadInput, Tampered, WrongChain
from assay.storage.bundle import Bundle
from assay.types import Block, Node, Phase, RoundId, VersionId
from unit.audit.faults import wrong_statistic
from unit.audit.test_on_chain import LiveExam, Reader, pass_time

pytestmark = pytest.mark.chain


@pytest.fixture
def reader(devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Reader:
    return Reader(devnet, tmp_path, capsys)


def proven(chain: Chain, round_: RoundId, path: Path) -> tuple[ChainFacts, ChainFacts]:
    """The facts of a node at its head, and those of a file written there and read back."""
    block = chain.head()
    path.write_bytes(dump(fetch(chain, round_, block)))
    live, found = collect(chain, round_, block.number), read(path, block.hash, chain.deployment)
    assert found.messages == posted_messages(chain, live)
    return live, found.facts


def posting(chain: Chain, name: str, **task: int) -> LiveExam:
    exam = LiveExam(chain, name, **task)
    exam.post(1, b"posted in time")
    exam.post(5, b"")
    return exam


# the same facts


def test_read__each_phase_of_a_round__equals_what_the_node_says(chain: Chain, tmp_path: Path) -> None:
    exam = posting(chain, "phases", attest_window=20_000)
    path, phases = tmp_path / "round.snapshot", []

    def same() -> ChainFacts:
        live, read = proven(chain, exam.round, path)
        assert live == read
        phases.append(read.phase)
        return read

    exam.begin()
    assert len(same().posted) == 2
    pass_time(chain.node, exam.params.answer_window)
    same()
    exam.attest()
    same()
    folder = exam.reveal(tmp_path / "bundle")
    facts = same()
    assert verify(facts, Bundle(folder)) == verify(collect(chain, exam.round), Bundle(folder))
    exam.stake(exam.stranger, exam.stranger)
    exam.send(exam.stranger, chain.disputes.demand(exam.round, exam.first, 2))
    assert same().closing.queue_end
    pass_time(chain.node, exam.params.challenge_window * 2)
    same()
    assert phases == [Phase.ANSWERING, Phase.ATTESTING, Phase.REVEALING, Phase.CHALLENGING, Phase.CHALLENGING, Phase.FINAL]


def test_read__rounds_that_failed__equal_what_the_node_says(chain: Chain, tmp_path: Path) -> None:
    path, seen = tmp_path / "round.snapshot", []
    slashed = LiveExam(chain, "slashed snapshot")
    wrong_statistic(slashed)
    folder = slashed.play(tmp_path / "bundle")
    facts = collect(chain, slashed.round)
    opened = Openings(facts, Bundle(folder)).open(slashed.first, 2)
    slashed.send(slashed.stranger, chain.disputes.challenge(slashed.round, slashed.first, opened))
    late = LiveExam(chain, "forfeited snapshot")
    late.begin()
    pass_time(chain.node, late.params.answer_window + late.params.attest_window)
    alone = LiveExam(chain, "void snapshot")
    alone.seal()
    pass_time(chain.node, alone.params.answer_window)
    for exam in (slashed, late, alone):
        live, read = proven(chain, exam.round, path)
        assert live == read
        seen.append(read.phase)
    assert seen == [Phase.SLASHED, Phase.FORFEITED, Phase.VOID]


def test_dump__a_snapshot__comes_back_and_is_the_same_every_time(chain: Chain, tmp_path: Path) -> None:
    exam = posting(chain, "twice")
    exam.begin()
    block = chain.head()
    first = fetch(chain, exam.round, block)
    (tmp_path / "file").write_bytes(dump(first))
    assert load(tmp_path / "file") == first == fetch(chain, exam.round, block)


# a lie in each part


class Case:
    """A revealed round with a posted answer, as a snapshot and the hash of its last block."""

    def __init__(self, chain: Chain, folder: Path) -> None:
        self.exam = posting(chain, "lies")
        self.exam.play(folder / "bundle")
        pass_time(chain.node, 10)
        self.block: Block = chain.head()
        self.chain, self.true = chain, fetch(chain, self.exam.round, self.block)
        assert prove(self.true, self.block.hash, chain.deployment).facts == collect(chain, self.exam.round, self.block.number)

    def said(self, lie: Snapshot, kind: type[AssayError] = Tampered) -> str:
        assert lie != self.true
        with pytest.raises(kind) as caught:
            prove(lie, self.block.hash, self.chain.deployment)
        assert caught.value.remedy
        return caught.value.message


@pytest.fixture(scope="module")
def case(devnet: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    connected = Chain.connect(devnet.rpc, devnet.deployment)
    yield Case(connected, tmp_path_factory.mktemp("case"))
    connected.close()


def bent(raw: bytes, change: Callable[[list[Any]], None]) -> bytes:
    """RLP with something in it changed."""
    typed = raw[:1] if raw[0] < 0x80 else b""
    fields = rlp.decode(raw[len(typed) :])
    change(fields)
    return typed + bytes(rlp.encode(fields))


def put(values: tuple[Any, ...], index: int, value: Any) -> tuple[Any, ...]:
    index %= len(values)
    return (*values[:index], value, *values[index + 1 :])


@pytest.mark.parametrize("field", range(21))
def test_prove__any_field_of_any_header_changed__is_named(case: Case, field: int) -> None:
    def change(fields: list[Any]) -> None:
        fields[field] = (fields[field][:-1] + bytes([fields[field][-1] ^ 1])) if fields[field] else b"\x01"

    headers = case.true.headers
    last = case.said(replace(case.true, headers=put(headers, -1, bent(headers[-1], change))))
    assert "does not end in the trusted block" in last or "is not a block's header" in last
    for index in (0, len(headers) // 2):
        told = case.said(replace(case.true, headers=put(headers, index, bent(headers[index], change))))
        assert f"header {index}" in told or f"header {index - 1}" in told


def test_prove__headers_missing_added_or_swapped__are_named(case: Case) -> None:
    h = case.true.headers
    assert case.said(replace(case.true, headers=h[1:])).startswith(("header 0: the first block", "receipts of block"))
    assert "trusted block" in case.said(replace(case.true, headers=h[:-1]))
    assert "trusted block" in case.said(replace(case.true, headers=()))
    assert "is not the parent" in case.said(replace(case.true, headers=(*h[:2], *h[3:])))
    assert "is not the parent" in case.said(replace(case.true, headers=(h[0], h[0], *h[1:])))
    number = header_of(h[0], "").number
    before = snapshots.raw_header(case.chain.node.request("eth_getBlockByNumber", [hex(number - 1), False]))
    assert "the first block is not that of the seal" in case.said(replace(case.true, headers=(before, *h)))
    assert "is not a block's header" in case.said(replace(case.true, headers=put(h, 0, b"\xc0")))


def test_prove__another_trusted_hash__is_refused(case: Case) -> None:
    with pytest.raises(Tampered, match="does not end in the trusted block"):
        prove(case.true, bytes(32), case.chain.deployment)


def logged(case: Case, name: str) -> tuple[int, int, int]:
    """Where an event stands: which block of the snapshot's receipts, which receipt, which log."""
    from assay.chain import artifacts
    from assay.chain.abi import Interface
    from assay.chain.headers import logs_of

    topic = Interface(artifacts.load("Rounds").abi).topic(name)
    for at, block in enumerate(case.true.receipts):
        for number, receipt in enumerate(block.receipts):
            for place, log in enumerate(logs_of(receipt, "")):
                if log.topics[0] == topic:
                    return at, number, place
    raise AssertionError(name)


def with_receipt(case: Case, at: int, number: int, receipt: bytes | None) -> Snapshot:
    block = case.true.receipts[at]
    receipts = block.receipts[:number] + ((receipt,) if receipt is not None else ()) + block.receipts[number + 1 :]
    return replace(case.true, receipts=put(case.true.receipts, at, block._replace(receipts=receipts)))


@pytest.mark.parametrize("event", ["Sealed", "Enrolled", "AnswerPosted"])
def test_prove__an_event_changed_added_or_left_out__is_named(case: Case, event: str) -> None:
    at, number, place = logged(case, event)
    receipt, where = case.true.receipts[at].receipts[number], f"receipts of block {case.true.receipts[at].number}"

    def change(what: str) -> Callable[[list[Any]], None]:
        def act(fields: list[Any]) -> None:
            logs = fields[3]
            if what == "gone":
                del logs[place]
            elif what == "twice":
                logs.insert(place, logs[place])
            elif what == "topic":
                logs[place][1][-1] = bytes(32)
            elif what == "address":
                logs[place][0] = bytes(20)
            elif logs[place][2]:
                logs[place][2] = logs[place][2][:-1] + bytes([logs[place][2][-1] ^ 1])
            else:
                logs[place][2] = b"\x01"

        return act

    for what in ("gone", "twice", "topic", "address", "data"):
        assert where in case.said(with_receipt(case, at, number, bent(receipt, change(what)))), what
    assert where in case.said(with_receipt(case, at, number, None))
    assert where in case.said(replace(case.true, receipts=case.true.receipts[:at] + case.true.receipts[at + 1 :]))
    assert where in case.said(with_receipt(case, at, number, receipt[:-1]))


def test_prove__receipts_of_other_blocks__are_named(case: Case) -> None:
    blocks = case.true.receipts
    assert "a block that needs none" in case.said(replace(case.true, receipts=(*blocks, blocks[-1])))
    assert "receipts of block" in case.said(replace(case.true, receipts=blocks[1:]))
    assert "receipts of block" in case.said(replace(case.true, receipts=tuple(reversed(blocks))))
    assert "receipts of block" in case.said(replace(case.true, receipts=put(blocks, 0, blocks[0]._replace(number=1))))
    assert "receipts of block" in case.said(replace(case.true, receipts=()))


def test_prove__transactions_changed_left_out_or_added__are_named(case: Case) -> None:
    at, number, _ = logged(case, "AnswerPosted")
    block = case.true.receipts[at]
    sent, where = block.transactions, f"transactions of block {block.number}"
    for lie in (
        (),
        sent[:-1],
        (*sent, sent[0]),
        put(sent, number, sent[number][:-1] + bytes([sent[number][-1] ^ 1])),
        put(sent, number, sent[number].replace(b"posted in time", b"posted at noon")),
    ):
        told = case.said(replace(case.true, receipts=put(case.true.receipts, at, block._replace(transactions=lie))))
        assert told.startswith(where)
    sealed, _, _ = logged(case, "Sealed")
    needless = case.true.receipts[sealed]._replace(transactions=sent)
    assert "nothing of them is needed" in case.said(replace(case.true, receipts=put(case.true.receipts, sealed, needless)))


def test_prove__any_node_changed_or_left_out__is_named(case: Case) -> None:
    nodes = case.true.nodes
    for index, node in enumerate(nodes):
        for lie in (put(nodes, index, node[:-1] + bytes([node[-1] ^ 1])), nodes[:index] + nodes[index + 1 :]):
            told = case.said(replace(case.true, nodes=lie))
            assert "a node of its proof is missing or altered" in told
            assert told.startswith(("storage of 0x", "account 0x"))


def test_prove__a_stored_value_changed__is_named(case: Case) -> None:
    """The leaf with the round's set root, given another value, its parents left as they are."""
    root = collect(case.chain, case.exam.round).round.set_root
    at, leaf = next((index, node) for index, node in enumerate(case.true.nodes) if root in node)
    lie = put(case.true.nodes, at, leaf.replace(root, bytes(31) + b"\x07"))
    assert f"storage of {case.chain.deployment.rounds}" in case.said(replace(case.true, nodes=lie))


def test_prove__something_left_over__is_named(case: Case) -> None:
    stray = bytes(rlp.encode([b"\x20" + bytes(32), b"stray"]))
    assert "prove nothing" in case.said(replace(case.true, nodes=(*case.true.nodes, stray)))
    assert "prove nothing" in case.said(replace(case.true, nodes=(*case.true.nodes, case.true.nodes[0])))
    assert "prove nothing" in case.said(replace(case.true, codes=(*case.true.codes, b"\x00")))


def test_prove__codes_and_contracts_of_others__are_named(case: Case) -> None:
    codes = case.true.codes
    for index, code in enumerate(codes):
        told = case.said(replace(case.true, codes=put(codes, index, code[:-1] + bytes([code[-1] ^ 1]))))
        assert told.startswith("code of 0x")
    swapped = (case.true.contracts[1], case.true.contracts[0], *case.true.contracts[2:])
    assert "the deployment's at" in case.said(replace(case.true, contracts=swapped), WrongChain)
    assert "not 31337" in case.said(replace(case.true, chain_id=1), WrongChain)
    elsewhere = replace(case.chain.deployment, chain_id=1)
    with pytest.raises(Tampered, match="round: does not follow"):
        prove(replace(case.true, chain_id=1), case.block.hash, elsewhere)


def test_prove__other_code_at_a_contract__is_refused(case: Case) -> None:
    elsewhere = replace(case.chain.deployment, judge=case.chain.deployment.metrics["Bleu"])
    snapshot = fetch(Chain(case.chain.node, elsewhere), case.exam.round, case.block)
    with pytest.raises(WrongChain, match="is not the Judge of this release"):
        prove(snapshot, case.block.hash, elsewhere)


def test_prove__another_round__is_named(case: Case) -> None:
    told = case.said(replace(case.true, round=RoundId(bytes(32))))
    assert told.startswith(("storage of", "round: the trusted block knows no such round"))


def test_prove__versions_changed__are_named(case: Case) -> None:
    known = case.true.commitments
    version, commitment = known[0]
    roots = tuple(entry for entry in case.true.roots if entry[0] != version)
    stranger = VersionId(keccak(b"stranger"))
    assert "commitment of version" in case.said(replace(case.true, commitments=put(known, 0, (version, bytes(32)))))
    assert case.said(replace(case.true, commitments=tuple(reversed(known)))).startswith("versions")
    assert case.said(replace(case.true, commitments=(*known, known[0]))).startswith("versions")
    assert "are enrolled by state" in case.said(replace(case.true, commitments=known[1:], roots=roots))
    told = case.said(replace(case.true, commitments=(*known, (stranger, commitment))))
    assert told.startswith(("storage of", "versions"))


def test_prove__roots_changed__are_named(case: Case) -> None:
    roots = case.true.roots
    version, root = roots[0]
    for lie in (
        put(roots, 0, (version, Node(bytes(32), root.sums))),
        put(roots, 0, (version, Node(root.hash, (root.sums[0] + 1, *root.sums[1:])))),
        put(roots, 0, (version, Node(root.hash, root.sums[:-1]))),
        put(roots, 0, (version, Node(root.hash, (*root.sums, 0)))),
        roots[1:],
    ):
        assert case.said(replace(case.true, roots=lie)).startswith(f"root of version 0x{version.hex()}")
    assert case.said(replace(case.true, roots=(*roots, roots[0]))).startswith("roots")
    assert case.said(replace(case.true, roots=(*roots, (VersionId(bytes(32)), root)))).startswith("roots")


def test_read__any_byte_of_the_file_changed__is_refused(case: Case, tmp_path: Path) -> None:
    raw, path, drawn = dump(case.true), tmp_path / "file", random.Random("snapshot bytes")
    for at in [*range(120), *(drawn.randrange(len(raw)) for _ in range(250))]:
        path.write_bytes(raw[:at] + bytes([raw[at] ^ (1 << drawn.randrange(8))]) + raw[at + 1 :])
        with pytest.raises((Tampered, BadInput, WrongChain)):
            read(path, case.block.hash, case.chain.deployment)
    for cut in (0, 10, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:cut])
        with pytest.raises((Tampered, BadInput)):
            read(path, case.block.hash, case.chain.deployment)
    path.write_bytes(raw + b"\x00")
    with pytest.raises(Tampered):
        read(path, case.block.hash, case.chain.deployment)


NO_SNAPSHOTS = [b"", b"\xc0", b"\x80", b"\xc9" * 5_000, b"\xff" * 40, b"\xbf" + b"\xff" * 8, b"\xc1" * 900 + b"\xc0"]


@pytest.mark.parametrize("body", NO_SNAPSHOTS)
def test_load__what_is_no_snapshot__is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"assay chain snapshot 1\n" + body)
    with pytest.raises(Tampered):
        load(path)
    path.write_bytes(b"assay chain snapshot 2\n" + body)
    with pytest.raises(BadInput):
        load(path)
    with pytest.raises(BadInput):
        load(tmp_path)


def test_load__larger_than_the_limit__is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "MAX_FILE_BYTES", 100)
    (tmp_path / "file").write_bytes(b"assay chain snapshot 1\n" + bytes(100))
    with pytest.raises(BadInput, match="too large"):
        load(tmp_path / "file")


# headers by themselves


def test_may_hold__bloom_of_a_real_block__holds_what_it_logged_and_hardly_anything_else(case: Case) -> None:
    header = header_of(case.true.headers[0], "")
    rounds = bytes.fromhex(case.chain.deployment.rounds[2:])
    assert may_hold(header.bloom, (rounds, case.exam.round))
    assert sum(may_hold(header.bloom, (keccak(b"%d" % n),)) for n in range(1_000)) < 5
    assert not may_hold(bytes(256), (rounds,))


def test_list_root__of_nothing__is_that_of_the_empty_trie() -> None:
    assert list_root(()).hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


# the commands


def test_export_and_verify__offline__the_same_report_as_from_the_node(case: Case, reader: Reader, tmp_path: Path) -> None:
    exam = posting(case.chain, "commands")
    folder = exam.play(tmp_path / "bundle")
    name, path = "0x" + exam.round.hex(), tmp_path / "round.snapshot"
    code, told = reader.json("export", "--chain", name[:20], path, "--at", "latest")
    assert (code, told["round"]) == (0, name)
    live = reader.run("--json", "verify", name, "--bundle", folder)
    reader.rpc = "http://127.0.0.1:9"  # nobody: it is never asked
    offline = ("verify", "--snapshot", path, "--trust", told["block_hash"])
    assert reader.run("--json", *offline, "--bundle", folder)[:2] == live[:2]
    assert reader.run("--json", *offline, folder, "--html", tmp_path / "page.html")[:2] == live[:2]
    assert "posted answer was dropped" in (tmp_path / "page.html").read_text()
    assert live[0] == 1  # a posted answer was dropped, and that is seen offline as well
    assert reader.run(*offline)[0] == 2
    assert reader.json("verify", "--snapshot", path, "--trust", "0x" + "ab" * 32)[1]["error"] == "Tampered"
    assert json.loads(reader.run("--json", *offline, "0x" + "ab" * 32)[1])["error"] == "BadInput"
    assert reader.run("verify", "--snapshot", path)[0] == 2
    assert reader.run("verify", name, name, "--html", tmp_path / "other.html")[0] == 2
    assert reader.run("verify", name, "--trust", told["block_hash"])[0] == 2
