"""Values that take long to make, held by their size: each made once for all who wait for it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SizedCache(Generic[T]):
    """At most `max_bytes` of values that never change under their key; what was not read longest goes first."""

    def __init__(self, *, size: Callable[[T], int], max_bytes: int) -> None:
        self._size = size
        self._max_bytes = max_bytes
        self._held: OrderedDict[str, T] = OrderedDict()
        self._loading: dict[str, asyncio.Task[T]] = {}
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    async def get(self, key: str, load: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The value, from `load` if it is not held. Raises what that raises; a failure is not held."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        task = self._loading.get(key)
        if task is None:
            task = self._loading[key] = asyncio.create_task(self._load(key, load), name="load into cache")
            task.add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(task)  # who goes away does not stop it for the others

    async def close(self) -> None:
        """Ends the loads under way."""
        tasks = list(self._loading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _load(self, key: str, load: Callable[[], Awaitable[T]]) -> T:
        value = self._held[key] = await load()
        self.held_bytes += self._size(value)
        while self.held_bytes > self._max_bytes and self._held:
            self.held_bytes -= self._size(self._held.popitem(last=False)[1])
        return value
