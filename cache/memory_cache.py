"""Caches inside one process: a bounded map that forgets what was not used longest, and two drivers on top."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lru(Generic[T]):
    """At most `entries` values; the one that was not read or written longest goes first."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._values: OrderedDict[str, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> T | None:
        """The value, which thereby counts as used."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def set(self, key: str, value: T) -> None:
        """Holds the value."""
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._entries:
            self._values.popitem(last=False)

    def pop(self, key: str) -> T | None:
        """Forgets one."""
        return self._values.pop(key, None)

    def clear(self) -> None:
        """Forgets all."""
        self._values.clear()


class MemoryCache:
    """The contract within one process; an entry is (value or None if barred, when it ends in ms)."""

    def __init__(self, clock: Callable[[], int], *, entries: int = 10_000) -> None:
        self._clock = clock
        self._held: Lru[tuple[bytes | None, int]] = Lru(entries)

    async def get(self, key: str) -> bytes | None:
        """See Cache."""
        held = self._current(key)
        return held[0] if held else None

    async def set(self, key: str, value: bytes, ttl_ms: int) -> bool:
        """See Cache."""
        held = self._current(key)
        if held is not None and held[0] is None:
            return False
        self._held.set(key, (value, self._clock() + ttl_ms))
        return True

    async def bar(self, key: str, for_ms: int) -> None:
        """See Cache."""
        self._held.set(key, (None, self._clock() + for_ms))

    async def check(self) -> str:
        """See Cache."""
        return ""

    def _current(self, key: str) -> tuple[bytes | None, int] | None:
        held = self._held.get(key)
        if held is not None and held[1] <= self._clock():
            self._held.pop(key)
            return None
        return held


class NoCache:
    """The shared layer when there is none: holds nothing."""

    async def get(self, key: str) -> bytes | None:
        """See Cache."""
        return None

    async def set(self, key: str, value: bytes, ttl_ms: int) -> bool:
        """See Cache."""
        return False

    async def bar(self, key: str, for_ms: int) -> None:
        """See Cache."""

    async def check(self) -> str:
        """See Cache."""
        return ""
