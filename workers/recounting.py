"""While a fleet changes its version: sessions to which older workers add events, who do not count, are counted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import groupby
from typing import Final

from events import day_of, summaries
from storage.postgres import Database

SEGMENTS: Final = 10_000
SESSIONS: Final = 500

UNSUMMED = """
SELECT segment_key, created_ms FROM segments WHERE state <> 'pending' AND NOT summed ORDER BY created_ms LIMIT $1
"""
SUMMED = "UPDATE segments SET summed = true WHERE segment_key = ANY($1::text[])"
# By arrival or start …
OF_DAYS = """
SELECT DISTINCT project_id, session_id FROM events
WHERE day >= $1 AND session_id <> '' AND (project_id, session_id) > ($2, $3)
ORDER BY project_id, session_id LIMIT $4
"""
# … and mobile sessions that are older than what came for them.
GROWN = """
SELECT project_id, session_id::text FROM sessions
WHERE last_received_ms >= $1 AND (project_id, session_id::text) > ($2, $3)
ORDER BY project_id, session_id::text LIMIT $4
"""


async def recount(db: Database) -> int:
    """Count every session that such a worker can have touched -> how many; 0 as soon as there are none left."""
    rows = await db.fetch(UNSUMMED, SEGMENTS)
    if not rows:
        return 0
    counted = 0
    since_ms = rows[0][1]
    for statement, since in ((OF_DAYS, day_of(since_ms)), (GROWN, since_ms)):
        async for project_id, session_ids in _sessions(db, statement, since):
            async with db.transaction() as conn:
                await summaries.recount(conn, project_id, session_ids)
            counted += len(session_ids)
    await db.execute(SUMMED, [row[0] for row in rows])
    return counted


async def _sessions(db: Database, statement: str, since: object) -> AsyncIterator[tuple[int, list[str]]]:
    after: tuple[int, str] = (0, "")
    while rows := [(row[0], row[1]) for row in await db.fetch(statement, since, *after, SESSIONS)]:
        for project_id, some in groupby(rows, key=lambda row: row[0]):
            yield project_id, [row[1] for row in some]
        after = rows[-1]
