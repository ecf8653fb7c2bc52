"""Silence: sessions begin as ever, but nothing comes of them: a proxy drops bodies, a release lost its upload.

The last whole hour is compared with the same hour a week before.
"""

from __future__ import annotations

from typing import Final

import structlog

from playhead.telemetry import gauge
from storage.postgres import Database

log = structlog.get_logger()

HOUR_MS: Final = 3_600_000
WEEK_MS: Final = 7 * 24 * HOUR_MS
#: fewer sessions a week ago say nothing
LEAST: Final = 20
#: silent: this share of last week's sessions with data, at this share of its starts
FELL_TO: Final = 0.5
HELD_AT: Final = 0.8

COUNTS = """
SELECT count(*) FILTER (WHERE known), count(*) FILTER (WHERE messages > 0 OR frames > 0) FROM sessions
WHERE project_id = $1 AND started_ms >= $2 AND started_ms < $3
"""
PROJECTS = "SELECT project_id, project_key FROM projects WHERE active ORDER BY project_id"


async def silent_projects(db: Database, now_ms: int) -> list[str]:
    """Keys of the projects that fell silent."""
    end_ms = now_ms - now_ms % HOUR_MS
    found = []
    for project_id, key in await db.fetch(PROJECTS):
        starts, heard = await db.fetchrow(COUNTS, project_id, end_ms - HOUR_MS, end_ms)
        old_starts, old_heard = await db.fetchrow(
            COUNTS, project_id, end_ms - HOUR_MS - WEEK_MS, end_ms - WEEK_MS
        )
        if old_heard >= LEAST and heard < old_heard * FELL_TO and starts >= old_starts * HELD_AT:
            found.append(key)
    return found


async def watch(db: Database, now_ms: int) -> None:
    """Tell of them: a metric and a line in the log."""
    silent = await silent_projects(db, now_ms)
    gauge("playhead_silent_projects").set(len(silent))
    for key in silent:
        log.warning("project_silent", project=key)
