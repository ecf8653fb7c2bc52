"""Answers of the protocols that others defined, as the OpenAPI document shows them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from http_service.models import Shape

MAX_USERS = 10_000


class ApprtcOut(Shape):
    result: Literal["SUCCESS", "INVALID_REQUEST"]


class HookOut(Shape):
    """The first webhook's answer; `message` only when nothing was recorded."""

    committed: bool
    message: str | None = None


class HookFault(Shape):
    """What both webhooks say to a body that is not JSON, the first one to all else that it refuses."""

    error: str | None = None
    committed: bool | None = None
    message: str | None = None


class SegmentRejected(Shape):
    """A message of a batch that was left out."""

    index: int
    code: str


class SegmentOut(Shape):
    success: Literal[True]
    rejected: list[SegmentRejected] = Field(default_factory=list)


class SegmentFault(Shape):
    """Why a call of Segment's API was refused."""

    code: str
    message: str


class KnownUser(Shape):
    """A user of the team's own numbering."""

    id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    username: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class KnownUsers(Shape):
    """Users to add or rename."""

    users: Annotated[list[KnownUser], Field(max_length=MAX_USERS)]


class KnownUsersQuery(Shape):
    """A page of users."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 1000
    cursor: Annotated[str, StringConstraints(pattern=r"^\d{1,19}$")] | None = Field(
        None, description="`next_cursor` of the page before"
    )


class KnownUsersOut(Shape):
    """Users by number."""

    users: list[KnownUser]
    next_cursor: str | None = None
