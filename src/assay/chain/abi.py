"""Functions, events and errors of a contract's ABI as bytes and back. The coding itself is eth-abi's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import eth_abi
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

from assay.encoding.hashing import checksum, keccak
from assay.errors import WrongChain

Parameter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One function, event or error: name, canonical signature, its selector or topic, parameters."""

    name: str
    signature: str
    key: bytes
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]


class Interface:
    """What a contract speaks."""

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        """From the ABI in JSON's types."""
        self.functions: dict[str, Entry] = {}
        self.events: dict[bytes, Entry] = {}
        self.errors: dict[bytes, Entry] = {}
        for item in abi:
            kind = item["type"]
            if kind == "function":
                self.functions[item["name"]] = _entry(item, 4)
            elif kind == "event":
                event = _entry(item, 32)
                self.events[event.key] = event
            elif kind == "error":
                error = _entry(item, 4)
                self.errors[error.key] = error

    def topic(self, event: str) -> bytes:
        """Topic of the event with this name. KeyError where there is none."""
        for key, entry in self.events.items():
            if entry.name == event:
                return key
        raise KeyError(event)

    def encode(self, function: str, arguments: Sequence[Any]) -> bytes:
        """Call data: selector and arguments."""
        entry = self.functions[function]
        return entry.key + eth_abi.encode(_types(entry.inputs), arguments)

    def decode(self, function: str, data: bytes) -> tuple[Any, ...]:
        """What a function returned. WrongChain where the bytes are no such answer."""
        return decode(self.functions[function].outputs, data)


def decode(parameters: Sequence[Parameter], data: bytes) -> tuple[Any, ...]:
    """ABI-decoded values, addresses checksummed. WrongChain where the bytes are something else."""
    try:
        values = eth_abi.decode(_types(parameters), data)
    except (DecodingError, OverflowError) as error:
        raise WrongChain(
            f"a contract answered {len(data)} bytes that are not what its interface says ({type(error).__name__})",
            "check --rpc and --deployment: other code stands at that address",
        ) from None
    return tuple(_tidy(parameter, value) for parameter, value in zip(parameters, values, strict=True))


def decode_event(event: Entry, topics: Sequence[bytes], data: bytes) -> dict[str, Any]:
    """Arguments of a log by name. Indexed arguments of dynamic types are not used here and come as their hashes."""
    plain = [parameter for parameter in event.inputs if not parameter["indexed"]]
    values = dict(zip([p["name"] for p in plain], decode(plain, data), strict=True))
    indexed = [parameter for parameter in event.inputs if parameter["indexed"]]
    for parameter, topic in zip(indexed, topics[1:], strict=True):
        values[parameter["name"]] = decode([parameter], topic)[0]
    return values


def _entry(item: Mapping[str, Any], length: int) -> Entry:
    signature = f"{item['name']}({','.join(_types(item['inputs']))})"
    return Entry(
        item["name"], signature, keccak(signature.encode())[:length], tuple(item["inputs"]), tuple(item.get("outputs", ()))
    )


def _types(parameters: Sequence[Parameter]) -> list[str]:
    return [collapse_if_tuple(dict(parameter)) for parameter in parameters]


def _tidy(parameter: Parameter, value: Any) -> Any:
    kind: str = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return tuple(_tidy(inner, item) for item in value)
    if kind == "tuple":
        return tuple(_tidy(part, item) for part, item in zip(parameter["components"], value, strict=True))
    return checksum(bytes.fromhex(value[2:])) if kind == "address" else value
