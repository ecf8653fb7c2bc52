"""The journal: our write-ahead log, made of objects. What `append` took is durable when it returns.

Two writers: storage/journal_local.py (group commit on files) and storage/journal_objects.py (one PUT per
segment, with a spool for bad times). Durable first, index second: the database may be away for as long as it
likes. Source: design section 3.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace

from playhead.errors import Overloaded, StorageUnavailable
from playhead.memory_limit import bytes_in_flight
from playhead.settings import Settings
from playhead.telemetry import counter, gauge, histogram, logger
from storage.journal_contract import JournalStats, Sealed, Settle, Waiting, Way, Writer
from storage.objects import ObjectStore
from storage.segment_file import Record, SegmentSummary, encode
from storage.segment_keys import SegmentNames

__all__ = ["Journal", "JournalStats", "Record", "SegmentSummary", "open_journal"]

log = logger("storage.journal")
_segments = counter("playhead_journal_segments_total")
_segment_bytes = histogram("playhead_journal_segment_bytes")
_inflight_bytes = gauge("playhead_journal_inflight_bytes")

Index = Callable[[SegmentSummary], Awaitable[None]]
INDEX_GRACE_S = 5.0  # for the index callback at closing; what it misses the sweep finds


class Journal:
    """One process's way into the journal; made by `open_journal`."""

    def __init__(self, *, inflight_bytes: int, index: Index) -> None:
        self._loop = asyncio.get_running_loop()
        self._bound = inflight_bytes
        self._inflight = 0
        self._index = index
        self._to_index: asyncio.Queue[SegmentSummary] = asyncio.Queue()
        self._writer: Writer | None = None

    async def append(self, record: Record) -> None:
        """Return once the record is durable.

        Raises Overloaded (too much waits already), StorageUnavailable (nothing durable is possible now),
        ValueError (`meta` cannot be packed). After an error the record may still turn up: at least once.
        """
        writer = self._writer
        if writer is None:
            raise StorageUnavailable("the journal is closed")
        encoded = encode(record)
        if self._inflight and self._inflight + encoded.size > self._bound:
            raise Overloaded("too many bytes wait for the journal")
        self._inflight += encoded.size
        waiting = Waiting(encoded, self._loop.create_future())
        writer.put(waiting)
        await waiting.done

    async def recover_orphans(self) -> int:
        """Take over what dead processes left behind; how many segments. Raises StorageUnavailable."""
        return await self._writer.recover_orphans() if self._writer else 0

    def stats(self) -> JournalStats:
        """State of this process's journal."""
        stats = self._writer.stats() if self._writer else JournalStats()
        return replace(stats, inflight_bytes=self._inflight)

    def _settle(self, group: Sequence[Waiting], problem: str | None) -> None:
        for waiting in group:
            self._inflight -= waiting.encoded.size
            if waiting.done.done():  # its sender has gone
                continue
            if problem is None:
                waiting.done.set_result(None)
            else:
                waiting.done.set_exception(StorageUnavailable(problem))
        _inflight_bytes.set(self._inflight)

    def _sealed(self, summary: SegmentSummary, way: Way) -> None:
        _segments.labels(way).inc()
        _segment_bytes.observe(summary.bytes)
        self._to_index.put_nowait(summary)

    async def _feed_index(self) -> None:
        while True:
            summary = await self._to_index.get()
            try:
                await self._index(summary)
            except Exception as problem:  # the sweep will find the segment
                log.error("segment_not_indexed", key=summary.key, error=type(problem).__name__)
            finally:
                self._to_index.task_done()

    @contextlib.asynccontextmanager
    async def _running(self, writer: Writer) -> AsyncIterator[None]:
        """Serve from the writer's start to its end; everything taken is sealed and announced then."""
        feeding = asyncio.create_task(self._feed_index(), name="journal-index")
        try:
            await writer.start()
            self._writer = writer
            try:
                yield
            finally:
                self._writer = None
                await writer.close()
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._to_index.join(), INDEX_GRACE_S)
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)


@contextlib.asynccontextmanager
async def open_journal(
    settings: Settings, objects: ObjectStore, *, index: Index, clock: Callable[[], int]
) -> AsyncIterator[Journal]:
    """A running journal on `objects`, with the left-overs of dead processes taken over; sealed on exit."""
    journal = Journal(inflight_bytes=bytes_in_flight(settings), index=index)
    writer = _writer(settings, objects, SegmentNames(clock), journal._settle, journal._sealed)
    async with journal._running(writer):
        try:
            await journal.recover_orphans()
        except StorageUnavailable as problem:  # the sweeper tries again
            log.error("journal_not_recovered", reason=str(problem))
        yield journal


def _writer(
    settings: Settings, objects: ObjectStore, names: SegmentNames, settle: Settle, sealed: Sealed
) -> Writer:
    from storage.objects_local import LocalObjects

    if isinstance(objects, LocalObjects):
        from storage.journal_local import LocalWriter

        return LocalWriter(
            objects, names,
            target_bytes=settings.segment_target_bytes, max_age_ms=settings.segment_max_age_ms,
            settle=settle, sealed=sealed,
        )  # fmt: skip
    from storage.journal_objects import ObjectWriter
    from storage.spool import Spool

    return ObjectWriter(
        objects, names, Spool(settings.data_dir / "spool", max_bytes=settings.spool_max_bytes),
        target_bytes=settings.segment_target_bytes, linger_ms=settings.linger_ms,
        puts=settings.journal_puts, put_timeout_s=settings.put_timeout_s, settle=settle, sealed=sealed,
    )  # fmt: skip
