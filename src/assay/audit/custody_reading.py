"""Reads the chain of custody of a round from a node, at one block."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from assay.audit.custody import ChainPart, Event, Link
from assay.audit.facts import ChainFacts, collect
from assay.chain import artifacts, rawtx
from assay.chain.abi import Interface, decode_event
from assay.chain.client import Chain
from assay.chain.logs import block_at, logs
from assay.encoding.hashing import checksum
from assay.errors import Unreachable
from assay.types import RoundId

__all__ = ["read"]

MAX_TRANSACTIONS = 1 << 18
_CONTRACTS = {
    "tasks": "TaskRegistry",
    "models": "ModelRegistry",
    "vault": "StakeVault",
    "rounds": "Rounds",
    "disputes": "Disputes",
}
_MONEY = "vault"


def read(chain: Chain, round_: RoundId, at: int | None = None) -> ChainPart:
    """All transactions that touched a round up to a block (the head, if none is named), its task and its versions included.

    BadInput for an unknown round; Unreachable where the node fails, contradicts itself, or knows more than a round can have.
    """
    facts = collect(chain, round_, at=at)
    hashes = list(dict.fromkeys(_transactions(chain, facts)))
    if len(hashes) > MAX_TRANSACTIONS:
        raise Unreachable(f"more than {MAX_TRANSACTIONS} transactions", "ask another node")
    times: dict[int, tuple[bytes, int]] = {}
    links = [_link(chain, facts, tx, times) for tx in hashes]
    return ChainPart(facts, tuple(sorted(links, key=lambda link: (link.block, link.index))))


def _transactions(chain: Chain, facts: ChainFacts) -> Iterator[bytes]:
    deployed, last, id_ = chain.deployment.first_block, facts.block.number, facts.round.id
    sealed = block_at(chain.node, facts.round.sealed_at, min(deployed, last), last)
    tasks, models = (Interface(artifacts.load(_CONTRACTS[name]).abi) for name in ("tasks", "models"))
    yield from _found(chain, "tasks", [tasks.topic("TaskRegistered"), facts.round.task], deployed, last)
    for sitting in facts.sittings:
        yield from _found(chain, "models", [models.topic("VersionCommitted"), sitting.version.id], deployed, last)
    for contract in ("rounds", "disputes"):
        yield from _found(chain, contract, [None, id_], sealed, last)


def _found(chain: Chain, contract: str, topics: list[bytes | None], first: int, last: int) -> Iterator[bytes]:
    return (log.tx for log in logs(chain.node, getattr(chain.deployment, contract), topics, first, last))


def _link(chain: Chain, facts: ChainFacts, tx: bytes, times: dict[int, tuple[bytes, int]]) -> Link:
    name = "0x" + tx.hex()
    sent, receipt = (chain.node.request(f"eth_getTransaction{what}", [name]) for what in ("ByHash", "Receipt"))
    try:
        block = int(receipt["blockNumber"], 16)
        if block not in times:
            found = chain.block(block)
            times[block] = found.hash, found.timestamp
        events = tuple(_events(chain, facts, receipt["logs"]))
        sender, raw = checksum(bytes.fromhex(sent["from"][2:])), rawtx.raw_of(sent)
        return Link(tx, block, *times[block], int(receipt["transactionIndex"], 16), sender, raw, events)
    except (KeyError, TypeError, ValueError):
        raise Unreachable(f"the node does not tell transaction {name}", "ask another node") from None


def _events(chain: Chain, facts: ChainFacts, found: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    """Logs of our contracts about the round, its task or its versions, and what money moved with them."""
    by_address = {getattr(chain.deployment, name): name for name in _CONTRACTS}
    wanted = {facts.round.id, facts.round.task, *(sitting.version.id for sitting in facts.sittings)}
    for log in found:
        contract = by_address.get(checksum(bytes.fromhex(log["address"][2:])))
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        if contract is None or (contract != _MONEY and topics[1] not in wanted):
            continue
        event = Interface(artifacts.load(_CONTRACTS[contract]).abi).events.get(topics[0])
        if event is not None:
            arguments = decode_event(event, topics, bytes.fromhex(log["data"][2:]))
            yield Event(int(log["logIndex"], 16), contract, event.name, arguments)
