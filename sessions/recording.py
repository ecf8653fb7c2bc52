"""A recording: one session's material as objects, made for reading.

Under `recordings/{project}/{session}/{version}-{attempt}/`:

- `messages`   messages in order, binary format of spec/openreplay-mobile.md 3.2, in zstd blocks of some thousand
- `indexes`    the lowest SDK index of each message (msgpack, zstd), so that late data can be merged in
- `frames-N`   pictures back to back; equal contents stored once
- `timeline`   gzip JSON, what the player loads (sessions/timeline.py)
- `poster.webp` a small picture of the last screen, if there is one
- `manifest`   gzip JSON: blocks, picture index, coverage, completeness, counts

Messages, frames and timeline of the same material are the same bytes, whatever the order it came in.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import msgpack
import orjson
import zstandard

from messages import Frame, Limits, Picture, frame_bytes, walk
from sessions.material import Entry, Material, Placed

FORMAT = 1
BLOCK_MESSAGES = 2000
#: a recording is our own: only its own size bounds it
OWN_LIMITS = Limits(max_messages=2**62, max_unpacked_bytes=2**62)
FORMATS = ("jpeg", "webp", "png", "avif")
FRAME_GAP_MS = 15_000
TOLD_RANGES = 1_000


class Block(NamedTuple):
    """One zstd block of `messages`: where it lies, how many it holds, first and last device time (ms)."""

    offset: int
    length: int
    size: int
    first_ms: int
    last_ms: int


class StoredFrame(NamedTuple):
    """One picture of a recording: device time (ms), number of its object, place in it, format."""

    at_ms: int
    object_no: int
    offset: int
    length: int
    format: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a recording holds and where."""

    layout: str
    blocks: list[Block]
    frames: list[StoredFrame]
    coverage: list[tuple[int, int]]
    completeness: dict[str, Any]
    counts: dict[str, int]

    def to_bytes(self) -> bytes:
        """gzip JSON, the same bytes for the same content."""
        frames = [[f.at_ms, f.object_no, f.offset, f.length, FORMATS.index(f.format)] for f in self.frames]
        return gzip_json(
            {
                "format": FORMAT,
                "layout": self.layout,
                "blocks": [list(block) for block in self.blocks],
                "frames": frames,
                "coverage": self.coverage,
                "completeness": self.completeness,
                "counts": self.counts,
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """The inverse of `to_bytes`."""
        raw = orjson.loads(gzip.decompress(data))
        return cls(
            layout=raw["layout"],
            blocks=[Block(*block) for block in raw["blocks"]],
            frames=[
                StoredFrame(at, no, start, size, FORMATS[kind]) for at, no, start, size, kind in raw["frames"]
            ],
            coverage=[(first, last) for first, last in raw["coverage"]],
            completeness=raw["completeness"],
            counts=raw["counts"],
        )


def gzip_json(value: Any) -> bytes:
    """JSON, gzip without a time stamp."""
    return gzip.compress(orjson.dumps(value), compresslevel=6, mtime=0)


def prefix(project_id: int, session_id: int, name: str = "") -> str:
    """Key prefix of a session's recordings, or of one of them."""
    base = f"recordings/{project_id}/{session_id}/"
    return f"{base}{name}/" if name else base


def message_blocks(entries: list[Entry]) -> tuple[bytes, list[Block]]:
    """Messages in order -> the `messages` object and its blocks."""
    packer = zstandard.ZstdCompressor(level=3, write_content_size=True)
    parts: list[bytes] = []
    blocks: list[Block] = []
    offset = 0
    for start in range(0, len(entries), BLOCK_MESSAGES):
        chunk = entries[start : start + BLOCK_MESSAGES]
        packed = packer.compress(b"".join(frame_bytes(e.type, e.timestamp, e.body) for e in chunk))
        parts.append(packed)
        blocks.append(Block(offset, len(packed), len(chunk), chunk[0].timestamp, chunk[-1].timestamp))
        offset += len(packed)
    return b"".join(parts), blocks


def read_block(data: bytes) -> list[Frame]:
    """One block of `messages` -> its frames (indexes are places in the block)."""
    return walk(zstandard.ZstdDecompressor().decompress(data), OWN_LIMITS).frames


def pack_indexes(entries: list[Entry]) -> bytes:
    """The `indexes` object."""
    return zstandard.ZstdCompressor(level=3).compress(msgpack.packb([e.order for e in entries]))


def read_indexes(data: bytes) -> list[int]:
    """The inverse of `pack_indexes`."""
    indexes: list[int] = msgpack.unpackb(zstandard.ZstdDecompressor().decompress(data))
    return indexes


def frame_objects(material: Material, object_bytes: int) -> Iterator[tuple[bytes, list[StoredFrame]]]:
    """Pictures by time -> (content of frames-0, frames-1, …, with the pictures whose first copy or reuse lies there).

    Yields one object at a time, so that memory holds one.
    """
    places: dict[bytes, tuple[int, int]] = {}
    buffer: list[bytes] = []
    index: list[StoredFrame] = []
    size = number = 0
    for picture in material.sorted_pictures():
        place = places.get(picture.digest)
        if place is None:
            if size and size + picture.length > object_bytes:
                yield b"".join(buffer), index
                buffer, index, size, number = [], [], 0, number + 1
            place = places[picture.digest] = (number, size)
            buffer.append(material.picture_bytes(picture))
            size += picture.length
        index.append(StoredFrame(picture.at_ms, place[0], place[1], picture.length, picture.format))
    if index:
        yield b"".join(buffer), index


def absorb_messages(material: Material, blocks: Iterable[bytes], indexes: list[int]) -> None:
    """Put an earlier recording's messages back into `material`."""
    place = 0
    everything: list[Frame] = []
    for block in blocks:
        for frame in read_block(block):
            everything.append(frame._replace(index=indexes[place]))
            place += 1
    material.add_messages(everything)


def absorb_frames(material: Material, frames: Iterable[StoredFrame], content: bytes) -> None:
    """Put the pictures of one earlier `frames-N` object back into `material`."""
    material.add_pictures(Picture(f.at_ms, f.format, content[f.offset : f.offset + f.length]) for f in frames)


def completeness(material: Material, entries: list[Entry], pictures: list[Placed]) -> dict[str, Any]:
    """What is missing, in figures the player can put into words. Times are the device's, ms.

    `index_ranges`: what the SDK numbered and we have. A gap between them was either lost or sent again under new
    numbers (the SDK renumbers what it sends again), so it is told as a range, not as a loss. The first TOLD_RANGES;
    `more_index_ranges` counts the others.
    """
    ranges = material.index_ranges()
    gaps = [
        [before.at_ms, after.at_ms]
        for before, after in pairwise(pictures)
        if after.at_ms - before.at_ms > FRAME_GAP_MS
    ]
    return {
        "index_ranges": ranges[:TOLD_RANGES],
        "more_index_ranges": len(ranges[TOLD_RANGES:]),
        "frame_gaps": gaps[:500],
        "cut_messages": material.cut,
        "messages": len(entries),
        "frames": len(pictures),
    }
