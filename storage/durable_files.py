"""File operations that are durable when they return, and locks that die with their process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
from collections.abc import Sequence
from pathlib import Path

IOV_MAX = 1000  # parts per pwritev; Linux takes 1024

if sys.platform == "darwin":

    def sync_data(fd: int) -> None:
        """Flush a file's data to the device; fsync alone stops at the drive's cache here."""
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)

    def preallocate(fd: int, at: int, length: int) -> None:
        """Make the file long enough."""
        os.ftruncate(fd, at + length)

else:
    sync_data = os.fdatasync
    preallocate = os.posix_fallocate


def sync_folder(folder: Path) -> None:
    """Make a folder's entries durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def settle_folder(folder: Path) -> None:
    """Create a folder and make every entry on the way to it durable, whoever made them."""
    folder.mkdir(parents=True, exist_ok=True)
    for above in folder.absolute().parents:
        with contextlib.suppress(PermissionError):  # not ours, hence older than we are
            sync_folder(above)


def write_parts(fd: int, parts: Sequence[bytes], at: int) -> None:
    """Write buffers one after another at offset `at` without joining them."""
    for start in range(0, len(parts), IOV_MAX):
        chunk = parts[start : start + IOV_MAX]
        length = sum(map(len, chunk))
        written = os.pwritev(fd, chunk, at)
        if written < length:
            _write_rest(fd, b"".join(chunk)[written:], at + written)
        at += length


def _write_rest(fd: int, rest: bytes, at: int) -> None:
    view = memoryview(rest)
    while view:
        written = os.pwrite(fd, view, at)
        view, at = view[written:], at + written


def write_file(target: Path, parts: Sequence[bytes]) -> None:
    """A whole new file under its final name, or none: written beside it, flushed, renamed."""
    draft = target.with_name(target.name + ".draft")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        write_parts(fd, parts, 0)
        os.fsync(fd)
        draft.rename(target)
        sync_folder(target.parent)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(fd)


def take_lock(path: Path, flags: int = 0) -> int | None:
    """Open and lock a file; its descriptor, or None if its owner lives or it is gone.

    The lock belongs to the open file and so ends with its process, however that ends.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _still_there(fd, path):  # renamed or deleted by its owner before it let go
            raise BlockingIOError
    except BlockingIOError:
        os.close(fd)
        return None
    except BaseException:
        os.close(fd)
        raise
    return fd


def _still_there(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except FileNotFoundError:
        return False
