"""Erasing sessions: rows and objects go, a mark stays by which late data is known and dropped."""

from __future__ import annotations

from typing import Any

from sessions import recording
from sessions.model import Session
from storage import doomed
from storage.objects import ObjectStore
from storage.postgres import Database

MARK = "INSERT INTO erased_sessions VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
#: everything that a session has in tables keyed by its number
TABLES = ("parts", "facets", "issues", "received", "image_uses", "sessions")
#: rows that a worker wrote while the session was being erased
STRAY = """
DELETE FROM {table} t USING erased_sessions e
WHERE t.project_id = e.project_id AND t.session_id = e.session_id
"""
LETTERS = "DELETE FROM dead_letters WHERE project_id = $1 AND session_id = $2 RETURNING object_key"
EVENTS = "DELETE FROM events WHERE project_id = $1 AND session_id = $2"


async def erase_session(db: Database, objects: ObjectStore, session: Session, now_ms: int) -> None:
    """Remove all traces of one session but the mark. Journal segments follow when no other session needs them."""
    key = (session.project_id, session.session_id)
    async with db.transaction() as conn:
        await conn.execute(MARK, *key, now_ms)
        letters = await delete_rows(conn, *key)
    await doomed.delete_prefix(objects, recording.prefix(*key))
    await objects.delete(letters)


async def delete_rows(conn: Any, project_id: int, session_id: int) -> list[str]:
    """Delete a session's rows inside the caller's transaction -> object keys of its dead letters."""
    for table in TABLES:
        await conn.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND session_id = $2", project_id, session_id
        )
    await conn.execute(EVENTS, project_id, str(session_id))
    return [row[0] for row in await conn.fetch(LETTERS, project_id, session_id)]


async def sweep(db: Database) -> None:
    """Remove rows that were written for erased sessions by a transaction under way at that moment."""
    async with db.transaction() as conn:
        for table in TABLES:
            await conn.execute(STRAY.format(table=table))
