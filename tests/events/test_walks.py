"""Events that no index leads to are walked through, so many for each page; what the pages bring is all there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain
from typing import Any

import pytest

from events import search
from events.search import EventFilters, events_page
from playhead.settings import Settings
from storage.postgres import Database, open_pool

WALKED = 100
INSERT = """
INSERT INTO events (project_id, day, session_id, event_key, source, category, name, at_us, device_us, arrival, user_id,
    data)
SELECT 1, date '2026-01-01' + n % 3, 's' || n % 7, int8send(n) || int8send(n),
    CASE WHEN n % 97 = 0 THEN 'segment' ELSE 'json' END, 'common', CASE WHEN n % 450 = 0 THEN 'rare' ELSE 'often' END,
    n / 2, n / 2, n, CASE WHEN n % 2 = 0 THEN 'ana' ELSE '' END, jsonb_build_object('n', n, 'deep', jsonb_build_object(
    'kind', CASE WHEN n % 400 = 7 THEN 'odd' ELSE 'plain' END))
FROM generate_series($1::int, $2::int) n
"""
ODD = ("deep", "kind")


@pytest.fixture
async def db(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(search, "WALKED", WALKED)
    async with open_pool(Settings(database_url=postgres_dsn)) as opened:
        await opened.execute(INSERT, 1, 1_000)
        yield opened


class Watched(Database):
    """A database that explains what it is asked: how many events were read."""

    rows = 0

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        (plan,) = await self.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}", *args)
        self.rows += sum(
            (each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"]
            for each in nodes(plan["Plan"])
            if each.get("Relation Name", "").startswith("events_")
        )
        return await super().fetch(query, *args)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes."""
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


async def pages(db: Database, **filters: Any) -> list[list[int]]:
    """`n` of the events of each page."""
    found: list[list[int]] = []
    cursor: str | None = None
    while True:
        page, cursor = await events_page(db, 1, EventFilters(cursor=cursor, **filters))
        found.append([event.data["n"] for event in page])
        if cursor is None:
            return found


@pytest.mark.parametrize("descending", [False, True])
async def test_pages_are_short_and_bring_everything_once(db: Database, descending: bool) -> None:
    found = await pages(db, data={ODD: "odd"}, descending=descending)
    assert len(found) == 1_000 // WALKED + 1
    expected = sorted((n for n in range(1, 1_001) if n % 400 == 7), reverse=descending)
    assert [*chain(*found)] == expected
    assert await pages(db, data={ODD: "nothing"}, descending=descending) == [[]] * len(found)


async def test_a_full_page_ends_behind_its_last_event(db: Database) -> None:
    found = await pages(db, exact={"source": "json"}, limit=30)
    assert [*chain(*found)] == [n for n in range(1, 1_001) if n % 97]
    assert {len(page) for page in found[:-1]} <= {30}


async def test_a_name_or_a_user_leads_to_its_events(db: Database) -> None:
    assert await pages(db, exact={"name": "rare"}) == [[450, 900]]
    assert await pages(db, exact={"name": "none"}) == [[]]
    assert await pages(db, exact={"name": "rare"}, data={("n",): "900"}) == [[900]]
    assert await pages(db, exact={"name": "rare", "source": "segment"}) == [[]]
    assert len(await pages(db, exact={"user_id": "ana", "source": "segment"})) == 500 // WALKED + 1
    await db.execute("UPDATE events SET user_id = 'eve' WHERE arrival = 901")
    assert await pages(db, exact={"user_id": "eve", "name": "often"}) == [[901]]


async def test_a_window_bounds_what_is_looked_at(db: Database) -> None:
    assert await pages(db, data={ODD: "odd"}, start_us=190, end_us=210) == [[407]]


async def test_of_a_session_nothing_but_its_own_events_is_read(db: Database) -> None:
    await db.execute(INSERT, 1_001, 20_000)
    await db.execute("UPDATE events SET session_id = 'half' WHERE arrival % 14 >= 7")
    await db.execute("ANALYZE events")
    watched = Watched(db.pool, db.dsn, db.timeout_s)
    assert await pages(watched, exact={"session_id": "half"}, data={ODD: "none"}, limit=10) == [[]]
    assert watched.rows == await db.fetchval("SELECT count(*) FROM events WHERE session_id = 'half'")


@pytest.mark.parametrize("descending", [False, True])
async def test_a_session_of_very_many_events_is_walked_within_its_time(
    db: Database, monkeypatch: pytest.MonkeyPatch, descending: bool
) -> None:
    monkeypatch.setattr(search, "RARE_EVENTS", 49)
    await db.execute(
        "UPDATE events SET session_id = 'long' WHERE arrival BETWEEN 401 AND 700 AND arrival % 3 = 0"
    )
    await db.execute(
        """
        INSERT INTO event_sessions SELECT project_id, session_id, count(*), min(at_us), max(at_us), min(day), max(day),
            false FROM events GROUP BY project_id, session_id
        """
    )
    expected = sorted((n for n in range(401, 701) if n % 3 == 0), reverse=descending)
    found = await pages(db, exact={"session_id": "long"}, descending=descending)
    assert [*chain(*found)] == expected
    assert len(found) == 298 // WALKED + 1  # its first is 402, its last 699
    of_ana = await pages(db, exact={"session_id": "long", "user_id": "ana"}, descending=descending)
    assert [*chain(*of_ana)] == [n for n in expected if n % 2 == 0]
    assert len(of_ana) == 149 // WALKED + 1


async def test_events_that_arrive_meanwhile_move_nothing(db: Database) -> None:
    """They lie before the cursor: not one of the others is passed over or there twice."""
    page, cursor = await events_page(db, 1, EventFilters(data={ODD: "odd"}))
    assert [event.data["n"] for event in page] == [7]
    await db.execute(INSERT.replace("n / 2", "0 * n"), 2_001, 2_050)
    rest = []
    while cursor is not None:
        page, cursor = await events_page(db, 1, EventFilters(data={ODD: "odd"}, cursor=cursor))
        rest += [event.data["n"] for event in page]
    assert rest == [407, 807]
