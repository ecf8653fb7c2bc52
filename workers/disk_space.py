"""Room on a full disk: pictures of the least valuable sessions go first, those of crashes and pinned ones last.

The messages of a session always stay. Source of the levels: storage/disk.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from playhead.telemetry import counter
from storage.disk import Disk, Level
from workers.finalizer import Finalizer, RecordingFailed

if TYPE_CHECKING:
    from playhead.wiring import Services

log = structlog.get_logger()

BATCH: Final = 20
#: sessions that one visit may touch, so that other chores get their turn
MOST: Final = 1000

LEAST_VALUABLE = """
SELECT project_id, session_id FROM sessions
WHERE recording > 0 AND frames > 0 AND due_ms IS NULL
ORDER BY pinned, 'crash' = ANY(issue_types), cardinality(issue_types) > 0, started_ms LIMIT $1
"""
OLD_FRAMES = """
SELECT s.project_id, s.session_id FROM projects p
CROSS JOIN LATERAL (
    SELECT project_id, session_id FROM sessions
    WHERE project_id = p.project_id AND recording > 0 AND frames > 0 AND due_ms IS NULL AND NOT pinned
        AND started_ms < $1 - p.frame_retention_days * 86400000::bigint
    ORDER BY started_ms LIMIT $2
) s WHERE p.frame_retention_days > 0 LIMIT $2
"""
MARK = """
UPDATE sessions SET frames_dropped_ms = $3
WHERE project_id = $1 AND session_id = $2 AND frames_dropped_ms IS NULL
"""


async def make_room(services: Services, finalizer: Finalizer) -> int:
    """Above the high mark, free what is above it -> how many sessions lost their pictures."""
    db, disk = services.db, services.disk
    if disk.level() < Level.HIGH:
        disk.hold_reserve()
        return 0
    disk.give_reserve()
    dropped = 0
    for _ in range(MOST // BATCH):
        gone = 0
        for row in await db.fetch(LEAST_VALUABLE, BATCH):
            if not _too_full(disk):
                break
            gone += await _drop(services, finalizer, row[0], row[1])
        dropped += gone
        if not gone:
            break
    if dropped:
        log.warning("pictures_removed", reason="disk", sessions=dropped)
    if _too_full(disk):
        log.error("disk_full")
    return dropped


async def drop_old_frames(services: Services, finalizer: Finalizer) -> int:
    """Pictures older than their project keeps them -> how many sessions lost theirs."""
    dropped = 0
    for _ in range(MOST // BATCH):
        gone = 0
        for row in await services.db.fetch(OLD_FRAMES, services.clock(), BATCH):
            gone += await _drop(services, finalizer, row[0], row[1])
        dropped += gone
        if not gone:
            break
    return dropped


def _too_full(disk: Disk) -> bool:
    usage = disk.usage()
    return usage is not None and disk.marks.excess(usage) > 0


async def _drop(services: Services, finalizer: Finalizer, project_id: int, session_id: int) -> bool:
    """Make a recording without pictures take the place of the one there is -> whether it did."""
    await services.db.execute(MARK, project_id, session_id, services.clock())
    try:
        if await finalizer.finalize(project_id, session_id) <= 0:
            return False
    except RecordingFailed:
        return False
    await services.sessions.changed([(project_id, session_id)])
    counter("playhead_retention_removed_total").labels("pictures").inc()
    return True
