"""Times as texts of ISO 8601 and RFC 3339, and back. Without a zone they are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_SHAPE: Final = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d.*", re.A)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def parse_time(value: Any) -> datetime | None:
    """A text with date and time -> in UTC; None for anything else."""
    if not isinstance(value, str):
        return None
    text = value.strip().upper()
    if not _SHAPE.fullmatch(text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def micros(moment: datetime) -> int:
    """µs since the epoch."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(micros: int) -> datetime:
    """The reverse. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=micros)
