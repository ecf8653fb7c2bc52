"""Events as Postgres takes them by COPY … (FORMAT binary): one bytes object per row, one list of them per statement.

Packed here, because most of a row is the same as in its neighbours: the session's columns and the words of the
vocabulary are packed once. Source: PostgreSQL's manual, COPY, binary format.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from struct import Struct
from typing import Final

import orjson

from events.model import Event

COLUMNS: Final = (
    "project_id", "day", "session_id", "event_key", "source", "category", "name",
    "at_us", "device_us", "arrival", "user_id", "event_id", "data",
)  # fmt: skip

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
TRAILER: Final = b"\xff\xff"

_DAY_0: Final = date(2000, 1, 1)
_JSONB_1: Final = b"\x01"
_NOBODY: Final = bytes(8)  # two empty texts
_length: Final = Struct(">i").pack
_session: Final = Struct(">hiiii").pack  # number of columns; length and value of project and day
_times: Final = Struct(">iqiqiq").pack


def pack(event: Event) -> bytes:
    """One row."""
    project_id, day, session, key, source, category, name, at_us, device_us, arrival, user, event_id, data = (
        event
    )
    if not isinstance(data, bytes):
        data = orjson.dumps(data)
    return b"".join(
        (
            _first_columns(project_id, day, session),
            _length(len(key)),
            key,
            _words(source, category, name),
            _times(8, at_us, 8, device_us, 8, arrival),
            _text(user) + _text(event_id) if user or event_id else _NOBODY,
            _length(len(data) + 1),
            _JSONB_1,
            data,
        )
    )


@lru_cache(1_024)
def _first_columns(project_id: int, day: date, session_id: str) -> bytes:
    return _session(len(COLUMNS), 4, project_id, 4, (day - _DAY_0).days) + _text(session_id)


@lru_cache(1_024)
def _words(source: str, category: str, name: str) -> bytes:
    return _text(source) + _text(category) + _text(name)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _length(len(raw)) + raw
