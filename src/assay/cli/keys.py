"""`assay keys`: make, import and list keys."""

from pathlib import Path

import click

from assay import keys
from assay.cli.common import emit, pass_settings, password_of, password_option
from assay.settings import Settings

LIGHT = click.option("--light", is_flag=True, help="Opens fast and protects little: for development chains.")


@click.group("keys")
def command() -> None:
    """Make, import and list keys. Owners hold money, operators sign: use different keys."""


@command.command()
@click.argument("name")
@LIGHT
@password_option
@pass_settings
def new(settings: Settings, name: str, light: bool, password_file: Path | None) -> None:
    """Make a random key and keep it under NAME."""
    keys.keystore_path(settings.keys, name)
    address = keys.new_key(settings.keys, name, password_of(password_file, confirm=True), light=light)
    emit(settings, {"name": name, "address": address}, f"{name}  {address}")


@command.command("import")
@click.argument("name")
@click.option("--secret-file", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File with 64 hex digits.")
@LIGHT
@password_option
@pass_settings
def import_(settings: Settings, name: str, secret_file: Path, light: bool, password_file: Path | None) -> None:
    """Keep a private key from a file under NAME."""
    secret = keys.read_secret(secret_file)
    address = keys.import_key(settings.keys, name, secret, password_of(password_file, confirm=True), light=light)
    emit(settings, {"name": name, "address": address}, f"{name}  {address}")


@command.command("list")
@pass_settings
def list_(settings: Settings) -> None:
    """Names and addresses of all keys."""
    found = [{"name": name, "address": address} for name, address in keys.list_keys(settings.keys)]
    emit(settings, found, (f"{key['name']:<20}  {key['address']}" for key in found))


@command.command()
@click.argument("name")
@pass_settings
def address(settings: Settings, name: str) -> None:
    """The address of a key."""
    found = keys.address_of_key(settings.keys, name)
    emit(settings, {"name": name, "address": found}, found)
