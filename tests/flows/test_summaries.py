"""Summaries of sessions agree with the events, whatever is stored twice, corrected, erased, expired or written by an
older version; the list of sessions agrees with a plain reading of the events.
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from events import erased_users
from events.incoming import KIND, IncomingEvent, pack
from events.model import day_of
from events.search import EventFilters
from events.session_list import sessions_page
from events.summaries import BATCH, LONG_US, MEDIUM_US
from messages import encode
from messages.schema import MobileClickEvent
from projects.changes import ProjectCreate
from storage import migrate as migrations
from storage.migrate import known, migrate
from tests.flows.rig import NOW_MS, Rig, open_rig
from workers.recounting import recount
from workers.retention import remove_expired

DAY_MS = 86_400_000
NOW_US = NOW_MS * 1000

COUNTED = f"""
SELECT project_id, session_id, count(*) AS event_count, min(at_us) AS first_us, max(at_us) AS last_us,
    min(day) AS first_day, max(day) AS last_day, max(at_us) - min(at_us) > {LONG_US} AS long,
    max(at_us) - min(at_us) > {MEDIUM_US} AND max(at_us) - min(at_us) <= {LONG_US} AS medium
FROM events WHERE session_id <> '' GROUP BY 1, 2 ORDER BY 1, 2
"""
KEPT = "SELECT * FROM event_sessions ORDER BY project_id, session_id"
COUNTED_CATEGORIES = (
    "SELECT DISTINCT project_id, session_id, category FROM events WHERE session_id <> '' ORDER BY 1, 2, 3"
)
KEPT_CATEGORIES = "SELECT * FROM event_session_categories ORDER BY 1, 2, 3"


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


async def agreed(db: Any) -> dict[str, int]:
    """Events by session, once summaries and events were seen to agree."""
    for counted, kept in ((COUNTED, KEPT), (COUNTED_CATEGORIES, KEPT_CATEGORIES)):
        assert [dict(row) for row in await db.fetch(kept)] == [dict(row) for row in await db.fetch(counted)]
    return {row["session_id"]: row["event_count"] for row in await db.fetch(KEPT)}


def event(session_id: str | None = "s", **more: Any) -> IncomingEvent:
    values = {"source": "json", "category": "c", "name": "n", "at_us": NOW_US, "device_us": NOW_US}
    return IncomingEvent(**{**values, "session_id": session_id, **more})


async def append(rig: Rig, *events: IncomingEvent, **more: Any) -> None:
    await rig.append(KIND, None, pack(events), **more)


def taps(count: int, *, every_ms: int = 100) -> list[bytes]:
    return [encode(MobileClickEvent("Buy", 1, 2), timestamp=NOW_MS + n * every_ms) for n in range(count)]


async def test_what_is_sent_twice_or_late_adds_up_once(rig) -> None:
    body = pack([event(at_us=NOW_US + 5), event(event_id="e1"), event(None), event("t", category="d")])
    for _ in range(2):
        await rig.append(KIND, None, body)
    await append(rig, event(event_id="e1"), event(event_id="e1", at_us=1), event(at_us=NOW_US - 2 * LONG_US))
    session_id = await rig.start()
    for kind in ("batch", "batch", "late"):
        await rig.batch(session_id, taps(10), kind=kind)
    await rig.batch(session_id, taps(12)[5:], index=50)
    await append(rig, event(str(session_id)))
    await rig.work()
    assert await agreed(rig.services.db) == {"s": 3, "t": 1, str(session_id): 13}


async def test_findings_and_corrected_times_count(rig) -> None:
    session_id = await rig.start(device_ms=NOW_MS - 50_000)
    await rig.batch(session_id, taps(3), meta_ms=NOW_MS - 10_000)
    await rig.work()
    before = (await agreed(rig.services.db))[str(session_id)]
    await rig.batch(session_id, taps(5)[3:], index=10, meta_ms=NOW_MS + 5_000)
    await append(rig, event(str(session_id), category="issue"))
    await rig.work()
    for _ in range(2):
        await rig.record(session_id)
        assert (await agreed(rig.services.db))[str(session_id)] == before + 2 + 1 + 1
    first_us = await rig.services.db.fetchval("SELECT first_us FROM event_sessions")
    session = await rig.session(session_id)
    assert first_us == (NOW_MS + session.clock_offset_ms) * 1000


async def test_erasing_takes_summaries_along(rig) -> None:
    erased, kept = await rig.start(), await rig.start()
    for session_id in (erased, kept):
        await rig.batch(session_id, taps(2))
        await append(rig, event(str(session_id), user_id="ana", category="paid"))
    await append(
        rig, event("web", user_id="ana"), *(event(f"w{n}", user_id="bob") for n in range(BATCH + 50))
    )
    await append(rig, event("web", category="other"))
    await rig.work()
    db = rig.services.db
    await rig.services.replays.delete(await rig.session(erased))
    assert str(erased) not in await agreed(db)
    await erased_users.erase(db, rig.project_id, "ana", NOW_MS)
    left = await agreed(db)
    assert (left[str(kept)], left["web"], len(left)) == (2, 1, BATCH + 52)
    await erased_users.erase(db, rig.project_id, "bob", NOW_MS)
    assert len(await agreed(db)) == 2


async def test_retention_shortens_sessions(rig) -> None:
    db = rig.services.db
    await migrations.ensure_event_partitions(db, today=day_of(NOW_MS))
    mobile = await rig.start()
    await rig.batch(mobile, taps(2))
    await append(rig, event("all of it old"), event("part of it old", category="old"))
    await append(rig, event("part of it old", at_us=NOW_US + 7), at_ms=NOW_MS + 5 * DAY_MS)
    await rig.work()
    for days, left in ((30, 3), (33, 1), (36, 0)):
        await remove_expired(db, rig.services.objects, NOW_MS + days * DAY_MS)
        assert len(await agreed(db)) == left, days


async def test_events_of_older_workers_are_counted_afterwards(rig) -> None:
    """They store events and finish segments, but keep no summaries."""
    session_id = await rig.start()
    await rig.batch(session_id, taps(3))
    await append(rig, event("web"))
    await rig.work()
    db = rig.services.db
    assert await recount(db) == 0
    for table in ("event_sessions", "event_session_categories"):
        await db.execute(f"DELETE FROM {table}")
    await db.execute("UPDATE segments SET summed = false")
    await append(rig, event("web", category="new"))
    await rig.work()
    assert await recount(db) >= 2
    assert await agreed(db) == {str(session_id): 3, "web": 2}
    assert await recount(db) == 0


async def test_the_migration_counts_what_is_there(empty_dsn: str, tmp_path: Path) -> None:
    last = next(place for place, each in enumerate(known()) if each.name.endswith("event_sessions_of_before"))
    for each in known()[:last]:
        (tmp_path / f"{each.name}.sql").write_text(each.sql)
    await migrate(empty_dsn, folder=tmp_path)
    conn = await asyncpg.connect(empty_dsn)
    try:
        await conn.execute("""
            INSERT INTO events SELECT 1 + n % 2, date '2026-01-01' + n % 3, 's' || n % 7, int4send(n), 'json',
                'c' || n % 5, 'n', n * 40000000000, 0, n, '', '', '{}' FROM generate_series(1, 100) n;
            INSERT INTO events SELECT 1, '2026-01-01', '', int4send(n), 'json', 'c', 'n', n, 0, n, '', '', '{}'
                FROM generate_series(1, 3) n;
            INSERT INTO segments (segment_key, created_ms, bytes, records, ordered, accepted, state)
                VALUES ('a', 1, 1, 1, false, '{}', 'done'), ('b', 1, 1, 1, false, '{}', 'pending')
        """)
        await migrate(empty_dsn)
        assert len(await agreed(conn)) == 7
        assert await conn.fetch("SELECT segment_key FROM segments WHERE summed") == [("a",)]
    finally:
        await conn.close()


# -- the list


async def listed(rig: Rig, limit: int, **filters: Any) -> list[tuple[str, int, int, int]]:
    """All pages of the list as (session, count, first, last)."""
    found: list[tuple[str, int, int, int]] = []
    exact = {"category": filters.pop("category")} if "category" in filters else {}
    cursor = None
    while True:
        wanted = EventFilters(exact=exact, limit=limit, cursor=cursor, **filters)
        page, cursor = await sessions_page(rig.services.db, rig.project_id, wanted)
        assert len(page) == limit or cursor is None
        found += [(row.session_id, row.event_count, row.first_us, row.last_us) for row in page]
        if cursor is None:
            return found


async def test_the_list_is_what_the_events_say(rig) -> None:
    """Short sessions, some of days, gaps in them; every filter against a plain reading."""
    rng = random.Random(1)
    sent: list[IncomingEvent] = []
    for number in range(40):
        began = NOW_US - rng.randrange(20) * LONG_US // 4
        length = rng.choice([0, LONG_US // 10, 3 * LONG_US])
        for _ in range(rng.randrange(1, 4)):
            at_us = began + (rng.randrange(length) if length else 0)
            sent.append(event(f"s{number}", category=rng.choice("abc"), at_us=at_us))
    await append(rig, *sent)
    other = await rig.services.projects.create(ProjectCreate(name="Other", key="other"))
    await append(rig, event("foreign"), project_id=other.project_id)
    await rig.work()
    await agreed(rig.services.db)
    marks = sorted(each.at_us for each in sent)[::17]
    spans = [{}, *({"start_us": a} for a in marks), *({"end_us": a} for a in marks)]
    spans += [{"start_us": a, "end_us": b} for a, b in itertools.combinations(marks, 2)]
    spans += [{"start_us": a + 1, "end_us": a + 2} for a in marks]
    for span, category in itertools.product(spans, ("", "a", "none")):
        filters: dict[str, Any] = {**span, **({"category": category} if category else {})}
        expected = []
        for session_id in {each.session_id for each in sent}:
            own = [each for each in sent if each.session_id == session_id]
            if any(
                (not category or each.category == category)
                and span.get("start_us", -LONG_US) <= each.at_us <= span.get("end_us", NOW_US * 2)
                for each in own
            ):
                times = [each.at_us for each in own]
                expected.append((session_id, len(own), min(times), max(times)))
        expected.sort(key=lambda row: (row[2], row[0]))
        assert await listed(rig, 1000, **filters) == expected, filters
        if not span:
            assert await listed(rig, 7, **filters) == expected
    assert await listed(rig, 7, start_us=marks[2]) == await listed(rig, 1000, start_us=marks[2])


@pytest.mark.parametrize("span_us", [MEDIUM_US, LONG_US])
async def test_sessions_are_found_just_to_their_end_however_long_they_are(rig, span_us: int) -> None:
    at_us = NOW_US - 5 * LONG_US
    await append(rig, event("just", at_us=at_us), event("just", at_us=at_us + span_us))
    await append(rig, event("more", at_us=at_us), event("more", at_us=at_us + span_us + 1))
    await append(rig, event("custom", category="x", at_us=at_us))
    await rig.work()
    await agreed(rig.services.db)
    assert [row[0] for row in await listed(rig, 10, start_us=at_us + span_us)] == ["just", "more"]
    assert [row[0] for row in await listed(rig, 10, start_us=at_us + span_us + 1)] == ["more"]
    assert await listed(rig, 10, start_us=at_us + 1, end_us=at_us + 1000) == []
