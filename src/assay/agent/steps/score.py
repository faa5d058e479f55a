"""score: measure every answer and build the score trees, from a chain that cannot change any more. Nothing is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.agent import exchanges
from assay.agent.context import Agent
from assay.agent.records import Contradiction, ScoreRecord, SetItem
from assay.agent.rounds import Standing, after_answers, demand_not_over, standing
from assay.agent.trees import ScoreTree, score_tree
from assay.chain.index import Posted, RoundLog, round_log
from assay.encoding.hashing import keccak
from assay.encoding.receipts import recover
from assay.encoding.sumtree import unpack_counts
from assay.errors import Refused
from assay.metrics import by_signature
from assay.types import Node, Phase, RoundId, VersionId


@dataclass(frozen=True, slots=True)
class Score:
    """A version's score as the chain will compute it. `complete` is False where it was silent too often: it gets no score."""

    version: VersionId
    score: int
    shown: str
    answered: int
    silent: int
    decoys: int
    complete: bool
    root: Node


@dataclass(frozen=True, slots=True)
class ScoreReport:
    """Scores of all enrolled versions, from the state at `block`."""

    round: RoundId
    block: int
    scores: tuple[Score, ...]
    contradictions: int


def run(agent: Agent, round_: RoundId) -> ScoreReport:
    """Build and keep the score trees. NotYet before the answers are over for good, Refused where the round ended without scores.

    Raises Fatal where sacreBLEU and the contract's mirror disagree on any item; nothing is kept then.
    """
    with agent.journal.alone():
        found = standing(agent, round_)
        demand_not_over(found)
        pinned = after_answers(agent, found.deadlines, final_only=False)
        found = standing(agent, round_, pinned)
        trees = list(build(agent, found, round_log(agent.chain, round_, pinned.number)))
        records = [ScoreRecord(tree.version, tree.root, pinned.number, pinned.hash) for tree in trees]
        agent.journal.add_scores(round_, records)
        signature = agent.chain.metric(found.task.metric).signature()
        scores = tuple(_score(found, tree, signature) for tree in trees)
    return ScoreReport(round_, pinned.number, scores, len(exchanges.contradictions(agent.journal, round_)))


def build(agent: Agent, found: Standing, log: RoundLog) -> Iterator[ScoreTree]:
    """Score trees of all enrolled versions, in the order of their enrolment.

    A posted answer that contradicts ours is kept as evidence.
    """
    items = agent.journal.placed_items(found.record.round)
    signature = agent.chain.metric(found.task.metric).signature()
    for done, entry in enumerate(log.enrolled, 1):
        journaled = exchanges.exchanges(agent.journal, found.record.round, entry.version)
        posted = {post.position: post for post in log.posted if post.version == entry.version}
        _keep_contradictions(agent, found, entry.version, items, posted)
        yield score_tree(entry.version, items, journaled, posted, signature)
        agent.progress(done, len(log.enrolled))


def _keep_contradictions(
    agent: Agent, found: Standing, version: VersionId, items: list[SetItem], posted: Mapping[int, Posted]
) -> None:
    """Posted answers that differ from the ones we have: two different Answers under one key are the provider's fault."""
    round_ = found.record.round
    operator = {e.version: e.operator for e in agent.journal.enrolments(round_)}.get(version)
    journaled = exchanges.exchanges(agent.journal, round_, version) if posted else {}
    for position, post in posted.items():
        ours = journaled[position].answer if position in journaled else None
        response_hash = keccak(post.response)
        if ours is None or ours.response_hash == response_hash or post.prompt_hash != items[position].prompt_hash:
            continue
        digest = agent.chain.domain.answer(round_, version, position, post.prompt_hash, response_hash)
        if recover(digest, post.answer_signature) == operator:
            evidence = Contradiction(
                round_, version, position, post.response, response_hash, post.answer_signature, source="chain"
            )
            exchanges.add_contradiction(agent.journal, evidence)


def _score(found: Standing, tree: ScoreTree, signature: str) -> Score:
    metric = by_signature(signature)
    answered, silent, decoys = unpack_counts(tree.root.sums[0])
    asked = answered + silent
    complete = asked > 0 and silent * 10_000 <= found.task.max_silence_bps * asked
    score = metric.score(tree.root.sums[1:]) if complete else 0
    shown = metric.display(score) if complete else "Incomplete"
    return Score(tree.version, score, shown, answered, silent, decoys, complete, tree.root)


def demand_scores(agent: Agent, found: Standing) -> dict[VersionId, ScoreRecord]:
    """The journaled roots, one for each version that the chain enrolled. Refused where one is missing."""
    scores = agent.journal.scores(found.record.round)
    if found.phase > Phase.ANSWERING and len(scores) < found.facts.enrolled:
        raise Refused(f"{found.facts.enrolled} versions are enrolled, {len(scores)} are scored", "run: assay bench score ROUND")
    return scores
