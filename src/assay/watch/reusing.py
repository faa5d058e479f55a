"""Which rounds of one benchmarker share a Scored prompt, where that costs one of them a bond that is worth it.

A benchmarker can seal rounds without a bond as it likes, so the dearest come first, and only proofs that stand are counted.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain as joined
from itertools import islice

from assay.audit import finding
from assay.audit.evidence import Held
from assay.audit.facts import ChainFacts, collect
from assay.audit.proofs import ProofKind
from assay.chain.client import Chain
from assay.errors import AssayError, BadInput, Tampered
from assay.storage.bundle import Bundle
from assay.types import RoundId
from assay.watch.inbox import Inbox
from assay.watch.journal import Journal
from assay.watch.library import Library
from assay.watch.peers import Peers
from assay.watch.records import Found

__all__ = ["Reuse"]

MAX_FOUND, MAX_TRIES = 8, 32


class Reuse:
    """Finds reuse across rounds. `held` is the evidence of a round, `bundle` its bundle for as long as a stack lives."""

    def __init__(
        self,
        chain: Chain,
        journal: Journal,
        library: Library,
        inbox: Inbox,
        peers: Peers,
        held: Callable[[ChainFacts], Held],
        bundle: Callable[[ChainFacts, ExitStack], Bundle],
    ) -> None:
        """Nothing is read yet."""
        self._chain, self._journal, self._library, self._inbox, self._peers = chain, journal, library, inbox, peers
        self._held, self._bundle = held, bundle
        self._asked: dict[tuple[RoundId, bytes], frozenset[bytes]] = {}

    def found(self, facts: ChainFacts, bundle: Bundle, *, is_lost: bool) -> tuple[Found, ...]:
        """Proofs that stand, those against the highest bonds first. With `is_lost` only those that cost another round its bond:
        this one loses its own by another proof.
        """
        try:
            prompts = finding.scored_prompts(bundle)
        except (Tampered, BadInput):  # told by the verification
            return ()
        shared = sorted(self._shared(facts, prompts, is_lost=is_lost), key=lambda pair: -pair[0])[:MAX_TRIES]
        found = tuple(islice((each for _, each in shared if self._stands(facts, bundle, each)), MAX_FOUND))
        if is_lost or found:
            return found
        return tuple(islice(self._asked_before(facts, bundle, prompts), MAX_FOUND))

    def _shared(self, facts: ChainFacts, prompts: Mapping[bytes, int], *, is_lost: bool) -> Iterator[tuple[int, Found]]:
        """Rounds whose known bundle holds one of these prompts, with the bond that this would take."""
        here, left = facts.round.id, {id_.hex(): id_ for id_ in self._peers.others(facts.round)}
        if not left:
            return
        for prompt_hash, position in prompts.items():
            for seen in self._library.sources_of(prompt_hash):
                if not seen.scored or seen.source not in left:
                    continue
                other = left.pop(seen.source)
                guilty = self._peers.guilty(here, other)
                if guilty is not None and not (is_lost and guilty == here) and self._opens(other):
                    yield self._peers.bond(guilty), Found(ProofKind.REUSE, None, position, other)

    def _opens(self, other: RoundId) -> bool:
        """Whether the items of its bundle lead to the sealed root, as far as its audit tells."""
        audit = self._journal.audit(other)
        return audit is None or "items" not in audit.shut.values()

    def _stands(self, facts: ChainFacts, bundle: Bundle, found: Found) -> bool:
        """Whether a proof can be built; also where the other bundle, which was here once, cannot be had now."""
        if found.other is None:
            return False
        other = collect(self._chain, found.other, facts.block.number)
        with ExitStack() as stack:
            try:
                theirs = self._bundle(other, stack)
            except AssayError:
                return True
            return next(finding.find_reuse(facts, bundle, other, theirs), None) is not None

    def _asked_before(self, facts: ChainFacts, bundle: Bundle, prompts: Mapping[bytes, int]) -> Iterator[Found]:
        """Buried rounds that asked one of these prompts."""
        for other in self._peers.buried(facts.round):
            if not self._asks(other, facts.block.number).isdisjoint(prompts):
                earlier = collect(self._chain, other, facts.block.number)
                if any(finding.find_reuse_by_ask(facts, bundle, earlier, self._held(earlier))):
                    yield Found(ProofKind.REUSE_BY_ASK, None, None, other)

    def _asks(self, round_: RoundId, block: int) -> frozenset[bytes]:
        """Hashes of all prompts that a buried round is known to have asked; kept once its end is final."""
        key = round_, self._inbox.digest(round_)
        if key in self._asked:
            return self._asked[key]
        held = self._held(collect(self._chain, round_, block))
        found = frozenset(ask.prompt_hash for ask in joined.from_iterable(held.asks.values()))
        if self._peers.is_over(round_):
            self._asked[key] = found
        return found
