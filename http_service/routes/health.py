"""The program about itself: alive, ready, metrics, this API's description."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from playhead.telemetry import render_metrics


async def alive(call: Call) -> Response:
    """The process answers."""
    return json_answer(models.AliveOut(status="ok"))


async def up(call: Call) -> Response:
    """The process answers, in the words of the collectors."""
    return json_answer(models.UpOut(up=True))


async def ready(call: Call) -> Response:
    """503 only when this process cannot keep what it is sent, or is about to end."""
    state = await call.context.readiness.check()
    return json_answer(state, 503 if state.status in ("unavailable", "stopping") else 200)


async def metrics(call: Call) -> Response:
    """Prometheus text; the state of the dependencies is as fresh as in `/readyz`, whether anybody asks that or not."""
    await call.context.readiness.check()
    body, content_type = render_metrics()
    return Response(body, headers={"content-type": content_type})


async def openapi(call: Call) -> Response:
    """This API, OpenAPI 3.1."""
    return Response(call.context.description.openapi, media_type="application/json")


async def docs(call: Call) -> Response:
    """The same to read, without anything from other hosts."""
    description = call.context.description
    policy = {"content-security-policy": description.page_policy}
    return Response(description.page, media_type="text/html", headers=policy)


_UP: Final = {"state": "up", "detail": "", "mend": ""}
_READY: Final = {
    "status": "ready",
    "dependencies": {
        "database": _UP,
        "objects": _UP,
        "cache": {"state": "off", "detail": "memory alone", "mend": ""},
        "disk": {"state": "up", "detail": "43% used", "mend": ""},
        "journal": _UP,
    },
}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/healthz",
        "Is the process alive?",
        "operation",
        Access.PUBLIC,
        (Reply(200, "alive", models.AliveOut, example={"status": "ok"}),),
        handle=alive,
    ),
    Operation(
        "GET",
        "/health",
        "The same, under the name that trackers' servers have",
        "operation",
        Access.PUBLIC,
        (Reply(200, "alive", models.AliveOut, example={"status": "ok"}),),
        handle=alive,
        ingest=True,
    ),
    Operation(
        "GET",
        "/api/health",
        "The same, under the name that event collectors have",
        "operation",
        Access.PUBLIC,
        (Reply(200, "alive", models.UpOut, example={"up": True}),),
        handle=up,
        ingest=True,
        no_project=True,
        any_method=True,
    ),
    Operation(
        "GET",
        "/readyz",
        "Can it do its work? The state of each dependency",
        "operation",
        Access.PUBLIC,
        (
            Reply(200, "ready, or degraded: what comes is kept", models.ReadyOut, example=_READY),
            Reply(503, "unavailable: nothing can be kept; stopping: send no more", models.ReadyOut),
        ),
        handle=ready,
    ),
    Operation(
        "GET",
        "/metrics",
        "Metrics for Prometheus",
        "operation",
        Access.PUBLIC,
        (Reply(200, "metrics", content_type="text/plain"),),
        handle=metrics,
    ),
    Operation(
        "GET",
        "/openapi.json",
        "This API as OpenAPI 3.1",
        "operation",
        Access.PUBLIC,
        (Reply(200, "the document"),),
        handle=openapi,
    ),
    Operation(
        "GET",
        "/docs",
        "This API to read",
        "operation",
        Access.PUBLIC,
        (Reply(200, "a page", content_type="text/html"),),
        handle=docs,
    ),
)
