"""The database for a command that is run by hand: the one that is set, or the embedded one, running or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playhead.errors import DatabaseUnavailable
from playhead.settings import Settings
from storage.embedded_postgres import EmbeddedPostgres, running_dsn
from storage.migrate import migrate, pending
from storage.postgres import Database


@asynccontextmanager
async def with_database(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose `database_url` works: as set; else of the server that `serve` runs; else started for this block.

    Only a server of our own is migrated. Raises AlreadyRunning, DatabaseUnavailable.
    """
    if settings.database_url:
        yield settings
        return
    dsn = await asyncio.to_thread(running_dsn, settings.data_dir)
    if dsn is not None:
        yield settings.model_copy(update={"database_url": dsn})
        return
    server = EmbeddedPostgres()
    try:
        dsn = await asyncio.to_thread(server.start, settings.data_dir)
        await migrate(dsn)
        yield settings.model_copy(update={"database_url": dsn})
    finally:
        await asyncio.to_thread(server.stop)


async def require_migrated(db: Database) -> None:
    """Raises DatabaseUnavailable if the schema is older than this program."""
    missing = await pending(db)
    if missing:
        raise DatabaseUnavailable(f"the database lacks {', '.join(missing)}: run `playhead migrate`")
