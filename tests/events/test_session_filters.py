"""Sessions by what one event of theirs holds: all combinations of filters against a plain reading, in all pages."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from events import session_list, summaries
from events.model import Event
from events.search import EventFilters
from events.session_list import sessions_page
from events.store import insert_new
from events.summaries import LONG_US, Tally
from playhead.settings import Settings
from storage.postgres import Database, open_pool

WALKED, FAR = 60, 40
OURS, OTHERS = 1, 2
BEGIN_US = 1_767_225_600_000_000


READ = """
SELECT coalesce(sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)), 0)::bigint FROM pg_stat_xact_user_tables
WHERE relname LIKE 'events\\_%'
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is asked for, and whether an event is that."""

    exact: dict[str, str]
    data: dict[tuple[str, ...], str]
    start_us: int | None
    end_us: int | None

    def filters(self, limit: int, cursor: str | None) -> EventFilters:
        return EventFilters(self.exact, self.data, self.start_us, self.end_us, limit=limit, cursor=cursor)

    def fits(self, event: Event) -> bool:
        return (
            all(getattr(event, name) == text for name, text in self.exact.items())
            and all(str(member(event.data, path)) == text for path, text in self.data.items())
            and (self.start_us is None or event.at_us >= self.start_us)
            and (self.end_us is None or event.at_us <= self.end_us)
        )


def member(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def an_event(rng: random.Random, number: int, session_id: str, at_us: int, **more: Any) -> Event:
    values: dict[str, Any] = dict(
        project_id=OURS,
        day=date(2026, 1, 1 + rng.randrange(5)),
        session_id=session_id,
        key=rng.randbytes(12) + number.to_bytes(4),
        source=rng.choice(["json", "json", "json", "mobile", "segment"]),
        category=rng.choice("abc"),
        name="n",
        at_us=at_us,
        device_us=at_us,
        arrival=number,
        data={"n": rng.randrange(4), "deep": {"kind": rng.choice(["odd", "plain", "plain"])}},
        user_id=rng.choice(["", "", "ana", "bob"]),
        event_id="",
    )
    return Event(**{**values, **more})


async def put(db: Database, events: list[Event]) -> None:
    async with db.transaction() as conn:
        tally = Tally()
        await insert_new(conn, events, tally)
        await tally.write(conn)


@pytest.fixture
async def db(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(session_list, "WALKED", WALKED)
    monkeypatch.setattr(session_list, "FAR", FAR)
    async with open_pool(Settings(database_url=postgres_dsn)) as opened:
        yield opened


def many(rng: random.Random) -> list[Event]:
    """Short sessions and some of days, one of very many events, none at all; another project with the same ids."""
    number = itertools.count(1)
    sent = []
    for place in range(30):
        began, length = (
            BEGIN_US + rng.randrange(20) * LONG_US // 4,
            rng.choice([1, LONG_US // 10, 3 * LONG_US]),
        )
        for _ in range(rng.choice([1, 2, 3, 25])):
            sent.append(an_event(rng, next(number), f"s{place}", began + rng.randrange(length)))
    sent += [
        an_event(
            rng, next(number), "huge", BEGIN_US + rng.randrange(6 * LONG_US), source="json", category="a"
        )
        for _ in range(3 * WALKED)
    ]
    for place in (3, 4, 20):
        rare = {"user_id": "eve", "data": {"n": 9, "deep": {"kind": "rare"}}}
        sent.append(an_event(rng, next(number), f"s{place}", BEGIN_US + LONG_US, **rare))
    sent += [an_event(rng, next(number), "", BEGIN_US + place, user_id="eve") for place in range(9)]
    for place in range(30):
        sent.append(
            an_event(rng, next(number), f"s{place}", BEGIN_US + LONG_US, project_id=OTHERS, user_id="eve")
        )
        sent.append(
            an_event(rng, next(number), f"o{place}", BEGIN_US + LONG_US, project_id=OTHERS, data={"n": 9})
        )
    return sent


async def pages(db: Database, asked: Asked, limit: int) -> list[list[tuple[str, int, int, int]]]:
    """All pages as (session, count, first, last)."""
    found = []
    cursor: str | None = None
    while True:
        page, cursor = await sessions_page(db, OURS, asked.filters(limit, cursor))
        assert len(page) <= limit
        found.append([(row.session_id, row.event_count, row.first_us, row.last_us) for row in page])
        if cursor is None:
            return found


def expected(sent: list[Event], asked: Asked) -> list[tuple[str, int, int, int]]:
    """A plain reading."""
    sessions: dict[str, list[Event]] = {}
    for event in sent:
        if event.project_id == OURS and event.session_id:
            sessions.setdefault(event.session_id, []).append(event)
    rows = []
    for session_id, own in sessions.items():
        if any(asked.fits(event) for event in own):
            times = [event.at_us for event in own]
            rows.append((session_id, len(own), min(times), max(times)))
    return sorted(rows, key=lambda row: (row[2], row[0]))


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_list_is_what_the_events_say(db: Database, seed: int) -> None:
    rng = random.Random(seed)
    sent = many(rng)
    await put(db, sent)
    marks = sorted(event.at_us for event in sent)
    cut = marks[len(marks) // 3]
    spans = [(None, None), (cut, None), (None, cut), (cut, cut + LONG_US // 8), (BEGIN_US + LONG_US,) * 2]
    matching = 0
    for source, category, user, kind, n, span in itertools.product(
        ("", "json", "segment"),
        ("", "a", "none"),
        ("", "ana", "eve"),
        ("", "odd", "rare"),
        ("", "1", "9"),
        spans,
    ):
        exact = {"source": source, "category": category, "user_id": user}
        data = {("deep", "kind"): kind, ("n",): n}
        asked = Asked(
            {name: text for name, text in exact.items() if text},
            {path: text for path, text in data.items() if text},
            *span,
        )
        plain = expected(sent, asked)
        found = await pages(db, asked, rng.choice([1, 2, 7, 1_000]))
        assert [*itertools.chain(*found)] == plain, asked
        matching += bool(plain)
    assert matching > 100


class Watched(Database):
    """A database that tells how many events were read in its last transaction."""

    rows = 0

    @contextlib.asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[Any]:
        async with super().transaction(**options) as conn:
            await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            before = await conn.fetchval(READ)
            yield conn
            self.rows = await conn.fetchval(READ) - before


async def test_pages_look_at_so_many_events_and_may_be_empty(db: Database) -> None:
    sent = many(random.Random(4))
    await put(db, sent)
    await db.execute("ANALYZE events, event_sessions")
    watched = Watched(db.pool, db.dsn, db.timeout_s)
    asked = Asked({}, {("deep", "kind"): "rare"}, None, None)
    found, most, cursor = [], 0, None
    while True:
        for _ in range(8):  # a plan for any values comes after the first few
            page, behind = await sessions_page(watched, OURS, asked.filters(10, cursor))
            most = max(most, watched.rows)
        found.append([row.session_id for row in page])
        cursor = behind
        if cursor is None:
            break
    assert sorted(itertools.chain(*found)) == ["s20", "s3", "s4"]
    assert len(found) > 3 * WALKED // FAR + 3
    assert found.count([]) >= len(found) - 3
    assert 0 < most <= 2 * WALKED  # those of a session of very many, and where they end


async def test_no_session_is_read_whole_because_most_are_small(db: Database) -> None:
    """What the server knows of sessions on the average makes sorting their events look cheap."""
    rng = random.Random(7)
    for day in range(1, 6):
        await db.execute(
            f"CREATE TABLE events_2026010{day} PARTITION OF events "
            f"FOR VALUES FROM ('2026-01-0{day}') TO ('2026-01-0{day + 1}')"
        )
    small = [an_event(rng, n, f"s{n % 300}", BEGIN_US + LONG_US + n) for n in range(300 * FAR // 2)]
    huge = [an_event(rng, 99_000 + n, "huge", BEGIN_US + n) for n in range(20 * FAR)]
    await put(db, [*small, *huge])
    await db.execute("ANALYZE events, event_sessions")
    watched = Watched(db.pool, db.dsn, db.timeout_s)
    for _ in range(8):
        found, cursor = await sessions_page(
            watched, OURS, Asked({}, {("n",): "9"}, None, None).filters(9, None)
        )
        assert found == [] and cursor is not None
        assert 0 < watched.rows <= 3 * FAR  # twice, and one more of each partition


@pytest.mark.parametrize("place", [0, FAR - 1, FAR, FAR + 1, 2 * FAR, 3 * FAR - 1])
async def test_none_of_very_many_events_is_passed_over(db: Database, place: int) -> None:
    rng = random.Random(6)
    huge = sorted((an_event(rng, n, "huge", BEGIN_US + n) for n in range(3 * FAR)), key=lambda e: e.key)
    huge[place] = huge[place]._replace(data={"n": 9})
    await put(db, huge)
    found = await pages(db, Asked({}, {("n",): "9"}, None, None), 10)
    assert [row[0] for row in itertools.chain(*found)] == ["huge"]
    assert len(found) == place // FAR + 2  # and whatever is behind the session


async def test_a_session_of_very_many_events_goes_while_it_is_looked_into(db: Database) -> None:
    rng = random.Random(5)
    huge = [an_event(rng, n, "huge", BEGIN_US + n) for n in range(5 * WALKED)]
    after = an_event(rng, 9_999, "after", BEGIN_US + LONG_US, data={"n": 9})
    await put(db, [*huge, after])
    asked = Asked({}, {("n",): "9"}, None, None)
    _, cursor = await sessions_page(db, OURS, asked.filters(10, None))
    _, cursor = await sessions_page(db, OURS, asked.filters(10, cursor))
    await db.execute("DELETE FROM events WHERE session_id = 'huge'")
    async with db.transaction() as conn:
        await summaries.recount(conn, OURS, ["huge"])
    found = []
    while cursor is not None:
        page, cursor = await sessions_page(db, OURS, asked.filters(10, cursor))
        found += [row.session_id for row in page]
    assert found == ["after"]
