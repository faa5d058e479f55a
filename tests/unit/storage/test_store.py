"""given a folder or a stranger's CAR file / when it is stored and fetched / the same bytes come back, or nothing does."""

import os
from collections.abc import Callable
from pathlib import Path

import aleph_cid
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import BadInput, Tampered
from assay.storage.cars import CarFile, car_root
from assay.storage.cids import DAG_PB, RAW, cid_of, codec_of, digest_of, file_cid, folder_cid
from assay.storage.limits import Limits
from assay.storage.store import Store, unpack_car
from unit.storage.forge_car import FILE, FOLDER, SHARD, SYMLINK, Forge, number


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def make(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


SMALL = {"manifest.json": b"{}\n", "answers/a.jsonl": b"x\n", "answers/b.jsonl": b"", "karte.md": "größer\n".encode()}


# CIDs


def test_cid_of__known_digest__is_the_known_text() -> None:
    empty = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    assert cid_of(empty, RAW) == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    assert digest_of(cid_of(empty, RAW)) == empty
    assert (codec_of(cid_of(empty, RAW)), codec_of(cid_of(empty))) == (RAW, DAG_PB)


@given(st.binary(min_size=32, max_size=32), st.sampled_from([RAW, DAG_PB]))
def test_cid_of__any_digest__comes_back(digest: bytes, codec: int) -> None:
    assert digest_of(cid_of(digest, codec)) == digest
    assert codec_of(cid_of(digest, codec)) == codec


BAD_CIDS = [
    "",
    "b",
    "bafy",
    "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn",
    cid_of(bytes(32)).upper(),
    cid_of(bytes(32)) + "=",
    cid_of(bytes(32)) + "a",
    cid_of(bytes(32))[:-1],
    "z" + cid_of(bytes(32))[1:],
    cid_of(bytes(32))[:-1] + "b",
    "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy",
    "../" + cid_of(bytes(32)),
]


@pytest.mark.parametrize("cid", BAD_CIDS)
def test_digest_of__anything_else__is_refused(cid: str) -> None:
    with pytest.raises(BadInput):
        digest_of(cid)


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 1_000_000])
def test_file_cid__is_that_of_the_file_in_its_folder(tmp_path: Path, size: int) -> None:
    folder = make(tmp_path / "folder", {"a": os.urandom(size)})
    cid = Store(tmp_path / "store").add(folder)
    with CarFile(tmp_path / "store" / f"{cid}.car") as car:
        assert (
            car.block(bytes([1, codec_of(file_cid(folder / "a"))]) + b"\x12\x20" + digest_of(file_cid(folder / "a"))) is not None
        )


# Store


def test_store__folder__comes_back_under_the_cid_that_others_give_it(tmp_path: Path) -> None:
    folder = make(tmp_path / "folder", SMALL)
    store = Store(tmp_path / "store")
    cid = store.add(folder)
    assert cid == aleph_cid.hash_folder(folder) == folder_cid(folder)
    assert tree(store.fetch(cid, tmp_path / "out")) == SMALL
    assert store.has(cid)
    assert store.list() == (cid,)


@settings(max_examples=25, deadline=None)
@given(
    files=st.dictionaries(
        st.from_regex(r"\A[a-zé][a-z0-9._-]{0,12}\Z"), st.binary(max_size=600) | st.just(b"z" * 600_000), min_size=1, max_size=6
    )
)
def test_store__any_folder__round_trips(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    tmp_path = tmp_path_factory.mktemp("any")
    folder = make(tmp_path / "folder", files)
    store = Store(tmp_path / "store")
    assert tree(store.fetch(store.add(folder), tmp_path / "out")) == files


def test_store__sharded_folder__round_trips(tmp_path: Path) -> None:
    files = {f"answers/{number:064x}.jsonl": str(number).encode() for number in range(3000)}
    folder = make(tmp_path / "folder", files)
    store = Store(tmp_path / "store")
    cid = store.add(folder)
    assert tree(store.fetch(cid, tmp_path / "out")) == files
    assert folder_cid(tmp_path / "out") == cid


def test_store__same_folder_twice__is_harmless_and_leaves_no_scraps(tmp_path: Path) -> None:
    folder = make(tmp_path / "folder", SMALL)
    store = Store(tmp_path / "store")
    assert store.add(folder) == store.add(folder)
    assert [path.name for path in (tmp_path / "store").iterdir()] == [f"{folder_cid(folder)}.car"]


def test_store__before_the_reveal__nobody_else_can_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    cid = store.add(make(tmp_path / "folder", SMALL))
    assert store.root.stat().st_mode & 0o777 == 0o700
    assert store.path(cid).stat().st_mode & 0o777 == 0o600


def test_store__unknown_bundle__is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert not store.has(cid_of(bytes(32)))
    with pytest.raises(BadInput):
        store.fetch(cid_of(bytes(32)), tmp_path / "out")
    with pytest.raises(BadInput):
        store.has(cid_of(bytes(32), RAW))


def test_add__folder_with_a_link__is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "folder", SMALL)
    (folder / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(BadInput):
        Store(tmp_path / "store").add(folder)


def test_take__car_from_elsewhere__is_kept(tmp_path: Path) -> None:
    ours = Store(tmp_path / "ours")
    cid = ours.add(make(tmp_path / "folder", SMALL))
    theirs = Store(tmp_path / "theirs")
    assert theirs.take(ours.path(cid)) == cid
    assert tree(theirs.fetch(cid, tmp_path / "out")) == SMALL


def test_take__broken_car__is_not_kept(tmp_path: Path) -> None:
    ours = Store(tmp_path / "ours")
    cid = ours.add(make(tmp_path / "folder", SMALL))
    data = ours.path(cid).read_bytes()
    (tmp_path / "broken.car").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    theirs = Store(tmp_path / "theirs")
    with pytest.raises(Tampered):
        theirs.take(tmp_path / "broken.car")
    assert theirs.list() == ()


def test_fetch__every_byte_flipped_in_turn__gives_the_true_bytes_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    cid = store.add(make(tmp_path / "folder", {"a": b"hello", "b": b"world"}))
    data = store.path(cid).read_bytes()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1
        store.path(cid).write_bytes(changed)
        out = tmp_path / f"out{at}"
        try:
            store.fetch(cid, out)
        except (BadInput, Tampered):
            assert not out.exists()
        else:
            assert tree(out) == {"a": b"hello", "b": b"world"}, at


def test_fetch__car_cut_short__is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    cid = store.add(make(tmp_path / "folder", SMALL))
    data = store.path(cid).read_bytes()
    for size in range(0, len(data), 7):
        store.path(cid).write_bytes(data[:size])
        with pytest.raises((BadInput, Tampered)):
            store.fetch(cid, tmp_path / "out")
        assert not (tmp_path / "out").exists()


# CAR files of strangers


def refused(tmp_path: Path, forge: Forge, root: bytes, limits: Limits | None = None) -> BadInput | Tampered:
    car = tmp_path / "forged.car"
    car.write_bytes(forge.car(root))
    with pytest.raises((BadInput, Tampered)) as caught:
        unpack_car(car, root[4:], tmp_path / "in" / "out", limits or Limits())
    assert not (tmp_path / "in" / "out").exists()
    assert not list(tmp_path.rglob("evil*"))
    return caught.value


def test_unpack__honest_forgery__is_taken(tmp_path: Path) -> None:
    forge = Forge()
    inner = forge.node(FOLDER, [("b", forge.node(FILE, [("", forge.raw(b"2")), ("", forge.raw(b"3"))]))])
    root = forge.node(FOLDER, [("a", forge.raw(b"1")), ("in", inner), ("c", forge.node(FILE, data=b"4"))])
    (tmp_path / "x.car").write_bytes(forge.car(root))
    assert car_root(tmp_path / "x.car") == root[4:]
    assert tree(unpack_car(tmp_path / "x.car", root[4:], tmp_path / "out")) == {"a": b"1", "in/b": b"23", "c": b"4"}


EVIL_NAMES = [
    "../evil",
    "/evil",
    "..",
    ".",
    "",
    "a/../../evil",
    "evil\\x",
    "evil\x00",
    "evil\x1b[2J",
    "evil\n",
    "e" * 201,
    b"evil\xff",
]


@pytest.mark.parametrize("name", EVIL_NAMES, ids=range(len(EVIL_NAMES)))
@pytest.mark.parametrize("kind", [FOLDER, SHARD])
def test_unpack__name_that_leaves_the_folder__is_refused(tmp_path: Path, name: str | bytes, kind: int) -> None:
    forge = Forge()
    raw = name.encode() if isinstance(name, str) else name
    root = forge.node(kind, [(b"00" + raw if kind == SHARD else raw, forge.raw(b"\xffevil"))])
    refused(tmp_path, forge, root)


def symlink(forge: Forge) -> bytes:
    return forge.node(FOLDER, [("evil", forge.node(SYMLINK, data=b"/etc/passwd"))])


def twice_the_same_name(forge: Forge) -> bytes:
    return forge.node(FOLDER, [("a", forge.raw(b"1")), ("a", forge.raw(b"2"))])


def file_over_a_folder(forge: Forge) -> bytes:
    folder = forge.node(FOLDER, [("b", forge.raw(b"1"))])
    return forge.node(FOLDER, [("a", folder), ("a", forge.raw(b"2"))])


def root_is_a_file(forge: Forge) -> bytes:
    return forge.node(FILE, [("", forge.raw(b"1"))])


def folder_inside_a_file(forge: Forge) -> bytes:
    return forge.node(FOLDER, [("a", forge.node(FILE, [("", forge.node(FOLDER))]))])


def missing_block(forge: Forge) -> bytes:
    other = Forge()
    return forge.node(FOLDER, [("a", other.raw(b"not here"))])


def link_of_another_hash(forge: Forge) -> bytes:
    return forge.node(FOLDER, [("a", b"\x01\x55\x16\x20" + bytes(32))])


def link_that_is_no_cid(forge: Forge) -> bytes:
    return forge.node(FOLDER, [("a", b"hello")])


def not_a_node(forge: Forge) -> bytes:
    return forge.pb(b"\xff" * 20)


def node_of_unknown_type(forge: Forge) -> bytes:
    return forge.node(9)


def folders_too_deep(forge: Forge) -> bytes:
    node = forge.node(FOLDER, [("a", forge.raw(b"1"))])
    for _ in range(6):
        node = forge.node(FOLDER, [("d", node)])
    return node


def shards_too_deep(forge: Forge) -> bytes:
    node = forge.node(SHARD, [("00a", forge.raw(b"1"))])
    for _ in range(40):
        node = forge.node(SHARD, [("00", node)])
    return node


def file_too_deep(forge: Forge) -> bytes:
    node = forge.raw(b"1")
    for _ in range(40):
        node = forge.node(FILE, [("", node)])
    return forge.node(FOLDER, [("a", node)])


def bomb_of_empty_blocks(forge: Forge) -> bytes:
    node = forge.raw(b"")
    for _ in range(10):
        node = forge.node(FILE, [("", node)] * 100)
    return forge.node(FOLDER, [("a", node)])


@pytest.mark.parametrize(
    "evil",
    [
        symlink,
        twice_the_same_name,
        file_over_a_folder,
        root_is_a_file,
        folder_inside_a_file,
        missing_block,
        link_of_another_hash,
        link_that_is_no_cid,
        not_a_node,
        node_of_unknown_type,
        folders_too_deep,
        shards_too_deep,
        file_too_deep,
        bomb_of_empty_blocks,
    ],
)
def test_unpack__evil_folder__is_refused_and_leaves_nothing(tmp_path: Path, evil: Callable[[Forge], bytes]) -> None:
    forge = Forge()
    root = evil(forge)
    refused(tmp_path, forge, root, Limits(blocks=20_000))


def test_unpack__bomb_of_one_block_linked_often__stops_at_the_total(tmp_path: Path) -> None:
    forge = Forge()
    node = forge.raw(b"x" * 10_000)
    for _ in range(3):
        node = forge.node(FILE, [("", node)] * 100)
    error = refused(tmp_path, forge, forge.node(FOLDER, [("a", node)]), Limits(total_bytes=5_000_000))
    assert "5000000 bytes" in error.message


@pytest.mark.parametrize(
    ("limits", "fits"),
    [(Limits(files=3), True), (Limits(files=2), False), (Limits(block_bytes=1000), True), (Limits(block_bytes=50), False)],
)
def test_unpack__limits__hold_exactly(tmp_path: Path, limits: Limits, fits: bool) -> None:
    forge = Forge()
    root = forge.node(FOLDER, [(name, forge.raw(name.encode() * 60)) for name in "abc"])
    (tmp_path / "x.car").write_bytes(forge.car(root))
    if fits:
        assert len(tree(unpack_car(tmp_path / "x.car", root[4:], tmp_path / "out", limits))) == 3
    else:
        with pytest.raises(BadInput):
            unpack_car(tmp_path / "x.car", root[4:], tmp_path / "out", limits)


def test_car__too_many_blocks_or_bytes__is_refused(tmp_path: Path) -> None:
    forge = Forge()
    root = forge.node(FOLDER, [(name, forge.raw(name.encode())) for name in "abc"])
    (tmp_path / "x.car").write_bytes(forge.car(root))
    for limits in (Limits(blocks=3), Limits(total_bytes=100)):
        with pytest.raises(BadInput):
            CarFile(tmp_path / "x.car", limits)


def test_car__not_one_root__is_refused_where_one_is_needed(tmp_path: Path) -> None:
    forge = Forge()
    root = forge.node(FOLDER)
    for roots in ((), (root, root)):
        (tmp_path / "x.car").write_bytes(forge.car(*roots))
        with pytest.raises(BadInput):
            car_root(tmp_path / "x.car")


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"hello", number(2**40), b"\xff" * 12, Forge().car(version=2), number(1) + b"\xa0", number(70_000)]
)
def test_car__something_else__is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.car").write_bytes(data)
    with pytest.raises(BadInput):
        CarFile(tmp_path / "x.car")


def test_car__block_under_another_hash__is_refused(tmp_path: Path) -> None:
    forge = Forge()
    root = forge.node(FOLDER, [("a", forge.raw(b"true"))])
    forge.blocks = [(cid, b"lies" if data == b"true" else data) for cid, data in forge.blocks]
    assert "block 0" in refused(tmp_path, forge, root).message
