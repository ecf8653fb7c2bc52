"""What is held of a recording between requests: where its messages and pictures lie, in few bytes each."""

from __future__ import annotations

import asyncio
import gzip
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cache.sized_cache import SizedCache
from sessions.message_pages import corrected
from sessions.recording import FORMATS, Block, StoredFrame
from storage.objects import ObjectStore

#: of all recordings held in one process
MAX_BYTES: Final = 64_000_000
_FRAME_BYTES: Final = 32
_BLOCK_BYTES: Final = 300
_REST_BYTES: Final = 4_000
#: a manifest larger than this is parsed off the event loop, which appends wait for
_LARGE_BYTES: Final = 20_000


class FrameIndex:
    """Pictures by corrected time; of several at one millisecond each later one moves to the next free."""

    __slots__ = ("_formats", "_lengths", "_objects", "_offset_ms", "_offsets", "at_ms")

    def __init__(self, frames: Iterable[tuple[int, int, int, int, int]], offset_ms: int) -> None:
        """`frames`: (device time, object, offset, length, place in FORMATS) by time."""
        self.at_ms = array("q")
        self._offset_ms = offset_ms
        self._objects, self._offsets, self._lengths = array("I"), array("Q"), array("I")
        self._formats = bytearray()
        last = -(2**63)
        for at, object_no, offset, length, kind in frames:
            last = max(last + 1, corrected(at, offset_ms))
            self.at_ms.append(last)
            self._objects.append(object_no)
            self._offsets.append(offset)
            self._lengths.append(length)
            self._formats.append(kind)

    def __len__(self) -> int:
        return len(self.at_ms)

    def __getitem__(self, place: int) -> StoredFrame:
        """The picture at this place, its time the corrected one."""
        return StoredFrame(
            self.at_ms[place],
            self._objects[place],
            self._offsets[place],
            self._lengths[place],
            FORMATS[self._formats[place]],
        )

    def __iter__(self) -> Iterator[StoredFrame]:
        return (self[place] for place in range(len(self)))

    def places(self) -> Sequence[int]:
        """Rising numbers, one for each picture, which stay the same however the correction moves."""
        return [at_ms - self._offset_ms for at_ms in self.at_ms]

    def find(self, at_ms: int) -> StoredFrame | None:
        """The picture of this corrected time."""
        place = bisect_left(self.at_ms, at_ms)
        return self[place] if place < len(self) and self.at_ms[place] == at_ms else None

    def find_by_device(self, at_ms: int) -> StoredFrame | None:
        """The picture of this time of the device's clock, which stays the same however the correction moves."""
        return self.find(corrected(at_ms, self._offset_ms))

    def shown_at(self, at_ms: int) -> StoredFrame | None:
        """The last picture that is not after this corrected time."""
        place = bisect_right(self.at_ms, at_ms) - 1
        return self[place] if place >= 0 else None


@dataclass(frozen=True, slots=True)
class RecordingIndex:
    """The manifest of a recording as reading needs it."""

    layout: str
    blocks: list[Block]
    frames: FrameIndex
    completeness: dict[str, Any]

    @classmethod
    def from_bytes(cls, manifest: bytes, offset_ms: int) -> RecordingIndex:
        """From the `manifest` object, times corrected by `offset_ms`."""
        raw = orjson.loads(gzip.decompress(manifest))
        return cls(
            layout=raw["layout"],
            blocks=[Block(*block) for block in raw["blocks"]],
            frames=FrameIndex(raw["frames"], offset_ms),
            completeness=raw["completeness"],
        )

    @property
    def bytes(self) -> int:
        """About what it takes in memory."""
        return len(self.frames) * _FRAME_BYTES + len(self.blocks) * _BLOCK_BYTES + _REST_BYTES


class RecordingIndexes:
    """Indexes of the recordings that were read last, MAX_BYTES of them."""

    def __init__(self, objects: ObjectStore, *, max_bytes: int = MAX_BYTES) -> None:
        self._objects = objects
        self.held: SizedCache[RecordingIndex] = SizedCache(size=lambda each: each.bytes, max_bytes=max_bytes)

    async def get(self, prefix: str, offset_ms: int) -> RecordingIndex:
        """The index of the recording under this prefix. Raises ObjectMissing, StorageUnavailable."""
        return await self.held.get(f"{prefix}@{offset_ms}", lambda: self._load(prefix, offset_ms))

    async def close(self) -> None:
        """Ends what is being read."""
        await self.held.close()

    async def _load(self, prefix: str, offset_ms: int) -> RecordingIndex:
        content = await self._objects.get(prefix + "manifest")
        if len(content) > _LARGE_BYTES:
            return await asyncio.to_thread(RecordingIndex.from_bytes, content, offset_ms)
        return RecordingIndex.from_bytes(content, offset_ms)
