"""given a gateway that nobody trusts / when a bundle is fetched / the very bundle comes, or an error in time.

given what it serves: the whole as a CAR file, single blocks, neither
given a lie: a wrong byte, another bundle, blocks nobody asked for, one left out, cut short, links in a ring
given a nuisance: a redirect, compression, no end, too slow, too large, a private address behind a name
"""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import AssayError, BadInput, Tampered, Unreachable
from assay.storage.addresses import checked_gateway, checked_node
from assay.storage.cids import DAG_PB, RAW, cid_bytes, cid_of, digest_of
from assay.storage.fetching import Places, fetch, with_car
from assay.storage.gateways import fetch_car
from assay.storage.limits import Limits
from assay.storage.receiving import CarStream, Receiver
from assay.storage.store import Store
from unit.storage.forge_car import FILE, FOLDER, Forge
from unit.storage.serving import Bend, Gateway, Reply, exported

pytestmark = pytest.mark.loopback

QUICK = Limits(fetch_seconds=2.0, stall_seconds=1.0)
FILES = {
    "manifest.json": b"{}\n",
    "answers/a.jsonl": b"line\n" * 200_000,
    "answers/leer.jsonl": b"",
    "größe-ሰላም.md": "größer\n".encode(),
}


def make(folder: Path, files: dict[str, bytes] = FILES) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def cid(store: Store, tmp_path: Path) -> str:
    return store.add(make(tmp_path / "folder"))


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def whole(car: bytes, receiver: Receiver) -> None:
    stream = CarStream(receiver)
    stream.feed(car)
    stream.end()


# honest ones


@pytest.mark.parametrize("forms", [("car", "raw"), ("car",), ("raw",)])
def test_fetch__honest_gateway__the_folder_byte_for_byte(store: Store, cid: str, tmp_path: Path, forms: tuple[str, ...]) -> None:
    with Gateway(store.path(cid), forms=forms) as gateway:
        assert tree(fetch(cid, tmp_path / "out", Places(gateways=(gateway.url,)))) == FILES
    assert gateway.asked[0] == ("car", cid)
    assert {form for form, _ in gateway.asked[1:]} == (set() if "car" in forms else {"raw"})


@pytest.mark.parametrize("form", ["car", "raw"])
def test_fetch__sharded_folder__comes_whole(store: Store, tmp_path: Path, form: str) -> None:
    files = {f"answers/{number:0180x}.jsonl": b"" for number in range(1_250)}
    cid = store.add(make(tmp_path / "many", files))
    with Gateway(store.path(cid), forms=(form,)) as gateway:
        assert tree(fetch(cid, tmp_path / "out", Places(gateways=(gateway.url,)))) == files


def test_with_car__what_came__is_a_car_file_that_the_store_takes(store: Store, cid: str, tmp_path: Path) -> None:
    other = Store(tmp_path / "other")
    with Gateway(store.path(cid)) as gateway:
        assert with_car(cid, Places(gateways=(gateway.url,)), other.take) == cid
    assert tree(other.fetch(cid, tmp_path / "out")) == FILES


def test_fetch__first_lies_second_is_away__the_third_serves(store: Store, cid: str, tmp_path: Path) -> None:
    def lie(_form: str, _cid: str, reply: Reply) -> Reply:
        return Reply(flip(reply.body, 90))  # type: ignore[arg-type]

    with Gateway(store.path(cid), bend=lie) as liar, Gateway(store.path(cid)) as honest:
        places = Places(gateways=(liar.url, "http://127.0.0.1:9", honest.url))
        assert tree(fetch(cid, tmp_path / "out", places)) == FILES


# lies


def forged(*roots: bytes, build: Forge) -> Bend:
    return lambda _form, _cid, _reply: Reply(build.car(*roots))


def test_fetch_car__any_byte_of_the_answer_is_another__nothing_is_taken(store: Store, cid: str, tmp_path: Path) -> None:
    true = exported(store.path(cid), cid)
    for at in [*range(60, 260, 7), len(true) // 2, len(true) - 1]:
        with Receiver(tmp_path / f"{at}.car", digest_of(cid)) as receiver, pytest.raises((Tampered, BadInput)):
            whole(flip(true, at), receiver)


@pytest.mark.parametrize("form", ["car", "raw"])
def test_fetch__one_wrong_byte__is_refused_by_the_block_that_holds_it(store: Store, cid: str, tmp_path: Path, form: str) -> None:
    def lie(_form: str, _cid: str, reply: Reply) -> Reply:
        body = reply.body
        assert isinstance(body, bytes)
        return Reply(flip(body, len(body) - 1), status=reply.status, kind=reply.kind) if _form == form else reply

    lying = Gateway(store.path(cid), forms=(form,), bend=lie)
    with lying, pytest.raises(Unreachable, match="not what its hash says"):
        fetch(cid, tmp_path / "out", Places(gateways=(lying.url,)))
    assert not (tmp_path / "out").exists()


def test_fetch__another_bundle__is_refused_at_its_first_block(store: Store, cid: str, tmp_path: Path) -> None:
    other = store.add(make(tmp_path / "other", {"manifest.json": b"other\n"}))
    served = exported(store.path(other), other)
    swapping = Gateway(store.path(cid), bend=lambda _f, _c, _r: Reply(served))
    with swapping as gateway, pytest.raises(Tampered, match="no part of what was asked for"):
        fetch_car(gateway.url, cid, tmp_path / "out.car", QUICK)


def test_fetch__blocks_that_nobody_asked_for__are_cut_off_at_the_first(store: Store, cid: str, tmp_path: Path) -> None:
    def junk(_form: str, _cid: str, reply: Reply) -> Reply:
        def body() -> Iterator[bytes]:
            assert isinstance(reply.body, bytes)
            yield reply.body
            forge = Forge()
            for number in range(10_000):
                forge.blocks.clear()
                forge.raw(number.to_bytes(4, "big") * 60_000)
                yield forge.car()[len(Forge().car()) :]

        return Reply(body())

    with Gateway(store.path(cid), bend=junk) as gateway, pytest.raises(Tampered, match="no part of what was asked for"):
        fetch_car(gateway.url, cid, tmp_path / "out.car", QUICK)


def test_fetch__a_block_is_left_out__is_named(tmp_path: Path) -> None:
    forge = Forge()
    leaf = forge.raw(b"x")
    root = forge.node(FOLDER, [("a", leaf)])
    forge.blocks = forge.blocks[1:]
    store = Store(tmp_path / "store")
    honest = store.add(make(tmp_path / "folder", {"a": b"x"}))
    assert root == cid_bytes(digest_of(honest), DAG_PB)
    with (
        Gateway(store.path(honest), bend=forged(root, build=forge)) as gateway,
        pytest.raises(Tampered, match="1 blocks did"),
    ):
        fetch_car(gateway.url, honest, tmp_path / "out.car", QUICK)


@pytest.mark.parametrize("cut", [0, 1, 30, 59, 80, 5_000, -1])
def test_fetch__cut_short__is_refused(store: Store, cid: str, tmp_path: Path, cut: int) -> None:
    cutting = Gateway(store.path(cid), bend=lambda _f, _c, reply: Reply(reply.body[:cut]))  # type: ignore[index]
    with cutting, pytest.raises((Tampered, BadInput)):
        fetch_car(cutting.url, cid, tmp_path / "out.car", QUICK)


def test_fetch__true_blocks_of_what_is_no_folder__are_refused(tmp_path: Path) -> None:
    forge = Forge()
    root = forge.node(FILE, data=b"a file")
    (tmp_path / "file.car").write_bytes(forge.car(root))
    with Gateway(tmp_path / "file.car") as gateway, pytest.raises(Unreachable, match="not a folder"):
        fetch(cid_of(root[4:]), tmp_path / "out", Places(gateways=(gateway.url,)))
    assert not (tmp_path / "out").exists()


def test_receiver__more_than_a_limit__is_refused(store: Store, cid: str, tmp_path: Path) -> None:
    true = exported(store.path(cid), cid)
    for number, limits in enumerate((Limits(blocks=3), Limits(total_bytes=300_000), Limits(block_bytes=1_000))):
        with Receiver(tmp_path / f"{number}.car", digest_of(cid), limits) as receiver, pytest.raises(BadInput):
            CarStream(receiver, limits).feed(true)


def test_receiver__a_byte_at_a_time__is_the_same_as_at_once(store: Store, tmp_path: Path) -> None:
    small = store.add(make(tmp_path / "small", {"a": b"x" * 300, "b": b""}))
    with Receiver(tmp_path / "out.car", digest_of(small)) as receiver:
        stream = CarStream(receiver)
        for byte in exported(store.path(small), small):
            stream.feed(bytes([byte]))
        stream.end()
    assert (tmp_path / "out.car").read_bytes() == exported(store.path(small), small)


def test_receiver__a_raw_block_under_a_dag_pb_id__is_refused(tmp_path: Path) -> None:
    forge = Forge()
    leaf = forge.raw(b"not a node")
    with Receiver(tmp_path / "out.car", leaf[4:]) as receiver, pytest.raises(BadInput, match="not a plain file or folder"):
        receiver.take(cid_bytes(leaf[4:], DAG_PB), b"not a node")
    assert leaf[1] == RAW


# nuisances


def reason(url: str, cid: str, out: Path, limits: Limits = QUICK) -> tuple[str, float]:
    began = time.monotonic()
    with pytest.raises(AssayError) as caught:
        fetch_car(url, cid, out / "out.car", limits)
    assert caught.value.remedy
    return caught.value.message, time.monotonic() - began


def test_fetch__redirect__is_not_followed(store: Store, cid: str, tmp_path: Path) -> None:
    with Gateway(store.path(cid)) as target:

        def away(_form: str, cid: str, _reply: Reply) -> Reply:
            reply = Reply(status=302)
            reply.headers["location"] = f"{target.url}/ipfs/{cid}?format=car"
            return reply

        with Gateway(store.path(cid), bend=away) as gateway:
            assert "redirects" in reason(gateway.url, cid, tmp_path)[0]
    assert target.asked == []


def test_fetch__compressed_or_unknown_answers__are_refused(store: Store, cid: str, tmp_path: Path) -> None:
    def compressed(_form: str, _cid: str, reply: Reply) -> Reply:
        reply.headers["content-encoding"] = "gzip"
        return reply

    with Gateway(store.path(cid), bend=compressed) as gateway:
        assert "compresses" in reason(gateway.url, cid, tmp_path)[0]
    (tmp_path / "out.car").unlink()
    with Gateway(store.path(cid), forms=()) as gateway:
        assert "status 406" in reason(gateway.url, cid, tmp_path)[0]


@pytest.mark.parametrize("pause", [0.0, 0.3])
def test_fetch__endless_or_dripping_body__ends_in_time(store: Store, cid: str, tmp_path: Path, pause: float) -> None:
    def endless(_form: str, _cid: str, _reply: Reply) -> Reply:
        def body() -> Iterator[bytes]:
            yield b"\x3a"
            while True:
                yield b"\xa2" * (1 if pause else 65_536)

        return Reply(body(), pause=pause)

    with Gateway(store.path(cid), bend=endless) as gateway:
        assert reason(gateway.url, cid, tmp_path, replace(QUICK, fetch_seconds=1.5))[1] < 4


def test_fetch__an_answer_that_stalls__ends_in_time(store: Store, cid: str, tmp_path: Path) -> None:
    with Gateway(store.path(cid), bend=lambda _f, _c, reply: Reply(reply.body, pause=8)) as gateway:
        assert reason(gateway.url, cid, tmp_path)[1] < 4


def test_fetch__nobody_listens__is_unreachable(cid: str, tmp_path: Path) -> None:
    assert "cannot be reached" in reason("http://127.0.0.1:9", cid, tmp_path)[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"])
def test_fetch__a_name_that_leads_into_a_private_network__is_not_asked(
    store: Store, cid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    known = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **named: known(address if "example" in host else host, *more, **named)
    )
    with Gateway(store.path(cid)) as gateway:
        port = gateway.url.rsplit(":", 1)[1]
        assert "not public" in reason(f"http://gateway.example.org:{port}", cid, tmp_path)[0]
        assert gateway.asked == []
        (tmp_path / "out.car").unlink()
        fetch_car(f"http://localhost:{port}", cid, tmp_path / "out.car", QUICK)  # the reader's own word


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "224.0.0.1", "[fe80::1]"])  # noqa: S104 - refused
def test_fetch__addresses_that_are_no_gateway__are_refused(cid: str, tmp_path: Path, host: str) -> None:
    assert "no address of a gateway" in reason(f"http://{host}:80", cid, tmp_path)[0]


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a", "http://", "http://u:p@a", "http://a?b", "http://a#b", "http://a:0", "http://a:b", "http://é", "//a"],
)
def test_checked_gateway__anything_else__is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        checked_gateway(url)


def test_checked_node__both_spellings__are_one() -> None:
    for text, address in (
        ("http://127.0.0.1:5001", "/ip4/127.0.0.1/tcp/5001/http"),
        ("https://node.example/", "/dns/node.example/tcp/443/https"),
        ("http://[::1]:5001", "/ip6/::1/tcp/5001/http"),
        ("/ip4/127.0.0.1/tcp/5001", "/ip4/127.0.0.1/tcp/5001"),
    ):
        assert checked_node(text) == address
    for text in ("", "x", "http://u:p@a:1", "http://a/b", "ftp://a", "/" * 400):
        with pytest.raises(BadInput):
            checked_node(text)


def test_with_car__too_many_places_or_none__is_said(cid: str) -> None:
    with pytest.raises(BadInput, match="more than"):
        with_car(cid, Places(gateways=("http://127.0.0.1:9",) * 17), lambda car: car)
    with pytest.raises(Unreachable, match="no node or gateway"):
        with_car(cid, Places(), lambda car: car)
