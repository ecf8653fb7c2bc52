"""Reading sessions: the store, the cache for those at rest, and late routing's candidates."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from cache import open_cache
from playhead.settings import load
from sessions import SessionService, SessionStart, SessionUpdate, apply_updates, open_sessions, store
from sessions.cached import SessionCodec
from sessions.ids import compose
from sessions.model import new_session
from storage.notices import open_notices
from storage.postgres import Database, open_pool

STARTED = 1_700_000_000_000


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Process:
    sessions: SessionService
    db: Database

    async def add(self, session_id: int, project_id: int = 1, **start: object) -> None:
        update = SessionUpdate(project_id, session_id, start=SessionStart.from_meta(start), messages=1)
        update.received(STARTED, due_ms=STARTED + 1)
        async with self.db.transaction() as conn:
            assert await apply_updates(conn, [update]) == []

    async def set(self, session_id: int, assignment: str) -> None:
        await self.db.execute(f"UPDATE sessions SET {assignment} WHERE session_id = $1", session_id)


@asynccontextmanager
async def process(dsn: str, redis_url: str) -> AsyncIterator[Process]:
    loaded = load({}, database_url=dsn, redis_url=redis_url)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_pool(loaded, size=3))
        bus = await stack.enter_async_context(open_notices(loaded))
        cache = await stack.enter_async_context(open_cache(loaded))
        yield Process(await open_sessions(loaded, db, cache, bus, wall_clock), db)


@pytest.fixture(params=[True, False], ids=["redis", "no redis"])
async def two(
    request: pytest.FixtureRequest, postgres_dsn: str, redis_url: str
) -> AsyncIterator[tuple[Process, Process]]:
    url = redis_url if request.param else ""
    async with process(postgres_dsn, url) as one, process(postgres_dsn, url) as other:
        yield one, other


@pytest.fixture
async def one(postgres_dsn: str) -> AsyncIterator[Process]:
    async with process(postgres_dsn, "") as alone:
        yield alone


async def test_a_live_session_is_never_old(two: tuple[Process, Process]):
    session_id = compose(STARTED, 1)
    await two[0].add(session_id)
    for step in range(3):
        await two[0].set(session_id, f"messages = {step}")
        for each in two:
            session = await each.sessions.get(1, session_id)
            assert session is not None and session.messages == step
            assert await each.sessions.find(session_id) == session


async def test_a_session_at_rest_is_held_until_its_change_is_told(two: tuple[Process, Process]):
    session_id = compose(STARTED, 1)
    await two[0].add(session_id)
    await two[0].set(session_id, "due_ms = NULL, recording = 1, issue_types = '{crash}'")
    for each in two:
        session = await each.sessions.get(1, session_id)
        assert session is not None and session.issue_types == ("crash",)
        assert await each.sessions.find(session_id) == session
    await two[0].set(session_id, "messages = 99")
    held = await two[1].sessions.get(1, session_id)
    assert held is not None and held.messages == 1
    fresh = await two[1].sessions.get_fresh(1, session_id)
    assert fresh is not None and fresh.messages == 99
    await two[0].sessions.changed([(1, session_id)])
    now = await two[0].sessions.get(1, session_id)
    assert now is not None and now.messages == 99
    for _ in range(100):
        session, found = await two[1].sessions.get(1, session_id), await two[1].sessions.find(session_id)
        if session is not None and session.messages == 99 and found == session:
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("not known after a second")


async def test_a_session_belongs_to_its_project(one: Process):
    session_id = compose(STARTED, 1)
    await one.add(session_id, project_id=1)
    assert await one.sessions.get(2, session_id) is None
    assert await store.find(one.db, session_id, [2, 3]) is None
    found = await store.find(one.db, session_id, [1, 2])
    assert found is not None and found.project_id == 1


@pytest.mark.parametrize("session_id", [0, -1, 2**63, 2**80])
async def test_impossible_ids_are_absent(one: Process, session_id: int):
    assert await one.sessions.get(1, session_id) is None
    assert await one.sessions.find(session_id) is None
    assert await one.sessions.get_fresh(1, session_id) is None


async def test_many_at_once_and_only_those_that_exist(one: Process):
    ids = [compose(STARTED, place) for place in range(5)]
    for session_id in ids:
        await one.add(session_id)
    found = await store.get_many(one.db, {(1, session_id) for session_id in ids[:3]} | {(2, ids[3]), (1, 77)})
    assert set(found) == {(1, session_id) for session_id in ids[:3]}
    assert await store.get_many(one.db, []) == {}
    async with one.db.transaction() as conn:
        assert set(await store.get_many(conn, [(1, ids[0])])) == {(1, ids[0])}


async def test_previous_sessions_of_a_user_newest_first(one: Process):
    for place in range(30):
        await one.add(compose(STARTED + place, 1), user_uuid="AB-1", device_start_ms=STARTED + place)
    await one.add(compose(STARTED + 3, 2), user_uuid="other")
    await one.add(compose(STARTED + 3, 3), project_id=2, user_uuid="AB-1")
    found = await one.sessions.previous_of(1, "ab-1".upper(), compose(STARTED + 25, 1))
    assert [session.started_ms - STARTED for session in found] == list(range(24, 4, -1))
    assert [session.device_start_ms for session in found] == [session.started_ms for session in found]
    assert await one.sessions.previous_of(1, "", compose(STARTED + 25, 1)) == []
    assert await one.sessions.previous_of(1, "nobody", compose(STARTED + 25, 1)) == []


async def test_a_user_is_the_same_in_either_spelling(one: Process):
    await one.add(compose(STARTED, 1), user_uuid="9A-BC")
    assert len(await one.sessions.previous_of(1, "9a-bc", compose(STARTED + 5, 1))) == 1


async def test_issues_by_time(one: Process):
    session_id = compose(STARTED, 1)
    for at_ms, kind in ((20, "crash"), (10, "anr")):
        await one.db.execute(
            "INSERT INTO issues (project_id, session_id, issue_key, type, at_ms, title, fingerprint, "
            "started_ms, detail) VALUES (1, $1, $2, $3, $4, 'title', 'f', 0, $5)",
            session_id,
            kind.encode(),
            kind,
            at_ms,
            {"count": at_ms},
        )
    assert await store.issues_of(one.db, 1, session_id) == [
        {"type": "anr", "at_ms": 10, "title": "title", "detail": {"count": 10}},
        {"type": "crash", "at_ms": 20, "title": "title", "detail": {"count": 20}},
    ]


def test_a_session_survives_the_way_through_json():
    session = new_session(1, compose(STARTED, 1))
    codec = SessionCodec()
    assert codec.decode(codec.encode(session)) == session
    with pytest.raises(KeyError):
        codec.decode(b'{"project_id": 1}')
