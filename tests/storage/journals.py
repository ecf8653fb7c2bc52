"""What the journal's tests share: opening one, and reading back what the object store holds of it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from playhead.settings import Settings
from storage.journal import Journal, Record, SegmentSummary, open_journal
from storage.objects import ObjectStore, open_objects
from storage.segment_file import read_records


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def record(number: int, *, size: int = 100, kind: str = "batch", project_id: int = 1) -> Record:
    """A record that says its number in its session id and in its body."""
    body = number.to_bytes(8, "big") + bytes(max(size - 8, 0))
    return Record(kind, project_id, number, now_ms() * 1000, {"n": number}, body)


class Opened:
    """A running journal, its object store and what its index was told."""

    def __init__(self, settings: Settings, objects: ObjectStore, journal: Journal) -> None:
        self.settings = settings
        self.objects = objects
        self.journal = journal
        self.told: list[SegmentSummary] = []

    async def append(self, numbers: range, **options: Any) -> list[int]:
        """Append all at once -> numbers of those acknowledged."""
        sent = [self.journal.append(record(number, **options)) for number in numbers]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        return [number for number, answer in zip(numbers, answers, strict=True) if answer is None]

    async def stored(self) -> Counter[int]:
        return await stored(self.objects)


@contextlib.asynccontextmanager
async def opened(
    folder: Path, index: Callable[[SegmentSummary], Any] | None = None, **settings: Any
) -> AsyncIterator[Opened]:
    """A journal on `folder`; at the end everything is sealed and `told` complete."""
    chosen = Settings(data_dir=folder, **settings)
    async with open_objects(chosen) as objects:
        told: list[SegmentSummary] = []

        async def tell(summary: SegmentSummary) -> None:
            if index is not None:
                await index(summary)
            told.append(summary)

        async with open_journal(chosen, objects, index=tell, clock=now_ms) as journal:
            running = Opened(chosen, objects, journal)
            running.told = told
            yield running


async def stored(objects: ObjectStore) -> Counter[int]:
    """How often each record number is found in the sealed segments."""
    found: Counter[int] = Counter()
    async for info in objects.list("journal/"):
        for _, item in read_records(await objects.get(info.key)):
            assert isinstance(item, Record)
            number = item.session_id
            assert number is not None and item.meta == {"n": number}
            assert item.body[:8] == number.to_bytes(8, "big")
            found[number] += 1
    return found


class Wire:
    """A TCP wire to a server that can be cut (connections refused) and blocked (nothing comes through)."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._free = asyncio.Event()
        self._free.set()
        self.port = 0

    async def mend(self) -> None:
        """Let everything through."""
        self.free()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            for end in list(self._open):
                end.transport.abort()
            await self._server.wait_closed()
            self._server = None

    def block(self) -> None:
        """Keep connections, take new ones, answer nothing."""
        self._free.clear()

    def free(self) -> None:
        """Go on after `block`."""
        self._free.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            self._open.add(far_writer)
            await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self._open.discard(writer)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._free.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
        self._open.discard(writer)


async def until(condition: Callable[[], Any], timeout_s: float = 20) -> None:
    """Wait until it holds; fails after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return
        assert time.monotonic() < deadline, "it did not come to hold"
        await asyncio.sleep(0.02)
