"""Any OpenAI-compatible endpoint: /chat/completions, or /completions for models without a chat template.

Template and decoding come from the task's description; the model's name is ours. An answer is the text of the one choice, as it
came, where `finish_reason` is "stop" or absent. "length" is an answer only where the task itself limits the tokens: then the cut
is the task's, otherwise half a sentence would stand for the model. "content_filter" and everything else is silence, and so are
no choices, several choices and a text that is null.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from assay.errors import BadInput
from assay.gateway.upstreams import Occasion
from assay.gateway.upstreams.brief import Brief, Descriptions
from assay.gateway.upstreams.failed import Failed
from assay.gateway.upstreams.line import Request
from assay.types import TaskId

MAX_MODEL = 200
CODES = {
    "insufficient_quota": Failed("no-quota", "the account has no money or quota left: top it up, or wait for the next period"),
    "invalid_api_key": Failed("bad-key", "the endpoint refuses the key: check the file of --api-key-file"),
    "model_not_found": Failed("no-model", "the endpoint does not know the model: check --model against its list (/models)"),
    "context_length_exceeded": Failed("too-long", "the prompt is too long for the model: serve one with a larger context"),
}
"""Errors by the `code` or `type` that endpoints give them; trying again does not help."""


class OpenAI:
    """The dialect of one model at one endpoint."""

    kind = "openai"

    def __init__(
        self, base: str, model: str, descriptions: Descriptions, *, chat: bool = True, decoding: Mapping[str, Any] | None = None
    ) -> None:
        """`base` is the address up to /v1; `decoding` is ours, for tasks that leave it to the provider. BadInput."""
        if not 0 < len(model) <= MAX_MODEL or not model.isprintable():
            raise BadInput("no name of a model", f"1 to {MAX_MODEL} printable characters", where="--model")
        self._url = base.rstrip("/") + ("/chat/completions" if chat else "/completions")
        self._model, self._chat, self._descriptions, self._decoding = model, chat, descriptions, dict(decoding or {})

    def objection(self, task: TaskId, description_digest: bytes) -> str | None:
        """As Dialect says."""
        try:
            self._descriptions.brief(task, description_digest)
        except BadInput as error:
            return f"{error.message}: {error.remedy}"
        return None

    def request(self, prompt: str, occasion: Occasion | None) -> Request:
        """As Dialect says."""
        brief = self._brief(occasion)
        text = brief.text(prompt)
        asked = {"messages": [{"role": "user", "content": text}]} if self._chat else {"prompt": text}
        decoding = self._decoding if brief.decoding is None else brief.decoding
        try:
            return Request("POST", self._url, orjson.dumps({"model": self._model, "stream": False, **decoding, **asked}))
        except (TypeError, ValueError):  # lone surrogates
            raise Failed("no-text", "the prompt is no text") from None

    def response(self, body: bytes, occasion: Occasion | None) -> str:
        """As Dialect says."""
        choice = self._choice(body)
        reason = choice.get("finish_reason") or "stop"
        if reason == "content_filter":
            raise Failed("content-filter", "the endpoint's filter took the answer: choose another endpoint, or leave it silent")
        if reason == "length" and not self._brief(occasion).limits_length:
            raise Failed("cut-off", "the endpoint cut the answer off: raise max_tokens with --decoding")
        if reason not in ("stop", "length"):
            raise Failed("odd-finish", "the model did not end by itself: choose a model without tools")
        message = choice.get("message") if self._chat else choice
        text = message.get("content" if self._chat else "text") if isinstance(message, dict) else None
        if not isinstance(text, str):
            raise Failed("no-answer", "the reply holds no text: try --completions for a model without a chat template")
        return text

    def explain(self, status: int, body: bytes) -> Failed | None:
        """As Dialect says."""
        for word in _codes(body):
            if found := CODES.get(word):
                return Failed(found.what, found.remedy)
        if status in (401, 403):
            return Failed("bad-key", CODES["invalid_api_key"].remedy)
        if status == 404:
            return Failed("no-model", "no such model or path: check --model, and that --url ends before /chat/completions")
        return None

    def _brief(self, occasion: Occasion | None) -> Brief:
        if occasion is None:
            return Brief()
        try:
            return self._descriptions.brief(occasion.task, occasion.description_digest)
        except BadInput:
            raise Failed("no-description", "the task's description is missing here: assay provider join INVITATION") from None

    def _choice(self, body: bytes) -> dict[str, Any]:
        try:
            reply = orjson.loads(body)
        except ValueError:
            raise Failed("no-json", "the reply is no JSON in UTF-8: check the endpoint's address") from None
        choices = reply.get("choices") if isinstance(reply, dict) else None
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
            raise Failed("no-choice", "the reply holds not exactly one choice: check the endpoint's address")
        return choices[0]


def _codes(body: bytes) -> list[str]:
    """The words by which an endpoint names its error; nothing else of it is read."""
    try:
        reply = orjson.loads(body)
    except ValueError:
        return []
    error = reply.get("error") if isinstance(reply, dict) else None
    error = error if isinstance(error, dict) else {}
    return [word for word in (error.get("code"), error.get("type")) if isinstance(word, str)]
