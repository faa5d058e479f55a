import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from eth_account import Account
from eth_keyfile import create_keyfile_json

from assay import keys
from assay.errors import BadInput, BadKey

SECRET = bytes(range(1, 33))
PASSWORD = "correct horse"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.import_key(tmp_path / "keys", "op", SECRET, PASSWORD, light=True)
    return tmp_path / "keys"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_import_key__whatever_the_umask__file_is_0600_in_a_folder_0700(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.import_key(tmp_path / "keys", "op", SECRET, PASSWORD, light=True)
    finally:
        os.umask(before)
    assert mode(tmp_path / "keys") == 0o700
    assert mode(tmp_path / "keys/op.json") == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["op.json"]


def test_import_key__open_folder__is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    keys.import_key(tmp_path, "op", SECRET, PASSWORD, light=True)
    assert mode(tmp_path) == 0o700


def test_import_key__name_taken__refused_and_the_old_key_stays(folder: Path) -> None:
    before = (folder / "op.json").read_bytes()
    with pytest.raises(BadKey, match="exists already"):
        keys.new_key(folder, "op", PASSWORD, light=True)
    assert (folder / "op.json").read_bytes() == before
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, b"\x01" * 31, b""])
def test_import_key__no_private_key__bad_key(tmp_path: Path, secret: bytes) -> None:
    with pytest.raises(BadKey):
        keys.import_key(tmp_path, "op", secret, PASSWORD, light=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["", ".", "..", "../op", "a/b", "-x", "a b", "a\0", "x" * 65, "ü"])
def test_keystore_path__no_plain_name__bad_input(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        keys.keystore_path(tmp_path, name)


def test_open_key__right_password__same_key_as_eth_account(folder: Path) -> None:
    signer = keys.open_key(folder, "op", PASSWORD)
    assert signer.address == Account.from_key(SECRET).address == keys.address_of_key(folder, "op")


def test_open_secret__keystore_of_another_program__opens(tmp_path: Path) -> None:
    keystore = create_keyfile_json(SECRET, PASSWORD.encode(), kdf="pbkdf2", iterations=1_000)
    (tmp_path / "other.json").write_text(json.dumps(keystore))
    assert keys.open_secret(tmp_path, "other", PASSWORD) == SECRET


def test_open_key__wrong_password__bad_key_without_secrets(folder: Path) -> None:
    with pytest.raises(BadKey) as raised:
        keys.open_key(folder, "op", "guess 17")
    told = repr(raised.value) + raised.value.remedy + repr(raised.value.__cause__)
    assert "guess 17" not in told
    assert raised.value.__suppress_context__


def test_open_key__missing__bad_key_names_the_command(folder: Path) -> None:
    with pytest.raises(BadKey) as raised:
        keys.open_key(folder, "nobody", PASSWORD)
    assert "assay keys new nobody" in raised.value.remedy
    with pytest.raises(BadKey) as raised:
        keys.open_key(folder, "operator", PASSWORD)
    assert "assay bench init" in raised.value.remedy


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff\xfe", b"{" * 20_000, b"[" * 16_000, b'{"address": 1, "crypto": {}, "version": 3}']
)
def test_open_key__rubbish__bad_key(folder: Path, content: bytes) -> None:
    (folder / "op.json").write_bytes(content)
    with pytest.raises(BadKey):
        keys.open_key(folder, "op", PASSWORD)


def test_repr_of_signer__shows_no_secret(folder: Path) -> None:
    signer = keys.open_key(folder, "op", PASSWORD)
    assert SECRET.hex() not in repr(signer) + str(signer) + repr(vars(signer))


def test_keystore__holds_neither_secret_nor_password(folder: Path) -> None:
    text = (folder / "op.json").read_text().lower()
    assert SECRET.hex() not in text
    assert PASSWORD not in text


def test_list_keys__by_name(folder: Path) -> None:
    address = keys.new_key(folder, "an-owner", PASSWORD, light=True)
    assert keys.list_keys(folder) == [("an-owner", address), ("op", keys.address_of_key(folder, "op"))]


def test_list_keys__no_folder__empty(tmp_path: Path) -> None:
    assert keys.list_keys(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("content", "password"), [(b"pw\n", "pw"), (b"pw\r\nmore\n", "pw"), (b" p w ", " p w "), ("pä\n".encode(), "pä")]
)
def test_read_password__first_line(tmp_path: Path, content: bytes, password: str) -> None:
    (tmp_path / "pw").write_bytes(content)
    (tmp_path / "pw").chmod(0o600)
    assert keys.read_password(tmp_path / "pw") == password


@pytest.mark.parametrize("mode", [0o600, 0o440])
def test_read_password__open_to_its_owner_or_a_group__taken(tmp_path: Path, mode: int) -> None:
    assert keys.read_password(password_file(tmp_path, mode)) == "pw"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620])
def test_read_password__open_to_others__refused_with_the_command(tmp_path: Path, mode: int) -> None:
    path = password_file(tmp_path, mode)
    with pytest.raises(BadInput) as caught:
        keys.read_password(path)
    assert caught.value.remedy == f"chmod 600 {path}"


def password_file(folder: Path, mode: int) -> Path:
    path = folder / "pw"
    path.write_text("pw\n")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", [None, b"", b"\nsecond", b"\xff\xfe", b"x" * 5_000])
def test_read_password__none_there__bad_input_names_the_file(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "pw").write_bytes(content)
    with pytest.raises(BadInput, match=re.escape(str(tmp_path / "pw"))):
        keys.read_password(tmp_path / "pw")


@pytest.mark.parametrize("content", ["zz", "0x12 34z", "\xff", "0x" + "0" * 63])
def test_read_secret__no_hex__bad_input_without_the_content(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    with pytest.raises(BadInput) as raised:
        keys.read_secret(tmp_path / "secret")
    assert content not in str(raised.value)


def test_opening_a_keystore__recursion_limit_stays(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from assay import keys\n"
        f"keys.open_key(Path({str(folder)!r}), 'op', {PASSWORD!r}); print(sys.getrecursionlimit())"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ran.stdout == "1000\n"
