"""given a provider's journal and a benchmarker that drops an acknowledged answer / `provider watch` sees, proves and is paid."""

import secrets
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assay import keys
from assay.audit.evidence import HeldAck, check
from assay.audit.facts import collect
from assay.audit.own import Difference, compare
from assay.audit.proofs import call_of
from assay.chain.client import Chain
from assay.chain.devnet import Devnet, fund
from assay.chain.door import Door
from assay.chain.transactions import SignedTx
from assay.encoding.hashing import keccak
from assay.gateway.catalogue import Catalogue
from assay.gateway.database import Database
from assay.gateway.journal import Journal
from assay.gateway.messages import Ack, Answer, Ask, Place, Seat
from assay.storage.bundle import Bundle
from assay.storage.cids import cid_of
from assay.storage.store import Store
from assay.types import Phase
from assay.watch.provider import PURPOSE
from unit.audit.test_on_chain import LiveExam, Reader

pytestmark = pytest.mark.chain
ETHER = 10**18
DROPPED = 2


class Watched:
    """A revealed round in which the first version's acknowledged answer is Silent, and the home of that version's provider."""

    def __init__(self, chain: Chain, reader: Reader, folder: Path) -> None:
        self.chain, self.reader, self.folder = chain, reader, folder
        self.exam = LiveExam(chain, f"watched {secrets.token_hex(4)}")
        with closing(Database(folder / "gateway.sqlite")) as database:
            self.keep(Journal(database))
        self.acked = self.exam.lines[self.exam.first][DROPPED].ack
        silent = self.exam.silence(self.exam.first, DROPPED)
        self.exam.lines[self.exam.first][DROPPED] = replace(silent, answer=None, ack=None)
        self.bundle = self.exam.play(folder / "bundle")
        (folder / "password").write_text("open sesame\n")
        (folder / "password").chmod(0o600)
        self.key = keys.new_key(folder / "keys", "operator", "open sesame", light=True)
        fund(chain.node, self.key, ETHER)

    def keep(self, journal: Journal) -> None:
        """What the gateway wrote while it answered."""
        exam = self.exam
        journal.add_enrolment(Seat(exam.round, exam.first), b"\x01" * 65)
        for line in exam.lines[exam.first]:
            if line.answer is None or line.ask is None:
                continue
            place, item, response = Place(exam.round, exam.first, line.position), exam.items[line.position], line.response or b""
            ask = Ask(place, item.prompt.decode(), line.ask.answer_until, line.ask.signature)
            acks = [Ack(place, keccak(response), line.ack)] if line.ack else []
            journal.add_answer(Answer(place, keccak(item.prompt), response, line.answer), ask, acks)

    def look(self, *words: object) -> tuple[int, Any]:
        return self.reader.json("provider", "watch", "--once", *words)

    def send(self, *words: object) -> tuple[int, Any]:
        return self.look("--send", "--password-file", self.folder / "password", *words)


@pytest.fixture
def watched(chain: Chain, devnet: Devnet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Watched:
    return Watched(chain, Reader(devnet, tmp_path, capsys), tmp_path)


def test_watch__no_bundle__nobody_is_accused(watched: Watched) -> None:
    for words in ((), ("--gateway", "http://127.0.0.1:9")):
        code, found = watched.look(*words)
        assert (code, found["challenges"]) == (0, [])
        assert "no bundle" in found["seats"][0]["note"]


def test_watch__acknowledged_answer_dropped__seen_then_proven_within_the_budget_and_paid(watched: Watched) -> None:
    Store(watched.folder / "store").add(watched.bundle)
    code, dry = watched.look()
    assert code == 1
    (seat,) = dry["seats"]
    assert (seat["differences"], seat["shown"][0]["position"], seat["shown"][0]["difference"]) == (1, DROPPED, "dropped_ack")
    assert [(act["kind"], act["sent"]) for act in dry["challenges"]] == [("ack", False)]
    code, poor = watched.send("--gas-budget", "1 wei")
    assert "gas budget" in poor["challenges"][0]["note"]
    assert watched.chain.rounds.phase(watched.exam.round) is Phase.CHALLENGING
    code, sent = watched.send()
    assert (code, sent["challenges"][0]["sent"]) == (1, True)
    assert watched.chain.rounds.phase(watched.exam.round) is Phase.SLASHED
    assert watched.chain.vault.balance(watched.key).free == ETHER // 2
    code, after = watched.send()
    assert (code, after["seats"], after["challenges"]) == (0, [], [])


def test_watch__killed_between_journal_and_node__the_same_transaction_is_taken_up(watched: Watched) -> None:
    Store(watched.folder / "store").add(watched.bundle)
    exam, chain = watched.exam, watched.chain
    signer = keys.open_key(watched.folder / "keys", "operator", "open sesame")
    facts = collect(chain, exam.round)
    assert watched.acked is not None
    response = exam.items[DROPPED].reference.replace(b"a", b"the")
    ack = HeldAck(exam.round, exam.first, DROPPED, keccak(response), watched.acked)
    mismatches = compare(facts, Bundle(watched.bundle), exam.first, check(facts, [ack]))
    found = next(one for one in mismatches if one.difference is Difference.DROPPED_ACK)
    assert found.proof is not None
    kept: list[SignedTx] = []
    with closing(Database(watched.folder / "gateway.sqlite")) as database:

        def keep_and_die(signed: SignedTx) -> None:
            kept.append(signed)
            Catalogue(database).add_transaction(PURPOSE + exam.round, signed.hash, signed.raw, signed.nonce, signed.what)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Door(chain, signer).send(call_of(chain, found.proof), keep_and_die)
    _, sent = watched.send("--gas-budget", "1 wei")  # it was paid for when it was signed
    assert sent["challenges"][0]["transaction"] == "0x" + kept[0].hash.hex()
    assert chain.rounds.phase(exam.round) is Phase.SLASHED


def test_watch__bundle_of_somebody_else__is_a_note_and_no_proof(watched: Watched) -> None:
    path = watched.bundle / "items.jsonl"
    path.write_bytes(path.read_bytes().replace(b"This is a house", b"This is a horse"))
    store = Store(watched.folder / "store")
    true = watched.chain.rounds.round(watched.exam.round)
    assert true is not None
    cid = store.add(watched.bundle)
    store.path(cid).rename(store.path(cid_of(true.bundle_digest)))
    code, found = watched.look()
    assert (code, found["challenges"]) == (0, [])
    assert found["seats"][0]["note"]
