"""Clean databases for tests: one is copied from a migrated template when it is needed, and emptied for the next test.

To copy one means to make six hundred files. One that a test left in another state than empty (another schema,
statistics, much room taken, somebody still connected) is not used again.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncpg

from storage.migrate import migrate
from tests.servers import PostgresServer

TEMPLATE = "playhead_template"
#: a database that has grown by more was used for much data: how queries are planned depends on it
MOST_GROWN = 4_000_000
_numbers = itertools.count(1)

OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
SIZE = "SELECT pg_database_size(current_database())"
#: everything that a test may change but the rows: tables, columns, indexes, rules, code, statistics
STATE = """
SELECT md5(string_agg(told, E'\\n' ORDER BY told)) FROM (
    SELECT concat_ws(' ', 'class', relname, relkind, reloptions, relpersistence) AS told
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname, atttypid, attnotnull, attisdropped)
    FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'index', pg_get_indexdef(indexrelid), indisvalid)
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'rule', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'code', proname, md5(prosrc))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', 'statistics', count(*)) FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
    WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'schema', nspname) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
    UNION ALL SELECT concat_ws(' ', 'setting', setconfig) FROM pg_db_role_setting
    UNION ALL SELECT concat_ws(' ', 'step', m) FROM schema_migrations m
) AS state
"""
#: rows and partitions go, numbers begin anew; no trigger is asked
EMPTY = """
DO $$
DECLARE
    each record;
    filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR each IN SELECT inhrelid::regclass AS name FROM pg_inherits
        JOIN pg_class c ON c.oid = inhrelid
        WHERE relkind = 'r' AND pg_get_expr(relpartbound, c.oid) <> 'DEFAULT'
    LOOP
        EXECUTE format('DROP TABLE %s', each.name);
    END LOOP;
    FOR each IN SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_migrations'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', each.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', each.name);
        END IF;
    END LOOP;
    PERFORM setval(seqrelid, seqstart, false) FROM pg_sequence;
END $$
"""


class Databases:
    """Databases of one server, each lent to one test at a time."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._spare: list[str] = []
        self._state: tuple[str, int] | None = None

    @contextmanager
    def lent(self) -> Iterator[str]:
        """A migrated database without a row -> its DSN."""
        if self._state is None:
            self._state = asyncio.run(self._make_template())
        dsn = self._spare.pop() if self._spare else self._made(TEMPLATE)
        yield dsn
        if asyncio.run(self._emptied(dsn)):
            self._spare.append(dsn)
        else:
            self._drop(dsn)

    @contextmanager
    def bare(self) -> Iterator[str]:
        """A database without any table -> its DSN."""
        dsn = self._made("template1")
        yield dsn
        self._drop(dsn)

    async def _make_template(self) -> tuple[str, int]:
        """-> what a clean database is like: its state and bytes."""
        await _run(self._server.dsn, f"CREATE DATABASE {TEMPLATE}")
        dsn = _with_database(self._server.dsn, TEMPLATE)
        await migrate(dsn)
        conn = await asyncpg.connect(dsn)
        try:
            return await conn.fetchval(STATE), await conn.fetchval(SIZE)
        finally:
            await conn.close()

    async def _emptied(self, dsn: str) -> bool:
        """Whether it is again as it was."""
        assert self._state is not None
        state, size = self._state
        try:
            conn = await asyncpg.connect(dsn)
        except (OSError, asyncpg.PostgresError):
            return False
        try:
            if await conn.fetchval(OTHERS) or await conn.fetchval(SIZE) > size + MOST_GROWN:
                return False
            await conn.execute(EMPTY)
            return bool(await conn.fetchval(STATE) == state)
        except asyncpg.PostgresError:
            return False
        finally:
            await conn.close()

    def _made(self, template: str) -> str:
        name = f"test_{next(_numbers)}_{secrets.token_hex(4)}"
        asyncio.run(_run(self._server.dsn, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
        return _with_database(self._server.dsn, name)

    def _drop(self, dsn: str) -> None:
        name = urlsplit(dsn).path[1:]
        asyncio.run(_run(self._server.dsn, f"DROP DATABASE {name} WITH (FORCE)"))


def _with_database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


async def _run(server_dsn: str, statement: str) -> None:
    conn = await asyncpg.connect(_with_database(server_dsn, "postgres"))
    try:
        await conn.execute(statement)
    finally:
        await conn.close()
