"""LayeredCache: layers, single flight, absence, lives, invalidation within a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cache import Cache, LayeredCache, Lives, MemoryCache, NoCache
from playhead.errors import DatabaseUnavailable, Unavailable


class Clock:
    """Time that tests move, ms."""

    def __init__(self) -> None:
        self.now = 1_000_000

    def __call__(self) -> int:
        return self.now


class TextCodec:
    """Texts as UTF-8; refuses what does not begin with v."""

    def encode(self, value: str) -> bytes:
        return value.encode()

    def decode(self, data: bytes) -> str:
        if not data.startswith(b"v"):
            raise ValueError("another version")
        return data.decode()


class Truth:
    """What the loader reads; counts its reads, can wait and fail."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.loads = 0
        self.problem: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def load(self, key: str) -> str | None:
        self.loads += 1
        value, problem = self.values.get(key), self.problem
        await self.gate.wait()
        if problem:
            raise problem
        return value


LIVES = Lives(ttl_ms=60_000, negative_ttl_ms=5_000, entries=100, jitter=0.1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def layered(
    truth: Truth,
    clock: Clock,
    shared: Cache | None = None,
    lives: Lives = LIVES,
    keep: Callable[[str], bool] | None = None,
) -> LayeredCache[str]:
    shared = shared or NoCache()
    return LayeredCache(
        "text", load=truth.load, codec=TextCodec(), shared=shared, clock=clock, lives=lives, keep=keep
    )


async def test_a_held_value_is_not_loaded_again(clock: Clock):
    truth = Truth(a="v1")
    cache = layered(truth, clock)
    assert [await cache.get("a") for _ in range(3)] == ["v1"] * 3
    assert truth.loads == 1


async def test_a_hundred_concurrent_misses_load_once(clock: Clock):
    truth = Truth(a="v1")
    truth.gate.clear()
    cache = layered(truth, clock)
    waiting = [asyncio.create_task(cache.get("a")) for _ in range(100)]
    await asyncio.sleep(0.01)
    truth.gate.set()
    assert await asyncio.gather(*waiting) == ["v1"] * 100
    assert truth.loads == 1


async def test_a_caller_that_goes_away_does_not_take_the_load_along(clock: Clock):
    truth = Truth(a="v1")
    truth.gate.clear()
    cache = layered(truth, clock)
    first, second = (asyncio.create_task(cache.get("a")) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    truth.gate.set()
    assert await second == "v1"
    assert truth.loads == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_absence_is_held_for_its_own_shorter_time(clock: Clock):
    truth = Truth()
    cache = layered(truth, clock)
    assert await cache.get("a") is None
    assert await cache.get("a") is None
    assert truth.loads == 1
    truth.values["a"] = "v1"
    clock.now += 5_001
    assert await cache.get("a") == "v1"


async def test_a_loaders_error_reaches_all_who_wait_and_is_not_held(clock: Clock):
    truth = Truth(a="v1")
    truth.problem = RuntimeError("broken")
    cache = layered(truth, clock)
    results = await asyncio.gather(*(cache.get("a") for _ in range(10)), return_exceptions=True)
    assert [str(result) for result in results] == ["broken"] * 10
    assert truth.loads == 1
    truth.problem = None
    assert await cache.get("a") == "v1"


async def test_a_value_lives_its_time_less_some_jitter(clock: Clock):
    truth = Truth(**{f"k{place}": "v" for place in range(50)})
    cache = layered(truth, clock)
    for key in truth.values:
        await cache.get(key)
    clock.now += 53_999
    for key in truth.values:
        await cache.get(key)
    assert truth.loads == 50  # none is shorter than nine tenths
    clock.now += 3_000
    for key in truth.values:
        await cache.get(key)
    assert 50 < truth.loads < 100  # at 57 s some have ended and some have not
    clock.now += 60_000
    loads = truth.loads
    for key in truth.values:
        await cache.get(key)
    assert truth.loads == loads + 50


async def test_get_and_refresh_serves_the_old_value_and_loads_in_the_background(clock: Clock):
    truth = Truth(a="v1")
    cache = layered(truth, clock)
    assert await cache.get_and_refresh("a") == "v1"
    truth.values["a"] = "v2"
    assert await cache.get_and_refresh("a") == "v1"
    assert truth.loads == 1  # young: left alone
    clock.now += 40_000
    assert await cache.get_and_refresh("a") == "v1"
    await asyncio.sleep(0.01)
    assert await cache.get_and_refresh("a") == "v2"
    assert truth.loads == 2


async def test_get_alone_does_not_refresh(clock: Clock):
    truth = Truth(a="v1")
    cache = layered(truth, clock)
    await cache.get("a")
    clock.now += 40_000
    await cache.get("a")
    await asyncio.sleep(0.01)
    assert truth.loads == 1


async def test_many_old_reads_refresh_once_and_a_failed_refresh_is_not_repeated_at_once(clock: Clock):
    truth = Truth(a="v1")
    cache = layered(truth, clock)
    await cache.get("a")
    clock.now += 40_000
    truth.problem = RuntimeError("broken")
    for _ in range(20):
        assert await cache.get_and_refresh("a") == "v1"
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
    assert truth.loads == 2


async def test_while_the_truth_is_away_a_value_past_its_life_is_served_on(clock: Clock):
    truth = Truth(a="v1")
    cache = layered(truth, clock)
    await cache.get("a")
    clock.now += 61_000
    truth.problem = DatabaseUnavailable("away")
    assert await cache.get("a") == "v1"
    assert await cache.get("a") == "v1"
    assert truth.loads == 2  # tried again only every few seconds
    with pytest.raises(Unavailable):
        await cache.get("b")
    truth.problem, truth.values["a"] = None, "v2"
    clock.now += 5_001
    assert await cache.get("a") == "v2"


async def test_invalidate_forgets_here_and_in_the_shared_cache(clock: Clock):
    truth, shared = Truth(a="v1"), MemoryCache(clock)
    one, other = layered(truth, clock, shared), layered(truth, clock, shared)
    await one.get("a")
    truth.values["a"] = "v2"
    await one.invalidate("a")
    assert await one.get("a") == "v2"
    assert await other.get("a") == "v2"


async def test_a_load_overtaken_by_a_change_is_not_held_anywhere(clock: Clock):
    truth, shared = Truth(a="v1"), MemoryCache(clock)
    cache, other = layered(truth, clock, shared), layered(truth, clock, shared)
    truth.gate.clear()
    early = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0.01)  # it has read v1 and waits
    truth.values["a"] = "v2"
    await cache.invalidate("a")
    truth.gate.set()
    await early
    assert await cache.get("a") == "v2"
    assert await other.get("a") == "v2"
    clock.now += 11_000  # the bar is over
    assert await layered(truth, clock, shared).get("a") == "v2"


async def test_clear_forgets_all_and_asks_the_truth_for_a_while(clock: Clock):
    truth, shared = Truth(a="v1"), MemoryCache(clock)
    cache = layered(truth, clock, shared)
    await cache.get("a")
    truth.values["a"] = "v2"  # and the notice of it was lost
    cache.clear()
    assert await cache.get("a") == "v2"


async def test_what_memory_lost_comes_from_the_shared_cache(clock: Clock):
    truth, shared = Truth(a="v1"), MemoryCache(clock)
    await layered(truth, clock, shared).get("a")
    await layered(truth, clock, shared).get("nothing")
    second = layered(truth, clock, shared)
    assert await second.get("a") == "v1"
    assert await second.get("nothing") is None
    assert truth.loads == 2


async def test_an_entry_of_another_version_is_loaded_anew(clock: Clock):
    truth, shared = Truth(a="v1"), MemoryCache(clock)
    await shared.set("text:a", b"something else", 60_000)
    assert await layered(truth, clock, shared).get("a") == "v1"


async def test_what_is_not_to_be_kept_is_loaded_each_time(clock: Clock):
    truth, shared = Truth(a="v live", b="v done"), MemoryCache(clock)
    cache = layered(truth, clock, shared, keep=lambda value: value != "v live")
    for _ in range(3):
        await cache.get("a")
        await cache.get("b")
    assert truth.loads == 4
    assert await shared.get("text:a") is None


async def test_entries_are_bounded_and_the_least_used_go_first(clock: Clock):
    truth = Truth(**{f"k{place}": "v" for place in range(10)})
    cache = layered(truth, clock, lives=Lives(entries=3))
    for key in ("k0", "k1", "k2", "k0", "k3"):
        await cache.get(key)
    assert len(cache) == 3
    assert truth.loads == 4
    await cache.get("k0")
    assert truth.loads == 4
    await cache.get("k1")
    assert truth.loads == 5
    for place in range(10):
        await cache.get(f"k{place}")
    assert len(cache) == 3


async def test_close_ends_loads_under_way(clock: Clock):
    truth = Truth(a="v1")
    truth.gate.clear()
    cache = layered(truth, clock)
    waiting = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0.01)
    await cache.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
