"""Task files: what a person writes to register a task, in TOML or JSON.

A file has four tables. `description` is published word for word and names at least the metric's signature, `windows` are times
such as "3 days", `bonds` amounts of ether such as "0.5", `caps` numbers.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import orjson

from assay.chain.minima import check_language
from assay.errors import BadInput
from assay.types import Address, TaskParams

MAX_FILE_BYTES = 1 << 20
WINDOWS = ("answer", "post", "attest", "reveal", "challenge", "demand")
BONDS = ("round", "version", "demand_fee")
CAPS = ("max_items", "max_bytes", "max_silence_bps")
DESCRIPTION = ("name", "languages", "template", "decoding", "answer_format", "licence", "metric_signature")
TABLES = ("description", "windows", "bonds", "caps")
SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}

TEMPLATE = """\
# What is examined. Published word for word; its digest is part of the task's id.
[description]
name = "English to Brazilian Portuguese, sentences"
languages = ["eng", "por-BR"]
template = "{prompt}"                # what the gateway puts around a sealed prompt
decoding = "as the provider serves it"   # or a table that the gateway sends: decoding = { temperature = 0, max_tokens = 200 }
answer_format = "the translation alone, plain text"
licence = "CC-BY-4.0"                # of the questions, once they are revealed
# BLEU splits words at spaces. Chinese, Japanese, Thai, Khmer, Lao or Burmese: chrF2|nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no
metric_signature = "BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"

[windows]                # seconds, or texts such as "20 seconds", "3 days"
answer = "%(answer)s"
post = "%(post)s"
attest = "%(attest)s"
reveal = "%(reveal)s"
challenge = "%(challenge)s"
demand = "%(demand)s"
# answer     enrol, ask, answer
# post       how long an unacknowledged answer can be posted after its Ask ran out; shorter than answer
# attest     score and attest
# reveal     publish the bundle
# challenge  anyone checks; at least 2 * (depth of the largest set + 1) * demand, where 2000 items have depth 11
# demand     how long a demanded item may take

[bonds]                  # in ether
round = "%(round)s"              # what a lie or a missed deadline costs the benchmarker
version = "%(version)s"          # what contradicting itself costs a provider, for each version that sits
demand_fee = "0.01"

[caps]
max_items = %(max_items)s
max_bytes = 1000         # of each text by itself
max_silence_bps = 100    # 1 %% of the scored questions may stay unanswered
"""
PROFILES = {
    "demo": {
        "answer": "2 minutes", "post": "5 seconds", "attest": "2 minutes", "reveal": "2 minutes", "challenge": "2 minutes",
        "demand": "1 second", "round": "1", "version": "0.1", "max_items": "200",
    },
    "weekly": {
        "answer": "72 hours", "post": "12 hours", "attest": "10 days", "reveal": "10 days", "challenge": "10 days",
        "demand": "10 hours", "round": "1", "version": "0.1", "max_items": "2000",
    },
    "slow": {
        "answer": "30 days", "post": "5 days", "attest": "30 days", "reveal": "30 days", "challenge": "30 days",
        "demand": "1 day", "round": "1", "version": "0.1", "max_items": "2000",
    },
}  # fmt: skip
"""Windows, bonds and sizes to start from. `post` and `demand` are shorter than the rest: the protocol bounds them by others."""


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A task as written: its description, and its numbers by the names of `TaskParams`."""

    description: Mapping[str, Any]
    numbers: Mapping[str, int]

    @property
    def metric_signature(self) -> str:
        """Signature string of the metric."""
        return str(self.description["metric_signature"])

    def params(self, description_digest: bytes, metric: Address, metric_words: int) -> TaskParams:
        """The parameters that are registered."""
        return TaskParams(description_digest=description_digest, metric=metric, metric_words=metric_words, **self.numbers)


def template(profile: str) -> str:
    """A task file to start from, by a name of `PROFILES`; demo's windows of minutes are for a development chain."""
    return TEMPLATE % PROFILES[profile]


def read(path: Path) -> TaskFile:
    """A task from its file. BadInput names the file and the key that is missing, unknown or wrong."""
    record = _load(path)
    _demand_keys(record, TABLES, str(path))
    for table, keys in (("description", DESCRIPTION), ("windows", WINDOWS), ("bonds", BONDS), ("caps", CAPS)):
        _demand_keys(record[table], keys, f"{path}: {table}")
    if not isinstance(record["description"]["metric_signature"], str):
        raise BadInput("is a text", where=f"{path}: description.metric_signature")
    check_language(record["description"], f"{path}: description.languages")
    numbers = {f"{key}_window": _seconds(record["windows"][key], f"{path}: windows.{key}") for key in WINDOWS}
    for key, name in zip(BONDS, ("round_bond", "version_bond", "demand_fee"), strict=True):
        numbers[name] = wei(record["bonds"][key], f"{path}: bonds.{key}")
    for key in CAPS:
        numbers[key] = _natural(record["caps"][key], f"{path}: caps.{key}")
    return TaskFile(record["description"], numbers)


def wei(ether: Any, where: str) -> int:
    """An amount of ether, written as a decimal number or text, in wei. BadInput where it is none."""
    try:
        amount = Decimal(str(ether)) * 10**18
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount != amount.to_integral_value() or not 0 <= amount < 1 << 96:
        raise BadInput(f"{ether!r:.40} is no amount of ether", 'write a number such as 10 or "0.5"', where=where)
    return int(amount)


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise BadInput("the file is too long for a task", where=str(path))
        record = orjson.loads(raw) if path.suffix == ".json" else tomllib.loads(raw.decode())
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", "write one: assay task init FILE", where=str(path)) from None
    except (ValueError, RecursionError) as error:  # of JSON, TOML and UTF-8 alike
        raise BadInput(f"{error}", "mend the file, or begin anew: assay task init FILE", where=str(path)) from None
    if not isinstance(record, dict):
        raise BadInput("a task file is an object", "begin anew: assay task init FILE", where=str(path))
    return record


def _demand_keys(table: Any, keys: tuple[str, ...], where: str) -> None:
    if not isinstance(table, dict):
        raise BadInput("is a table", "see `assay task init`", where=where)
    if missing := [key for key in keys if key not in table]:
        raise BadInput(f"{', '.join(missing)} missing", "see `assay task init`", where=where)
    if unknown := [key for key in table if key not in keys and keys is not DESCRIPTION]:
        raise BadInput(f"{', '.join(map(str, unknown)):.200} not known", f"known are {', '.join(keys)}", where=where)


def _seconds(value: Any, where: str) -> int:
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,9}) ?(second|minute|hour|day)s?", value.strip())):
        return int(match[1]) * SECONDS[match[2]]
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise BadInput(f"{value!r:.40} is no time", 'write seconds, or a text such as "3 days" or "20 seconds"', where=where)


def _natural(value: Any, where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 32:
        return value
    raise BadInput(f"{value!r:.40} is no number", "write a whole number", where=where)
