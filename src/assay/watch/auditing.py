"""Audits one round with `assay.audit`, and builds again, when it is to be brought, the proof that an audit found."""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack
from itertools import chain as joined
from itertools import islice

from assay.audit import finding, proofs
from assay.audit.calldata import posted_messages
from assay.audit.evidence import Held, check
from assay.audit.facts import ChainFacts, collect
from assay.audit.openings import Openings
from assay.audit.proofs import Proof, ProofKind
from assay.audit.report import Report, State
from assay.audit.sources import demand_true
from assay.audit.verify import verify
from assay.chain.client import Chain
from assay.errors import AssayError, BadInput, Refused, Tampered
from assay.storage.bundle import Bundle
from assay.storage.cids import cid_of
from assay.storage.limits import DEFAULT_LIMITS
from assay.types import Round, RoundId, VersionId
from assay.watch.inbox import Inbox
from assay.watch.journal import Journal
from assay.watch.library import Library
from assay.watch.peers import Peers
from assay.watch.records import Audit, Found
from assay.watch.reusing import Reuse

__all__ = ["Auditor", "Fetch"]

Fetch = Callable[[str, int], AbstractContextManager[Bundle]]
"""The bundle of a CID with at most so many bytes, for a while; an AssayError where it cannot be had."""
MAX_FOUND = 8
ITEMS_STEP, ROOT_STEP = 7, 19
MOST_BYTES = DEFAULT_LIMITS.total_bytes
AROUND_BYTES, LINE_BYTES, ESCAPED = 80 << 20, 16 << 10, 6
"""What an honest bundle may hold beside its texts: cards and manifest; keys, names and tags of a line; a byte as JSON."""


class Auditor:
    """Reads one chain, fetches bundles, and remembers prompts."""

    def __init__(self, chain: Chain, fetch: Fetch, inbox: Inbox, journal: Journal, library: Library, peers: Peers) -> None:
        """Nothing is read yet."""
        self._chain, self._fetch, self._inbox, self._journal, self._library = chain, fetch, inbox, journal, library
        self._peers = peers
        self._reuse = Reuse(chain, journal, library, inbox, peers, self._held, self._true_bundle)

    def audit(self, round_: RoundId, block: int, evidence: bytes = b"", most_bytes: int = MOST_BYTES) -> Audit:
        """Everything that can be said of a round at a block, by its bundle if it is revealed and served, and by evidence.

        `evidence` is the digest that is kept with it. A bundle of more than `most_bytes` counts as not served.
        """
        facts = collect(self._chain, round_, block)
        held = self._held(facts)
        if not facts.round.revealed_at:
            early = joined(finding.find_leaks(facts, held), finding.find_asks(facts, held))
            found = _found(early, finding.find_answers(facts, held))
            return Audit(round_, evidence, block, served=False, exit_code=2, early=True, found=found)
        with ExitStack() as stack:
            try:
                bundle = self._true_bundle(facts, stack, most_bytes)
            except AssayError:  # whatever it was, there are no bytes that the benchmarker has answered for
                shut = {sitting.version.id: "unserved" for sitting in facts.sittings}
                found = _found(finding.find_asks(facts, held), finding.find_answers(facts, held))
                digest = facts.round.bundle_digest
                return Audit(round_, evidence, block, served=False, exit_code=2, bundle=digest, found=found, shut=shut)
            return self._of_bundle(facts, bundle, held, evidence)

    def evidence(self, round_: Round) -> bytes:
        """A digest of all outside its bundle that an audit looks at: what the inbox holds and, once it is revealed and if it is
        worth it, which rounds of its benchmarker have ended. It changes when there is more to see; empty without any.
        """
        ended = self._peers.ended(round_) if round_.revealed_at else []
        parts = b"".join([self._inbox.digest(round_.id), *(id_ + self._inbox.digest(id_) for id_ in ended)])
        return hashlib.sha256(parts).digest()[:16] if parts else b""

    def build(self, found: Found, round_: RoundId, block: int) -> Proof:
        """The proof that an audit found, on the facts of a newer block. Refused where it would not stand any more."""
        facts = collect(self._chain, round_, block)
        held, kind = self._held(facts), ProofKind(found.kind)
        with ExitStack() as stack:
            bundle = self._true_bundle(facts, stack) if facts.round.revealed_at else None
            if kind is ProofKind.ITEM and bundle is not None and found.version is not None and found.position is not None:
                return proofs.item(facts, Openings(facts, bundle), found.version, found.position, secrets.randbits(64))
            if found.other is not None and bundle is not None:
                made = self._across(kind, facts, bundle, found.other, block, stack)
            elif bundle is not None:
                made = finding.find(facts, bundle, held)
            else:
                made = joined(finding.find_leaks(facts, held), finding.find_asks(facts, held), finding.find_answers(facts, held))
            wanted = kind, found.version, found.position
            for proof in made:
                if (proof.kind, proof.version) == wanted[:2] and (found.other is not None or proof.position == found.position):
                    return proof
        raise Refused(f"the {kind.value} proof does not stand any more", "look at the round again")

    def openings(self, round_: RoundId, block: int, stack: ExitStack) -> tuple[ChainFacts, Openings]:
        """Facts and openings of a served round; the bundle lives as long as the stack."""
        facts = collect(self._chain, round_, block)
        return facts, Openings(facts, self._true_bundle(facts, stack))

    def facts(self, round_: RoundId, block: int) -> ChainFacts:
        """The chain's facts alone."""
        return collect(self._chain, round_, block)

    def _held(self, facts: ChainFacts) -> Held:
        return check(facts, (*self._inbox.messages(facts.round.id), *posted_messages(self._chain, facts)))

    def _true_bundle(self, facts: ChainFacts, stack: ExitStack, most_bytes: int = MOST_BYTES) -> Bundle:
        most_bytes = min(most_bytes, _honest_bytes(facts))
        bundle = stack.enter_context(self._fetch(cid_of(facts.round.bundle_digest), most_bytes))
        demand_true(facts, bundle)
        return bundle

    def _of_bundle(self, facts: ChainFacts, bundle: Bundle, held: Held, evidence: bytes) -> Audit:
        report = verify(facts, bundle, held)
        self._remember(facts, bundle)
        accusing = (proof for proof in finding.find(facts, bundle, held, report) if proof.kind is not ProofKind.ANSWERS)
        found = _found(accusing, finding.find_answers(facts, held, bundle))
        is_lost = any(each.kind != ProofKind.ANSWERS for each in found)
        found += self._reuse.found(facts, bundle, is_lost=is_lost)
        failed = tuple(step.number for step in report.steps if step.state is State.FAILED)
        return Audit(
            facts.round.id, evidence, facts.block.number, served=True, exit_code=report.exit_code,
            bundle=facts.round.bundle_digest, failed=failed, found=found, shut=_shut(facts, bundle, report),
        )  # fmt: skip

    def _remember(self, facts: ChainFacts, bundle: Bundle) -> None:
        try:
            self._library.add_bundle(facts.round.id, bundle)
        except (Tampered, BadInput):  # told by the verification
            return

    def _across(
        self, kind: ProofKind, facts: ChainFacts, bundle: Bundle, other: RoundId, block: int, stack: ExitStack
    ) -> Iterator[Proof]:
        earlier = collect(self._chain, other, block)
        if kind is ProofKind.REUSE_BY_ASK:
            return finding.find_reuse_by_ask(facts, bundle, earlier, self._held(earlier))
        return finding.find_reuse(facts, bundle, earlier, self._true_bundle(earlier, stack))


def _honest_bytes(facts: ChainFacts) -> int:
    """More than any honest bundle of the round has: a line holds two texts, there is one an item and one an answer."""
    lines = facts.round.items * (1 + len(facts.sittings))
    return AROUND_BYTES + lines * (2 * ESCAPED * facts.task.max_bytes + LINE_BYTES)


def _found(accusing: Iterable[Proof], answers: Iterable[Proof]) -> tuple[Found, ...]:
    """The first proofs against the benchmarker, and one of each provider that answered twice: neither hides the other."""
    made = joined(islice(accusing, MAX_FOUND), answers)
    return tuple(Found(proof.kind, proof.version, proof.position) for proof in made)


def _shut(facts: ChainFacts, bundle: Bundle, report: Report) -> dict[VersionId, str]:
    """Versions of which this bundle opens nothing."""
    ids = [sitting.version.id for sitting in facts.sittings]
    if report.steps[ITEMS_STEP - 1].state is not State.PASSED:
        return dict.fromkeys(ids, "items")
    if report.steps[ROOT_STEP - 1].state is State.PASSED:
        return {}
    openings, found = Openings(facts, bundle), {}
    for id_ in ids:
        try:
            if not openings.rebuilt(id_).attested:
                found[id_] = "root"
        except (Tampered, BadInput):
            found[id_] = "lines"
    return found
