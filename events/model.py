"""One fact that an app reported, of any protocol, with or without a session."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from struct import Struct
from typing import Any, NamedTuple

import xxhash

#: places of one record in a microsecond of `arrival`
ARRIVAL_PLACES = 4096
#: times are kept within years 1 to 9999, µs
MIN_US, MAX_US = -62_135_596_800_000_000, 253_402_300_799_999_999

_MOBILE = Struct("<q16sI")


class Event(NamedTuple):
    """A row of `events`, in the order of its columns. Times in µs since the epoch; `key` is the content's identity
    (16 bytes).
    """

    project_id: int
    day: date
    session_id: str
    key: bytes
    source: str
    category: str
    name: str
    at_us: int
    device_us: int
    arrival: int
    user_id: str
    event_id: str
    data: dict[str, Any] | bytes  # bytes are JSON already


def arrival_of(received_us: int, place: int) -> int:
    """Order of arrival across the whole service: the record's time, then the place within it.

    Further places than fit into a microsecond count as the next ones.
    """
    return received_us * ARRIVAL_PLACES + place


def day_of(at_ms: int) -> date:
    """The UTC day (a partition of `events`) of a server time in ms."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).date()


def clamp_us(at_us: int) -> int:
    """A time that Postgres and a four-digit year can hold."""
    return max(MIN_US, min(MAX_US, at_us))


def mobile_key(session_id: int, identity: bytes, occurrence: int) -> bytes:
    """Identity of a mobile message as an event: session, content, occurrence within its batch."""
    return xxhash.xxh3_128_digest(_MOBILE.pack(session_id, identity, occurrence))


def named_key(project_id: int, source: str, event_id: str) -> bytes:
    """Identity of an event whose sender named it."""
    seed = "\0".join((str(project_id), source, event_id)).encode()
    return hashlib.blake2b(seed, digest_size=16).digest()


def placed_key(project_id: int, packing: bytes, received_us: int, place: int) -> bytes:
    """Identity of an event without a name: its place in the one record that brought it (`packing`: its digest)."""
    return xxhash.xxh3_128_digest(packing + b"%d:%d:%d" % (project_id, received_us, place))


def shown_id(event_id: str, key: bytes, session_id: str) -> str:
    """An event's identifier in answers: the sender's, else one made of its key and session."""
    return event_id or f"{key.hex()}.{session_id}"
