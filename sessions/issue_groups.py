"""The list of issues: what many sessions have in common, page by page, with some replays of each."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from playhead.errors import Detail, ValidationFailed
from storage.postgres import Database

Sort = Literal["newest", "most_sessions"]
#: sort name -> column, descending
SORTS: Final[dict[str, str]] = {"newest": "last_ms", "most_sessions": "sessions"}
#: newest issues of a group that are looked through for its sample replays
_LOOKED_AT: Final = 20
SAMPLES: Final = 3

_PAGE: Final = """
SELECT fingerprint, type, title, count, sessions, users, first_ms, last_ms FROM issue_groups
WHERE project_id = $1 AND ($2::text IS NULL OR type = $2) AND ($3::bigint IS NULL OR ({column}, fingerprint) < ($3, $4))
ORDER BY {column} DESC, fingerprint DESC LIMIT $5
"""
PAGES: Final = {sort: _PAGE.format(column=column) for sort, column in SORTS.items()}
REPLAYS: Final = """
SELECT f.fingerprint, i.session_id, i.started_ms, i.seen_ms
FROM unnest($2::bytea[]) AS f(fingerprint) CROSS JOIN LATERAL (
    SELECT session_id, started_ms, seen_ms FROM issues WHERE project_id = $1 AND fingerprint = f.fingerprint
    ORDER BY seen_ms DESC LIMIT $3
) i
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A replay in which it happened: when that began, and when it happened (corrected ms)."""

    session_id: int
    started_ms: int
    seen_ms: int


@dataclass(frozen=True, slots=True)
class IssueGroup:
    """Issues of one fingerprint: how many, in how many sessions, of how many users; times corrected, ms."""

    fingerprint: bytes
    type: str
    title: str
    count: int
    sessions: int
    users: int
    first_ms: int
    last_ms: int
    replays: list[Sample]


@dataclass(frozen=True, slots=True)
class IssuePage:
    """One page; `next_cursor` is none at the end."""

    issues: list[IssueGroup]
    next_cursor: str | None


async def page(
    db: Database, project_id: int, *, type: str | None, sort: Sort, limit: int, cursor: str | None
) -> IssuePage:
    """Groups of a project's recorded sessions, all or those of one type. Raises ValidationFailed (cursor)."""
    value, fingerprint = (None, b"") if cursor is None else _read(cursor, sort)
    rows = await db.fetch(PAGES[sort], project_id, type, value, fingerprint, limit + 1)
    more, rows = len(rows) > limit, rows[:limit]
    samples: dict[bytes, dict[int, Sample]] = {row["fingerprint"]: {} for row in rows}
    for found, session_id, started_ms, seen_ms in await db.fetch(
        REPLAYS, project_id, list(samples), _LOOKED_AT
    ):
        if len(samples[found]) < SAMPLES:
            samples[found].setdefault(session_id, Sample(session_id, started_ms, seen_ms))
    groups = [IssueGroup(**dict(row), replays=list(samples[row["fingerprint"]].values())) for row in rows]
    return IssuePage(groups, _cursor(sort, rows[-1]) if more else None)


def _cursor(sort: Sort, last: Any) -> str:
    """The place behind a row, opaque."""
    place = orjson.dumps([sort, last[SORTS[sort]], last["fingerprint"].hex()])
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def _read(cursor: str, sort: Sort) -> tuple[int, bytes]:
    """The inverse; raises ValidationFailed for anything else."""
    try:
        made_for, value, fingerprint = orjson.loads(
            base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        )
        if made_for != sort or type(value) is not int or not -(2**63) <= value < 2**63:
            raise ValueError
        return value, bytes.fromhex(fingerprint)
    except (ValueError, TypeError, binascii.Error):
        detail = Detail("cursor", "invalid_value", "not a cursor of this list")
        raise ValidationFailed(details=[detail]) from None
