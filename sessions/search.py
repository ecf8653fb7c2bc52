"""The session list: filters, orders and pages, at a cost that follows the page and not the number of sessions.

Exact filters are look-ups in `facets` (an inverted index, newest first within each value), parts of texts go by way of
the values that contain them (`facet_values`). One filter is read in its own order. Of several, the rarest is read as a
whole if it is rare enough, and its sessions are asked for the others; if all are common, sessions are walked through
in the order of the list until the page is full. That is bounded, too: a page may end early and is then continued by
its cursor. See docs/decisions/0012-bounded-search.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sessions import ways
from sessions.conditions import Condition, Duration, Part, Term, Wanted, Window, like
from sessions.cursors import SORTS, decode_cursor, encode_cursor, order_of
from sessions.facts import TERM_CHARS, term_of
from sessions.model import Session
from sessions.ways import Found

__all__ = ["FACETS", "SORTS", "Page", "ReplayFilters", "search"]

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
#: terms that contain a text are looked up one by one up to here; a text that more contain is a common one
MAX_TERMS: Final = 1_000
#: where so many are expected, none is looked up to find that they are too many: it might take long to find the first
SURELY_MANY: Final = 20 * MAX_TERMS
#: what an index of trigrams can look for; anything else is looked for in the sessions themselves
_WORD: Final = re.compile(r"[^\W_]{3}")

PROJECTS: Final = "SELECT project_id FROM projects ORDER BY project_id"
_CONTAINING: Final = """
SELECT facet, value FROM facet_values
WHERE project_id = ANY($1::int[]) AND ($2::text IS NULL OR facet = $2) AND value ILIKE $3
"""
CONTAINING: Final = f"{_CONTAINING} LIMIT $4"
#: how many there are to the server's knowledge
EXPECTED: Final = f"EXPLAIN (FORMAT JSON) {_CONTAINING}"
#: how common the text is decides how to look for it, so the plan has to be made for this very text
PLANNED: Final = "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"


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
    """One page of sessions; `next_cursor` is none at the end. One that has it may hold fewer than the limit."""

    sessions: list[Session]
    next_cursor: str | None


async def search(db: Any, filters: ReplayFilters, project_ids: Sequence[int] | None) -> Page:
    """One page of sessions; `project_ids` none means every project (admin). Raises ValidationFailed (cursor, sort)."""
    wanted = wanted_of(filters)
    if project_ids is None:
        project_ids = [row[0] for row in await db.fetch(PROJECTS)]
    if not project_ids:
        return Page([], None)
    for part in (Part(filters.url or "", "url"), Part(filters.text or "")):
        if part.text:
            wanted.conditions.append(await _looked_up(db, part, project_ids))
    found = await ways.find(db, wanted, project_ids, filters.limit)
    return _page(found, filters)


def wanted_of(filters: ReplayFilters) -> Wanted:
    """Everything but the parts of texts, which have to be looked up. Raises ValidationFailed (cursor, sort)."""
    column, descending = order_of(filters.sort)
    after = None if filters.cursor is None else decode_cursor(filters.cursor, filters.sort)
    by_start = column == "started_ms"
    conditions: list[Condition] = [Term(*term_of(FACETS[n], v)) for n, v in filters.facets.items()]
    conditions += [
        Term(f"metadata.{key[:TERM_CHARS]}", value[:TERM_CHARS]) for key, value in filters.metadata.items()
    ]
    if filters.min_duration_ms is not None or filters.max_duration_ms is not None:
        conditions.append(Duration(filters.min_duration_ms, filters.max_duration_ms))
    return Wanted(
        window=Window(
            filters.from_ms, filters.to_ms, descending or not by_start, after if by_start else None
        ),
        column=column,
        descending=descending,
        after=None if by_start else after,
        conditions=conditions,
    )


async def _looked_up(db: Any, part: Part, project_ids: Sequence[int]) -> Part:
    """With the terms that contain it, unless they are too many."""
    if not _WORD.search(part.text):
        return part
    async with db.transaction(readonly=True) as conn:
        await conn.execute(PLANNED)
        plan = await conn.fetchval(EXPECTED, list(project_ids), part.facet, like(part.text))
        if plan[0]["Plan"]["Plan Rows"] > SURELY_MANY:
            return part
        rows = await conn.fetch(CONTAINING, list(project_ids), part.facet, like(part.text), MAX_TERMS + 1)
    terms = {(row[0], row[1]) for row in rows}
    return part if len(rows) > MAX_TERMS else Part(part.text, part.facet, tuple(sorted(terms)))


def _page(found: Found, filters: ReplayFilters) -> Page:
    rows, end = found.rows, found.end
    if len(rows) > filters.limit:
        rows = rows[: filters.limit]
        end = rows[-1].place
    sessions = [row.session for row in rows if row.session is not None]
    return Page(sessions, None if end is None else encode_cursor(filters.sort, *end))
