"""The options that say what a model is, shared by `serve` and `try`, and the upstream that they make."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from assay.errors import BadInput
from assay.settings import Settings

if TYPE_CHECKING:  # httpx is imported by the upstreams that need it
    from assay.gateway.upstreams import Upstream
    from assay.gateway.upstreams.credentials import Credentials
    from assay.gateway.upstreams.remote import Dialect, Keep

Function = TypeVar("Function", bound=Callable[..., Any])
FILE = click.Path(path_type=Path, dir_okay=False)
KINDS = ("python", "command", "replay", "openai", "http")

OPTIONS = (
    click.option("--upstream", required=True, type=click.Choice(KINDS), help="What the model is."),
    click.option("--python", "spec", metavar="SPEC", help="python: module:attribute or file.py:attribute with translate(text)."),
    click.option("--command", "line", metavar="LINE", help="command: program that reads and writes JSON strings, one a line."),
    click.option("--per-text", is_flag=True, help="command: start it for each text, on standard input and output."),
    click.option("--replay", metavar="FILE", type=FILE, help="replay: TSV file with a header."),
    click.option("--output-column", default="output", show_default=True, help="replay: column of the answers."),
    click.option("--prompt-column", default="prompt", show_default=True, help="replay: column of the prompts."),
    click.option("--prompts", metavar="FILE", type=FILE, help="replay: TSV file of the prompts, joined by `id`."),
    click.option("--url", metavar="URL", help="openai: address up to /v1. http: address, where {prompt} is percent-encoded."),
    click.option("--model", metavar="NAME", help="openai: the model's name at that endpoint."),
    click.option(
        "--api-key-file", metavar="FILE", type=FILE, help="openai, http: file that holds the key, readable by you alone."
    ),
    click.option("--completions", is_flag=True, help="openai: /completions, for base models without a chat template."),
    click.option("--decoding", metavar="JSON", help='openai: settings where a task leaves them to you, like {"temperature": 0}.'),
    click.option("--method", type=click.Choice(["POST", "GET"]), default="POST", show_default=True, help="http: the method."),
    click.option("--body", metavar="JSON", help="http: what to send, with {prompt} in its strings, and {key} for the key."),
    click.option("--answer", metavar="POINTER", help="http: where the answer stands in the reply, like /data/0/text."),
    click.option("--headers-file", metavar="FILE", type=FILE, help="http: headers, one a line, readable by you alone."),
    click.option(
        "--rate-limit", default=60, show_default=True, type=click.IntRange(1, 100_000), help="openai, http: requests a minute."
    ),
    click.option(
        "--parallel", default=2, show_default=True, type=click.IntRange(1, 256), help="Calls at a time, where the model can."
    ),
    click.option(
        "--timeout",
        default=60.0,
        show_default=True,
        type=click.FloatRange(0.1, 3600),
        help="Seconds for one answer, retries included.",
    ),
)


def upstream_options(function: Function) -> Function:
    """Adds the options of all kinds of models."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def make(settings: Settings, options: dict[str, Any], limit: int, keep: "Keep | None" = None) -> "Upstream":
    """The model that the options name. `limit` in bytes of a response. BadInput where they do not go together."""
    kind, timeout = options["upstream"], options["timeout"]
    if kind in ("openai", "http"):
        return _remote(settings, options, limit, keep)
    if kind == "python":
        from assay.gateway.upstreams.python import PythonUpstream, load

        return PythonUpstream(
            load(_needed(options, "spec", "--python")), timeout=timeout, limit=limit, threads=options["parallel"]
        )
    if kind == "command":
        from assay.gateway.upstreams.command import LineUpstream, TextUpstream, split

        arguments = split(_needed(options, "line", "--command"))
        if options["per_text"]:
            return TextUpstream(arguments, timeout=timeout, limit=limit, parallel=options["parallel"])
        return LineUpstream(arguments, timeout=timeout, limit=limit)
    from assay.gateway.upstreams import replay

    file = _needed(options, "replay", "--replay")
    return replay.load(file, options["output_column"], options["prompt_column"], options["prompts"])


def _remote(settings: Settings, options: dict[str, Any], limit: int, keep: "Keep | None") -> "Upstream":
    from assay.gateway.upstreams.remote import RemoteUpstream, limits_for

    dialect, credentials = _openai(settings, options) if options["upstream"] == "openai" else _http(options)
    limits = limits_for(limit, timeout=options["timeout"], per_minute=options["rate_limit"], parallel=options["parallel"])
    return RemoteUpstream(dialect, credentials, limits, limit=limit, keep=keep)


def _openai(settings: Settings, options: dict[str, Any]) -> "tuple[Dialect, Credentials]":
    from assay.gateway.upstreams.brief import Descriptions, decoding_of
    from assay.gateway.upstreams.credentials import bearer, checked_endpoint
    from assay.gateway.upstreams.openai import OpenAI

    credentials = bearer(options["api_key_file"])
    url = checked_endpoint(_needed(options, "url", "--url"), credentials, "--url")
    decoding = decoding_of(options["decoding"]) if options["decoding"] is not None else None
    model, chat = _needed(options, "model", "--model"), not options["completions"]
    return OpenAI(url, model, Descriptions(settings.tasks), chat=chat, decoding=decoding), credentials


def _http(options: dict[str, Any]) -> "tuple[Dialect, Credentials]":
    from assay.gateway.upstreams.credentials import checked_endpoint, headers_of, key_of
    from assay.gateway.upstreams.http import Http

    credentials, key = headers_of(options["headers_file"]), ""
    if options["api_key_file"] is not None:
        key = key_of(options["api_key_file"])
        credentials = credentials.with_secret(key)
    url = checked_endpoint(_needed(options, "url", "--url"), credentials, "--url")
    dialect = Http(url, _needed(options, "answer", "--answer"), method=options["method"], body=options["body"], key=key)
    return dialect, credentials


def _needed(options: dict[str, Any], name: str, flag: str) -> Any:
    if options[name] is None:
        raise BadInput(f"--upstream {options['upstream']} needs it", f"add {flag}", where=flag)
    return options[name]
