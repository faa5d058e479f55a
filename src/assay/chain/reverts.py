"""Why the chain refused: custom errors decoded by every shipped ABI, each with what to do next."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from assay.chain import artifacts
from assay.chain.abi import Entry, Interface, decode
from assay.chain.meanings import ERRORS
from assay.chain.node import RpcError
from assay.errors import AssayError, NoFunds, Reverted, WrongChain
from assay.types import DemandState, Fault, Phase, Skip, Standing, Verdict

ENUMS: Mapping[str, type[DemandState | Fault | Phase | Skip | Standing | Verdict]] = {
    "enum DemandState": DemandState,
    "enum Fault": Fault,
    "enum Phase": Phase,
    "enum Skip": Skip,
    "enum Standing": Standing,
    "enum Verdict": Verdict,
}

MONEY = ("InsufficientFree", "NotAllowed")
ERROR = Interface([{"type": "error", "name": "Error", "inputs": [{"type": "string", "name": "reason"}]}])
PANIC = Interface([{"type": "error", "name": "Panic", "inputs": [{"type": "uint256", "name": "code"}]}])


@cache
def known_errors() -> dict[bytes, Entry]:
    """Custom errors of all shipped contracts by their selectors."""
    errors = {**ERROR.errors, **PANIC.errors}
    for name in artifacts.names():
        errors |= Interface(artifacts.load(name).abi).errors
    return errors


def describe(data: bytes) -> str:
    """Revert data as `Name(argument=value, …)`; as hex where nobody knows it, empty for none."""
    entry = known_errors().get(data[:4])
    if entry is None:
        return f"unknown error 0x{data[:64].hex()}" if data else ""
    try:
        values = decode(entry.inputs, data[4:])
    except WrongChain:
        return f"{entry.name}(undecodable)"
    shown = (f"{parameter['name']}={_shown(parameter, value)}" for parameter, value in zip(entry.inputs, values, strict=True))
    return f"{entry.name}({', '.join(shown)})"


def explain(error: RpcError, what: str) -> AssayError:
    """What a failed call means: Reverted or NoFunds, decoded, or the RpcError itself where the chain never ran it."""
    if error.data is None and "revert" not in error.message.lower():
        return error
    described = describe(error.data or b"") or "no reason given"
    name = described.split("(")[0]
    message = f"the chain refuses to {what}: {described}"
    if name in MONEY:
        return NoFunds(message, ERRORS[name].then)
    remedy = ERRORS[name].then if name in ERRORS else "see the contract's interface for this error"
    return Reverted(message, remedy, error=described)


def _shown(parameter: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    enum = ENUMS.get(parameter.get("internalType", ""))
    if enum is not None and value in list(enum):
        return enum(value).name.title().replace("_", "")
    return str(value)
