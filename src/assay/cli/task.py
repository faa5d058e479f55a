"""`assay task`: write, register and show tasks."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from assay.cli.common import HASH, connect, emit, key_options, load_signer, pass_settings
from assay.encoding.ids import task_id
from assay.errors import BadInput
from assay.metrics import by_signature
from assay.settings import Settings, private_folder
from assay.storage.lines import canonical
from assay.types import TaskId, TaskParams

if TYPE_CHECKING:
    from assay.chain.client import Chain
    from assay.chain.taskfile import TaskFile

PROFILES = ("demo", "weekly", "slow")


@click.group("task")
def command() -> None:
    """Write, register and show tasks."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default="weekly",
    show_default=True,
    help="demo: windows of minutes, for a development chain. weekly: answers within 72 hours. slow: within 30 days.",
)
@pass_settings
def init(settings: Settings, file: Path, profile: str) -> None:
    """Write a task FILE to start from."""
    from assay.chain.taskfile import template

    try:
        with file.open("x") as new:
            new.write(template(profile))
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", "choose another name", where=str(file)) from None
    emit(settings, {"file": file}, f"wrote {file}; edit it, then: assay task register {file} --key NAME")


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@key_options("operator")
@pass_settings
def register(settings: Settings, file: Path, key: str, password_file: Path | None) -> None:
    """Register the task of FILE. A second time is harmless."""
    from assay.chain import taskfile
    from assay.chain.door import Door
    from assay.chain.minima import check_task

    written = taskfile.read(file)
    chain = connect(settings)
    description = canonical(dict(written.description))
    params = _params(chain, written, hashlib.sha256(description).digest())
    check_task(chain, params)
    task = task_id(params)
    known = chain.tasks.params(task) is not None
    if not known:
        Door(chain, load_signer(settings, key, password_file)).send(chain.tasks.register(params))
    _keep(settings, task, description)
    emit(settings, {"task": task, "registered": not known}, f"0x{task.hex()}{'  (was registered before)' if known else ''}")


@command.command()
@click.argument("task", type=HASH)
@pass_settings
def show(settings: Settings, task: TaskId) -> None:
    """Parameters of TASK, and its description where this home has it."""
    params = connect(settings).tasks.params(task)
    if params is None:
        raise BadInput(f"the chain knows no task 0x{task.hex()}", "see `assay task list`", where="TASK")
    facts: dict[str, Any] = {"task": task, **asdict(params), "description": _description(settings, task, params)}
    emit(settings, facts)


@command.command("list")
@pass_settings
def list_(settings: Settings) -> None:
    """All registered tasks, with their names where this home has their descriptions."""
    from assay.chain.index import registered_tasks

    found, lines = [], []
    for task, params in registered_tasks(connect(settings)):
        name = (_description(settings, task, params) or {}).get("name")
        found.append({"task": task, "name": name, "metric": params.metric})
        lines.append(f"0x{task.hex()}  {name or '(description not here)'}")
    emit(settings, found, lines)


def _params(chain: "Chain", written: "TaskFile", digest: bytes) -> TaskParams:
    metric = by_signature(written.metric_signature)
    for address in chain.deployment.metrics.values():
        if chain.metric(address).signature() == metric.signature:
            return written.params(digest, address, metric.words)
    raise BadInput(
        f"no metric with the signature {metric.signature} is deployed", "see the deployment's metrics", where="--deployment"
    )


def _keep(settings: Settings, task: TaskId, description: bytes) -> None:
    file = private_folder(settings.tasks) / f"0x{task.hex()}.json"
    temporary = file.with_suffix(".new")
    temporary.write_bytes(description)
    temporary.replace(file)


def _description(settings: Settings, task: TaskId, params: TaskParams) -> dict[str, Any] | None:
    """The description of a task from this home, None where it is not here or is not the registered one."""
    try:
        raw = (settings.tasks / f"0x{task.hex()}.json").read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(raw).digest() != params.description_digest:
        return None
    description: dict[str, Any] = orjson.loads(raw)
    return description
