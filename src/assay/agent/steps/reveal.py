"""reveal: write the bundle, keep it, and publish its digest. From then on everybody can check everything."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version as version_of
from pathlib import Path

import orjson

from assay import __version__
from assay.agent import exchanges
from assay.agent.card import card_text, group_of
from assay.agent.context import Agent
from assay.agent.records import BundleRecord, Exchange, SetItem
from assay.agent.rounds import Standing, after_answers, defect, demand_window, salts, send, settle, standing
from assay.agent.steps.score import build
from assay.agent.trees import NOTHING, ScoreTree
from assay.chain.deployments import CONTRACTS
from assay.chain.index import round_log
from assay.encoding.seals import SetTree, set_leaf
from assay.encoding.sumtree import commitment, unpack_counts
from assay.storage import bundle
from assay.storage.bundle import AnswerLine, AskPart, ItemLine, ManifestFacts, VersionFacts
from assay.storage.cids import digest_of
from assay.types import ModelId, Phase, RoundId, VersionId

STEP = "reveal"


@dataclass(frozen=True, slots=True)
class RevealReport:
    """A revealed round. `challenge_until` is the end of the challenge window as it stands; a demand moves it."""

    round: RoundId
    cid: str
    digest: bytes
    challenge_until: int
    sent: bool


def run(agent: Agent, round_: RoundId) -> RevealReport:
    """Write the bundle into the store and publish its digest; a second call finds what the first one did.

    No opening is written before a final block is past answerBy: NotYet then. TooLate after revealBy. Fatal where a rebuilt tree
    is not the attested one.
    """
    with agent.journal.alone():
        settle(agent, round_, STEP)
        found = standing(agent, round_)
        if found.facts.revealed_at:
            return _report(agent, found, _kept(agent, found), sent=False)
        waiting_for = "not all enrolled versions are attested"
        demand_window(found, Phase.REVEALING, found.deadlines.answer_by, waiting_for=waiting_for)
        after_answers(agent, found.deadlines, final_only=True)
        record = _bundle(agent, found)
        send(agent, round_, STEP, agent.chain.rounds.reveal(round_, record.digest))
        return _report(agent, standing(agent, round_), record, sent=True)


def _report(agent: Agent, found: Standing, record: BundleRecord, *, sent: bool) -> RevealReport:
    until = agent.chain.rounds.closing(found.record.round, at=found.block.number).final_at
    return RevealReport(found.record.round, record.cid, record.digest, until, sent)


def _kept(agent: Agent, found: Standing) -> BundleRecord:
    for record in agent.journal.bundles(found.record.round):
        if record.digest == found.facts.bundle_digest:
            return record
    raise defect(f"the chain names a bundle 0x{found.facts.bundle_digest.hex()} that this journal never made")


def _bundle(agent: Agent, found: Standing) -> BundleRecord:
    """The bundle of the round, in the store and in the journal; one that is there already is taken again."""
    for record in reversed(agent.journal.bundles(found.record.round)):
        if agent.store.has(record.cid):
            return record
    with _scratch(agent, found.record.round) as scratch:
        folder = scratch / "bundle"
        _write(agent, found, folder)
        cid = agent.store.add(folder)
    record = BundleRecord(cid, digest_of(cid))
    agent.journal.add_bundle(found.record.round, record)
    return record


@contextmanager
def _scratch(agent: Agent, round_: RoundId) -> Iterator[Path]:
    """A private folder of the round, gone afterwards; what a killed run left in it is removed. The lease keeps others out."""
    path = agent.journal.path.parent / f".bundle-{round_.hex()}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _write(agent: Agent, found: Standing, folder: Path) -> None:
    record, items = found.record, agent.journal.placed_items(found.record.round)
    trees = {tree.version: tree for tree in build(agent, found, round_log(agent.chain, record.round, found.block.number))}
    _demand_attested(agent, found, trees)
    lines = list(_item_lines(agent, found, items))
    models = {enrolment.version: enrolment.model for enrolment in agent.journal.enrolments(record.round)}
    facts = ManifestFacts(
        chain_id=record.chain_id,
        contracts={name: getattr(agent.chain.deployment, name) for name in CONTRACTS},
        round=record.round,
        benchmarker=record.benchmarker,
        operator=record.operator,
        task_params=found.task,
        description=orjson.loads(record.description),
        items=record.items,
        set_root=record.set_root,
        versions=tuple(_version_facts(tree, models) for tree in trees.values()),
        tools={"assay": __version__, "sacrebleu": version_of("sacrebleu")},
    )
    answers = {
        tree.version: _answer_lines(tree, exchanges.exchanges(agent.journal, record.round, tree.version))
        for tree in trees.values()
    }
    bundle.write(folder, facts, record.card, card_text(record.card), lines, answers)


def _demand_attested(agent: Agent, found: Standing, trees: Mapping[VersionId, ScoreTree]) -> None:
    for tree in trees.values():
        if agent.chain.rounds.commitment(found.record.round, tree.version) != commitment(tree.root):
            raise defect(f"the tree of version 0x{tree.version.hex()} is not the one that was attested")


def _item_lines(agent: Agent, found: Standing, items: Sequence[SetItem]) -> Iterator[ItemLine]:
    """Items with their salts. Fatal unless they lead to the sealed root, as with another master secret."""
    record, drawn = found.record, salts(agent)
    lines = [
        ItemLine(p, i.kind, i.prompt, i.reference, drawn.salt(record.nonce, p), group_of(i, p), i.tags)
        for p, i in enumerate(items)
    ]
    leaves = [set_leaf(record.chain_id, record.rounds_contract, record.benchmarker, line.item) for line in lines]
    if SetTree(leaves).root != record.set_root:
        raise defect("items and salts do not lead to the sealed root: is this the master secret of the seal?")
    yield from lines


def _version_facts(tree: ScoreTree, models: Mapping[VersionId, ModelId]) -> VersionFacts:
    answered, silent, decoys = unpack_counts(tree.root.sums[0])
    return VersionFacts(tree.version, models[tree.version], answered, silent, decoys)


def _answer_lines(tree: ScoreTree, passed: Mapping[int, Exchange]) -> Iterator[AnswerLine]:
    for position, result in enumerate(tree.results):
        exchange = passed.get(position, NOTHING)
        ask, answer, ack = exchange.ask, exchange.answer, exchange.ack
        yield AnswerLine(
            position=position,
            outcome=result.outcome,
            response=result.response,
            sums=result.sums,
            ask=AskPart(ask.answer_until, ask.signature) if ask else None,
            answer=result.signature,
            ack=ack.signature if ack else None,
            asked_at=ask.asked_at if ask else None,
            answered_at=answer.answered_at if answer else None,
            latency_ms=answer.latency_ms if answer else None,
        )
