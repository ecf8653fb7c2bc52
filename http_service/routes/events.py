"""The event service: sending, reading, refusals. Source: spec/event-service.md 4, 5."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from events import refusal_list, search, session_list
from events.times import format_time
from http_service import event_models as models
from http_service.auth import Access
from http_service.event_parameters import Parameters, read_parameters
from http_service.operations import Call, Operation, Reply, json_answer
from http_service.scoping import one_project
from ingest.json_events import Accepted, Intake, Outcome, Rejected, read_body
from playhead.errors import Conflict, NotFound, UnsupportedMedia, ValidationFailed
from projects import Project

#: an identifier that we made up is "pending" for so long, if its event is nowhere
PENDING_MS: Final = 3_600_000

_MESSAGES: Final = {
    "validation_failed": "The event breaks a rule.",
    "id_conflict": "This id was used with a different event.",
}


async def send(call: Call) -> Response:
    """Take one event or several; what is answered 202 is durable."""
    kind = call.header("content-type").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedMedia("Content-Type must be application/json")
    project = await one_project(call.services.projects, call.caller, call.request.query_params.get("project"))
    body = read_body(await call.body())
    services = call.services
    intake = Intake(events=services.events, journal=services.journal, db=services.db, clock=services.clock)
    outcomes = await intake.take(project, body, call.context.arrivals())
    return _several(outcomes) if body.several else _single(outcomes[0])


async def list_events(call: Call) -> Response:
    """Events that match, by time of occurrence."""
    return await _events(call, await read_parameters(call, models.EventsQuery))


async def query_events(call: Call) -> Response:
    """The same with the parameters in the body of a POST."""
    return await _events(call, await read_parameters(call, models.EventsQuery, body_needed=True))


async def get_event(call: Call) -> Response:
    """One event."""
    parameters = await read_parameters(call, models.ProjectQuery)
    project = await _project(call, parameters)
    wanted = call.path("id")
    found = await search.find(call.services.db, project.project_id, wanted)
    if found.event is not None:
        return json_answer(found.event.as_json(project.project_key))
    made_ms = call.services.events.made_ids.made_ms(project.project_id, wanted)
    if found.pending or (made_ms is not None and call.services.clock() - made_ms < PENDING_MS):
        return json_answer({"status": "pending", "id": wanted}, 202)
    raise NotFound("no event with this id")


async def list_sessions(call: Call) -> Response:
    """Sessions of which an event matches."""
    parameters = await read_parameters(call, models.SessionsQuery)
    project = await _project(call, parameters)
    rows, cursor = await session_list.sessions_page(
        call.services.db, project.project_id, parameters.filters()
    )
    sessions = [
        {
            "session_id": row.session_id,
            "event_count": row.event_count,
            "first_timestamp": format_time(row.first_us),
            "last_timestamp": format_time(row.last_us),
        }
        for row in rows
    ]
    return json_answer({"sessions": sessions, "next_cursor": cursor})


async def session_events(call: Call) -> Response:
    """One session's events."""
    parameters = await read_parameters(call, models.SessionEventsQuery)
    project = await _project(call, parameters)
    session_id = call.path("session_id")
    db = call.services.db
    filters = parameters.filters(session_id=session_id)
    rows, cursor = await search.events_page(db, project.project_id, filters)
    if not rows and not await session_list.has_session(db, project.project_id, session_id):
        raise NotFound("no event of this session")
    shown = [row.as_json(project.project_key) for row in rows]
    return json_answer(
        {"session_id": session_id, "events": shown, "count": len(shown), "next_cursor": cursor}
    )


async def list_errors(call: Call) -> Response:
    """Refused events, newest first."""
    parameters = await read_parameters(call, models.ErrorsQuery)
    project = await _project(call, parameters)
    names = ("code", "session_id", "category", "source", "user_id", "cursor")
    filters = refusal_list.RefusalFilters(
        **{name: parameters.texts.get(name) for name in names},
        data=parameters.data,
        start_us=parameters.start_us,
        end_us=parameters.end_us,
        limit=parameters.limit,
    )
    rows, cursor = await refusal_list.page(call.services.db, project.project_id, filters)
    return json_answer({"errors": [row.as_json() for row in rows], "next_cursor": cursor})


async def _project(call: Call, parameters: Parameters) -> Project:
    return await one_project(call.services.projects, call.caller, parameters.texts.get("project"))


async def _events(call: Call, parameters: Parameters) -> Response:
    project = await _project(call, parameters)
    rows, cursor = await search.events_page(call.services.db, project.project_id, parameters.filters())
    shown = [row.as_json(project.project_key) for row in rows]
    return json_answer({"events": shown, "count": len(shown), "next_cursor": cursor})


def _single(outcome: Outcome) -> Response:
    if isinstance(outcome, Accepted):
        return json_answer(_accepted(outcome), 202)
    message = _MESSAGES[outcome.code]
    if outcome.code == "id_conflict":
        raise Conflict(message, code=outcome.code)
    raise ValidationFailed(message, details=outcome.details)


def _several(outcomes: list[Outcome]) -> Response:
    results = [
        {"index": index, **(_accepted(each) if isinstance(each, Accepted) else _rejected(each))}
        for index, each in enumerate(outcomes)
    ]
    accepted = sum(isinstance(each, Accepted) for each in outcomes)
    rejected = len(outcomes) - accepted
    status = 202 if not rejected else 207 if accepted else 422
    return json_answer({"accepted": accepted, "rejected": rejected, "results": results}, status)


def _accepted(outcome: Accepted) -> dict[str, Any]:
    return {"status": "accepted", "id": outcome.event_id, "duplicate": outcome.duplicate}


def _rejected(outcome: Rejected) -> dict[str, Any]:
    details = [{"field": d.field, "code": d.code, "message": d.message} for d in outcome.details]
    error = {"code": outcome.code, "message": _MESSAGES[outcome.code], "details": details}
    return {"status": "rejected", "error": error}


_EVENT: Final = {
    "session_id": "e2085be5-9137-4e4e-80b5-f1ffddc25423",
    "category": "party",
    "name": "AppName",
    "data": {"host": "www.party.com", "path": "/"},
    "timestamp": "2021-09-26 09:15:27.243860",
}
_STORED: Final = {
    "id": "AZuc3m8A5vXk0yq3mGm2c4QmS9p1TzYQ",
    **_EVENT,
    "received_at": "2026-01-02 03:04:05.678901",
    "source": "json",
    "user_id": None,
    "project": "shop",
}
_RESULTS: Final = {
    "accepted": 1,
    "rejected": 1,
    "results": [
        {"index": 0, "status": "accepted", "id": "order-1", "duplicate": False},
        {
            "index": 1,
            "status": "rejected",
            "error": {
                "code": "validation_failed",
                "message": "The event breaks a rule.",
                "details": [
                    {"field": "timestamp", "code": "invalid_timestamp", "message": "no such time: …"}
                ],
            },
        },
    ],
}
_PAGE: Final = {"events": [_STORED], "count": 1, "next_cursor": None}
_SESSION: Final = {
    "session_id": _EVENT["session_id"],
    "event_count": 3,
    "first_timestamp": "2021-09-26 09:15:27.243860",
    "last_timestamp": "2021-09-26 09:20:00.000000",
}
_REFUSED: Final = {
    "received_at": "2026-01-02 03:04:05.678901",
    "code": "validation_failed",
    "details": [{"field": "session_id", "code": "missing_field", "message": "is needed"}],
    "event": {"category": "party"},
}
_LIST_REFUSALS: Final = (400, 404, 413, 422, 503)

OPERATIONS: Final = (
    Operation(
        "POST",
        "/api/v1/events",
        "Send one event or several",
        "events",
        Access.SEND,
        (
            Reply(
                202,
                "taken: it is durable",
                models.SentOrResults,
                example={"status": "accepted", "id": "order-1", "duplicate": False},
            ),
            Reply(207, "some of a list were taken", models.ResultsOut, example=_RESULTS),
            Reply(422, "none was taken; a single event's problems stand in `error`", models.Refused),
        ),
        handle=send,
        query=models.ProjectQuery,
        body=models.EventsIn,
        body_examples={
            "one": _EVENT,
            "several": [{**_EVENT, "id": "order-1"}, {**_EVENT, "id": "order-2"}],
            "several, under a name": {"events": [_EVENT]},
        },
        description='One event as an object, or up to 1000 as a list or as `{"events": [...]}`.',
        ingest=True,
        own_headers=("X-Project-Key",),
        limited=True,
        refusals=(400, 404, 409, 413, 415, 503),
    ),
    Operation(
        "GET",
        "/api/v1/events",
        "List events by time of occurrence",
        "events",
        Access.READ,
        (Reply(200, "one page", models.EventsOut, example=_PAGE),),
        handle=list_events,
        query=models.EventsQuery,
        prefixed=True,
        refusals=_LIST_REFUSALS,
    ),
    Operation(
        "POST",
        "/api/v1/events/query",
        "The same, with the parameters as a JSON object",
        "events",
        Access.READ,
        (Reply(200, "one page", models.EventsOut, example=_PAGE),),
        handle=query_events,
        body=models.EventsBody,
        body_example={"start": "2021-09-26 00:00:00", "end": "2021-09-27 00:00:00"},
        prefixed=True,
        refusals=(*_LIST_REFUSALS, 415),
    ),
    Operation(
        "GET",
        "/api/v1/events/{id}",
        "Read an event",
        "events",
        Access.READ,
        (
            Reply(200, "the event", models.EventOut, example=_STORED),
            Reply(
                202,
                "taken, not stored yet",
                models.PendingOut,
                example={"status": "pending", "id": "order-1"},
            ),
        ),
        handle=get_event,
        query=models.ProjectQuery,
        prefixed=True,
        refusals=_LIST_REFUSALS,
        parameters={"id": "the event's id, percent-encoded"},
    ),
    Operation(
        "GET",
        "/api/v1/sessions",
        "List sessions by their first event",
        "events",
        Access.READ,
        (
            Reply(
                200,
                "one page",
                models.EventSessionsOut,
                example={"sessions": [_SESSION], "next_cursor": None},
            ),
        ),
        handle=list_sessions,
        query=models.SessionsQuery,
        prefixed=True,
        refusals=_LIST_REFUSALS,
    ),
    Operation(
        "GET",
        "/api/v1/sessions/{session_id}/events",
        "List a session's events",
        "events",
        Access.READ,
        (
            Reply(
                200,
                "one page",
                models.SessionEventsOut,
                example={"session_id": _EVENT["session_id"], **_PAGE},
            ),
        ),
        handle=session_events,
        query=models.SessionEventsQuery,
        prefixed=True,
        refusals=_LIST_REFUSALS,
        parameters={"session_id": "the session's id as sent, percent-encoded"},
    ),
    Operation(
        "GET",
        "/api/v1/errors",
        "List refused events, newest first",
        "events",
        Access.READ,
        (Reply(200, "one page", models.RefusalsOut, example={"errors": [_REFUSED], "next_cursor": None}),),
        handle=list_errors,
        query=models.ErrorsQuery,
        prefixed=True,
        refusals=_LIST_REFUSALS,
    ),
)
