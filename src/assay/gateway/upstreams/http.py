"""Any JSON service over HTTP: where to ask, what to send, and where in the reply the answer stands.

`{prompt}` stands for the sealed text: percent-encoded in the address, as it is inside the strings of the JSON body, which is
built from values and never by gluing text together. The answer is the string at a JSON pointer (RFC 6901).
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from assay.errors import BadInput
from assay.gateway.upstreams import Occasion
from assay.gateway.upstreams.brief import PROMPT
from assay.gateway.upstreams.failed import Failed
from assay.gateway.upstreams.line import Request
from assay.types import TaskId

KEY = "{key}"
_PLACES = re.compile(r"\{(?:prompt|key)\}")
MAX_BODY = 65_536
MAX_URL = 65_536


class Http:
    """The dialect of one service."""

    kind = "http"

    def __init__(self, url: str, answer: str, *, method: str = "POST", body: str | None = None, key: str = "") -> None:
        """`body` is JSON with `{prompt}` in its strings, and `{key}` where the service wants `key`; `answer` is a JSON pointer.

        BadInput where nothing carries the prompt, or the key.
        """
        self._url, self._method, self._key = url, method, key
        if key and (body is None or KEY not in body):
            raise BadInput("nothing carries the key", "write {key} into --body, or use --headers-file", where="--body")
        self._body = None if body is None else _template(body)
        self._pointer = pointer_of(answer)
        if self._body is not None and method == "GET":
            raise BadInput("a GET has no body", "put {prompt} into --url, or use --method POST", where="--body")
        if PROMPT not in url and (body is None or PROMPT not in body):
            raise BadInput("nothing carries the question", "write {prompt} into --body or --url", where="--body")

    def objection(self, task: TaskId, description_digest: bytes) -> str | None:
        """As Dialect says: the service gets the sealed text whatever the task is."""
        return None

    def request(self, prompt: str, occasion: Occasion | None) -> Request:
        """As Dialect says."""
        try:
            url = self._url.replace(PROMPT, quote(prompt, safe=""))
            body, public = self._bodies(prompt)
        except (TypeError, ValueError):  # lone surrogates
            raise Failed("no-text", "the prompt is no text") from None
        if len(url) > MAX_URL:
            raise Failed("long-address", "the prompt does not fit into an address: use --method POST and --body")
        return Request(self._method, url, body, public)

    def _bodies(self, prompt: str) -> tuple[bytes | None, bytes | None]:
        """The body, and the one that may be shown where that is another."""
        if self._body is None:
            return None, None
        public = orjson.dumps(_filled(self._body, {PROMPT: prompt}))
        if not self._key:
            return public, None
        return orjson.dumps(_filled(self._body, {PROMPT: prompt, KEY: self._key})), public

    def response(self, body: bytes, occasion: Occasion | None) -> str:
        """As Dialect says."""
        try:
            reply = orjson.loads(body)
        except ValueError:
            raise Failed("no-json", "the reply is no JSON in UTF-8: check the endpoint's address") from None
        found = _at(reply, self._pointer)
        if not isinstance(found, str):
            raise Failed("no-answer", "no string stands at --answer in the reply: compare it with the endpoint's manual")
        return found

    def explain(self, status: int, body: bytes) -> Failed | None:
        """As Dialect says."""
        return None


def pointer_of(text: str) -> tuple[str, ...]:
    """The steps of a JSON pointer such as /data/0/text; none for the whole reply. BadInput."""
    if text and not text.startswith("/"):
        raise BadInput("no JSON pointer", "write it like /translatedText or /data/0/text", where="--answer")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text.split("/")[1:])


def _template(body: str) -> Any:
    try:
        if len(body) > MAX_BODY:
            raise ValueError(body)
        return orjson.loads(body)
    except ValueError:
        raise BadInput("no JSON", 'write it like \'{"q": "{prompt}"}\'', where="--body") from None


def _filled(value: Any, texts: Mapping[str, str]) -> Any:
    """A template with texts in its strings, all at once: what is filled in is not looked at again."""
    if isinstance(value, str):
        return _PLACES.sub(lambda place: texts.get(place[0], place[0]), value)
    if isinstance(value, list):
        return [_filled(item, texts) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, texts) for key, item in value.items()}
    return value


def _at(value: Any, pointer: tuple[str, ...]) -> Any:
    for step in pointer:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 6 and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
