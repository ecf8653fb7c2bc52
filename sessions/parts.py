"""Parts: where a session's bytes lie in the journal until its recording is made. SQL and reading."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

COLUMNS = (
    "project_id", "session_id", "segment_key", "record", "kind", "body_offset", "body_length",
    "received_ms", "meta", "since_ms", "until_ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One record's body that belongs to a session, whole or (late files) by a span of device time."""

    project_id: int
    session_id: int
    segment_key: str
    record: int
    kind: str
    body_offset: int
    body_length: int
    received_ms: int
    meta: dict[str, Any]
    since_ms: int | None = None
    until_ms: int | None = None

    @property
    def key(self) -> tuple[str, int]:
        """What tells parts of one session apart."""
        return self.segment_key, self.record


_ROW = attrgetter(*COLUMNS)

# With defaults: a newer version of the schema may have columns that we do not fill.
CREATE_INCOMING = (
    "CREATE TEMP TABLE IF NOT EXISTS incoming_parts (LIKE parts INCLUDING DEFAULTS) ON COMMIT DROP"
)
INSERT_NEW = f"""
INSERT INTO parts ({", ".join(COLUMNS)}) SELECT {", ".join(COLUMNS)} FROM incoming_parts ON CONFLICT DO NOTHING
"""
OF_SESSION = f"""
SELECT {", ".join(COLUMNS)} FROM parts WHERE project_id = $1 AND session_id = $2 ORDER BY segment_key, record
"""
NEWEST = f"""
SELECT {", ".join(COLUMNS)} FROM parts WHERE project_id = $1 AND session_id = $2 AND kind = $3
ORDER BY segment_key DESC, record DESC LIMIT $4
"""
DELETE = """
DELETE FROM parts p USING unnest($3::text[], $4::int[]) AS gone(segment_key, record)
WHERE p.project_id = $1 AND p.session_id = $2 AND p.segment_key = gone.segment_key AND p.record = gone.record
"""


async def insert(conn: Any, parts: Sequence[Part]) -> None:
    """Insert parts inside the caller's transaction; known ones are left as they are."""
    if parts:
        await conn.execute(CREATE_INCOMING)
        rows = list(map(_ROW, parts))
        await conn.copy_records_to_table("incoming_parts", records=rows, columns=COLUMNS)
        await conn.execute(INSERT_NEW)


async def of_session(conn: Any, project_id: int, session_id: int) -> list[Part]:
    """A session's parts in journal order."""
    return [Part(**dict(row)) for row in await conn.fetch(OF_SESSION, project_id, session_id)]


async def newest(conn: Any, project_id: int, session_id: int, kind: str, *, limit: int) -> list[Part]:
    """A session's last parts of one kind, newest first."""
    return [Part(**dict(row)) for row in await conn.fetch(NEWEST, project_id, session_id, kind, limit)]


async def delete(conn: Any, project_id: int, session_id: int, parts: Iterable[Part]) -> None:
    """Remove the given parts of one session."""
    keys = [part.key for part in parts]
    await conn.execute(DELETE, project_id, session_id, [k[0] for k in keys], [k[1] for k in keys])
