"""What transactions of others showed: Asks and Answers that were posted, openings that answered demands. Reads a node.

Logs do not hold them whole, so the calldata is searched for the call, also inside a smart account's. What is found proves itself:
messages by their signatures, openings by their roots; the caller checks both.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import eth_abi
from eth_utils.abi import collapse_if_tuple

from assay.audit.evidence import HeldAnswer, HeldAsk, Message, Place
from assay.audit.facts import ChainFacts
from assay.chain import index
from assay.chain.abi import Interface
from assay.chain.client import Chain
from assay.chain.contracts.base import Contract
from assay.chain.logs import block_at, logs
from assay.encoding.hashing import keccak
from assay.types import Node, Opening, RoundId, VersionId

__all__ = ["calls_in", "posted_messages", "shown_openings"]

MAX_TRIES = 8
"""Places in one calldata at which a call is sought."""
MAX_CALLDATA = 1 << 18
_MAX_PATH = 32
_SUM_PATH = 11
"""Which word of an encoded opening says where its sum path begins."""


def posted_messages(chain: Chain, facts: ChainFacts) -> tuple[Message, ...]:
    """The Ask and the Answer of every posted answer of a round, as evidence; an Ask that cannot be found is left out."""
    if not facts.posted:
        return ()
    return tuple(_posted(chain, facts))


def _posted(chain: Chain, facts: ChainFacts) -> Iterator[Message]:
    id_ = facts.round.id
    for posted in index.round_log(chain, id_, facts.block.number).posted:
        place = id_, posted.version, posted.position
        answer = HeldAnswer(*place, posted.prompt_hash, keccak(posted.response), posted.answer_signature, posted.response)
        yield answer
        for round_, (version, position, prompt_hash, until, _, ask_signature, _) in _calls(chain.rounds, "postAnswer", posted.tx):
            if (round_, version, position, prompt_hash) == (*place, posted.prompt_hash):
                yield HeldAsk(*place, prompt_hash, until, ask_signature)
                break


def shown_openings(chain: Chain, facts: ChainFacts) -> dict[Place, Opening]:
    """Openings that answered demands of a round, by version and position; one that cannot be found is left out."""
    interface, found = chain.disputes.interface, {}
    first = block_at(chain.node, facts.round.revealed_at, chain.deployment.first_block, facts.block.number)
    topics = [interface.topic("DemandAnswered"), facts.round.id]
    for log in logs(chain.node, chain.deployment.disputes, topics, first, facts.block.number):
        version, position = VersionId(log.topics[2]), int.from_bytes(log.topics[3], "big")
        for round_, id_, raw in _calls(chain.disputes, "answerDemand", log.tx):
            if (RoundId(round_), id_, raw[0]) == (facts.round.id, version, position):
                found[version, position] = _opening(raw)
                break
    return found


def _opening(raw: tuple[Any, ...]) -> Opening:
    position, kind, prompt, reference, salt, set_path, outcome, response, signature, evidence, sums, sum_path, seed = raw
    siblings = tuple(Node(hashed, tuple(words)) for hashed, words in sum_path)
    texts = prompt, reference, salt, tuple(set_path)
    return Opening(position, kind, *texts, outcome, response, signature, evidence, tuple(sums), siblings, seed)


def _calls(contract: Contract, function: str, tx: bytes) -> Iterator[tuple[Any, ...]]:
    """Decoded arguments wherever a transaction's calldata may hold a call of this function."""
    sent = contract.node.request("eth_getTransactionByHash", ["0x" + tx.hex()])
    if isinstance(sent, dict):
        yield from calls_in(contract.interface, function, bytes.fromhex(str(sent.get("input", "0x"))[2 : 2 + 2 * MAX_CALLDATA]))


def calls_in(interface: Interface, function: str, data: bytes) -> Iterator[tuple[Any, ...]]:
    """Decoded arguments wherever calldata may hold a call of this function. Pure."""
    entry, data = interface.functions[function], data[:MAX_CALLDATA]
    types = [collapse_if_tuple(dict(parameter)) for parameter in entry.inputs]
    at = data.find(entry.key)
    for _ in range(MAX_TRIES):
        if at < 0:
            return
        with suppress(Exception):  # a stranger's bytes may only look like a call
            if function != "answerDemand" or _has_short_path(data[at + 4 :]):
                yield eth_abi.decode(types, data[at + 4 :], strict=False)
        at = data.find(entry.key, at + 1)


def _has_short_path(data: bytes) -> bool:
    """Whether the sum path is no longer than any can be: siblings may overlap, and a few bytes could unfold to gigabytes."""

    def word(at: int) -> int:
        return int.from_bytes(data[at : at + 32], "big")

    opening = word(64)
    return word(opening + word(opening + 32 * _SUM_PATH)) <= _MAX_PATH
