"""A dishonest benchmarker: attests a score tree in which one answer has better statistics than it earned, or in which every
answer that only the chain knows is dropped, then reveals.

It uses the public encoding, the bundle's writer and the transaction door, as anybody can; nothing in the package helps it to lie.
The lie is consistent: tree, totals, score on chain and bundle all agree with it, and only the metric does not.

    python tests/forger/falsify.py ROUND --key operator [--drop]

Settings come from ASSAY_RPC, ASSAY_DEPLOYMENT, ASSAY_HOME and ASSAY_PASSWORD_FILE.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from assay import keys
from assay.agent import exchanges
from assay.agent.card import card_text, group_of
from assay.agent.journal import Journal
from assay.agent.records import RoundRecord, SetItem
from assay.agent.salts import Salts
from assay.agent.trees import Result, score_tree
from assay.chain import deployments
from assay.chain.client import Chain
from assay.chain.deployments import CONTRACTS
from assay.chain.door import Door
from assay.chain.index import round_log
from assay.encoding.sumtree import SumTree, unpack_counts
from assay.metrics import by_signature
from assay.storage import bundle
from assay.storage.bundle import AnswerLine, AskPart, ItemLine, ManifestFacts, VersionFacts
from assay.storage.cids import digest_of
from assay.storage.store import Store
from assay.types import Attestation, Kind, Outcome, RoundId, VersionId


@dataclass(frozen=True)
class Forged:
    """Results of a version, one of them possibly false, and the tree over them."""

    version: VersionId
    results: list[Result]
    tree: SumTree


class Forger:
    """A benchmarker's operator with its journal."""

    def __init__(self, round_: RoundId, key: str) -> None:
        home, password = Path(os.environ["ASSAY_HOME"]), keys.read_password(Path(os.environ["ASSAY_PASSWORD_FILE"]))
        self.chain = Chain.connect(os.environ["ASSAY_RPC"], deployments.load(Path(os.environ["ASSAY_DEPLOYMENT"])))
        self.signer = keys.open_key(home / "keys", key, password)
        self.door = Door(self.chain, self.signer)
        domain = self.chain.domain
        self.salts = Salts(keys.open_secret(home / "keys", "salts", password), domain.chain_id, domain.rounds)
        self.journal, self.store = Journal(home / "bench.sqlite"), Store(home / "store")
        record = self.journal.round(round_)
        if record is None:
            sys.exit("no such round in this home")
        self.record: RoundRecord = record
        self.items: list[SetItem] = self.journal.placed_items(round_)
        task = self.chain.tasks.params(record.task)
        if task is None:
            sys.exit("no such task on this chain")
        self.task = task

    def forge(self) -> tuple[int, int, bytes]:
        """Attests and reveals; the falsified position, the score gained by the lie (1e18 = perfect) and the version."""
        honest = self._all()
        position, false = self._falsify(honest[0])
        self._publish([false, *honest[1:]])
        metric = by_signature(self.metric_signature)
        gained = metric.score(false.tree.root.sums[1:]) - metric.score(honest[0].tree.root.sums[1:])
        return position, gained, false.version

    def drop(self) -> None:
        """Attests and reveals what this journal has: answers that were posted on chain alone become silence."""
        self._publish(self._all())

    def _all(self) -> list[Forged]:
        enrolled = [entry.version for entry in round_log(self.chain, self.record.round).enrolled]
        return [self._honest(version) for version in enrolled]

    def _publish(self, forged: list[Forged]) -> None:
        self.door.send(self.chain.rounds.attest(self.record.round, [Attestation(f.version, f.tree.root) for f in forged]))
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "bundle"
            self._write(forged, folder)
            self.door.send(self.chain.rounds.reveal(self.record.round, digest_of(self.store.add(folder))))

    @property
    def metric_signature(self) -> str:
        """Signature of the task's metric."""
        return self.chain.metric(self.task.metric).signature()

    def _honest(self, version: VersionId) -> Forged:
        passed = exchanges.exchanges(self.journal, self.record.round, version)
        results = list(score_tree(version, self.items, passed, {}, self.metric_signature).results)
        return Forged(version, results, _tree(results))

    def _falsify(self, honest: Forged) -> tuple[int, Forged]:
        """Gives the first answer that is not the reference the statistics of the reference itself."""
        metric = by_signature(self.metric_signature)
        for position, (item, result) in enumerate(zip(self.items, honest.results, strict=True)):
            perfect = metric.measure(item.reference, item.reference)
            if item.kind is Kind.SCORED and result.outcome is Outcome.ANSWERED and result.sums[1:] != perfect:
                results = list(honest.results)
                results[position] = replace(result, sums=(result.sums[0], *perfect))
                return position, Forged(honest.version, results, _tree(results))
        sys.exit("there is nothing to falsify: every answer is its reference")

    def _write(self, forged: list[Forged], folder: Path) -> None:
        record = self.record
        models = {enrolment.version: enrolment.model for enrolment in self.journal.enrolments(record.round)}
        facts = ManifestFacts(
            chain_id=record.chain_id,
            contracts={name: getattr(self.chain.deployment, name) for name in CONTRACTS},
            round=record.round,
            benchmarker=record.benchmarker,
            operator=record.operator,
            task_params=self.task,
            description=orjson.loads(record.description),
            items=record.items,
            set_root=record.set_root,
            versions=tuple(VersionFacts(f.version, models[f.version], *unpack_counts(f.tree.root.sums[0])) for f in forged),
            tools={"assay": "of my own"},
        )
        items = (
            ItemLine(p, i.kind, i.prompt, i.reference, self.salts.salt(record.nonce, p), group_of(i, p), i.tags)
            for p, i in enumerate(self.items)
        )
        answers = {f.version: list(self._answers(f)) for f in forged}
        bundle.write(folder, facts, record.card, card_text(record.card), items, answers)

    def _answers(self, forged: Forged) -> Iterator[AnswerLine]:
        passed = exchanges.exchanges(self.journal, self.record.round, forged.version)
        for position, result in enumerate(forged.results):
            exchange = passed.get(position)
            ask, ack = (exchange.ask, exchange.ack) if exchange else (None, None)
            yield AnswerLine(
                position=position,
                outcome=result.outcome,
                response=result.response,
                sums=result.sums,
                ask=AskPart(ask.answer_until, ask.signature) if ask else None,
                answer=result.signature,
                ack=ack.signature if ack else None,
            )


def _tree(results: list[Result]) -> SumTree:
    return SumTree([result.leaf(position) for position, result in enumerate(results)])


def main() -> None:
    """Falsifies one round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("round", help="id of an answered round of this home, past its answerBy")
    parser.add_argument("--key", default="operator")
    parser.add_argument("--drop", action="store_true", help="drop what was posted, instead of falsifying a score")
    options = parser.parse_args()
    forger = Forger(RoundId(bytes.fromhex(options.round.removeprefix("0x"))), options.key)
    if options.drop:
        forger.drop()
        return
    position, gained, version = forger.forge()
    sys.stdout.write(f"position {position} of version 0x{version.hex()} is false: {gained / 1e16:+.2f} BLEU\n")


if __name__ == "__main__":
    main()
