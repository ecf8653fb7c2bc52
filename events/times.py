"""Times of the event service: text in, text out, µs since the epoch between. Source: spec/event-service.md 2, 3."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from events.model import clamp_us

_FORM: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[ T](?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d{1,6})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_EPOCH: Final = datetime(1970, 1, 1)
_DAY_US: Final = 86_400_000_000


def parse_time(text: str) -> int:
    """`2021-09-26 09:15:27.243860`, also with `T`, `Z`, `+02:00` -> µs. Raises ValueError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError("YYYY-MM-DD HH:MM:SS[.ffffff][Z|+HH:MM]")
    wall = datetime.fromisoformat(text)
    zone = wall.utcoffset()
    since = wall.replace(tzinfo=None) - _EPOCH - zone if zone is not None else wall - _EPOCH
    at_us = since.days * _DAY_US + since.seconds * 1_000_000 + since.microseconds
    if zone is not None and clamp_us(at_us) != at_us:
        raise ValueError("outside of the years 1 to 9999 in UTC")
    return at_us


def format_time(at_us: int) -> str:
    """µs -> `YYYY-MM-DD HH:MM:SS.ffffff`, UTC."""
    wall = _EPOCH + timedelta(microseconds=clamp_us(at_us))
    return wall.isoformat(sep=" ", timespec="microseconds")
