"""Erasing sessions: rows and objects go, a mark stays by which late data is known and dropped."""

from __future__ import annotations

import contextlib
from typing import Any

from playhead.errors import Unavailable
from sessions import recording
from sessions.model import Session
from storage import doomed
from storage.objects import ObjectStore
from storage.postgres import Database

MARK = "INSERT INTO erased_sessions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
#: everything that a session has in tables keyed by its number, but for what IMAGES takes
TABLES = ("parts", "facets", "issues", "received", "sessions")
LETTERS = "DELETE FROM dead_letters WHERE project_id = $1 AND session_id = $2 RETURNING object_key"
EVENTS = "DELETE FROM events WHERE project_id = $1 AND session_id = $2"
REFUSED = "DELETE FROM event_errors WHERE project_id = $1 AND session_id = $2"
# Hash-named pictures belong to the project; one that no session shows any more goes.
IMAGES = """
WITH gone AS (
    DELETE FROM image_uses WHERE project_id = $1 AND session_id = $2 RETURNING digest
), fewer AS (
    UPDATE images SET uses = uses - 1 WHERE project_id = $1 AND digest IN (SELECT digest FROM gone)
    RETURNING digest, uses
)
SELECT encode(digest, 'hex') FROM fewer WHERE uses <= 0
"""
UNUSED_IMAGES = "DELETE FROM images WHERE project_id = $1 AND uses <= 0"
#: rows that a worker was writing while a session was erased come within this time, ms
STRAY_MS = 3_600_000
STRAYS = """
SELECT e.project_id, e.session_id FROM erased_sessions e WHERE e.erased_ms > $1 AND (
    EXISTS (SELECT 1 FROM sessions s WHERE s.project_id = e.project_id AND s.session_id = e.session_id)
    OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.project_id = e.project_id AND d.session_id = e.session_id)
)
"""


async def erase_session(db: Database, objects: ObjectStore, session: Session, now_ms: int) -> None:
    """Remove all traces of one session but the mark. Journal segments follow when no other session needs them."""
    key = (session.project_id, session.session_id)
    async with db.transaction() as conn:
        await conn.execute(MARK, *key, now_ms)
        await delete_rows(conn, *key, now_ms=now_ms)
    # At once if the store answers; what is doomed goes in any case.
    with contextlib.suppress(Unavailable):
        await doomed.delete_prefix(objects, recording.prefix(*key))


async def delete_rows(conn: Any, project_id: int, session_id: int, *, now_ms: int) -> None:
    """Delete a session's rows and doom its objects, inside the caller's transaction."""
    for table in TABLES:
        await conn.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND session_id = $2", project_id, session_id
        )
    for statement in (EVENTS, REFUSED):
        await conn.execute(statement, project_id, str(session_id))
    keys = [row[0] for row in await conn.fetch(LETTERS, project_id, session_id)]
    keys += [f"images/{project_id}/{row[0]}" for row in await conn.fetch(IMAGES, project_id, session_id)]
    await conn.execute(UNUSED_IMAGES, project_id)
    for key in (recording.prefix(project_id, session_id), *keys):
        await doomed.add(conn, key, now_ms)


async def sweep(db: Database, now_ms: int) -> None:
    """Remove rows that were written for erased sessions by a transaction under way at that moment."""
    for row in await db.fetch(STRAYS, now_ms - STRAY_MS):
        async with db.transaction() as conn:
            await delete_rows(conn, row[0], row[1], now_ms=now_ms)
