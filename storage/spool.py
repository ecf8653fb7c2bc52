"""The spool: sealed segments on local disk until the object store takes them.

    <data dir>/spool/<folder of one process>/lock        held while its process lives
                                            /<name>.seg  a segment, on disk before it was acknowledged

Who finds a folder whose lock is free takes it over. All functions block; they may be called from several threads.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playhead.errors import Malformed, StorageUnavailable
from playhead.telemetry import logger
from storage.durable_files import settle_folder, take_lock, write_file
from storage.segment_file import SegmentSummary, read_directory, read_records, summarize
from storage.segment_keys import created_ms, is_name, key_of

log = logger("storage.journal")

SUFFIX = ".seg"
LOCK = "lock"


@dataclass(frozen=True, slots=True, order=True)
class Spooled:
    """One segment in the spool; smaller is older."""

    name: str
    path: Path
    bytes: int
    adopted: bool  # from a dead process

    @property
    def key(self) -> str:
        """Where the object store gets it."""
        return key_of(self.name)


class Spool:
    """One process's spool, and those that it took over."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        """max_bytes: bound of `folder` as a whole; 0: no spool."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._locks: dict[Path, int] = {}  # folders we hold, own and adopted
        self._own: Path | None = None
        self._waiting: list[Spooled] = []  # a heap
        self._bytes = 0  # of all processes: as measured last, plus what we did since
        self._guard = threading.Lock()

    @property
    def usable(self) -> bool:
        """Whether there is a spool at all."""
        return self._max_bytes > 0

    @property
    def total_bytes(self) -> int:
        """Bytes in the whole spool."""
        return self._bytes

    @property
    def segments(self) -> int:
        """Segments that this process has to bring up, those being uploaded now left out."""
        return len(self._waiting)

    def measure(self) -> None:
        """Count the bytes of all processes again."""
        sizes = (_size(path) for path in self._folder.glob(f"*/*{SUFFIX}"))
        self._bytes = sum(sizes)

    def add(self, key: str, parts: Sequence[bytes]) -> None:
        """Keep a segment; durable when this returns. Raises StorageUnavailable: full, none, or a bad disk."""
        size = sum(map(len, parts))
        with self._guard:
            if self._bytes + size > self._max_bytes:
                raise StorageUnavailable("the spool is full" if self.usable else "there is no spool")
            self._bytes += size
        try:
            path = self._own_folder() / key.rpartition("/")[2]
            write_file(path, parts)
        except OSError as problem:
            with self._guard:
                self._bytes -= size
            raise StorageUnavailable(f"the spool cannot be written: {problem.strerror}") from problem
        self.put_back(Spooled(path.name, path, size, adopted=False))

    def take(self, limit: int) -> list[Spooled]:
        """The oldest segments, to be uploaded; each must go to `remove`, `put_back` or `set_aside`."""
        with self._guard:
            return [heapq.heappop(self._waiting) for _ in range(min(limit, len(self._waiting)))]

    def put_back(self, item: Spooled) -> None:
        """Have it uploaded later."""
        with self._guard:
            heapq.heappush(self._waiting, item)

    def read(self, item: Spooled) -> tuple[SegmentSummary, bytes]:
        """Its index row and bytes. Raises FileNotFoundError, Malformed (unreadable, no whole record)."""
        try:
            data = item.path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as problem:
            raise Malformed(f"cannot be read: {problem.strerror}") from problem
        try:
            entries = read_directory(data, len(data))
        except Malformed:  # the disk has damaged it: what is whole still counts
            entries = [entry for entry, _ in read_records(data)]
        return summarize(item.key, created_ms(item.name), len(data), entries), data

    def remove(self, item: Spooled) -> None:
        """Forget a segment that the object store has."""
        with contextlib.suppress(FileNotFoundError):
            item.path.unlink()
        with self._guard:
            self._bytes = max(self._bytes - item.bytes, 0)
        self._leave(item.path.parent)

    def set_aside(self, item: Spooled) -> None:
        """Keep an unreadable file for a human, out of the way."""
        with contextlib.suppress(OSError):
            item.path.rename(item.path.with_suffix(".damaged"))
        with self._guard:
            self._bytes = max(self._bytes - item.bytes, 0)

    def adopt(self) -> int:
        """Take over the segments of dead processes; how many. Raises OSError."""
        found = 0
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            if folder in self._locks or not folder.is_dir():
                continue
            fd = take_lock(folder / LOCK, os.O_CREAT)
            if fd is None:
                continue
            self._locks[folder] = fd
            for draft in folder.glob("*.draft"):  # never acknowledged
                draft.unlink()
            for path in folder.glob("*" + SUFFIX):
                if is_name(path.name):
                    self.put_back(Spooled(path.name, path, _size(path), adopted=True))
                    found += 1
            self._leave(folder)
        return found

    def close(self) -> None:
        """Let go: what is still here is for whoever adopts it."""
        self._own = None
        for folder in list(self._locks):
            self._leave(folder)
        for fd in self._locks.values():
            os.close(fd)
        self._locks.clear()

    def _own_folder(self) -> Path:
        with self._guard:
            while self._own is None:
                folder = self._folder / secrets.token_hex(8)
                settle_folder(folder)
                fd = take_lock(folder / LOCK, os.O_CREAT)
                if fd is not None:  # else somebody adopted the folder before we had locked it
                    self._own, self._locks[folder] = folder, fd
            return self._own

    def _leave(self, folder: Path) -> None:
        """Remove a folder that is not our own and empty but for its lock."""
        with self._guard:
            fd = self._locks.get(folder)
            if fd is None or folder == self._own:
                return
            with contextlib.suppress(OSError):  # not empty, or somebody locks it right now: theirs then
                if [path.name for path in folder.iterdir()] != [LOCK]:
                    return
                (folder / LOCK).unlink()
                folder.rmdir()
            os.close(self._locks.pop(folder))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
