"""The way to Postgres: a pool whose errors are ours, and transactions. Notices are in storage/notices.py.

A pooled connection must not carry state from one use to the next: no SET (use SET LOCAL), no LISTEN, no
session advisory locks, temporary tables with ON COMMIT DROP only. In return nothing is reset between uses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from playhead.errors import DatabaseUnavailable
from playhead.settings import Settings
from storage.notices import Notices, notify, open_notices
from storage.postgres_connection import CONNECT_TIMEOUT_S, Connection, away, is_away, prepare_connection

__all__ = [
    "Database",
    "Notices",
    "away",
    "is_away",
    "notify",
    "open_notices",
    "open_pool",
    "until_unhindered",
]

T = TypeVar("T")

# An unused connection is closed after this: each holds a process of some MB, with all it knows of our tables.
IDLE_S = 60.0
# The server ends a statement at its timeout; if it cannot even do that, we stop waiting this much later.
GRACE_S = 5.0
#: transactions that waited for each other: the one that is ended for it is tried so often in all
TRIES = 5


class Database:
    """A pool with our errors: everything that means "server away" is DatabaseUnavailable."""

    def __init__(self, pool: Any, dsn: str, timeout_s: float) -> None:
        self.pool = pool
        self.dsn = dsn
        self.timeout_s = timeout_s

    @contextlib.asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """A connection for this block."""
        with away():
            conn = await self.pool.acquire(timeout=self.timeout_s + GRACE_S)
        try:
            with away(asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                yield conn
        finally:
            # A connection that cannot be given back in order is dropped by asyncpg: no news then.
            with contextlib.suppress(Exception):
                await self.pool.release(conn, timeout=GRACE_S)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, isolation: str | None = None, readonly: bool = False
    ) -> AsyncIterator[Any]:
        """A connection inside a transaction: committed at the end, rolled back if the block raises."""
        async with self.acquire() as conn, _transaction(conn, isolation=isolation, readonly=readonly):
            yield conn

    async def execute(self, query: str, *args: Any) -> str:
        """Run one statement (several without arguments); the command tag, like `UPDATE 3`."""
        async with self.acquire() as conn:
            return str(await conn.execute(query, *args))

    async def executemany(self, query: str, rows: Any) -> None:
        """Run one statement for each row, all or none."""
        async with self.acquire() as conn:
            await conn.executemany(query, rows)

    async def fetchmany(self, query: str, rows: Any) -> list[Any]:
        """The rows that one statement brings for each of `rows`, all or none, in one round trip."""
        async with self.acquire() as conn:
            return list(await conn.fetchmany(query, rows))

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        """All rows."""
        async with self.acquire() as conn:
            return list(await conn.fetch(query, *args))

    async def fetchrow(self, query: str, *args: Any) -> Any:
        """The first row or None."""
        async with self.acquire() as conn:
            return await conn.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row or None."""
        async with self.acquire() as conn:
            return await conn.fetchval(query, *args)

    async def check(self) -> None:
        """Raises DatabaseUnavailable unless the server answers."""
        await self.fetchval("SELECT 1")


@contextlib.asynccontextmanager
async def _transaction(conn: Any, *, isolation: str | None, readonly: bool) -> AsyncIterator[None]:
    """asyncpg's transaction, but a rollback that fails does not hide what caused it."""
    transaction = conn.transaction(isolation=isolation, readonly=readonly)
    with away():
        await transaction.start()
    try:
        yield
    except DatabaseUnavailable as problem:
        if isinstance(problem.__cause__, asyncpg.PostgresError):
            with contextlib.suppress(Exception):
                await transaction.rollback()
        else:
            conn.terminate()  # nobody answers: asking for a rollback would only double the wait
        raise
    except BaseException:
        with contextlib.suppress(Exception):
            await transaction.rollback()
        raise
    with away():
        await transaction.commit()


async def until_unhindered(transaction: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction, again if the server ended it to resolve a deadlock. Raises what it raises."""
    for _ in range(TRIES - 1):
        try:
            return await transaction()
        except DatabaseUnavailable as problem:
            if not isinstance(problem.__cause__, asyncpg.DeadlockDetectedError):
                raise
    return await transaction()


def hindered(problem: Exception) -> bool:
    """Whether only a lock that somebody else holds was in the way."""
    return isinstance(problem.__cause__, asyncpg.LockNotAvailableError)


@contextlib.asynccontextmanager
async def open_pool(
    settings: Settings, *, size: int | None = None, timeout_s: float | None = None
) -> AsyncIterator[Database]:
    """A pool on `settings.database_url`. Connects when first used, so a database that is away stops no start.

    timeout_s: one statement (default: database_timeout_s).
    """
    timeout_s = settings.database_timeout_s if timeout_s is None else timeout_s

    async def nothing(_conn: Any) -> None:
        """Connections carry no state (see above), so giving one back costs no round trip."""

    pool = asyncpg.create_pool(
        settings.database_url,
        min_size=0,
        max_size=size or settings.database_pool_size,
        max_inactive_connection_lifetime=IDLE_S,
        connection_class=Connection,
        init=prepare_connection,
        reset=nothing,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=timeout_s + GRACE_S,
        server_settings={
            "application_name": "playhead",
            "statement_timeout": str(int(timeout_s * 1000)),
            "lock_timeout": str(
                int(timeout_s * 1000 / 3)
            ),  # who waits for a lock can tell that from a slow server
            "idle_in_transaction_session_timeout": str(int((timeout_s + 60) * 1000)),
            "timezone": "UTC",
        },
    )
    with away():
        await pool
    try:
        yield Database(pool, settings.database_url, timeout_s)
    finally:
        try:
            await asyncio.wait_for(pool.close(), GRACE_S)
        except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pool.terminate()
