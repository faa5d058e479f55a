"""What signed bytes fix of the events they made: the arguments of the very call that makes an event. Pure."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from assay.audit.calldata import MAX_CALLDATA, MAX_TRIES, calls_in
from assay.audit.custody import plain
from assay.chain import artifacts
from assay.chain.abi import Interface
from assay.encoding.hashing import checksum
from assay.storage.lines import Record

__all__ = ["MAKERS", "is_fixed", "is_whole"]

MAKERS: Mapping[str, tuple[str, str, str]] = {
    "VersionCommitted": ("models", "ModelRegistry", "commitVersion"),
    "Sealed": ("rounds", "Rounds", "seal"),
    "AnswerPosted": ("rounds", "Rounds", "postAnswer"),
    "Attested": ("rounds", "Rounds", "attest"),
    "Revealed": ("rounds", "Rounds", "reveal"),
}
"""Of events: their contract as a manifest names it, its artifact, and the function that makes them."""
_MAX_SUMS = 256
_WORD = 32


def is_fixed(event: str, arguments: Mapping[str, Any], data: bytes, *, direct: bool) -> bool:
    """Whether a call in the calldata gives an event all arguments that it takes from its caller.

    A direct call begins the calldata; in that of a smart account it is sought. KeyError for an event without a maker.
    """
    return any(
        all(arguments[name] == value for name, value in call.items() if name in arguments)
        for call in _calls(event, data, direct=direct)
    )


def is_whole(data: bytes) -> bool:
    """Whether calldata is short enough to be read to its end."""
    return len(data) <= MAX_CALLDATA


def _calls(event: str, data: bytes, *, direct: bool) -> Iterator[Record]:
    _, artifact, function = MAKERS[event]
    interface = Interface(artifacts.load(artifact).abi)
    entry = interface.functions[function]
    if direct and not data.startswith(entry.key):
        return
    if function == "attest":
        yield from _attestations(entry.key, data[:MAX_CALLDATA], 1 if direct else MAX_TRIES)
        return
    for values in islice(calls_in(interface, function, data), 1 if direct else None):
        yield _named(entry.inputs, values)


def _named(parameters: Any, values: Any) -> Record:
    """Arguments by name, those of a struct beside the others, as an audit log writes them."""
    found: Record = {}
    for parameter, value in zip(parameters, values, strict=True):
        if parameter["type"] == "tuple":
            found |= _named(parameter["components"], value)
        else:
            is_address = parameter["type"] == "address"
            found[parameter["name"]] = checksum(bytes.fromhex(value[2:])) if is_address else plain(value)
    return found


def _attestations(selector: bytes, data: bytes, tries: int) -> Iterator[Record]:
    """Read by hand: entries may overlap, and a general decoder would unfold a few bytes to gigabytes."""
    at = data.find(selector)
    for _ in range(tries):
        if at < 0:
            return
        yield from _entries(data[at + len(selector) :])
        at = data.find(selector, at + 1)


def _entries(call: bytes) -> Iterator[Record]:
    def word(where: int) -> int:
        return int.from_bytes(call[where : where + _WORD], "big")

    first = word(_WORD) + _WORD
    for number in range(min(word(first - _WORD), len(call) // _WORD)):
        entry = first + word(first + number * _WORD)
        sums = entry + word(entry + 2 * _WORD) + _WORD
        count = word(sums - _WORD)
        if count <= _MAX_SUMS and sums + count * _WORD <= len(call):
            version, root = call[entry : entry + _WORD], call[entry + _WORD : entry + 2 * _WORD]
            words = [word(sums + place * _WORD) for place in range(count)]
            yield {"round": plain(call[:_WORD]), "version": plain(version), "rootHash": plain(root), "sums": plain(words)}
