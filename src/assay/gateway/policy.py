"""policy.toml: which rounds a provider's key consents to. Read strictly: what is not understood is refused by name."""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from assay.chain.descriptions import replace_file
from assay.encoding.hashing import checksum
from assay.errors import BadInput
from assay.types import Address, TaskId, TaskParams

T = TypeVar("T")

MAX_POLICY_BYTES = 65_536
UNITS = {"wei": 1, "gwei": 10**9, "ether": 10**18}
LIMITS = (
    "least_answer_window",
    "least_post_window",
    "least_bytes",
    "largest_bytes",
    "largest_items",
)

TEMPLATE = """\
# Which rounds this provider's key consents to. A round that this file does not admit gets no Enrol signature, and so no answers.
schema = 1

# Examiners: "any", or a list of their owner addresses.
benchmarkers = "any"

# Tasks: "any" (then the limits below hold), or a list of task ids, which are admitted whatever their limits.
tasks = "any"

# The most that one round may lock of the owner's stake: "<number> wei|gwei|ether".
largest_version_bond = "0.1 ether"

# Answers that may wait for their acknowledgement in one round. At this many the gateway stops and posts them on chain.
largest_unacknowledged = 64

[limits]
# Seconds. A short answer window means silence where the model is slow.
least_answer_window = 60
least_post_window = 1
# Bytes of a text. Answers over a task's cap are cut.
least_bytes = 64
largest_bytes = 65536
largest_items = 100000
"""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a provider consents to. None for `benchmarkers` or `tasks` means any; windows in seconds, the bond in wei."""

    benchmarkers: frozenset[Address] | None
    tasks: frozenset[TaskId] | None
    largest_version_bond: int
    largest_unacknowledged: int
    least_answer_window: int
    least_post_window: int
    least_bytes: int
    largest_bytes: int
    largest_items: int
    admitted: frozenset[tuple[Address, TaskId]] = frozenset()
    """Benchmarkers with a task each, admitted beside the lists and whatever the limits; the bond's limit holds."""

    def refusal(self, benchmarker: Address, task: TaskId, params: TaskParams, items: int) -> str | None:
        """Why a round is not admitted, or None where it is."""
        if params.version_bond > self.largest_version_bond:
            return f"the version bond of {params.version_bond} wei is above {self.largest_version_bond} wei"
        if (benchmarker, task) in self.admitted:
            return None
        if self.benchmarkers is not None and benchmarker not in self.benchmarkers:
            return f"benchmarker {benchmarker} is not on this provider's list"
        if self.tasks is not None:
            return None if task in self.tasks else f"task 0x{task.hex()} is not on this provider's list"
        return self._beyond_limits(params, items)

    def _beyond_limits(self, params: TaskParams, items: int) -> str | None:
        if params.answer_window < self.least_answer_window:
            return f"the answer window of {params.answer_window} s is below {self.least_answer_window} s"
        if params.post_window < self.least_post_window:
            return f"the post window of {params.post_window} s is below {self.least_post_window} s"
        if not self.least_bytes <= params.max_bytes <= self.largest_bytes:
            return f"the text cap of {params.max_bytes} bytes is not within {self.least_bytes} to {self.largest_bytes}"
        if items > self.largest_items:
            return f"the set of {items} items is above {self.largest_items}"
        return None


class Consent(Protocol):
    """What the gateway asks before it consents, and how many answers may wait for their acknowledgement."""

    @property
    def largest_unacknowledged(self) -> int:
        """At this many the gateway stops."""
        ...

    def refusal(self, benchmarker: Address, task: TaskId, params: TaskParams, items: int) -> str | None:
        """Why a round is not admitted, or None where it is."""
        ...


class PolicyFile:
    """The policy of a file that may change while the gateway serves: each consent follows the file as it is then.

    A file that cannot be read any more admits nothing. Limits of the server itself are those of its start.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. BadInput."""
        self._path, self._stamp = path, _stamp(path)
        self.policy = load(path)

    @property
    def largest_unacknowledged(self) -> int:
        """As Consent says."""
        return self.policy.largest_unacknowledged

    def refusal(self, benchmarker: Address, task: TaskId, params: TaskParams, items: int) -> str | None:
        """As Consent says."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            try:
                self.policy = load(self._path)
            except BadInput:
                return "this provider's policy cannot be read"
            self._stamp = stamp
        return self.policy.refusal(benchmarker, task, params, items)


def load(path: Path) -> Policy:
    """Read a policy file. BadInput names the file and the key."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        remedy = "write one: assay provider init"
        raise BadInput(f"the policy cannot be read: {error.strerror}", remedy, where=str(path)) from None
    if len(raw) > MAX_POLICY_BYTES:
        raise BadInput(f"the policy is larger than {MAX_POLICY_BYTES} bytes", "shorten its lists", where=str(path))
    try:
        return parse(raw.decode())
    except UnicodeDecodeError:
        raise BadInput("the policy is not UTF-8 text", "save it as UTF-8", where=str(path)) from None
    except BadInput as error:
        raise BadInput(error.message, error.remedy, where=str(path)) from None


def parse(text: str) -> Policy:
    """The policy that a text states. BadInput for anything missing, unknown, or of another type."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"no TOML: {error}", "mend the line that the message names") from None
    keys = ("schema", "benchmarkers", "tasks", "largest_version_bond", "largest_unacknowledged", "limits")
    admitted = _admitted(table.pop("admitted", []))
    _only(table, keys, "")
    if table["schema"] != 1 or table["schema"] is True:
        raise BadInput("this program reads schema 1", "write one: assay provider init", where="schema")
    limits = _table(table, "limits")
    _only(limits, LIMITS, "limits.")
    return Policy(
        benchmarkers=_listed(table, "benchmarkers", _address),
        tasks=_listed(table, "tasks", _task),
        largest_version_bond=_amount(table["largest_version_bond"]),
        largest_unacknowledged=_number(table["largest_unacknowledged"], "largest_unacknowledged", least=1),
        **{key: _number(limits[key], f"limits.{key}", least=0) for key in LIMITS},
        admitted=admitted,
    )


def admit(path: Path, benchmarker: Address, task: TaskId, why: str) -> Policy:
    """Admit a benchmarker with a task in a policy file; the policy from now on. What stands in the file stays as it is.

    `why` becomes a comment. BadInput where the file is no policy before or after; it is replaced whole or not at all.
    """
    policy = load(path)
    if (benchmarker, task) in policy.admitted:
        return policy
    comment = "".join(letter if letter.isprintable() else " " for letter in why)[:200]
    entry = f'\n[[admitted]]  # {comment}\nbenchmarker = "{benchmarker}"\ntask = "0x{task.hex()}"\n'
    text = path.read_text(encoding="utf-8")
    text += ("" if text.endswith("\n") else "\n") + entry
    if len(text.encode()) > MAX_POLICY_BYTES:
        raise BadInput(f"the policy would be larger than {MAX_POLICY_BYTES} bytes", "remove old entries", where=str(path))
    changed = parse(text)
    replace_file(path, text.encode())
    return changed


def amount(text: str) -> int:
    """Wei of "<number> wei|gwei|ether". ValueError for anything else, fractions of a wei included."""
    match = re.fullmatch(r"([0-9]{1,30})(?:\.([0-9]{1,18}))? ?(wei|gwei|ether)", text)
    if not match:
        raise ValueError(text)
    fraction = match[2] or "0"
    wei, rest = divmod(int(fraction) * UNITS[match[3]], int(10 ** len(fraction)))
    if rest:
        raise ValueError(text)
    return int(match[1]) * UNITS[match[3]] + wei


def _stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever the file does."""
    try:
        facts = path.stat()
    except OSError:
        return (0, 0, 0)
    return (facts.st_ino, facts.st_mtime_ns, facts.st_size)


def _only(table: Mapping[str, Any], keys: tuple[str, ...], prefix: str) -> None:
    unknown = sorted(f"{prefix}{key}" for key in table.keys() - set(keys))
    missing = [f"{prefix}{key}" for key in keys if key not in table]
    if unknown:
        raise BadInput(f"unknown keys: {', '.join(unknown)}", f"the keys are {', '.join(prefix + key for key in keys)}")
    if missing:
        raise BadInput(f"missing keys: {', '.join(missing)}", "add them; `assay provider init` writes a whole file")


def _admitted(value: Any) -> frozenset[tuple[Address, TaskId]]:
    try:
        if not isinstance(value, list) or not all(isinstance(entry, dict) and len(entry) == 2 for entry in value):
            raise ValueError(value)
        return frozenset((_address(entry["benchmarker"]), _task(entry["task"])) for entry in value)
    except (ValueError, KeyError, TypeError):
        raise BadInput("a benchmarker and a task are wanted in each", "see `assay provider join`", where="[[admitted]]") from None


def _table(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = table[key]
    if not isinstance(value, dict):
        raise BadInput("a table is wanted", f"begin it with [{key}]", where=key)
    return value


def _listed(table: Mapping[str, Any], key: str, read: Callable[[str], T]) -> frozenset[T] | None:
    value = table[key]
    if value == "any":
        return None
    try:
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise ValueError(value)
        return frozenset(read(entry) for entry in value)
    except ValueError:
        raise BadInput('either "any" or a list of 0x… strings is wanted', "mend the list", where=key) from None


def _address(text: str) -> Address:
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise ValueError(text)
    return checksum(bytes.fromhex(text[2:]))


def _task(text: str) -> TaskId:
    if not re.fullmatch(r"0x[0-9a-fA-F]{64}", text):
        raise ValueError(text)
    return TaskId(bytes.fromhex(text[2:]))


def _amount(value: Any) -> int:
    try:
        return amount(value if isinstance(value, str) else "")
    except ValueError:
        raise BadInput('"<number> wei|gwei|ether" is wanted', 'for example "0.1 ether"', where="largest_version_bond") from None


def _number(value: Any, where: str, *, least: int) -> int:
    if type(value) is not int or not least <= value < 1 << 63:
        raise BadInput(f"a whole number from {least} is wanted", "mend the value", where=where)
    return value
