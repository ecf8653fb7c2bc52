"""Events of other protocols that belong to a recorded session: they name it, or its user within its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from events.model import shown_id
from storage.postgres import Database

# Each branch is an ordered look into an index of its own (storage/schema.sql), so its cost is that of its rows.
_COLUMNS = "at_us, source, category, name, event_id, event_key, session_id, arrival"
OF_SESSION = f"""
SELECT at_us, source, category, name, event_id, event_key, session_id FROM (
    (SELECT {_COLUMNS} FROM events WHERE project_id = $1 AND session_id = $2 AND source <> 'mobile'
     ORDER BY at_us, arrival LIMIT $6)
    UNION ALL
    SELECT e.* FROM unnest($3::text[]) AS u(user_id) CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM events
        WHERE project_id = $1 AND user_id = u.user_id AND user_id <> '' AND session_id <> $2
          AND at_us BETWEEN $4 AND $5
        ORDER BY at_us, arrival LIMIT $6
    ) e
) found ORDER BY at_us, arrival, event_key LIMIT $6
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """What makes an event a session's: its id, or one of its users from `from_us` to `to_us` (µs, both included)."""

    project_id: int
    session_id: str
    user_ids: Sequence[str]
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class CollectedRow:
    """One event in short; time in µs."""

    at_us: int
    source: str
    category: str
    name: str
    event_id: str
    event_key: bytes
    session_id: str

    @property
    def shown_id(self) -> str:
        """Its identifier in answers."""
        return shown_id(self.event_id, self.event_key, self.session_id)


async def of_session(db: Database, wanted: Belonging, limit: int) -> list[CollectedRow]:
    """The earliest `limit` events that belong to the session, by time."""
    rows = await db.fetch(
        OF_SESSION, wanted.project_id, wanted.session_id, wanted.user_ids, wanted.from_us, wanted.to_us, limit
    )
    return [CollectedRow(*row) for row in rows]
