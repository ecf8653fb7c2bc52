"""SQL of events: bulk insert that knows what was new, and the correction of times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from operator import itemgetter
from typing import Any

from events.model import Event
from events.packing import COLUMNS, HEADER, TRAILER, pack
from events.summaries import Tally

#: rows that one message of COPY carries
COPIED = 1_000
_KEY = itemgetter(3)

# With defaults: a newer version of the schema may have columns that we do not fill.
CREATE_INCOMING = (
    "CREATE TEMP TABLE IF NOT EXISTS incoming_events (LIKE events INCLUDING DEFAULTS) ON COMMIT DROP"
)

# Null when all $1 keys were new, as they mostly are: then none has to be sent back.
INSERT_NEW = f"""
WITH new AS (
    INSERT INTO events ({", ".join(COLUMNS)})
    SELECT {", ".join(COLUMNS)} FROM incoming_events
    ON CONFLICT DO NOTHING
    RETURNING event_key
)
SELECT CASE WHEN count(*) < $1::bigint THEN coalesce(array_agg(event_key), '{{}}') END FROM new
"""

# Times follow the session's one correction; only rows that differ are touched.
CORRECT_TIMES = """
UPDATE events SET at_us = device_us + $4
WHERE project_id = $1 AND session_id = $2 AND day = $3 AND source = 'mobile'
  AND at_us <> device_us + $4 AND device_us >= 946684800000000 AND device_us < 4102444800000000
"""

DELETE_ISSUES = """
DELETE FROM events WHERE project_id = $1 AND session_id = $2 AND source = 'mobile' AND category = 'issue'
"""


async def insert_new(conn: Any, events: Sequence[Event], tally: Tally) -> set[bytes]:
    """Insert events inside the caller's transaction -> the keys of those that were not there yet; `tally` takes them.

    In the order of keys, so that writers of the same events do not lock each other out.
    """
    if not events:
        return set()
    sessions: defaultdict[tuple[int, str], list[Event]] = defaultdict(list)
    for event in events:
        sessions[event[0], event[2]].append(event)
    ordered = [sorted(sessions[session], key=_KEY) for session in sorted(sessions)]
    await conn.execute(CREATE_INCOMING)
    await conn.copy_to_table("incoming_events", source=_stream(ordered), columns=COLUMNS, format="binary")
    keys = set(map(_KEY, events))
    some = await conn.fetchval(INSERT_NEW, len(keys))
    new = keys if some is None else set(some)
    if len(new) == len(events):
        tally.add(ordered)
    else:
        tally.add([list({e.key: e for e in own if e.key in new}.values()) for own in ordered])
    return new


async def _stream(sessions: Iterable[Sequence[Event]]) -> AsyncIterator[bytes]:
    yield HEADER
    for events in sessions:
        for begin in range(0, len(events), COPIED):
            yield b"".join(map(pack, events[begin : begin + COPIED]))
    yield TRAILER


async def correct_times(conn: Any, project_id: int, session_id: str, day: Any, offset_us: int) -> None:
    """Set the corrected time of a mobile session's events to device time + `offset_us`."""
    await conn.execute(CORRECT_TIMES, project_id, session_id, day, offset_us)


async def delete_issues(conn: Any, project_id: int, session_id: str) -> None:
    """Remove the events made from a session's findings."""
    await conn.execute(DELETE_ISSUES, project_id, session_id)
