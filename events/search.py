"""Filters of the event service to SQL: allowed columns from a table, values always bound, keyset pages.

Events of one session, or of the sessions of a rare category, are read whole if they are few. All others are walked
through in order, along the index of a user or a name or that of the project, and asked for everything else; a page
looks at so many and then ends, full or not, with a cursor behind the last.
Source: spec/event-service.md 5; further filters: interface section 5.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

import orjson

from events.model import ARRIVAL_PLACES, named_key, shown_id
from events.times import format_time
from playhead.errors import Detail, ValidationFailed
from storage.postgres import Database

#: parameter -> column; exact match
EXACT: Final = ("session_id", "category", "name", "source", "user_id")
#: of these the first that is asked for leads to the events, in their order: a user has fewer than most names have
_LEADING: Final = ("user_id", "name")
#: what one page looks at, at most
WALKED: Final = 15_000
_COLUMNS: Final = (
    "session_id, event_key, source, category, name, at_us, device_us, arrival, user_id, event_id, data"
)
_PLACE: Final = "e.at_us, e.arrival, e.event_key"
_E_COLUMNS: Final = ", ".join(f"e.{column}" for column in _COLUMNS.split(", "))
_INT64: Final = range(-(2**63), 2**63)

NAMED = """
SELECT source, session_id, day, accepted, stored FROM event_ids
WHERE project_id = $1 AND event_id = $2 ORDER BY source <> 'json', source
"""
ONE = f"""
SELECT {_COLUMNS} FROM events
WHERE project_id = $1 AND session_id = $2 AND event_key = $3 AND ($4::date IS NULL OR day = $4)
"""

#: so many events are read whole, of so many sessions of a rare category
RARE_SESSIONS: Final = 200
RARE_EVENTS: Final = 20_000
SESSION = (
    "SELECT event_count, first_us, last_us FROM event_sessions WHERE project_id = $1 AND session_id = $2"
)
# Events without a session are not summarized; where there are any, nothing is known.
SESSIONS_OF_CATEGORY = """
SELECT c.session_id, s.event_count FROM event_session_categories c
JOIN event_sessions s ON s.project_id = c.project_id AND s.session_id = c.session_id
WHERE c.project_id = $1 AND c.category = $2
UNION ALL
SELECT '', $3::bigint FROM (SELECT FROM events WHERE project_id = $1 AND session_id = '' LIMIT 1) e
LIMIT $4
"""
# OFFSET 0: the primary key is the way to them, whatever else is asked.
_OF_SESSION: Final = """(
    SELECT * FROM events i WHERE i.project_id = $1 AND i.session_id = {} OFFSET 0
) e"""
_OF_SESSIONS: Final = """(
    SELECT * FROM event_sessions WHERE project_id = $1 AND session_id = ANY({}::text[])
) s CROSS JOIN LATERAL (
    SELECT * FROM events i WHERE i.project_id = s.project_id AND i.session_id = s.session_id
    AND i.day BETWEEN s.first_day AND s.last_day OFFSET 0
) e"""


@dataclass(frozen=True, slots=True)
class EventFilters:
    """What is asked for; all must match. `data`: path within `data` -> its value as text; times in µs, inclusive."""

    exact: dict[str, str] = field(default_factory=dict)  # see EXACT
    data: dict[tuple[str, ...], str] = field(default_factory=dict)
    start_us: int | None = None
    end_us: int | None = None
    descending: bool = False
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row, as it is shown."""

    session_id: str
    event_key: bytes
    source: str
    category: str
    name: str
    at_us: int
    device_us: int
    arrival: int
    user_id: str
    event_id: str
    data: dict[str, Any]

    def as_json(self, project_key: str) -> dict[str, Any]:
        """As in answers."""
        shown = {
            "id": shown_id(self.event_id, self.event_key, self.session_id),
            "session_id": self.session_id or None,
            "category": self.category,
            "name": self.name,
            "data": self.data,
            "timestamp": format_time(self.at_us),
            "received_at": format_time(self.arrival // ARRIVAL_PLACES),
            "source": self.source,
            "user_id": self.user_id or None,
            "project": project_key,
        }
        if self.device_us != self.at_us:
            shown["client_timestamp"] = format_time(self.device_us)
        return shown


class Query:
    """Conditions on `events e` and their bound values."""

    def __init__(self, project_id: int, filters: EventFilters) -> None:
        self.values: list[Any] = [project_id]
        self._filters = filters
        self._leading = next((column for column in _LEADING if column in filters.exact), None)
        #: that an index answers in the order of the list
        self.conditions = ["e.project_id = $1"]
        if self._leading is not None:
            place = self.bind(filters.exact[self._leading])
            self.conditions.append(f"e.{self._leading} = {place}")
            if self._leading == "name":
                self.conditions.append(f"hashtext(e.name) = hashtext({place})")
        if filters.start_us is not None:
            self.conditions.append(f"e.at_us >= {self.bind(filters.start_us)}")
        if filters.end_us is not None:
            self.conditions.append(f"e.at_us <= {self.bind(filters.end_us)}")

    def bind(self, value: Any) -> str:
        """The value's place."""
        self.values.append(value)
        return f"${len(self.values)}"

    def asked(self) -> list[str]:
        """What is asked of each event besides."""
        exact, data = self._filters.exact, self._filters.data
        asked = [f"e.{c} = {self.bind(exact[c])}" for c in EXACT if c in exact and c != self._leading]
        asked += [
            f"e.data #>> {self.bind(list(path))}::text[] = {self.bind(text)}" for path, text in data.items()
        ]
        return asked


async def events_page(
    db: Database, project_id: int, filters: EventFilters
) -> tuple[list[StoredEvent], str | None]:
    """One page by time of occurrence, then arrival, and the cursor behind it. While there is a cursor the list goes on,
    even if the page is not full. Raises ValidationFailed (cursor)."""
    query = Query(project_id, filters)
    few = await _few(db, project_id, filters, query)
    list_name = "desc" if filters.descending else "asc"
    if filters.cursor is not None:
        at_us, arrival, key = _event_cursor(filters.cursor, list_name)
        places = ", ".join(query.bind(value) for value in (at_us, arrival, key))
        compare = "<" if filters.descending else ">"
        query.conditions.append(f"({_PLACE}) {compare} ({places})")
    order = "ORDER BY " + ", ".join(f"e.{column} {list_name}" for column in ("at_us", "arrival", "event_key"))
    led, known = " AND ".join(query.conditions), len(query.values)
    asked = query.asked()
    every = " AND ".join([led, *asked])
    limit = query.bind(filters.limit + 1)
    end = None
    if few is None and asked:
        walked = (
            f"SELECT * FROM (SELECT {_E_COLUMNS} FROM events e WHERE {led} {order} LIMIT {WALKED}) e"
            f" WHERE {' AND '.join(asked)} {order} LIMIT {limit}"
        )
        last = f"SELECT {_PLACE} FROM events e WHERE {led} {order} LIMIT 1 OFFSET {WALKED - 1}"
        # one snapshot, so that nothing is passed over or there twice
        async with db.transaction(isolation="repeatable_read", readonly=True) as conn:
            rows = await conn.fetch(walked, *query.values)
            if len(rows) <= filters.limit:
                end = await conn.fetchrow(last, *query.values[:known])
    else:
        sql = f"SELECT {_E_COLUMNS} FROM {few or 'events e'} WHERE {every} {order} LIMIT {limit}"
        rows = await db.fetch(sql, *query.values)
    found = [_event(row) for row in rows]
    if len(found) > filters.limit:
        found = found[: filters.limit]
        end = found[-1].at_us, found[-1].arrival, found[-1].event_key
    return found, None if end is None else _cursor(list_name, end[0], end[1], end[2].hex())


async def _few(db: Database, project_id: int, filters: EventFilters, query: Query) -> str | None:
    """Where all events are that can match, if they are few enough to be read whole; else none, and the query is
    bounded to the time of the session that is asked for.
    """
    session_id = filters.exact.get("session_id")
    if session_id is None:
        rare = await _rare_sessions(db, project_id, filters)
        return None if rare is None else _OF_SESSIONS.format(query.bind(rare))
    known = await db.fetchrow(SESSION, project_id, session_id)
    if known is None or known[0] <= RARE_EVENTS:
        return _OF_SESSION.format(query.bind(session_id))
    query.conditions.append(f"e.at_us BETWEEN {query.bind(known[1])} AND {query.bind(known[2])}")
    return None


async def _rare_sessions(db: Database, project_id: int, filters: EventFilters) -> list[str] | None:
    """All sessions with events of the category, if that is the way to find them; else none."""
    if "category" not in filters.exact or "user_id" in filters.exact:
        return None
    rows = await db.fetch(
        SESSIONS_OF_CATEGORY, project_id, filters.exact["category"], RARE_EVENTS + 1, RARE_SESSIONS + 1
    )
    if len(rows) > RARE_SESSIONS or sum(row[1] for row in rows) > RARE_EVENTS:
        return None
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of an identifier: its event, or that it is accepted and not stored yet."""

    event: StoredEvent | None = None
    pending: bool = False


async def find(db: Database, project_id: int, wanted: str) -> Found:
    """The event that answers show under this identifier."""
    pending = False
    for source, session_id, day, accepted, stored in await db.fetch(NAMED, project_id, wanted):
        if stored:
            key = named_key(project_id, source, wanted)
            event = await _one(db, project_id, session_id, key, day)
            if event is not None:
                return Found(event)
        pending = pending or (accepted and not stored)
    text, dot, session_id = wanted.partition(".")
    if dot and len(text) == 32 and set(text) <= set("0123456789abcdef"):
        event = await _one(db, project_id, session_id, bytes.fromhex(text), None)
        if event is not None and not event.event_id:
            return Found(event)
    return Found(pending=pending)


async def _one(
    db: Database, project_id: int, session_id: str, key: bytes, day: date | None
) -> StoredEvent | None:
    row = await db.fetchrow(ONE, project_id, session_id, key, day)
    return None if row is None else _event(row)


def _event(row: Sequence[Any]) -> StoredEvent:
    return StoredEvent(*row)


def _cursor(*place: Any) -> str:
    """The place behind one row of a list, opaque."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def _place(cursor: str, list_name: str, *kinds: type) -> list[Any]:
    """The inverse of `_cursor`. Raises ValidationFailed for anything else."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        made_for: Any = found[0]
        values: list[Any] = list(found[1:])
        if made_for != list_name or [type(value) for value in values] != list(kinds):
            raise ValueError
        if any(value not in _INT64 for value in values if isinstance(value, int)):
            raise ValueError
    except (ValueError, TypeError, KeyError, IndexError):
        raise bad_cursor() from None
    return values


def bad_cursor() -> ValidationFailed:
    """What a cursor of elsewhere is answered."""
    return ValidationFailed(details=[Detail("cursor", "invalid_value", "not a cursor of this list")])


def _event_cursor(cursor: str, list_name: str) -> tuple[int, int, bytes]:
    at_us, arrival, key = _place(cursor, list_name, int, int, str)
    return at_us, arrival, _key(key)


def _key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise bad_cursor() from None


class SessionPlace(NamedTuple):
    """Behind one session; with a key, within it, behind one of its events."""

    first_us: int
    session_id: str
    event_key: bytes | None = None


def session_cursor(first_us: int, session_id: str, event_key: bytes | None = None) -> str:
    """The place behind one session, or within it."""
    if event_key is None:
        return _cursor("sessions", first_us, session_id)
    return _cursor("session", first_us, session_id, event_key.hex())


def session_place(cursor: str) -> SessionPlace:
    """The inverse. Raises ValidationFailed."""
    key = None
    try:
        first_us, session_id = _place(cursor, "sessions", int, str)
    except ValidationFailed:
        first_us, session_id, text = _place(cursor, "session", int, str, str)
        key = _key(text)
    if "\0" in session_id:
        raise bad_cursor()
    return SessionPlace(first_us, session_id, key)


def refusal_cursor(received_us: int, error_id: int) -> str:
    """The place behind one refusal."""
    return _cursor("errors", received_us, error_id)


def refusal_place(cursor: str) -> tuple[int, int]:
    """The inverse. Raises ValidationFailed."""
    received_us, error_id = _place(cursor, "errors", int, int)
    return received_us, error_id
