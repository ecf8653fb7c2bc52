"""A segment: the journal's immutable object, many records of any session. Pure: bytes in, bytes out.

    segment   = header record* directory trailer            all integers little-endian
    header    = "PHSEG1\\r\\n" marker                         marker: 8 random bytes, one per segment
    record    = marker, u32 head length, u32 body length, u64 checksum, head, body
    head      = msgpack [kind, project_id, session_id | nil, received_us, meta]
    directory = msgpack [[offset, head length, body length, checksum, head], …]
    trailer   = u64 checksum of the directory, u32 its length, "PHSEGEND"

Checksums are xxh3_64; a record's covers head and body. The directory finds records while it is whole. Without
it (a file that was never sealed, or damage) records are found by the marker, which nobody outside can know: a
body that holds a forged record never becomes one. Source: design section 3.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgpack
import xxhash

from playhead.errors import Malformed

MAGIC = b"PHSEG1\r\n"
END_MAGIC = b"PHSEGEND"
MARKER_BYTES = 8
HEADER_BYTES = len(MAGIC) + MARKER_BYTES
_LENGTHS = struct.Struct("<IIQ")  # head, body, checksum
PREFIX_BYTES = MARKER_BYTES + _LENGTHS.size
_TRAILER = struct.Struct("<QI8s")
TRAILER_BYTES = _TRAILER.size
_ROW_BYTES = 40  # upper bound of a directory row without its head

ORDERED_KINDS = frozenset({"late", "stray"})
"""Kinds that need everything older processed first."""
ERASED = "void"
"""Kind of a record whose content was taken out; no longer than any other kind."""


@dataclass(frozen=True, slots=True)
class Record:
    """One accepted request: `body` as it came, `meta` what its protocol must remember (msgpack-able)."""

    kind: str  # start, batch, late, images, stray, events, expired
    project_id: int
    session_id: int | None
    received_us: int  # server's clock, µs since the epoch
    meta: dict[str, Any]
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a segment's directory; offsets and lengths in bytes from the segment's start."""

    offset: int
    length: int  # the whole encoded record
    body_offset: int
    body_length: int
    kind: str
    project_id: int
    session_id: int | None
    received_us: int
    checksum: int  # xxh3_64 of head and body
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Damaged:
    """A record whose bytes do not match its checksum; its neighbours are not affected."""

    entry: Entry
    reason: str


@dataclass(frozen=True, slots=True)
class SegmentSummary:
    """What the index keeps of a segment; `accepted` counts records by project."""

    key: str
    created_ms: int
    bytes: int
    records: int
    ordered: bool
    accepted: dict[int, int]


@dataclass(slots=True)
class Encoded:
    """A record ready to be written: `framed` (lengths, checksum, head) and `body`, which is not copied."""

    kind: str
    project_id: int
    head: bytes
    framed: bytes
    body: bytes
    checksum: int
    size: int  # bytes in the segment, directory row included


_pack_head = msgpack.Packer(unicode_errors="surrogatepass").pack


def encode(record: Record) -> Encoded:
    """A record's bytes, without the segment's marker. Raises ValueError if `meta` cannot be packed.

    One packer serves all: call from one thread at a time (the event loop's).
    """
    body = record.body
    try:
        head: bytes = _pack_head(
            (record.kind, record.project_id, record.session_id, record.received_us, record.meta)
        )
    except (TypeError, OverflowError) as problem:
        raise ValueError(f"record cannot be packed: {problem}") from problem
    digest = xxhash.xxh3_64(head)
    digest.update(body)
    checksum = digest.intdigest()
    framed = _LENGTHS.pack(len(head), len(body), checksum) + head
    size = PREFIX_BYTES + 2 * len(head) + len(body) + _ROW_BYTES
    return Encoded(record.kind, record.project_id, head, framed, body, checksum, size)


class _Row(NamedTuple):
    """A directory row as stored."""

    offset: int
    head_length: int
    body_length: int
    checksum: int
    head: bytes

    @property
    def length(self) -> int:
        return PREFIX_BYTES + self.head_length + self.body_length


@dataclass(slots=True)
class SegmentWriter:
    """Layout, directory and counters of a segment in the making; holds heads, never bodies."""

    marker: bytes = field(default_factory=lambda: os.urandom(MARKER_BYTES))
    end: int = HEADER_BYTES  # where the next record goes
    ordered: bool = False
    accepted: Counter[int] = field(default_factory=Counter)
    rows: list[_Row] = field(default_factory=list)
    tail_bytes: int = TRAILER_BYTES + 8  # upper bound of directory and trailer

    @property
    def header(self) -> bytes:
        """The first bytes of the segment."""
        return MAGIC + self.marker

    def parts(self, records: Iterable[Encoded]) -> list[bytes]:
        """The buffers to write one after another at `end`; changes nothing."""
        marker = self.marker
        return [part for record in records for part in (marker, record.framed, record.body)]

    def add(self, records: Iterable[Encoded]) -> None:
        """Take records into the directory, in the order of `parts`, once their bytes are written."""
        for record in records:
            head = record.head
            row = _Row(self.end, len(head), len(record.body), record.checksum, head)
            self._take(row, record.kind, record.project_id)

    def _take(self, row: _Row, kind: str, project_id: int) -> None:
        self.rows.append(row)
        self.end = row.offset + row.length
        self.tail_bytes += row.head_length + _ROW_BYTES
        self.accepted[project_id] += 1
        self.ordered = self.ordered or kind in ORDERED_KINDS

    def tail(self) -> bytes:
        """Directory and trailer, to be written at `end`."""
        directory: bytes = msgpack.packb(self.rows)
        return directory + _TRAILER.pack(xxhash.xxh3_64_intdigest(directory), len(directory), END_MAGIC)

    def summary(self, key: str, created_ms: int, total_bytes: int) -> SegmentSummary:
        """The index row of this segment under `key`."""
        return SegmentSummary(key, created_ms, total_bytes, len(self.rows), self.ordered, dict(self.accepted))


def encode_segment(records: Iterable[Record]) -> bytes:
    """A whole sealed segment."""
    encoded = [encode(record) for record in records]
    return join_segment(SegmentWriter(), encoded)


def join_segment(writer: SegmentWriter, records: Sequence[Encoded]) -> bytes:
    """Header, records, directory and trailer as one object; `writer` must be new."""
    parts = writer.parts(records)
    writer.add(records)
    return b"".join((writer.header, *parts, writer.tail()))


# -- reading


def summarize(key: str, created_ms: int, total_bytes: int, entries: Sequence[Entry]) -> SegmentSummary:
    """The index row of a sealed segment from its directory."""
    ordered = any(entry.kind in ORDERED_KINDS for entry in entries)
    accepted = Counter(entry.project_id for entry in entries)
    return SegmentSummary(key, created_ms, total_bytes, len(entries), ordered, dict(accepted))


def tail_length(tail: bytes) -> int:
    """How many bytes at the end are directory and trailer. Raises Malformed if there is no trailer."""
    if len(tail) < TRAILER_BYTES:
        raise Malformed("segment shorter than its trailer")
    _, length, magic = _TRAILER.unpack_from(tail, len(tail) - TRAILER_BYTES)
    if magic != END_MAGIC:
        raise Malformed("segment without a trailer")
    return int(length) + TRAILER_BYTES


def read_directory(tail: bytes, total: int) -> list[Entry]:
    """The directory from the last bytes of a segment of `total` bytes.

    Raises Malformed if it is damaged or `tail` is shorter than `tail_length`.
    """
    needed = tail_length(tail)
    if needed > len(tail) or needed > total - HEADER_BYTES:
        raise Malformed("directory longer than what was read")
    directory = tail[len(tail) - needed : len(tail) - TRAILER_BYTES]
    checksum = _TRAILER.unpack_from(tail, len(tail) - TRAILER_BYTES)[0]
    if xxhash.xxh3_64_intdigest(directory) != checksum:
        raise Malformed("damaged directory")
    try:
        entries = [_entry(_Row(*row)) for row in msgpack.unpackb(directory)]
    except (ValueError, TypeError, msgpack.UnpackException) as problem:
        raise Malformed(f"unreadable directory: {problem}") from problem
    if any(entry.offset + entry.length > total for entry in entries):
        raise Malformed("directory points outside the segment")
    return entries


def read_records(data: bytes) -> Sequence[tuple[Entry, Record | Damaged]]:
    """All records of a segment in directory order; a damaged one as `Damaged` in its place.

    With a damaged directory: the whole records that can be found. Raises Malformed if there are none.
    """
    try:
        entries = read_directory(data, len(data))
    except Malformed:
        if found := recover(data):
            return found
        raise
    view = memoryview(data)
    return [(entry, _checked(view, entry)) for entry in entries]


def read_record(data: bytes, entry: Entry) -> Record:
    """One record from its own bytes (`entry.offset`, `entry.length`). Raises Malformed on damage."""
    found = _checked(memoryview(data), entry, start=entry.offset)
    if isinstance(found, Damaged):
        raise Malformed(found.reason)
    return found


def recover(data: bytes) -> list[tuple[Entry, Record]]:
    """The whole records of a segment without a usable directory, in file order; the rest is passed over."""
    found: list[tuple[Entry, Record]] = []
    for row in _scan(data):
        entry = _entry(row)
        body = data[entry.body_offset : entry.body_offset + entry.body_length]
        found.append((entry, _record(entry, bytes(body))))
    return found


def salvage(data: bytes) -> SegmentWriter:
    """A writer that stands behind the last whole record of an unsealed file, ready to seal it in place."""
    writer = SegmentWriter(marker=data[len(MAGIC) : HEADER_BYTES])
    for row in _scan(data):
        kind, project_id, *_ = _unpack_head(row.head)
        writer._take(row, kind, project_id)
    return writer


def blank(data: bytes, wanted: Callable[[int, Entry], bool]) -> tuple[bytes, int]:
    """A sealed segment without the content of those records that are `wanted` by (place, entry), and their number.

    Offsets and lengths stay, so who points at other records need not know. Raises Malformed if the directory is
    damaged.
    """
    entries = read_directory(data, len(data))
    chosen = {place for place, each in enumerate(entries) if each.kind != ERASED and wanted(place, each)}
    if not chosen:
        return data, 0
    writer = SegmentWriter(marker=data[len(MAGIC) : HEADER_BYTES])
    out = bytearray(data[: len(data) - tail_length(data)])
    for place, each in enumerate(entries):
        head_at = each.offset + PREFIX_BYTES
        if place in chosen:
            head = _blank_head(each, each.body_offset - head_at)
            checksum = xxhash.xxh3_64_intdigest(head + bytes(each.body_length))
            framed = _LENGTHS.pack(len(head), each.body_length, checksum) + head
            out[each.offset + MARKER_BYTES : each.offset + each.length] = framed + bytes(each.body_length)
        else:
            head, checksum = data[head_at : each.body_offset], each.checksum
        writer.rows.append(_Row(each.offset, len(head), each.body_length, checksum, head))
    return bytes(out) + writer.tail(), len(chosen)


def _blank_head(entry: Entry, length: int) -> bytes:
    """A head of exactly `length` bytes that says nothing but the project and the time."""
    kind = ERASED.encode()
    headers = (b"\xa4", b"\xd9\x04", b"\xda\x00\x04")  # one text in three lengths: what padding cannot reach
    rest: bytes = msgpack.packb(entry.project_id) + b"\xc0" + msgpack.packb(entry.received_us)
    for pad in range(max(-1, length - len(rest) - 16), length):
        more: bytes = msgpack.packb({"": bytes(pad)} if pad >= 0 else {})
        for header in headers:
            head = b"\x95" + header + kind + rest + more
            if len(head) == length:
                return head
    raise Malformed("record too short to be blanked")


def _unpack_head(head: bytes) -> tuple[str, int, int | None, int, dict[str, Any]]:
    kind, project_id, session_id, received_us, meta = msgpack.unpackb(
        head, strict_map_key=False, unicode_errors="surrogatepass"
    )
    return kind, project_id, session_id, received_us, meta


def _entry(row: _Row) -> Entry:
    kind, project_id, session_id, received_us, meta = _unpack_head(row.head)
    body_offset = row.offset + PREFIX_BYTES + row.head_length
    return Entry(
        row.offset, row.length, body_offset, row.body_length,
        kind, project_id, session_id, received_us, row.checksum, meta,
    )  # fmt: skip


def _record(entry: Entry, body: bytes) -> Record:
    return Record(entry.kind, entry.project_id, entry.session_id, entry.received_us, entry.meta, body)


def _checked(view: memoryview, entry: Entry, start: int = 0) -> Record | Damaged:
    """The record in `view`, whose first byte is the segment's byte `start`."""
    at = entry.offset - start
    covered = view[at + PREFIX_BYTES : at + entry.length]
    if len(covered) != entry.length - PREFIX_BYTES:
        return Damaged(entry, "record cut short")
    if xxhash.xxh3_64_intdigest(covered) != entry.checksum:
        return Damaged(entry, "checksum does not match")
    return _record(entry, bytes(view[entry.body_offset - start : at + entry.length]))


def _scan(data: bytes) -> Iterator[_Row]:
    """Whole records by marker and checksum, in file order.

    The marker stands in the header and before every record: if the header's is damaged, the first record's
    serves.
    """
    markers = (data[len(MAGIC) : HEADER_BYTES], data[HEADER_BYTES : HEADER_BYTES + MARKER_BYTES])
    for marker in dict.fromkeys(markers):
        if len(marker) == MARKER_BYTES and len(set(marker)) > 1:  # zeroes were never written
            first, rows = None, _scan_marked(data, marker)
            for first in rows:
                yield first
            if first is not None:
                return


def _scan_marked(data: bytes, marker: bytes) -> Iterator[_Row]:
    at = data.find(marker, HEADER_BYTES)
    while at >= 0:
        row = _row_at(data, at)
        if row is not None:
            yield row
        at = data.find(marker, at + (row.length if row else 1))


def _row_at(data: bytes, at: int) -> _Row | None:
    if at + PREFIX_BYTES > len(data):
        return None
    head_length, body_length, checksum = _LENGTHS.unpack_from(data, at + MARKER_BYTES)
    head_at, end = at + PREFIX_BYTES, at + PREFIX_BYTES + head_length + body_length
    if end > len(data) or xxhash.xxh3_64_intdigest(memoryview(data)[head_at:end]) != checksum:
        return None
    return _Row(at, head_length, body_length, checksum, data[head_at : head_at + head_length])
