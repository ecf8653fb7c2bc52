"""The journal on S3: records gather for a moment, then one PUT makes a sealed segment of them.

When a PUT fails or takes too long the segment goes to the spool, and so do the following ones, without
asking the store again, until the uploader says that it is back. A PUT that timed out may have succeeded:
uploading it once more under the same key is harmless.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from playhead.errors import StorageUnavailable
from playhead.telemetry import counter, histogram, logger
from storage.journal_contract import JournalStats, Sealed, Settle, Waiting
from storage.journal_uploader import Uploader
from storage.objects import ObjectStore
from storage.segment_file import SegmentWriter
from storage.segment_keys import SegmentNames
from storage.spool import Spool

log = logger("storage.journal")
_flush_seconds = histogram("playhead_journal_flush_seconds")
_errors = counter("playhead_journal_errors_total")

SLOT_WAIT_S = 0.5  # all PUTs in flight are slow: after this long the spool is quicker


class ObjectWriter:
    """One process's writer; all on the event loop, only files in threads."""

    def __init__(
        self,
        objects: ObjectStore,
        names: SegmentNames,
        spool: Spool,
        *,
        target_bytes: int,
        linger_ms: int,
        puts: int,
        put_timeout_s: float,
        settle: Settle,
        sealed: Sealed,
    ) -> None:
        self._objects = objects
        self._names = names
        self._spool = spool
        self._target_bytes = target_bytes
        self._linger_s = linger_ms / 1000
        self._put_timeout_s = put_timeout_s
        self._settle = settle
        self._sealed = sealed
        self._uploader = Uploader(objects, spool, puts=puts, put_timeout_s=put_timeout_s, sealed=sealed)
        self._slots = asyncio.Semaphore(puts)
        self._gathered: list[Waiting] = []
        self._bytes = 0
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._closing = False
        self._flushes: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await asyncio.to_thread(self._spool.measure)
        self._tasks = [
            asyncio.create_task(self._gather(), name="journal-gather"),
            asyncio.create_task(self._uploader.run(), name="journal-upload"),
        ]

    def put(self, waiting: Waiting) -> None:
        self._gathered.append(waiting)
        self._bytes += waiting.encoded.size
        self._some.set()
        if self._bytes >= self._target_bytes:
            self._full.set()

    async def close(self) -> None:
        self._closing = True
        self._some.set()
        self._full.set()
        gather, upload = self._tasks
        await gather
        if self._flushes:
            await asyncio.wait(self._flushes)
        upload.cancel()
        await asyncio.gather(upload, return_exceptions=True)
        await asyncio.to_thread(self._spool.close)

    async def recover_orphans(self) -> int:
        try:
            return await asyncio.to_thread(self._spool.adopt)
        except OSError as problem:
            raise StorageUnavailable(f"the spool cannot be read: {problem}") from problem
        finally:
            self._uploader.wake()

    def stats(self) -> JournalStats:
        return JournalStats(
            spool_bytes=self._spool.total_bytes,
            spool_segments=self._spool.segments,
            storage_away=self._uploader.away,
            last_error=self._uploader.last_error,
        )

    async def _gather(self) -> None:
        """Cut what gathers into segments: by time, by size, at the end."""
        while True:
            await self._some.wait()
            if not self._gathered:
                return  # only closing wakes us without a record
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._linger_s):
                    await self._full.wait()
            direct = await self._slot()
            flush = asyncio.create_task(self._flush(self._take(), direct), name="journal-flush")
            self._flushes.add(flush)
            flush.add_done_callback(self._flushes.discard)

    async def _slot(self) -> bool:
        """Whether to try the store; then a slot is held. What waits goes on gathering."""
        held = not self._uploader.away and await self._acquire()
        if held and self._uploader.away:  # it failed somebody while we waited
            self._slots.release()
            return False
        return held

    async def _acquire(self) -> bool:
        try:
            async with asyncio.timeout(SLOT_WAIT_S if self._spool.usable else None):
                return await self._slots.acquire()
        except TimeoutError:
            return False

    def _take(self) -> list[Waiting]:
        """As many records as fit into one segment, oldest first."""
        size, count = 0, 0
        for waiting in self._gathered:
            size += waiting.encoded.size
            if count and size > self._target_bytes:
                break
            count += 1
        group, self._gathered = self._gathered[:count], self._gathered[count:]
        self._bytes -= sum(waiting.encoded.size for waiting in group)
        if not self._closing:
            if not self._gathered:
                self._some.clear()
            if self._bytes < self._target_bytes:
                self._full.clear()
        return group

    async def _flush(self, group: Sequence[Waiting], direct: bool) -> None:
        """Make a group durable, here or there, and tell its senders."""
        problem: str | None = "the journal is closing"
        try:
            with _flush_seconds.time():
                await self._store(group, direct)
            problem = None
        except Exception as error:  # whatever it is: nobody may wait for ever
            _errors.labels("flush").inc()
            if not isinstance(error, StorageUnavailable):
                log.error("journal_flush_failed", exc_info=error)
            problem = str(error)
        finally:
            if direct:
                self._slots.release()
            self._settle(group, problem)

    async def _store(self, group: Sequence[Waiting], direct: bool) -> None:
        created_ms, key = self._names.next()
        writer = SegmentWriter()
        records = [waiting.encoded for waiting in group]
        parts = [writer.header, *writer.parts(records)]
        writer.add(records)
        parts.append(writer.tail())
        if direct:
            reason = await self._put(key, b"".join(parts))
            if reason is None:
                self._sealed(writer.summary(key, created_ms, sum(map(len, parts))), "direct")
                return
            if not self._spool.usable:
                raise StorageUnavailable(reason)
        elif not self._spool.usable:
            raise StorageUnavailable(self._uploader.last_error)
        await asyncio.to_thread(self._spool.add, key, parts)
        self._uploader.wake()

    async def _put(self, key: str, data: bytes) -> str | None:
        """None if the store has it, else why not."""
        try:
            async with asyncio.timeout(self._put_timeout_s):
                await self._objects.put(key, data)
            return None
        except Exception as problem:  # whatever it is: the spool decides
            self._uploader.trip(problem)
            return self._uploader.last_error
