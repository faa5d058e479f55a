"""What all commands share: settings, results, errors, progress, keys and the connection. No command's own logic."""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import structlog

from assay import keys
from assay.encoding.receipts import LocalSigner
from assay.errors import AssayError, BadInput
from assay.settings import Settings

if TYPE_CHECKING:  # web3 takes a second to import, and most commands start without it
    from assay.chain.client import Chain

Function = TypeVar("Function", bound=Callable[..., Any])

pass_settings = click.make_pass_decorator(Settings)


class Hash32(click.ParamType[bytes]):
    """An id or digest on the command line: 0x and 64 hex digits, 32 bytes."""

    name = "hash"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """The bytes, or wrong usage."""
        if isinstance(value, bytes):
            return value
        try:
            raw = bytes.fromhex(value.removeprefix("0x"))
        except ValueError:
            raw = b""
        if len(raw) != 32:
            self.fail(f"{value!r:.80} is no id: 0x and 64 hex digits", param, ctx)
        return raw


HASH = Hash32()

UNEXPECTED = 70
BROKEN_PIPE = 141
INTERRUPTED = 130


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """Run a command and return its exit code: 0, its own, an AssayError's, 2 for wrong usage, 70 for a defect of this program."""
    as_json, debug = "--json" in arguments, "debug" in arguments
    words = [word for word in arguments if word != "--json"]  # it may stand anywhere
    try:
        result = command.main(["--json"] * as_json + words, prog_name="assay", standalone_mode=False)
    except AssayError as error:
        if debug:
            traceback.print_exc()
        return _complain(type(error).__name__, error.message, error.remedy, error.exit_code, as_json=as_json)
    except click.ClickException as error:
        message, remedy = _of_usage(error)
        return _complain("Usage", message, remedy, error.exit_code, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        return _complain("Interrupted", "stopped", "", INTERRUPTED, as_json=as_json)
    except BrokenPipeError:
        sys.stdout = None  # the reader went away: nothing may be flushed to it at exit
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last handler: a defect of this program becomes a message
        if debug:
            traceback.print_exc()
        what = f"unexpected {type(error).__name__}"
        return _complain(
            "Unexpected", what, "run again with --log-level debug and report the traceback", UNEXPECTED, as_json=as_json
        )
    return result if isinstance(result, int) else 0


def _of_usage(error: click.ClickException) -> tuple[str, str]:
    """What is wrong with the words; then those that were meant, if there are any alike, and where all of them are told."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return error.format_message(), ""
    like, typed = getattr(error, "possibilities", None), getattr(error, "command_name", None)
    if typed is not None and not like and isinstance(context.command, click.Group):  # of a table that imports nothing
        like = get_close_matches(typed, context.command.list_commands(context))
    meant = f"Did you mean {' or '.join(like)}? " if like else ""
    usage = " ".join(context.get_usage().split())
    return error.message if like else error.format_message(), f"{meant}{usage}; more: {context.command_path} --help"


def _complain(name: str, message: str, remedy: str, code: int, *, as_json: bool) -> int:
    if as_json:
        click.echo(json.dumps({"error": name, "message": message, "remedy": remedy}))
        return code
    click.secho(f"{message}", err=True, fg="red")
    if remedy:
        click.echo(f"  {remedy}", err=True)
    return code


def plain(value: object) -> Any:
    """A value as JSON types: bytes as 0x hex, dataclasses and named tuples as objects, enums by their names in lower case.

    Integers beyond 2^53 become decimal strings, because readers in other languages would round them.
    """
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Enum):
        return value.name.lower()
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {key: plain(item) for key, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {plain(key) if isinstance(key, bytes) else str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1 << 53:
        return str(value)
    return str(value) if isinstance(value, Path) else value


def emit(settings: Settings, result: object, text: str | Iterable[str] | None = None) -> None:
    """Print a result on standard output: one line of JSON where --json was given, else `text`, or `key  value` lines."""
    if settings.json:
        click.echo(json.dumps(plain(result), ensure_ascii=False))
        return
    if text is None:
        value = plain(result)
        rows = value.items() if isinstance(value, dict) else [("", value)]
        width = max((len(str(key)) for key, _ in rows), default=0)
        text = (f"{key!s:<{width}}  {item}" for key, item in rows)
    for line in [text] if isinstance(text, str) else text:
        click.echo(line)


def set_up_logs(level: str) -> None:
    """Structured logs on standard error: coloured on a terminal, JSON lines elsewhere."""
    tty = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer() if tty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; gives a function that counts done steps. Silent unless a person looks on."""
    if not sys.stderr.isatty():
        yield lambda _steps: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda steps: bar.advance(task, steps)


def password_option(function: Function) -> Function:
    """Adds --password-file."""
    option = click.option(
        "--password-file",
        metavar="FILE",
        envvar="ASSAY_PASSWORD_FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File whose first line is the password. Without it you are asked.",
    )
    return option(function)


def key_options(default: str) -> Callable[[Function], Function]:
    """Adds --key, by default one of the two that `init` makes ("owner" or "operator"), and --password-file."""
    option = click.option("--key", metavar="NAME", default=default, show_default=True, help=f"The {default}'s key.")
    return lambda function: option(password_option(function))


def password_of(password_file: Path | None, *, confirm: bool = False) -> str:
    """The password from its file, or from the keyboard. BadInput where there is neither."""
    if password_file is not None:
        return keys.read_password(password_file)
    if not sys.stdin.isatty():
        raise BadInput("there is no password", "give --password-file, or run this on a terminal", where="--password-file")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True)
    return password


def load_signer(settings: Settings, name: str, password_file: Path | None) -> LocalSigner:
    """The signer of a keystore of this home. BadKey where it is missing or does not open."""
    keys.address_of_key(settings.keys, name)  # a missing key is told before a password is asked for
    return keys.open_key(settings.keys, name, password_of(password_file))


def connect(settings: Settings) -> "Chain":
    """The chain that the settings name; closed when the command ends. Unreachable, WrongChain, BadInput."""
    from assay.chain import deployments
    from assay.chain.client import Chain

    chosen = deployments.load(settings.deployment) if settings.deployment else None
    chain = Chain.connect(settings.rpc, chosen)
    click.get_current_context().call_on_close(chain.close)
    return chain
