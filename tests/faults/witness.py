"""What a disk would hold after a power cut: kept beside the data, one witness in each process of the installation.

    <witness>/files/<inode>       the file's bytes when it was synced last
             /held/<inode>        a hard link, so that the inode's number cannot be given to another file
             /folders/<name>      "inode name" of each entry when the folder was synced last
             /lock                held by who takes note: of two notes about one thing the newer one must stay

Only the standard library: `shim/sitecustomize.py` loads it before anything else.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator

SYNC_S = 0.01  # of a slow disk


class Witness:
    """In one folder on the same file system as the data; several processes share it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        for name in ("files", "held", "folders"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        self._held = os.open(os.path.join(folder, "held"), os.O_RDONLY | os.O_DIRECTORY)

    def close(self) -> None:
        """No more of it."""
        os.close(self._held)

    def synced(self, fd: int) -> None:
        """In place of fsync(fd): from now on this is what the disk holds. Slow, so that cuts come between."""
        time.sleep(SYNC_S)
        found = os.fstat(fd)
        path = f"/proc/self/fd/{fd}"
        if stat.S_ISDIR(found.st_mode):
            self.note_folder(os.readlink(path))
        elif stat.S_ISREG(found.st_mode):
            self.note_file(path, found.st_ino)

    def note_file(self, path: str, inode: int) -> None:
        """This file's bytes are on disk."""
        self.hold(path, inode)
        draft = self._draft()
        with self._alone():
            shutil.copyfile(path, draft)
            os.replace(draft, os.path.join(self.folder, "files", str(inode)))

    def note_folder(self, path: str) -> None:
        """This folder's entries are on disk."""
        with self._alone():
            lines = []
            with os.scandir(path) as entries:
                for entry in entries:
                    inode = entry.inode()
                    if not entry.is_dir(follow_symlinks=False):
                        with contextlib.suppress(FileNotFoundError):
                            self.hold(entry.path, inode)
                    lines.append(f"{inode} {entry.name}\n")
            draft = self._draft()
            with open(draft, "w", encoding="utf-8") as file:
                file.writelines(lines)
            os.replace(draft, os.path.join(self.folder, "folders", name_of(path)))

    def hold(self, path: str, inode: int) -> None:
        """Keep the file alive, whatever becomes of its names."""
        with contextlib.suppress(FileExistsError):  # only with a folder's descriptor does link() follow /proc
            os.link(path, str(inode), src_dir_fd=self._held, dst_dir_fd=self._held, follow_symlinks=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Neither another thread nor another process takes note."""
        lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _draft(self) -> str:
        return os.path.join(self.folder, f"draft-{os.getpid()}-{threading.get_ident()}")


def name_of(path: str) -> str:
    """A file name for a path."""
    return hashlib.sha256(os.path.realpath(path).encode()).hexdigest()
