"""Finds proofs: in a bundle's lines and in evidence, and across two rounds. Only what would stand is built."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from itertools import chain as joined
from itertools import pairwise

from assay.audit import proofs
from assay.audit.evidence import NOTHING, Held, HeldAck, HeldAnswer, HeldAsk, Message, check
from assay.audit.facts import ChainFacts
from assay.audit.openings import Openings
from assay.audit.proofs import Proof
from assay.audit.report import Report
from assay.encoding.hashing import keccak
from assay.errors import BadInput, NotYet, Refused, Tampered, TooLate
from assay.storage.bundle import AnswerLine, Bundle, ItemLine
from assay.types import Kind, Outcome, Phase, RoundId, VersionId

__all__ = [
    "exchanged",
    "find",
    "find_answers",
    "find_asks",
    "find_dropped",
    "find_items",
    "find_leaks",
    "find_reuse",
    "find_reuse_by_ask",
    "line_messages",
    "scored_prompts",
]

_NO_PROOF = (Refused, TooLate, NotYet, BadInput, Tampered)


def find(facts: ChainFacts, bundle: Bundle, held: Held = NOTHING, report: Report | None = None) -> Iterator[Proof]:
    """Every proof against the round that one bundle and evidence give, the cheapest to check first; of each kind all that stand.

    Items come from a verification's report, without which none are sought. Two Answers, which cost the round nothing, come last.
    """
    openings = Openings(facts, bundle)
    if report is not None:
        yield from find_items(facts, openings, report)
    yield from find_asks(facts, held, openings)
    yield from find_dropped(facts, bundle, held, openings)
    yield from find_answers(facts, held, bundle)


def find_items(facts: ChainFacts, openings: Openings, report: Report) -> Iterator[Proof]:
    """Openings that a verification says are faults."""
    for found in report.proofs:
        with suppress(*_NO_PROOF):
            yield proofs.item(facts, openings, found.version, found.position)


def find_asks(facts: ChainFacts, held: Held, openings: Openings | None = None) -> Iterator[Proof]:
    """Asks that are not the sealed question. The sealed items come from the bundle or from evidence."""
    for (_, position), messages in sorted(held.asks.items()):
        for message in messages:
            with suppress(*_NO_PROOF):
                shown = held.items.get(position)
                beyond = position >= facts.round.items
                sealed = shown.opening if shown else openings.sealed(position) if openings and not beyond else None
                yield proofs.ask(facts, message, sealed)


def find_dropped(facts: ChainFacts, bundle: Bundle, held: Held, openings: Openings) -> Iterator[Proof]:
    """Silent leaves of Scored items for which there is an Ack, in the bundle itself or in evidence."""
    for sitting in facts.sittings:
        for found in _acks_of_silence(facts, bundle, held, sitting.version.id):
            with suppress(*_NO_PROOF):
                yield proofs.ack(facts, openings, found)


def find_answers(facts: ChainFacts, held: Held, bundle: Bundle | None = None) -> Iterator[Proof]:
    """Two different Answers at one place, among evidence and, where there is one, the bundle; one proof a version."""
    guilty: set[VersionId] = set()
    published = _published_answers(facts, bundle, {version for version, _ in held.answers}) if bundle else iter(())
    extra = check(facts, (message for message in published if (message.version, message.position) in held.answers)).answers
    for place, known in sorted(held.answers.items()):
        messages = (*known, *extra.get(place, ()))
        for one, other in pairwise(sorted(messages, key=lambda message: (message.prompt_hash, message.response_hash))):
            if place[0] in guilty:
                break
            with suppress(*_NO_PROOF):
                yield proofs.answers(facts, one, other)
                guilty.add(place[0])


def find_leaks(facts: ChainFacts, held: Held) -> Iterator[Proof]:
    """Items that were shown while the round is Answering."""
    for _, message in sorted(held.items.items()):
        with suppress(*_NO_PROOF):
            yield proofs.leak(facts, message.opening)


def find_reuse(one: ChainFacts, in_one: Bundle, other: ChainFacts, in_other: Bundle) -> Iterator[Proof]:
    """Scored prompts that stand in two rounds of one benchmarker."""
    if one.round.benchmarker != other.round.benchmarker:
        return
    first, second = Openings(one, in_one), Openings(other, in_other)
    with suppress(*_NO_PROOF):
        known = scored_prompts(in_one)
        for prompt_hash, position in scored_prompts(in_other).items():
            if prompt_hash in known:
                with suppress(*_NO_PROOF):
                    yield proofs.reuse(one, first.sealed(known[prompt_hash]), other, second.sealed(position))


def find_reuse_by_ask(facts: ChainFacts, bundle: Bundle, earlier: ChainFacts, held: Held) -> Iterator[Proof]:
    """Scored prompts that an earlier round, Slashed or Forfeited, had asked; `held` is evidence of that round."""
    if earlier.phase not in (Phase.SLASHED, Phase.FORFEITED) or not held.asks:
        return
    openings = Openings(facts, bundle)
    with suppress(*_NO_PROOF):
        known = scored_prompts(bundle)
        for message in joined.from_iterable(held.asks.values()):
            if message.prompt_hash in known:
                with suppress(*_NO_PROOF):
                    yield proofs.reuse_by_ask(facts, openings.sealed(known[message.prompt_hash]), earlier, message)


def scored_prompts(bundle: Bundle) -> Mapping[bytes, int]:
    """Hashes of a bundle's Scored prompts with the first position of each. Errors as `Bundle.items`."""
    found: dict[bytes, int] = {}
    with closing(bundle.items()) as items:
        for line in items:
            if line.kind is Kind.SCORED:
                found.setdefault(keccak(line.prompt), line.position)
    return found


def line_messages(round_: RoundId, version: VersionId, item: ItemLine, line: AnswerLine) -> Iterator[Message]:
    """What a bundle's line holds, as messages; nothing is checked. Its Ask is taken to be over the sealed prompt."""
    place, prompt_hash = (round_, version, line.position), keccak(item.prompt)
    response_hash = keccak(line.response or b"")
    if line.ask is not None:
        yield HeldAsk(*place, prompt_hash, line.ask.answer_until, line.ask.signature, item.prompt)
    if line.answer is not None:
        yield HeldAnswer(*place, prompt_hash, response_hash, line.answer, line.response)
    if line.ack is not None:
        yield HeldAck(*place, response_hash, line.ack)


def exchanged(bundle: Bundle, version: VersionId) -> Iterator[tuple[ItemLine, AnswerLine]]:
    """Items and lines of a version side by side. Errors as `Bundle.answers`."""
    with closing(bundle.items()) as items, closing(bundle.answers(version)) as lines:
        yield from zip(items, lines, strict=True)


def _acks_of_silence(facts: ChainFacts, bundle: Bundle, held: Held, version: VersionId) -> Iterator[HeldAck]:
    with suppress(Tampered, BadInput):
        for item, line in exchanged(bundle, version):
            if line.outcome is not Outcome.SILENT or item.kind is not Kind.SCORED:
                continue
            yield from held.acks.get((version, line.position), ())
            own = line_messages(facts.round.id, version, item, line)
            yield from (message for message in own if isinstance(message, HeldAck))


def _published_answers(facts: ChainFacts, bundle: Bundle, versions: Iterable[VersionId]) -> Iterator[HeldAnswer]:
    for version in sorted(versions):
        with suppress(Tampered, BadInput):
            for item, line in exchanged(bundle, version):
                for message in line_messages(facts.round.id, version, item, line):
                    if isinstance(message, HeldAnswer):
                        yield message
