"""Objects as files under one root folder; a key is the path below it.

Folders are walked by descriptor without following links, so nothing is read or written outside the root.
Files arrive under `.tmp` and move into place when they are whole and on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import secrets
import stat
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

from playhead.errors import ObjectMissing, StorageUnavailable
from storage.durable_files import settle_folder
from storage.objects import ObjectInfo, check_key, check_prefix, probe

THREADS = 8
LIST_STEP = 500  # names per visit to a thread
SETTLED = 10_000  # folders that are remembered
STALE_S = 3600  # an unfinished file this old belongs to a process that was killed

T = TypeVar("T")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalObjects:
    """ObjectStore on a local folder."""

    def __init__(self, root: Path, threads: ThreadPoolExecutor) -> None:
        self.root = root
        self._threads = threads
        self._settled: dict[str, int] = {}  # folders whose entries are on disk, to the inodes they had then

    def path(self, key: str) -> Path:
        """Where the object lies."""
        return self.root / check_key(key)

    async def put(
        self,
        key: str,
        body: bytes,
        *,
        content_type: str = "application/octet-stream",
        if_absent: bool = False,
    ) -> bool:
        """See ObjectStore."""
        check_key(key)
        return await self._run(lambda: self._put(key, body, if_absent))

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        """See ObjectStore."""
        check_key(key)
        return await self._run(lambda: self._get(key, start, length))

    async def delete(self, keys: Iterable[str]) -> None:
        """See ObjectStore. Folders that became empty go, too."""
        wanted = sorted({check_key(key) for key in keys})
        await self._run(lambda: self._delete(wanted))

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[ObjectInfo]:
        """See ObjectStore. Holds the names of one folder per level at a time."""
        check_prefix(prefix)
        await self._run(self._check_mounted)
        found = self._walk(prefix.rpartition("/")[0], prefix, after)
        while some := await self._run(lambda: list(itertools.islice(found, LIST_STEP))):
            for info in some:
                yield info

    async def check(self) -> None:
        """See ObjectStore."""
        await probe(self)

    def adopt(self, source: Path, key: str) -> None:
        """Move a finished file on the same file system into place, durably. Blocking.

        The file's own bytes must be on disk already. Makes folders, and does not mind if `delete` removes one
        at that moment. Raises StorageUnavailable.
        """
        check_key(key)
        with self._failing("writes", key):
            self._into_place(key, lambda folder, name: os.replace(source, name, dst_dir_fd=folder))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _put(self, key: str, body: bytes, if_absent: bool) -> bool:
        fresh = self.root / ".tmp" / f"{os.getpid()}-{secrets.token_hex(8)}"
        try:
            with self._failing("writes", key):
                _write(fresh, body)
                move = os.link if if_absent else os.replace
                try:
                    self._into_place(key, lambda folder, name: move(fresh, name, dst_dir_fd=folder))
                except FileExistsError:
                    return False
                return True
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink()

    def _into_place(self, key: str, move: Callable[[int, str], None]) -> None:
        """Run `move(folder, name)` in the key's folder, which is made if needed, and sync the folder."""
        *folders, name = key.split("/")
        for attempt in itertools.count():
            try:
                with self._folder(folders, create=True) as folder:
                    move(folder, name)
                    os.fsync(folder)
                return
            except FileNotFoundError:
                # A deleter found the folder empty and removed it between our two steps.
                if attempt == 100 or not self._is_mounted():
                    raise

    def _get(self, key: str, start: int, length: int | None) -> bytes:
        *folders, name = key.split("/")
        with self._failing("reads", key), self._folder(folders) as folder:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            with open(descriptor, "rb", buffering=0):
                seen = os.fstat(descriptor)
                if not stat.S_ISREG(seen.st_mode):
                    raise IsADirectoryError(errno.EISDIR, "not a file")
                begin = max(seen.st_size + start, 0) if start < 0 else start
                end = seen.st_size if length is None else min(begin + length, seen.st_size)
                return _read(descriptor, begin, end)

    def _delete(self, keys: Sequence[str]) -> None:
        for folder_name, group in itertools.groupby(keys, lambda key: key.rpartition("/")[0]):
            folders = folder_name.split("/") if folder_name else []
            with contextlib.suppress(ObjectMissing), self._failing("deletes", folder_name + "/"):
                with self._folder(folders) as folder:
                    for key in group:
                        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                            os.unlink(key.rpartition("/")[2], dir_fd=folder)
                    os.fsync(folder)
                self._prune(folders)

    def _prune(self, folders: Sequence[str]) -> None:
        """Remove the folder if it is empty, then the one above: rmdir decides, so no race loses a file."""
        while folders:
            try:
                with self._folder(folders[:-1]) as above:
                    os.rmdir(folders[-1], dir_fd=above)
                self._settled.pop("".join(f"{name}/" for name in folders), None)
            except OSError:
                return
            folders = folders[:-1]

    @contextmanager
    def _folder(self, folders: Sequence[str], *, create: bool = False) -> Iterator[int]:
        """Descriptor of a folder below the root, reached without following links.

        With `create` the entry of every folder on the way is on disk, whoever made it: another process may have come
        no further than mkdir.
        """
        current, way = os.open(self.root, _FOLDER), ""
        try:
            for name in folders:
                try:
                    following = os.open(name, _FOLDER, dir_fd=current)
                except FileNotFoundError:
                    if not create:
                        raise
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(name, dir_fd=current)
                    following = os.open(name, _FOLDER, dir_fd=current)
                above, current, way = current, following, f"{way}{name}/"
                try:
                    if create:
                        self._settle(way, current, above)
                finally:
                    os.close(above)
            yield current
        finally:
            os.close(current)

    def _settle(self, way: str, folder: int, above: int) -> None:
        """Make a folder's entry durable when this process comes to it for the first time."""
        inode = os.fstat(folder).st_ino
        if self._settled.get(way) != inode:
            os.fsync(above)
            if len(self._settled) >= SETTLED:
                self._settled.clear()
            self._settled[way] = inode

    def _walk(self, folder_key: str, prefix: str, after: str) -> Iterator[ObjectInfo]:
        """Files below a folder in the order of their keys, skipping folders that hold nothing wanted."""
        above = folder_key + "/" if folder_key else ""
        try:
            with (
                self._failing("listing", above),
                self._folder(folder_key.split("/") if folder_key else []) as folder,
            ):
                # A folder stands where its files' keys do: "a-b" < "a/b" < "a0".
                names = sorted(_names(folder))
        except ObjectMissing:
            return
        for key in (above + name for name in names):
            if key.endswith("/"):
                inside = key.startswith(prefix) or prefix.startswith(key)
                if inside and (key > after or after.startswith(key)):
                    yield from self._walk(key[:-1], prefix, after)
            elif key.startswith(prefix) and key > after:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    seen = os.stat(self.root / key, follow_symlinks=False)
                    if stat.S_ISREG(seen.st_mode):
                        yield ObjectInfo(key, seen.st_size, seen.st_mtime_ns // 1_000_000)

    @contextmanager
    def _failing(self, what: str, key: str) -> Iterator[None]:
        """Errors of the file system become ours; a root that is gone (not mounted) is no absent object."""
        try:
            yield
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as problem:
            self._check_mounted()
            if what == "writes" or self._has_link(key):
                raise StorageUnavailable(
                    f"storage refuses {what}: something is in the way of {key}"
                ) from problem
            raise ObjectMissing(f"no object {key}") from None
        except FileExistsError:
            raise
        except OSError as problem:
            raise StorageUnavailable(f"storage refuses {what} ({problem.strerror})") from problem

    def _check_mounted(self) -> None:
        if not self._is_mounted():
            raise StorageUnavailable(f"storage: {self.root} is gone, or another folder is in its place")

    def _is_mounted(self) -> bool:
        return (self.root / ".tmp").is_dir()

    def _has_link(self, key: str) -> bool:
        parts = key.strip("/").split("/")
        return any((self.root / "/".join(parts[:end])).is_symlink() for end in range(1, len(parts) + 1))


def _names(folder: int) -> Iterator[str]:
    """Names in a folder, those of folders with a slash at the end; hidden ones are none of ours."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                yield entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")


def _write(path: Path, body: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    with open(descriptor, "wb", buffering=0) as file:
        rest = memoryview(body)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(descriptor)


def _read(descriptor: int, begin: int, end: int) -> bytes:
    pieces = []
    while begin < end and (piece := os.pread(descriptor, end - begin, begin)):
        pieces.append(piece)
        begin += len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _prepare(root: Path) -> Path:
    """The real path of the root, made if needed, without the unfinished files of dead processes."""
    try:
        settle_folder(root)
        root = root.resolve()
        (root / ".tmp").mkdir(exist_ok=True)
        for entry in os.scandir(root / ".tmp"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > STALE_S:
                    os.unlink(entry.path)
    except OSError as problem:
        raise StorageUnavailable(f"storage: cannot use {root} ({problem.strerror})") from problem
    return root


@asynccontextmanager
async def open_local(root: Path) -> AsyncIterator[LocalObjects]:
    """Objects under `root`, which is made if it is not there. Raises StorageUnavailable."""
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="objects")
    try:
        yield LocalObjects(await asyncio.get_running_loop().run_in_executor(threads, _prepare, root), threads)
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
