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
