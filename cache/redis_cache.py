"""The shared cache on Redis. While the server is away it is off: it answers at once that it holds nothing.

After a failure nothing is asked for `pause_ms`; then one call tries, and if it gets through, the bars that
could not be set meanwhile are set before anything is read.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

PREFIX: Final = "playhead:"
TIMEOUT_S: Final = 0.5  # connecting, and one command
OWED_BARS: Final = 10_000

_BARRED: Final = b"\0barred"
_SET_UNLESS_BARRED: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

log = structlog.get_logger(__name__)


class RedisCache:
    """The contract on one Redis server; never raises because of it."""

    def __init__(self, client: Redis, *, pause_ms: int = 1000) -> None:
        self._redis = client
        self._pause_s = pause_ms / 1000
        self._set_unless_barred = client.register_script(_SET_UNLESS_BARRED)
        self._problem = ""  # empty: on
        self._again_at = 0.0  # when to try next, by the loop's clock
        self._owed: OrderedDict[str, int] = OrderedDict()  # bars to make up for: key -> ms

    @property
    def on(self) -> bool:
        """Whether the server answered last time."""
        return not self._problem

    async def get(self, key: str) -> bytes | None:
        """See Cache."""
        value = await self._call(lambda: self._redis.get(PREFIX + key), None)
        return value if isinstance(value, bytes) and value != _BARRED else None

    async def set(self, key: str, value: bytes, ttl_ms: int) -> bool:
        """See Cache."""
        if ttl_ms <= 0:
            return False
        args: list[bytes | int] = [_BARRED, value, ttl_ms]
        return bool(await self._call(lambda: self._set_unless_barred([PREFIX + key], args), 0))

    async def bar(self, key: str, for_ms: int) -> None:
        """See Cache."""
        if not await self._call(lambda: self._redis.set(PREFIX + key, _BARRED, px=for_ms), False):
            self._owed[key] = for_ms
            if len(self._owed) > OWED_BARS:
                self._owed.popitem(last=False)

    async def check(self) -> str:
        """See Cache."""
        await self._call(self._redis.ping, False)
        return self._problem

    async def _call(self, command: Callable[[], Awaitable[Any]], otherwise: Any) -> Any:
        """One command, or `otherwise` while the server is away."""
        now = asyncio.get_running_loop().time()
        if self._problem and now < self._again_at:
            return otherwise
        self._again_at = now + self._pause_s  # one try at a time, should it be off
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                if self._owed:
                    await self._pay()
                result = await command()
        except (RedisError, OSError, TimeoutError) as problem:
            self._switch_off(problem)
            return otherwise
        if self._problem:
            log.info("Redis is back", action="cache_on")
            self._problem = ""
        return result

    async def _pay(self) -> None:
        """Sets the bars that could not be set while the server was away."""
        for key, for_ms in list(self._owed.items()):
            await self._redis.set(PREFIX + key, _BARRED, px=for_ms)
            self._owed.pop(key, None)

    def _switch_off(self, problem: Exception) -> None:
        if not self._problem:
            log.warning("Redis is away, going on without", action="cache_off", problem=type(problem).__name__)
        self._problem = f"Redis: {problem or type(problem).__name__}"
        self._again_at = asyncio.get_running_loop().time() + self._pause_s


def connect(url: str) -> Redis:
    """A client that fails fast and leaves trying again to us. Connects when first used."""
    options: dict[str, Any] = {
        "socket_timeout": TIMEOUT_S,
        "socket_connect_timeout": TIMEOUT_S,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": 64,
    }
    return Redis.from_url(url, **options)
