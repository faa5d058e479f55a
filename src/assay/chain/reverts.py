"""Why the chain refused: custom errors decoded by every shipped ABI, each with what to do next."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from assay.chain import artifacts
from assay.chain.abi import Entry, Interface, decode
from assay.chain.node import RpcError
from assay.errors import AssayError, NoFunds, Reverted, WrongChain
from assay.types import Fault, Phase, Skip, Standing, Verdict

ENUMS: Mapping[str, type[Fault | Phase | Skip | Standing | Verdict]] = {
    "enum Fault": Fault,
    "enum Phase": Phase,
    "enum Skip": Skip,
    "enum Standing": Standing,
    "enum Verdict": Verdict,
}

REMEDIES: Mapping[str, str] = {
    "AlreadyAttested": "nothing to do: this version was attested before",
    "AlreadyDemanded": "nothing to do: this position was demanded before",
    "AlreadyPosted": "nothing to do: the first answer that was posted counts",
    "AlreadySealed": "nothing to do: the round exists; see `assay bench show`",
    "DemandTooLate": "too late: demands end with the first half of the challenge window",
    "InsufficientFree": "deposit more: assay bench deposit (benchmarkers) or assay provider deposit (providers)",
    "NoFault": "nothing to challenge: the opening proves no fault",
    "NoOpenDemand": "nothing to do: nobody demanded this position, or the demand is settled",
    "NotAllowed": "let the owner allow this operator more: assay bench allow, or assay provider allow",
    "NotAuthorised": "sign with the owner's key, or let the owner allow this operator: assay provider allow",
    "NotBenchmarker": "sign with the round's operator key or its benchmarker's",
    "NotEnrolled": "name a version that is enrolled in this round",
    "NotOperator": "sign with the operator key that sealed the round",
    "NothingToRelease": "wait until the bond is free, or see whether it was released before",
    "NothingToSlash": "nothing to challenge: the version's bond is free, or was taken before",
    "PostTooLate": "too late: an answer is posted before the end of its window",
    "UnknownModel": "register the model first: assay provider register",
    "UnknownRound": "check the round's id and the chain: --rpc and --deployment",
    "UnknownTask": "register the task first: assay task register",
    "UnknownVersion": "commit the version first: assay provider commit-version",
    "WrongPhase": "wait for the right phase, or accept that it is over: the phase is named above",
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
        return NoFunds(message, REMEDIES[name])
    return Reverted(message, REMEDIES.get(name, "see the contract's interface for this error"), error=described)


def _shown(parameter: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    enum = ENUMS.get(parameter.get("internalType", ""))
    if enum is not None and value in list(enum):
        return enum(value).name.title().replace("_", "")
    return str(value)
