"""What was erased, and whether anything of it is left."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from http_service import models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import scope_of
from sessions import erasure
from sessions.erasure import Erasure
from sessions.ids import MAX_ID


async def list_all(call: Call) -> Response:
    """Erased sessions, newest first."""
    query = call.query(models.ErasureQuery)
    scope = await scope_of(call.services.projects, call.caller, query.project)
    before = min(int(query.cursor), MAX_ID) if query.cursor else None
    found = await erasure.page(call.services.db, project_ids=scope, before=before, limit=query.limit + 1)
    more, found = len(found) > query.limit, found[: query.limit]
    return json_answer(
        {
            "erasures": [_shown(each) for each in found],
            "next_cursor": str(found[-1].session_id) if more else None,
        }
    )


def _shown(each: Erasure) -> dict[str, Any]:
    return {
        "session_id": str(each.session_id),
        "erased_ms": each.erased_ms,
        "removed": each.removed,
        "late_records": each.late_records,
        "journal_records": each.blanked,
        "cleared_ms": each.cleared_ms,
    }


_EXAMPLE: Final = {
    "session_id": "3645366763814944769",
    "erased_ms": 1_767_225_700_000,
    "removed": {"sessions": 1, "events": 31, "objects": 6},
    "late_records": 0,
    "journal_records": 2,
    "cleared_ms": 1_767_225_715_000,
}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/erasures",
        "List erased sessions with what was removed of them",
        "replays",
        Access.READ,
        (Reply(200, "one page", models.ErasuresOut, example={"erasures": [_EXAMPLE], "next_cursor": None}),),
        handle=list_all,
        query=models.ErasureQuery,
        refusals=(404, 422, 503),
    ),
)
