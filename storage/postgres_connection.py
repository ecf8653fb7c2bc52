"""A connection to Postgres as we use it: our errors, JSON as Python values."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import orjson

from playhead.errors import DatabaseUnavailable

CONNECT_TIMEOUT_S = 5.0

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
        # Connection is closed, pool is closing, and what a connection that broke says to its holder.
        return "clos" in str(problem) or "released back to the pool" in str(problem)
    return isinstance(problem, OSError | TimeoutError | asyncio.IncompleteReadError)


@contextlib.contextmanager
def away(*kinds: type[Exception]) -> Iterator[None]:
    """Errors (of these kinds, if given) that mean "server away" leave as DatabaseUnavailable."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Exception as problem:
        if not isinstance(problem, kinds or Exception) or not is_away(problem):
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
