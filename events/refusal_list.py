"""Refused events, newest first. Source: spec/event-service.md 5, A13; further filters: interface section 5.

They are walked through in the order of the list, so many for each page, with a cursor behind the last. Members of the
event as it was sent are looked for in Python: what was refused need not be JSON that Postgres takes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import orjson

from events.judging import SOURCE
from events.search import refusal_cursor, refusal_place
from events.times import format_time
from storage.postgres import Database

#: what one page looks at, at most: refusals, and bytes of their events if members are asked for
WALKED: Final = 10_000
READ: Final = 1_000_000

_ORDER: Final = "received_us DESC, error_id DESC"
#: `looked`: the page gets that far
_WALK: Final = f"""(
    SELECT e.*, row_number() OVER w <= $6 AND sum(octet_length(event)) OVER w - octet_length(event) < $7 AS looked
    FROM (
        SELECT * FROM event_errors
        WHERE project_id = $1 AND ($2::bigint IS NULL OR received_us >= $2)
        AND ($3::bigint IS NULL OR received_us <= $3)
        AND ($4::bigint IS NULL OR (received_us, error_id) < ($4, $5::bigint))
        ORDER BY {_ORDER} LIMIT $6 + 1
    ) e WINDOW w AS (ORDER BY {_ORDER} ROWS UNBOUNDED PRECEDING)
) e"""
_MATCHING: Final = f"""
FROM {_WALK} WHERE looked AND ($8::text IS NULL OR $8 = ANY(codes)) AND ($9::text IS NULL OR session_id = $9)
AND ($10::text IS NULL OR category = $10) ORDER BY {_ORDER}
"""
_COLUMNS: Final = "error_id, received_us, code, details, event"
PAGE = f"SELECT {_COLUMNS} {_MATCHING} LIMIT $11"
EVENTS = f"SELECT error_id, event {_MATCHING}"
CHOSEN = f"""
SELECT {_COLUMNS} FROM event_errors WHERE project_id = $1 AND error_id = ANY($2::bigint[]) ORDER BY {_ORDER}
"""
#: the first that the page does not get to
NEXT = f"SELECT received_us, error_id FROM {_WALK} WHERE NOT looked ORDER BY {_ORDER} LIMIT 1"


@dataclass(frozen=True, slots=True)
class RefusalFilters:
    """Which refusals; `code`: an error's or a detail's; times of arrival in µs, inclusive. `user_id` and `data` (path
    -> value as text) are members of the event as sent.
    """

    code: str | None = None
    session_id: str | None = None
    category: str | None = None
    source: str | None = None
    user_id: str | None = None
    data: dict[tuple[str, ...], str] = field(default_factory=dict)
    start_us: int | None = None
    end_us: int | None = None
    limit: int = 100
    cursor: str | None = None

    def members(self) -> dict[tuple[str, ...], str]:
        """Path in the event as sent -> value as text."""
        asked = {("data", *path): text for path, text in self.data.items()}
        return asked if self.user_id is None else {("user_id",): self.user_id, **asked}


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """One row; `event` is JSON."""

    error_id: int
    received_us: int
    code: str
    details: list[dict[str, Any]]
    event: bytes

    def as_json(self) -> dict[str, Any]:
        """As in answers."""
        return {
            "received_at": format_time(self.received_us),
            "code": self.code,
            "details": self.details,
            "event": orjson.Fragment(self.event),
        }


async def page(
    db: Database, project_id: int, filters: RefusalFilters
) -> tuple[list[KeptRefusal], str | None]:
    """Newest first, and the cursor behind the page. While there is a cursor the list goes on, even if the page is not
    full. Raises ValidationFailed (cursor).
    """
    behind = refusal_place(filters.cursor) if filters.cursor is not None else (None, None)
    if filters.source not in (None, SOURCE):
        return [], None
    members = filters.members()
    walk = (
        project_id, filters.start_us, filters.end_us, *behind, WALKED, READ if members else sys.maxsize,
    )  # fmt: skip
    told = filters.code, filters.session_id, filters.category
    # one snapshot, so that nothing is passed over
    async with db.transaction(isolation="repeatable_read", readonly=True) as conn:
        if members:
            events = await conn.fetch(EVENTS, *walk, *told)
            chosen = await asyncio.to_thread(_having, events, members, filters.limit + 1)
            rows = await conn.fetch(CHOSEN, project_id, chosen)
        else:
            rows = await conn.fetch(PAGE, *walk, *told, filters.limit + 1)
        found = [KeptRefusal(*row) for row in rows[: filters.limit]]
        if len(rows) > filters.limit:
            return found, refusal_cursor(found[-1].received_us, found[-1].error_id)
        following = await conn.fetchrow(NEXT, *walk)
    return found, None if following is None else refusal_cursor(following[0], following[1] + 1)


def _having(events: Sequence[Any], members: dict[tuple[str, ...], str], limit: int) -> list[int]:
    """Numbers of the first refused events that have all these members."""
    chosen: list[int] = []
    for error_id, event in events:
        value = orjson.loads(event)
        if all(_text(value, path) == text for path, text in members.items()):
            chosen.append(error_id)
            if len(chosen) == limit:
                break
    return chosen


def _text(value: Any, path: tuple[str, ...]) -> str | None:
    """A member's text, as Postgres writes that of a stored event; none if it has none."""
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.removeprefix("-").isdecimal() and name.isascii():
            place = int(name)
            value = value[place] if -len(value) <= place < len(value) else None
        else:
            return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return format(Decimal(orjson.dumps(value or 0.0).decode()), "f")
    return str(value) if isinstance(value, (str, int)) else None
