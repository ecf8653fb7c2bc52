"""Sessions of all protocols by their first event, from their summaries. Source: spec/event-service.md 5.

What summaries do not tell is asked of the events. Those of a user are read whole if they are few. Otherwise sessions
are walked through in the order of the list and looked into, so many for each page. One of very many events has pages
of its own: so many events of it, in the order of their keys. All pages together look at each event about once.
Further filters: interface section 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from events.model import MAX_US
from events.search import WALKED, EventFilters, Query, SessionPlace, session_cursor, session_place
from events.summaries import LONG_US, MEDIUM_US
from storage.postgres import Database

#: looking into a session costs as much as looking at so many events
SESSION_COST: Final = 10
#: of one session of very many; in the order of their keys events lie far from each other
FAR: Final = 5_000

HAS_SESSION = "SELECT EXISTS (SELECT FROM event_sessions WHERE project_id = $1 AND session_id = $2)"
_COLUMNS: Final = "s.session_id, s.event_count, s.first_us, s.last_us"
ONE = f"SELECT {_COLUMNS} FROM event_sessions s WHERE s.project_id = $1 AND s.session_id = $2"
_OF_CATEGORY: Final = """EXISTS (
    SELECT FROM event_session_categories c
    WHERE c.project_id = s.project_id AND c.category = {} AND c.session_id = s.session_id
)"""
# OFFSET 0: the primary key is the way to them.
_FEW: Final = "(SELECT * FROM event_sessions WHERE project_id = $1 AND session_id = ANY({}) OFFSET 0)"
# LIMIT and OFFSET keep the planner from reading anything but the events of each session.
_SEEN: Final = """(
    SELECT true FROM (
        SELECT * FROM events i WHERE i.project_id = s.project_id AND i.session_id = s.session_id
        AND i.day BETWEEN s.first_day AND s.last_day OFFSET 0
    ) e WHERE {} LIMIT 1
) IS TRUE"""
_WITHIN: Final = """
SELECT EXISTS (SELECT FROM (
    SELECT * FROM events i WHERE i.project_id = $1 AND i.session_id = {} AND i.event_key > {}
    ORDER BY i.event_key LIMIT {}
) e WHERE {})
"""
# Sorting reads all of them first; statistics may not know yet how many they are.
UNSORTED = "SELECT set_config('enable_sort', 'off', true)"
LAST_KEY = """
SELECT event_key FROM events WHERE project_id = $1 AND session_id = $2 AND event_key > $3
ORDER BY event_key LIMIT 1 OFFSET $4
"""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session by its events; times in µs."""

    session_id: str
    event_count: int
    first_us: int
    last_us: int


Page = tuple[list[SessionRow], str | None]


async def sessions_page(db: Database, project_id: int, filters: EventFilters) -> Page:
    """Sessions of which an event matches, by their first event, and the cursor behind them. While there is a cursor the
    list goes on, even if the page is not full. Raises ValidationFailed (cursor).

    Any page costs about the same: rows are read in the order of an index, from the cursor on. A session that lasts
    for more than a day can lie around any time, so those have an index of their own, and so have those of more than an
    hour; most began at most an hour before the time asked for: the first page passes over those of that hour that had
    ended by then.
    """
    place = session_place(filters.cursor) if filters.cursor is not None else None
    timed = filters.start_us is not None or filters.end_us is not None
    if timed or filters.data or filters.exact.keys() - {"category"}:
        return await _by_events(db, project_id, filters, place)
    return _cut(await _left(db, project_id, filters, place, filters.limit + 1), filters.limit)


async def has_session(db: Database, project_id: int, session_id: str) -> bool:
    """Whether any event names the session."""
    return bool(await db.fetchval(HAS_SESSION, project_id, session_id))


async def _by_events(
    db: Database, project_id: int, filters: EventFilters, place: SessionPlace | None
) -> Page:
    """One event of the session matches all that is asked."""
    if place is None or place.event_key is None:
        known = await _sessions_of_user(db, project_id, filters)
        if known is not None:
            query = Query(project_id, EventFilters())
            few = _FEW.format(query.bind(known))
            sql = _select(_behind(query, place), query.bind(filters.limit + 1), few)
            return _cut(_rows(await db.fetch(sql, *query.values)), filters.limit)
    # one snapshot, so that nothing is passed over
    async with db.transaction(isolation="repeatable_read", readonly=True) as conn:
        if place is not None and place.event_key is not None:
            return await _within(conn, project_id, filters, place)
        if not (filters.exact or filters.data):
            rows = await _left(conn, project_id, filters, place, filters.limit + 1)
            if all(_told(row, filters) for row in rows):
                return _cut(rows, filters.limit)
        return await _walked(conn, project_id, filters, place)


async def _sessions_of_user(db: Database, project_id: int, filters: EventFilters) -> list[str] | None:
    """All sessions with an event that matches, if a user is asked for who has few events in that time; else none."""
    if "user_id" not in filters.exact:
        return None
    query = Query(project_id, filters)
    led = " AND ".join(query.conditions)
    asked = " AND ".join(["e.session_id <> ''", *query.asked()])
    row = await db.fetchrow(
        f"SELECT count(*), array_agg(DISTINCT e.session_id) FILTER (WHERE {asked}) FROM"
        f" (SELECT * FROM events e WHERE {led} ORDER BY e.at_us, e.arrival LIMIT {WALKED + 1}) e",
        *query.values,
    )
    return None if row[0] > WALKED else row[1] or []


async def _left(
    source: Any, project_id: int, filters: EventFilters, place: SessionPlace | None, most: int
) -> list[SessionRow]:
    """The next sessions of which their summaries do not tell that no event matches."""
    query = Query(project_id, EventFilters())
    sql = _in_order(query, filters, _behind(query, place), most)
    return _rows(await source.fetch(sql, *query.values))


async def _walked(conn: Any, project_id: int, filters: EventFilters, place: SessionPlace | None) -> Page:
    """The next sessions, as many as can be looked into."""
    rest = await _left(conn, project_id, filters, place, WALKED // SESSION_COST + 1)
    costs = accumulate(SESSION_COST + (0 if _told(row, filters) else row.event_count) for row in rest)
    looked_into = sum(cost <= WALKED for cost in costs)
    if not rest:
        return [], None
    if not looked_into:
        return await _within(
            conn, project_id, filters, SessionPlace(rest[0].first_us, rest[0].session_id, b"")
        )
    end = rest[looked_into - 1]
    query = Query(project_id, filters)
    conditions = [
        *_behind(query, place),
        _compared(query, "<=", end.first_us, end.session_id),
        _seen(query, filters),
    ]
    sql = _in_order(query, filters, conditions, filters.limit + 1)
    found, cursor = _cut(_rows(await conn.fetch(sql, *query.values)), filters.limit)
    if cursor is None and looked_into < len(rest):
        cursor = session_cursor(end.first_us, end.session_id)
    return found, cursor


async def _within(conn: Any, project_id: int, filters: EventFilters, place: SessionPlace) -> Page:
    """A session of very many events: the next of them, and a cursor behind those, or behind the session."""
    session_id, key = place.session_id, place.event_key
    await conn.execute(UNSORTED)
    query = Query(project_id, filters)
    sql = _WITHIN.format(query.bind(session_id), query.bind(key), FAR, _matches(query))
    if await conn.fetchval(sql, *query.values):
        rows = await conn.fetch(ONE, project_id, session_id)
        return _rows(rows), session_cursor(place.first_us, session_id)
    last = await conn.fetchval(LAST_KEY, project_id, session_id, key, FAR - 1)
    return [], session_cursor(place.first_us, session_id, last)


def _cut(rows: list[SessionRow], limit: int) -> Page:
    """A page of rows, of which one more was asked for."""
    if len(rows) <= limit:
        return rows, None
    found = rows[:limit]
    return found, session_cursor(found[-1].first_us, found[-1].session_id)


def _rows(found: Sequence[Any]) -> list[SessionRow]:
    return [SessionRow(*row) for row in found]


def _matches(query: Query) -> str:
    """An event fulfils all that is asked."""
    return " AND ".join([*query.conditions, *query.asked()])


def _behind(query: Query, place: SessionPlace | None) -> list[str]:
    return [] if place is None else [_compared(query, ">", place.first_us, place.session_id)]


def _compared(query: Query, how: str, first_us: int, session_id: str) -> str:
    return f"(s.first_us, s.session_id) {how} ({query.bind(first_us)}, {query.bind(session_id)})"


def _in_order(query: Query, filters: EventFilters, conditions: list[str], limit: int) -> str:
    """Sessions of which the summaries do not tell that no event matches, and that fulfil the conditions."""
    most = query.bind(limit)
    if "category" in filters.exact:
        conditions = [_OF_CATEGORY.format(query.bind(filters.exact["category"])), *conditions]
    if filters.end_us is not None:
        conditions = [f"s.first_us <= {query.bind(filters.end_us)}", *conditions]
    if filters.start_us is None:
        return _select(conditions, most)
    conditions = [f"s.last_us >= {query.bind(filters.start_us)}", *conditions]
    hour, day = (f"s.first_us >= {query.bind(filters.start_us - each)}" for each in (MEDIUM_US, LONG_US))
    short = _select(["NOT s.long AND NOT s.medium", hour, *conditions], most)
    medium = _select(["s.medium", day, *conditions], most)
    long = _select(["s.long", *conditions], most)
    found = f"({short}) UNION ALL ({medium}) UNION ALL ({long})"
    return f"SELECT * FROM ({found}) found ORDER BY first_us, session_id LIMIT {most}"


def _select(conditions: list[str], most: str, sessions: str = "event_sessions") -> str:
    return (
        f"SELECT {_COLUMNS} FROM {sessions} s WHERE {' AND '.join(['s.project_id = $1', *conditions])}"
        f" ORDER BY s.first_us, s.session_id LIMIT {most}"
    )


def _seen(query: Query, filters: EventFilters) -> str:
    """An event of the session matches; where the summary does not tell, events are looked at."""
    seen = _SEEN.format(_matches(query))
    if filters.exact or filters.data:
        return seen
    start, end = (query.bind(each) for each in _time(filters))
    return f"(s.first_us BETWEEN {start} AND {end} OR s.last_us BETWEEN {start} AND {end} OR {seen})"


def _told(row: SessionRow, filters: EventFilters) -> bool:
    """Whether the summary tells that an event matches: its first or last lies in the time, and no more is asked."""
    start, end = _time(filters)
    return not (filters.exact or filters.data) and (
        start <= row.first_us <= end or start <= row.last_us <= end
    )


def _time(filters: EventFilters) -> tuple[int, int]:
    """The time asked for, µs, inclusive."""
    return (
        filters.start_us if filters.start_us is not None else -MAX_US,
        filters.end_us if filters.end_us is not None else MAX_US,
    )
