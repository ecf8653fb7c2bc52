"""The Hamustro collector. Source: spec/hamustro.md. `/api/health` is in health.py."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from ingest import hamustro
from ingest.big_bodies import work_on
from ingest.event_records import record_of
from ingest.funnel import accept
from playhead import telemetry
from storage.segment_file import Record

_refused = telemetry.counter("playhead_http_refused_total")
_log = telemetry.logger("http_service.hamustro")


async def track(call: Call) -> Response:
    """Keep one collection of events, all or nothing."""
    if call.context.stopping.is_set():
        return _response(call, hamustro.STOPPING)
    project = await call.sender_project()
    body, received_us = await call.body(), call.context.arrivals()

    def judged() -> tuple[hamustro.Answer, Record | None]:
        answer = hamustro.track(
            call.request.method,
            _headers(call),
            body,
            options=project.options.hamustro,
            now_ms=call.services.clock(),
            peer=call.context.client_address(call.request),
        )
        if not answer.events:
            return answer, None
        return answer, record_of(project.project_id, answer.events, received_us=received_us)

    answer, record = await work_on(body, judged)
    if record is not None:
        await accept(record, journal=call.services.journal)
    return _response(call, answer)


async def flush(call: Call) -> Response:
    """What was answered 200 is durable already, so there is nothing left to write."""
    project = await call.sender_project()
    answer = hamustro.flush(
        call.request.method,
        _headers(call),
        options=project.options.hamustro,
        stopping=call.context.stopping.is_set(),
    )
    return _response(call, answer)


def _headers(call: Call) -> dict[str, str]:
    """Headers by lower-case names, several of one name joined; their bytes can be had back for the signature."""
    headers: dict[str, str] = {}
    for raw_name, raw in call.request.headers.raw:
        name, value = raw_name.decode("latin-1"), raw.decode("utf-8", "surrogateescape")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def _response(call: Call, answer: hamustro.Answer) -> Response:
    """Empty, as in production; with `log_level = debug` the error text goes out too, as in verbose mode."""
    if not answer.error:
        return Response(status_code=answer.status)
    _refused.labels("hamustro").inc()
    _log.info("request_refused", protocol="hamustro", status=answer.status, reason=answer.error)
    if call.services.settings.log_level == "debug":
        return json_answer({"error": answer.error}, answer.status)
    return Response(status_code=answer.status)


_PROJECT: Final = "The project is that of `/p/{project_key}` before the path, else the default one."

OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/track",
        "Send a collection of events",
        "Hamustro",
        Access.PUBLIC,
        (
            Reply(200, "durable; the body is empty", content_type=""),
            Reply(204, "no payloads", content_type=""),
            Reply(400, "not decodable, or the session differs", content_type=""),
            Reply(405, "signature missing or wrong, or not POST", content_type=""),
            Reply(503, "stopping, or not now; see Retry-After", content_type=""),
        ),
        handle=track,
        body_type="application/protobuf",
        description=f"`application/protobuf` or `application/json`, either layout, signed. {_PROJECT}",
        ingest=True,
        limited=True,
        no_project=True,
        own_headers=("X-Hamustro-Time", "X-Hamustro-Signature"),
        any_method=True,
        large=True,
        refusals=(404, 413),
    ),
    Operation(
        "POST",
        "/api/flush",
        "Write what is buffered",
        "Hamustro",
        Access.PUBLIC,
        (
            Reply(200, "everything answered 200 is durable", content_type=""),
            Reply(405, "`X-Hamustro-Maintenance-Key` missing or wrong, or not POST", content_type=""),
            Reply(503, "no maintenance key is configured, or stopping", content_type=""),
        ),
        handle=flush,
        description=_PROJECT,
        ingest=True,
        limited=True,
        no_project=True,
        own_headers=("X-Hamustro-Maintenance-Key",),
        any_method=True,
        refusals=(404,),
    ),
)
