"""From one journal record to what is in it: unpack, walk, decode. Pure and bounded; content is judged here.

Raises Malformed when nothing of the record can be used; what is damaged inside a usable record is listed in
`faults` (place and reason, never content) and kept as a dead letter beside the rest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import xxhash

from messages import (
    Archive,
    Frame,
    Layout,
    Limits,
    Message,
    decode,
    identity,
    read_archive,
    sniff_picture,
    unpack,
    walk,
)
from messages.uploads import parse_upload
from playhead.errors import Malformed
from sessions.facts import Fact, fact_of
from storage.segment_file import Record

BATCH_META = 107
#: message times outside 2000 … 2099 are kept but say nothing about when a session took place
PLAUSIBLE_MS = range(946_684_800_000, 4_102_444_800_000)
MAX_FAULTS = 100


class Told(NamedTuple):
    """One good message: its frame, content, what it says, identity and occurrence within its batch."""

    frame: Frame
    message: Message
    fact: Fact
    identity: bytes
    occurrence: int


@dataclass(slots=True)
class NamedPicture:
    """A picture named by its hash (README generation)."""

    name: str
    format: str
    data: bytes


@dataclass(slots=True)
class Reading:
    """What one record holds. `digest` is the identity of its content, whatever wrapping it came in."""

    digest: bytes
    told: list[Told] = field(default_factory=list)
    meta_ms: int | None = None
    pictures: int = 0
    picture_span: tuple[int, int] | None = None
    named: list[NamedPicture] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    content_bytes: int = 0
    messages_bytes: int = 0  # of a batch, unpacked

    def fault(self, place: str, reason: str) -> None:
        """Note something unusable inside the record."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append((place, reason))


def read_batch(record: Record, layout: Layout, limits: Limits) -> Reading:
    """A batch of messages, gzip or not. Raises Malformed when it holds nothing readable."""
    reading = Reading(digest=xxhash.xxh3_128_digest(record.body), content_bytes=len(record.body))
    unpacked = unpack(record.body, limits.max_unpacked_bytes)
    body = unpacked.data
    if unpacked.fault is not None:
        if not body:
            raise unpacked.fault
        reading.fault("gzip", str(unpacked.fault))
    reading.messages_bytes = len(body)
    found = walk(body, limits)
    if found.tail:
        reading.fault("tail", found.tail)
    if body and not found.frames:
        raise Malformed(found.tail or "no message")
    reading.meta_ms = found.meta_ms
    _decode_all(reading, found.frames, layout, limits.max_string_bytes)
    return reading


def _decode_all(reading: Reading, frames: list[Frame], layout: Layout, limit: int) -> None:
    occurrences: dict[bytes, int] = {}
    for frame in frames:
        if frame.type == BATCH_META:
            continue
        try:
            message = decode(frame.type, frame.body, layout, limit)
        except Malformed as problem:
            reading.fault(f"message {frame.index}", str(problem))
            continue
        key = identity(frame.type, frame.timestamp, frame.body)
        occurrence = occurrences.get(key, 0)
        occurrences[key] = occurrence + 1
        reading.told.append(Told(frame, message, fact_of(message), key, occurrence))


def read_images(record: Record, limits: Limits) -> Reading:
    """An upload of archives and hash-named pictures. Raises Malformed when it holds no picture."""
    reading = Reading(digest=b"")
    hasher = xxhash.xxh3_128()
    upload = parse_upload(str(record.meta.get("content_type", "")), record.body)
    if upload.damaged:
        reading.fault("multipart", upload.damaged)
    for file in upload.files:
        hasher.update(file.data)
        reading.content_bytes += len(file.data)
        picture_format = sniff_picture(file.data)
        if picture_format is not None:
            reading.named.append(NamedPicture(file.filename, picture_format, file.data))
            continue
        try:
            _count_pictures(reading, read_archive(file.data, limits))
        except Malformed as problem:
            reading.fault(file.field, str(problem))
    reading.digest = hasher.digest()
    if not reading.pictures and not reading.named:
        raise Malformed(reading.faults[0][1] if reading.faults else "no file part")
    return reading


def _count_pictures(reading: Reading, archive: Archive) -> None:
    times = [picture.at_ms for picture in archive.frames if picture.at_ms in PLAUSIBLE_MS]
    reading.pictures += len(archive.frames)
    if times:
        first, last = reading.picture_span or (times[0], times[0])
        reading.picture_span = (min(first, *times), max(last, *times))
    for skipped in archive.skipped:
        reading.fault(f"entry {skipped.where}", skipped.reason)
