"""Rounds on a real chain, played in step: what is sealed, attested, revealed, published and shown can each be set apart.

A `Planted` is the small exam of the unit tests with real contracts behind it. Faults are made by changing its lists; the package
is used as anybody can use it, by its encoding, its bundle writer and its transaction door.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.audit.evidence import Message
from assay.chain.client import Chain
from assay.chain.deployments import CONTRACTS
from assay.chain.devnet import fund
from assay.chain.door import Door
from assay.encoding.ids import model_id, task_id, version_id
from assay.encoding.receipts import LocalSigner
from assay.encoding.sumtree import SumTree, counts_word, padding_node, parent, score_leaf
from assay.metrics.base import Metric
from assay.storage.bundle import AnswerLine, AskPart, ItemLine
from assay.storage.cids import digest_of, folder_cid
from assay.storage.lines import canonical
from assay.types import Address, Attestation, Node, Outcome, PostedAnswer, Version, VersionId
from unit.audit.exam import METRIC, Exam, seeded, some_items

ETHER = 10**18
DEPOSIT = 2 * ETHER
TASK = {"answer_window": 3600, "max_silence_bps": 3000, "demand_window": 600, "challenge_window": 86_400}
"""Windows in seconds of the chain's clock, which the exercise moves."""


class People:
    """Providers with one committed version each, and whoever needs money on a development chain."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.doors: dict[Address, Door] = {}

    def send(self, signer: LocalSigner, call: Any) -> None:
        """Sends a call; the signer is given money for its gas the first time."""
        if signer.address not in self.doors:
            fund(self.chain.node, signer.address, 100 * ETHER)
            self.doors[signer.address] = Door(self.chain, signer)
        self.doors[signer.address].send(call)

    def stake(self, owner: LocalSigner, operator: LocalSigner, deposit: int = DEPOSIT) -> None:
        """Deposits for an owner and lets an operator lock all of it."""
        self.send(owner, self.chain.vault.deposit(owner.address, deposit))
        self.send(owner, self.chain.vault.allow(operator.address, 1_000 * ETHER))

    def version(self, number: int, operator: LocalSigner) -> Version:
        """The version that provider `number` sits every round with."""
        models, owner = self.chain.models, LocalSigner(seeded(f"owner {number}"))
        model, commitment = model_id(owner.address, seeded(f"name {number}")), seeded(f"commitment {number}")
        id_ = version_id(model, 1, commitment, operator.address)
        if models.version(id_) is None:
            self.stake(owner, operator, 50 * ETHER)
            self.send(owner, models.register_model(owner.address, seeded(f"name {number}")))
            self.send(owner, models.commit_version(model, commitment, operator.address))
        version = models.version(id_)
        assert version is not None
        return version


@dataclass(frozen=True)
class Plant:
    """One row of the exercise: how a round is made, and what has to come of it.

    `fault` is what the chain records in the end: "" for a round that must become Final, FORFEITED for a missed deadline, else the
    fault's name. `by` is the kind of proof, "nobody" where none may come. `provider` says that the first version's bond is taken.
    `before` changes the items before they are sealed, `make` whatever comes after. Rounds of one `owner` share a benchmarker,
    those of the same `words` their questions; `later` ones are sealed last.
    """

    make: Callable[["Planted"], None]
    fault: str
    by: str
    name: str = ""
    before: Callable[[list[ItemLine]], list[ItemLine]] = list
    metric: Metric = METRIC
    provider: bool = False
    owner: str = ""
    words: str = ""
    later: bool = False
    foreign: bool = False

    @property
    def title(self) -> str:
        """Its name, unless it has one of its own that of what makes it."""
        return self.name or self.make.__name__


class Planted(Exam):
    """One round of one benchmarker, whose set, owner and operator are its own unless its plant says otherwise."""

    def __init__(self, people: People, plant: Plant) -> None:
        self.people, self.plant, chain = people, plant, people.chain
        deployment = chain.deployment
        self.contracts = {key: getattr(deployment, key) for key in CONTRACTS}
        self.measures = plant.metric
        self.metric = next(deployment.metrics[name] for name in deployment.metrics if name == type(plant.metric).__name__)
        self.started = chain.head().timestamp
        words = plant.words or plant.title
        own = [
            replace(item, prompt=item.prompt + f" {words}".encode(), salt=seeded(f"{plant.title} {item.position}"))
            for item in some_items()
        ]
        super().__init__(plant.before(own), **TASK)
        self.held: list[Message] = []
        self.inner_lie: tuple[int, int] | None = None
        self.digest: bytes | None = None
        self.attests, self.reveals, self.serves, self.answers_demands = True, True, True, False
        self.folder: Path | None = None
        plant.make(self)

    def _params(self, changes: dict[str, int]) -> Any:
        name = self.plant.owner or self.plant.title
        self.owner, self.operator = LocalSigner(seeded(f"owner of {name}")), LocalSigner(seeded(f"operator of {name}"))
        self.benchmarker = self.owner.address
        if self.plant.foreign:
            self.sealed_for = (self.sealed_for[0], self.metric)
        digest = hashlib.sha256(canonical(self.description)).digest()
        return replace(super()._params(changes), description_digest=digest, metric_words=self.measures.words)

    @property
    def description(self) -> dict[str, str]:
        """The task's."""
        return {"name": "a planted exam", "metric_signature": self.measures.signature}

    def sums(self, outcome: Outcome, response: bytes, position: int) -> tuple[int, ...]:
        """True sums of a leaf."""
        if outcome is Outcome.DECOY:
            return (counts_word(outcome), *[0] * self.measures.words)
        return (counts_word(outcome), *self.measures.measure(response, self.items[position].reference))

    def answer(self, version: VersionId, position: int, response: bytes) -> AnswerLine:
        line = super().answer(version, position, response)
        return replace(line, sums=self.sums(line.outcome, response, position))

    def silence(self, version: VersionId, position: int) -> AnswerLine:
        return replace(super().silence(version, position), sums=self.sums(Outcome.SILENT, b"", position))

    def _version(self, number: int, signer: LocalSigner) -> Version:
        return self.people.version(number, signer)

    def ask(self, version: VersionId, position: int, prompt: bytes | None = None, until: int | None = None) -> AskPart:
        until = self.started + self.params.answer_window // 4 if until is None else until
        if position >= len(self.items):
            hashed = hashlib.sha256(b"beyond").digest()
            return AskPart(until, self.operator.sign(self.domain.ask(self.round, version, position, hashed, until)))
        return super().ask(version, position, prompt, until)

    def tree(self, version: VersionId) -> SumTree:
        """The tree that is attested: that of the lines, but for a lie in an inner node."""
        leaves = [Node(self._leaf_hash(line), line.sums) for line in self.attested[version]]
        return LyingTree(leaves, self.inner_lie) if self.inner_lie and version == self.first else SumTree(leaves)

    def _leaf_hash(self, line: Any) -> bytes:
        bare = line.outcome is Outcome.DECOY and not self.decoys_carry
        texts = (b"", b"", b"") if bare else (line.response or b"", line.answer or b"", line.evidence)
        return score_leaf(line.position, line.outcome, *texts)

    def root(self, version: VersionId) -> Node:
        return self.tree(version).root

    # What a benchmarker sends, step by step

    def seal(self) -> None:
        """Stakes, registers the task, seals."""
        rounds = self.people.chain.rounds
        self.people.stake(self.owner, self.operator)
        self.people.send(self.operator, self.people.chain.tasks.register(self.params))
        digest = hashlib.sha256(self.card).digest()
        call = rounds.seal(self.benchmarker, task_id(self.params), self._set_root(), len(self.sealed), digest)
        self.people.send(self.operator, call)

    def enrol(self) -> None:
        """Enrols both versions, with what their providers signed."""
        pairs = list(zip(self.providers, self.versions, strict=True))
        consents = [signer.sign(self.domain.enrol(self.round, version.id)) for signer, version in pairs]
        ids = [version.id for version in self.versions]
        self.people.send(self.operator, self.people.chain.rounds.enrol(self.round, ids, consents))

    def post_all(self) -> None:
        """Posts what has to be posted."""
        for posted, text in zip(self.posted, self.posted_texts, strict=True):
            ask = self.ask(posted.version, posted.position)
            answer = self.sign_answer(posted.version, posted.position, text)
            place = posted.version, posted.position, posted.prompt_hash
            full = PostedAnswer(*place, ask.answer_until, text, ask.signature, answer)
            self.people.send(self.stranger, self.people.chain.rounds.post_answer(self.round, full))

    def attest(self) -> None:
        """Attests both trees, unless it misses that."""
        if self.attests:
            roots = [Attestation(version.id, self.root(version.id)) for version in self.versions]
            self.people.send(self.operator, self.people.chain.rounds.attest(self.round, roots))

    def reveal(self, folder: Path) -> None:
        """Writes the bundle and reveals it, or the digest of another one, unless it misses that."""
        if not (self.attests and self.reveals):
            return
        self.folder = self.write(folder, description=self.description)
        digest = self.digest or digest_of(folder_cid(self.folder))
        self.people.send(self.operator, self.people.chain.rounds.reveal(self.round, digest))


class LyingTree(SumTree):
    """A tree over true leaves in which one node claims a match more: `lie` is its level and index, which may be padding's."""

    def __init__(self, leaves: list[Node], lie: tuple[int, int]) -> None:
        super().__init__(leaves)
        level, index = lie
        words = len(leaves[0].sums)
        nodes = self._levels[level]
        nodes += [padding_node(level, words)] * (index + 1 - len(nodes))
        node = nodes[index]
        nodes[index] = Node(node.hash, (node.sums[0], node.sums[1] + 1, *node.sums[2:]))
        for height in range(level, self.depth):
            below = self._levels[height]
            below = [*below, *[padding_node(height, words)] * (len(below) % 2)]
            self._levels[height + 1] = [parent(*below[start : start + 2]) for start in range(0, len(below), 2)]
