"""The gateway over HTTP: four calls, OpenAPI 3.1 at /openapi.json, every error as application/problem+json."""

from typing import Annotated, Any

import orjson
from fastapi import Body, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from assay import __version__
from assay.gateway.edge import Edge
from assay.gateway.problems import CATALOGUE, Problem
from assay.gateway.service import Service
from assay.gateway.wire import (
    AcceptedView,
    AcksBody,
    AnswerView,
    AskBody,
    EnrolBody,
    EnrolView,
    GatewayView,
    ProblemView,
    answer_json,
    hex_of,
)

PROTOCOL = 1
ABOUT = """A provider's server in front of its models.

An examiner asks here for consent to a round (**enrol**), then for answers to signed questions (**ask**), and **acknowledges**
them. The gateway signs nothing but Enrol and Answer, gives at most one Answer for each position of a version in a round, and
repeats it word for word. Hex strings begin with 0x. Errors are `application/problem+json`; their `type` is `urn:assay:` and
one of the names listed beside each status."""
COMMON = ("malformed", "too-slow", "too-large", "unknown-round", "chain-unreachable", "busy", "internal")


def create(service: Service) -> ASGIApp:
    """The whole application around a service."""
    app = FastAPI(title="Assay gateway", version=__version__, description=ABOUT, docs_url=None, redoc_url=None)
    for kind in (Problem, Exception):
        app.add_exception_handler(kind, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    _add_routes(app, service)
    return Edge(app)


def _add_routes(app: FastAPI, service: Service) -> None:
    about = {
        "protocol": PROTOCOL,
        "chain_id": service.domain.chain_id,
        "rounds": service.domain.rounds,
        "operator": service.operator,
        "versions": [hex_of(version) for version in service.versions],
    }

    @app.get("/v1", summary="Who serves here", response_model=GatewayView, responses=_problems("internal"))
    async def show() -> Response:
        return _json(about)

    @app.post(
        "/v1/enrol",
        summary="Ask for consent to a round",
        response_model=EnrolView,
        responses=_problems(*COMMON, "not-admitted", "not-enrolled", "window-over"),
    )
    async def enrol(body: Annotated[EnrolBody, Body()]) -> Response:
        signature = await service.enrol(body.seat())
        return _json({"round": body.round.lower(), "version": body.version.lower(), "signature": hex_of(signature)})

    @app.post(
        "/v1/ask",
        summary="Ask a question",
        response_model=AnswerView,
        responses=_problems(*CATALOGUE.keys() - {"not-found", "wrong-method", "not-admitted"}),
    )
    async def ask(body: Annotated[AskBody, Body()]) -> Response:
        return _json(answer_json(await service.ask(body.ask(), [ack.ack() for ack in body.acks])))

    @app.post(
        "/v1/ack",
        summary="Acknowledge answers",
        response_model=AcceptedView,
        responses=_problems(*COMMON, "not-enrolled", "wrong-signature", "unknown-answer"),
    )
    async def ack(body: Annotated[AcksBody, Body()]) -> Response:
        return _json({"accepted": await service.acknowledge([entry.ack() for entry in body.acks])})


def _problems(*slugs: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of errors: the slugs of each status."""
    statuses: dict[int | str, dict[str, Any]] = {}
    for slug in sorted(slugs):
        entry = CATALOGUE[slug]
        line = f"`{slug}`: {entry.title}"
        seen = statuses.setdefault(entry.status, {"description": "", "content": _PROBLEM_CONTENT})
        seen["description"] = f"{seen['description']}. {line}" if seen["description"] else line
    return statuses


_PROBLEM_CONTENT = {"application/problem+json": {"schema": ProblemView.model_json_schema()}}


def _json(body: object) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def _answer(problem: Problem) -> Response:
    return Response(orjson.dumps(problem.body()), problem.status, problem.headers(), "application/problem+json")


async def _on_problem(_: Request, error: Exception) -> Response:
    return _answer(error if isinstance(error, Problem) else Problem("internal", "see the provider's log"))


async def _on_invalid(_: Request, error: Exception) -> Response:
    """Which member is wrong and why; never what it held."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    reasons = [f"{'.'.join(str(part) for part in entry['loc'])}: {entry['msg']}" for entry in found[:5]]
    no_json = any(entry["type"] == "json_invalid" for entry in found)
    return _answer(Problem("malformed", "; ".join(reasons)[:1000], status=400 if no_json else None))


async def _on_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        response = _answer(Problem("wrong-method", f"{request.method} is not for this path"))
        response.headers.update(getattr(error, "headers", None) or {})
        return response
    slug = {404: "not-found"}.get(status, "malformed" if status < 500 else "internal")
    return _answer(Problem(slug, "the paths are in /openapi.json", status=status))
