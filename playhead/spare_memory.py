"""Memory that a burst of work has freed goes back to the system, so that a process at rest is small again."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
from collections.abc import Callable
from typing import Final

INTERVAL_S: Final = 60.0
M_ARENA_MAX: Final = -8  # malloc.h
HEAPS: Final = 2


def bound_heaps() -> None:
    """To be called before there are threads: glibc would give them heaps of their own, eight for each core."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


async def give_back_for_ever() -> None:
    """Once a minute; ends at once where the C library has no such function (macOS, musl)."""
    trim = trimmer()
    while trim is not None:
        await asyncio.sleep(INTERVAL_S)
        await asyncio.to_thread(trim, 0)


def trimmer() -> Callable[[int], int] | None:
    """glibc's malloc_trim: gives whole free pages back, 1 if there were any. It does not hold the interpreter."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return None
    return found
