"""The way to Postgres: a pool whose errors are ours, transactions, and notices between processes.

A pooled connection must not carry state from one use to the next: no SET (use SET LOCAL), no LISTEN, no
session advisory locks, temporary tables with ON COMMIT DROP only. In return nothing is reset between uses.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import orjson

from playhead.errors import DatabaseUnavailable
from playhead.settings import Settings

CONNECT_TIMEOUT_S = 5.0
# The server ends a statement at its timeout; if it cannot even do that, we stop waiting this much later.
GRACE_S = 5.0

_STATEMENTS = (
    "execute", "executemany", "fetch", "fetchrow", "fetchval", "fetchmany", "prepare", "add_listener",
    "copy_from_query", "copy_from_table", "copy_records_to_table", "copy_to_table",
)  # fmt: skip

# SQLSTATE classes and codes that a later try can outlive, and that are no fault of the statement.
_AWAY_CLASSES = ("08", "53", "57", "58", "28")  # connection, resources, operator, system, authorization
_AWAY_CODES = frozenset({"3D000", "25006", "40001", "40P01", "55P03"})


def is_away(problem: BaseException) -> bool:
    """Whether this error says that the server cannot serve now, and not that the statement is wrong."""
    if isinstance(problem, asyncpg.PostgresError):
        state = str(getattr(problem, "sqlstate", "") or "")
        return state.startswith(_AWAY_CLASSES) or state in _AWAY_CODES
    if isinstance(problem, asyncpg.InternalClientError):
        return True  # the protocol lost its thread: the connection broke in the middle
    if isinstance(problem, asyncpg.InterfaceError):
        return "clos" in str(problem)  # connection is closed, pool is closing, was closed in the middle …
    return isinstance(problem, OSError | TimeoutError | asyncio.IncompleteReadError)


@contextlib.contextmanager
def away() -> Iterator[None]:
    """Errors that mean "server away" leave as DatabaseUnavailable."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Exception as problem:
        if not is_away(problem):
            raise
        reason = str(problem).strip().splitlines()
        raise DatabaseUnavailable(
            f"database: {reason[0] if reason else 'no answer in time'} ({type(problem).__name__})"
        ) from problem


class Connection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """asyncpg's connection; every statement's errors pass through `away`."""

    __slots__ = ()


def _mapped(name: str) -> Callable[..., Any]:
    original = getattr(asyncpg.Connection, name)

    async def statement(self: Connection, *args: Any, **options: Any) -> Any:
        with away():
            return await original(self, *args, **options)

    statement.__name__ = name
    statement.__doc__ = original.__doc__
    return statement


for _name in _STATEMENTS:
    if hasattr(asyncpg.Connection, _name):
        setattr(Connection, _name, _mapped(_name))


def _jsonb(value: Any) -> bytes:
    return b"\x01" + orjson.dumps(value)


def _from_jsonb(data: bytes) -> Any:
    return orjson.loads(data[1:])


async def prepare_connection(conn: Any) -> None:
    """json and jsonb are Python values in both directions."""
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", encoder=_jsonb, decoder=_from_jsonb
    )
    await conn.set_type_codec(
        "json", schema="pg_catalog", format="binary", encoder=orjson.dumps, decoder=orjson.loads
    )


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
    except BaseException:
        with contextlib.suppress(Exception):
            await transaction.rollback()
        raise
    with away():
        await transaction.commit()


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
        connection_class=Connection,
        init=prepare_connection,
        reset=nothing,
        timeout=CONNECT_TIMEOUT_S,
        command_timeout=timeout_s + GRACE_S,
        server_settings={
            "application_name": "playhead",
            "statement_timeout": str(int(timeout_s * 1000)),
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
