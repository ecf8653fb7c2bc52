"""Summaries of sessions: how many events name each, from when to when, of which categories. SQL.

They change in the transaction that changes the events. New events add up, in any order; where events are deleted or
moved in time, the session is counted again. Source: spec/event-service.md 5, `GET /api/v1/sessions`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, Final

from events.model import Event

#: from its first event to its last a session that is not `long` takes no more than this, µs
LONG_US: Final = 86_400_000_000
#: and one that is not `medium` either, no more than this (storage/schema.sql)
MEDIUM_US: Final = 3_600_000_000
#: sessions counted by one statement
BATCH: Final = 200

_COLUMNS: Final = "project_id, session_id, event_count, first_us, last_us, first_day, last_day"

ADD = f"""
INSERT INTO event_sessions AS s ({_COLUMNS}, long)
SELECT *, last_us - first_us > {LONG_US}
FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::date[], $7::date[]) AS new ({_COLUMNS})
ORDER BY project_id, session_id
ON CONFLICT (project_id, session_id) DO UPDATE SET
    event_count = s.event_count + excluded.event_count,
    first_us = least(s.first_us, excluded.first_us),
    last_us = greatest(s.last_us, excluded.last_us),
    first_day = least(s.first_day, excluded.first_day),
    last_day = greatest(s.last_day, excluded.last_day),
    long = greatest(s.last_us, excluded.last_us) - least(s.first_us, excluded.first_us) > {LONG_US}
"""
ADD_CATEGORIES = """
INSERT INTO event_session_categories (project_id, session_id, category)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING
"""
# Who adds events of a session takes its row before the commit: once we have it, what is not to be seen yet is added
# after us. So that there is a row to take, one is made.
TAKE = f"""
INSERT INTO event_sessions AS s ({_COLUMNS}, long)
SELECT $1, session_id, 0, 0, 0, 'epoch', 'epoch', false FROM unnest($2::text[]) AS w (session_id) ORDER BY session_id
ON CONFLICT (project_id, session_id) DO UPDATE SET event_count = s.event_count
"""
COUNT = f"""
UPDATE event_sessions s SET event_count = c.n, first_us = coalesce(c.first_us, 0), last_us = coalesce(c.last_us, 0),
    first_day = coalesce(c.first_day, 'epoch'), last_day = coalesce(c.last_day, 'epoch'),
    long = coalesce(c.last_us - c.first_us, 0) > {LONG_US}
FROM unnest($2::text[]) AS w (session_id) CROSS JOIN LATERAL (
    SELECT count(*) AS n, min(at_us) AS first_us, max(at_us) AS last_us,
        min(day) AS first_day, max(day) AS last_day
    FROM events e WHERE e.project_id = $1 AND e.session_id = w.session_id
) c
WHERE s.project_id = $1 AND s.session_id = w.session_id
"""
DROP_EMPTY = (
    "DELETE FROM event_sessions WHERE project_id = $1 AND session_id = ANY($2::text[]) AND event_count = 0"
)
COUNT_CATEGORIES = """
WITH found AS MATERIALIZED (
    SELECT DISTINCT w.session_id, e.category FROM unnest($2::text[]) AS w (session_id)
    JOIN events e ON e.project_id = $1 AND e.session_id = w.session_id
), gone AS (
    DELETE FROM event_session_categories c WHERE project_id = $1 AND session_id = ANY($2::text[])
    AND NOT EXISTS (SELECT FROM found f WHERE f.session_id = c.session_id AND f.category = c.category)
)
INSERT INTO event_session_categories (project_id, session_id, category)
SELECT $1, session_id, category FROM found ON CONFLICT DO NOTHING
"""

_AT_US, _DAY, _CATEGORY = attrgetter("at_us"), attrgetter("day"), attrgetter("category")

#: count, first and last time (µs), first and last day
Span = tuple[int, int, int, date, date]


class Tally:
    """What the new events of one transaction add to their sessions."""

    def __init__(self) -> None:
        self._spans: dict[tuple[int, str], Span] = {}
        self._categories: set[tuple[int, str, str]] = set()

    def add(self, sessions: Iterable[Sequence[Event]]) -> None:
        """Take up new events, one session's in each sequence."""
        for own in sessions:
            if not own or not own[0].session_id:
                continue
            key = own[0].project_id, own[0].session_id
            times, days = list(map(_AT_US, own)), set(map(_DAY, own))
            span = len(own), min(times), max(times), min(days), max(days)
            held = self._spans.get(key)
            self._spans[key] = span if held is None else _joined(held, span)
            self._categories.update((*key, category) for category in set(map(_CATEGORY, own)))

    async def write(self, conn: Any) -> None:
        """Add all of it, the last thing of the transaction but the ledger: it keeps sessions from all others."""
        if not self._spans:
            return
        rows = [(*key, *span) for key, span in sorted(self._spans.items())]
        await conn.execute(ADD, *(list(column) for column in zip(*rows, strict=True)))
        categories = sorted(self._categories)
        await conn.execute(ADD_CATEGORIES, *(list(column) for column in zip(*categories, strict=True)))


async def recount(conn: Any, project_id: int, session_ids: Iterable[str]) -> None:
    """Count the events of these sessions again, inside the caller's transaction that has changed them."""
    wanted = sorted({each for each in session_ids if each})
    for begin in range(0, len(wanted), BATCH):
        some = wanted[begin : begin + BATCH]
        for statement in (TAKE, COUNT, DROP_EMPTY, COUNT_CATEGORIES):
            await conn.execute(statement, project_id, some)


def _joined(one: Span, other: Span) -> Span:
    first_us, last_us = min(one[1], other[1]), max(one[2], other[2])
    return one[0] + other[0], first_us, last_us, min(one[3], other[3]), max(one[4], other[4])
