"""API keys and headers, from private files alone: never from arguments, and never into logs, exceptions or answers."""

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from assay.errors import BadInput

MAX_FILE_BYTES = 16_384
MAX_HEADERS = 32
LEAST_SECRET = 8
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_OURS = frozenset({"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Credentials:
    """Headers that nobody sees. Text forms show their names alone."""

    def __init__(self, headers: Mapping[str, str] | None = None, secrets: tuple[str, ...] = ()) -> None:
        """`headers` as they are sent; `secrets` are the texts that must not come back in an answer."""
        self.headers = dict(headers or {})
        self._secrets = tuple(secret for secret in secrets if len(secret) >= LEAST_SECRET)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.headers)})"

    @property
    def any(self) -> bool:
        """Whether there is anything to keep secret."""
        return bool(self.headers or self._secrets)

    def with_secret(self, secret: str) -> "Credentials":
        """The same with one more text that must not come back."""
        return Credentials(self.headers, (*self._secrets, secret))

    def leak_in(self, text: str) -> bool:
        """Whether a text holds one of the secrets. A model's answer is published."""
        return any(secret in text for secret in self._secrets)


def bearer(path: Path | None) -> Credentials:
    """The API key of a file, to be sent as a bearer token; none without a file. BadInput."""
    if path is None:
        return Credentials()
    key = key_of(path)
    return Credentials({"Authorization": f"Bearer {key}"}, (key,))


def key_of(path: Path) -> str:
    """The API key of a file. BadInput."""
    lines = _private_lines(path)
    if len(lines) != 1 or not re.fullmatch(r"[\x21-\x7e]+", lines[0]):
        raise BadInput("one line without blanks is wanted: the key", "write the key alone into the file", where=str(path))
    return lines[0]


def headers_of(path: Path | None) -> Credentials:
    """The headers of a file, one `Name: value` a line; none without a file. BadInput names the line, not what it says."""
    if path is None:
        return Credentials()
    headers: dict[str, str] = {}
    for number, line in enumerate(_private_lines(path), 1):
        name, colon, value = line.partition(":")
        value = value.strip()
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise BadInput('a header is "Name: value" in ASCII', "mend the line", where=f"{path}:{number}")
        if name.lower() in _OURS or name.lower() in {known.lower() for known in headers}:
            raise BadInput("this header is ours to set, or stands above", "remove the line", where=f"{path}:{number}")
        headers[name] = value
    if len(headers) > MAX_HEADERS:
        raise BadInput(f"more than {MAX_HEADERS} headers", "remove some", where=str(path))
    words = tuple(word for value in headers.values() for word in (value, value.split()[-1]))
    return Credentials(headers, words)


def checked_endpoint(url: str, credentials: Credentials, where: str) -> str:
    """The address of an endpoint. BadInput for anything but http and https, for one with a password in it, and for
    credentials that would cross a network in the clear."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, 0
    if not host or port == 0 or parts.scheme not in ("http", "https") or parts.fragment or len(url) > 2_000 or not url.isascii():
        raise BadInput("no address of an endpoint", "write http:// or https://, host and path", where=where)
    if parts.username or parts.password:
        raise BadInput("the address holds a name or a password", "put credentials into a file", where=where)
    if credentials.any and parts.scheme == "http" and host not in LOOPBACK:
        raise BadInput("credentials would be sent in the clear", "use https://", where=where)
    return url


def _private_lines(path: Path) -> list[str]:
    """The lines of a file that nobody else can read, trailing line ends dropped."""
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            raw = file.read(MAX_FILE_BYTES + 1) if stat.S_ISREG(facts.st_mode) else b""
    except OSError as error:
        raise BadInput(f"the file cannot be read: {error.strerror}", "name another one", where=str(path)) from None
    if facts.st_mode & 0o077:
        raise BadInput("others can read or write this file", f"chmod 600 {path}", where=str(path))
    if len(raw) > MAX_FILE_BYTES:
        raise BadInput(f"the file is larger than {MAX_FILE_BYTES} bytes", "name another one", where=str(path))
    try:
        text = raw.decode("ascii").replace("\r\n", "\n").rstrip("\n")
    except UnicodeDecodeError:
        raise BadInput("the file is not ASCII text", "credentials are ASCII", where=str(path)) from None
    if not text:
        raise BadInput("the file is empty", "write the credentials into it", where=str(path))
    return text.split("\n")
