"""A phone's clock: jumps from event to event, held back so that it never runs more than K times too fast."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable


class VirtualClock:
    """Starts at `start_ms` (since the epoch). `speedup`: virtual per real seconds; inf never waits."""

    def __init__(
        self,
        start_ms: int,
        *,
        speedup: float = math.inf,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if not speedup > 0:
            raise ValueError("speedup must be above 0")
        self._now_ms = start_ms
        self._start_ms = start_ms
        self._speedup = speedup
        self._monotonic = monotonic
        self._sleep = sleep
        self._began = monotonic()

    def __call__(self) -> int:
        """Now, ms since the epoch."""
        return self._now_ms

    async def advance_to(self, at_ms: int) -> None:
        """Go on to `at_ms` (never back), waiting until as much real time has passed as `speedup` asks."""
        if at_ms > self._now_ms:
            due = self._began + (at_ms - self._start_ms) / 1000 / self._speedup
            await self._sleep(max(0.0, due - self._monotonic()) if math.isfinite(self._speedup) else 0.0)
            self._now_ms = max(self._now_ms, at_ms)
