"""Upstream `openai` against real servers: the shape people know, and every way to be a bad one."""

import asyncio
import hashlib
import json
import os
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from assay.encoding.hashing import keccak
from assay.errors import BadInput
from assay.gateway.calls import MAX_CALLS_A_PLACE, Calls
from assay.gateway.database import Database
from assay.gateway.messages import Place
from assay.gateway.upstreams import Occasion, TaskUpstream
from assay.gateway.upstreams.brief import Descriptions, brief_of, checked_decoding
from assay.gateway.upstreams.credentials import Credentials, bearer, checked_endpoint, headers_of
from assay.gateway.upstreams.line import Limits, seconds_of
from assay.gateway.upstreams.openai import OpenAI
from assay.gateway.upstreams.remote import RemoteUpstream
from assay.types import RoundId, TaskId, VersionId
from unit.gateway.endpoints import (
    drip,
    drip_headers,
    endpoint,
    flood,
    flood_headers,
    hang,
    hang_up,
    nonsense,
    reply,
    services,
)

pytestmark = pytest.mark.loopback
KEY = "sk-SECRET-0123456789abcdef"
TASK = TaskId(keccak(b"task"))
PLACE = Place(RoundId(keccak(b"round")), VersionId(keccak(b"version")), 7)
HELLO = "Good morning"


def saying(text, reason="stop", **more):
    return reply({"choices": [{"index": 0, "message": {"content": text}, "finish_reason": reason}], **more})


def error(status, code, *headers):
    return reply({"error": {"message": f"SECRET words of the endpoint, {KEY}", "type": code, "code": code}}, status, *headers)


def upstream(
    url,
    folder,
    *,
    timeout=5.0,
    per_minute=1000,
    attempts=3,
    limit=1000,
    credentials=None,
    keep=None,
    model="word-by-word",
    **more,
):
    dialect = OpenAI(f"{url}/v1", model, Descriptions(folder), **more)
    limits = Limits(timeout, 20_000, per_minute, attempts=attempts)
    return RemoteUpstream(dialect, credentials or Credentials(), limits, limit=limit, keep=keep)


def exchange(model, *prompts, occasion=None):
    async def all_of_them():
        try:
            return [await model.exchange(prompt, occasion) for prompt in prompts]
        finally:
            await model.close()

    return asyncio.run(all_of_them())


def occasion(folder, **description):
    raw = json.dumps({"template": "{prompt}", "decoding": "as served", **description}).encode()
    (folder / f"0x{TASK.hex()}.json").write_bytes(raw)
    return Occasion(PLACE, TASK, hashlib.sha256(raw).digest())


def secret_file(tmp_path, text=KEY + "\n", mode=0o600):
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


# -- a good endpoint


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    path = secret_file(tmp_path_factory.mktemp("key"))
    with services("--key-file", path) as url:
        yield url, bearer(path)


@pytest.mark.parametrize("chat", [True, False])
def test_openai__real_service__translates(words, tmp_path, chat):
    url, credentials = words
    done, empty = exchange(upstream(url, tmp_path, chat=chat, credentials=credentials), HELLO, "")
    assert done.response == "Bom manhã".encode()
    assert (empty.response, empty.failure) == (b"", "")
    assert KEY not in repr(done)


def test_openai__task_with_template_and_decoding__sent_and_kept(words, tmp_path):
    url, credentials = words
    database = Database(tmp_path / "gateway.sqlite")
    calls = Calls(database)
    about = occasion(
        tmp_path, template="Into {language} please:\n{prompt}", decoding={"temperature": 0, "max_tokens": 1, "stop": ["\n"]}
    )
    model = upstream(url, tmp_path, credentials=credentials, keep=calls.add, decoding={"temperature": 1, "seed": 5})
    assert isinstance(model, TaskUpstream)

    async def ask():
        try:
            return await model.answer(HELLO, about)
        finally:
            await model.close()

    assert asyncio.run(ask()) == b"Bom"
    (call,) = calls.of(PLACE)
    assert json.loads(call.body) == {
        "model": "word-by-word",
        "stream": False,
        "temperature": 0,
        "max_tokens": 1,
        "stop": ["\n"],
        "messages": [{"role": "user", "content": f"Into {{language}} please:\n{HELLO}"}],
    }
    assert (call.method, call.url, call.failure) == ("POST", f"{url}/v1/chat/completions", "")
    database.close()
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith("gateway"))
    assert KEY.encode() not in everything


def test_openai__prompt_that_looks_like_a_template__sent_as_it_is(tmp_path):
    with endpoint(saying("ok")) as server:
        about = occasion(tmp_path, template="<{prompt}>")
        exchange(upstream(server.url, tmp_path), '{prompt} "}] \\ ü\u2028', occasion=about)
        assert server.received[0].json["messages"][0]["content"] == '<{prompt} "}] \\ ü\u2028>'


def test_openai__decoding_of_the_task__replaces_ours_and_ours_stands_where_it_is_left_to_us(tmp_path):
    with endpoint(saying("ok")) as server:
        ours = {"temperature": 1, "seed": 5}
        exchange(upstream(server.url, tmp_path, decoding=ours), HELLO, occasion=occasion(tmp_path, decoding={"top_p": 0.5}))
        exchange(upstream(server.url, tmp_path, decoding=ours), HELLO, occasion=occasion(tmp_path))
        sent = [{key for key in request.json if key not in ("model", "stream", "messages")} for request in server.received]
        assert sent == [{"top_p"}, {"temperature", "seed"}]


def test_openai__headers__key_once_and_nothing_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with endpoint(saying("ok")) as server:
        (done,) = exchange(upstream(server.url, tmp_path, credentials=bearer(secret_file(tmp_path))), HELLO)
        assert done.response == b"ok"
        assert server.received[0].headers["authorization"] == f"Bearer {KEY}"
        assert server.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.skipif("ASSAY_TEST_OPENAI" not in os.environ, reason="ASSAY_TEST_OPENAI names no endpoint of a model")
def test_openai__model_of_the_environment__answers(tmp_path):
    about = occasion(
        tmp_path,
        template="Translate into Portuguese, and write nothing else.\n\n{prompt}",
        decoding={"temperature": 0, "max_tokens": 40, "seed": 1},
    )
    base = os.environ["ASSAY_TEST_OPENAI"].rstrip("/").removesuffix("/v1")
    name = os.environ.get("ASSAY_TEST_OPENAI_MODEL", "default")
    for chat in (True, False):
        done, again = exchange(upstream(base, tmp_path, timeout=120.0, model=name, chat=chat), HELLO, HELLO, occasion=about)
        assert done.response, done.failure
        assert done.response == again.response


# -- what an answer is


@pytest.mark.parametrize(
    ("reason", "limited", "answer"),
    [
        ("stop", False, b"text"),
        (None, False, b"text"),
        ("length", False, "cut-off"),
        ("length", True, b"text"),
        ("content_filter", True, "content-filter"),
        ("tool_calls", True, "odd-finish"),
        (["stop"], True, "odd-finish"),
    ],
)
def test_openai__finish_reason__by_the_rule(tmp_path, reason, limited, answer):
    about = occasion(tmp_path, decoding={"max_tokens": 5} if limited else {"temperature": 0})
    with endpoint(saying("text", reason)) as server:
        (done,) = exchange(upstream(server.url, tmp_path), HELLO, occasion=about)
    assert (done.response or done.failure) == answer


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        ({"choices": []}, "no-choice"),
        ({"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}, "no-choice"),
        ({"choices": [7]}, "no-choice"),
        ({"choices": {"0": {}}}, "no-choice"),
        ({"error": {"message": "x"}}, "no-choice"),
        ([], "no-choice"),
        ({"choices": [{"message": {"content": None, "refusal": "no"}}]}, "no-answer"),
        ({"choices": [{"message": {"content": ["a"]}}]}, "no-answer"),
        ({"choices": [{"message": "a"}]}, "no-answer"),
        ({"choices": [{"text": "a"}]}, "no-answer"),
        (b"<html>", "no-json"),
        (b"", "no-json"),
        (b'{"choices": [{"message": {"content": "\xff"}}]}', "no-json"),
        (b'{"choices": [{"message": {"content": "\\ud800"}}]}', "no-json"),
        (b"[" * 19_000, "no-json"),
        ({"choices": [{"message": {"content": "x" * 1001}}]}, "no-text"),
    ],
)
def test_openai__reply_without_an_answer__silence_at_once(tmp_path, body, failure):
    with endpoint(reply(body)) as server:
        (done,) = exchange(upstream(server.url, tmp_path), HELLO)
        assert (done.response, done.failure) == (None, failure)
        assert done.remedy
        assert len(server.received) == 1


def test_openai__key_in_the_answer__never_published(tmp_path):
    with endpoint(saying(f"you said Bearer {KEY}")) as server:
        (done,) = exchange(upstream(server.url, tmp_path, credentials=bearer(secret_file(tmp_path))), HELLO)
    assert (done.response, done.failure) == (None, "leak")


# -- refusals


@pytest.mark.parametrize(
    ("behaviour", "failure", "requests"),
    [
        (error(401, "invalid_api_key"), "bad-key", 1),
        (error(403, "x"), "bad-key", 1),
        (error(404, "model_not_found"), "no-model", 1),
        (reply(b"not found", 404), "no-model", 1),
        (error(429, "insufficient_quota", "Retry-After: 1"), "no-quota", 1),
        (error(429, "rate_limit_exceeded"), "rate-limited", 3),
        (error(400, "context_length_exceeded"), "too-long", 1),
        (error(400, "x"), "status-400", 1),
        (reply(b"", 500), "status-500", 3),
        (reply(b"\xff", 503), "status-503", 3),
        (reply({"choices": []}, 201), "status-201", 1),
    ],
)
def test_openai__refusal__named_with_a_remedy_and_without_the_endpoints_words(tmp_path, capsys, behaviour, failure, requests):
    with endpoint(behaviour) as server:
        (done,) = exchange(upstream(server.url, tmp_path, credentials=bearer(secret_file(tmp_path))), HELLO)
        assert len(server.received) == requests
    assert (done.response, done.failure) == (None, failure)
    assert done.remedy
    said = "".join(capsys.readouterr()) + repr(done)
    assert "SECRET" not in said


def test_openai__redirect__never_followed(tmp_path):
    with endpoint(saying("stolen")) as other:
        for status in (301, 302, 303, 307, 308):
            with endpoint(reply(b"", status, f"Location: {other.url}/v1/chat/completions")) as server:
                (done,) = exchange(upstream(server.url, tmp_path, credentials=bearer(secret_file(tmp_path))), HELLO)
                assert (done.response, done.failure) == (None, f"redirected-{status}")
        assert other.received == []


def test_openai__trouble_that_passes__tried_again_with_growing_pauses(tmp_path):
    with endpoint(reply(b"", 500), hang_up, saying("ok")) as server:
        (done,) = exchange(upstream(server.url, tmp_path), HELLO)
        assert (done.response, done.attempts) == (b"ok", 3)
        first, second, third = (request.at for request in server.received)
        assert second - first >= 0.5
        assert third - second >= 1.0


def test_openai__retry_after__nobody_asks_before_it(tmp_path):
    with endpoint(error(429, "rate_limit_exceeded", "Retry-After: 2"), saying("ok")) as server:

        async def two():
            model = upstream(server.url, tmp_path)
            first = asyncio.create_task(model.exchange("first"))
            await asyncio.sleep(0.5)
            both = await asyncio.gather(first, model.exchange("second"))
            await model.close()
            return both

        assert [done.response for done in asyncio.run(two())] == [b"ok", b"ok"]
        refused, *later = server.received
        assert all(request.at - refused.at >= 1.9 for request in later)


def test_openai__retry_after_beyond_the_timeout__silence_at_once(tmp_path):
    with endpoint(error(429, "rate_limit_exceeded", "Retry-After: 3000")) as server:
        (done,) = exchange(upstream(server.url, tmp_path, timeout=30.0), HELLO)
        assert done.failure == "rate-limited"
        assert done.seconds < 5
        assert len(server.received) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("999999999999", 3600, 3600),
        ("-5", 0, 0),
        ("soon", 0, 0),
        ("", 0, 0),
        ("٣", 0, 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ],
)
def test_seconds_of__header__bounded(header, least, most):
    assert least <= seconds_of(header) <= most


def test_seconds_of__date__until_then():
    assert 8 <= seconds_of(format_datetime(datetime.now(UTC) + timedelta(seconds=10), usegmt=True)) <= 10


def test_openai__rate_limit__no_more_than_that_a_minute(tmp_path):
    with endpoint(saying("ok")) as server:
        done = exchange(upstream(server.url, tmp_path, per_minute=2, timeout=0.5), *["x"] * 4)
        assert [one.response for one in done] == [b"ok", b"ok", None, None]
        assert done[2].failure == "timeout"
        assert len(server.received) == 2


# -- hostile endpoints


@pytest.mark.parametrize("behaviour", [hang, drip, drip_headers], ids=["hangs", "drips", "drips headers"])
def test_openai__slow__silence_within_the_timeout(tmp_path, behaviour):
    with endpoint(behaviour) as server:
        (done,) = exchange(upstream(server.url, tmp_path, timeout=0.6), HELLO)
    assert done.response is None
    assert done.seconds < 3


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (flood, "too-large"),
        (flood_headers, "RemoteProtocolError"),
        (nonsense, "RemoteProtocolError"),
        (hang_up, "RemoteProtocolError"),
        (reply({"choices": [{"message": {"content": "x"}}]}, length=10_000), "RemoteProtocolError"),
        (reply({"choices": [{"message": {"content": "x"}}]}, length=20), "no-json"),
        (reply(b"{}", length=-1), "RemoteProtocolError"),
        (reply(b"\x1f\x8b" + bytes(100), 200, "Content-Encoding: gzip"), "compressed"),
        (reply(b'{"choices": [' + b" " * 30_000), "too-large"),
    ],
    ids=["flood", "headers", "no http", "hangs up", "too short", "too long", "negative", "compressed", "large"],
)
def test_openai__hostile__silence_and_bounded(tmp_path, behaviour, failure):
    with endpoint(behaviour) as server:
        (done,) = exchange(upstream(server.url, tmp_path, timeout=3.0, attempts=2), HELLO)
    assert (done.response, done.failure) == (None, failure)
    assert done.remedy
    assert done.seconds < 5


def test_openai__nobody_listens__silence_with_a_remedy(tmp_path):
    with endpoint(hang) as server:
        url = server.url
    (done,) = exchange(upstream(url, tmp_path, attempts=1), HELLO)
    assert (done.response, done.failure) == (None, "ConnectError")
    assert done.remedy


def test_openai__lone_surrogate__silence_and_nothing_sent(tmp_path):
    with endpoint(saying("ok")) as server:
        (done,) = exchange(upstream(server.url, tmp_path), "\ud800")
        assert (done.failure, server.received) == ("no-text", [])


# -- tasks


def test_openai__description_missing_or_another__objection_and_silence(tmp_path):
    about = occasion(tmp_path)
    with endpoint(saying("ok")) as server:
        model = upstream(server.url, tmp_path)
        assert model.objection(TASK, about.description_digest) is None
        for folder, digest in ((tmp_path / "none", about.description_digest), (tmp_path, bytes(32))):
            lost = upstream(server.url, folder)
            assert lost.objection(TASK, digest)
            (done,) = exchange(lost, HELLO, occasion=Occasion(PLACE, TASK, digest))
            assert (done.response, done.failure) == (None, "no-description")
        assert server.received == []
        asyncio.run(model.close())


@pytest.mark.parametrize(
    "description",
    [
        {"template": "no place for it"},
        {"template": 7},
        {"decoding": {"model": "another"}},
        {"decoding": {"messages": []}},
        {"decoding": {"stream": True}},
        {"decoding": {"n": 2}},
        {"decoding": {"temperature": "0"}},
        {"decoding": {"temperature": True}},
        {"decoding": {"temperature": float("inf")}},
        {"decoding": {"max_tokens": 0}},
        {"decoding": {"stop": []}},
        {"decoding": {"stop": ["x"] * 17}},
        {"decoding": {"stop": [""]}},
    ],
)
def test_brief_of__what_cannot_be_sent__bad_input(description):
    with pytest.raises(BadInput):
        brief_of({"template": "{prompt}", "decoding": "x"} | description)


def test_checked_decoding__known_settings__as_they_are():
    settings = {"temperature": 0, "top_p": 0.5, "top_k": 40, "min_p": 0.1, "max_tokens": 9, "seed": 0, "stop": "\n"}
    assert checked_decoding(settings) == settings


def test_calls__of_one_place__bounded(tmp_path):
    database = Database(tmp_path / "gateway.sqlite")
    calls = Calls(database)
    with endpoint(saying("ok")) as server:
        (done,) = exchange(upstream(server.url, tmp_path), HELLO)
    for _ in range(MAX_CALLS_A_PLACE + 5):
        calls.add(PLACE, done)
    assert len(calls.of(PLACE)) == MAX_CALLS_A_PLACE
    database.close()


def test_openai__journal_that_fails__silence(tmp_path):
    def fail(*_):
        raise OSError("disk full")

    with endpoint(saying("ok")) as server:
        model = upstream(server.url, tmp_path, keep=fail)

        async def ask():
            try:
                return await model.answer(HELLO, occasion(tmp_path))
            finally:
                await model.close()

        assert asyncio.run(ask()) is None


# -- credentials


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_bearer__file_that_others_reach__refused(tmp_path, mode):
    with pytest.raises(BadInput) as caught:
        bearer(secret_file(tmp_path, mode=mode))
    assert KEY not in f"{caught.value} {caught.value.remedy}"


@pytest.mark.parametrize("text", ["", "\n", "two words\n", "a\nb\n", "ü\n", "x" * 20_000])
def test_bearer__no_key__refused(tmp_path, text):
    with pytest.raises(BadInput):
        bearer(secret_file(tmp_path, text))


def test_bearer__no_file_or_a_folder__refused(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(BadInput):
            bearer(path)


def test_credentials__text_forms__show_no_value(tmp_path):
    assert KEY not in repr(bearer(secret_file(tmp_path)))


@pytest.mark.parametrize(
    "text",
    [
        "x-api-key SECRETSECRET\n",
        "a b: c\n",
        "Host: x\n",
        "content-length: 3\n",
        "a: b\nA: c\n",
        "a: \n",
        "a: b\x00\n",
        "a: b\n\nc: d\n",
    ],
)
def test_headers_of__bad_line__named_by_number_and_not_shown(tmp_path, text):
    with pytest.raises(BadInput) as caught:
        headers_of(secret_file(tmp_path, text))
    assert "SECRET" not in str(caught.value)
    assert caught.value.where


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://x/",
        "http://",
        "http://a:b@host/v1",
        "https://user@host/",
        "http://host:0/",
        "http://host/#x",
        "http://[::1/",
        "file:///etc",
    ],
)
def test_checked_endpoint__no_address__refused(url):
    with pytest.raises(BadInput):
        checked_endpoint(url, Credentials(), "--url")


@pytest.mark.parametrize(
    ("url", "fine"), [("http://example.org/v1", False), ("https://example.org/v1", True), ("http://127.0.0.1:1/v1", True)]
)
def test_checked_endpoint__with_a_key__never_in_the_clear_across_a_network(tmp_path, url, fine):
    assert checked_endpoint(url, Credentials(), "--url") == url
    credentials = bearer(secret_file(tmp_path))
    if fine:
        assert checked_endpoint(url, credentials, "--url") == url
    else:
        with pytest.raises(BadInput):
            checked_endpoint(url, credentials, "--url")


def test_exchange__after_close__silence(tmp_path):
    with endpoint(saying("ok")) as server:
        model = upstream(server.url, tmp_path)

        async def late():
            await model.close()
            return await model.exchange(HELLO)

        began = time.monotonic()
        assert asyncio.run(late()).response is None
        assert time.monotonic() - began < 5
