"""Work on big bodies, off the event loop, so that phones do not wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from messages.unpack import GZIP_MAGIC

#: above this, a body is read in a thread; so is what is packed, since it may become large
OFF_LOOP_BYTES: Final = 100_000
#: a body takes many times its size while it is read: no more than these at once
AT_ONCE: Final = 2

Result = TypeVar("Result")

_threads = ThreadPoolExecutor(AT_ONCE, "big-bodies")


async def work_on(body: bytes, work: Callable[[], Result]) -> Result:
    """The result of `work`, which reads this body."""
    if len(body) <= OFF_LOOP_BYTES and body[:2] != GZIP_MAGIC:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
