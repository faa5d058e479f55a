"""Upstream `http` against real servers: one of LibreTranslate's shape, Apertium's own, and bad ones."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import time

import httpx
import pytest

from assay.errors import BadInput
from assay.gateway.upstreams.credentials import Credentials, headers_of, key_of
from assay.gateway.upstreams.http import Http, pointer_of
from assay.gateway.upstreams.line import Limits
from assay.gateway.upstreams.remote import RemoteUpstream
from unit.gateway.endpoints import drip, endpoint, flood, hang, hang_up, nonsense, reply, services

pytestmark = pytest.mark.loopback
KEY = "SECRET-0123456789abcdef"
BODY = '{"q": "{prompt}", "source": "en", "target": "pt", "format": "text"}'
TRICKY = '", "target": "xx", "q": "\\ \n\t{prompt} é 日 \u2028 \x00'
APY = shutil.which("apertium-apy")


def exchange(dialect, *prompts, credentials=None, timeout=5.0, attempts=2):
    async def all_of_them():
        limits = Limits(timeout, 20_000, 1000, attempts=attempts)
        model = RemoteUpstream(dialect, credentials or Credentials(), limits, limit=1000)
        try:
            return [await model.exchange(prompt) for prompt in prompts]
        finally:
            await model.close()

    return asyncio.run(all_of_them())


def libre(url, body=BODY):
    return Http(f"{url}/translate", "/translatedText", body=body)


def headers_file(tmp_path, text):
    path = tmp_path / "headers"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def service():
    with services() as url:
        yield url


def test_http__libretranslate__translates(service):
    done, empty = exchange(libre(service), "Good morning", "")
    assert (done.response, empty.response) == ("Bom manhã".encode(), b"")


def test_http__libretranslate_with_a_key__header_from_a_file(tmp_path):
    key = tmp_path / "key"
    key.write_text(KEY)
    credentials = headers_of(headers_file(tmp_path, f"X-API-Key: {KEY}\n"))
    with services("--key-file", key) as url:
        (refused,) = exchange(libre(url), "Good morning")
        (done,) = exchange(libre(url), "Good morning", credentials=credentials)
    assert (refused.response, refused.failure) == (None, "status-403")
    assert done.response == "Bom manhã".encode()
    assert KEY not in repr(done)


def test_http__key_in_the_body__from_a_file_and_never_shown(tmp_path):
    key = headers_file(tmp_path, KEY)
    body = '{"q": "{prompt}", "source": "en", "target": "pt", "api_key": "{key}"}'
    with services("--key-file", key) as url:
        dialect = Http(f"{url}/translate", "/translatedText", body=body, key=key_of(key))
        (done,) = exchange(dialect, "Good morning", credentials=Credentials().with_secret(KEY))
    assert done.response == "Bom manhã".encode()
    assert KEY not in repr(done)
    assert json.loads(done.request.body)["api_key"] == "{key}"


def test_http__prompt_that_asks_for_the_key__gets_none():
    with endpoint(reply({"out": "x"})) as server:
        exchange(Http(server.url, "/out", body='["{prompt}", "{key}"]', key=KEY), "{key} {prompt}")
        assert server.received[0].json == ["{key} {prompt}", KEY]


def test_http__wrong_pair__silence_with_a_remedy(service):
    (done,) = exchange(libre(service, BODY.replace('"en"', '"xx"')), "Good morning")
    assert (done.response, done.failure) == (None, "status-400")
    assert done.remedy


def test_http__prompt_with_quotes_and_braces__stays_in_its_string():
    nested = '{"a": [{"text": "<{prompt}>"}], "n": 1.5, "b": null, "{prompt}": true}'
    with endpoint(reply({"out": "x"})) as server:
        exchange(Http(server.url, "/out", body=nested), TRICKY)
        assert server.received[0].json == {"a": [{"text": f"<{TRICKY}>"}], "n": 1.5, "b": None, "{prompt}": True}


def test_http__prompt_in_the_address__percent_encoded():
    with endpoint(reply({"out": "x"})) as server:
        exchange(Http(f"{server.url}/t?a=b&q={{prompt}}", "/out", method="GET"), "a&b=c d/../?#é\r\nX: y")
        assert server.received[0].line == "GET /t?a=b&q=a%26b%3Dc%20d%2F..%2F%3F%23%C3%A9%0D%0AX%3A%20y HTTP/1.1"
        assert server.received[0].body == b""


def test_http__prompt_too_long_for_an_address__silence_and_nothing_sent():
    with endpoint(reply({"out": "x"})) as server:
        (done,) = exchange(Http(f"{server.url}/t?q={{prompt}}", "/out", method="GET"), "é" * 20_000)
        assert (done.failure, server.received) == ("long-address", [])


@pytest.mark.parametrize(
    ("pointer", "answer"),
    [
        ("/data/0/text", b"first"),
        ("/data/1/text", None),
        ("/data/-1/text", None),
        ("/data/00001/text", None),
        ("/data/x", None),
        ("/a~1b/~0", b"odd"),
        ("/number", None),
        ("/null", None),
        ("/nothing", None),
        ("/data", None),
        ("/", b"empty key"),
        ("", None),
    ],
)
def test_http__pointer__string_there_or_silence(pointer, answer):
    body = {"data": [{"text": "first"}], "a/b": {"~": "odd"}, "number": 7, "null": None, "": "empty key"}
    with endpoint(reply(body)) as server:
        (done,) = exchange(Http(server.url, pointer, body='"{prompt}"'), "a")
    assert done.response == answer


def test_http__whole_reply_is_the_string__answer():
    with endpoint(reply(b'"just this"')) as server:
        (done,) = exchange(Http(server.url, "", body='"{prompt}"'), "a")
    assert done.response == b"just this"


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (hang, "timeout"),
        (drip, "timeout"),
        (flood, "too-large"),
        (hang_up, "RemoteProtocolError"),
        (nonsense, "RemoteProtocolError"),
        (reply({"translatedText": "x"}, length=9_000), "RemoteProtocolError"),
        (reply({"translatedText": "x"}, length=10), "no-json"),
        (reply(b'{"translatedText": "\xff"}'), "no-json"),
        (reply(b"not json"), "no-json"),
        (reply({"translatedText": KEY + " said"}), "leak"),
        (reply({"translatedText": "x"}, 302, "Location: http://127.0.0.1:9/"), "redirected-302"),
        (reply({"translatedText": "x"}, 204), "status-204"),
    ],
    ids=["hangs", "drips", "floods", "hangs up", "no http", "short", "long", "no utf8", "no json", "leaks", "redirects", "204"],
)
def test_http__hostile__silence(tmp_path, behaviour, failure):
    credentials = headers_of(headers_file(tmp_path, f"Authorization: DeepL-Auth-Key {KEY}\n"))
    with endpoint(behaviour) as server:
        (done,) = exchange(libre(server.url), "a", credentials=credentials, timeout=1.5, attempts=1)
    assert (done.response, done.failure) == (None, failure)
    assert done.remedy
    assert done.seconds < 4


@pytest.mark.parametrize(
    "options",
    [
        {"body": "{prompt}"},
        {"body": "{"},
        {"body": '{"q": "nothing"}'},
        {"body": None},
        {"method": "GET"},
        {"key": KEY},
        {"body": '"' + "x" * 70_000 + '{prompt}"'},
    ],
)
def test_http__options_that_do_not_go_together__bad_input(options):
    with pytest.raises(BadInput):
        Http("http://127.0.0.1/", "/a", **({"body": BODY} | options))


@pytest.mark.parametrize("pointer", ["translatedText", "a/b", "$.a"])
def test_pointer_of__another_language__bad_input(pointer):
    with pytest.raises(BadInput):
        pointer_of(pointer)


# -- Apertium's own server


@pytest.fixture(scope="module")
def apertium(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [APY, "-p", str(port), "-j1", "/usr/share/apertium"]
    log = (tmp_path_factory.mktemp("apy") / "log").open("w")
    with log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            wait_until_listening(url, process)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def wait_until_listening(url, process):
    for _ in range(300):
        assert process.poll() is None, "apertium-apy ended"
        try:
            httpx.get(f"{url}/listPairs", timeout=5, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("apertium-apy does not listen")


@pytest.mark.skipif(APY is None, reason="apertium-apy is not installed")
def test_http__apertium__translates_and_refuses_an_unknown_pair(apertium):
    address = f"{apertium}/translate?markUnknown=no&langpair={{pair}}&q={{prompt}}"
    good = Http(address.replace("{pair}", "eng%7Cspa"), "/responseData/translatedText", method="GET")
    done, again = exchange(good, "The house is big.", "Peter & Mary; they sleep.", timeout=60.0)
    assert done.response.strip() == b"La casa es grande."  # text leaks between its requests, blanks at least
    assert again.response.strip().startswith(b"Peter & Mary")
    bad = Http(address.replace("{pair}", "eng%7Cxxx"), "/responseData/translatedText", method="GET")
    (refused,) = exchange(bad, "The house is big.", timeout=60.0)
    assert (refused.response, refused.failure) == (None, "status-400")
    assert refused.remedy
