"""Values by which sessions are found: there as long as a session has them, whoever writes at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from playhead.settings import Settings
from sessions import terms
from storage.postgres import Database, open_pool


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[Database]:
    async with open_pool(Settings(database_url=postgres_dsn)) as opened:
        yield opened


def row(session_id: int, value: str, project_id: int = 1) -> terms.Row:
    return project_id, "user_id", value, session_id, session_id


async def add(source: Any, *rows: terms.Row) -> None:
    await terms.insert(source, rows)


async def values(db: Database, project_id: int = 1) -> list[str]:
    found = await db.fetch("SELECT value FROM facet_values WHERE project_id = $1 ORDER BY value", project_id)
    return [each[0] for each in found]


async def test_a_value_goes_with_its_last_session(db: Database) -> None:
    await add(db, row(1, "ana"), row(2, "ana"), row(2, "bob"), row(3, "ana", project_id=2))
    await db.execute("DELETE FROM facets WHERE project_id = 1 AND session_id = 2")
    assert await values(db) == ["ana", "bob"]
    await terms.purge(db)
    assert await values(db) == ["ana"]
    await db.execute("DELETE FROM facets WHERE project_id = 1")
    await terms.purge(db)
    assert await values(db) == []
    assert await values(db, 2) == ["ana"]
    assert await db.fetchval("SELECT count(*) FROM loose_values") == 0


async def test_what_a_recording_corrects_is_forgotten(db: Database) -> None:
    await add(db, row(1, "guess"))
    await terms.replace(db, 1, 1, 1, [("user_id", "right")])
    await terms.purge(db)
    assert await values(db) == ["right"]


async def test_more_values_than_one_statement_takes_go_at_once(db: Database) -> None:
    await add(db, *(row(n, f"user {n}") for n in range(2 * terms.PURGED + 5)))
    await db.execute("DELETE FROM facets")
    await terms.purge(db)
    assert await values(db) == []


async def test_a_value_that_is_being_written_stays(db: Database) -> None:
    """The writer has seen that the value is there; the purge sees no session that has it."""
    await add(db, row(1, "ana"), row(1, "eve"))
    await db.execute("DELETE FROM facets")
    async with db.transaction() as conn:
        await add(conn, row(2, "ana"))
        purge = asyncio.create_task(terms.purge(db))
        while not await db.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        ):
            assert not purge.done()
            await asyncio.sleep(0.01)
    await purge
    assert await values(db) == ["ana"]


async def test_a_writer_that_takes_long_is_not_waited_for(db: Database) -> None:
    await add(db, row(1, "ana"))
    async with db.transaction() as conn:
        await conn.execute("DELETE FROM facets")
        await terms.purge(db)
    assert await values(db) == ["ana"]
    await terms.purge(db)
    assert await values(db) == []
