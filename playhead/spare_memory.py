"""Memory that a burst of work has freed goes back to the system, so that a process at rest is small again."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 60.0
M_ARENA_MAX: Final = -8  # malloc.h
HEAPS: Final = 2


def bound_heaps() -> None:
    """To be called before there are threads: glibc would give them heaps of their own, eight for each core."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


async def give_back_for_ever(*, cycles: bool = False, interval_s: float = INTERVAL_S) -> None:
    """Once a minute. `cycles`: collect what is garbage in cycles first, where a pause keeps nobody waiting.

    Each connection that fails is such garbage, 45 objects of it, and stores may be away for long while the collector
    waits for its hundred thousand.
    """
    trim = trimmer()
    while True:
        await asyncio.sleep(interval_s)
        if cycles:
            gc.collect()
        if trim is not None:
            await asyncio.to_thread(trim, 0)


def trimmer() -> Callable[[int], int] | None:
    """glibc's malloc_trim: gives whole free pages back, 1 if there were any. It does not hold the interpreter.

    None where the C library has no such function (macOS, musl).
    """
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return found
