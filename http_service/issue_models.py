"""Parameters and answers of the list of issues."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from http_service.models import Cursor, Limit, Shape, Text


class IssueQuery(Shape):
    """Which groups of issues."""

    project: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="project key; with an API key it may be left out"
    )
    type: Text | None = Field(None, description="`crash`, `tap_rage` …")
    sort: Literal["newest", "most_sessions"] = "newest"
    limit: Limit = 50
    cursor: Cursor | None = None


class SampleOut(Shape):
    """A replay in which it happened: when that began, and when it happened."""

    session_id: str
    started_ms: int
    at_ms: int


class IssueGroupOut(Shape):
    """Issues of one fingerprint; `title` is that of the newest, `replays` some of the newest."""

    fingerprint: str
    project: str
    type: str
    title: str
    count: int
    sessions: int
    users: int
    first_seen_ms: int
    last_seen_ms: int
    replays: list[SampleOut]


class IssueGroupsOut(Shape):
    issues: list[IssueGroupOut]
    next_cursor: str | None
