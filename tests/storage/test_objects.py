"""One suite for both drivers of the object store, then what only one of them can get wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from playhead.errors import ObjectMissing, StorageUnavailable
from playhead.settings import Settings
from storage import objects_s3
from storage.objects import MULTIPART_BYTES, ObjectInfo, ObjectStore, check_key, check_prefix, open_objects
from storage.objects_local import LocalObjects, open_local
from storage.objects_s3 import S3Objects, open_s3
from tests.servers import S3, S3Server, free_port


@pytest.fixture(params=["local", "s3"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "local":
        values = {"objects_url": f"file://{tmp_path / 'a folder with 100% odd #signs'}"}
    else:
        values = request.getfixturevalue("s3").settings
        values["objects_url"] += "/some/prefix"
    async with open_objects(Settings.model_validate(values)) as store:
        yield store


async def keys_of(store: ObjectStore, prefix: str = "", after: str = "") -> list[str]:
    return [info.key async for info in store.list(prefix, after=after)]


# -- what both promise


async def test_an_object_comes_back_as_it_was(objects: ObjectStore) -> None:
    for body in (b"", b"x", bytes(range(256)) * 1000):
        assert await objects.put("a/b=1/c-d_e.bin", body)
        assert await objects.get("a/b=1/c-d_e.bin") == body


async def test_a_put_replaces(objects: ObjectStore) -> None:
    await objects.put("key", b"a longer first version")
    assert await objects.put("key", b"second")
    assert await objects.get("key") == b"second"


async def test_if_absent_keeps_what_is_there(objects: ObjectStore) -> None:
    assert await objects.put("a/key", b"first", if_absent=True) is True
    assert await objects.put("a/key", b"second", if_absent=True) is False
    assert await objects.get("a/key") == b"first"


async def test_of_many_conditional_puts_one_wins(objects: ObjectStore) -> None:
    bodies = [f"body {n}".encode() for n in range(10)]
    won = await asyncio.gather(*(objects.put("race", body, if_absent=True) for body in bodies))
    assert won.count(True) == 1
    assert await objects.get("race") == bodies[won.index(True)]


async def test_large_objects_go_in_parts(objects: ObjectStore) -> None:
    body = os.urandom(1_000_000) * 33 + b"end"
    assert len(body) > 2 * MULTIPART_BYTES
    assert await objects.put("large", body)
    assert await objects.get("large") == body
    assert await objects.get("large", start=-5) == body[-5:]
    assert await objects.put("large", b"small" * MULTIPART_BYTES, if_absent=True) is False
    assert await objects.get("large", start=0, length=4) == body[:4]


async def test_ranges(objects: ObjectStore) -> None:
    body = bytes(range(100))
    await objects.put("r", body)
    cases = [
        (0, None),
        (0, 10),
        (10, 20),
        (90, 50),
        (99, 1),
        (-1, None),
        (-30, 10),
        (-100, None),
        (-500, None),
    ]
    for start, length in cases:
        expected = body[start:] if length is None else body[start:][:length]
        assert await objects.get("r", start=start, length=length) == expected, (start, length)


async def test_a_range_behind_the_end_is_empty(objects: ObjectStore) -> None:
    await objects.put("r", b"12345")
    assert await objects.get("r", start=5) == b""
    assert await objects.get("r", start=500, length=3) == b""
    assert await objects.get("r", start=2, length=0) == b""
    await objects.put("empty", b"")
    assert await objects.get("empty", start=-8) == b""


async def test_a_missing_object_is_said_to_be_missing(objects: ObjectStore) -> None:
    await objects.put("a/b", b"x")
    for key in ("nothing", "a", "a/c", "a/b/c", "x/y/z"):
        with pytest.raises(ObjectMissing):
            await objects.get(key)
        with pytest.raises(ObjectMissing):
            await objects.get(key, start=3, length=0)


async def test_listing_is_in_the_order_of_keys(objects: ObjectStore) -> None:
    keys = [
        "a/b",
        "a/b0",
        "a/z/1",
        "a/z/2",
        "b",
        "c/1",
        "c/10/x",
        "c/2",
        "journal/2026/01/31/x",
        "journal/2026/02/1/x",
    ]
    for key in reversed(keys):
        await objects.put(key, key.encode())
    infos = [info async for info in objects.list("")]
    assert [info.key for info in infos] == sorted(keys)
    assert all(info.bytes == len(info.key) for info in infos)
    now_ms = time.time() * 1000
    assert all(isinstance(info, ObjectInfo) and abs(info.modified_ms - now_ms) < 60_000 for info in infos)


async def test_a_listing_can_begin_anywhere(objects: ObjectStore) -> None:
    keys = sorted(f"j/{day:02}/{hour:02}/{n}" for day in range(3) for hour in range(3) for n in range(3))
    await asyncio.gather(*(objects.put(key, b"x") for key in keys))
    await objects.put("other", b"x")
    prefixes = ("", "j", "j/", "j/0", "j/01", "j/01/", "j/01/0", "j/01/02/1", "nothing/", "j/9")
    for prefix in prefixes:
        for after in (
            "",
            "i",
            "j/",
            "j/00/02/2",
            "j/01/",
            "j/01/01/",
            "j/01/01/0",
            "j/01/02/zzz",
            "k",
            "zzz",
        ):
            expected = [k for k in [*keys, "other"] if k.startswith(prefix) and k > after]
            assert await keys_of(objects, prefix, after) == expected, (prefix, after)


async def test_a_listing_has_no_bound(objects: ObjectStore) -> None:
    keys = [f"many/{n:05}" for n in range(1100)]
    for begin in range(0, len(keys), 50):
        await asyncio.gather(*(objects.put(key, b"") for key in keys[begin : begin + 50]))
    assert await keys_of(objects, "many/") == keys
    await objects.delete(keys)
    assert await keys_of(objects, "many/") == []


async def test_a_listing_may_be_left_early(objects: ObjectStore) -> None:
    for n in range(3):
        await objects.put(f"k/{n}", b"")
    found = objects.list("k/")
    async for info in found:
        assert info.key == "k/0"
        break
    await found.aclose()  # type: ignore[attr-defined]


async def test_deleting_what_is_not_there_is_fine(objects: ObjectStore) -> None:
    await objects.put("d/1", b"x")
    await objects.put("d/2", b"x")
    await objects.delete(["d/1", "d/1", "d/none", "no/such/folder", "d/2/under-a-file"])
    await objects.delete([])
    assert await keys_of(objects) == ["d/2"]
    with pytest.raises(ObjectMissing):
        await objects.get("d/1")


async def test_check_says_nothing_when_all_is_well_and_leaves_nothing(objects: ObjectStore) -> None:
    await objects.check()
    assert await keys_of(objects) == []


BAD_KEYS = [
    "", "/", "/a", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "./a", "a/./b", ".hidden", "a/.tmp/b",
    "a\\b", "a b", "ä", "a\0b", "a\n", "a?b", "a*b", "a%2e", "~", "C:x", "x" * 1001, "x" * 201, "a..b",
]  # fmt: skip


async def test_a_bad_key_is_refused_everywhere(objects: ObjectStore) -> None:
    for key in BAD_KEYS:
        for call in (objects.put(key, b"x"), objects.get(key), objects.delete(["fine", key])):
            with pytest.raises(ValueError, match="not an object key"):
                await call
    assert await keys_of(objects) == []


def test_keys_and_prefixes() -> None:
    assert check_key("journal/2026/01/01/00/1760000000000-node-1.seg")
    for prefix in ("", "a", "a/", "a/b", "a/b/"):
        assert check_prefix(prefix) == prefix
    for prefix in ("/", "../", "a//", "a/.", "a/../"):
        with pytest.raises(ValueError, match="not an object key"):
            check_prefix(prefix)


# -- local files


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


# -- S3


async def test_the_prefix_keeps_others_apart(s3: S3) -> None:
    async with open_objects(Settings.model_validate(s3.settings)) as whole:
        await whole.put("mine-not/x", b"other")
        async with open_s3(s3.bucket, prefix="mine", endpoint_url=s3.endpoint_url, region=s3.region) as part:
            await part.put("a", b"x")
            assert await keys_of(part) == ["a"]
        assert sorted(await keys_of(whole)) == ["mine-not/x", "mine/a"]


async def test_a_server_that_refuses_is_told_with_its_reason(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    async with open_objects(Settings.model_validate(s3.settings)) as store:
        with pytest.raises(StorageUnavailable, match=r"storage refuses writes \(403 SignatureDoesNotMatch\)"):
            await store.check()
        with pytest.raises(StorageUnavailable, match="refuses reads"):
            await store.get("a")
        with pytest.raises(StorageUnavailable, match="refuses listing"):
            await keys_of(store)
        with pytest.raises(StorageUnavailable, match="refuses deletes"):
            await store.delete(["a"])


async def test_a_bucket_that_is_not_there_is_no_missing_object(s3: S3) -> None:
    async with open_s3("no-such-bucket", prefix="", endpoint_url=s3.endpoint_url, region="") as store:
        with pytest.raises(StorageUnavailable, match="no such bucket"):
            await store.get("a")


async def test_absent_credentials_are_named(s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    async with open_objects(Settings.model_validate(s3.settings)) as store:
        with pytest.raises(StorageUnavailable, match="set AWS_ACCESS_KEY_ID"):
            await store.check()


async def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    nowhere = f"http://127.0.0.1:{free_port()}"
    async with open_s3("bucket", prefix="", endpoint_url=nowhere, region="") as store:
        for call in (store.put("a", b""), store.get("a"), store.delete(["a"]), store.check()):
            with pytest.raises(StorageUnavailable, match="does not answer"):
                await call


@pytest.fixture
def own_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    server = S3Server()
    server.start()
    bucket = server.new_bucket()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    yield bucket
    server.close()


async def test_a_frozen_stopped_and_restarted_server(own_s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_s3, "READ_TIMEOUT_S", 1)
    async with open_objects(Settings.model_validate(own_s3.settings)) as store:
        await store.put("a", b"kept")
        own_s3.server.freeze()
        begun = time.monotonic()
        for call in (store.put("b", b"x"), store.get("a")):
            with pytest.raises(StorageUnavailable, match="does not answer"):
                await call
        assert time.monotonic() - begun < 12
        own_s3.server.thaw()
        assert await store.get("a") == b"kept"
        own_s3.server.stop()
        with pytest.raises(StorageUnavailable, match="does not answer"):
            await store.put("b", b"x")
        own_s3.server.start()
        assert await store.get("a") == b"kept"
        assert await store.put("b", b"x")


class Answering:
    """A server that gives one answer, byte for byte, to every request."""

    def __init__(self, answer: bytes, *, pause_s: float = 0.0) -> None:
        self.requests: list[bytes] = []
        self._answer, self._pause_s = answer, pause_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = self._listener.accept()[0]
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(2)
                    self.requests.append(connection.recv(100_000))
                    head, _, body = self._answer.partition(b"\r\n\r\n")
                    connection.sendall(head + b"\r\n\r\n")
                    for at in range(0, len(body), 10):
                        connection.sendall(body[at : at + 10])
                        time.sleep(self._pause_s)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@contextlib.asynccontextmanager
async def s3_that_answers(
    monkeypatch: pytest.MonkeyPatch, answer: bytes, *, pause_s: float = 0.0
) -> AsyncIterator[tuple[S3Objects, Answering]]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    server = Answering(answer, pause_s=pause_s)
    try:
        async with open_s3("bucket", prefix="", endpoint_url=server.url, region="") as store:
            yield store, server
    finally:
        server.close()


async def test_a_body_that_breaks_off_is_not_taken_for_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\nonly this"
    async with s3_that_answers(monkeypatch, answer) as (store, server):
        with pytest.raises(StorageUnavailable, match="does not answer"):
            await store.get("a")
        assert len(server.requests) == objects_s3.ATTEMPTS


async def test_a_body_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects_s3, "CALL_TIMEOUT_S", 1.0)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n" + b"x" * 400
    async with s3_that_answers(monkeypatch, answer, pause_s=0.05) as (store, _server):
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable, match="took over 1 s"):
            await store.get("a")
        assert time.monotonic() - begun < 3


async def test_a_failing_server_is_asked_again_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    body = b"<Error><Code>SlowDown</Code><Message>x</Message></Error>"
    head = b"HTTP/1.1 503 Slow Down\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    async with s3_that_answers(monkeypatch, head + body) as (store, server):
        with pytest.raises(StorageUnavailable, match=r"storage fails writes \(503 SlowDown\)"):
            await store.put("a", b"x")
        assert len(server.requests) == objects_s3.ATTEMPTS


async def test_an_answer_that_is_no_s3_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n"
    page = head + b"<html><p></html"
    async with s3_that_answers(monkeypatch, page) as (store, _server):
        with pytest.raises(StorageUnavailable):
            await keys_of(store)
        with pytest.raises(StorageUnavailable):
            await store.check()


async def test_a_server_without_bulk_deletes_gets_single_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with s3_that_answers(monkeypatch, answer) as (store, server):
        with pytest.raises(StorageUnavailable, match="deletes"):
            await store.delete(["a", "b"])
        assert [request.split()[:2] for request in server.requests] == [
            [b"POST", b"/bucket?delete"], [b"DELETE", b"/bucket/a"],
        ]  # fmt: skip
