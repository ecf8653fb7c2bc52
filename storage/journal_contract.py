"""What the journal's face and its two writers agree on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from storage.segment_file import Encoded, SegmentSummary


@dataclass(slots=True)
class Waiting:
    """A record whose sender waits until it is durable."""

    encoded: Encoded
    done: asyncio.Future[None]


Settle = Callable[[Sequence[Waiting], str | None], None]
"""Ends the wait of a group: None says durable, a text says why not. On the event loop only."""

Way = Literal["direct", "spooled", "recovered"]

Sealed = Callable[[SegmentSummary, Way], None]
"""Told of every sealed segment, once it is durable under its key. On the event loop only."""


@dataclass(frozen=True, slots=True)
class JournalStats:
    """State of this process's journal, for metrics and health."""

    inflight_bytes: int = 0  # waiting to be durable
    spool_bytes: int = 0  # durable here, not yet in the object store; of all processes on this data directory
    spool_segments: int = 0  # of this process
    unsealed_segments: int = 0  # durable, not yet visible to workers
    storage_away: bool = False  # flushes fail, or go to the spool
    last_error: str = ""


class Writer(Protocol):
    """Makes groups of records durable; every record handed in is settled exactly once, also by `close`."""

    def put(self, waiting: Waiting) -> None:
        """Take one record; returns at once."""

    async def start(self) -> None: ...

    async def close(self) -> None:
        """Seal everything taken so far; nothing may be put afterwards."""

    async def recover_orphans(self) -> int:
        """Seal or adopt what dead processes left; how many segments. Raises StorageUnavailable."""

    def stats(self) -> JournalStats: ...
