"""What an erased project leaves behind goes here: rows of every table that names it, objects, the journal's share."""

from __future__ import annotations

from typing import Final

import structlog

from events import erased_users
from storage import doomed, journal_clearing
from storage.objects import ObjectStore
from storage.postgres import Database

log = structlog.get_logger()

BATCH: Final = 5000
#: what workers were writing while the project went comes within this time
STRAY_MS: Final = 3_600_000

DUE = "SELECT project_id FROM erased_projects WHERE cleared_ms IS NULL OR erased_ms > $1"
#: every table, partitions for themselves; the ledger stays, so that it balances
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attname = 'project_id'
    AND NOT a.attisdropped AND c.relname NOT IN ('projects', 'erased_projects', 'ledger')
"""
LETTERS = "SELECT object_key FROM dead_letters WHERE project_id = $1 LIMIT $2"


async def erase(db: Database, objects: ObjectStore, now_ms: int) -> None:
    """Go on with every erasure that is under way."""
    for (project_id,) in await db.fetch(DUE, now_ms - STRAY_MS):
        rows = await _erase_project(db, objects, project_id, now_ms)
        if rows:
            log.info("project_erased", project_id=project_id, rows=rows)
    await erased_users.delete_strays(db, now_ms)
    await journal_clearing.clear_journal(db, objects, now_ms)


async def _erase_project(db: Database, objects: ObjectStore, project_id: int, now_ms: int) -> int:
    """Delete a project's rows and objects -> how many rows there were."""
    while keys := [row[0] for row in await db.fetch(LETTERS, project_id, BATCH)]:
        await objects.delete(keys)
        await db.execute(
            "DELETE FROM dead_letters WHERE project_id = $1 AND object_key = ANY($2)", project_id, keys
        )
    removed = 0
    for (table,) in await db.fetch(TABLES):
        some = f'SELECT ctid FROM "{table}" WHERE project_id = $1 LIMIT {BATCH}'
        while count := _count(
            await db.execute(f'DELETE FROM "{table}" WHERE ctid = ANY(ARRAY({some}))', project_id)
        ):
            removed += count
    for kind in ("recordings", "images"):
        await doomed.add(db, f"{kind}/{project_id}/", now_ms)
    return removed


def _count(status: str) -> int:
    """`DELETE 3` -> 3."""
    return int(status.rpartition(" ")[2])
