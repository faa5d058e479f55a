"""What a round's transactions cost, from their receipts."""

from assay.chain import artifacts
from assay.chain.abi import Interface
from assay.chain.client import Chain
from assay.chain.logs import block_at, logs
from assay.errors import BadInput
from assay.types import RoundId

STEPS = {
    "Sealed": "seal",
    "Enrolled": "enrol",
    "AnswerPosted": "post",
    "Attested": "attest",
    "Revealed": "reveal",
    "RoundSlashed": "challenge",
}


def round_gas(chain: Chain, round_: RoundId) -> dict[str, int]:
    """Gas of each step of a round, all its transactions added, in the order of the clock. BadInput for an unknown round."""
    last = chain.head().number
    facts = chain.rounds.round(round_, at=last)
    if facts is None:
        raise BadInput(f"no round 0x{round_.hex()} on this chain", "Check the id, or name another node with --rpc.")
    first = block_at(chain.node, facts.sealed_at, min(chain.deployment.first_block, last), last)
    events = Interface(artifacts.load("Rounds").abi).events
    transactions: dict[bytes, str] = {}
    for log in logs(chain.node, chain.deployment.rounds, [None, round_], first, last):
        event = events.get(log.topics[0])
        if event is not None and event.name in STEPS:
            transactions[log.tx] = STEPS[event.name]
    gas: dict[str, int] = {}
    for tx, step in transactions.items():
        receipt = chain.node.request("eth_getTransactionReceipt", ["0x" + tx.hex()])
        gas[step] = gas.get(step, 0) + int(receipt["gasUsed"], 16)
    return gas
