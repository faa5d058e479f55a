"""The client of gateways against real servers that misbehave.

given a good gateway -> facts, checked
given anything else -> Unreachable, NotNow or GatewayRefused within bounded time and memory, by its reason
"""

import asyncio
import gzip
import json
import socket
import threading
import time

import pytest

from assay.agent.accept import check_enrol, check_reply
from assay.agent.gateways import Gateway, GatewayRefused, NotNow, checked_url
from assay.agent.records import Ack, Ask
from assay.encoding.hashing import keccak
from assay.encoding.receipts import CURVE_ORDER, Domain, LocalSigner
from assay.errors import BadInput, Unreachable
from unit.agent.fakes import FakeGateway, Raw, problem, wrong_signature

pytestmark = pytest.mark.chain
DOMAIN = Domain(31337, LocalSigner(b"\x09" * 32).address)
ROUND, CAP = b"\x11" * 32, 100
PROMPT = "¿qué?\n".encode()


@pytest.fixture
def fake():
    with FakeGateway(DOMAIN) as running:
        yield running


def question(fake, position=3):
    return Ask(ROUND, fake.versions[0], position, 2_000_000_000, keccak(PROMPT), b"\x1b" * 65, 0.0)


def put(fake, *, within=5.0, acks=(), cap=CAP):
    """Ask one question and check what comes back."""

    async def go():
        async with Gateway(fake.url) as gateway:
            reply = await gateway.ask(question(fake), PROMPT, acks, cap=cap, within=within)
        check_reply(DOMAIN, question(fake), fake.signer.address, reply, cap)
        return reply

    return asyncio.run(go())


def refused(fake, slug, **options):
    with pytest.raises(GatewayRefused) as caught:
        put(fake, **options)
    assert caught.value.slug == slug


# -- good


def test_ask__a_good_gateway__the_reply_and_the_acks_delivered(fake):
    ack = Ack(ROUND, fake.versions[0], 1, b"\x05" * 32, b"\x1c" * 65)
    reply = put(fake, acks=[ack])
    assert reply.response == "¿QUÉ?\n".encode()
    assert fake.asks[0]["answer_until"] == 2_000_000_000
    assert fake.acks == [
        {"round": "0x" + ROUND.hex(), "version": "0x" + fake.versions[0].hex(), "position": 1}
        | {"response_hash": "0x" + "05" * 32, "signature": "0x" + "1c" * 65}
    ]


@pytest.mark.parametrize("response", [b"", b"\xff\x00\xfe", b"x" * CAP, "\u2028\x00".encode()])
def test_ask__odd_responses_within_the_cap__byte_for_byte(fake, response):
    fake.respond = lambda _: response
    assert put(fake).response == response


def test_info_and_enrol__a_good_gateway__facts_and_a_signature(fake):
    async def go():
        async with Gateway(fake.url + "/") as gateway:
            return await gateway.info(), await gateway.enrol(ROUND, fake.versions[0]), await gateway.acknowledge([])

    info, signature, accepted = asyncio.run(go())
    assert (info.chain_id, info.operator, info.versions, accepted) == (31337, fake.signer.address, fake.versions, 0)
    check_enrol(DOMAIN, ROUND, fake.versions[0], fake.signer.address, signature)


# -- too much, too slow, elsewhere


def test_ask__slow_gateway__unreachable_in_time(fake):
    fake.delay = 5
    began = time.monotonic()
    with pytest.raises(Unreachable, match="within"):
        put(fake, within=0.3)
    assert time.monotonic() - began < 2


def test_ask__huge_body__is_cut_off(fake):
    fake.bend = lambda _ask, body: body | {"response": "x" * (6 * CAP + 200_000)}
    refused(fake, "too-large")


def test_ask__endless_body__is_cut_off_without_reading_it_all():
    listener = socket.create_server(("127.0.0.1", 0))
    sent = [0]

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
            try:
                while sent[0] < 200_000_000:
                    connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                    sent[0] += 65536
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()

    class Address:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        versions = (b"\x02" * 32,)
        signer = LocalSigner(b"\x03" * 32)

    refused(Address, "too-large")
    thread.join(10)
    listener.close()
    assert sent[0] < 20_000_000


def test_ask__a_drop_every_moment__is_too_slow_as_a_whole():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n")
            try:
                for _ in range(100):
                    connection.sendall(b" ")
                    time.sleep(0.05)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()

    class Address:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        versions = (b"\x02" * 32,)
        signer = LocalSigner(b"\x03" * 32)

    began = time.monotonic()
    with pytest.raises(Unreachable):
        put(Address, within=0.5)
    assert time.monotonic() - began < 2
    thread.join(10)
    listener.close()


def test_ask__redirecting_gateway__is_not_followed(fake):
    with FakeGateway(DOMAIN) as other:

        def away(_ask, _body):
            raise Raw(b"{}", status=307, headers={"location": other.url + "/v1/ask"})

        fake.bend = away
        refused(fake, "redirect")
        assert other.asks == []


def test_ask__compressed_bomb__is_not_unpacked(fake):
    def bomb(_ask, _body):
        raise Raw(gzip.compress(b" " * 10_000_000), headers={"content-encoding": "gzip"})

    fake.bend = bomb
    refused(fake, "malformed")


def test_ask__nobody_listens__unreachable(fake):
    fake.url = "http://127.0.0.1:9"
    with pytest.raises(Unreachable):
        put(fake)


# -- nonsense


def raw(body, **options):
    def bend(_ask, _body):
        raise Raw(body, **options)

    return bend


@pytest.mark.parametrize(
    "bend",
    [
        raw(b"<html>", kind="text/html"),
        raw(b"{"),
        raw(b"[]"),
        raw(b"[" * 50_000),
        raw(b'{"response":"\\ud800"}'),
        lambda _a, b: b | {"position": "3"},
        lambda _a, b: b | {"position": True},
        lambda _a, b: b | {"position": -1},
        lambda _a, b: b | {"signature": b["signature"][:-2]},
        lambda _a, b: b | {"signature": "0x" + "zz" * 65},
        lambda _a, b: b | {"prompt_hash": None},
        lambda _a, b: b | {"response_b64": "AAAA"},
        lambda _a, b: {k: v for k, v in b.items() if k != "response"},
        lambda _a, b: {k: v for k, v in b.items() if k != "response"} | {"response_b64": "A A="},
        lambda _a, b: b | {"response": 7},
    ],
)
def test_ask__nonsense__is_refused_as_malformed(fake, bend):
    fake.bend = bend
    refused(fake, "malformed")


@pytest.mark.parametrize(
    ("slug", "bend"),
    [
        ("wrong-signature", wrong_signature),
        ("other-place", lambda _a, b: b | {"round": "0x" + "77" * 32}),
        ("other-place", lambda _a, b: b | {"version": "0x" + "77" * 32}),
        ("other-place", lambda _a, b: b | {"position": 4}),
        ("other-prompt", lambda _a, b: b | {"prompt_hash": "0x" + "77" * 32}),
        ("wrong-signature", lambda _a, b: b | {"response": "another text"}),
    ],
)
def test_ask__an_answer_that_is_not_to_this_ask__is_refused(fake, slug, bend):
    fake.bend = bend
    refused(fake, slug)


def test_ask__the_other_form_of_the_signature__is_refused_as_on_chain(fake):
    def flip(_ask, body):
        signature = bytes.fromhex(body["signature"][2:])
        s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
        return body | {"signature": "0x" + (signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])).hex()}

    fake.bend = flip
    refused(fake, "wrong-signature")


def test_ask__signed_for_another_round__is_refused(fake):
    fake.bend = lambda ask, _: fake.answer(ask | {"round": "0x" + "77" * 32}) | {"round": ask["round"]}
    refused(fake, "wrong-signature")


def test_ask__over_the_cap__is_no_answer_though_signed(fake):
    fake.respond = lambda _: b"x" * (CAP + 1)
    refused(fake, "over-cap")


def test_enrol__another_round_is_named__is_refused(fake):
    async def go():
        async with Gateway(fake.url) as gateway:
            await gateway.enrol(ROUND, fake.versions[0])

    fake.bend = lambda _a, b: b | {"round": "0x" + "77" * 32}
    with pytest.raises(GatewayRefused, match="another round"):
        asyncio.run(go())


# -- problems


@pytest.mark.parametrize(
    ("bend", "slug", "pause"),
    [
        (problem("silent", 503, retry_after="2"), "silent", 2),
        (problem("unacknowledged", 429), "unacknowledged", 1),
        (problem("not-finalized", 409, retry_after="999"), "not-finalized", 60),
        (problem("busy", 503, retry_after="soon"), "busy", 1),
        (Raw(b"bad gateway", status=502, kind="text/plain"), "unavailable", 1),
    ],
)
def test_ask__a_problem_that_passes__not_now_with_its_pause(fake, bend, slug, pause):
    def fail(_ask, _body):
        raise bend

    fake.bend = fail
    with pytest.raises(NotNow) as caught:
        put(fake)
    assert (caught.value.slug, caught.value.pause) == (slug, pause)


@pytest.mark.parametrize(("slug", "status"), [("not-admitted", 403), ("window-over", 410), ("other-prompt", 409)])
def test_ask__a_problem_that_stays__is_refused_with_its_reason(fake, slug, status):
    def fail(_ask, _body):
        raise problem(slug, status)

    fake.bend = fail
    refused(fake, slug)


def test_problem__control_characters_in_its_detail__do_not_reach_the_terminal(fake):
    def fail(_ask, _body):
        body = {"type": "urn:assay:not-admitted", "status": 403, "detail": "\x1b[2Jgone\n"}
        raise Raw(json.dumps(body).encode(), status=403, kind="application/problem+json")

    fake.bend = fail
    with pytest.raises(GatewayRefused) as caught:
        put(fake)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    "url",
    ["ftp://a", "a:8600", "http://", "http://user:secret@a", "http://a/?x", "http://a/#x", "file:///etc/passwd", "http://[::1"],
)
def test_checked_url__anything_but_plain_http__is_refused_without_its_secret(url):
    with pytest.raises(BadInput) as caught:
        checked_url(url)
    assert "secret" not in caught.value.message
