"""Parameters and answers of the event service, as the OpenAPI document shows them. Source: spec/event-service.md."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from events.judging import MAX_CHARS
from http_service.models import Error, ErrorBody, Limit, Shape
from ingest.json_events import MAX_EVENTS

Short = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Time = Annotated[str, Field(examples=["2021-09-26 09:15:27.243860"])]


# -- requests


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class EventIn(Shape):
    """An event; times are UTC unless they say otherwise."""

    session_id: Short
    category: Short
    name: Short
    data: dict[str, Any]
    timestamp: Time
    id: Short | SkipJsonSchema[None] = Field(
        None,
        description="the sender's identifier, for safe resending",
        json_schema_extra=_without_default,  # it may be left out, but not be null
    )


Events = Annotated[list[EventIn], Field(min_length=1, max_length=MAX_EVENTS)]


class EventList(Shape):
    """Several events."""

    events: Events


def _exclusive(schema: dict[str, Any]) -> None:
    schema["oneOf"] = schema.pop("anyOf")


class EventsIn(RootModel[EventIn | Events | EventList]):
    """One event, or several as a list or under `events`."""

    model_config = ConfigDict(json_schema_extra=_exclusive)


class ProjectQuery(Shape):
    project: Text | None = Field(None, description="project key; needed with the admin key")


class _Filters(Shape):
    project: Text | None = Field(None, description="project key; needed with the admin key")
    category: Text | None = None
    source: Text | None = Field(None, description="protocol: `json`, `mobile`, `segment` …")
    user_id: Text | None = None
    data: dict[str, Text] = Field(
        default_factory=dict, description="`data.PATH=VALUE`: a member of data, exactly"
    )
    start: Time | None = Field(None, description="at or after")
    end: Time | None = Field(None, description="at or before")
    limit: Limit = 100
    cursor: Text | None = Field(
        None,
        description="`next_cursor` of the page before. While there is one, the list goes on, even after a page that is "
        "not full: where no index leads to all that is asked for, a page ends after so much has been looked at",
    )


class SessionsQuery(_Filters):
    """A session matches if one of its events matches all. The parameters may also stand in a JSON body."""


class SessionEventsQuery(_Filters):
    """Which events of the session. The parameters may also stand in a JSON body."""

    order: Literal["asc", "desc"] = "asc"


class EventsQuery(SessionEventsQuery):
    """All must match. The parameters may also stand in a JSON body, which wins."""

    session_id: Text | None = None
    name: Text | None = None


class EventsBody(Shape):
    """The parameters of GET /api/v1/events as a JSON object."""

    model_config = ConfigDict(extra="allow")

    project: str | None = None
    session_id: str | None = None
    category: str | None = None
    name: str | None = None
    source: str | None = None
    user_id: str | None = None
    start: Time | None = None
    end: Time | None = None
    order: Literal["asc", "desc"] | None = None
    limit: int | None = None
    cursor: str | None = None


class ErrorsQuery(_Filters):
    """Refused events as they were sent, all of `source` `json`; `start` and `end` by `received_at`."""

    code: Text | None = Field(None, description="an error's code, or a detail's")
    session_id: Text | None = None


# -- answers


class SentOut(Shape):
    """One event was taken; `duplicate`: it had been before, under the same identifier."""

    status: Literal["accepted"]
    id: str
    duplicate: bool


class ResultOut(Shape):
    """What became of one event of a list."""

    index: int
    status: Literal["accepted", "rejected"]
    id: str = ""
    duplicate: bool = False
    error: ErrorBody | None = None


class ResultsOut(Shape):
    accepted: int
    rejected: int
    results: list[ResultOut]


class SentOrResults(RootModel[SentOut | ResultsOut]):
    """As the body was: one event, or several."""

    model_config = ConfigDict(json_schema_extra=_exclusive)


class Refused(RootModel[Error | ResultsOut]):
    """As the body was: one event, or several of which none was taken."""

    model_config = ConfigDict(json_schema_extra=_exclusive)


class EventOut(Shape):
    id: str
    session_id: str | None
    category: str
    name: str
    data: dict[str, Any]
    timestamp: str
    received_at: str
    source: str
    user_id: str | None = Field(
        description="of more than 200 characters: its beginning and its hash (`data` has what was sent)"
    )
    project: str
    client_timestamp: str | None = Field(
        None, description="the device's time, where the corrected one differs"
    )


class EventsOut(Shape):
    events: list[EventOut]
    count: int
    next_cursor: str | None


class SessionEventsOut(EventsOut):
    session_id: str


class PendingOut(Shape):
    """Accepted, and not stored yet."""

    status: Literal["pending"]
    id: str


class EventSessionOut(Shape):
    """A session by its events, whatever the filters."""

    session_id: str
    event_count: int
    first_timestamp: str
    last_timestamp: str


class EventSessionsOut(Shape):
    sessions: list[EventSessionOut]
    next_cursor: str | None


class RefusalOut(Shape):
    """A refused event, as it was sent."""

    received_at: str
    code: str
    details: list[dict[str, str]]
    event: Any


class RefusalsOut(Shape):
    errors: list[RefusalOut]
    next_cursor: str | None


class SchemaOut(Shape):
    category: str
    version: int
    schema_: dict[str, Any] | bool = Field(alias="schema")


class SchemasOut(Shape):
    schemas: list[SchemaOut]


class SchemaIn(Shape):
    """JSON Schema 2020-12 of an event's `data`; also `true` and `false`."""

    model_config = ConfigDict(extra="allow")
