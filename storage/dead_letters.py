"""Dead letters: records that could not be processed, with the reason and the record as it came.

The record's bytes lie under `dead-letters/` as a segment of one record, apart from the journal, so that the
journal can be released. Retrying appends the record to the journal again: it is accepted and ends a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from playhead.errors import NotFound
from storage.objects import ObjectStore
from storage.segment_file import Record, encode_segment, read_records


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """One row; `detail` holds counts, places and sizes, never content."""

    dead_letter_id: int
    project_id: int
    session_id: int | None
    kind: str
    reason: str
    detail: dict[str, Any]
    segment_key: str
    record: int
    object_key: str
    bytes: int
    received_ms: int
    created_ms: int
    retried_ms: int | None


COLUMNS = ", ".join(DeadLetter.__dataclass_fields__)

INSERT = """
INSERT INTO dead_letters (project_id, session_id, kind, reason, detail, segment_key, record, object_key, bytes,
                          received_ms, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (segment_key, record) DO NOTHING
"""

LIST = f"""
SELECT {COLUMNS} FROM dead_letters
WHERE ($1::int[] IS NULL OR project_id = ANY($1)) AND ($2::bigint IS NULL OR dead_letter_id < $2)
ORDER BY dead_letter_id DESC LIMIT $3
"""

GET = f"SELECT {COLUMNS} FROM dead_letters WHERE dead_letter_id = $1"
COUNT = "SELECT count(*) FROM dead_letters WHERE project_id = $1 AND session_id = $2 AND retried_ms IS NULL"
RETRIED = "UPDATE dead_letters SET retried_ms = $2 WHERE dead_letter_id = $1"


def object_key(segment_key: str, record: int) -> str:
    """Where the bytes of a dead letter lie."""
    return f"dead-letters/{segment_key.removeprefix('journal/').removesuffix('.seg')}/{record}.seg"


async def keep(objects: ObjectStore, segment_key: str, place: int, record: Record) -> str:
    """Store the record's bytes (before its row is written) -> their key."""
    key = object_key(segment_key, place)
    await objects.put(key, encode_segment([record]))
    return key


async def add(
    conn: Any,
    *,
    segment_key: str,
    place: int,
    record: Record,
    reason: str,
    detail: dict[str, Any],
    now_ms: int,
) -> None:
    """Write the row inside the caller's transaction; the bytes must be kept already."""
    await conn.execute(
        INSERT, record.project_id, record.session_id, record.kind, reason, detail, segment_key, place,
        object_key(segment_key, place), len(record.body), record.received_us // 1000, now_ms,
    )  # fmt: skip


async def page(
    db: Any, *, project_ids: Sequence[int] | None, before: int | None, limit: int
) -> list[DeadLetter]:
    """Newest first; `project_ids` none means all projects."""
    return [DeadLetter(**dict(row)) for row in await db.fetch(LIST, project_ids, before, limit)]


async def waiting(db: Any, project_id: int, session_id: int) -> int:
    """How many of a session's records are here and were not tried again."""
    return int(await db.fetchval(COUNT, project_id, session_id))


async def get(db: Any, dead_letter_id: int) -> DeadLetter:
    """One dead letter. Raises NotFound."""
    row = await db.fetchrow(GET, dead_letter_id)
    if row is None:
        raise NotFound(f"no dead letter {dead_letter_id}")
    return DeadLetter(**dict(row))


async def content(objects: ObjectStore, letter: DeadLetter) -> Record:
    """The record as it came. Raises ObjectMissing, Malformed."""
    for _, record in read_records(await objects.get(letter.object_key)):
        if isinstance(record, Record):
            return record
    raise NotFound(f"the bytes of dead letter {letter.dead_letter_id} are damaged")


async def retry(
    db: Any, objects: ObjectStore, journal: Any, dead_letter_id: int, *, now_ms: int
) -> DeadLetter:
    """Append the record to the journal again; durable when this returns. Raises NotFound, Unavailable."""
    letter = await get(db, dead_letter_id)
    record = await content(objects, letter)
    await journal.append(replace(record, meta={**record.meta, "retry": dead_letter_id}))
    await db.execute(RETRIED, dead_letter_id, now_ms)
    return letter
