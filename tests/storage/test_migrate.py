"""Migrations happen once each, wholly, from any number of machines; day partitions of events come in time."""

from __future__ import annotations

import asyncio
import datetime
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from playhead.errors import DatabaseUnavailable
from playhead.settings import Settings
from storage import migrate as migrations
from storage.migrate import ensure_event_partitions, known, migrate, pending
from storage.postgres import Database, open_pool
from tests.servers import free_port

ALL = [migration.name for migration in known()]
HOWTO = Path(migrations.__file__).parents[1] / "docs/howto/fleet.md"
SCHEMA = Path(migrations.__file__).with_name("schema.sql")

INDEXES_BY_NAME = """
SELECT indexrelid, indexrelid::regclass::text FROM pg_index WHERE pg_get_indexdef(indexrelid) LIKE '%hashtext%'
"""

# Everything that DDL can make here, as text; the order of columns is left out, since a migration can only append.
CATALOG = r"""
SELECT 'extension ' || extname FROM pg_extension
UNION ALL
SELECT 'table ' || c.relname || ' ' || c.relkind::text || ' ' || coalesce(pg_get_partkeydef(c.oid), '')
    || coalesce(pg_get_expr(c.relpartbound, c.oid), '') || coalesce(array_to_string(c.reloptions, ','), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind NOT IN ('i', 'I')
UNION ALL
SELECT 'column ' || c.relname || '.' || attname || ' ' || format_type(atttypid, atttypmod) || ' '
    || attnotnull::text || attidentity::text || attgenerated::text || coalesce(pg_get_expr(adbin, adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
WHERE nspname = 'public' AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm')
UNION ALL
SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('e', 'd')
"""


def settings_for(dsn: str) -> Settings:
    return Settings.model_validate({"database_url": dsn})


async def catalog(conn: Any) -> list[str]:
    return sorted(row[0] for row in await conn.fetch(CATALOG) if "schema_migrations" not in row[0])


async def test_schema_sql_is_what_the_migrations_build(empty_dsn: str, postgres_dsn: str) -> None:
    from_file, from_migrations = await asyncpg.connect(empty_dsn), await asyncpg.connect(postgres_dsn)
    try:
        await from_file.execute(SCHEMA.read_text())
        picture = await catalog(from_file)
        assert picture == await catalog(from_migrations)
        assert len([line for line in picture if line.startswith("column ")]) > 100
    finally:
        await from_file.close()
        await from_migrations.close()


async def test_a_second_run_does_nothing(empty_dsn: str) -> None:
    assert await migrate(empty_dsn) == ALL
    assert await migrate(empty_dsn) == []


async def test_what_is_pending_is_named(empty_dsn: str) -> None:
    async with open_pool(settings_for(empty_dsn)) as db:
        assert await pending(db) == ALL
        await migrate(empty_dsn)
        assert await pending(db) == []


async def test_a_newer_database_is_accepted(postgres_dsn: str) -> None:
    async with open_pool(settings_for(postgres_dsn)) as db:
        await db.execute("INSERT INTO schema_migrations VALUES ('9999_from_the_future', 0)")
        assert await migrate(postgres_dsn) == []
        assert await pending(db) == []


async def test_a_server_that_is_away_is_named() -> None:
    with pytest.raises(DatabaseUnavailable):
        await migrate(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")


RUN = """
import asyncio, sys
from pathlib import Path
from storage.migrate import migrate
print(",".join(asyncio.run(migrate(sys.argv[1], folder=Path(sys.argv[2])))))
"""


async def start_migrating(dsn: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, dsn, str(folder), stdout=asyncio.subprocess.PIPE
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three migrations, of which the second is slow as long as the table `slow` has rows."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE slow (x int); CREATE TABLE counted (x int);")
    (tmp_path / "0002_second.sql").write_text(
        "CREATE TABLE half (x int); INSERT INTO counted VALUES (2);"
        "SELECT pg_sleep(60 * count(*)) FROM slow; CREATE TABLE whole (x int);"
    )
    (tmp_path / "0003_third.sql").write_text("INSERT INTO counted VALUES (3);")
    (tmp_path / "README.md").write_text("not SQL")
    return tmp_path


async def test_many_processes_at_once_apply_each_migration_once(empty_dsn: str, folder: Path) -> None:
    running = [await start_migrating(empty_dsn, folder) for _ in range(5)]
    outputs = [(await process.communicate())[0].decode().strip() for process in running]
    assert [process.returncode for process in running] == [0] * 5
    applied = sorted(name for output in outputs for name in output.split(",") if name)
    assert applied == ["0001_first", "0002_second", "0003_third"]
    conn = await asyncpg.connect(empty_dsn)
    assert [row["x"] for row in await conn.fetch("SELECT x FROM counted ORDER BY x")] == [2, 3]
    await conn.close()


async def test_a_migration_killed_in_the_middle_is_as_if_never_begun(empty_dsn: str, folder: Path) -> None:
    third = folder / "0003_third.sql"
    second = folder / "0002_second.sql"
    later = {path: path.read_text() for path in (second, third)}
    for path in later:
        path.unlink()
    await migrate(empty_dsn, folder=folder)
    for path, text in later.items():
        path.write_text(text)
    conn = await asyncpg.connect(empty_dsn)
    await conn.execute("INSERT INTO slow VALUES (1)")
    process = await start_migrating(empty_dsn, folder)
    for _ in range(400):
        if await conn.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            break
        await asyncio.sleep(0.05)
    process.kill()
    await process.wait()
    assert await conn.fetchval("SELECT to_regclass('half')") is None
    await conn.execute("TRUNCATE slow")
    begun = time.monotonic()
    assert await migrate(empty_dsn, folder=folder) == ["0002_second", "0003_third"]
    assert time.monotonic() - begun < 20  # the server noticed that its client had gone
    assert await conn.fetchval("SELECT count(*) FROM counted") == 2
    await conn.close()


async def test_a_failing_migration_leaves_nothing_and_is_not_marked(empty_dsn: str, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("CREATE TABLE half (x int); SELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_dsn, folder=folder)
    conn = await asyncpg.connect(empty_dsn)
    assert await conn.fetchval("SELECT to_regclass('half')") is None
    assert [row["name"] for row in await conn.fetch("SELECT name FROM schema_migrations")] == ["0001_first"]
    await conn.close()


async def test_a_busy_table_is_waited_for_without_making_others_queue(empty_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE busy (x int);")
    await migrate(empty_dsn, folder=tmp_path)
    (tmp_path / "0002_second.sql").write_text("ALTER TABLE busy ADD COLUMN y int;")
    holder, reader = await asyncpg.connect(empty_dsn), await asyncpg.connect(empty_dsn)
    holding = holder.transaction()
    await holding.start()
    await holder.execute("SELECT * FROM busy")
    task = asyncio.create_task(migrate(empty_dsn, folder=tmp_path))
    slowest = 0.0
    until = time.monotonic() + 6
    while time.monotonic() < until:
        begun = time.monotonic()
        await reader.execute("SELECT * FROM busy")
        slowest = max(slowest, time.monotonic() - begun)
        await asyncio.sleep(0.1)
    assert not task.done()
    assert slowest < 4
    await holding.rollback()
    assert await task == ["0002_second"]
    await holder.close()
    await reader.close()


# -- an index on many events


@pytest.fixture
def before_0018(tmp_path: Path) -> Path:
    """The migrations of a version that had no events by name."""
    for path in migrations.FOLDER.glob("[0-9]*.sql"):
        if path.stem < "0018":
            shutil.copy(path, tmp_path)
    return tmp_path


async def test_a_reader_does_not_throw_away_what_took_long_to_build(
    empty_dsn: str, before_0018: Path
) -> None:
    await migrate(empty_dsn, folder=before_0018)
    async with open_pool(settings_for(empty_dsn)) as db:
        async with db.transaction() as reader:
            await reader.fetchval("SELECT count(*) FROM events")
            begun = time.monotonic()
            migrating = asyncio.create_task(migrate(empty_dsn))
            while "0018_events_by_name" in await pending(db):
                assert not migrating.done()
                assert time.monotonic() - begun < 20
                await asyncio.sleep(0.1)
            assert "0019_events_without_brin" in await pending(db)
        assert (await migrating)[:2] == ["0018_events_by_name", "0019_events_without_brin"]


async def test_an_index_that_was_built_beforehand_is_taken(empty_dsn: str, before_0018: Path) -> None:
    await migrate(empty_dsn, folder=before_0018)
    told = re.search(r"```sql\n(.*?)\\gexec", HOWTO.read_text(), re.DOTALL)
    assert told
    async with open_pool(settings_for(empty_dsn)) as db:
        await ensure_event_partitions(db)
        for row in await db.fetch(told[1]):
            await db.execute(row[0])
        built = set(await db.fetch(INDEXES_BY_NAME))
        assert len(built) == 6
        await migrate(empty_dsn)
        assert {row for row in await db.fetch(INDEXES_BY_NAME) if row[1] != "events_by_name"} == built
    assert await migrate(empty_dsn) == []


# -- day partitions

TODAY = datetime.date(2027, 12, 31)
NAMES = ["events_20271230", "events_20271231", "events_20280101", "events_20280102", "events_20280103"]
INSERT = """
INSERT INTO events (project_id, day, event_key, source, category, name, at_us, device_us, arrival, data)
SELECT 1, $1, decode(md5(n::text), 'hex'), 'json', 'c', 'n', n, n, n, '{}' FROM generate_series($2::int, $3::int) n
"""


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[Database]:
    async with open_pool(settings_for(postgres_dsn)) as database:
        yield database


async def rows_by_partition(db: Database) -> dict[str, int]:
    return {
        row[0]: row[1]
        for row in await db.fetch("SELECT tableoid::regclass::text, count(*) FROM events GROUP BY 1")
    }


async def test_partitions_from_yesterday_on(db: Database) -> None:
    assert await ensure_event_partitions(db, today=TODAY) == NAMES
    assert await ensure_event_partitions(db, today=TODAY) == []
    assert await ensure_event_partitions(db, days_ahead=4, today=TODAY) == ["events_20280104"]
    for distance in (-2, -1, 0, 3):
        await db.execute(INSERT, TODAY + datetime.timedelta(days=distance), 1, 10)
    assert await rows_by_partition(db) == {
        "events_rest": 10, "events_20271230": 10, "events_20271231": 10, "events_20280103": 10,
    }  # fmt: skip


async def test_rows_of_the_default_partition_move_in(db: Database) -> None:
    await db.execute(INSERT, TODAY, 1, 100)
    await db.execute(INSERT, datetime.date(2020, 1, 1), 1, 5)
    await ensure_event_partitions(db, today=TODAY)
    assert await rows_by_partition(db) == {"events_rest": 5, "events_20271231": 100}
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.execute(INSERT, TODAY, 50, 50)


async def test_a_partition_has_the_indexes_of_its_table(db: Database) -> None:
    await ensure_event_partitions(db, today=TODAY)
    query = """
    SELECT count(*) FROM pg_inherits JOIN pg_index ON indexrelid = inhrelid WHERE indrelid = $1::text::regclass
    """
    count = await db.fetchval("SELECT count(*) FROM pg_index WHERE indrelid = 'events'::regclass")
    assert await db.fetchval(query, NAMES[0]) == count == await db.fetchval(query, "events_rest")


async def test_many_at_once_while_events_arrive(postgres_dsn: str, db: Database) -> None:
    async def arrive() -> int:
        stored = 0
        for n in range(40):
            await db.execute(INSERT, TODAY, n * 10, n * 10 + 9)
            stored += 10
        return stored

    arriving = asyncio.create_task(arrive())
    made = await asyncio.gather(*(ensure_event_partitions(db, today=TODAY) for _ in range(4)))
    assert sorted(name for names in made for name in names) == NAMES
    assert await arriving == 400
    assert await rows_by_partition(db) == {"events_20271231": 400}


async def test_a_busy_table_is_an_error_to_try_again_later(db: Database) -> None:
    async with db.transaction() as conn:
        await conn.execute(INSERT, TODAY, 1, 10)
        begun = time.monotonic()
        with pytest.raises(DatabaseUnavailable):
            await ensure_event_partitions(db, today=TODAY)
        assert time.monotonic() - begun < 5
    assert await ensure_event_partitions(db, today=TODAY) == NAMES
    assert await rows_by_partition(db) == {"events_20271231": 10}
