"""The open segment on local files: preallocated, locked by its owner, sealed by renaming it to its key.

All functions block and raise OSError.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from storage.durable_files import preallocate, sync_data, sync_folder, take_lock, write_parts
from storage.objects_local import LocalObjects
from storage.segment_file import HEADER_BYTES, Encoded, SegmentSummary, SegmentWriter, salvage

SUFFIX = ".open"


class OpenSegment:
    """A file that takes groups of records; durable after each."""

    def __init__(self, path: Path, fd: int, writer: SegmentWriter, allocated: int) -> None:
        self.writer = writer
        self._path = path
        self._fd = fd
        self._allocated = allocated
        self._sealed_as: tuple[int, str] | None = None  # (created_ms, key)

    @classmethod
    def create(cls, folder: Path, node: str, size: int) -> OpenSegment:
        """A new file of `size` bytes whose folder entry is durable."""
        for _ in range(5):
            path = folder / f"{node}-{secrets.token_hex(4)}{SUFFIX}"
            # None: somebody who looks for left-overs was faster than our lock, and will delete it
            if (fd := take_lock(path, os.O_CREAT | os.O_EXCL)) is not None:
                break
        else:
            raise OSError(f"cannot lock a new file in {folder}")
        segment = cls(path, fd, SegmentWriter(), max(size, HEADER_BYTES))
        try:
            preallocate(fd, 0, segment._allocated)
            write_parts(fd, [segment.writer.header], 0)
            os.fsync(fd)
            sync_folder(folder)
        except BaseException:
            segment.discard()
            raise
        return segment

    @classmethod
    def adopt(cls, path: Path) -> OpenSegment | None:
        """A left-over of a dead process and its whole records; None if its owner lives or it is gone."""
        if (fd := take_lock(path)) is None:
            return None
        try:
            data = _read_all(fd)
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd, salvage(data), len(data))

    def append(self, group: Sequence[Encoded]) -> None:
        """Write records and flush them. After an error none of them counts and the file must be sealed."""
        writer = self.writer
        end = writer.end + writer.tail_bytes + sum(record.size for record in group)
        if end > self._allocated:  # room for the directory too: sealing must work on a full disk
            step = max(end - self._allocated, self._allocated // 2)
            preallocate(self._fd, self._allocated, step)
            self._allocated += step
        write_parts(self._fd, writer.parts(group), writer.end)
        sync_data(self._fd)
        writer.add(group)

    def seal(self, objects: LocalObjects, created_ms: int, key: str) -> SegmentSummary:
        """Close the segment under its key. After an error it may be called again; the first key stays.

        Raises StorageUnavailable, too.
        """
        created_ms, key = self._sealed_as = self._sealed_as or (created_ms, key)
        tail = self.writer.tail()
        total = self.writer.end + len(tail)
        if self._path.exists():
            write_parts(self._fd, [tail], self.writer.end)
            os.ftruncate(self._fd, total)
            os.fsync(self._fd)
            objects.adopt(self._path, key)
        else:  # the last call moved it, and failed later
            sync_folder(objects.path(key).parent)
        self.close()
        return self.writer.summary(key, created_ms, total)

    def discard(self) -> None:
        """Delete a file that holds nothing."""
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of the file as it is: whoever looks for left-overs may seal it."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _read_all(fd: int) -> bytes:
    size = os.fstat(fd).st_size
    chunks, at = [], 0
    while at < size and (chunk := os.pread(fd, min(size - at, 1 << 24), at)):
        chunks.append(chunk)
        at += len(chunk)
    return b"".join(chunks)
