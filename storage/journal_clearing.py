"""Takes the records of erased sessions and projects out of segments that others still need.

First the directories of unreleased segments are looked through, once per erasure and not before everything that
was pending at that moment is processed; then the records found are blanked in place (segment_file.blank).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from playhead.errors import Malformed, ObjectMissing
from playhead.telemetry import logger
from storage.objects import ObjectStore
from storage.postgres import Database
from storage.segment_file import ERASED, Entry, blank, read_directory, tail_length

log = logger("storage.journal_clearing")

TAIL_BYTES: Final = 64_000
PAGE: Final = 200
#: clocks of two servers differ by less
SLACK_MS: Final = 60_000
MAX_MS: Final = 2**63 - 1
#: whose a record is that holds events of no session
NO_SESSION: Final = 0

UNCLEARED = """
SELECT project_id, session_id, erased_ms FROM erased_sessions WHERE cleared_ms IS NULL
UNION ALL SELECT project_id, NULL, erased_ms FROM erased_projects WHERE cleared_ms IS NULL
ORDER BY erased_ms LIMIT $1
"""
OLDEST_PENDING = "SELECT min(created_ms) FROM segments WHERE state = 'pending'"
UNRELEASED = """
SELECT segment_key, bytes FROM segments WHERE state = 'done' AND segment_key > $1 ORDER BY segment_key LIMIT $2
"""
FOUND = """
INSERT INTO erased_parts (project_id, session_id, segment_key, record)
SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[], $4::int[]) ON CONFLICT DO NOTHING
"""
CLEARED_SESSIONS = """
UPDATE erased_sessions e SET cleared_ms = $3 FROM unnest($1::int[], $2::bigint[]) AS c(p, s)
WHERE e.project_id = c.p AND e.session_id = c.s
"""
CLEARED_PROJECTS = "UPDATE erased_projects SET cleared_ms = $2 WHERE project_id = ANY($1)"
#: places that only erased sessions need, of segments that are processed or gone
TO_BLANK = """
SELECT e.segment_key, array_agg(e.record) FROM (
    SELECT DISTINCT segment_key, record FROM erased_parts x
    WHERE NOT EXISTS (SELECT 1 FROM parts p WHERE p.segment_key = x.segment_key AND p.record = x.record)
      AND NOT EXISTS (SELECT 1 FROM segments s WHERE s.segment_key = x.segment_key AND s.state = 'pending')
) e GROUP BY e.segment_key ORDER BY e.segment_key LIMIT $1
"""
BLANKED = """
WITH gone AS (
    DELETE FROM erased_parts WHERE segment_key = $1 AND record = ANY($2) RETURNING project_id, session_id
), counts AS (SELECT project_id, session_id, count(*) AS n FROM gone GROUP BY 1, 2), projects AS (
    UPDATE erased_projects p SET blanked = p.blanked + c.n
    FROM (SELECT project_id, sum(n) AS n FROM counts GROUP BY 1) c WHERE p.project_id = c.project_id
)
UPDATE erased_sessions e SET blanked = e.blanked + c.n FROM counts c
WHERE e.project_id = c.project_id AND e.session_id = c.session_id
"""

Found = tuple[int, int, str, int]


async def clear_journal(db: Database, objects: ObjectStore, now_ms: int) -> int:
    """Take out what is erased -> how many records were blanked."""
    await _look_through(db, objects, now_ms)
    blanked = 0
    while rows := await db.fetch(TO_BLANK, PAGE):
        for key, places in rows:
            blanked += await _blank(objects, key, set(places))
            await db.execute(BLANKED, key, places)
    if blanked:
        log.info("journal_cleared", records=blanked)
    return blanked


async def remains(
    db: Database, objects: ObjectStore, wanted: Iterable[tuple[int, int]]
) -> Counter[tuple[int, int]]:
    """How many records of these sessions (project id, session id) processed segments still hold."""
    found = [(project, session) async for project, session, *_ in _matches(db, objects, set(wanted), set())]
    return Counter(found)


async def processed_until(db: Database) -> int:
    """The time (ms) before which all that was pending then is processed."""
    pending_ms: int | None = await db.fetchval(OLDEST_PENDING)
    return MAX_MS if pending_ms is None else pending_ms - SLACK_MS


async def doom(conn: Any, found: Sequence[Found]) -> None:
    """Have these records blanked."""
    if found:
        await conn.execute(FOUND, *(list(column) for column in zip(*found, strict=True)))


async def entries(db: Database, objects: ObjectStore) -> AsyncIterator[tuple[str, int, Entry]]:
    """(segment, place in it, entry) of all records that hold content, in processed segments."""
    after = ""
    while rows := await db.fetch(UNRELEASED, after, PAGE):
        for key, size in rows:
            after = key
            for place, entry in enumerate(await _directory(objects, key, size)):
                if entry.kind != ERASED:
                    yield key, place, entry


async def _look_through(db: Database, objects: ObjectStore, now_ms: int) -> None:
    until_ms = await processed_until(db)
    rows = [row for row in await db.fetch(UNCLEARED, PAGE) if row["erased_ms"] < until_ms]
    if not rows:
        return
    sessions = {(row["project_id"], row["session_id"]) for row in rows if row["session_id"] is not None}
    projects = {row["project_id"] for row in rows if row["session_id"] is None}
    found = [each async for each in _matches(db, objects, sessions, projects)]
    async with db.transaction() as conn:
        await doom(conn, found)
        await conn.execute(CLEARED_SESSIONS, [p for p, _ in sessions], [s for _, s in sessions], now_ms)
        await conn.execute(CLEARED_PROJECTS, list(projects), now_ms)


async def _matches(
    db: Database, objects: ObjectStore, sessions: set[tuple[int, int]], projects: set[int]
) -> AsyncIterator[Found]:
    """Records of these sessions and projects that hold content, in processed segments."""
    async for key, place, entry in entries(db, objects):
        own = (entry.project_id, entry.session_id or NO_SESSION)
        if own in sessions or entry.project_id in projects:
            yield *own, key, place


async def _directory(objects: ObjectStore, key: str, size: int) -> list[Entry]:
    try:
        tail = await objects.get(key, start=-min(TAIL_BYTES, size))
        if (needed := tail_length(tail)) > len(tail):
            tail = await objects.get(key, start=-needed)
        return read_directory(tail, size)
    except ObjectMissing:
        return []
    except Malformed as problem:
        log.warning("segment_unreadable", key=key, reason=str(problem))
        return []


async def _blank(objects: ObjectStore, key: str, places: set[int]) -> int:
    """Blank these records of one segment; one that is gone needs nothing."""
    try:
        content = await objects.get(key)
        changed, count = blank(content, lambda place, _: place in places)
    except ObjectMissing:
        return 0
    except Malformed as problem:
        log.warning("segment_unreadable", key=key, reason=str(problem))
        return 0
    if count:
        await objects.put(key, changed)
    return count
