"""Filters of the session list to SQL: allowed columns and facets from tables, values always bound, keyset pages.

Exact filters are lookups in `facets` (an inverted index, newest first within each value), so their cost follows
the page, not the number of sessions.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from playhead.errors import Detail, ValidationFailed
from sessions.facts import TERM_CHARS
from sessions.model import COLUMNS, Session
from sessions.store import session_from_row

#: query parameter -> facet
FACETS = {
    "platform": "platform",
    "user_id": "user_id",
    "user_uuid": "user_uuid",
    "anonymous_id": "anonymous_id",
    "device": "device",
    "os": "os",
    "country": "country",
    "tracker_version": "tracker_version",
    "app_version": "app_version",
    "issue": "issue",
    "event": "event",
    "view": "view",
}
#: sort name -> (column, descending)
SORTS = {
    "newest": ("started_ms", True),
    "oldest": ("started_ms", False),
    "longest": ("duration_ms", True),
    "shortest": ("duration_ms", False),
    "most_events": ("events", True),
    "fewest_events": ("events", False),
}


@dataclass(frozen=True, slots=True)
class ReplayFilters:
    """What the list is asked for; times in ms, `facets` by parameter name (see FACETS), all must match."""

    from_ms: int | None = None
    to_ms: int | None = None
    min_duration_ms: int | None = None
    max_duration_ms: int | None = None
    facets: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    url: str | None = None
    text: str | None = None
    sort: str = "newest"
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of sessions; `next_cursor` is none at the end."""

    sessions: list[Session]
    next_cursor: str | None


class _Query:
    """Collects conditions and their bound values."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.conditions: list[str] = []

    def bind(self, value: Any) -> str:
        self.values.append(value)
        return f"${len(self.values)}"

    def where(self, template: str, value: Any) -> None:
        """Add a condition; `{}` is the bound value."""
        self.conditions.append(template.format(self.bind(value)))

    def facet(self, name: str, value: str, operator: str = "=") -> None:
        """The session has a term of this facet; `name` empty means any facet."""
        which = f"f.facet = {self.bind(name)} AND " if name else ""
        self.conditions.append(
            "EXISTS (SELECT 1 FROM facets f WHERE f.project_id = s.project_id AND f.session_id = s.session_id"
            f" AND f.started_ms = s.started_ms AND {which}f.value {operator} {self.bind(value)})"
        )

    def contains(self, names: Sequence[str], value: str) -> None:
        """The session has a term that contains the text, whatever case; `names` empty means any facet."""
        which = f"f.facet = ANY({self.bind(list(names))}) AND " if names else ""
        self.conditions.append(
            "(s.project_id, s.session_id) IN (SELECT f.project_id, f.session_id FROM facets f"
            f" WHERE {which}f.value ILIKE {self.bind(like(value))})"
        )


def like(text: str) -> str:
    """A LIKE pattern that matches texts containing `text` literally."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def build_query(filters: ReplayFilters, project_ids: Sequence[int] | None) -> tuple[str, list[Any]]:
    """SQL and its values for one page (one row more than the limit). Raises ValidationFailed (cursor, sort)."""
    if filters.sort not in SORTS:
        raise ValidationFailed(details=[Detail("sort", "invalid_value", f"one of {', '.join(SORTS)}")])
    column, descending = SORTS[filters.sort]
    query = _Query()
    if project_ids is not None:
        single = len(project_ids) == 1
        query.where(
            "s.project_id = {}" if single else "s.project_id = ANY({})",
            project_ids[0] if single else list(project_ids),
        )
    for template, value in (
        ("s.started_ms >= {}", filters.from_ms),
        ("s.started_ms <= {}", filters.to_ms),
        ("s.duration_ms >= {}", filters.min_duration_ms),
        ("s.duration_ms <= {}", filters.max_duration_ms),
    ):
        if value is not None:
            query.where(template, value)
    for name, text in filters.facets.items():
        query.facet(FACETS[name], text[:TERM_CHARS])
    for key, text in filters.metadata.items():
        query.facet(f"metadata.{key[:TERM_CHARS]}", text[:TERM_CHARS])
    if filters.url:
        query.contains(["url"], filters.url)
    if filters.text:
        query.contains([], filters.text)
    if filters.cursor is not None:
        value, session_id = decode_cursor(filters.cursor, filters.sort)
        compare = "<" if descending else ">"
        query.conditions.append(
            f"(s.{column}, s.session_id) {compare} ({query.bind(value)}, {query.bind(session_id)})"
        )
    direction = "DESC" if descending else "ASC"
    where = " AND ".join(query.conditions) or "true"
    sql = (
        f"SELECT {', '.join('s.' + name for name in COLUMNS)} FROM sessions s WHERE {where} "
        f"ORDER BY s.{column} {direction}, s.session_id {direction} LIMIT {query.bind(filters.limit + 1)}"
    )
    return sql, query.values


async def search(db: Any, filters: ReplayFilters, project_ids: Sequence[int] | None) -> Page:
    """One page of sessions; `project_ids` none means every project (admin)."""
    if project_ids is not None and not project_ids:
        return Page([], None)
    sql, values = build_query(filters, project_ids)
    sessions = [session_from_row(row) for row in await db.fetch(sql, *values)]
    if len(sessions) <= filters.limit:
        return Page(sessions, None)
    sessions = sessions[: filters.limit]
    last = sessions[-1]
    column, _ = SORTS[filters.sort]
    return Page(sessions, encode_cursor(filters.sort, getattr(last, column), last.session_id))


def encode_cursor(sort: str, value: int, session_id: int) -> str:
    """The place behind one row of a sorted list, opaque."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, value, session_id])).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str) -> tuple[int, int]:
    """The inverse; raises ValidationFailed for anything else."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        made_for, value, session_id = found
        limits = (-(2**63), 2**63)
        if made_for != sort or not all(
            type(v) is int and limits[0] <= v < limits[1] for v in (value, session_id)
        ):
            raise ValueError
    except (ValueError, TypeError, binascii.Error):
        raise ValidationFailed(
            details=[Detail("cursor", "invalid_value", "not a cursor of this list")]
        ) from None
    return value, session_id
