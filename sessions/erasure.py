"""Erasing sessions: rows and objects go, a mark stays by which late data is known and dropped.

The journal holds a session's bytes among those of others until it is released; storage/journal_clearing.py takes
them out. Each mark tells what was removed, and `remains` looks for what should not be there any more.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from playhead.errors import Unavailable
from sessions import issues, recording, terms
from sessions.model import Session
from storage import doomed
from storage.objects import ObjectStore
from storage.postgres import Database

MARK = "INSERT INTO erased_sessions (project_id, session_id, erased_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
#: everything that a session has in tables keyed by its number, but for what IMAGES takes; the session before its terms,
#: as all who write both do, so that none waits for another in a circle
TABLES: Final = ("shares", "parts", "received", "sessions", "facets")
LETTERS = "DELETE FROM dead_letters WHERE project_id = $1 AND session_id = $2 RETURNING object_key"
#: and in tables of events, keyed by its number as text
EVENT_TABLES: Final = ("events", "event_sessions", "event_session_categories", "event_errors")
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
#: of a record that also holds another session's messages only what is still needed stays
IN_JOURNAL = """
INSERT INTO erased_parts (project_id, session_id, segment_key, record)
SELECT project_id, session_id, segment_key, record FROM parts WHERE project_id = $1 AND session_id = $2
ON CONFLICT DO NOTHING
"""
REMOVED = "UPDATE erased_sessions SET removed = $3 WHERE project_id = $1 AND session_id = $2"
LATE = """
UPDATE erased_sessions e SET late_records = e.late_records + l.n
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS l(p, s, n)
WHERE e.project_id = l.p AND e.session_id = l.s
"""
LATE_PARTS = """
INSERT INTO erased_parts (project_id, session_id, segment_key, record)
SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::int[]) ON CONFLICT DO NOTHING
"""
#: rows that a worker was writing while a session was erased come within this time, ms
STRAY_MS = 3_600_000
STRAYS = """
SELECT e.project_id, e.session_id FROM erased_sessions e WHERE e.erased_ms > $1 AND (
    EXISTS (SELECT 1 FROM sessions s WHERE s.project_id = e.project_id AND s.session_id = e.session_id)
    OR EXISTS (SELECT 1 FROM dead_letters d WHERE d.project_id = e.project_id AND d.session_id = e.session_id)
)
"""
#: sessions that name an erased user and began before; those that began later are a new life
OF_USERS = """
SELECT u.project_id, u.user_id, s.session_id FROM erased_users u
JOIN facets f ON f.project_id = u.project_id AND f.facet = 'user_id' AND f.value = u.user_id
    AND f.started_ms < u.erased_us / 1000
JOIN sessions s ON s.project_id = f.project_id AND s.session_id = f.session_id
"""
PAGE = """
SELECT project_id, session_id, erased_ms, removed, late_records, blanked, CASE WHEN EXISTS (
    SELECT 1 FROM erased_parts p WHERE p.project_id = e.project_id AND p.session_id = e.session_id
) THEN NULL ELSE cleared_ms END AS cleared_ms
FROM erased_sessions e
WHERE ($1::int[] IS NULL OR project_id = ANY($1)) AND ($2::bigint IS NULL OR session_id < $2)
ORDER BY session_id DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What one erasure removed: rows by table, objects. `cleared_ms`: nothing of it is in the journal since."""

    project_id: int
    session_id: int
    erased_ms: int
    removed: Mapping[str, int]
    late_records: int
    blanked: int
    cleared_ms: int | None


async def erase_session(db: Database, objects: ObjectStore, session: Session, now_ms: int) -> bool:
    """Remove all traces of one session but the mark; those in the journal follow (storage/journal_clearing.py).

    -> whether it was there; of two at once one tells what was removed.
    """
    key = (session.project_id, session.session_id)
    async with db.transaction() as conn:
        await conn.execute(MARK, *key, now_ms)
        await conn.execute(IN_JOURNAL, *key)
        removed = await delete_rows(conn, *key, now_ms=now_ms)
        removed["objects"] = 0
        there = removed["sessions"] > 0
        if there:
            await conn.execute(REMOVED, *key, dict(removed))
    # At once if the store answers; what is doomed goes in any case.
    with contextlib.suppress(Unavailable):
        removed["objects"] = await doomed.delete_prefix(objects, recording.prefix(*key))
        if there:
            await db.execute(REMOVED, *key, dict(removed))
    with contextlib.suppress(Unavailable):  # else a worker does it
        await terms.purge(db, session.project_id)
    return there


async def delete_rows(conn: Any, project_id: int, session_id: int, *, now_ms: int) -> Counter[str]:
    """Delete a session's rows and doom its objects, inside the caller's transaction -> rows by table."""
    removed: Counter[str] = Counter()
    for table in TABLES:
        done = await conn.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND session_id = $2", project_id, session_id
        )
        removed[table] = _count(done)
    removed["issues"] = await issues.remove(conn, project_id, session_id)
    for table in EVENT_TABLES:
        done = await conn.execute(
            f"DELETE FROM {table} WHERE project_id = $1 AND session_id = $2", project_id, str(session_id)
        )
        removed[table] = _count(done)
    letters = [row[0] for row in await conn.fetch(LETTERS, project_id, session_id)]
    removed["dead_letters"] = len(letters)
    images = [f"images/{project_id}/{row[0]}" for row in await conn.fetch(IMAGES, project_id, session_id)]
    removed["images"] = len(images)
    await conn.execute(UNUSED_IMAGES, project_id)
    for key in (recording.prefix(project_id, session_id), *letters, *images):
        await doomed.add(conn, key, now_ms)
    return removed


async def drop_late(conn: Any, dropped: Sequence[tuple[int, int, str, int]]) -> None:
    """Count what came for erased sessions, (project id, session id, segment, place in it), and have it blanked."""
    if not dropped:
        return
    projects, sessions, segments, places = (list(column) for column in zip(*dropped, strict=True))
    counts = Counter(zip(projects, sessions, strict=True))
    await conn.execute(LATE, [k[0] for k in counts], [k[1] for k in counts], list(counts.values()))
    await conn.execute(LATE_PARTS, projects, sessions, segments, places)


async def remains_of_users(db: Database) -> list[tuple[int, str, int]]:
    """(project id, user, session id) of what is left of erased users; nothing is what it should be."""
    return [(row[0], row[1], row[2]) for row in await db.fetch(OF_USERS)]


async def sweep(db: Database, now_ms: int) -> None:
    """Remove rows that were written for erased sessions by a transaction under way at that moment."""
    for row in await db.fetch(STRAYS, now_ms - STRAY_MS):
        async with db.transaction() as conn:
            await conn.execute(IN_JOURNAL, row[0], row[1])
            await delete_rows(conn, row[0], row[1], now_ms=now_ms)


async def page(
    db: Database, *, project_ids: Sequence[int] | None, before: int | None, limit: int
) -> list[Erasure]:
    """Erasures of these projects (none: all) by session, newest first."""
    return [Erasure(**dict(row)) for row in await db.fetch(PAGE, project_ids, before, limit)]


async def remains(db: Database, objects: ObjectStore, project_id: int, session_id: int) -> dict[str, int]:
    """What is still there of an erased session outside the journal, by store; nothing is what it should be."""
    found: Counter[str] = Counter()
    for table in (*TABLES, "issues", "dead_letters", "image_uses", "erased_parts"):
        count = f"SELECT count(*) FROM {table} WHERE project_id = $1 AND session_id = $2"
        found[table] = await db.fetchval(count, project_id, session_id)
    for table in EVENT_TABLES:
        count = f"SELECT count(*) FROM {table} WHERE project_id = $1 AND session_id = $2"
        found[table] = await db.fetchval(count, project_id, str(session_id))
    found["objects"] = len([None async for _ in objects.list(recording.prefix(project_id, session_id))])
    return {store: number for store, number in found.items() if number}


def _count(status: str) -> int:
    """`DELETE 3` -> 3."""
    return int(status.rpartition(" ")[2])
