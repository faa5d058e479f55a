"""Any JSON service over HTTP: where to ask, what to send, and where in the reply the answer stands.

`{prompt}` stands for the sealed text: percent-encoded in the address, as it is inside the strings of the JSON body, which is
built from values and never by gluing text together. The answer is the string at a JSON pointer (RFC 6901).
"""

from typing import Any
from urllib.parse import quote

import orjson

from assay.errors import BadInput
from assay.gateway.upstreams import Occasion
from assay.gateway.upstreams.brief import PROMPT
from assay.gateway.upstreams.failed import Failed
from assay.gateway.upstreams.line import Request
from assay.types import TaskId

MAX_BODY = 65_536
MAX_URL = 65_536


class Http:
    """The dialect of one service."""

    kind = "http"

    def __init__(self, url: str, answer: str, *, method: str = "POST", body: str | None = None) -> None:
        """`body` is JSON with `{prompt}` in its strings, `answer` a JSON pointer. BadInput where nothing carries the prompt."""
        self._url, self._method = url, method
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
            body = None if self._body is None else orjson.dumps(_filled(self._body, prompt))
        except (TypeError, ValueError):  # lone surrogates
            raise Failed("no-text", "the prompt is no text") from None
        if len(url) > MAX_URL:
            raise Failed("long-address", "the prompt does not fit into an address: use --method POST and --body")
        return Request(self._method, url, body)

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


def _filled(value: Any, prompt: str) -> Any:
    if isinstance(value, str):
        return value.replace(PROMPT, prompt)
    if isinstance(value, list):
        return [_filled(item, prompt) for item in value]
    if isinstance(value, dict):
        return {key: _filled(item, prompt) for key, item in value.items()}
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
