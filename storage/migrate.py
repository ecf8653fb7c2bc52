"""Brings a database to the newest schema: storage/migrations, in order of number, each one once."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from playhead.errors import DatabaseUnavailable
from storage.postgres import Database, away
from storage.postgres_connection import CONNECT_TIMEOUT_S

FOLDER = Path(__file__).with_name("migrations")
MIGRATE_LOCK = 0x504C4159_0001  # advisory locks of this program
PARTITION_LOCK = 0x504C4159_0002
LOCK_TIMEOUT = "2s"  # the longest that anyone may have to queue behind us
PATIENCE_S = 120.0  # how long we try again when a table is busy
QUEUE_TIMEOUT = "120s"  # how long another migration may take

CREATE_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    name text PRIMARY KEY,
    applied_ms bigint NOT NULL
)
"""

HAS_PARTITION = """
SELECT EXISTS (
    SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'events'::regclass AND relname = $1
)
"""
KEEP_EVENTS = """
INSERT INTO events SELECT e.* FROM ({}) AS k(p, s) JOIN {} e ON e.project_id = k.p AND e.session_id = k.s
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file; `name` is the file's without `.sql`."""

    name: str
    sql: str


def known(folder: Path = FOLDER) -> list[Migration]:
    """All migrations that this version brings, in order."""
    return [Migration(path.stem, path.read_text("utf-8")) for path in sorted(folder.glob("[0-9]*.sql"))]


async def migrate(dsn: str, *, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing and return its names; safe from many machines at once and when killed anywhere.

    Each file runs in a transaction of its own under an advisory lock, so it happens wholly or not at all.
    A database that knows newer migrations than we do is left as it is: older programs go on working with it.
    Raises DatabaseUnavailable if the server is away or a table stays locked.
    """
    applied = []
    async with _connect(dsn) as conn:
        for migration in known(folder):
            if migration.name not in await _done(conn) and await _patiently(_apply, conn, migration):
                applied.append(migration.name)
    return applied


async def pending(db: Database, *, folder: Path = FOLDER) -> list[str]:
    """Names of the migrations that this version needs and the database does not have."""
    async with db.acquire() as conn:
        done = await _done(conn)
    return [migration.name for migration in known(folder) if migration.name not in done]


async def ensure_event_partitions(
    db: Database, days_ahead: int = 3, *, today: datetime.date | None = None
) -> list[str]:
    """Create the day partitions of `events` from yesterday to `days_ahead` (UTC); names of the new ones.

    Rows of such a day that already lie in the default partition move. Raises DatabaseUnavailable if the table
    stays busy for longer than the lock timeout: try again later, all works without the partition, too.
    """
    today = today or datetime.datetime.now(datetime.UTC).date()
    made = []
    for distance in range(-1, days_ahead + 1):
        day = today + datetime.timedelta(days=distance)
        name = f"events_{day:%Y%m%d}"
        if not await db.fetchval(HAS_PARTITION, name):
            async with db.transaction() as conn:
                if await _add_partition(conn, name, day):
                    made.append(name)
    return made


async def _add_partition(conn: Any, name: str, day: datetime.date) -> bool:
    await conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
    await conn.execute("SELECT pg_advisory_xact_lock($1)", PARTITION_LOCK)
    if await conn.fetchval(HAS_PARTITION, name):
        return False
    # Writers wait here, before they choose a partition: one that had chosen the default would fail afterwards
    # because this day no longer belongs there. Readers go on.
    await conn.execute("LOCK TABLE events IN SHARE ROW EXCLUSIVE MODE")
    await conn.execute(f"CREATE TABLE {name} (LIKE events INCLUDING ALL)")
    await conn.execute(
        "WITH moved AS (DELETE FROM events_rest WHERE day = $1 RETURNING *) "
        f"INSERT INTO {name} SELECT * FROM moved",
        day,
    )
    following = day + datetime.timedelta(days=1)
    await conn.execute(
        f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES FROM ('{day}') TO ('{following}')"
    )
    return True


async def drop_event_partition(db: Database, name: str, keep: str) -> None:
    """Drop a day of `events`; rows of the sessions that the query `keep` finds (project id, session id) move to the
    default partition. It runs when the day is locked, so that nobody who came before is overlooked.

    Raises DatabaseUnavailable if the table stays busy for longer than the lock timeout: try again later.
    """
    async with db.transaction() as conn:
        await conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await conn.execute("SELECT pg_advisory_xact_lock($1)", PARTITION_LOCK)
        if not await conn.fetchval(HAS_PARTITION, name):
            return  # someone else was faster
        await conn.execute(f"ALTER TABLE events DETACH PARTITION {name}")
        await conn.execute(KEEP_EVENTS.format(keep, name))
        await conn.execute(f"DROP TABLE {name}")


@contextlib.asynccontextmanager
async def _connect(dsn: str) -> AsyncIterator[Any]:
    with away():
        conn = await asyncpg.connect(
            dsn, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": "playhead migrate"}
        )
        try:
            # If we are killed, the server notices and rolls back instead of working on. Not all servers offer it.
            with contextlib.suppress(asyncpg.PostgresError):
                await conn.execute("SET client_connection_check_interval = '1s'")
            yield conn
        finally:
            await conn.close(timeout=CONNECT_TIMEOUT_S)


async def _done(conn: Any) -> set[str]:
    # Not to_regclass: inside a transaction that answers from a cache which may not know of others' commits yet.
    exists = "SELECT FROM pg_tables WHERE tablename = 'schema_migrations' AND schemaname = current_schema()"
    if not await conn.fetchval(f"SELECT EXISTS ({exists})"):
        return set()
    return {row["name"] for row in await conn.fetch("SELECT name FROM schema_migrations")}


async def _apply(conn: Any, migration: Migration) -> bool:
    async with conn.transaction():
        await conn.execute(f"SET LOCAL lock_timeout = '{QUEUE_TIMEOUT}'")
        await conn.execute("SELECT pg_advisory_xact_lock($1)", MIGRATE_LOCK)
        if migration.name in await _done(conn):
            return False  # someone else was faster
        await conn.execute(CREATE_TABLE)
        await conn.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await conn.execute(migration.sql)
        await conn.execute(
            "INSERT INTO schema_migrations (name, applied_ms) VALUES ($1, $2)",
            migration.name,
            time.time_ns() // 1_000_000,
        )
    return True


async def _patiently(apply: Any, conn: Any, migration: Migration) -> bool:
    """A busy table makes us step back and come again, so that nobody has to queue behind our wish to lock."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return bool(await apply(conn, migration))
        except asyncpg.LockNotAvailableError as problem:
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"migration {migration.name}: a table stays locked") from problem
            await asyncio.sleep(0.5)
