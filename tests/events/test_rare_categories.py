"""Events of a rare category are found by way of the sessions that have it, and never missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from events import summaries
from events.search import RARE_SESSIONS, EventFilters, events_page
from playhead.settings import Settings
from storage.postgres import Database, open_pool

INSERT = """
INSERT INTO events (project_id, day, session_id, event_key, source, category, name, at_us, device_us, arrival, data)
SELECT 1, date '2026-01-01' + n % 3, $3, int8send($1::bigint) || int8send(n), 'json', $4, 'e' || n, $1 + n, $1 + n, n,
    '{}' FROM generate_series(1, $2::int) n
"""


@pytest.fixture
async def db(postgres_dsn: str) -> AsyncIterator[Database]:
    async with open_pool(Settings(database_url=postgres_dsn)) as opened:
        yield opened


async def put(db: Database, session_id: str, category: str, at_us: int, count: int = 3) -> None:
    await db.execute(INSERT, at_us, count, session_id, category)
    async with db.transaction() as conn:
        await summaries.recount(conn, 1, [session_id])


async def asked(db: Database, category: str, **filters: Any) -> list[int]:
    """Times of all events of the category, by pages of two."""
    found: list[int] = []
    cursor: str | None = None
    while True:
        wanted = EventFilters(exact={"category": category}, limit=2, cursor=cursor, **filters)
        page, cursor = await events_page(db, 1, wanted)
        found += [event.at_us for event in page]
        if cursor is None:
            return found


async def test_of_few_sessions_of_many_and_of_none(db: Database) -> None:
    await put(db, "a", "rare", 1_000)
    await put(db, "b", "rare", 500)
    await put(db, "b", "common", 700)
    for number in range(RARE_SESSIONS + 1):
        await put(db, f"s{number}", "common", 10_000 * number, count=1)
    assert await asked(db, "rare") == [501, 502, 503, 1_001, 1_002, 1_003]
    assert await asked(db, "rare", descending=True, end_us=1_001) == [1_001, 503, 502, 501]
    assert await asked(db, "none") == []
    common = await asked(db, "common")
    assert len(common) == RARE_SESSIONS + 4
    assert common == sorted(common)
    await put(db, "", "rare", 800)
    assert await asked(db, "rare") == [501, 502, 503, 801, 802, 803, 1_001, 1_002, 1_003]
    await put(db, "", "none", 900)
    assert await asked(db, "none") == [901, 902, 903]
