"""What a recording is made of: every message and picture of one session, once, whatever way it came.

A union: adding is idempotent, commutative and associative, so retries, new groupings, duplicates and late data
lead to the same material. A message is its content: (type, time, body) and which occurrence of it within its
batch; a picture is (time, content). Indexes of the SDK only order messages of the same millisecond.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, NamedTuple

import xxhash

from messages import CLIENT_TYPES, Picture, identity
from messages.batch import Row

BATCH_META = 107
MAX_INDEX = 2**63 - 1
#: ranges of indexes that do not touch, a few MB; far more than batches that were lost or sent again leave
MAX_RANGES = 20_000
#: more than any app reports in a session; what a hostile one sends beyond is left out
MAX_MESSAGES = 1_000_000
MAX_BYTES = 512_000_000
#: pictures beyond this much lie in a temporary file while a recording is made
SPOOL_BYTES = 16_000_000


class Entry(NamedTuple):
    """One message: device time (ms), lowest SDK index seen, type, raw body. Sorts into recording order."""

    timestamp: int
    order: int
    type: int
    body: bytes


class Placed(NamedTuple):
    """One picture: device time (ms), digest of its content, format, and where the spool keeps it."""

    at_ms: int
    digest: bytes
    format: str
    offset: int
    length: int


@dataclass(slots=True)
class Material:
    """The union of everything received for one session."""

    messages: dict[tuple[bytes, int], Entry] = field(default_factory=dict)
    pictures: dict[tuple[int, bytes], Placed] = field(default_factory=dict)
    #: [first, last] index of batches, joined now and then: what the SDK numbered, for the completeness report
    coverage: set[tuple[int, int]] = field(default_factory=set)
    size: int = 0  # bytes of message bodies
    cut: int = 0  # messages left out because of the bounds
    _spool: IO[bytes] | None = None
    _contents: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def add_messages(
        self, frames: Iterable[Row], *, since_ms: int | None = None, until_ms: int | None = None
    ) -> int:
        """Add a body's frames of `since_ms <= time < until_ms` (device time) -> how many were new.

        A BatchMeta begins a new batch: indexes and occurrences are counted anew from there.
        """
        occurrences: dict[bytes, int] = {}
        known = self.messages
        before = len(known)
        first: int | None = None
        last = 0
        for type, timestamp, index, body, _ in frames:
            if type == BATCH_META:
                self._cover(first, last)
                first, occurrences = None, {}
                continue
            if type not in CLIENT_TYPES:
                continue
            if (since_ms is not None and timestamp < since_ms) or (
                until_ms is not None and timestamp >= until_ms
            ):
                continue
            content = identity(type, timestamp, body)
            occurrence = occurrences.get(content, 0)
            occurrences[content] = occurrence + 1
            key = content, occurrence
            held = known.get(key)
            if held is None and (len(known) >= MAX_MESSAGES or self.size + len(body) > MAX_BYTES):
                self.cut += 1
                continue
            if held is None or index < held.order:
                self.size += len(body) if held is None else 0
                known[key] = Entry(timestamp, min(index, MAX_INDEX), type, body)
            first = index if first is None else first
            last = index
        self._cover(first, last)
        return len(known) - before

    def add_pictures(self, pictures: Iterable[Picture]) -> int:
        """Add an archive's pictures -> how many were new."""
        before = len(self.pictures)
        for picture in pictures:
            digest = xxhash.xxh3_128_digest(picture.data)
            at_ms = min(picture.at_ms, MAX_INDEX)
            if (at_ms, digest) not in self.pictures:
                offset, length = self._keep(digest, picture.data)
                self.pictures[at_ms, digest] = Placed(at_ms, digest, picture.format, offset, length)
        return len(self.pictures) - before

    def sorted_messages(self) -> list[Entry]:
        """All messages in recording order: time, then the device's order, then content."""
        return sorted(self.messages.values())

    def sorted_pictures(self) -> list[Placed]:
        """All pictures by time, then content."""
        return [self.pictures[key] for key in sorted(self.pictures)]

    def picture_bytes(self, picture: Placed) -> bytes:
        """The content of one picture."""
        return self.content(picture.offset, picture.length)

    def content(self, offset: int, length: int) -> bytes:
        """Bytes of the spool."""
        assert self._spool is not None
        self._spool.seek(offset)
        return self._spool.read(length)

    def close(self) -> None:
        """Give the temporary file back."""
        if self._spool is not None:
            self._spool.close()

    def index_ranges(self) -> list[tuple[int, int]]:
        """What the SDK numbered and we have, joined where it touches; MAX_RANGES at most."""
        return merged_ranges(self.coverage)[:MAX_RANGES]

    def _cover(self, first: int | None, last: int) -> None:
        """Note the indexes of one batch; none if nothing of it was taken."""
        if first is not None:
            self.coverage.add((min(first, MAX_INDEX), min(last, MAX_INDEX)))
        if len(self.coverage) > 2 * MAX_RANGES:
            joined = self.index_ranges()
            self.coverage.clear()
            self.coverage.update(joined)

    def _keep(self, digest: bytes, data: bytes) -> tuple[int, int]:
        place = self._contents.get(digest)
        if place is None:
            if self._spool is None:
                self._spool = _open_spool()
            place = (self._spool.seek(0, 2), len(data))
            self._spool.write(data)
            self._contents[digest] = place
        return place


def _open_spool() -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)


def merged_ranges(coverage: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Index ranges joined where they touch: [(0, 40), (41, 90)] -> [(0, 90)]."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(coverage):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
