"""Objects in S3: refusals and their reasons, servers that stop, freeze, trickle or talk nonsense."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from playhead.errors import StorageUnavailable
from playhead.settings import Settings
from storage import objects_s3
from storage.objects import open_objects
from storage.objects_s3 import S3Objects, open_s3
from tests.servers import S3, S3Server, free_port
from tests.storage.test_objects import keys_of

T = TypeVar("T")


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
        assert await soon(lambda: store.get("a")) == b"kept"
        own_s3.server.stop()
        with pytest.raises(StorageUnavailable, match="does not answer"):
            await store.put("b", b"x")
        own_s3.server.start()
        assert await soon(lambda: store.get("a")) == b"kept"
        assert await soon(lambda: store.put("b", b"x"))


async def soon(call: Callable[[], Awaitable[T]]) -> T:
    """What the call returns once the server has found its parts again."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(StorageUnavailable):
                return await call()
            await asyncio.sleep(0.1)


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
