"""given a bundle behind a gateway / when a watchtower fetches it / it is checked, kept in the store, and not asked for again."""

from pathlib import Path

import pytest

from assay.errors import AssayError, BadInput
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
