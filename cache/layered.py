"""Memory in front of a shared cache in front of the truth (a loader), for immutable values of one kind.

    get ──> memory ──> shared (Redis) ──> loader, once for all who wait
                                            │
    invalidate ──> memory here, bar in the shared cache, bus ──> memory everywhere

Absence is held too, for a shorter time. A loader's error is raised and never held; but while the truth is
Unavailable, a value whose time is over is served on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import structlog

from cache.contract import Bus, Cache
from cache.memory_cache import Lru
from playhead.errors import Unavailable

T = TypeVar("T")

CHANNEL: Final = "playhead_cache"
PAYLOAD_BYTES: Final = 7000  # NOTIFY takes less than 8000
BAR_MS: Final = 10_000  # longer than any load may take
_ABSENT: Final = b"\0absent"

log = structlog.get_logger(__name__)


class Codec(Protocol[T]):
    """How a value looks in the shared cache; `decode` raises ValueError or KeyError for foreign bytes."""

    def encode(self, value: T) -> bytes:
        """Value -> bytes."""
        ...

    def decode(self, data: bytes) -> T:
        """Bytes -> value."""
        ...


@dataclass(frozen=True, slots=True)
class Lives:
    """How long entries live, ms, and how many there are. A life is cut by up to `jitter` of it, at random."""

    ttl_ms: int = 60_000
    negative_ttl_ms: int = 5_000
    entries: int = 50_000
    jitter: float = 0.1


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T | None
    old_ms: int  # from here on get_and_refresh loads it anew
    ends_ms: int


class _Load(Generic[T]):
    """A load under way; `overtaken`: the value changed meanwhile, so the result must not be held."""

    __slots__ = ("overtaken", "task")

    def __init__(self) -> None:
        self.task: asyncio.Task[T | None]
        self.overtaken = False


class LayeredCache(Generic[T]):
    """One kind of values under `name`; `load` returns None for what does not exist.

    `keep` tells which values may be held at all (all, unless given).
    """

    def __init__(
        self,
        name: str,
        *,
        load: Callable[[str], Awaitable[T | None]],
        codec: Codec[T],
        shared: Cache,
        clock: Callable[[], int],
        bus: Bus | None = None,
        lives: Lives | None = None,
        keep: Callable[[T], bool] | None = None,
    ) -> None:
        self._name = name
        self._load = load
        self._codec = codec
        self._shared = shared
        self._clock = clock
        self._bus = bus
        self._lives = lives or Lives()
        self._keep = keep
        self._held: Lru[_Entry[T]] = Lru(self._lives.entries)
        self._loading: dict[str, _Load[T]] = {}
        self._distrusted: Lru[int] = Lru(self._lives.entries)  # key -> until when only the truth will do, ms
        self._all_distrusted_ms = 0

    async def start(self) -> None:
        """Listens for what other processes change."""
        if self._bus is not None:
            await self._bus.subscribe(CHANNEL, self._heard, on_gap=self.clear)

    async def close(self) -> None:
        """Ends the loads under way."""
        tasks = [load.task for load in self._loading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._held)

    async def get(self, key: str) -> T | None:
        """The value, None if there is none. Raises what the loader raises."""
        entry = self._held.get(key)
        if entry is not None and self._clock() < entry.ends_ms:
            return entry.value
        return await self._loaded(key)

    async def get_and_refresh(self, key: str) -> T | None:
        """As `get`; an entry past half its life is served and loaded anew in the background."""
        entry = self._held.get(key)
        now = self._clock()
        if entry is None or now >= entry.ends_ms:
            return await self._loaded(key)
        if now >= entry.old_ms and key not in self._loading:
            entry.old_ms = now + self._lives.negative_ttl_ms  # should it fail, not at every call
            self._begin(key, self._from_truth)
        return entry.value

    async def invalidate(self, *keys: str) -> None:
        """Forgets these everywhere. To be called after the change is committed."""
        for key in keys:
            self._forget(key)
        for key in keys:
            await self._shared.bar(self._shared_key(key), BAR_MS)
            self._forget(key)  # what was read meanwhile
        if self._bus is None:
            return
        for payload in _payloads(self._name, keys):
            try:
                await self._bus.publish(CHANNEL, payload)
            except Unavailable as problem:  # the others learn it when their entries end
                log.warning("change not told", action="cache_untold", cache=self._name, problem=problem.code)

    def clear(self) -> None:
        """Forgets all in memory and believes only the truth for a while: changes may have been missed."""
        self._held.clear()
        self._all_distrusted_ms = self._clock() + BAR_MS
        for key in list(self._loading):
            self._forget(key)

    # -- loading

    async def _loaded(self, key: str) -> T | None:
        """Joins the load under way, or begins one. A caller that goes away does not stop the load."""
        load = self._loading.get(key) or self._begin(key, self._through_layers)
        await asyncio.wait((load.task,))
        try:
            return load.task.result()
        except Unavailable:
            entry = self._held.get(key)
            if entry is None:
                raise
            entry.ends_ms = self._clock() + self._lives.negative_ttl_ms
            return entry.value

    def _begin(self, key: str, way: Callable[[str], Awaitable[T | None]]) -> _Load[T]:
        load = _Load[T]()
        load.task = asyncio.create_task(self._fill(key, load, way), name=f"cache {self._name}")
        self._loading[key] = load
        load.task.add_done_callback(lambda task: self._ended(key, load))
        return load

    async def _fill(self, key: str, load: _Load[T], way: Callable[[str], Awaitable[T | None]]) -> T | None:
        value = await way(key)
        if not load.overtaken:
            self._hold(key, value)
        return value

    def _ended(self, key: str, load: _Load[T]) -> None:
        if self._loading.get(key) is load:
            del self._loading[key]
        if not load.task.cancelled() and load.task.exception() is not None:
            log.debug("load failed", action="cache_load_failed", cache=self._name)

    async def _through_layers(self, key: str) -> T | None:
        """From the shared cache, unless the value changed just now, else from the truth."""
        if self._clock() < max(self._distrusted.get(key) or 0, self._all_distrusted_ms):
            return await self._from_truth(key)
        data = await self._shared.get(self._shared_key(key))
        if data == _ABSENT:
            return None
        if data is not None:
            try:
                return self._codec.decode(data)
            except (ValueError, KeyError, TypeError):
                log.info("entry of another version", action="cache_unreadable", cache=self._name)
        return await self._from_truth(key)

    async def _from_truth(self, key: str) -> T | None:
        """From the loader, and into the shared cache."""
        value = await self._load(key)
        ttl_ms = self._ttl_ms(value)
        if ttl_ms > 0:
            data = _ABSENT if value is None else self._codec.encode(value)
            await self._shared.set(self._shared_key(key), data, ttl_ms)
        return value

    # -- holding

    def _hold(self, key: str, value: T | None) -> None:
        ttl_ms = self._ttl_ms(value)
        if ttl_ms <= 0:
            self._held.pop(key)
            return
        now = self._clock()
        self._held.set(key, _Entry(value, now + ttl_ms // 2, now + ttl_ms))

    def _ttl_ms(self, value: T | None) -> int:
        if value is None:
            ttl_ms = self._lives.negative_ttl_ms
        elif self._keep is not None and not self._keep(value):
            return 0
        else:
            ttl_ms = self._lives.ttl_ms
        return int(ttl_ms * (1 - random.random() * self._lives.jitter))

    def _forget(self, key: str) -> None:
        """Drops the entry and what a load under way will bring."""
        self._held.pop(key)
        self._distrusted.set(key, self._clock() + BAR_MS)
        load = self._loading.pop(key, None)
        if load is not None:
            load.overtaken = True

    def _heard(self, payload: str) -> None:
        """A change told by some process, perhaps this one."""
        name, *keys = payload.split("\n")
        if name == self._name:
            for key in keys:
                self._forget(key)

    def _shared_key(self, key: str) -> str:
        return f"{self._name}:{key}"


def _payloads(name: str, keys: Iterable[str]) -> list[str]:
    """`name` and keys by lines, in texts short enough for the bus."""
    texts = [name]
    for key in keys:
        if len(texts[-1].encode()) + len(key.encode()) + 1 > PAYLOAD_BYTES:
            texts.append(name)
        texts[-1] += "\n" + key
    return [text for text in texts if text != name]
