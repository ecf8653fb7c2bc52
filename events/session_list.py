"""Sessions of all protocols by their first event, from their summaries. Source: spec/event-service.md 5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from events.model import MAX_US
from events.search import EventFilters, Query, session_cursor, session_place
from events.summaries import LONG_US
from storage.postgres import Database

HAS_SESSION = "SELECT EXISTS (SELECT FROM event_sessions WHERE project_id = $1 AND session_id = $2)"
_OF_CATEGORY: Final = """EXISTS (
    SELECT FROM event_session_categories c
    WHERE c.project_id = s.project_id AND c.category = {} AND c.session_id = s.session_id
)"""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session by its events; times in µs."""

    session_id: str
    event_count: int
    first_us: int
    last_us: int


async def sessions_page(
    db: Database, project_id: int, filters: EventFilters
) -> tuple[list[SessionRow], str | None]:
    """Sessions of which an event matches, by their first event. Raises ValidationFailed (cursor).

    Any page costs about the same: rows are read in the order of an index, from the cursor on. A session that lasts
    for more than a day can lie around any time, so those have an index of their own; all others began at most a day
    before the time asked for.
    """
    query = Query(project_id, EventFilters())
    conditions = ["s.project_id = $1"]
    if filters.cursor is not None:
        first_us, session_id = session_place(filters.cursor)
        conditions.append(f"(s.first_us, s.session_id) > ({query.bind(first_us)}, {query.bind(session_id)})")
    category = query.bind(filters.exact["category"]) if "category" in filters.exact else None
    if category is not None:
        conditions.append(_OF_CATEGORY.format(category))
    limit = query.bind(filters.limit + 1)
    conditions += _in_time(query, filters, category)
    if filters.start_us is None:
        sql = _select(conditions, limit)
    else:
        near = f"s.first_us >= {query.bind(filters.start_us - LONG_US)}"
        short, long = (
            _select([*conditions, "NOT s.long", near], limit),
            _select([*conditions, "s.long"], limit),
        )
        sql = (
            f"SELECT * FROM (({short}) UNION ALL ({long})) found ORDER BY first_us, session_id LIMIT {limit}"
        )
    found = [SessionRow(*row) for row in await db.fetch(sql, *query.values)]
    if len(found) <= filters.limit:
        return found, None
    found = found[: filters.limit]
    return found, session_cursor(found[-1].first_us, found[-1].session_id)


async def has_session(db: Database, project_id: int, session_id: str) -> bool:
    """Whether any event names the session."""
    return bool(await db.fetchval(HAS_SESSION, project_id, session_id))


def _select(conditions: list[str], limit: str) -> str:
    return (
        "SELECT s.session_id, s.event_count, s.first_us, s.last_us FROM event_sessions s"
        f" WHERE {' AND '.join(conditions)} ORDER BY s.first_us, s.session_id LIMIT {limit}"
    )


def _in_time(query: Query, filters: EventFilters, category: str | None) -> list[str]:
    """An event (of the category) lies in the time asked for; where the summary does not tell, events are looked at."""
    if filters.start_us is None and filters.end_us is None:
        return []
    start = query.bind(filters.start_us if filters.start_us is not None else -MAX_US)
    end = query.bind(filters.end_us if filters.end_us is not None else MAX_US)
    of_category = "" if category is None else f" AND e.category = {category}"
    # LIMIT keeps the planner from reading all events of the time instead of looking into each session
    seen = f"""(
        SELECT true FROM events e WHERE e.project_id = s.project_id AND e.session_id = s.session_id
        AND e.day BETWEEN s.first_day AND s.last_day AND e.at_us BETWEEN {start} AND {end}{of_category} LIMIT 1
    ) IS TRUE"""
    if category is None:
        seen = f"(s.first_us BETWEEN {start} AND {end} OR s.last_us BETWEEN {start} AND {end} OR {seen})"
    return [f"s.first_us <= {end}", f"s.last_us >= {start}", seen]
