"""The gateway over HTTP: bodies, problems, limits and its own description."""

import asyncio
import base64
import json
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from assay.gateway import app as application
from assay.gateway.edge import Edge
from assay.gateway.problems import CATALOGUE
from assay.gateway.wire import MAX_ACKS, hex_of
from unit.gateway.stage import DOMAIN, PROVIDER, ROUND, SEAT, STRANGER, VERSION, StateChain, ack, ask, stage


class Client:
    """Calls an application in this process, whole requests through its HTTP layer."""

    def __init__(self, app):
        self._app = app

    def __call__(self, method, path, **options):
        async def call():
            transport = httpx.ASGITransport(app=self._app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
                return await client.request(method, path, **options)

        return asyncio.run(call())

    def post(self, path, body):
        return self("POST", path, json=body)


@contextmanager
def gateway(path, **options):
    with stage(path, **options) as it:
        yield Client(application.create(it.service)), it


def ask_body(question, *acks):
    body = {
        "round": hex_of(question.place.round),
        "version": hex_of(question.place.version),
        "position": question.place.position,
        "prompt": question.prompt,
        "answer_until": question.answer_until,
        "signature": hex_of(question.signature),
    }
    return body | ({"acks": [ack_body(entry) for entry in acks]} if acks else {})


def ack_body(entry):
    return {
        "round": hex_of(entry.place.round),
        "version": hex_of(entry.place.version),
        "position": entry.place.position,
        "response_hash": hex_of(entry.response_hash),
        "signature": hex_of(entry.signature),
    }


ENROL = {"round": hex_of(ROUND), "version": hex_of(VERSION)}


def assert_problem(response, slug, status=None):
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["type"] == f"urn:assay:{slug}"
    assert body["title"] == CATALOGUE[slug].title
    assert response.status_code == body["status"] == (status or CATALOGUE[slug].status)
    return body


def test_v1__any_time__says_who_serves(tmp_path):
    with gateway(tmp_path) as (call, _):
        assert call("GET", "/v1").json() == {
            "protocol": 1,
            "chain_id": DOMAIN.chain_id,
            "rounds": DOMAIN.rounds,
            "operator": PROVIDER.address,
            "versions": [hex_of(VERSION)],
        }


def test_round__enrol_ask_acknowledge__all_over_http(tmp_path):
    with gateway(tmp_path) as (call, it):
        consent = call.post("/v1/enrol", ENROL).json()
        assert consent == ENROL | {"signature": hex_of(PROVIDER.sign(DOMAIN.enrol(*SEAT)))}
        first = call.post("/v1/ask", ask_body(ask(0, "olá"))).json()
        kept = it.journal.unsettled(SEAT)
        answer = asyncio.run(it.service.ask(ask(0, "olá")))
        assert first == {
            **ENROL,
            "position": 0,
            "prompt_hash": hex_of(answer.prompt_hash),
            "response": "OLÁ 1",
            "signature": hex_of(answer.signature),
        }
        assert set(kept) == {0}
        second = call.post("/v1/ask", ask_body(ask(1), ack(answer)))
        assert second.status_code == 200
        assert set(it.journal.unsettled(SEAT)) == {1}
        assert call.post("/v1/ack", {"acks": [ack_body(ack(answer))]}).json() == {"accepted": 1}


def test_ask__response_that_is_no_utf8__response_b64_alone(tmp_path):
    with gateway(tmp_path) as (call, it):
        it.model.reply = lambda _: b"\xff\x00"
        call.post("/v1/enrol", ENROL)
        body = call.post("/v1/ask", ask_body(ask())).json()
        assert base64.b64decode(body["response_b64"]) == b"\xff\x00"
        assert "response" not in body


def test_ask__repeated__same_bytes_on_the_wire(tmp_path):
    with gateway(tmp_path) as (call, _):
        call.post("/v1/enrol", ENROL)
        first = call.post("/v1/ask", ask_body(ask())).content
    with gateway(tmp_path) as (call, _):
        assert call.post("/v1/ask", ask_body(ask())).content == first


@pytest.mark.parametrize(
    ("method", "path", "slug"),
    [
        ("GET", "/", "not-found"),
        ("GET", "/v2/ask", "not-found"),
        ("GET", "/docs", "not-found"),
        ("GET", "/v1/ask", "wrong-method"),
    ],
)
def test_path__unknown_or_wrong_method__problem(tmp_path, method, path, slug):
    with gateway(tmp_path) as (call, _):
        response = call(method, path)
        assert_problem(response, slug)
        assert slug != "wrong-method" or response.headers["allow"] == "POST"


SECRET = "SECRET-PROMPT"


@pytest.mark.parametrize(
    "changes",
    [
        {"round": "0x12"},
        {"round": hex_of(ROUND)[2:]},
        {"round": hex_of(ROUND) + "\n"},
        {"version": None},
        {"position": -1},
        {"position": 1 << 32},
        {"position": "0"},
        {"position": 0.0},
        {"position": True},
        {"answer_until": 1 << 40},
        {"answer_until": -1},
        {"prompt": 7},
        {"prompt": SECRET * 30_000},
        {"signature": "0x" + "00" * 64},
        {"signature": "0x" + "zz" * 65},
        {"acks": {}},
        {"acks": [{}]},
        {"unknown": 1},
    ],
    ids=lambda changes: f"{next(iter(changes))}-{str(next(iter(changes.values())))[:8]!r}",
)
def test_ask__body_against_the_schema__malformed_and_says_where_not_what(tmp_path, changes):
    with gateway(tmp_path) as (call, _):
        body = assert_problem(call.post("/v1/ask", ask_body(ask(prompt=SECRET)) | changes), "malformed")
        assert next(iter(changes)) in body["detail"]
        assert SECRET not in body["detail"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"nul", b'{"prompt": "\xff"}', b'"\\ud800"', b"[" * 100_000])
def test_ask__body_that_is_no_object__malformed(tmp_path, raw):
    with gateway(tmp_path) as (call, _):
        response = call("POST", "/v1/ask", content=raw, headers={"content-type": "application/json"})
        assert_problem(response, "malformed", response.status_code)
        assert response.status_code in (400, 422)


def test_ask__prompt_with_a_lone_surrogate__malformed(tmp_path):
    with gateway(tmp_path) as (call, _):
        raw = json.dumps(ask_body(ask(prompt="X"))).replace('"X"', '"\\ud800"').encode()
        response = call("POST", "/v1/ask", content=raw, headers={"content-type": "application/json"})
        assert_problem(response, "malformed", response.status_code)


def test_ack__too_many__malformed(tmp_path):
    with gateway(tmp_path) as (call, it):
        call.post("/v1/enrol", ENROL)
        entry = ack_body(ack(asyncio.run(it.service.ask(ask()))))
        assert_problem(call.post("/v1/ack", {"acks": [entry] * (MAX_ACKS + 1)}), "malformed")
        assert call.post("/v1/ack", {"acks": [entry] * MAX_ACKS}).json() == {"accepted": MAX_ACKS}


def test_service__says_no__problem_with_its_status_and_retry(tmp_path):
    with gateway(tmp_path, chain=StateChain(down=True)) as (call, _):
        response = call.post("/v1/enrol", ENROL)
        assert_problem(response, "chain-unreachable")
        assert response.headers["retry-after"] == "2"
    with gateway(tmp_path) as (call, _):
        call.post("/v1/enrol", ENROL)
        assert_problem(call.post("/v1/ask", ask_body(ask(signer=STRANGER))), "wrong-signature")


def test_body__over_the_limit__too_large_before_it_is_read_whole(tmp_path):
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1
            yield b"x" * 65_536

    with gateway(tmp_path) as (call, _):
        response = call("POST", "/v1/ask", content=endless())
        assert_problem(response, "too-large")
        assert response.headers["connection"] == "close"
        assert read < 40


def test_body__arrives_too_slowly__too_slow(tmp_path):
    async def slow():
        yield b"{"
        await asyncio.sleep(60)

    with stage(tmp_path) as it:
        inner = application.create(it.service)
        call = Client(Edge(inner, seconds=0.05))
        assert_problem(call("POST", "/v1/ask", content=slow()), "too-slow")


def test_defect__anything_raised__internal_without_any_trace(tmp_path):
    with gateway(tmp_path) as (call, it):

        async def broken(_):
            raise RuntimeError(SECRET)

        it.service.enrol = broken
        response = call.post("/v1/enrol", ENROL)
        assert_problem(response, "internal")
        assert SECRET not in response.text
        assert "Traceback" not in response.text


def test_openapi__as_served__valid_3_1_with_every_problem(tmp_path):
    with gateway(tmp_path) as (call, _):
        description = call("GET", "/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(description).validate()
    assert set(description["paths"]) == {"/v1", "/v1/enrol", "/v1/ask", "/v1/ack"}
    for path in description["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                assert response["description"]
                assert status.startswith("2") or list(response["content"]) == ["application/problem+json"]
    named = json.dumps(description)
    internal = {"not-found", "wrong-method"}
    assert all(f"`{slug}`" in named for slug in CATALOGUE.keys() - internal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from([hex_of(ROUND), "0x"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ask_body(ask()), "acks", "x"]), inner, max_size=5)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(["/v1/enrol", "/v1/ask", "/v1/ack"]), body=JSON, spice=JSON, member=st.sampled_from([*ask_body(ask())])
)
def test_posts__any_json__never_a_failure_of_ours(tmp_path, path, body, spice, member):
    with gateway(tmp_path) as (call, _):
        for sent in (body, ask_body(ask()) | {member: spice}):
            raw = json.dumps(sent).encode()
            response = call("POST", path, content=raw, headers={"content-type": "application/json"})
            assert response.status_code < 500
            if response.status_code != 200:
                slug = response.json()["type"].removeprefix("urn:assay:")
                assert_problem(response, slug, response.status_code)
