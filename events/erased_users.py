"""Users who were erased: their events go, and so do those that still wait in the journal, once a worker meets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from events.model import ARRIVAL_PLACES
from events.summaries import recount
from storage.postgres import Database

#: what a worker was writing while a user was erased comes within this time
STRAY_MS: Final = 3_600_000

MARK = """
INSERT INTO erased_users AS e (project_id, user_id, erased_us) VALUES ($1, $2, $3)
ON CONFLICT (project_id, user_id) DO
    UPDATE SET erased_us = greatest(e.erased_us, excluded.erased_us), cleared_ms = NULL
"""
DELETE = """
WITH gone AS (
    DELETE FROM events WHERE project_id = $1 AND user_id = $2 AND user_id <> '' RETURNING session_id
)
SELECT session_id, count(*) FROM gone GROUP BY 1
"""
#: an erasure that is asked for again adds to its report
REPORT = """
UPDATE erased_users SET removed = (
    SELECT coalesce(jsonb_object_agg(store, n), '{}') FROM (
        SELECT store, sum(n::bigint) AS n FROM (
            SELECT * FROM jsonb_each_text(removed) UNION ALL SELECT * FROM jsonb_each_text($3)
        ) AS a(store, n) GROUP BY store
    ) AS b
) WHERE project_id = $1 AND user_id = $2
"""
PAGE = """
SELECT project_id, user_id, erased_us / 1000 AS erased_ms, removed, cleared_ms FROM erased_users
ORDER BY erased_us DESC, project_id, user_id LIMIT $1
"""
#: what came after the erasure is a new life
REMAINS = f"""
SELECT u.project_id, u.user_id, count(*) FROM erased_users u
JOIN events e ON e.project_id = u.project_id AND e.user_id = u.user_id AND e.user_id <> ''
    AND e.arrival < (u.erased_us + 1) * {ARRIVAL_PLACES}
GROUP BY 1, 2 ORDER BY 1, 2
"""
ALL = "SELECT project_id, user_id, erased_us FROM erased_users ORDER BY 1, 2"
ERASED = """
SELECT project_id, user_id, erased_us FROM erased_users
WHERE (project_id, user_id) IN (SELECT * FROM unnest($1::int[], $2::text[]))
"""
DELETE_STRAYS = f"""
WITH gone AS (
    DELETE FROM events e USING erased_users u
    WHERE u.erased_us > $1 AND e.project_id = u.project_id AND e.user_id = u.user_id AND e.user_id <> ''
      AND e.arrival < (u.erased_us + 1) * {ARRIVAL_PLACES}
    RETURNING e.project_id, e.session_id
)
SELECT DISTINCT project_id, session_id FROM gone ORDER BY 1, 2
"""

User = tuple[int, str]


@dataclass(frozen=True, slots=True)
class ErasedUser:
    """What one user's erasure removed, by store. `cleared_ms`: no event of theirs is in the journal since."""

    project_id: int
    user_id: str
    erased_ms: int
    removed: Mapping[str, int]
    cleared_ms: int | None


async def erase(db: Database, project_id: int, user_id: str, now_ms: int) -> int:
    """Remove the events that name this user -> how many; their identifiers stay known, so that a resend brings none
    back.
    """
    await mark(db, project_id, user_id, (now_ms + 1) * 1000)
    async with db.transaction() as conn:
        sessions = await conn.fetch(DELETE, project_id, user_id)
        await recount(conn, project_id, [row[0] for row in sessions])
    return sum(row[1] for row in sessions)


async def mark(db: Database, project_id: int, user_id: str, until_us: int) -> None:
    """Nothing that names this user and arrives until then is to be kept."""
    await db.execute(MARK, project_id, user_id, until_us)


async def report(db: Database, project_id: int, user_id: str, removed: Mapping[str, int]) -> None:
    """Add to what is told of this erasure."""
    await db.execute(REPORT, project_id, user_id, dict(removed))


async def every(db: Database) -> list[tuple[int, str, int]]:
    """(project id, user, until when what they sent is not to be kept, µs of arrival) of all erased users."""
    return [(row[0], row[1], row[2]) for row in await db.fetch(ALL)]


async def page(db: Database, limit: int) -> list[ErasedUser]:
    """Erased users, newest first."""
    return [ErasedUser(**dict(row)) for row in await db.fetch(PAGE, limit)]


async def remains(db: Database) -> list[tuple[int, str, int]]:
    """(project id, user, events) of erased users of whom something is left; nothing is what it should be."""
    return [(row[0], row[1], row[2]) for row in await db.fetch(REMAINS)]


async def erased_us(conn: Any, users: Iterable[User]) -> Mapping[User, int]:
    """Those of these users who were erased, and until when what they sent is not to be kept (µs of arrival)."""
    wanted = sorted(set(users))
    if not wanted:
        return {}
    rows = await conn.fetch(ERASED, *(list(column) for column in zip(*wanted, strict=True)))
    return {(row[0], row[1]): row[2] for row in rows}


async def delete_strays(db: Database, *, since_ms: int) -> None:
    """Remove what was being written while its user was erased, of those who were since then."""
    async with db.transaction() as conn:
        rows = await conn.fetch(DELETE_STRAYS, since_ms * 1000)
        for project_id, some in groupby(rows, key=itemgetter(0)):
            await recount(conn, project_id, [row[1] for row in some])
