"""Redis stops, hangs and returns: the cache switches off by itself and on again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from cache.redis_cache import RedisCache, connect
from tests.servers import RedisServer


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
async def cache(own_server: RedisServer) -> AsyncIterator[RedisCache]:
    client = connect(own_server.url)
    yield RedisCache(client, pause_ms=100)
    await client.aclose()


async def until_on(cache: RedisCache) -> None:
    for _ in range(200):
        if not await cache.check():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("still off")


async def test_off_while_the_server_is_away_and_on_when_it_returns(
    own_server: RedisServer, cache: RedisCache
):
    await cache.set("key", b"value", 60_000)
    own_server.stop()
    assert await cache.get("key") is None
    assert not cache.on
    assert not await cache.set("key", b"value", 60_000)
    assert "Redis" in await cache.check()
    own_server.start()
    await until_on(cache)
    assert await cache.set("key", b"again", 60_000)
    assert await cache.get("key") == b"again"


async def test_while_off_calls_answer_at_once(own_server: RedisServer):
    client = connect(own_server.url)
    cache = RedisCache(client, pause_ms=60_000)
    own_server.freeze()
    await cache.get("key")  # waits for its timeout, then the cache is off
    began = time.monotonic()
    for _ in range(100):
        assert await cache.get("key") is None
    assert time.monotonic() - began < 0.2
    own_server.thaw()
    await client.aclose()


async def test_a_frozen_server_costs_one_timeout_not_one_per_call(own_server: RedisServer, cache: RedisCache):
    await cache.set("key", b"value", 60_000)
    own_server.freeze()
    began = time.monotonic()
    await asyncio.gather(*(cache.get("key") for _ in range(20)))
    assert time.monotonic() - began < 3
    assert not cache.on
    own_server.thaw()
    await until_on(cache)
    assert await cache.get("key") == b"value"


async def test_a_bar_missed_during_an_absence_is_set_before_anything_is_read(
    own_server: RedisServer, cache: RedisCache
):
    await cache.set("key", b"old", 60_000)
    own_server.freeze()
    await cache.bar("key", 60_000)
    own_server.thaw()
    await until_on(cache)
    assert await cache.get("key") is None
    assert not await cache.set("key", b"old", 60_000)


async def test_a_killed_server_that_returns_empty_is_used_again(own_server: RedisServer, cache: RedisCache):
    await cache.set("key", b"value", 60_000)
    own_server.kill()
    assert await cache.get("key") is None
    own_server.start()
    await until_on(cache)
    assert await cache.get("key") is None
    assert await cache.set("key", b"value", 60_000)  # the script is unknown to the new server
    assert await cache.get("key") == b"value"
