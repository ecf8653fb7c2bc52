"""Objects in local files: links, folders that come and go, a disk that is full or gone, kills."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from playhead.errors import StorageUnavailable
from storage.objects_local import LocalObjects, open_local
from tests.storage.test_objects import keys_of


@pytest.fixture
async def local(tmp_path: Path) -> AsyncIterator[LocalObjects]:
    async with open_local(tmp_path / "root") as store:
        yield store


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def test_a_key_is_a_path(local: LocalObjects) -> None:
    await local.put("a/b/c", b"content")
    assert local.path("a/b/c").read_bytes() == b"content"
    assert files_under(local.root) == {"a/b/c"}


async def test_a_link_never_leads_out_of_the_root(local: LocalObjects, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (local.root / "folder").symlink_to(outside)
    (local.root / "file").symlink_to(outside / "secret")
    with pytest.raises(StorageUnavailable):
        await local.put("folder/new", b"x")
    with pytest.raises(StorageUnavailable):
        await local.get("folder/secret")
    with pytest.raises(StorageUnavailable):
        await local.get("file")
    with contextlib.suppress(StorageUnavailable):
        await local.delete(["folder/secret"])
    assert await keys_of(local) == []
    await local.put("file", b"replaces the link")
    assert files_under(outside) == {"secret"}
    assert (outside / "secret").read_text() == "secret"


async def test_empty_folders_go_and_full_ones_stay(local: LocalObjects) -> None:
    for key in ("a/b/1", "a/b/2", "a/c/d/e", "x/1"):
        await local.put(key, b"")
    await local.delete(["a/b/1", "a/c/d/e"])
    assert (local.root / "a/b").is_dir()
    assert not (local.root / "a/c").exists()
    await local.delete(["a/b/2", "x/1"])
    assert sorted(os.listdir(local.root)) == [".tmp"]


async def test_puts_and_deletes_in_the_same_folder_lose_nothing(local: LocalObjects) -> None:
    async def come_and_go(worker: int) -> None:
        for n in range(150):
            key = f"deep/er/folder/{worker}-{n}"
            await local.put(key, b"x", if_absent=worker % 2 == 0)
            assert await local.get(key) == b"x"
            if n % 10:
                await local.delete([key])

    await asyncio.gather(*(come_and_go(worker) for worker in range(4)))
    assert len(await keys_of(local)) == 4 * 15


async def test_a_finished_file_can_be_adopted(local: LocalObjects, tmp_path: Path) -> None:
    source = tmp_path / "finished"
    source.write_bytes(b"segment")
    local.adopt(source, "journal/1/2")
    assert await local.get("journal/1/2") == b"segment"
    assert not source.exists()
    with pytest.raises(StorageUnavailable):
        local.adopt(source, "journal/1/2")


async def test_a_root_that_is_gone_is_not_a_missing_object(local: LocalObjects) -> None:
    await local.put("a/b", b"x")
    moved = local.root.with_name("moved")
    local.root.rename(moved)
    for mounted in (False, True):
        if mounted:  # the empty folder where a volume belongs
            local.root.mkdir()
        with pytest.raises(StorageUnavailable):
            await local.get("a/b")
        with pytest.raises(StorageUnavailable):
            await keys_of(local)
        with pytest.raises(StorageUnavailable):
            await local.put("a/c", b"x")
        with pytest.raises(StorageUnavailable):
            await local.check()
    local.root.rmdir()
    moved.rename(local.root)
    assert await local.get("a/b") == b"x"


async def test_a_key_below_an_object_is_refused(local: LocalObjects) -> None:
    await local.put("a/b", b"x")
    for key in ("a/b/c", "a"):
        with pytest.raises(StorageUnavailable, match="in the way"):
            await local.put(key, b"y")
    assert await local.get("a/b") == b"x"
    assert files_under(local.root) == {"a/b"}


async def test_left_over_files_of_killed_writers_go(tmp_path: Path) -> None:
    folder = tmp_path / ".tmp"
    folder.mkdir()
    for name, age_s in (("old", 4000), ("young", 10)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age_s,) * 2)
    async with open_local(tmp_path) as store:
        assert os.listdir(folder) == ["young"]
        assert await keys_of(store) == []


FULL_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from playhead.errors import StorageUnavailable
from storage.objects_local import open_local

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    async with open_local(Path(sys.argv[1])) as store:
        await store.put("a/small", b"x" * 1000)
        try:
            await store.put("a/large", b"x" * 200_000)
        except StorageUnavailable as problem:
            print(problem)
asyncio.run(main())
"""


def test_a_write_that_does_not_fit_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "storage refuses writes (File too large)\n", done.stderr
    assert files_under(tmp_path) == {"a/small"}


KILLED_WRITER = """
import asyncio, sys
from pathlib import Path
from storage.objects_local import open_local

async def main():
    async with open_local(Path(sys.argv[1])) as store:
        for n in range(1_000_000):
            await store.put(f"k/{n % 7}", bytes([n % 251]) * 300_000)
            print(n, flush=True)
asyncio.run(main())
"""


def kill_a_writer(root: Path, after_s: float) -> int:
    """Kill a process that writes; the number of the last object that it said was stored."""
    writer = subprocess.Popen([sys.executable, "-c", KILLED_WRITER, root], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(after_s)
    writer.send_signal(signal.SIGKILL)
    return int(writer.communicate()[0].split()[-1])


@pytest.mark.crash
async def test_a_killed_writer_leaves_only_whole_objects(tmp_path: Path) -> None:
    for after_s in (0.3, 0.35, 0.4):
        last = kill_a_writer(tmp_path, after_s)
        async with open_local(tmp_path) as store:
            async for info in store.list(""):
                body = await store.get(info.key)
                assert len(body) == 300_000
                assert len(set(body)) == 1
            # What was acknowledged last under its key is there, or something newer.
            assert (await store.get(f"k/{last % 7}"))[0] in (last % 251, (last + 7) % 251)
