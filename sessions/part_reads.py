"""Bodies of parts from the journal in as few reads as make sense: neighbours in one segment come in one range."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from playhead.errors import ObjectMissing
from sessions.parts import Part
from storage.objects import ObjectStore

#: bytes of other sessions between two parts that are read along: cheaper than a request to S3 of its own
GAP_BYTES: Final = 128_000
#: a read grows no further
READ_BYTES: Final = 4_000_000
#: reads under way at once
AT_ONCE: Final = 4


@dataclass(slots=True)
class Read:
    """One range of one segment, `start` to `end`, and the parts that lie in it."""

    segment_key: str
    start: int
    end: int
    parts: list[Part] = field(default_factory=list)


def plan(parts: Iterable[Part]) -> Iterator[Read]:
    """The reads that bring these parts, in the order of the journal."""
    read: Read | None = None
    for part in sorted(parts, key=lambda part: (part.segment_key, part.body_offset)):
        end = part.body_offset + part.body_length
        if (
            read is not None
            and part.segment_key == read.segment_key
            and part.body_offset - read.end <= GAP_BYTES
            and end - read.start <= READ_BYTES
        ):
            read.end = max(read.end, end)
        else:
            if read is not None:
                yield read
            read = Read(part.segment_key, part.body_offset, end)
        read.parts.append(part)
    if read is not None:
        yield read


async def bodies(objects: ObjectStore, parts: Iterable[Part]) -> AsyncIterator[tuple[Part, bytes | None]]:
    """Each part with its bytes; none where the journal no longer has its segment.

    Holds AT_ONCE reads in memory. Raises StorageUnavailable.
    """
    reads = list(plan(parts))
    for begin in range(0, len(reads), AT_ONCE):
        some = reads[begin : begin + AT_ONCE]
        for read, content in zip(some, await _fetch(objects, some), strict=True):
            for part in read.parts:
                start = part.body_offset - read.start
                yield part, None if content is None else content[start : start + part.body_length]


async def _fetch(objects: ObjectStore, reads: Sequence[Read]) -> list[bytes | None]:
    async def fetch(read: Read) -> bytes | None:
        try:
            return await objects.get(read.segment_key, start=read.start, length=read.end - read.start)
        except ObjectMissing:
            return None

    outcomes = await asyncio.gather(*map(fetch, reads), return_exceptions=True)
    contents: list[bytes | None] = []
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
        contents.append(outcome)
    return contents
