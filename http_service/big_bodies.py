"""Work on big bodies, off the event loop, so that phones do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

#: above this, a body is read in a thread
OFF_LOOP_BYTES: Final = 100_000

Result = TypeVar("Result")


async def work_on(body: bytes, work: Callable[[], Result]) -> Result:
    """The result of `work`, which reads this body."""
    if len(body) <= OFF_LOOP_BYTES:
        return work()
    return await asyncio.to_thread(work)
