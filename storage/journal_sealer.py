"""Sealing on local files, off the writer's thread: closes full segments and has the next file ready."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from playhead.errors import StorageUnavailable
from playhead.telemetry import counter, logger
from storage.durable_files import settle_folder
from storage.journal_contract import Way
from storage.objects_local import LocalObjects
from storage.open_segment import SUFFIX, OpenSegment
from storage.segment_file import SegmentSummary
from storage.segment_keys import SegmentNames

log = logger("storage.journal")
_errors = counter("playhead_journal_errors_total")

OPEN_FOLDER = "journal-open"
SMALLEST_BYTES = 1_000_000  # preallocated at least; more under load
MAX_UNSEALED = 16  # durable but unsealed segments; more: sealing is broken, take nothing more
RETRY_S = (0.05, 5.0)  # pause after sealing failed: first, longest


class Sealer:
    """One thread that seals in order; sleeps without a timeout while there is nothing to do."""

    def __init__(
        self,
        objects: LocalObjects,
        names: SegmentNames,
        *,
        largest_bytes: int,
        sealed: Callable[[SegmentSummary, Way], None],
    ) -> None:
        """`sealed` is called in the sealer's thread (or the one of `recover`)."""
        self._objects = objects
        self._folder = objects.root / OPEN_FOLDER
        self._settled = False  # another process may have made the folder, and not synced it yet
        self._names = names
        self._largest_bytes = largest_bytes
        self._sealed = sealed
        self._size = min(SMALLEST_BYTES, largest_bytes)
        self._prepared: SimpleQueue[OpenSegment] = SimpleQueue()  # at most one
        self._waiting: deque[OpenSegment] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="journal-seal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Seal what was handed over, then end; what cannot be sealed now is left for `recover`."""
        self._stopping = True
        self._wake.put(None)
        self._thread.join()

    def hand_over(self, segment: OpenSegment) -> None:
        """Take a segment that gets no more records."""
        self._waiting.append(segment)
        self._wake.put(None)

    def new_segment(self) -> OpenSegment:
        """An empty segment, mostly one made in advance. Raises OSError."""
        if len(self._waiting) > MAX_UNSEALED:
            raise OSError(errno.EBUSY, "segments cannot be sealed")
        try:
            return self._prepared.get_nowait()
        except Empty:
            return self._create()

    @property
    def unsealed(self) -> int:
        """Segments handed over and not sealed yet."""
        return len(self._waiting)

    def recover(self) -> int:
        """Seal the left-overs of dead processes; how many segments that made.

        Raises OSError, StorageUnavailable.
        """
        found, failure = 0, None
        for path in sorted(self._folder.glob("*" + SUFFIX)):
            try:
                if segment := OpenSegment.adopt(path):
                    with contextlib.closing(segment):
                        found += self._seal(segment, "recovered")
            except (OSError, StorageUnavailable) as problem:  # the others may do better
                failure = problem
        if failure is not None:
            raise failure
        return found

    def _run(self) -> None:
        pause: float | None = None
        while not self._stopping:
            pause = self._seal_waiting(pause)
            if pause is None and self._prepared.empty():
                self._prepare()
            with contextlib.suppress(Empty):
                self._wake.get(timeout=pause)
        self._seal_waiting(None)
        for segment in self._waiting:
            segment.close()
        with contextlib.suppress(Empty, OSError):
            self._prepared.get_nowait().discard()

    def _seal_waiting(self, pause: float | None) -> float | None:
        """Seal in order; None when all is sealed, else how long to wait before trying again, s."""
        try:
            while self._waiting:
                self._seal(self._waiting[0])
                self._waiting.popleft()
        except Exception as problem:  # again and again: nobody else may touch a file that we hold
            _errors.labels("seal").inc()
            if pause is None:
                log.error(
                    "journal_seal_failed", reason=str(problem), exc_info=not isinstance(problem, OSError)
                )
            return min(pause * 2, RETRY_S[1]) if pause else RETRY_S[0]
        return None

    def _seal(self, segment: OpenSegment, way: Way = "direct") -> bool:
        if not segment.writer.rows:
            segment.discard()
            return False
        summary = segment.seal(self._objects, *self._names.next())
        self._size = min(max(SMALLEST_BYTES, 2 * summary.bytes), self._largest_bytes)
        self._sealed(summary, way)
        return True

    def _prepare(self) -> None:
        try:
            self._prepared.put(self._create())
        except Exception as problem:  # the writer will meet the same, and answer for it
            log.warning("journal_prepare_failed", reason=str(problem))

    def _create(self) -> OpenSegment:
        try:
            if not (self._settled and self._folder.is_dir()):
                settle_folder(self._folder)
                self._settled = True
            return OpenSegment.create(self._folder, self._names.node, self._size)
        except OSError:
            self._size = min(SMALLEST_BYTES, self._size)  # a disk may be full for a large file only
            raise
