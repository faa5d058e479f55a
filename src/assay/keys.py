"""Keys at rest: Ethereum V3 keystores, one file per name, mode 0600 in a folder of mode 0700.

A password comes from a file or from the keyboard, never from an argument or the environment. Nothing here puts a secret or a
password into an exception or a text form.
"""

import importlib
import json
import os
import re
import secrets
import stat
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson

from assay.encoding.hashing import checksum
from assay.encoding.receipts import CURVE_ORDER, LocalSigner
from assay.errors import BadInput, BadKey
from assay.settings import private_folder
from assay.types import Address

MAX_KEYSTORE_BYTES = 16_384
MAX_PASSWORD_BYTES = 4_096
STANDARD_ROUNDS = 1 << 18
LIGHT_ROUNDS = 1 << 12
MADE_BY_INIT = ("owner", "operator", "salts")
OPEN_TO_OTHERS = 0o037  # a group may read: so systemd shows the credentials that it hands to a service
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def keystore_path(folder: Path, name: str) -> Path:
    """Where the keystore of a name lies. BadInput for a name that is no plain file name."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} is no name for a key",
            "use letters, digits, dots, dashes and underscores, at most 64 of them, a letter or digit first",
            where="key",
        )
    return folder / f"{name}.json"


def list_keys(folder: Path) -> list[tuple[str, Address]]:
    """Names and addresses of all keystores of a folder, by name; empty where there is no folder."""
    return [(path.stem, address_of_key(folder, path.stem)) for path in sorted(folder.glob("*.json"))]


def address_of_key(folder: Path, name: str) -> Address:
    """Address of a keystore, as its file says; needs no password. BadKey where there is none."""
    try:
        return checksum(bytes.fromhex(str(_read(folder, name)["address"]).removeprefix("0x")))
    except (KeyError, ValueError):
        raise BadKey(f"the keystore {name} names no address", f"look at {keystore_path(folder, name)}") from None


def new_key(folder: Path, name: str, password: str, *, light: bool = False) -> Address:
    """Make a random key and keep it under a name; its address. BadKey if the name is taken."""
    return import_key(folder, name, secrets.token_bytes(32), password, light=light)


def import_key(folder: Path, name: str, secret: bytes, password: str, *, light: bool = False) -> Address:
    """Keep a private key of 32 bytes under a name; its address.

    `light` makes the password cheap to guess and the keystore quick to open: for development chains. BadKey if the name is taken
    or the bytes are no private key.
    """
    path = keystore_path(private_folder(folder), name)
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < CURVE_ORDER:
        raise BadKey("that is no private key", "a private key has 32 bytes and lies below the order of secp256k1")
    keystore = _keyfiles().create_keyfile_json(
        secret, password.encode(), kdf="scrypt", iterations=LIGHT_ROUNDS if light else STANDARD_ROUNDS
    )
    _write_new(path, json.dumps(keystore, indent=1).encode())
    return LocalSigner(secret).address


def open_secret(folder: Path, name: str, password: str) -> bytes:
    """The 32 bytes of a keystore. BadKey where it is missing or the password is wrong."""
    keystore = _read(folder, name)
    try:
        return bytes(_keyfiles().decode_keyfile_json(keystore, password.encode()))
    except (ValueError, TypeError, KeyError):
        raise BadKey(f"the keystore {name} does not open with this password", "check the password file") from None


def open_key(folder: Path, name: str, password: str) -> LocalSigner:
    """The signer of a keystore. BadKey where it is missing or the password is wrong."""
    return LocalSigner(open_secret(folder, name, password))


def read_password(path: Path) -> str:
    """First line of a password file, without its line ending. BadInput if it is missing, empty, too long or open to others."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_PASSWORD_BYTES + 1)
        if stat.S_ISREG(mode) and mode & OPEN_TO_OTHERS:
            raise BadInput("others can read or write the password file", f"chmod 600 {path}", where=str(path))
        if len(raw) > MAX_PASSWORD_BYTES:
            raise BadInput("the password file is too long", "its first line is the password", where=str(path))
        password = raw.decode().split("\n", 1)[0].removesuffix("\r")
    except OSError as error:
        raise BadInput(f"the password file cannot be read: {error.strerror}", "name another one", where=str(path)) from None
    except UnicodeDecodeError:
        raise BadInput("the password file is not UTF-8 text", "its first line is the password", where=str(path)) from None
    if not password:
        raise BadInput("the password file is empty", "its first line is the password", where=str(path))
    return password


def read_secret(path: Path) -> bytes:
    """A private key from a file with its 64 hex digits. BadInput where there is none."""
    try:
        text = path.read_bytes()[:256].decode("ascii").strip()
        return bytes.fromhex(text.removeprefix("0x"))
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", "name another one", where=str(path)) from None
    except ValueError:
        raise BadInput("the file does not hold a private key", "it is 64 hex digits", where=str(path)) from None


def _keyfiles() -> ModuleType:
    """eth-keyfile, imported when a keystore is opened: it takes half a second.

    One of its own imports raises the recursion limit of the process a hundredfold, so that a request with deeply nested JSON
    would overrun the stack of a gateway; the limit is put back.
    """
    limit = sys.getrecursionlimit()
    try:
        return importlib.import_module("eth_keyfile")
    finally:
        sys.setrecursionlimit(limit)


def _read(folder: Path, name: str) -> dict[str, Any]:
    path = keystore_path(folder, name)
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_KEYSTORE_BYTES + 1)
    except FileNotFoundError:
        made = "assay bench init, or assay provider init" if name in MADE_BY_INIT else f"assay keys new {name}"
        raise BadKey(f"there is no key {name} in {folder}", f"make one: {made}") from None
    except OSError as error:
        raise BadKey(f"the keystore {path} cannot be read: {error.strerror}", "check its owner and its mode") from None
    try:
        keystore = orjson.loads(raw) if len(raw) <= MAX_KEYSTORE_BYTES else None
    except ValueError:
        keystore = None
    if not isinstance(keystore, dict):
        raise BadKey(f"{path} is no keystore", "restore it from its backup")
    return keystore


def _write_new(path: Path, data: bytes) -> None:
    """Write a private file whole or not at all; a file that stands there is never replaced."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # fails where the name is taken, unlike a rename
    except FileExistsError:
        raise BadKey(f"the key {path.stem} exists already", "choose another name; keys are never overwritten") from None
    finally:
        Path(temporary).unlink()
