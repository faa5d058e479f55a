"""A round of any size as chain and bundle would show it: real sentences, real signatures, real trees, and no node.

Sentences are those of the test data, a version's answers seeded corruptions of the references. One item in fifty is a decoy,
one answer in two hundred never came.
"""

import csv
import hashlib
import pickle
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

from assay.audit.facts import ChainFacts, MetricFacts, Sitting
from assay.encoding.hashing import checksum, keccak
from assay.encoding.ids import model_id, round_id, task_id, version_id
from assay.encoding.receipts import Domain, LocalSigner
from assay.encoding.seals import SetTree, set_leaf
from assay.encoding.sumtree import SumTree, commitment, counts_word, score_leaf, unpack_counts
from assay.metrics import Bleu
from assay.storage import bundle
from assay.storage.bundle import AnswerLine, AskPart, ItemLine, ManifestFacts, VersionFacts
from assay.storage.cids import digest_of, folder_cid
from assay.storage.lines import canonical
from assay.types import (
    Block,
    Closing,
    Deadlines,
    Fault,
    Kind,
    Node,
    Outcome,
    Phase,
    Round,
    RoundId,
    ScoreView,
    Standing,
    TaskParams,
    Version,
    VersionId,
)

DATA = Path(__file__).resolve().parents[1] / "tests" / "data"
SETS = ("ntrex-128/eng-spa", "ntrex-128/eng-por-BR", "tico-19/eng-spa_LA", "tico-19/eng-por_BR")
SEED = 20261122
CHAIN_ID, SEALED_AT = 31337, 1_800_000_000
METRIC = Bleu()
DESCRIPTION = {"name": "a round to measure with", "metric_signature": METRIC.signature}
CHUNK = 250
LONGEST = 600  # characters


def seeded(name: str) -> bytes:
    return keccak(f"{SEED}/{name}".encode())


def address(name: str) -> str:
    return checksum(seeded(name)[12:])


CONTRACTS = {name: address(name) for name in ("tasks", "models", "vault", "rounds", "judge", "disputes")}


def sentences() -> Iterator[tuple[str, str]]:
    """Prompts and references, no prompt twice: out of English and, for more of them, into English; after that numbered."""
    rows = []
    for name in SETS:
        with (DATA / f"{name}.tsv").open(encoding="utf-8", newline="\n") as file:
            rows += list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    pairs = [(row["source"], row["reference"]) for row in rows] + [(row["reference"], row["source"]) for row in rows]
    once = {prompt: reference for prompt, reference in pairs if max(len(prompt), len(reference)) < LONGEST}
    for copy in count(1):
        yield from ((prompt if copy == 1 else f"{prompt} ({copy})", reference) for prompt, reference in once.items())


def corrupted(rng: random.Random, text: str, rate: float, words: list[str]) -> str:
    """A text in which words are dropped, doubled, joined by others or replaced at this rate."""
    out: list[str] = []
    for word in text.split(" "):
        choices = [[], [word, word], [rng.choice(words)], [rng.choice(words), word]] if rng.random() < rate else [[word]]
        out += rng.choice(choices)
    return " ".join(out)


class Plan(NamedTuple):
    """What all lines of one version are made with."""

    round: RoundId
    version: VersionId
    number: int
    rate: float


def operator() -> LocalSigner:
    return LocalSigner(seeded("operator"))


def provider(number: int) -> LocalSigner:
    return LocalSigner(seeded(f"provider {number}"))


def item_of(position: int, prompt: str, reference: str) -> ItemLine:
    kind = Kind.DECOY if position % 50 == 7 else Kind.SCORED
    salt, group = seeded(f"salt {position}"), f"document {position // 12}"
    return ItemLine(position, kind, prompt.encode(), reference.encode(), salt, group, ("news",))


def answer_line(plan: Plan, words: list[str], item: ItemLine) -> AnswerLine:
    """One signed exchange."""
    domain, asker, rng = Domain(CHAIN_ID, CONTRACTS["rounds"]), operator(), random.Random(f"{SEED}/{plan.number}/{item.position}")
    until, at, prompt_hash = SEALED_AT + 1000, SEALED_AT + 5 + item.position / 50, keccak(item.prompt)
    ids = (plan.round, plan.version, item.position)
    ask = AskPart(until, asker.sign(domain.ask(*ids, prompt_hash, until)))
    if item.kind is Kind.SCORED and rng.random() < 0.005:
        words_ = METRIC.measure(b"", item.reference)
        return AnswerLine(item.position, Outcome.SILENT, None, (counts_word(Outcome.SILENT), *words_), ask=ask, asked_at=at)
    response = corrupted(rng, item.reference.decode(), plan.rate, words).encode()
    outcome = Outcome.DECOY if item.kind is Kind.DECOY else Outcome.ANSWERED
    measured = METRIC.measure(response, item.reference) if outcome is Outcome.ANSWERED else (0,)
    answer = provider(plan.number).sign(domain.answer(*ids, prompt_hash, keccak(response)))
    ack = asker.sign(domain.ack(*ids, keccak(response)))
    latency = rng.randrange(300_000, 4_000_000) / 1000
    return AnswerLine(
        position=item.position,
        outcome=outcome,
        response=response,
        sums=(counts_word(outcome), *measured),
        ask=ask,
        answer=answer,
        ack=ack,
        asked_at=at,
        answered_at=at + latency / 1000,
        latency_ms=latency,
        tokens=len(response.split()),
    )


def _answers(plan: Plan, words: list[str], items: list[ItemLine]) -> list[AnswerLine]:
    return [answer_line(plan, words, item) for item in items]


def _leaf(line: AnswerLine) -> Node:
    bare = line.outcome is Outcome.DECOY
    texts = (b"", b"", b"") if bare else (line.response or b"", line.answer or b"", b"")
    return Node(score_leaf(line.position, line.outcome, *texts), line.sums)


def write_round(folder: Path, size: int, versions: int, executor: Executor) -> None:
    """Writes `bundle`, `facts.pickle`, and for sacreBLEU `references.txt` and `<version>.txt`, one line a pair, into `folder`."""
    pairs = list(islice(sentences(), size))
    items = [item_of(position, *pair) for position, pair in enumerate(pairs)]
    words = [word for _, reference in pairs[:2000] for word in reference.split(" ")]
    params = _params(size)
    root = SetTree([set_leaf(CHAIN_ID, CONTRACTS["rounds"], address("benchmarker"), item.item) for item in items]).root
    round_ = round_id(CHAIN_ID, CONTRACTS["rounds"], address("benchmarker"), task_id(params), root, size, operator().address)
    known = [_version(number) for number in range(versions)]
    chunks = [items[at : at + CHUNK] for at in range(0, size, CHUNK)]
    answers: dict[VersionId, list[AnswerLine]] = {}
    for number, version in enumerate(known):
        plan = Plan(round_, version.id, number, 0.1 + 0.5 * number / versions)
        answers[version.id] = [line for part in executor.map(partial(_answers, plan, words), chunks) for line in part]
    card = canonical({"schema": 1, "name": "made", "groups": [item.group for item in items]}) + b"\n"
    facts = _facts(params, round_, root, size, known, answers, card)
    _write_bundle(folder / "bundle", facts, items, answers, card)
    digest = digest_of(folder_cid(folder / "bundle"))
    facts = replace(facts, round=replace(facts.round, bundle_digest=digest))
    (folder / "facts.pickle").write_bytes(pickle.dumps(facts))
    _write_lines(folder / "references.txt", (item.reference for item in items))
    for number, version in enumerate(known):
        _write_lines(folder / f"{number}.txt", (line.response or b"" for line in answers[version.id]))


def _write_lines(path: Path, lines: Iterable[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def _params(size: int) -> TaskParams:
    digest = hashlib.sha256(canonical(DESCRIPTION)).digest()
    windows = (3600, 600, 3600, 3600, 86_400)
    return TaskParams(digest, address("metric"), 1, size, 2048, 3000, *windows, 10**18, 60, 10**17, 10**16)


def _version(number: int) -> Version:
    model = model_id(address(f"owner {number}"), seeded(f"name {number}"))
    id_ = version_id(model, 1, seeded(f"commitment {number}"), provider(number).address)
    return Version(id_, model, address(f"owner {number}"), provider(number).address, SEALED_AT - 10, 1)


def _sitting(number: int, version: Version, lines: list[AnswerLine]) -> Sitting:
    root = SumTree([_leaf(line) for line in lines]).root
    view = ScoreView(Phase.CHALLENGING, Standing.SCORED, METRIC.score(root.sums[1:]), *unpack_counts(root.sums[0]))
    return Sitting(version, seeded(f"commitment {number}"), root, commitment(root), view.score, view)


def _facts(
    params: TaskParams,
    id_: RoundId,
    root: bytes,
    size: int,
    known: list[Version],
    answers: dict[VersionId, list[AnswerLine]],
    card: bytes,
) -> ChainFacts:
    answer_by = SEALED_AT + params.answer_window
    attest_by = answer_by + params.attest_window
    reveal_by = attest_by + params.reveal_window
    return ChainFacts(
        chain_id=CHAIN_ID,
        contracts=CONTRACTS,
        block=Block(100, seeded("block"), SEALED_AT + 9000),
        round=Round(
            id=id_,
            set_root=root,
            task=task_id(params),
            benchmarker=address("benchmarker"),
            operator=operator().address,
            items=size,
            sealed_at=SEALED_AT,
            revealed_at=attest_by + 100,
            enrolled=len(known),
            attested=len(known),
            fault=Fault.NONE,
            bundle_digest=bytes(32),
        ),
        phase=Phase.CHALLENGING,
        deadlines=Deadlines(answer_by, attest_by, reveal_by, reveal_by + params.challenge_window),
        card_digest=hashlib.sha256(card).digest(),
        task=params,
        metric=MetricFacts(METRIC.signature, METRIC.words, METRIC.max_bytes, seeded("code"), "Bleu"),
        sittings=tuple(_sitting(number, version, answers[version.id]) for number, version in enumerate(known)),
        closing=Closing(attest_by + 100 + params.challenge_window, 0),
    )


def _write_bundle(
    folder: Path, facts: ChainFacts, items: list[ItemLine], answers: dict[VersionId, list[AnswerLine]], card: bytes
) -> None:
    manifest = ManifestFacts(
        chain_id=CHAIN_ID,
        contracts=CONTRACTS,
        round=facts.round.id,
        benchmarker=facts.round.benchmarker,
        operator=facts.round.operator,
        task_params=facts.task,
        description=DESCRIPTION,
        items=len(items),
        set_root=facts.round.set_root,
        versions=tuple(
            VersionFacts(entry.version.id, entry.version.model, entry.view.answered, entry.view.silent, entry.view.decoys)
            for entry in facts.sittings
        ),
        tools={"assay": "0.1.0"},
    )
    bundle.write(folder, manifest, card, "# Made to measure with\n", items, answers)
