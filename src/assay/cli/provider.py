"""`assay provider`: stake, register models, commit versions, serve.

Owners' keys deposit, withdraw and allow; operators' keys do the rest.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assay import keys
from assay.cli.common import connect, emit, key_options, load_signer, pass_settings, password_of, password_option
from assay.errors import BadInput
from assay.settings import Settings, private_folder

if TYPE_CHECKING:  # web3 and fastapi are imported by the commands that need them
    from assay.chain.client import Chain
    from assay.chain.contracts.base import Call
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.database import Database
    from assay.gateway.upstreams import Upstream
    from assay.types import Address, VersionId

FILE = click.Path(path_type=Path, dir_okay=False)
CHUNK = 1 << 20


@click.group("provider")
def command() -> None:
    """Let your models sit exams.

    \b
    Once:        init, then money to both keys, deposit, allow
    Each model:  register, commit-version
    Each day:    serve
    """


@command.command()
@click.option("--owner", default="owner", show_default=True, help="Name of the key that holds the stake.")
@click.option("--operator", default="operator", show_default=True, help="Name of the key that signs answers.")
@click.option("--light", is_flag=True, help="Keys that open fast and protect little: for development chains.")
@password_option
@pass_settings
def init(settings: Settings, owner: str, operator: str, light: bool, password_file: Path | None) -> None:
    """Make both keys and a policy.toml, where they are missing."""
    from assay.gateway.policy import TEMPLATE

    have = dict(keys.list_keys(settings.keys))
    missing = [name for name in (owner, operator) if name not in have]
    if missing:
        password = password_of(password_file, confirm=True)
        for name in dict.fromkeys(missing):
            have[name] = keys.new_key(settings.keys, name, password, light=light)
    path = private_folder(settings.home) / "policy.toml"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(TEMPLATE, encoding="utf-8")
    emit(settings, {"owner": have[owner], "operator": have[operator], "policy": path})


@command.command()
@click.argument("amount")
@key_options
@pass_settings
def deposit(settings: Settings, amount: str, key: str, password_file: Path | None) -> None:
    """Deposit AMOUNT, for example "1 ether", as the owner's stake."""
    wei = _wei(amount)
    _send(settings, key, password_file, lambda chain, me: chain.vault.deposit(me, wei), {"deposited": wei})


@command.command()
@click.argument("amount")
@click.option("--to", metavar="ADDRESS", help="Where it goes. Default: the owner.")
@key_options
@pass_settings
def withdraw(settings: Settings, amount: str, to: str | None, key: str, password_file: Path | None) -> None:
    """Withdraw AMOUNT of the owner's free stake."""
    wei, where = _wei(amount), _address(settings, to) if to else None
    _send(settings, key, password_file, lambda chain, me: chain.vault.withdraw(wei, where or me), {"withdrawn": wei})


@command.command()
@click.argument("operator")
@click.argument("limit")
@key_options
@pass_settings
def allow(settings: Settings, operator: str, limit: str, key: str, password_file: Path | None) -> None:
    """Let OPERATOR, a key's name or an address, have LIMIT of the owner's stake locked at once; "0 wei" ends it."""
    who, wei = _address(settings, operator), _wei(limit)
    _send(settings, key, password_file, lambda chain, _: chain.vault.allow(who, wei), {"operator": who, "limit": wei})


@command.command()
@click.argument("name")
@click.option("--owner", required=True, metavar="KEY|ADDRESS", help="Who owns the model and stakes for it.")
@key_options
@pass_settings
def register(settings: Settings, name: str, owner: str, key: str, password_file: Path | None) -> None:
    """Register a model. The chain sees a salted hash of its NAME."""
    from assay.chain.door import Door
    from assay.gateway.registrar import Registrar

    whose, signer = _address(settings, owner), load_signer(settings, key, password_file)
    with _catalogue(settings) as catalogue, closing(connect(settings)) as chain:
        model = Registrar(chain, Door(chain, signer), catalogue).register(whose, name)
    emit(settings, {"model": model.id, "name": name, "owner": whose})


@command.command("commit-version")
@click.argument("name")
@click.option("--label", required=True, help="What you call this version. The chain sees a salted hash.")
@click.option("--artifact-digest", metavar="HEX", help="32 bytes that name the weights, or a vendor's dated model and settings.")
@click.option("--artifact", metavar="FILE", type=FILE, help="File whose SHA-256 is that digest.")
@click.option("--operator", metavar="KEY|ADDRESS", help="Who signs this version's answers. Default: the signing key.")
@key_options
@pass_settings
def commit_version(
    settings: Settings,
    name: str,
    label: str,
    artifact_digest: str | None,
    artifact: Path | None,
    operator: str | None,
    key: str,
    password_file: Path | None,
) -> None:
    """Commit a version of the model NAME. It can sit rounds that are sealed later."""
    from assay.chain.door import Door
    from assay.gateway.registrar import Registrar, named

    digest = _digest(artifact_digest, artifact)
    with _catalogue(settings) as catalogue:
        model, signer = named(catalogue, name), load_signer(settings, key, password_file)
        who = _address(settings, operator) if operator else signer.address
        with closing(connect(settings)) as chain:
            version = Registrar(chain, Door(chain, signer), catalogue).commit(model, label, digest, who)
    result = {"version": version, "model": model.id, "label": label, "artifact_digest": digest, "operator": who}
    emit(settings, result, "0x" + version.hex())


@command.command("list")
@pass_settings
def list_(settings: Settings) -> None:
    """Models, versions and rounds of this home."""
    from assay.gateway.journal import Journal

    with _database(settings) as database:
        from assay.gateway.catalogue import Catalogue

        catalogue, journal = Catalogue(database), Journal(database)
        models, versions = catalogue.models(), catalogue.versions()
        seats = [(seat, journal.counts(seat)) for seat in journal.seats()]
    lines = [f"model    0x{model.id.hex()[:16]}  {model.name}" for model in models]
    lines += [f"version  0x{found.version.hex()[:16]}  {found.name}  {found.label}" for found in versions]
    for seat, had in seats:
        counts = f"{had.answers} answers, {had.acks} acknowledged, {had.posts} posted"
        lines.append(f"round    0x{seat.round.hex()[:16]}  version 0x{seat.version.hex()[:16]}  {counts}")
    result = {
        "models": [{"model": model.id, "name": model.name, "owner": model.owner} for model in models],
        "versions": versions,
        "rounds": [{**seat._asdict(), **had._asdict()} for seat, had in seats],
    }
    emit(settings, result, lines)


@command.command()
@click.argument("round_", metavar="ROUND")
@key_options
@pass_settings
def release(settings: Settings, round_: str, key: str, password_file: Path | None) -> None:
    """Free the version bonds that this provider has in ROUND (an id, or the first digits of one)."""
    from assay.chain.door import Door
    from assay.gateway.journal import Journal
    from assay.gateway.registrar import Registrar, by_prefix
    from assay.types import RoundId

    with _database(settings) as database:
        from assay.gateway.catalogue import Catalogue

        seats = Journal(database).seats()
        chosen = RoundId(by_prefix(round_, [seat.round for seat in seats], "ROUND"))
        signer = load_signer(settings, key, password_file)
        with closing(connect(settings)) as chain:
            registrar = Registrar(chain, Door(chain, signer), Catalogue(database))
            freed = registrar.release(chosen, [seat.version for seat in seats if seat.round == chosen])
    emit(settings, {"round": chosen, "released": freed}, [f"released  0x{version.hex()}" for version in freed])


@command.command()
@click.option("--version", "version", required=True, metavar="ID", help="Version to serve: its id or the first digits of it.")
@click.option("--upstream", required=True, type=click.Choice(["python", "command", "replay"]), help="What the model is.")
@click.option("--python", "spec", metavar="SPEC", help="python: module:attribute or file.py:attribute with translate(text).")
@click.option("--command", "line", metavar="LINE", help="command: program that reads and writes JSON strings, one a line.")
@click.option("--per-text", is_flag=True, help="command: start it for each text, on standard input and output.")
@click.option(
    "--parallel", default=2, show_default=True, type=click.IntRange(1, 256), help="Calls at a time, where the model can."
)
@click.option("--replay", metavar="FILE", type=FILE, help="replay: TSV file with a header.")
@click.option("--output-column", default="output", show_default=True, help="replay: column of the answers.")
@click.option("--prompt-column", default="prompt", show_default=True, help="replay: column of the prompts.")
@click.option("--prompts", metavar="FILE", type=FILE, help="replay: TSV file of the prompts, joined by `id`.")
@click.option("--timeout", default=60.0, show_default=True, type=click.FloatRange(0.1, 3600), help="Seconds for one answer.")
@click.option("--policy", "policy_file", metavar="FILE", type=FILE, help="Default: policy.toml in the home.")
@click.option("--post/--no-post", default=True, show_default=True, help="Post answers on chain whose acknowledgement stays away.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8600, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@key_options
@pass_settings
def serve(
    settings: Settings, /, version: str, policy_file: Path | None, key: str, password_file: Path | None, **options: Any
) -> None:
    """Serve a version until interrupted.

    Checks chain, version, key, stake and allowance first. Says one line when it is ready.
    """
    from assay.gateway import policy as policies
    from assay.gateway.run import Plan, run

    rules = policies.load(policy_file or settings.home / "policy.toml")
    with _database(settings) as database:
        chosen = _version(database, version)
        signer = load_signer(settings, key, password_file)
        plan = Plan(chosen, rules, options["host"], options["port"], post=options["post"])
        with closing(connect(settings)) as chain:
            run(chain, signer, database, plan, lambda limit: _upstream(options, limit), lambda about: _say_ready(settings, about))


def _say_ready(settings: Settings, about: dict[str, object]) -> None:
    emit(settings, about, f"ready at {about['url']}")
    sys.stdout.flush()  # whoever waits for this line reads a pipe


def _upstream(options: dict[str, Any], limit: int) -> "Upstream":
    """The model that the options name. BadInput where they do not go together."""
    kind, timeout = options["upstream"], options["timeout"]
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


def _needed(options: dict[str, Any], name: str, flag: str) -> Any:
    if options[name] is None:
        raise BadInput(f"--upstream {options['upstream']} needs it", f"add {flag}", where=flag)
    return options[name]


def _send(
    settings: Settings,
    key: str,
    password_file: Path | None,
    make: "Callable[[Chain, Address], Call]",
    result: dict[str, Any],
) -> None:
    """Send one call with a key and print what came of it."""
    from assay.chain.door import Door

    signer = load_signer(settings, key, password_file)
    with closing(connect(settings)) as chain:
        receipt = Door(chain, signer).send(make(chain, signer.address))
        balance = chain.vault.balance(signer.address)
    emit(settings, {**result, "free": balance.free, "locked": balance.locked, "tx": receipt.tx_hash, "fee": receipt.fee})


@contextmanager
def _database(settings: Settings) -> "Iterator[Database]":
    from assay.gateway.database import Database

    database = Database(private_folder(settings.home) / "gateway.sqlite")
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _catalogue(settings: Settings) -> "Iterator[Catalogue]":
    from assay.gateway.catalogue import Catalogue

    with _database(settings) as database:
        yield Catalogue(database)


def _version(database: "Database", prefix: str) -> "VersionId":
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.registrar import by_prefix
    from assay.types import VersionId

    known = [found.version for found in Catalogue(database).versions()]
    return VersionId(by_prefix(prefix, known, "--version"))


def _wei(text: str) -> int:
    from assay.gateway.policy import amount

    try:
        return amount(text)
    except ValueError:
        raise BadInput('"<number> wei|gwei|ether" is wanted', 'for example "0.1 ether"', where="AMOUNT") from None


def _address(settings: Settings, text: str) -> "Address":
    """An address, or that of a key of this home."""
    from assay.encoding.hashing import checksum

    if text.startswith("0x"):
        try:
            return checksum(bytes.fromhex(text[2:])) if len(text) == 42 else _no_address(text)
        except ValueError:
            return _no_address(text)
    return keys.address_of_key(settings.keys, text)


def _no_address(text: str) -> "Address":
    raise BadInput(f"{text:.80} is no address", "give 0x and 40 hex digits, or the name of a key", where="ADDRESS")


def _digest(text: str | None, file: Path | None) -> bytes:
    if (text is None) == (file is None):
        raise BadInput("one artifact is wanted", "give --artifact-digest or --artifact", where="--artifact")
    if file is not None:
        return _sha256(file)
    try:
        digest = bytes.fromhex((text or "").removeprefix("0x"))
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise BadInput("a digest has 64 hex digits", "give the SHA-256 of the artifact", where="--artifact-digest")
    return digest


def _sha256(file: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", "name another one", where=str(file)) from None
    return digest.digest()
