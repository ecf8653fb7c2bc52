"""The promises of cache.contract.Cache, for every driver."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from cache import Cache, MemoryCache, open_cache
from playhead.settings import load


def wall_clock() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(wall_clock)
        return
    async with open_cache(load({}, redis_url=request.getfixturevalue("redis_url"))) as opened:
        yield opened


async def test_what_is_set_is_got(cache: Cache):
    assert await cache.set("key", b"\x00\xffvalue", 10_000)
    assert await cache.get("key") == b"\x00\xffvalue"


async def test_an_unknown_key_is_absent(cache: Cache):
    assert await cache.get("unknown") is None


async def test_a_later_value_replaces_the_former(cache: Cache):
    await cache.set("key", b"one", 10_000)
    await cache.set("key", b"two", 10_000)
    assert await cache.get("key") == b"two"


async def test_a_value_ends_with_its_life(cache: Cache):
    await cache.set("key", b"value", 30)
    await asyncio.sleep(0.1)
    assert await cache.get("key") is None


async def test_a_bar_forgets_the_value_and_refuses_new_ones_for_its_time(cache: Cache):
    await cache.set("key", b"old", 10_000)
    await cache.bar("key", 150)
    assert await cache.get("key") is None
    assert not await cache.set("key", b"old, read before the change", 10_000)
    assert await cache.get("key") is None
    await asyncio.sleep(0.25)
    assert await cache.set("key", b"new", 10_000)
    assert await cache.get("key") == b"new"


async def test_a_bar_concerns_its_key_alone(cache: Cache):
    await cache.bar("key", 10_000)
    assert await cache.set("key2", b"value", 10_000)
    assert await cache.get("key2") == b"value"


async def test_keys_may_hold_any_characters(cache: Cache):
    await cache.set("project:key:ü \n", b"value", 10_000)
    assert await cache.get("project:key:ü \n") == b"value"


async def test_a_working_cache_has_nothing_to_complain_of(cache: Cache):
    assert await cache.check() == ""


async def test_without_redis_the_shared_layer_holds_nothing():
    async with open_cache(load({})) as nothing:
        assert not await nothing.set("key", b"value", 10_000)
        assert await nothing.get("key") is None
        await nothing.bar("key", 1000)
        assert await nothing.check() == ""


async def test_memory_keeps_what_was_used_last():
    small = MemoryCache(wall_clock, entries=2)
    await small.set("one", b"1", 10_000)
    await small.set("two", b"2", 10_000)
    await small.get("one")
    await small.set("three", b"3", 10_000)
    assert [await small.get(key) for key in ("one", "two", "three")] == [b"1", None, b"3"]
