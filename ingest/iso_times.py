"""Times as texts of ISO 8601 and RFC 3339, and back. Without a zone they are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_SHAPE: Final = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d.*", re.A)
#: a date alone, too, and dates by their week and its day
_ANY_SHAPE: Final = re.compile(r"(\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d)([T ]\d\d.*)?", re.A)
#: RFC 3339 knows seconds of 60; they are counted as the first of the next minute
_LEAP: Final = re.compile(r"(?<=[T ]\d\d)(:?\d\d:?)60(?!\d)", re.A)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def parse_time(value: Any, *, dates: bool = False) -> datetime | None:
    """A text with date and time (with `dates` also a date alone: its midnight) -> in UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    text = value.strip().upper()
    if not (_ANY_SHAPE if dates else _SHAPE).fullmatch(text):
        return None
    text, leaps = _LEAP.subn(r"\g<1>59", text, count=1)
    try:
        found = datetime.fromisoformat(text) + timedelta(seconds=leaps)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def micros(moment: datetime) -> int:
    """µs since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """The reverse. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=micros)
