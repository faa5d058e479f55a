"""What became of each position for one version, measured twice, and the score tree over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.agent.records import Exchange, SetItem
from assay.agent.rounds import defect
from assay.agent.statistics import statistics
from assay.chain.index import Posted
from assay.encoding.sumtree import SumTree, counts_word, empty_score_leaf, score_leaf
from assay.metrics import by_signature
from assay.types import Kind, Node, Outcome, Sums, VersionId

NOTHING = Exchange(None, None, None)


@dataclass(frozen=True, slots=True)
class Result:
    """One position for one version. `response` and `signature` are None where no answer came.

    A decoy's are kept, its leaf is empty.
    """

    outcome: Outcome
    response: bytes | None
    signature: bytes | None
    sums: Sums

    def leaf(self, position: int) -> Node:
        """Leaf of the score tree."""
        if self.outcome is Outcome.ANSWERED:
            return Node(score_leaf(position, self.outcome, self.response or b"", self.signature or b"", b""), self.sums)
        return Node(empty_score_leaf(position, self.outcome), self.sums)


@dataclass(frozen=True, slots=True)
class ScoreTree:
    """All results of one version, and the root over them."""

    version: VersionId
    results: tuple[Result, ...]
    root: Node


def score_tree(
    version: VersionId,
    items: Sequence[SetItem],
    exchanges: Mapping[int, Exchange],
    posted: Mapping[int, Posted],
    signature: str,
) -> ScoreTree:
    """Results and tree of a version. Fatal where sacreBLEU and the mirror of the contract measure differently.

    The answer in the journal counts; where there is none, one posted on chain to the sealed prompt does.
    """
    answers = [_answer(item, exchanges.get(p, NOTHING), posted.get(p)) for p, item in enumerate(items)]
    scored = [p for p, item in enumerate(items) if item.kind is Kind.SCORED]
    measured = dict(zip(scored, measure(signature, [(answers[p][0] or b"", items[p].reference) for p in scored]), strict=True))
    words = by_signature(signature).words
    results = [_result(item, *answers[p], measured.get(p, (0,) * words)) for p, item in enumerate(items)]
    return ScoreTree(version, tuple(results), SumTree([result.leaf(p) for p, result in enumerate(results)]).root)


def measure(signature: str, pairs: Sequence[tuple[bytes, bytes]]) -> list[Sums]:
    """Statistics of pairs of response and reference by the reference software, checked against the mirror of the contract."""
    measured, mirror = statistics(signature, pairs), by_signature(signature)
    for number, (pair, words) in enumerate(zip(pairs, measured, strict=True)):
        if mirror.measure(*pair) != words:
            raise defect(f"sacreBLEU and the mirror of the metric differ on pair {number}: {words} and {mirror.measure(*pair)}")
    return measured


def _answer(item: SetItem, exchange: Exchange, posted: Posted | None) -> tuple[bytes | None, bytes | None]:
    if exchange.answer is not None:
        return exchange.answer.response, exchange.answer.signature
    if posted is not None and posted.prompt_hash == item.prompt_hash:
        return posted.response, posted.answer_signature
    return None, None


def _result(item: SetItem, response: bytes | None, signature: bytes | None, words: Sums) -> Result:
    scored = Outcome.SILENT if response is None else Outcome.ANSWERED
    outcome = Outcome.DECOY if item.kind is Kind.DECOY else scored
    return Result(outcome, response, signature, (counts_word(outcome), *words))
