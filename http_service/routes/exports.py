"""A replay as one file to attach to a ticket. Source: interface section 5."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response, StreamingResponse

from http_service import models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply
from http_service.scoping import seen_session
from sessions.export import FORMATS, filename_of


async def export(call: Call) -> Response:
    """One file, made while it is sent."""
    session = await seen_session(call.services.replays, call.caller, call.path("session_id"))
    query = call.query(models.ExportQuery)
    headers = {
        "content-type": FORMATS[query.format],
        "content-disposition": f'attachment; filename="{filename_of(session, query.format)}"',
    }
    if call.request.method == "HEAD":
        return StreamingResponse((), headers=headers)  # how long it is shows when it has been made
    project = await call.services.projects.find_by_id(session.project_id)
    key = project.project_key if project is not None else None
    found = await call.services.exporter.open(session, query.format, key)
    return StreamingResponse(found.chunks, headers=headers)


OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/replays/{session_id}/export",
        "Export a session as one file",
        "replays",
        Access.READ,
        (Reply(200, "the file, to be saved", content_type="*/*"),),
        handle=export,
        query=models.ExportQuery,
        description="A page holds its pictures; where they are too many it takes every second, third … and says so. "
        "One video is made at a time.",
        refusals=(404, 422, 503),
        shared=True,
        parameters={"session_id": "the session's id, decimal"},
    ),
)
