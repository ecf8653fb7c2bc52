"""The journal on local files: group commit by one thread.

While one flush runs the next group gathers; it starts the moment the flush ends. No timers, and no polling:
the thread sleeps without a timeout while there is nothing to write or to seal.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from queue import Empty, SimpleQueue

from playhead.errors import StorageUnavailable
from playhead.telemetry import counter, histogram, logger
from storage.journal_contract import JournalStats, Sealed, Settle, Waiting, Way
from storage.journal_sealer import Sealer
from storage.objects_local import LocalObjects
from storage.open_segment import OpenSegment
from storage.segment_file import SegmentSummary
from storage.segment_keys import SegmentNames

log = logger("storage.journal")
_flush_seconds = histogram("playhead_journal_flush_seconds")
_errors = counter("playhead_journal_errors_total")

GROUP_BYTES = 8_000_000  # one flush takes no more, so that nobody waits long
RETRY_S = (0.05, 2.0)  # pause after a failed write: first, longest


class LocalWriter:
    """One process's writer; several processes may share one folder."""

    def __init__(
        self,
        objects: LocalObjects,
        names: SegmentNames,
        *,
        target_bytes: int,
        max_age_ms: int,
        settle: Settle,
        sealed: Sealed,
    ) -> None:
        self._target_bytes = target_bytes
        self._max_age_s = max_age_ms / 1000
        self._settle = settle
        self._sealed = sealed
        self._loop = asyncio.get_running_loop()
        self._sealer = Sealer(objects, names, largest_bytes=target_bytes + GROUP_BYTES, sealed=self._report)
        self._waiting: deque[Waiting] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._idle = False
        self._closing = False
        self._segment: OpenSegment | None = None
        self._seal_at = 0.0  # monotonic; of the open segment
        self._problem = ""
        self._retry_at = 0.0
        self._retry_s = RETRY_S[0]
        self._thread = threading.Thread(target=self._run, name="journal-write", daemon=True)

    async def start(self) -> None:
        self._sealer.start()
        self._thread.start()

    def put(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)
        if self._idle:  # set before the thread looks at `_waiting` for the last time: no wake-up is lost
            self._idle = False
            self._wake.put(None)

    async def close(self) -> None:
        self._closing = True
        self._wake.put(None)
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._sealer.stop)
        await asyncio.sleep(0)  # what the threads reported is delivered before this returns

    async def recover_orphans(self) -> int:
        try:
            return await asyncio.to_thread(self._sealer.recover)
        except OSError as problem:
            raise StorageUnavailable(f"the journal's left-overs cannot be sealed: {problem}") from problem

    def stats(self) -> JournalStats:
        return JournalStats(
            unsealed_segments=self._sealer.unsealed,
            storage_away=bool(self._problem),
            last_error=self._problem,
        )

    def _report(self, summary: SegmentSummary, way: Way) -> None:
        self._loop.call_soon_threadsafe(self._sealed, summary, way)

    # -- the thread

    def _run(self) -> None:
        while True:
            if group := self._take():
                self._flush(group)
            elif self._closing:
                break
            else:
                self._sleep()
            segment = self._segment
            if segment and (segment.writer.end >= self._target_bytes or time.monotonic() >= self._seal_at):
                self._hand_over()
        self._hand_over()

    def _take(self) -> list[Waiting]:
        group: list[Waiting] = []
        size, waiting = 0, self._waiting
        for _ in range(len(waiting)):
            size += waiting[0].encoded.size
            if group and size > GROUP_BYTES:
                break
            group.append(waiting.popleft())
        return group

    def _sleep(self) -> None:
        self._idle = True
        if not self._waiting and not self._closing:
            timeout = max(self._seal_at - time.monotonic(), 0) if self._segment else None
            with contextlib.suppress(Empty):
                self._wake.get(timeout=timeout)
        self._idle = False

    def _flush(self, group: list[Waiting]) -> None:
        """Make a group durable and tell its senders, all with one call into the loop."""
        resting = self._problem and time.monotonic() < self._retry_at
        problem = self._problem if resting else self._write(group)
        self._loop.call_soon_threadsafe(self._settle, group, problem)

    def _write(self, group: list[Waiting]) -> str | None:
        """None once the group is durable, else why it is not."""
        try:
            if self._segment is None:
                self._segment = self._sealer.new_segment()
                self._seal_at = time.monotonic() + self._max_age_s
            with _flush_seconds.time():
                self._segment.append([waiting.encoded for waiting in group])
        except Exception as problem:  # whatever it is: nobody may wait for ever
            return self._fail(problem)
        if self._problem:
            log.info("journal_writes_again")
            self._problem, self._retry_s = "", RETRY_S[0]
        return None

    def _fail(self, problem: Exception) -> str:
        """Seal what was good before, and rest before the next try."""
        reason = (problem.strerror if isinstance(problem, OSError) else None) or type(problem).__name__
        if not self._problem:
            log.error("journal_write_failed", reason=reason, exc_info=not isinstance(problem, OSError))
        _errors.labels("write").inc()
        self._problem = f"the journal cannot be written: {reason}"
        self._retry_at = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_S[1])
        self._hand_over()
        return self._problem

    def _hand_over(self) -> None:
        if self._segment:
            self._sealer.hand_over(self._segment)
            self._segment = None
