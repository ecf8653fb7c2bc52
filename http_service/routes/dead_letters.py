"""Records that could not be processed: the list, and another try. Source: interface section 5."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from http_service import models
from http_service.auth import Access
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import scope_of
from playhead.errors import NotFound
from storage import dead_letters
from storage.dead_letters import DeadLetter


async def list_all(call: Call) -> Response:
    """Newest first."""
    query = call.query(models.PageQuery)
    scope = await scope_of(call.services.projects, call.caller, query.project)
    before = int(query.cursor) if query.cursor else None
    letters = await dead_letters.page(
        call.services.db, project_ids=scope, before=before, limit=query.limit + 1
    )
    more, letters = len(letters) > query.limit, letters[: query.limit]
    cursor = str(letters[-1].dead_letter_id) if more else None
    return json_answer(
        models.DeadLettersOut(dead_letters=[_shown(each) for each in letters], next_cursor=cursor)
    )


async def retry(call: Call) -> Response:
    """Put the record into the journal again; durable when answered."""
    text = call.path("id")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound("no such dead letter")
    services = call.services
    letter = await dead_letters.retry(
        services.db, services.objects, services.journal, int(text), now_ms=services.clock()
    )
    return json_answer(_shown(await dead_letters.get(services.db, letter.dead_letter_id)), 202)


def _shown(letter: DeadLetter) -> models.DeadLetterOut:
    return models.DeadLetterOut(
        id=str(letter.dead_letter_id),
        project_id=str(letter.project_id),
        session_id=str(letter.session_id) if letter.session_id is not None else None,
        kind=letter.kind,
        reason=letter.reason,
        detail=letter.detail,
        segment=letter.segment_key,
        record=letter.record,
        bytes=letter.bytes,
        received_ms=letter.received_ms,
        created_ms=letter.created_ms,
        retried_ms=letter.retried_ms,
    )


_LETTER: Final = {
    "id": "7",
    "project_id": "1",
    "session_id": "3645366763814944769",
    "kind": "batch",
    "reason": "malformed",
    "detail": {"bytes": 310},
    "segment": "journal/2026/01/01/00/1767225600000-7f3a-000001.seg",
    "record": 3,
    "bytes": 310,
    "received_ms": 1_767_225_600_000,
    "created_ms": 1_767_225_601_000,
    "retried_ms": None,
}

OPERATIONS: Final = (
    Operation(
        "GET",
        "/api/v1/dead-letters",
        "List what could not be processed",
        "operation",
        Access.ADMIN,
        (
            Reply(
                200,
                "one page, newest first",
                models.DeadLettersOut,
                example={"dead_letters": [_LETTER], "next_cursor": None},
            ),
        ),
        handle=list_all,
        query=models.PageQuery,
        refusals=(404, 422, 503),
    ),
    Operation(
        "POST",
        "/api/v1/dead-letters/{id}/retry",
        "Process a dead letter again",
        "operation",
        Access.ADMIN,
        (
            Reply(
                202,
                "it is in the journal again",
                models.DeadLetterOut,
                example={**_LETTER, "retried_ms": 1_767_225_700_000},
            ),
        ),
        handle=retry,
        refusals=(404, 503),
        parameters={"id": "the dead letter's id"},
    ),
)
