"""Retention: sessions and events older than their project keeps them go, whole days by dropping partitions.

What is pinned stays, with its events.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from events import day_of, summaries
from playhead.errors import DatabaseUnavailable
from playhead.telemetry import counter
from sessions import erasure
from storage.migrate import drop_event_partition
from storage.objects import ObjectStore
from storage.postgres import Database, hindered

log = structlog.get_logger()

DAY_MS = 86_400_000
BATCH = 200

OLD_SESSIONS = """
SELECT s.project_id, s.session_id FROM projects p
CROSS JOIN LATERAL (
    SELECT project_id, session_id FROM sessions
    WHERE project_id = p.project_id AND started_ms < $1 - p.retention_days * 86400000::bigint AND NOT pinned
    ORDER BY started_ms LIMIT $2
) s LIMIT $2
"""
#: keeps whoever pins it waiting until it is gone; none if it was pinned meanwhile
STILL_OLD = """
SELECT true FROM sessions WHERE project_id = $1 AND session_id = $2 AND NOT pinned FOR UPDATE
"""
LONGEST = "SELECT max(retention_days) FROM projects"
PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'events'::regclass AND c.relname ~ '^events_[0-9]{8}$' AND c.relname < $1
"""
PINNED = "SELECT project_id, session_id::text AS session_id FROM sessions WHERE pinned"
# Who is pinned from here on has lost nothing: old sessions that were not pinned are gone by now.
OLD_EVENTS = f"""
WITH kept AS MATERIALIZED ({PINNED})
DELETE FROM events e USING projects p
WHERE e.project_id = p.project_id AND e.day < $1::date - p.retention_days
AND NOT EXISTS (SELECT FROM kept k WHERE k.project_id = e.project_id AND k.session_id = e.session_id)
"""
# Sessions that lost events, but not all of them if others came later.
SHORTENED = """
SELECT s.project_id, s.session_id FROM event_sessions s JOIN projects p ON p.project_id = s.project_id
WHERE s.first_day < $1::date - p.retention_days AND (s.project_id, s.session_id) > ($2, $3)
ORDER BY s.project_id, s.session_id LIMIT $4
"""
OLD_LETTERS = """
DELETE FROM dead_letters d USING projects p
WHERE d.project_id = p.project_id AND d.created_ms < $1 - p.retention_days * 86400000::bigint
RETURNING d.object_key
"""
OLD_EVENT_IDS = """
DELETE FROM event_ids i USING projects p
WHERE i.project_id = p.project_id AND i.day < $1::date - p.retention_days
"""
OLD_EVENT_ERRORS = """
DELETE FROM event_errors e USING projects p
WHERE e.project_id = p.project_id AND e.received_us < ($1::bigint - p.retention_days * 86400000::bigint) * 1000
"""
OLD_MARKS = "DELETE FROM erased_sessions WHERE erased_ms < $1"
OLD_USER_MARKS = "DELETE FROM erased_users WHERE erased_us < $1"
#: marks outlive the longest token and spool by far
MARK_DAYS = 400


async def remove_expired(db: Database, objects: ObjectStore, now_ms: int) -> int:
    """Delete what is older than its project's retention -> how many sessions."""
    removed = 0
    while rows := await db.fetch(OLD_SESSIONS, now_ms, BATCH):
        for project_id, session_id in rows:
            async with db.transaction() as conn:
                if await conn.fetchval(STILL_OLD, project_id, session_id):
                    await erasure.delete_rows(conn, project_id, session_id, now_ms=now_ms)
                    removed += 1
    await _drop_partitions(db, now_ms)
    await db.execute(OLD_EVENTS, day_of(now_ms))
    await _recount_sessions(db, now_ms)
    letters = await db.fetch(OLD_LETTERS, now_ms)
    await objects.delete(row[0] for row in letters)
    await db.execute(OLD_EVENT_IDS, day_of(now_ms))
    await db.execute(OLD_EVENT_ERRORS, now_ms)
    await db.execute(OLD_MARKS, now_ms - MARK_DAYS * DAY_MS)
    await db.execute(OLD_USER_MARKS, (now_ms - MARK_DAYS * DAY_MS) * 1000)
    if removed:
        counter("playhead_retention_removed_total").labels("sessions").inc(removed)
        log.info("retention", sessions=removed)
    return removed


async def _recount_sessions(db: Database, now_ms: int) -> None:
    after: tuple[int, str] = (0, "")
    while rows := await db.fetch(SHORTENED, day_of(now_ms), *after, BATCH):
        for project_id in sorted({row[0] for row in rows}):
            async with db.transaction() as conn:
                await summaries.recount(conn, project_id, [row[1] for row in rows if row[0] == project_id])
        after = rows[-1][0], rows[-1][1]


async def _drop_partitions(db: Database, now_ms: int) -> None:
    """Partitions that are older than every project's retention; events of pinned sessions stay."""
    longest = await db.fetchval(LONGEST)
    if longest is None:
        return
    oldest = day_of(now_ms) - timedelta(days=longest)
    for row in await db.fetch(PARTITIONS, f"events_{oldest:%Y%m%d}"):
        try:
            await drop_event_partition(db, row[0], PINNED)
        except DatabaseUnavailable as problem:
            if not hindered(problem):
                raise
            log.warning("partition_in_use", partition=row[0])  # by a backup, for example; the next time then
            return
