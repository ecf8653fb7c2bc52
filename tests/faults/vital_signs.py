"""J7 and J8: no process died that nobody killed; memory, open files and temporary bytes are back where they were.

Tolerance: resident memory a tenth and 32 MB above what it was (caches that fill, arenas that glibc keeps), 24 open
files (pools that had not opened all their connections: 16 of those who read objects, 8 of Postgres), no byte in the
spool and none in temporary files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

MEMORY_SHARE = 1.1
MEMORY_BYTES = 32_000_000
OPEN_FILES = 24
#: what files under way are called (storage/durable_files.py, the spool, the embedded Postgres left aside)
TEMPORARY = ("*.tmp", "*.part", "*.partial")


@dataclass(frozen=True, slots=True)
class VitalSigns:
    """Of one process and its children."""

    pid: int
    memory_bytes: int
    open_files: int

    @classmethod
    def of(cls, pid: int) -> VitalSigns:
        """As they are now. Raises psutil.NoSuchProcess."""
        leader = psutil.Process(pid)
        memory = files = 0
        for process in (leader, *leader.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                memory += process.memory_info().rss
                files += process.num_fds()
        return cls(pid, memory, files)

    def worse(self, before: VitalSigns) -> list[str]:
        """What has grown beyond the tolerance; nothing if it is another process by now."""
        if self.pid != before.pid:
            return []
        found = []
        if self.memory_bytes > before.memory_bytes * MEMORY_SHARE + MEMORY_BYTES:
            found.append(f"{before.memory_bytes / 1e6:.0f} MB of memory became {self.memory_bytes / 1e6:.0f}")
        if self.open_files > before.open_files + OPEN_FILES:
            found.append(f"{before.open_files} open files became {self.open_files}")
        return found


def left_behind(folders: Iterable[Path]) -> list[str]:
    """Files of the spool and temporary ones, with their sizes."""
    found = []
    for folder in folders:
        paths = set((folder / "spool").rglob("*")) | set((folder / "tmp").rglob("*"))
        for pattern in TEMPORARY:
            paths |= set(folder.rglob(pattern))
        for path in sorted(paths):
            with contextlib.suppress(FileNotFoundError):
                if path.is_file() and (size := path.stat().st_size):
                    found.append(f"{path.relative_to(folder)}: {size} bytes")
    return found
