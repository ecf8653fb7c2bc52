"""Events of erased users in the journal: what is processed is a copy of rows, but stays until its segment is released.

Once all that was pending at the erasure is processed, the records that name the user are blanked
(storage/journal_clearing.py), those of other users in them too: their rows are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Final

from events.erased_users import User, report
from events.incoming import KIND, clean_text, unpack
from playhead.errors import Malformed, ObjectMissing
from projects.user_keys import user_key
from storage import journal_clearing
from storage.objects import ObjectStore
from storage.postgres import Database

PAGE: Final = 200
UNCLEARED = """
SELECT project_id, user_id, erased_us FROM erased_users WHERE cleared_ms IS NULL ORDER BY erased_us LIMIT $1
"""
#: unless they were erased once more meanwhile
CLEARED = """
UPDATE erased_users e SET cleared_ms = $4 FROM unnest($1::int[], $2::text[], $3::bigint[]) AS c(p, u, at_us)
WHERE e.project_id = c.p AND e.user_id = c.u AND e.erased_us = c.at_us
"""


async def look_through(db: Database, objects: ObjectStore, now_ms: int) -> None:
    """Have the records of users who were erased since blanked, and report how many."""
    until_ms = await journal_clearing.processed_until(db)
    rows = [row for row in await db.fetch(UNCLEARED, PAGE) if row["erased_us"] // 1000 < until_ms]
    if not rows:
        return
    erased = {(row[0], row[1]): row[2] for row in rows}
    removed: Counter[User] = Counter()
    found = set()
    async for user, key, place in _records(db, objects, erased):
        removed[user] += 1
        found.add((user[0], journal_clearing.NO_SESSION, key, place))
    async with db.transaction() as conn:
        await journal_clearing.doom(conn, sorted(found))
        columns = [
            list(column) for column in zip(*((*user, at_us) for user, at_us in erased.items()), strict=True)
        ]
        await conn.execute(CLEARED, *columns, now_ms)
    for (project_id, user_id), count in removed.items():
        await report(db, project_id, user_id, {"journal": count})


async def remains(db: Database, objects: ObjectStore, erased: Mapping[User, int]) -> Counter[User]:
    """How many processed records still hold events of these users from before their erasure (µs)."""
    return Counter([user async for user, _, _ in _records(db, objects, erased)])


async def _records(
    db: Database, objects: ObjectStore, erased: Mapping[User, int]
) -> AsyncIterator[tuple[User, str, int]]:
    """(user, segment, place in it), one for each user whom a record names."""
    projects = {project_id for project_id, _ in erased}
    async for key, place, entry in journal_clearing.entries(db, objects):
        if entry.kind != KIND or entry.project_id not in projects:
            continue
        try:
            body = await objects.get(key, start=entry.body_offset, length=entry.body_length)
            users = {user_key(clean_text(each.user_id)) for each in unpack(body) if each.user_id}
        except (ObjectMissing, Malformed):  # released meanwhile; or it lies in the dead letters
            continue
        for user in ((entry.project_id, name) for name in users):
            if entry.received_us <= erased.get(user, -1):
                yield user, key, place
