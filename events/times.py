"""Times of the event service: text in, text out, µs since the epoch between. Source: spec/event-service.md 2, 3."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from events.model import clamp_us

_FORM: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)


def parse_time(text: str) -> int:
    """`2021-09-26 09:15:27.243860`, also with `T`, `Z`, `+02:00` -> µs. Raises ValueError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("YYYY-MM-DD HH:MM:SS[.ffffff][Z|+HH:MM]")
    day, clock, fraction, zone = found.groups()
    wall = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '').ljust(6, '0')}").replace(
        tzinfo=_zone(zone)
    )
    at_us = (wall - _EPOCH) // _US
    if clamp_us(at_us) != at_us:
        raise ValueError("outside of the years 1 to 9999 in UTC")
    return at_us


def format_time(at_us: int) -> str:
    """µs -> `YYYY-MM-DD HH:MM:SS.ffffff`, UTC."""
    wall = _EPOCH.replace(tzinfo=None) + timedelta(microseconds=clamp_us(at_us))
    return wall.isoformat(sep=" ", timespec="microseconds")


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
