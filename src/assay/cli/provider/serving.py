"""`assay provider serve | try`: the model in front of examiners, and once before that in front of you."""

import asyncio
import base64
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay.cli.common import HASH, connect, emit, key_options, load_signer, pass_settings
from assay.cli.provider.home import database_of, gas_budget_option
from assay.cli.provider.upstreams import FILE, make, upstream_options
from assay.cli.stake import wei_of
from assay.settings import Settings
from assay.types import TaskId

if TYPE_CHECKING:
    from assay.gateway.database import Database
    from assay.gateway.upstreams.remote import Exchange
    from assay.types import VersionId

TRY_LIMIT = 1 << 18


@click.command()
@click.option("--version", "version", required=True, metavar="ID", help="Version to serve: its id or the first digits of it.")
@upstream_options
@click.option("--policy", "policy_file", metavar="FILE", type=FILE, help="Default: policy.toml in the home.")
@click.option("--post/--no-post", default=True, show_default=True, help="Post answers on chain whose acknowledgement stays away.")
@gas_budget_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8600, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@key_options("operator")
@pass_settings
def serve(
    settings: Settings,
    /,
    version: str,
    policy_file: Path | None,
    budget: str,
    key: str,
    password_file: Path | None,
    **options: Any,
) -> None:
    """Serve a version until interrupted.

    Checks chain, version, key, stake and allowance first. Says one line when it is ready. Where the gas budget does not allow
    the next post, that round is answered no more until it does: the log and `assay provider status` tell what waits.
    """
    from assay.gateway.calls import Calls
    from assay.gateway.policy import PolicyFile
    from assay.gateway.run import Plan, run

    limit = wei_of(budget)
    rules = PolicyFile(policy_file or settings.home / "policy.toml")
    with database_of(settings) as database:
        chosen, keep = _version(database, version), Calls(database).add
        signer = load_signer(settings, key, password_file)
        plan = Plan(chosen, rules, options["host"], options["port"], post=options["post"], gas_budget=limit)
        with closing(connect(settings)) as chain:
            run(
                chain,
                signer,
                database,
                plan,
                lambda limit: make(settings, options, limit, keep),
                lambda about: _say_ready(settings, about),
            )


@click.command("try")
@click.argument("text")
@click.option("--task", type=HASH, help="openai: ask as this task says; its description must be here, see `join`.")
@upstream_options
@pass_settings
def try_(settings: Settings, /, text: str, task: TaskId | None, **options: Any) -> int:
    """Ask the model TEXT once. No key, no chain, no stake.

    Ends with 1 if no answer came, and says what to do about it.
    """
    result = asyncio.run(_try(settings, text, task, options))
    emit(settings, result, _tried(result))
    return 0 if result["answered"] else 1


def _say_ready(settings: Settings, about: dict[str, object]) -> None:
    emit(settings, about, f"ready at {about['url']}")
    sys.stdout.flush()  # whoever waits for this line reads a pipe


async def _try(settings: Settings, text: str, task: TaskId | None, options: dict[str, Any]) -> dict[str, Any]:
    from assay.gateway.upstreams.remote import Exchange, RemoteUpstream

    upstream = make(settings, options, TRY_LIMIT)
    try:
        if isinstance(upstream, RemoteUpstream):
            return _result(await upstream.exchange(text, _occasion(settings, task)))
        began = time.monotonic()
        response = await upstream.translate(text)
        failure, remedy = ("", "") if response is not None else ("silent", "see above what the model wrote, or run it by itself")
        return _result(Exchange(None, response, failure, remedy, 1, time.monotonic() - began))
    finally:
        await upstream.close()


def _result(done: "Exchange") -> dict[str, Any]:
    """An exchange as JSON types. Headers are no part of it."""
    result: dict[str, Any] = {"answered": done.response is not None, "latency_ms": round(1000 * done.seconds, 1)}
    if done.request is not None:
        body = (done.request.body or b"").decode()
        result["sent"] = {"method": done.request.method, "url": done.request.url, "body": body}
    if done.response is None:
        return {**result, "failure": done.failure, "remedy": done.remedy}
    try:
        result["answer"] = done.response.decode()
    except UnicodeDecodeError:
        result["answer_b64"] = base64.b64encode(done.response).decode()
    return {**result, "bytes": len(done.response)}


def _tried(result: dict[str, Any]) -> Iterator[str]:
    if sent := result.get("sent"):
        yield f"sent     {sent['method']} {sent['url']}"
        yield from (f"         {line}" for line in sent["body"].splitlines())
    yield f"latency  {result['latency_ms']} ms"
    if result["answered"]:
        yield f"bytes    {result['bytes']}"
        yield f"answer   {result.get('answer', result.get('answer_b64'))}"
    else:
        yield f"silent   {result['failure']}"
        yield f"next     {result['remedy']}"


def _occasion(settings: Settings, task: TaskId | None) -> Any:
    """A place of no round, so that a task's template and decoding are used."""
    from assay.chain import descriptions
    from assay.gateway.messages import Place
    from assay.gateway.upstreams import Occasion
    from assay.types import RoundId, VersionId

    if task is None:
        return None
    nowhere = Place(RoundId(bytes(32)), VersionId(bytes(32)), 0)
    return Occasion(nowhere, task, descriptions.digest_of(settings.tasks, task))


def _version(database: "Database", prefix: str) -> "VersionId":
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.registrar import by_prefix
    from assay.types import VersionId

    known = [found.version for found in Catalogue(database).versions()]
    return VersionId(by_prefix(prefix, known, "--version"))
