"""From one journal record to what is in it: unpack, walk, decode. Pure and bounded; content is judged here.

Raises Malformed when nothing of the record can be used; what is damaged inside a usable record is listed in
`faults` (place and reason, never content) and kept as a dead letter beside the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from operator import attrgetter
from typing import NamedTuple

import orjson
import xxhash

from messages import Archive, Layout, Limits, identity, read_archive, sniff_picture, unpack
from messages.batch import Row, cut
from messages.codec import CHECKERS, READERS
from messages.uploads import parse_upload
from playhead.errors import Malformed
from sessions.facts import EVENT_FACTS, LOG_TYPE, Fact, event_data
from storage.segment_file import Record

BATCH_META = 107
#: message times outside 2000 … 2099 are kept but say nothing about when a session took place
PLAUSIBLE_MS = range(946_684_800_000, 4_102_444_800_000)
MAX_FAULTS = 100
_AT = attrgetter("at_ms")


class Told(NamedTuple):
    """One good message that is an event: its place among the batch's good messages, device time (ms), what it says,
    its fields as JSON, identity and occurrence within its batch."""

    place: int
    at_ms: int
    fact: Fact
    data: bytes
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
    """What one record holds. `digest` is the identity of its content, whatever wrapping it came in.

    Good messages are events (`told`) or only count: device times (ms) of logs and of all others.
    """

    digest: bytes
    told: list[Told] = field(default_factory=list)
    logs_ms: list[int] = field(default_factory=list)
    others_ms: list[int] = field(default_factory=list)
    meta_ms: int | None = None
    pictures: int = 0
    picture_span: tuple[int, int] | None = None
    named: list[NamedPicture] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    content_bytes: int = 0
    messages_bytes: int = 0  # of a batch, unpacked

    def times_ms(self) -> Iterator[int]:
        """Device times of all good messages, in no order."""
        return chain(self.logs_ms, self.others_ms, map(_AT, self.told))

    def share(self, holds: Callable[[int], bool]) -> Reading:
        """The same with the messages alone whose device times `holds` takes."""
        return replace(
            self,
            told=[each for each in self.told if holds(each.at_ms)],
            logs_ms=[at_ms for at_ms in self.logs_ms if holds(at_ms)],
            others_ms=[at_ms for at_ms in self.others_ms if holds(at_ms)],
        )

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
    found, rows = cut(body, limits)
    if found.tail:
        reading.fault("tail", found.tail)
    if body and not rows:
        raise Malformed(found.tail or "no message")
    reading.meta_ms = found.meta_ms
    _decode_all(reading, rows, layout, limits.max_string_bytes)
    return reading


def _decode_all(reading: Reading, rows: list[Row], layout: Layout, limit: int) -> None:
    """Nothing is made of messages that only count; those that are events go from bytes to JSON here."""
    readers, checkers = READERS[layout], CHECKERS[layout]
    logs, others = reading.logs_ms, reading.others_ms
    occurrences: dict[bytes, int] = {}
    told: list[tuple[int, int, Fact, bytes, bytes, int]] = []
    place = -1
    for type, at_ms, index, body, _ in rows:
        if type == BATCH_META:
            occurrences = {}  # a batch of its own begins
            continue
        try:
            if type not in readers:
                raise Malformed(f"unknown mobile type: {type}")
            if type not in EVENT_FACTS:
                checkers[type](body)
                (logs if type == LOG_TYPE else others).append(at_ms)
                place += 1
                continue
            message = readers[type](body, limit)
        except Malformed as problem:
            reading.fault(f"message {index}", str(problem))
            continue
        place += 1
        key = identity(type, at_ms, body)
        occurrence = occurrences.get(key, 0)
        occurrences[key] = occurrence + 1
        data = orjson.dumps(event_data(message, len(body)))
        told.append((place, at_ms, EVENT_FACTS[type](message), data, key, occurrence))
    reading.told = list(map(tuple.__new__, repeat(Told), told))  # half the price of one call each


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
