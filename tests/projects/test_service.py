"""Projects and API keys on real Postgres and Redis, also as two processes would have them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from cache import open_cache
from playhead.errors import Conflict, DatabaseUnavailable, NotFound
from playhead.settings import load
from projects import ApiKeys, ProjectService, open_projects, parse_changes, parse_create
from storage.migrate import migrate
from storage.notices import open_notices
from storage.postgres import Database, open_pool
from tests.servers import PostgresServer, RedisServer


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Process:
    projects: ProjectService
    keys: ApiKeys
    db: Database


@asynccontextmanager
async def process(dsn: str, redis_url: str, timeout_s: float = 30) -> AsyncIterator[Process]:
    """What one process of a fleet has."""
    loaded = load({}, database_url=dsn, redis_url=redis_url, cache_ttl_s=3600, database_timeout_s=timeout_s)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_pool(loaded, size=3))
        bus = await stack.enter_async_context(open_notices(loaded))
        cache = await stack.enter_async_context(open_cache(loaded))
        projects, keys = await open_projects(loaded, db, cache, bus, wall_clock)
        yield Process(projects, keys, db)


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


async def test_a_project_is_found_by_key_and_by_id(two: tuple[Process, Process]):
    made = await two[0].projects.create(
        parse_create({"name": "Shop", "key": "shop", "conditions": [{"name": "c"}]})
    )
    assert made.project_id > 0
    for each in two:
        for _ in range(2):
            assert await each.projects.by_key("shop") == made
            assert await each.projects.by_id(made.project_id) == made
            assert await each.projects.find_by_id(made.project_id) == made
    assert await two[1].projects.list() == [made]


async def test_a_new_project_is_known_although_its_absence_was_held(two: tuple[Process, Process]):
    for each in two:
        with pytest.raises(NotFound):
            await each.projects.by_key("shop")
    await two[0].projects.create(parse_create({"name": "Shop", "key": "shop"}))
    await eventually(two[1], "shop", lambda project: project.name == "Shop")


async def test_a_change_is_known_everywhere_within_a_second(two: tuple[Process, Process]):
    await two[0].projects.create(parse_create({"name": "Shop", "key": "shop"}))
    for each in two:
        await each.projects.by_key("shop")
    changed = await two[0].projects.update("shop", parse_changes({"sample_rate": 7}))
    assert (await two[0].projects.by_key("shop")).sample_rate == 7
    assert (await two[0].projects.by_id(changed.project_id)).sample_rate == 7
    await eventually(two[1], "shop", lambda project: project.sample_rate == 7)


async def eventually(where: Process, key: str, holds, within_s: float = 1.0) -> None:
    deadline = time.monotonic() + within_s
    while True:
        try:
            if holds(await where.projects.by_key(key)):
                return
        except NotFound:
            pass
        assert time.monotonic() < deadline, "not known in time"
        await asyncio.sleep(0.01)


async def test_a_taken_key_is_a_conflict(one: Process):
    await one.projects.create(parse_create({"name": "Shop", "key": "shop"}))
    with pytest.raises(Conflict):
        await one.projects.create(parse_create({"name": "Other", "key": "shop"}))


async def test_an_inactive_project_is_found_only_by_who_wants_it(one: Process):
    await one.projects.create(parse_create({"name": "Shop", "key": "shop"}))
    await one.projects.update("shop", parse_changes({"active": False}))
    with pytest.raises(NotFound):
        await one.projects.by_key("shop")
    assert not (await one.projects.by_key("shop", inactive=True)).active
    await one.projects.update("shop", parse_changes({"active": True}))
    assert (await one.projects.by_key("shop")).active


@pytest.mark.parametrize("key", ["", "none", "x" * 10_000, "a\0b", "ключ", "'; --"])
async def test_an_unknown_key_is_not_found_whatever_it_looks_like(one: Process, key: str):
    with pytest.raises(NotFound):
        await one.projects.by_key(key)
    with pytest.raises(NotFound):
        await one.projects.update(key.replace("\0", ""), parse_changes({"name": "x"}))


@pytest.mark.parametrize("project_id", [0, -1, 999, 2**31, 2**70])
async def test_an_unknown_id_is_not_found(one: Process, project_id: int):
    assert await one.projects.find_by_id(project_id) is None
    with pytest.raises(NotFound):
        await one.projects.by_id(project_id)


async def test_concurrent_changes_do_not_undo_each_other(two: tuple[Process, Process]):
    await two[0].projects.create(parse_create({"name": "Shop", "key": "shop"}))
    changes = [
        {"sample_rate": 5},
        {"retention_days": 9},
        {"hamustro": {"masked_ip": True}},
        {"events": {"open": True}},
    ]
    await asyncio.gather(
        *(
            two[place % 2].projects.update("shop", parse_changes(values))
            for place, values in enumerate(changes)
        )
    )
    project = (await two[0].projects.list())[0]
    assert (project.sample_rate, project.retention_days) == (5, 9)
    assert project.options.hamustro.masked_ip and project.options.events.open


async def test_frequent_images_by_use_then_recency(one: Process):
    project = await one.projects.create(parse_create({"name": "Shop"}))
    rows = [(b"%03d" % place, f"image-{place:03}", place % 25, 1000 + place) for place in range(60)]
    await one.db.executemany(
        "INSERT INTO images (project_id, digest, name, format, bytes, uses, used_ms) "
        "VALUES ($1, $2, $3, 'png', 10, $4, $5)",
        [(project.project_id, *row) for row in rows] + [(project.project_id + 1, b"x", "foreign", 99, 1)],
    )
    wanted = [row[1] for row in sorted(rows, key=lambda row: (-row[2], -row[3]))][:40]
    assert list(await one.projects.frequent_images(project.project_id)) == wanted
    assert await one.projects.frequent_images(project.project_id + 7) == ()


async def test_projects_are_served_while_the_database_is_away_and_redis_too():
    server, redis = PostgresServer(), RedisServer()
    server.start()
    redis.start()
    try:
        await migrate(server.dsn)
        async with process(server.dsn, redis.url, timeout_s=2) as alone:
            await alone.projects.create(parse_create({"name": "Shop", "key": "shop"}))
            await alone.projects.by_key("shop")
            server.stop()
            redis.stop()
            assert (await alone.projects.by_key("shop")).name == "Shop"
            with pytest.raises(DatabaseUnavailable):
                await alone.projects.by_key("other")
            server.start()
            with pytest.raises(NotFound):
                await alone.projects.by_key("other")
    finally:
        server.close()
        redis.close()


async def test_an_api_key_opens_its_project_until_it_is_revoked(two: tuple[Process, Process]):
    project = await two[0].projects.create(parse_create({"name": "Shop"}))
    key, secret = await two[0].keys.create(project.project_id, "read")
    for each in two:
        for _ in range(2):
            known = await each.keys.authenticate(secret)
            assert known is not None
            assert (known.api_key_id, known.project_id, known.role) == (
                key.api_key_id,
                project.project_id,
                "read",
            )
    revoked = await two[1].keys.revoke(key.api_key_id)
    assert revoked.revoked_ms is not None
    assert await two[1].keys.authenticate(secret) is None
    for _ in range(100):
        if await two[0].keys.authenticate(secret) is None:
            break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("still valid after a second")
    assert (await two[1].keys.revoke(key.api_key_id)).revoked_ms == revoked.revoked_ms
    assert [each.api_key_id for each in await two[0].keys.list(project.project_id)] == [key.api_key_id]


async def test_only_a_hash_of_the_secret_is_kept(one: Process, postgres_dsn: str):
    project = await one.projects.create(parse_create({"name": "Shop"}))
    _, secret = await one.keys.create(project.project_id, "write")
    conn = await asyncpg.connect(postgres_dsn)
    row = await conn.fetchrow("SELECT api_keys::text AS text FROM api_keys")
    await conn.close()
    assert secret not in row["text"] and secret.removeprefix("phk_") not in row["text"]


@pytest.mark.parametrize(
    "secret", ["", "phk_", "phk_unknown", "x" * 100_000, "phk_" + "y" * 1000, "phk_\0\udc80"]
)
async def test_unknown_secrets_open_nothing(one: Process, secret: str):
    assert await one.keys.authenticate(secret) is None


async def test_keys_of_projects_and_ids_that_do_not_exist(one: Process):
    with pytest.raises(NotFound):
        await one.keys.create(99, "read")
    with pytest.raises(NotFound):
        await one.keys.revoke("unknown")
    project = await one.projects.create(parse_create({"name": "Shop"}))
    key, secret = await one.keys.create(project.project_id, "read")
    with pytest.raises(NotFound):
        await one.keys.revoke(key.api_key_id, project_id=project.project_id + 1)
    assert await one.keys.authenticate(secret) is not None
