"""From the chain and stores of bundles to what the ranking needs: statistics are measured anew; claimed sums not looked at."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from assay.audit.facts import ChainFacts, Sitting, collect
from assay.audit.sources import round_bundle
from assay.audit.verify import verify
from assay.chain import index
from assay.chain.client import Chain
from assay.chain.gas import round_gas
from assay.chain.minima import check_task
from assay.errors import AssayError, BadInput, Retry, Unreachable
from assay.metrics import METRICS, Metric, by_signature
from assay.rank.board import Entry, Unranked, entries_of
from assay.rank.table import RoundResult, VersionResult
from assay.storage.bundle import Bundle, ItemLine
from assay.storage.cids import cid_of
from assay.storage.fetching import NOWHERE, Places
from assay.storage.store import Store
from assay.types import Address, Block, Kind, Outcome, Phase, RoundId, Sums, TaskId

MEMORY_SECONDS = 365 * 86_400
"""So long a benchmarker answers for what it revealed: one bundle that is not served, and none of its rounds is ranked."""
SERVED = {Phase.CHALLENGING, Phase.FINAL}
WAITING = {
    Phase.ANSWERING: "its answers are not in yet",
    Phase.ATTESTING: "it is not attested yet",
    Phase.REVEALING: "it is not revealed yet",
    Phase.VOID: "nobody was enrolled",
    Phase.FORFEITED: "its benchmarker missed a deadline",
}

Loaded = tuple[list[RoundResult], list[Unranked]]


def rounds_of(chain: Chain, task: TaskId) -> list[RoundId]:
    """All rounds of a task in the order of their seals. BadInput for an unknown task; Unreachable."""
    if chain.tasks.params(task) is None:
        raise BadInput(f"the chain knows no task 0x{task.hex()}", "See `assay task list`.", where="--task")
    return [sealed.round for sealed in index.sealed_rounds(chain, task=task)]


class Library(NamedTuple):
    """Where bundles are looked for: stores first, then nodes and gateways of IPFS."""

    shelves: Sequence[Store]
    places: Places = NOWHERE

    @contextmanager
    def bundle(self, facts: ChainFacts) -> Iterator[Bundle | None]:
        """The bundle of a round; None where nobody who was asked gives it. Errors as `audit.sources.round_bundle`."""
        shelf = next((shelf for shelf in self.shelves if shelf.has(cid_of(facts.round.bundle_digest))), self.shelves[0])
        with ExitStack() as stack:
            try:
                found = stack.enter_context(round_bundle(facts, shelf, None, self.places))
            except Unreachable:  # one benchmarker's silence must not end a ranking of all
                found = None
            yield found


def load(chain: Chain, library: Library, rounds: Iterable[RoundId], done: Callable[[int], None]) -> Loaded:
    """Verified results of rounds, and why the others have none. `done` is called with 1 after each. BadInput, Unreachable."""
    results: list[RoundResult] = []
    unranked: list[Unranked] = []
    for round_ in rounds:
        found = _load(chain, library, collect(chain, round_))
        if isinstance(found, Unranked):
            unranked.append(found)
        else:
            results.append(found)
        done(1)
    return results, unranked


def demand_served(chain: Chain, library: Library, loaded: Loaded) -> Loaded:
    """Moves to the unranked all rounds of benchmarkers one of whose bundles, revealed in the last year, is nowhere to be had."""
    results, unranked = loaded
    head, missing = chain.head(), {}
    for benchmarker in dict.fromkeys(result.benchmarker for result in results):
        round_ = _unserved(chain, library, benchmarker, head)
        if round_ is not None:
            missing[benchmarker] = f"its benchmarker does not serve round 0x{round_.hex()[:10]}…, revealed within a year"
    kept = [result for result in results if result.benchmarker not in missing]
    gone = [
        Unranked(r.round, r.benchmarker, r.phase, missing[r.benchmarker], entries_of(r))
        for r in results
        if r.benchmarker in missing
    ]
    return kept, [*unranked, *gone]


def round_result(facts: ChainFacts, bundle: Bundle, gas: dict[str, int]) -> RoundResult:
    """Result of a round whose bundle has been verified. BadInput where the bundle belongs to another round or cannot be read.

    An item without a group is a group of its own. The metric beside the round's is computed here and attested by nobody.
    """
    if bundle.manifest.facts.round != facts.round.id:
        raise BadInput("the bundle belongs to another round", "Name the bundle of this round.", where=str(bundle.folder))
    metric, other = by_signature(facts.metric.signature), other_metric(facts.metric.signature)
    items = [item for item in bundle.items() if item.kind is Kind.SCORED]
    return RoundResult(
        round=facts.round.id,
        benchmarker=facts.round.benchmarker,
        phase=facts.phase,
        metric=metric,
        groups=[item.group or f"position {item.position}" for item in items],
        versions=[_version_result(bundle, (metric, other), items, sitting) for sitting in facts.sittings],
        gas=gas,
        other=other,
        task=facts.round.task,
    )


def other_metric(signature: str) -> Metric | None:
    """The metric shown beside a round's own: chrF beside BLEU, BLEU beside chrF, none beside others."""
    names = {signature.partition("|")[0] for signature in METRICS}
    wanted = {"BLEU": "chrF2", "chrF2": "BLEU"}.get(signature.partition("|")[0])
    if wanted not in names:
        return None
    return next(metric for known, metric in METRICS.items() if known.partition("|")[0] == wanted)


def _load(chain: Chain, library: Library, facts: ChainFacts) -> RoundResult | Unranked:
    reason = _reason(chain, facts)
    if not reason:
        try:
            return _sound_result(chain, library, facts)
        except Retry:
            raise
        except AssayError as error:  # whatever a stranger's bundle does, the others are ranked
            reason = error.message
    return Unranked(facts.round.id, facts.round.benchmarker, facts.phase, reason, _entries(facts.sittings))


def _sound_result(chain: Chain, library: Library, facts: ChainFacts) -> RoundResult:
    with library.bundle(facts) as bundle:
        if bundle is None:
            raise BadInput("no bundle is served")
        if verify(facts, bundle).exit_code != 0:
            raise BadInput(f"assay verify 0x{facts.round.id.hex()[:10]} does not find it sound")
        return round_result(facts, bundle, round_gas(chain, facts.round.id))


def _reason(chain: Chain, facts: ChainFacts) -> str:
    """Why a round cannot be ranked whatever its bundle holds; empty where it can."""
    if facts.phase is Phase.SLASHED:
        return f"a fault was proven: {facts.round.fault.name.lower()}"
    if facts.phase not in SERVED:
        return WAITING.get(facts.phase, facts.phase.name.lower())
    try:
        check_task(chain, facts.task)
    except Retry:
        raise
    except AssayError as error:
        return error.message
    return ""


def _unserved(chain: Chain, library: Library, benchmarker: Address, head: Block) -> RoundId | None:
    for sealed in index.sealed_rounds(chain, benchmarker, to_block=head.number):
        facts = chain.rounds.round(sealed.round, at=head.number)
        recent = facts is not None and facts.revealed_at > head.timestamp - MEMORY_SECONDS
        if facts is None or not recent or chain.rounds.phase(sealed.round, at=head.number) not in SERVED:
            continue
        if not _is_served(library, collect(chain, sealed.round, at=head.number)):
            return sealed.round
    return None


def _is_served(library: Library, facts: ChainFacts) -> bool:
    try:
        with library.bundle(facts) as bundle:
            return bundle is not None
    except Retry:
        raise
    except AssayError:
        return False


def _entries(sittings: Iterable[Sitting]) -> tuple[Entry, ...]:
    return tuple(Entry(s.version.id, s.version.model, s.version.number, s.view.standing) for s in sittings)


def _version_result(
    bundle: Bundle, metrics: tuple[Metric, Metric | None], items: list[ItemLine], sitting: Sitting
) -> VersionResult:
    version = sitting.version.id
    answers = [line for line in bundle.answers(version) if line.outcome is not Outcome.DECOY]
    if len(answers) != len(items):
        raise BadInput("scored items and answers differ in number", "Verify the bundle first.", where=version.hex())
    texts = [(line.response or b"") if line.outcome is Outcome.ANSWERED else b"" for line in answers]
    statistics, other = (_measured(metric, texts, items) for metric in metrics)
    return VersionResult(
        version=version,
        standing=sitting.view.standing,
        score=sitting.view.score,
        answered=sitting.view.answered,
        silent=sitting.view.silent,
        outcomes=[line.outcome for line in answers],
        statistics=statistics,
        other=other,
        model=sitting.version.model,
        number=sitting.version.number,
    )


def _measured(metric: Metric | None, texts: list[bytes], items: list[ItemLine]) -> list[Sums]:
    if metric is None:
        return []
    return [metric.measure(text, item.reference) for text, item in zip(texts, items, strict=True)]
