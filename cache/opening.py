"""Opens the shared cache that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cache.contract import Cache
from cache.memory_cache import NoCache
from playhead.settings import Settings


@asynccontextmanager
async def open_cache(settings: Settings) -> AsyncIterator[Cache]:
    """Redis at `redis_url`; without one a cache that holds nothing. A server that is away stops no start."""
    if not settings.redis_url:
        yield NoCache()
        return
    from cache.redis_cache import RedisCache, connect

    client = connect(settings.redis_url)
    try:
        yield RedisCache(client)
    finally:
        await client.aclose()
