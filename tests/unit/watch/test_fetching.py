"""given a bundle behind a gateway / when a watchtower fetches it / it is checked, kept in the store, and not asked for again."""

import time
from pathlib import Path

import pytest

from assay.errors import AssayError, BadInput, Unreachable
from assay.storage.fetching import Places
from assay.storage.store import Store
from assay.watch.fetching import from_store
from unit.audit.exam import Exam
from unit.storage.serving import Gateway, Reply

pytestmark = pytest.mark.loopback


def test_fetch__from_an_honest_gateway__once(tmp_path: Path) -> None:
    exam, theirs, ours = Exam(), Store(tmp_path / "theirs"), Store(tmp_path / "ours")
    cid = theirs.add(exam.write(tmp_path / "bundle"))
    with Gateway(theirs.path(cid)) as gateway:
        fetch = from_store(ours, Places(gateways=(gateway.url,)))
        for _ in range(2):
            with fetch(cid, 1 << 30) as bundle:
                assert bundle.root_cid() == cid
                assert bundle.manifest.facts.round == exam.round
        assert len([form for form, _ in gateway.asked if form == "car"]) == 1
    assert ours.has(cid)
    with from_store(ours)(cid, 1 << 30) as bundle:
        assert bundle.root_cid() == cid


def test_fetch__from_a_lying_gateway_or_from_nowhere__is_an_error_and_nothing_is_kept(tmp_path: Path) -> None:
    theirs, ours = Store(tmp_path / "theirs"), Store(tmp_path / "ours")
    cid = theirs.add(Exam().write(tmp_path / "bundle"))

    def lie(_form: str, _cid: str, reply: Reply) -> Reply:
        reply.body = bytes(reply.body)[:-1] + b"\x00" if isinstance(reply.body, bytes) else reply.body
        return reply

    with (
        Gateway(theirs.path(cid), bend=lie) as gateway,
        pytest.raises(AssayError),
        from_store(ours, Places(gateways=(gateway.url,)))(cid, 1 << 30),
    ):
        pytest.fail("a lie was taken")
    assert not ours.has(cid)
    with pytest.raises(BadInput), from_store(ours)(cid, 1 << 30):
        pytest.fail("there is nothing")


def test_fetch__more_bytes_than_are_asked_for__is_refused_from_the_store_and_from_a_gateway(tmp_path: Path) -> None:
    theirs, ours = Store(tmp_path / "theirs"), Store(tmp_path / "ours")
    folder = Exam().write(tmp_path / "bundle")
    cid, size = theirs.add(folder), sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    with pytest.raises(BadInput), from_store(theirs)(cid, size - 1):
        pytest.fail("too much was unpacked")
    with Gateway(theirs.path(cid)) as gateway:
        fetch = from_store(ours, Places(gateways=(gateway.url,)))
        with pytest.raises(Unreachable), fetch(cid, size - 1):
            pytest.fail("too much was taken")
        assert not ours.has(cid)
        with fetch(cid, theirs.path(cid).stat().st_size) as bundle:
            assert bundle.root_cid() == cid


def test_fetch__a_gateway_that_drips__is_given_up_after_its_time(tmp_path: Path) -> None:
    theirs, ours = Store(tmp_path / "theirs"), Store(tmp_path / "ours")
    cid = theirs.add(Exam().write(tmp_path / "bundle"))

    def drip(_form: str, _cid: str, reply: Reply) -> Reply:
        whole = reply.body
        assert isinstance(whole, bytes)
        step = len(whole) // 40
        reply.body, reply.pause = (whole[at : at + step] for at in range(0, len(whole), step)), 0.2
        return reply

    began = time.monotonic()
    with (
        Gateway(theirs.path(cid), bend=drip) as gateway,
        pytest.raises(Unreachable, match=r"within 0\.5 s"),
        from_store(ours, Places(gateways=(gateway.url,)), 0.5)(cid, 1 << 30),
    ):
        pytest.fail("it never ends")
    assert time.monotonic() - began < 8
