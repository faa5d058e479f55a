"""What something that the contracts said means: a revert, a verdict, a phase, an event, a whole transaction."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from assay.chain import artifacts
from assay.chain.abi import Entry, Interface, decode_event
from assay.chain.client import Chain
from assay.chain.meanings import MEANINGS
from assay.chain.node import Node, RpcError, tag_of
from assay.chain.reverts import ENUMS, describe, known_errors
from assay.errors import BadInput, WrongChain
from assay.types import Verdict

__all__ = ["Explanation", "by_name", "by_revert", "by_topic", "by_transaction"]

REMEDY = "give an error's hex data, a name such as WrongPhase or Dropped, a verdict's number, or the hash of a transaction"
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Explanation:
    """Kind and name of a thing, what it says, what to do next, and its arguments as text where it had some."""

    kind: str
    name: str
    says: str
    then: str
    arguments: Mapping[str, str] = field(default_factory=dict)


def by_name(text: str) -> tuple[Explanation, ...]:
    """Every meaning of a name, whatever its case; a number is a verdict's. BadInput where it has none."""
    if text.isdecimal() and text.isascii():
        text = _verdict(text)
        return (_explanation("verdict", text),)
    wanted = text.split("(", 1)[0].replace("_", "").strip().lower()
    found = [(kind, name) for kind, table in MEANINGS.items() for name in table if name.lower() == wanted]
    if not found:
        raise BadInput(f"{text!r:.60} is nothing that the contracts say", REMEDY, where="WHAT")
    return tuple(_explanation(kind, name) for kind, name in found)


def by_revert(data: bytes) -> Explanation:
    """A revert from its data, with its arguments. BadInput where no shipped contract has such an error."""
    entry = known_errors().get(data[:4])
    if entry is None:
        raise BadInput(f"no contract of this release reverts with 0x{data[:4].hex()}", REMEDY, where="WHAT")
    inside = describe(data).removeprefix(entry.name)[1:-1]
    arguments = dict(part.split("=", 1) for part in inside.split(", ")) if "=" in inside and entry.name != "Error" else {}
    if entry.name == "Error":
        arguments = {"reason": inside.removeprefix("reason=")[:SHOWN]}
    return _explanation("error", entry.name, arguments)


def by_topic(topic: bytes) -> Explanation | None:
    """An event by the hash that opens its logs, None where no shipped contract has it."""
    event = _events().get(topic)
    return _explanation("event", event.name) if event else None


def by_transaction(chain: Chain, transaction: bytes) -> tuple[Explanation, ...]:
    """What our contracts said in a transaction: its events in their order, or why it was refused.

    BadInput where the chain does not know it yet, where it touched none of our contracts, or where the reason is lost.
    """
    name = "0x" + transaction.hex()
    receipt = chain.node.request("eth_getTransactionReceipt", [name])
    if receipt is None:
        raise BadInput(f"{chain.node.name} knows neither an event nor a mined transaction {name}", REMEDY, where="WHAT")
    if int(receipt["status"], 16) == 0:
        return (by_revert(_why(chain.node, name, int(receipt["blockNumber"], 16))),)
    found = tuple(_logged(chain, receipt["logs"]))
    if not found:
        raise BadInput(f"none of the contracts said anything in {name}", "it is another's business: see a block explorer")
    return found


def _verdict(text: str) -> str:
    if len(text) > 3 or int(text) not in list(Verdict):
        raise BadInput(f"there is no verdict {text:.20}", f"verdicts go from 0 to {max(Verdict)}", where="WHAT")
    return _name(Verdict(int(text)).name)


def _name(constant: str) -> str:
    return constant.title().replace("_", "")


def _explanation(kind: str, name: str, arguments: Mapping[str, str] | None = None) -> Explanation:
    meaning = MEANINGS[kind][name]
    return Explanation(kind, name, meaning.says, meaning.then, arguments or {})


def _why(node: Node, name: str, block: int) -> bytes:
    """Revert data of a refused transaction, from calling it again on the state before its block."""
    sent = node.request("eth_getTransactionByHash", [name])
    again = {key: sent[key] for key in ("from", "to", "value", "input")}
    try:
        node.request("eth_call", [again, tag_of(block - 1)])
    except RpcError as error:
        if error.data:
            return error.data
    raise BadInput(f"{name} was refused, and this node does not tell why any more", "simulate it again", where="WHAT")


def _logged(chain: Chain, logs: list[dict[str, Any]]) -> Iterator[Explanation]:
    deployed = chain.deployment
    ours = {deployed.tasks, deployed.models, deployed.vault, deployed.rounds, deployed.judge, deployed.disputes}
    addresses = {address.lower() for address in ours}
    for log in logs:
        topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
        event = _events().get(topics[0]) if topics and log["address"].lower() in addresses else None
        if event is not None:
            yield _explanation("event", event.name, _arguments(event, topics, bytes.fromhex(log["data"][2:])))


def _arguments(event: Entry, topics: list[bytes], data: bytes) -> dict[str, str]:
    try:
        values = decode_event(event, topics, data)
    except (WrongChain, ValueError):
        return {}
    types = {parameter["name"]: parameter.get("internalType", "") for parameter in event.inputs}
    return {name: _shown(types[name], value) for name, value in values.items()}


def _shown(kind: str, value: Any) -> str:
    enum = ENUMS.get(kind)
    if enum is not None and value in list(enum):
        return _name(enum(value).name)
    text = "0x" + value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


@cache
def _events() -> dict[bytes, Entry]:
    """Events of all shipped contracts by their topics."""
    return {key: entry for name in artifacts.names() for key, entry in Interface(artifacts.load(name).abi).events.items()}
