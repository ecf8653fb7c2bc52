"""Events that were refused, kept for those who send them to look at. Source: spec/event-service.md 5, A13."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from playhead.errors import Detail
from projects.user_keys import user_key
from storage.postgres import Database

INSERT = """
INSERT INTO event_errors (project_id, received_us, code, codes, session_id, category, details, event)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refused event; `event` is JSON as it was sent."""

    code: str
    details: tuple[Detail, ...]
    session_id: str | None
    category: str | None
    event: bytes


async def add(db: Database, project_id: int, received_us: int, refusals: Sequence[Refusal]) -> None:
    """Keep them. Raises DatabaseUnavailable."""
    if refusals:
        async with db.transaction() as conn:
            await conn.executemany(INSERT, [_row(project_id, received_us, each) for each in refusals])


def _row(project_id: int, received_us: int, refusal: Refusal) -> tuple[Any, ...]:
    codes = list(dict.fromkeys([refusal.code, *(detail.code for detail in refusal.details)]))
    details = [{"field": d.field, "code": d.code, "message": d.message} for d in refusal.details]
    return (
        project_id, received_us, refusal.code, codes, refusal.session_id, refusal.category, details,
        refusal.event,
    )  # fmt: skip


# What the user's identifier stands in as bytes; whether it is a value of its own is seen by reading.
CANDIDATES = """
SELECT error_id, event, received_us FROM event_errors
WHERE project_id = $1 AND error_id > $2 AND position($3::bytea IN event) > 0 ORDER BY error_id LIMIT 500
"""
DELETE = "DELETE FROM event_errors WHERE project_id = $1 AND error_id = ANY($2::bigint[])"
_USER_MEMBERS: Final = frozenset({"user_id", "userId", "user"})


async def delete_of_user(db: Database, project_id: int, user_id: str) -> int:
    """Remove the refused events that name this user -> how many: a text anywhere in them, or a user's number."""
    removed = 0
    async for page in _told(db, project_id, orjson.dumps(user_id)[1:-1]):
        naming = [error_id for error_id, _, told in page if user_id in told]
        await db.execute(DELETE, project_id, naming)
        removed += len(naming)
    return removed


async def delete_of_users(db: Database, project_id: int, before_us: Mapping[str, int]) -> None:
    """Remove the refused events of before that moment that name a user, who is told by key."""
    async for page in _told(db, project_id):
        naming = [error_id for error_id, received_us, told in page if _named(before_us, received_us, told)]
        await db.execute(DELETE, project_id, naming)


async def count_of_users(db: Database, project_id: int, before_us: Mapping[str, int]) -> Counter[str]:
    """User's key -> how many refused events of before that moment name them."""
    found: Counter[str] = Counter()
    async for page in _told(db, project_id):
        for _, received_us, told in page:
            found.update(_named(before_us, received_us, told))
    return found


def _named(before_us: Mapping[str, int], received_us: int, told: set[str]) -> list[str]:
    """Those of the users whom a refused event of before their moment names."""
    keys = {user_key(each) for each in told}
    return [user for user in before_us.keys() & keys if received_us < before_us[user]]


async def _told(
    db: Database, project_id: int, needle: bytes = b""
) -> AsyncIterator[list[tuple[int, int, set[str]]]]:
    """(number, time of arrival, µs, what may be users in it) of the refused events with these bytes, page by page."""
    place = 0
    while rows := await db.fetch(CANDIDATES, project_id, place, needle):
        place = rows[-1][0]
        yield [(row[0], row[2], set(_texts(orjson.loads(row[1])))) for row in rows]


def _texts(value: Any, member: str = "") -> Iterator[str]:
    """Texts anywhere, members' names too, and users' numbers."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _texts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, member)
    elif isinstance(value, str):
        yield value
    elif member in _USER_MEMBERS and type(value) is int:
        yield str(value)
