"""`assay provider register | commit-version | list | release`: models and versions, and what became of them."""

import hashlib
from contextlib import closing
from pathlib import Path

import click

from assay.cli.common import connect, emit, key_options, load_signer, pass_settings
from assay.cli.provider.home import catalogue_of, database_of
from assay.cli.stake import address_of
from assay.errors import BadInput
from assay.settings import Settings

FILE = click.Path(path_type=Path, dir_okay=False)
CHUNK = 1 << 20


@click.command()
@click.argument("name")
@click.option("--owner", default="owner", show_default=True, metavar="KEY|ADDRESS", help="Who owns the model and stakes for it.")
@key_options("operator")
@pass_settings
def register(settings: Settings, name: str, owner: str, key: str, password_file: Path | None) -> None:
    """Register a model. The chain sees a salted hash of its NAME."""
    from assay.chain.door import Door
    from assay.gateway.registrar import Registrar

    whose, signer = address_of(settings, owner), load_signer(settings, key, password_file)
    with catalogue_of(settings) as catalogue, closing(connect(settings)) as chain:
        model = Registrar(chain, Door(chain, signer), catalogue).register(whose, name)
    emit(settings, {"model": model.id, "name": name, "owner": whose})


@click.command("commit-version")
@click.argument("name")
@click.option("--label", required=True, help="What you call this version. The chain sees a salted hash.")
@click.option("--artifact-digest", metavar="HEX", help="32 bytes that name the weights, or a vendor's dated model and settings.")
@click.option("--artifact", metavar="FILE", type=FILE, help="File whose SHA-256 is that digest.")
@click.option("--operator", metavar="KEY|ADDRESS", help="Who signs this version's answers. Default: the signing key.")
@key_options("operator")
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
    with catalogue_of(settings) as catalogue:
        model, signer = named(catalogue, name), load_signer(settings, key, password_file)
        who = address_of(settings, operator) if operator else signer.address
        with closing(connect(settings)) as chain:
            version = Registrar(chain, Door(chain, signer), catalogue).commit(model, label, digest, who)
    result = {"version": version, "model": model.id, "label": label, "artifact_digest": digest, "operator": who}
    emit(settings, result, "0x" + version.hex())


@click.command("list")
@pass_settings
def list_(settings: Settings) -> None:
    """Models, versions and rounds of this home."""
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.journal import Journal

    with database_of(settings) as database:
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
    emit(settings, result, lines or ["nothing yet; next: assay provider register NAME"])


@click.command()
@click.argument("round_", metavar="ROUND")
@key_options("operator")
@pass_settings
def release(settings: Settings, round_: str, key: str, password_file: Path | None) -> None:
    """Free the version bonds that this provider has in ROUND (an id, or the first digits of one)."""
    from assay.chain.door import Door
    from assay.gateway.catalogue import Catalogue
    from assay.gateway.journal import Journal
    from assay.gateway.registrar import Registrar, by_prefix
    from assay.types import RoundId

    with database_of(settings) as database:
        seats = Journal(database).seats()
        chosen = RoundId(by_prefix(round_, [seat.round for seat in seats], "ROUND"))
        signer = load_signer(settings, key, password_file)
        with closing(connect(settings)) as chain:
            registrar = Registrar(chain, Door(chain, signer), Catalogue(database))
            freed = registrar.release(chosen, [seat.version for seat in seats if seat.round == chosen])
    emit(settings, {"round": chosen, "released": freed}, [f"released  0x{version.hex()}" for version in freed])


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
