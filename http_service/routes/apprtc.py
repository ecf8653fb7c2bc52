"""The analytics page of AppRTC. Source: spec/apprtc-analytics.md."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.protocol_models import ApprtcOut
from ingest.apprtc import RECORDED, REFUSED, read_event
from ingest.event_records import record_of
from ingest.funnel import accept


async def report(call: Call) -> Response:
    """Keep one event; every POST is answered 200."""
    project = await call.sender_project()
    event = read_event(await call.body(), host=call.header("host"), now_ms=call.services.clock())
    if event is None:
        return json_answer(REFUSED)
    record = record_of(project.project_id, [event], received_us=call.context.arrivals())
    await accept(record, journal=call.services.journal)
    return json_answer(RECORDED)


OPERATIONS: Final = (
    Operation(
        "POST",
        "/a/",
        "Report an event of a call",
        "AppRTC",
        Access.PUBLIC,
        (Reply(200, "recorded, or refused", ApprtcOut, example=RECORDED),),
        handle=report,
        body_type="text/plain",
        body_example='{"type": "event", "request_time_ms": 1767225600500, "event": {"event_type": 3, '
        '"event_time_ms": 1767225600000, "room_id": "standup"}}',
        description="The project is that of `/p/{project_key}` before the path, else the default one.",
        ingest=True,
        limited=True,
        no_project=True,
        refusals=(404, 413, 503),
    ),
)
