"""What an erased project leaves behind goes here: rows of every table that names it, objects, the journal's share."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from events import erased_in_journal, erased_users
from playhead.errors import NotFound, Unavailable
from sessions import erasure
from storage import doomed, journal_clearing
from storage.objects import ObjectStore
from storage.postgres import Database

if TYPE_CHECKING:
    from playhead.wiring import Services

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
REPORT = """
UPDATE erased_projects SET removed = (
    SELECT coalesce(jsonb_object_agg(store, n), '{}') FROM (
        SELECT store, sum(n::bigint) AS n FROM (
            SELECT * FROM jsonb_each_text(removed) UNION ALL SELECT * FROM jsonb_each_text($2)
        ) AS a(store, n) GROUP BY store
    ) AS b
) WHERE project_id = $1
"""
PAGE = """
SELECT project_id, project_key, erased_ms, removed, blanked, cleared_ms FROM erased_projects
ORDER BY erased_ms DESC LIMIT $1
"""
PREFIXES: Final = ("recordings", "images")
_DAY: Final = re.compile(r"_(\d{8}|rest)$")
LETTERS = "SELECT object_key FROM dead_letters WHERE project_id = $1 LIMIT $2"


async def erase(db: Database, objects: ObjectStore, now_ms: int) -> None:
    """Go on with every erasure that is under way."""
    for (project_id,) in await db.fetch(DUE, now_ms - STRAY_MS):
        removed = await _erase_project(db, objects, project_id, now_ms)
        if removed.total():
            await db.execute(REPORT, project_id, dict(removed))
            log.info("project_erased", project_id=project_id, removed=removed.total())
    await erased_users.delete_strays(db, since_ms=now_ms - erased_users.STRAY_MS)
    await erased_in_journal.look_through(db, objects, now_ms)
    await journal_clearing.clear_journal(db, objects, now_ms)


async def erase_sessions_of_users(services: Services) -> None:
    """Erase sessions that waited in the journal when their user was erased."""
    for project_id, user_id, session_id in await erasure.remains_of_users(services.db):
        with contextlib.suppress(NotFound):  # another worker was faster
            if await services.replays.delete(await services.replays.find(session_id, [project_id])):
                await erased_users.report(services.db, project_id, user_id, {"sessions": 1})


@dataclass(frozen=True, slots=True)
class ErasedProject:
    """What one project's erasure removed, by store. `cleared_ms`: nothing of it is in the journal since."""

    project_id: int
    project_key: str
    erased_ms: int
    removed: Mapping[str, int]
    blanked: int
    cleared_ms: int | None


async def page(db: Database, limit: int | None) -> list[ErasedProject]:
    """Erased projects, newest first; without a limit all of them."""
    return [ErasedProject(**dict(row)) for row in await db.fetch(PAGE, limit)]


async def remains(db: Database, objects: ObjectStore, project_id: int) -> dict[str, int]:
    """What is still there of an erased project outside the journal, by store; nothing is what it should be."""
    found: Counter[str] = Counter()
    for (table,) in await db.fetch(TABLES):
        count = f'SELECT count(*) FROM "{table}" WHERE project_id = $1'
        found[_store(table)] += await db.fetchval(count, project_id)
    for kind in PREFIXES:
        found["objects"] += len([None async for _ in objects.list(f"{kind}/{project_id}/")])
    return {store: number for store, number in found.items() if number}


async def _erase_project(db: Database, objects: ObjectStore, project_id: int, now_ms: int) -> Counter[str]:
    """Delete a project's rows and objects -> how many there were, by store."""
    removed: Counter[str] = Counter()
    while keys := [row[0] for row in await db.fetch(LETTERS, project_id, BATCH)]:
        await objects.delete(keys)
        await db.execute(
            "DELETE FROM dead_letters WHERE project_id = $1 AND object_key = ANY($2)", project_id, keys
        )
        removed["dead_letters"] += len(keys)
    for (table,) in await db.fetch(TABLES):
        some = f'SELECT ctid FROM "{table}" WHERE project_id = $1 LIMIT {BATCH}'
        while count := _count(
            await db.execute(f'DELETE FROM "{table}" WHERE ctid = ANY(ARRAY({some}))', project_id)
        ):
            removed[_store(table)] += count
    for kind in PREFIXES:
        prefix = f"{kind}/{project_id}/"
        await doomed.add(db, prefix, now_ms)
        with contextlib.suppress(Unavailable):  # what is doomed goes in any case
            removed["objects"] += await doomed.delete_prefix(objects, prefix)
    return removed


def _store(table: str) -> str:
    """The table's name; partitions are one table."""
    return _DAY.sub("", table)


def _count(status: str) -> int:
    """`DELETE 3` -> 3."""
    return int(status.rpartition(" ")[2])
