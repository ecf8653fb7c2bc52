"""A change in one process is known in all within a second: real Postgres notices, real Redis, a real process."""

from __future__ import annotations

import asyncio
import sys
import time

import asyncpg
import pytest

from cache import LayeredCache, Lives, open_cache
from playhead.settings import load
from storage.notices import open_notices
from tests.cache.test_layered import TextCodec, Truth

OTHER_PROCESS = """
import asyncio, sys, time
from cache import LayeredCache, open_cache
from playhead.settings import load
from storage.notices import open_notices
from tests.cache.test_layered import TextCodec, Truth

async def main():
    settings = load({}, database_url=sys.argv[1], redis_url=sys.argv[2])
    async with open_cache(settings) as shared, open_notices(settings) as bus:
        clock = lambda: time.time_ns() // 1_000_000
        cache = LayeredCache("text", load=Truth().load, codec=TextCodec(), shared=shared, clock=clock, bus=bus)
        await cache.invalidate("a", *(f"k{place}" for place in range(2000)))

asyncio.run(main())
"""


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


async def until(cache: LayeredCache[str], key: str, value: str) -> float:
    """How long it takes until `key` has this value, s."""
    began = time.monotonic()
    for _ in range(500):
        if await cache.get(key) == value:
            return time.monotonic() - began
        await asyncio.sleep(0.01)
    raise AssertionError(f"{key} never became {value}")


@pytest.mark.parametrize("with_redis", [True, False])
async def test_another_process_changes_many_values(postgres_dsn: str, redis_url: str, with_redis: bool):
    url = redis_url if with_redis else ""
    settings = load({}, database_url=postgres_dsn, redis_url=url)
    truth = Truth(a="v1", k1999="v1", other="v1")
    async with open_cache(settings) as shared, open_notices(settings) as bus:
        cache = LayeredCache(
            "text",
            load=truth.load,
            codec=TextCodec(),
            shared=shared,
            clock=wall_clock,
            bus=bus,
            lives=Lives(ttl_ms=3_600_000),
        )
        await cache.start()
        for key in truth.values:
            assert await cache.get(key) == "v1"
        truth.values = dict.fromkeys(truth.values, "v2")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-c", OTHER_PROCESS, postgres_dsn, url
        )
        assert await process.wait() == 0
        assert await until(cache, "a", "v2") < 1
        assert await until(cache, "k1999", "v2") < 1
        assert await cache.get("other") == "v1"


async def test_what_changed_while_the_bus_was_away_is_noticed_when_it_returns(postgres_dsn: str):
    settings = load({}, database_url=postgres_dsn)
    truth = Truth(a="v1")
    async with open_cache(settings) as shared, open_notices(settings) as bus:
        cache = LayeredCache(
            "text", load=truth.load, codec=TextCodec(), shared=shared, clock=wall_clock, bus=bus
        )
        await cache.start()
        assert await cache.get("a") == "v1"
        truth.values["a"] = "v2"
        conn = await asyncpg.connect(postgres_dsn)
        await conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await conn.close()
        assert await until(cache, "a", "v2") < 10


async def test_a_bus_that_is_away_does_not_hinder_a_change(postgres_dsn: str):
    settings = load({}, database_url="postgresql://nobody@127.0.0.1:1/none")
    truth = Truth(a="v1")
    async with open_cache(settings) as shared, open_notices(settings) as bus:
        cache = LayeredCache(
            "text", load=truth.load, codec=TextCodec(), shared=shared, clock=wall_clock, bus=bus
        )
        await cache.start()
        await cache.get("a")
        truth.values["a"] = "v2"
        await cache.invalidate("a")
        assert await cache.get("a") == "v2"
