"""Objects to delete later, by prefix: replaced recordings, erased sessions."""

from __future__ import annotations

from typing import Any

from storage.objects import ObjectStore

ADD = """
INSERT INTO doomed_objects (prefix, delete_after_ms) VALUES ($1, $2)
ON CONFLICT (prefix) DO UPDATE SET delete_after_ms = least(doomed_objects.delete_after_ms, excluded.delete_after_ms)
"""
DUE = "SELECT prefix FROM doomed_objects WHERE delete_after_ms <= $1 ORDER BY delete_after_ms LIMIT $2"
DONE = "DELETE FROM doomed_objects WHERE prefix = $1"


async def add(conn: Any, prefix: str, delete_after_ms: int) -> None:
    """Doom everything under `prefix` inside the caller's transaction."""
    await conn.execute(ADD, prefix, delete_after_ms)


async def carry_out(db: Any, objects: ObjectStore, now_ms: int, *, limit: int = 100) -> int:
    """Delete what is due -> how many prefixes. An object that comes back is not doomed again."""
    rows = await db.fetch(DUE, now_ms, limit)
    for row in rows:
        await delete_prefix(objects, row[0])
        await db.execute(DONE, row[0])
    return len(rows)


async def delete_prefix(objects: ObjectStore, prefix: str) -> int:
    """Delete every object under `prefix` -> how many."""
    keys = [found.key async for found in objects.list(prefix)]
    await objects.delete(keys)
    return len(keys)
