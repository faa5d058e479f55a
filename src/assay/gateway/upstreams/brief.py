"""What a task's description says to a model: the template around a prompt, and how to decode."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from assay.chain import descriptions
from assay.errors import BadInput
from assay.types import TaskId

PROMPT = "{prompt}"
LENGTHS = ("max_tokens", "max_completion_tokens")
MAX_STOPS = 16
MAX_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Brief:
    """`template` with one or more `{prompt}`; `decoding` as it is sent, empty where the task leaves it to the provider."""

    template: str = PROMPT
    decoding: Mapping[str, Any] | None = None

    def text(self, prompt: str) -> str:
        """The prompt in its template. Other braces stay as they are."""
        return self.template.replace(PROMPT, prompt)

    @property
    def limits_length(self) -> bool:
        """Whether the task itself says how many tokens an answer may have."""
        return any(key in (self.decoding or {}) for key in LENGTHS)


def brief_of(description: Mapping[str, Any]) -> Brief:
    """The brief of a description. A `decoding` that is a text is for people. BadInput for what no endpoint could be told."""
    template = description.get("template", PROMPT)
    if not isinstance(template, str) or PROMPT not in template or len(template) > 65_536:
        raise BadInput("is a text with {prompt} in it", "ask whoever registered the task", where="template")
    decoding = description.get("decoding")
    return Brief(template, checked_decoding(decoding) if isinstance(decoding, dict) else None)


def checked_decoding(decoding: Mapping[str, Any]) -> dict[str, Any]:
    """Decoding settings that may be sent. BadInput for an unknown name or another type; nothing is left out quietly."""
    for key, value in decoding.items():
        check = CHECKS.get(key)
        if check is None:
            raise BadInput(f"{key!r:.60} is not known", f"known are {', '.join(sorted(CHECKS))}", where="decoding")
        if not check(value):
            raise BadInput(f"{key} has another type or size than is wanted", "mend the value", where="decoding")
    return dict(decoding)


def decoding_of(text: str) -> dict[str, Any]:
    """Decoding settings from the command line. BadInput."""
    try:
        found = orjson.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput("a JSON object is wanted", "write it like '{\"temperature\": 0}'", where="--decoding")
    return checked_decoding(found)


class Descriptions:
    """The briefs of the tasks whose descriptions this home has."""

    def __init__(self, folder: Path) -> None:
        """Over the folder of tasks; files may come later."""
        self._folder = folder
        self._briefs: dict[TaskId, Brief] = {}

    def brief(self, task: TaskId, digest: bytes) -> Brief:
        """The brief of a task. BadInput where its description is not here, is another one, or cannot be followed."""
        if task not in self._briefs:
            self._briefs[task] = brief_of(descriptions.read(self._folder, task, digest))
        return self._briefs[task]


def _number(least: float, most: float) -> Any:
    return lambda value: type(value) in (int, float) and math.isfinite(value) and least <= value <= most


def _whole(least: int, most: int) -> Any:
    return lambda value: type(value) is int and least <= value <= most


def _stops(value: object) -> bool:
    stops = value if isinstance(value, list) else [value]
    return 0 < len(stops) <= MAX_STOPS and all(isinstance(stop, str) and 0 < len(stop) <= MAX_TEXT for stop in stops)


CHECKS = {
    "temperature": _number(0, 10),
    "top_p": _number(0, 1),
    "min_p": _number(0, 1),
    "top_k": _whole(-1, 1 << 31),
    "max_tokens": _whole(1, 1 << 31),
    "max_completion_tokens": _whole(1, 1 << 31),
    "seed": _whole(-(1 << 63), (1 << 63) - 1),
    "frequency_penalty": _number(-10, 10),
    "presence_penalty": _number(-10, 10),
    "repetition_penalty": _number(0, 10),
    "reasoning_effort": lambda value: isinstance(value, str) and 0 < len(value) <= 32,
    "stop": _stops,
}
"""Names of settings that OpenAI-compatible endpoints know, and what their values are."""
