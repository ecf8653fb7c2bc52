"""What a process still has to do, in order of (virtual) time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Awaitable, Callable

from client.virtual_clock import VirtualClock

Action = Callable[[], Awaitable[None]]


class Agenda:
    """Actions at moments; those of the same moment in the order they were put down."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._entries: list[tuple[int, int, Action]] = []
        self._order = itertools.count()
        self.closed = False

    def at(self, at_ms: int, action: Action) -> None:
        """Once."""
        heapq.heappush(self._entries, (at_ms, next(self._order), action))

    def every(self, interval_ms: int, action: Action, *, unless: Callable[[], bool]) -> None:
        """Again and again from one interval on; left out at moments when `unless()` holds."""

        async def again() -> None:
            self.at(self._clock() + interval_ms, again)
            if not unless():
                await action()

        self.at(self._clock() + interval_ms, again)

    async def follow(self, until_ms: int) -> None:
        """Do everything due up to `until_ms`, the clock going with it; nothing more once `closed`."""
        while self._entries and not self.closed and self._entries[0][0] <= until_ms:
            at_ms, _, action = heapq.heappop(self._entries)
            await self._clock.advance_to(at_ms)
            await action()
        if not self.closed:
            await self._clock.advance_to(until_ms)
