"""A small round as chain and bundle would show it: real signatures, real trees, real BLEU, no node.

`items` and `lines` are what the bundle publishes. `sealed` and `attested` are what the chain was told, the same lists unless a
test sets them apart. Change something, then `write` and `facts`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.audit.facts import ChainFacts, MetricFacts, Posted, Sitting
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
    ScoreView,
    Standing,
    TaskParams,
    Version,
    VersionId,
)

CHAIN_ID = 31337
SEALED_AT = 1_800_000_000
METRIC = Bleu()
DESCRIPTION = {"name": "a small exam", "metric_signature": METRIC.signature}
PROMPTS = (
    "Guten Tag.",
    "Wie geht es dir?",
    "Das ist ein Haus.",
    "Lockvogel",
    "Ein Hund bellt laut.",
    "Der Mond scheint.",
    "Ende",
)
REFERENCES = ("Good day.", "How are you?", "This is a house.", "decoy", "A dog barks loudly.", "The moon is shining.", "The end")
DECOY, SILENT = 3, 5


def seeded(name: str) -> bytes:
    return keccak(b"exam/" + name.encode())


def address(name: str) -> Any:
    return checksum(seeded(name)[12:])


CONTRACTS = {name: address(name) for name in ("tasks", "models", "vault", "rounds", "judge", "disputes")}


def some_items(count: int = 7) -> list[ItemLine]:
    return [
        ItemLine(
            position,
            Kind.DECOY if position % 7 == DECOY else Kind.SCORED,
            f"{PROMPTS[position % 7]}{position // 7 or ''}".encode(),
            REFERENCES[position % 7].encode(),
            seeded(f"salt {position}"),
            f"document {position // 2}",
            ("news",),
        )
        for position in range(count)
    ]


class Exam:
    contracts: Mapping[str, Any] = CONTRACTS
    metric = address("metric")
    started = SEALED_AT
    examiner = "benchmarker"

    def __init__(self, items: Sequence[ItemLine] | None = None, **task: int) -> None:
        self.operator, self.stranger = LocalSigner(seeded("operator")), LocalSigner(seeded("stranger"))
        self.owner = LocalSigner(seeded(self.examiner))
        self.benchmarker = self.owner.address
        self.items = list(items if items is not None else some_items())
        self.sealed = self.items
        self.sealed_for = (CHAIN_ID, self.contracts["rounds"])
        self.params = self._params(task)
        self.round = self._round_id()
        self.domain = Domain(CHAIN_ID, self.contracts["rounds"])
        self.providers = [LocalSigner(seeded(f"provider {number}")) for number in range(2)]
        self.versions = [self._version(number, signer) for number, signer in enumerate(self.providers)]
        self.lines = {version.id: self._answers(version.id, number) for number, version in enumerate(self.versions)}
        self.attested = self.lines
        self.decoys_carry = False
        self.posted: list[Posted] = []
        self.posted_texts: list[bytes] = []
        self.card = canonical({"schema": 1, "name": "exam", "groups": [item.group for item in self.items]}) + b"\n"
        self.card_md = "# A small exam\n\nHand-made.\n"

    @property
    def first(self) -> VersionId:
        return self.versions[0].id

    def _params(self, changes: dict[str, int]) -> TaskParams:
        digest = hashlib.sha256(canonical(DESCRIPTION)).digest()
        params = TaskParams(digest, self.metric, 1, 1000, 400, 3000, 3600, 600, 3600, 3600, 86_400, 10**18, 60, 10**17, 10**16)
        return replace(params, **changes)

    def _set_root(self) -> bytes:
        return SetTree([set_leaf(*self.sealed_for, self.benchmarker, line.item) for line in self.sealed]).root

    def _round_id(self) -> Any:
        size, task = len(self.sealed), task_id(self.params)
        return round_id(CHAIN_ID, self.contracts["rounds"], self.benchmarker, task, self._set_root(), size, self.operator.address)

    def _version(self, number: int, signer: LocalSigner) -> Version:
        model = model_id(address(f"owner {number}"), seeded(f"name {number}"))
        id_ = version_id(model, 1, seeded(f"commitment {number}"), signer.address)
        return Version(id_, model, address(f"owner {number}"), signer.address, SEALED_AT - 10, 1)

    def _answers(self, version: VersionId, number: int) -> list[AnswerLine]:
        texts = [item.reference if number else item.reference.replace(b"a", b"the") for item in self.items]
        return [
            self.silence(version, item.position)
            if item.position % 7 == SILENT and not number
            else self.answer(version, item.position, texts[item.position])
            for item in self.items
        ]

    def ask(self, version: VersionId, position: int, prompt: bytes | None = None, until: int | None = None) -> AskPart:
        hashed = keccak(self.items[position].prompt if prompt is None else prompt)
        until = self.started + 1000 if until is None else until
        return AskPart(until, self.operator.sign(self.domain.ask(self.round, version, position, hashed, until)))

    def sign_answer(self, version: VersionId, position: int, response: bytes, signer: LocalSigner | None = None) -> bytes:
        owner = next(provider for provider, known in zip(self.providers, self.versions, strict=True) if known.id == version)
        hashes = keccak(self.items[position].prompt), keccak(response)
        return (signer or owner).sign(self.domain.answer(self.round, version, position, *hashes))

    def sign_ack(self, version: VersionId, position: int, response: bytes) -> bytes:
        return self.operator.sign(self.domain.ack(self.round, version, position, keccak(response)))

    def answer(self, version: VersionId, position: int, response: bytes) -> AnswerLine:
        item = self.items[position]
        if item.kind is Kind.DECOY:
            outcome, words = Outcome.DECOY, (0,)
        else:
            outcome, words = Outcome.ANSWERED, METRIC.measure(response, item.reference)
        return AnswerLine(
            position,
            outcome,
            response,
            (counts_word(outcome), *words),
            ask=self.ask(version, position),
            answer=self.sign_answer(version, position, response),
            ack=self.sign_ack(version, position, response),
            asked_at=float(self.started + 5),
            answered_at=self.started + 6.25,
            latency_ms=1250.0,
            tokens=4,
        )

    def silence(self, version: VersionId, position: int) -> AnswerLine:
        words = METRIC.measure(b"", self.items[position].reference)
        ask = self.ask(version, position)
        return AnswerLine(position, Outcome.SILENT, None, (counts_word(Outcome.SILENT), *words), ask=ask)

    def edit(self, position: int, version: VersionId | None = None, **changes: Any) -> None:
        """Changes a published and attested line."""
        lines = self.lines[version or self.first]
        lines[position] = replace(lines[position], **changes)

    def post(self, position: int, response: bytes, prompt: bytes | None = None) -> None:
        prompt = self.items[position].prompt if prompt is None else prompt
        self.posted.append(Posted(self.first, position, keccak(prompt), keccak(response)))
        self.posted_texts.append(response)

    def root(self, version: VersionId) -> Node:
        nodes = []
        for line in self.attested[version]:
            bare = line.outcome is Outcome.DECOY and not self.decoys_carry
            texts = (b"", b"", b"") if bare else (line.response or b"", line.answer or b"", line.evidence)
            nodes.append(Node(score_leaf(line.position, line.outcome, *texts), line.sums))
        return SumTree(nodes).root

    def write(self, folder: Path, **changes: Any) -> Path:
        """The bundle as a folder; `changes` are to the manifest's facts."""
        entries = tuple(VersionFacts(version.id, version.model, *self._counts(version.id)) for version in self.versions)
        facts = ManifestFacts(
            chain_id=CHAIN_ID,
            contracts=self.contracts,
            round=self.round,
            benchmarker=self.benchmarker,
            operator=self.operator.address,
            task_params=self.params,
            description=DESCRIPTION,
            items=len(self.items),
            set_root=self._set_root(),
            versions=entries,
            tools={"assay": "0.1.0"},
        )
        facts = replace(facts, **changes)
        answers = {entry.version: self.lines[entry.version] for entry in facts.versions}
        bundle.write(folder, facts, self.card, self.card_md, self.items, answers)
        return folder

    def _counts(self, version: VersionId) -> list[int]:
        outcomes = [line.outcome for line in self.lines[version]]
        return [outcomes.count(outcome) for outcome in Outcome]

    def _sitting(self, version: Version) -> Sitting:
        number = self.versions.index(version)
        root = self.root(version.id)
        answered, silent, decoys = unpack_counts(root.sums[0])
        complete = silent * 10_000 <= self.params.max_silence_bps * (answered + silent)
        score = METRIC.score(root.sums[1:]) if complete else 0
        standing = Standing.SCORED if complete else Standing.INCOMPLETE
        view = ScoreView(Phase.CHALLENGING, standing, score, answered, silent, decoys)
        return Sitting(version, seeded(f"commitment {number}"), root, commitment(root), score, view)

    def facts(self, folder: Path | None) -> ChainFacts:
        """What the chain says, with the digest of this folder revealed."""
        p = self.params
        answer_by = SEALED_AT + p.answer_window
        attest_by = answer_by + p.attest_window
        reveal_by = attest_by + p.reveal_window
        return ChainFacts(
            chain_id=CHAIN_ID,
            contracts=self.contracts,
            block=Block(100, seeded("block"), SEALED_AT + 9000),
            round=Round(
                id=self.round,
                set_root=self._set_root(),
                task=task_id(p),
                benchmarker=self.benchmarker,
                operator=self.operator.address,
                items=len(self.sealed),
                sealed_at=SEALED_AT,
                revealed_at=answer_by + 100 if folder else 0,
                enrolled=len(self.versions),
                attested=len(self.versions),
                fault=Fault.NONE,
                bundle_digest=digest_of(folder_cid(folder)) if folder else bytes(32),
            ),
            phase=Phase.CHALLENGING if folder else Phase.REVEALING,
            deadlines=Deadlines(answer_by, attest_by, reveal_by, reveal_by + p.challenge_window),
            card_digest=hashlib.sha256(self.card).digest(),
            task=p,
            metric=MetricFacts(METRIC.signature, METRIC.words, METRIC.max_bytes, seeded("code"), "Bleu"),
            sittings=tuple(self._sitting(version) for version in self.versions),
            posted=tuple(self.posted),
            closing=Closing(answer_by + 100 + p.challenge_window, 0) if folder else Closing(0, 0),
        )
