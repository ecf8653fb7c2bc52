"""Batches: cutting what an SDK posts into frames by their Length, and building one.

Tolerant as spec/openreplay-mobile.md 3.4 wants: a damaged body costs one message, an unknown type is
stepped over, a tail that is not whole leaves what precedes it. Bodies are not decoded here but for
BatchMeta's index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import repeat
from struct import Struct
from typing import NamedTuple

from xxhash import xxh3_128_digest

from messages.codec import decode, frame_bytes
from messages.limits import Limits
from messages.schema import REFUSED_TYPES, Layout, Message
from messages.wire import more_uint, read_uint, uint
from playhead.errors import Malformed

BATCH_META = 107


class Frame(NamedTuple):
    """One message as it came: `timestamp` ms of the device's clock, `index` as spec 3.4 rule 2 counts,
    `body` raw, `offset` of its first byte in the batch. Times and indices are any uint of 64 bits (an index
    may go past it)."""

    type: int
    timestamp: int
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody misses
    body: bytes
    offset: int


Row = tuple[int, int, int, bytes, int]  # the members of a Frame


@dataclass(slots=True)
class Walk:
    """The frames of a batch. `tail` says why it ended before the end of the bytes, `tail_offset` where."""

    frames: list[Frame] = field(default_factory=list)
    meta_ms: int | None = None  # timestamp of the first BatchMeta
    tail: str | None = None
    tail_offset: int = 0
    refused: int | None = None  # the type that ended the batch, if it was one that no client may send


def walk(body: bytes, limits: Limits) -> Walk:
    """Cuts a plain batch (see `sniff_unpack`) into frames; never raises, linear in the size of the body."""
    result, rows = cut(body, limits)
    result.frames = list(map(tuple.__new__, repeat(Frame), rows))  # half the price of one call each
    return result


def cut(body: bytes, limits: Limits) -> tuple[Walk, list[Row]]:
    """What `walk` does, but the frames are plain tuples beside a Walk without any: for who reads millions."""
    result = Walk()
    rows: list[Row] = []
    append = rows.append
    refused = REFUSED_TYPES
    room = limits.max_messages
    size = len(body)
    at = start = index = 0
    high: dict[bytes, int] = {}  # last four bytes of six-byte timestamps seen -> their value
    known = high.get
    try:
        while at < size:
            start = at
            type = body[at]
            at += 1
            if type > 127:
                type, at = more_uint(body, at, type)
            if type in refused:
                result.tail, result.refused = f"type {type} is not for clients", type
                break
            base = known(body[at + 2 : at + 6])
            if base is not None and (low := body[at]) > 127 and (middle := body[at + 1]) > 127:
                timestamp = base + low + (middle << 7)
                at += 6
            else:
                before = at
                timestamp, at = read_uint(body, at)
                if at - before == 6 and len(high) < 64:
                    # the value without its two low groups, less their two continuation bits
                    high[body[before + 2 : at]] = (timestamp >> 14 << 14) - 128 - (128 << 7)
            end = body[at]
            at += 1
            if end > 127:
                end, at = more_uint(body, at, end)
            end += at
            if end > size:
                result.tail = "body is not whole"
                break
            if len(rows) >= room:
                result.tail = f"more than {room} messages"
                break
            index += 1
            if type == BATCH_META:
                index = _first_index(body[at:end], index)
                if result.meta_ms is None:
                    result.meta_ms = timestamp
            append((type, timestamp, index, body[at:end], start))
            at = end
    except (IndexError, Malformed):
        result.tail = _head_fault(body, start)
    result.tail_offset = size if result.tail is None else start
    return result, rows


def _head_fault(body: bytes, at: int) -> str:
    """Why the type, timestamp and length at `at` cannot be read."""
    for part in ("type", "timestamp", "length"):
        try:
            at = read_uint(body, at)[1]
        except IndexError:
            return f"{part} is not whole"
        except Malformed as problem:
            return f"{part}: {problem}"
    return "head cannot be read"


def _first_index(body: bytes, index: int) -> int:
    """FirstIndex of a BatchMeta; `index` where its body is damaged."""
    try:
        return read_uint(body, 0)[0]
    except (IndexError, Malformed):
        return index


@dataclass(frozen=True, slots=True)
class Damaged:
    """A frame whose body could not be read, or whose type nobody knows."""

    frame: Frame
    reason: str


@dataclass(slots=True)
class Batch:
    """A batch read whole: messages with their frames, and what could not be read."""

    walk: Walk
    messages: list[tuple[Frame, Message]]
    damaged: list[Damaged]


def read_batch(body: bytes, layout: Layout, limits: Limits) -> Batch:
    """Walks and decodes a plain batch; never raises."""
    batch = Batch(walk(body, limits), [], [])
    for frame in batch.walk.frames:
        try:
            batch.messages.append((frame, decode(frame.type, frame.body, layout, limits.max_string_bytes)))
        except Malformed as problem:
            batch.damaged.append(Damaged(frame, str(problem)))
    return batch


def encode_batch(first_index: int, meta_ms: int, framed: Iterable[bytes]) -> bytes:
    """A batch as the SDKs build it: BatchMeta with the device's clock `meta_ms`, then the framed messages."""
    return frame_bytes(BATCH_META, meta_ms, uint(first_index)) + b"".join(framed)


_IDENTITY = Struct("<QQ")


def identity(type: int, timestamp: int, body: bytes) -> bytes:
    """16 bytes (xxh3-128) that stay the same when an SDK regroups and renumbers what it resends."""
    return xxh3_128_digest(_IDENTITY.pack(type, timestamp) + body)
