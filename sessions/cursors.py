"""Orders of the session list, and the place behind a row as an opaque cursor."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import orjson

from playhead.errors import Detail, ValidationFailed

#: sort name -> (column, descending)
SORTS: Final = {
    "newest": ("started_ms", True),
    "oldest": ("started_ms", False),
    "longest": ("duration_ms", True),
    "shortest": ("duration_ms", False),
    "most_events": ("events", True),
    "fewest_events": ("events", False),
}

#: (value of the order's column, session id)
Place = tuple[int, int]


def order_of(sort: str) -> tuple[str, bool]:
    """Column and direction. Raises ValidationFailed."""
    if sort not in SORTS:
        raise ValidationFailed(details=[Detail("sort", "invalid_value", f"one of {', '.join(SORTS)}")])
    return SORTS[sort]


def encode_cursor(sort: str, value: int, session_id: int) -> str:
    """The place behind one row of a sorted list, opaque."""
    return base64.urlsafe_b64encode(orjson.dumps([sort, value, session_id])).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str) -> Place:
    """The inverse; raises ValidationFailed for anything else."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        made_for, value, session_id = found
        limits = (-(2**63), 2**63)
        if made_for != sort or not all(
            type(v) is int and limits[0] <= v < limits[1] for v in (value, session_id)
        ):
            raise ValueError
    except (ValueError, TypeError, binascii.Error):
        raise ValidationFailed(
            details=[Detail("cursor", "invalid_value", "not a cursor of this list")]
        ) from None
    return value, session_id
