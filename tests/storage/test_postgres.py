"""The pool: what comes back, which errors are ours, and that a server may go and return under it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from playhead.errors import DatabaseUnavailable
from playhead.settings import Settings
from storage import notices as notices_module
from storage import postgres
from storage.postgres import Database, Notices, notify, open_notices, open_pool
from tests.servers import PostgresServer, free_port


def settings_for(dsn: str, **values: Any) -> Settings:
    return Settings.model_validate({"database_url": dsn, **values})


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[Database]:
    async with open_pool(settings_for(postgres_dsn)) as database:
        await database.execute("CREATE TABLE t (x int PRIMARY KEY, j jsonb, k json)")
        yield database


# -- values


@pytest.mark.parametrize(
    "value", [{"a": [1, 2.5, None, True], "ü": "😀"}, [], "text", 7, None, 2**60, {"": {}}]
)
async def test_json_is_python_values_both_ways(db: Database, value: Any) -> None:
    await db.execute("INSERT INTO t VALUES (1, $1, $2)", value, value)
    row = await db.fetchrow("SELECT j, k FROM t")
    assert (row["j"], row["k"]) == (value, value)


async def test_json_travels_by_copy(db: Database) -> None:
    async with db.transaction() as conn:
        rows = [(n, {"n": n}, [n]) for n in range(100)]
        await conn.copy_records_to_table("t", records=rows)
    assert await db.fetchval("SELECT sum((j->>'n')::int) FROM t") == 4950


async def test_rows_values_and_tags(db: Database) -> None:
    await db.executemany("INSERT INTO t (x) VALUES ($1)", [(1,), (2,)])
    assert [row["x"] for row in await db.fetch("SELECT x FROM t ORDER BY x")] == [1, 2]
    assert await db.fetchval("SELECT count(*) FROM t") == 2
    assert await db.fetchrow("SELECT x FROM t WHERE x = 9") is None
    assert await db.execute("DELETE FROM t") == "DELETE 2"
    await db.check()


# -- transactions


async def test_a_block_that_raises_is_rolled_back_and_its_error_kept(db: Database) -> None:
    with pytest.raises(KeyError):
        async with db.transaction() as conn:
            await conn.execute("INSERT INTO t (x) VALUES (1)")
            raise KeyError("mine")
    async with db.transaction() as conn:
        await conn.execute("INSERT INTO t (x) VALUES (2)")
    assert [row["x"] for row in await db.fetch("SELECT x FROM t")] == [2]


async def test_a_savepoint_inside(db: Database) -> None:
    async with db.transaction() as conn:
        await conn.execute("INSERT INTO t (x) VALUES (1)")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with conn.transaction():
                await conn.execute("INSERT INTO t (x) VALUES (1)")
        await conn.execute("INSERT INTO t (x) VALUES (2)")
    assert await db.fetchval("SELECT count(*) FROM t") == 2


async def test_readonly_is_held(db: Database) -> None:
    with pytest.raises((asyncpg.ReadOnlySQLTransactionError, DatabaseUnavailable)):
        async with db.transaction(readonly=True) as conn:
            await conn.execute("INSERT INTO t (x) VALUES (1)")


async def test_a_cancelled_block_leaves_nothing_behind(db: Database) -> None:
    async def block() -> None:
        async with db.transaction() as conn:
            await conn.execute("INSERT INTO t (x) VALUES (1)")
            await conn.execute("SELECT pg_sleep(20)")

    task = asyncio.create_task(block())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await db.fetchval("SELECT count(*) FROM t") == 0


# -- which errors are ours


@pytest.mark.parametrize(
    "statement", ["SELECT 1/0", "SELECT nothing", "SELEC", "INSERT INTO t (x) VALUES (NULL)"]
)
async def test_a_wrong_statement_stays_what_it_is(db: Database, statement: str) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await db.fetch(statement)


async def test_an_error_of_the_callers_own_inside_a_block_passes(db: Database) -> None:
    for error in (FileNotFoundError("mine"), TimeoutError("mine"), ConnectionResetError("mine")):
        with pytest.raises(type(error), match="mine"):
            async with db.acquire():
                raise error


async def test_a_statement_that_takes_too_long(postgres_dsn: str) -> None:
    async with open_pool(settings_for(postgres_dsn), timeout_s=0.2) as db:
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable, match="statement timeout"):
            await db.execute("SELECT pg_sleep(10)")
        assert time.monotonic() - begun < 2
        await db.check()


async def test_all_connections_in_use(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "GRACE_S", 0.1)
    async with open_pool(settings_for(postgres_dsn), size=1, timeout_s=0.2) as db:
        async with db.acquire():
            with pytest.raises(DatabaseUnavailable):
                await db.check()
        await db.check()


async def test_a_wrong_password_or_name_is_said(postgres_dsn: str) -> None:
    parts = urlsplit(postgres_dsn)
    for wrong, reason in (
        (parts._replace(netloc=f"playhead:wrong@127.0.0.1:{parts.port}"), "password"),
        (parts._replace(path="/nothing"), "does not exist"),
        (parts._replace(netloc=f"playhead:x@127.0.0.1:{free_port()}"), "Connect"),
    ):
        async with open_pool(settings_for(wrong.geturl())) as db:
            with pytest.raises(DatabaseUnavailable, match=reason):
                await db.check()


async def test_a_connection_cut_by_the_administrator(db: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as conn:
            await conn.execute("INSERT INTO t (x) VALUES (1)")
            await db.execute(
                "SELECT pg_terminate_backend($1)", await conn.fetchval("SELECT pg_backend_pid()")
            )
            await conn.execute("INSERT INTO t (x) VALUES (2)")
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as conn:
            await db.execute(
                "SELECT pg_terminate_backend($1)", await conn.fetchval("SELECT pg_backend_pid()")
            )
    with pytest.raises(DatabaseUnavailable):
        async with db.transaction() as conn:
            await db.execute(
                "SELECT pg_terminate_backend($1)", await conn.fetchval("SELECT pg_backend_pid()")
            )
            async for _ in conn.cursor("SELECT generate_series(1, 1000)"):
                pass
    assert await db.fetchval("SELECT count(*) FROM t") == 0


# -- a server that goes and comes back


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    own = PostgresServer()
    own.start()
    yield own
    own.close()


async def in_transaction(db: Database) -> None:
    async with db.transaction() as conn:
        await conn.execute("INSERT INTO t VALUES (1)")


async def by_copy(db: Database) -> None:
    async with db.transaction() as conn:
        await conn.copy_records_to_table("t", records=[(2,)])


async def by_cursor(db: Database) -> None:
    async with db.transaction() as conn:
        async for _ in conn.cursor("SELECT 1"):
            pass


USES: list[Callable[[Database], Awaitable[Any]]] = [
    lambda db: db.execute("SELECT 1"),
    lambda db: db.fetch("SELECT $1::int", 1),
    lambda db: db.fetchval("SELECT 1"),
    lambda db: db.executemany("INSERT INTO t VALUES ($1)", [(1,), (2,)]),
    lambda db: notify(db, "channel", "text"),
    in_transaction,
    by_copy,
    by_cursor,
]


async def all_fail(db: Database) -> None:
    for use in USES:
        with pytest.raises(DatabaseUnavailable):
            await use(db)


async def all_work(db: Database) -> None:
    for use in USES:
        await use(db)


async def test_a_server_that_is_stopped_or_killed_and_started_again(server: PostgresServer) -> None:
    async with open_pool(settings_for(server.dsn), size=3) as db:
        await db.execute("CREATE TABLE t (x int)")
        for end in (server.stop, server.kill):
            await all_work(db)
            async with db.acquire() as conn:
                end()
                with pytest.raises(DatabaseUnavailable):
                    await conn.execute("SELECT 1")
            await all_fail(db)
            server.start()
            await all_work(db)


async def test_a_server_that_ends_during_a_statement(server: PostgresServer) -> None:
    async with open_pool(settings_for(server.dsn)) as db:
        running = [asyncio.create_task(db.execute("SELECT pg_sleep(20)")) for _ in range(3)]
        await asyncio.sleep(0.5)
        server.stop()
        for task in running:
            with pytest.raises(DatabaseUnavailable):
                await task


async def test_a_frozen_server_is_not_waited_for(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "GRACE_S", 0.3)
    async with open_pool(settings_for(server.dsn), size=3, timeout_s=0.3) as db:
        await db.execute("CREATE TABLE t (x int)")
        await asyncio.gather(*(db.fetchval("SELECT 1, pg_sleep(0.05)") for _ in range(3)))
        server.freeze()
        for use in USES:
            begun = time.monotonic()
            with pytest.raises(DatabaseUnavailable):
                await use(db)
            assert time.monotonic() - begun < 3
        server.thaw()
        await all_work(db)


async def test_a_pool_opens_and_closes_without_a_server() -> None:
    async with open_pool(settings_for(f"postgresql://x@127.0.0.1:{free_port()}/x")) as db:
        with pytest.raises(DatabaseUnavailable):
            await db.check()


async def test_a_pool_closes_in_time_although_the_server_is_frozen(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "GRACE_S", 0.3)
    async with open_pool(settings_for(server.dsn)) as db:
        await db.check()
        server.freeze()
        begun = time.monotonic()
    assert time.monotonic() - begun < 2


# -- notices


class Heard:
    """A subscriber that can be waited for."""

    def __init__(self) -> None:
        self.payloads: list[str] = []
        self.gaps = 0
        self._changed = asyncio.Event()

    def hear(self, payload: str) -> None:
        self.payloads.append(payload)
        self._changed.set()

    def gap(self) -> None:
        self.gaps += 1
        self._changed.set()

    async def until(self, met: Callable[[Heard], bool]) -> None:
        async with asyncio.timeout(20):
            while not met(self):
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def listening(dsn: str, *channels: str) -> AsyncIterator[tuple[Notices, Heard]]:
    async with open_notices(settings_for(dsn)) as notices:
        heard = Heard()
        for channel in channels:
            await notices.subscribe(channel, heard.hear, on_gap=heard.gap)
        yield notices, heard


async def test_a_notice_reaches_every_process_that_listens(postgres_dsn: str, db: Database) -> None:
    async with (
        listening(postgres_dsn, "news", 'odd "name"') as (first, heard_first),
        listening(postgres_dsn, "news") as (_second, heard_second),
    ):
        await first.publish("news", "from a listener")
        await notify(db, "news", "from the pool")
        await notify(db, "other", "nobody hears this")
        await notify(db, 'odd "name"', "ü")
        await heard_first.until(lambda h: len(h.payloads) == 3)
        await heard_second.until(lambda h: len(h.payloads) == 2)
        assert heard_first.payloads == ["from a listener", "from the pool", "ü"]
        assert heard_second.payloads == ["from a listener", "from the pool"]
        assert heard_first.gaps == 0


async def test_a_notice_in_a_transaction_comes_at_its_commit(postgres_dsn: str, db: Database) -> None:
    async with listening(postgres_dsn, "news") as (_notices, heard):
        with pytest.raises(KeyError):
            async with db.transaction() as conn:
                await notify(conn, "news", "rolled back")
                raise KeyError
        async with db.transaction() as conn:
            await notify(conn, "news", "committed")
            assert heard.payloads == []
        await heard.until(lambda h: bool(h.payloads))
        assert heard.payloads == ["committed"]


async def test_a_notice_has_a_bound(db: Database) -> None:
    await notify(db, "news", "x" * 7999)
    with pytest.raises(ValueError, match="7999"):
        await notify(db, "news", "ü" * 4000)


def fail(payload: str) -> None:
    raise ValueError(payload)


async def test_a_failing_subscriber_hurts_nobody_else(postgres_dsn: str, db: Database) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    async with listening(postgres_dsn) as (notices, heard):
        await notices.subscribe("news", fail)
        await notices.subscribe("news", heard.hear)
        await notify(db, "news", "one")
        await notify(db, "news", "two")
        await heard.until(lambda h: len(h.payloads) == 2)
    assert [type(context["exception"]) for context in reported] == [ValueError, ValueError]


async def test_listening_goes_on_after_the_server_was_away(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices_module, "LAST_PAUSE_S", 0.2)
    async with listening(server.dsn, "news") as (notices, heard):
        server.kill()
        with pytest.raises(DatabaseUnavailable):
            await notices.publish("news", "lost")
        await notices.subscribe("subscribed meanwhile", heard.hear)
        server.start()
        await heard.until(lambda h: h.gaps == 1)
        for channel in ("news", "subscribed meanwhile"):
            await notices.publish(channel, channel)
        await heard.until(lambda h: len(h.payloads) == 2)


async def test_notices_open_without_a_server(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices_module, "LAST_PAUSE_S", 0.2)
    server.stop()
    async with listening(server.dsn, "news") as (notices, heard):
        assert not notices.connected
        server.start()
        await heard.until(lambda h: h.gaps == 1)
        await notices.publish("news", "here")
        await heard.until(lambda h: h.payloads == ["here"])


async def test_a_server_that_falls_silent_is_left(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("PING_S", 0.2),
        ("ANSWER_S", 0.3),
        ("LAST_PAUSE_S", 0.2),
        ("CONNECT_TIMEOUT_S", 0.5),
    ):
        monkeypatch.setattr(notices_module, name, value)
    async with listening(server.dsn, "news") as (notices, heard):
        server.freeze()
        await asyncio.sleep(1.5)
        assert not notices.connected
        server.thaw()
        await heard.until(lambda h: h.gaps == 1)
        await notices.publish("news", "again")
        await heard.until(lambda h: h.payloads == ["again"])
