"""Pages of a session's messages: rows in recording order, and cursors that hold while a live session grows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from messages import Layout, decode, fields, identity, name_of
from playhead.errors import Detail, Malformed, ValidationFailed
from sessions.model import MAX_MS

_CURSOR = re.compile(r"(\d{1,20})\.([0-9a-f]{32})\.(\d{1,7})")


class Row(NamedTuple):
    """One stored message: place in the recording, type, device time (ms), raw body."""

    place: int
    type: int
    timestamp: int
    body: bytes


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as the API shows it: place in the recording, wire names, both clocks in ms."""

    index: int
    type: int
    name: str
    timestamp_ms: int
    device_timestamp_ms: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages by time; `next_cursor` is none at the end."""

    messages: list[MessageView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are asked for; corrected times in ms, both ends included."""

    types: frozenset[int] | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def outside(self, first_ms: int, last_ms: int) -> bool:
        """Whether nothing of a span of corrected time is wanted."""
        return (self.from_ms is not None and last_ms < self.from_ms) or (
            self.to_ms is not None and first_ms > self.to_ms
        )

    def includes(self, type: int, at_ms: int) -> bool:
        """Whether a message of this type and corrected time is wanted."""
        return (self.types is None or type in self.types) and not self.outside(at_ms, at_ms)


@dataclass(slots=True)
class Cursor:
    """Where a page begins: a message by its time, its content, and which of several equal ones it is.

    Not by its place: messages that come late move the places of those behind them.
    """

    timestamp: int
    key: bytes
    number: int
    _passed: bool = False
    _equal: int = 0

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The inverse of `text_of`. Raises ValidationFailed."""
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValidationFailed(details=[Detail("cursor", "invalid_value", "not a cursor of this list")])
        return cls(int(found[1]), bytes.fromhex(found[2]), int(found[3]))

    def reached(self, row: Row) -> bool:
        """Whether the page has begun with this row; rows must come in order."""
        if self._passed or row.timestamp > self.timestamp:
            self._passed = True
        elif row.timestamp == self.timestamp and identity(row.type, row.timestamp, row.body) == self.key:
            self._passed = self._equal == self.number
            self._equal += 1
        return self._passed


@dataclass(slots=True)
class Pager:
    """Takes rows in order and gathers one page."""

    wanted: Wanted
    offset_ms: int
    layout: Layout
    limit: int
    cursor: Cursor | None
    found: list[MessageView] = field(default_factory=list)
    next_cursor: str | None = None
    _group: list[Row] = field(default_factory=list)

    def take(self, row: Row) -> bool:
        """Consider one row -> whether the page is full."""
        if self._group and self._group[-1].timestamp != row.timestamp:
            self._group.clear()
        self._group.append(row)
        at_ms = corrected(row.timestamp, self.offset_ms)
        if (self.cursor is not None and not self.cursor.reached(row)) or not self.wanted.includes(
            row.type, at_ms
        ):
            return False
        view = view_of(row, self.offset_ms, self.layout)
        if view is None:
            return False
        if len(self.found) == self.limit:
            self.next_cursor = self._text_of(row)
            return True
        self.found.append(view)
        return False

    def _text_of(self, row: Row) -> str:
        number = sum(1 for other in self._group[:-1] if (other.type, other.body) == (row.type, row.body))
        return f"{row.timestamp}.{identity(row.type, row.timestamp, row.body).hex()}.{number}"


def view_of(row: Row, offset_ms: int, layout: Layout) -> MessageView | None:
    """A row as the API shows it; None if it cannot be decoded."""
    try:
        message: Any = decode(row.type, row.body, layout)
    except Malformed:
        return None
    name = name_of(row.type, layout) if not hasattr(message, "NAME") else message.NAME
    at_ms = corrected(row.timestamp, offset_ms)
    return MessageView(row.place, row.type, name or "", at_ms, row.timestamp, fields(message))


def views_of(rows: Iterable[Row], offset_ms: int, layout: Layout) -> list[MessageView]:
    """All rows that can be decoded."""
    return [view for row in rows if (view := view_of(row, offset_ms, layout)) is not None]


def corrected(device_ms: int, offset_ms: int) -> int:
    """Device time by the server's clock, within what a JSON integer and a date can hold."""
    return min(max(device_ms + offset_ms, -MAX_MS), MAX_MS)
