"""SQL of sessions: reading one and many. What changes them is in updates.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sessions.model import COLUMNS, Session
from storage.postgres import Database

LATE_CANDIDATES: Final = 20

Source = Database | Any  # a connection does as well, for who reads inside a transaction

_ALL = ", ".join(f"s.{name}" for name in COLUMNS)

GET = f"SELECT {_ALL} FROM sessions s WHERE s.project_id = $1 AND s.session_id = $2"
FIND = f"""
SELECT {_ALL} FROM sessions s WHERE s.session_id = $1 AND ($2::int[] IS NULL OR s.project_id = ANY($2))
ORDER BY s.project_id LIMIT 1
"""
GET_MANY = f"""
SELECT {_ALL} FROM sessions s
JOIN unnest($1::int[], $2::bigint[]) AS wanted(p, i) ON s.project_id = wanted.p AND s.session_id = wanted.i
"""
# iOS sends UUIDs in upper case, others lower; each spelling is one look into the index
EARLIER_OF_USER = f"""
SELECT {_ALL} FROM sessions s
WHERE s.project_id = $1 AND s.user_uuid = ANY($2::text[]) AND s.started_ms < $3
ORDER BY s.started_ms DESC, s.session_id DESC LIMIT $4
"""
SET_PINNED = "UPDATE sessions SET pinned = $3 WHERE project_id = $1 AND session_id = $2"
ISSUES_OF = """
SELECT type, at_ms, title, detail FROM issues WHERE project_id = $1 AND session_id = $2
ORDER BY at_ms, type, issue_key
"""


async def get(source: Source, project_id: int, session_id: int) -> Session | None:
    """One session."""
    return _session(await source.fetchrow(GET, project_id, session_id))


async def find(source: Source, session_id: int, project_ids: Sequence[int] | None = None) -> Session | None:
    """The session of this id in one of these projects; in any, if none are given."""
    return _session(await source.fetchrow(FIND, session_id, project_ids))


async def get_many(source: Source, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Session]:
    """Those of the sessions (project id, session id) that exist."""
    wanted = list(keys)
    if not wanted:
        return {}
    rows = await source.fetch(GET_MANY, [key[0] for key in wanted], [key[1] for key in wanted])
    sessions = map(session_from_row, rows)
    return {(session.project_id, session.session_id): session for session in sessions}


async def earlier_of_user(
    source: Source, project_id: int, user_uuid: str, before_ms: int, limit: int = LATE_CANDIDATES
) -> list[Session]:
    """This user's sessions that started before `before_ms` (server's clock), newest first."""
    if not user_uuid:
        return []
    spellings = sorted({user_uuid, user_uuid.lower(), user_uuid.upper()})
    return [
        session_from_row(row)
        for row in await source.fetch(EARLIER_OF_USER, project_id, spellings, before_ms, limit)
    ]


async def set_pinned(source: Source, project_id: int, session_id: int, pinned: bool) -> None:
    """Pin a session or let it go."""
    await source.execute(SET_PINNED, project_id, session_id, pinned)


async def issues_of(source: Source, project_id: int, session_id: int) -> list[dict[str, Any]]:
    """What was found in a session, by time (the device's clock): `type`, `at_ms`, `title`, `detail`."""
    return [dict(row) for row in await source.fetch(ISSUES_OF, project_id, session_id)]


def session_from_row(row: Any) -> Session:
    """A session from a row with all COLUMNS."""
    values = {name: row[name] for name in COLUMNS}
    values["issue_types"] = tuple(values["issue_types"])
    return Session(**values)


def _session(row: Any) -> Session | None:
    return None if row is None else session_from_row(row)
