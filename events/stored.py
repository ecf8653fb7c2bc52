"""From the journal's events to rows: what each becomes, and which of them are there already."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import orjson
import xxhash

from events.incoming import IncomingEvent, clean_text
from events.model import Event, arrival_of, clamp_us, day_of, named_key, placed_key
from events.store import insert_new
from events.summaries import Tally
from projects.user_keys import user_key

SESSION_CHARS: Final = 500  # it is part of a key
ID_CHARS: Final = 300
TEXT_CHARS: Final = 2_000

#: one row per identifier; returns those whose event is to be stored now, with the day that its claim chose
STORE_IDS = """
INSERT INTO event_ids (project_id, event_id, source, digest, day, session_id, accepted, stored)
SELECT r.*, true, true FROM unnest($1::int[], $2::text[], $3::text[], $4::bytea[], $5::date[], $6::text[])
    AS r (project_id, event_id, source, digest, day, session_id) ORDER BY 1, 2, 3
ON CONFLICT (project_id, event_id, source) DO UPDATE
    SET stored = true, digest = excluded.digest, session_id = excluded.session_id
    WHERE NOT event_ids.stored
RETURNING project_id, event_id, source, day
"""


def rows_of(
    project_id: int, body: bytes, events: Sequence[IncomingEvent], received_us: int
) -> list[tuple[Event, bytes]]:
    """One record's events as rows, each with its content's digest. Bounded, and what Postgres can hold."""
    packing = xxhash.xxh3_128_digest(body)
    return [
        (_row(project_id, packing, place, each, received_us), digest_of(each))
        for place, each in enumerate(events)
    ]


def digest_of(event: IncomingEvent) -> bytes:
    """The content by which a repeated identifier is judged: times as instants, members in any order."""
    told = [event.session_id or "", event.category, event.name, event.at_us]
    content = orjson.dumps(told) + orjson.dumps(event.data, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).digest()


async def store(conn: Any, rows: Sequence[tuple[Event, bytes]], tally: Tally) -> set[bytes]:
    """Insert what is new inside the caller's transaction -> the keys that were not there yet; `tally` takes them."""
    named: dict[tuple[int, str, str], tuple[Event, bytes]] = {}
    for event, digest in rows:
        if event.event_id:
            named.setdefault((event.project_id, event.event_id, event.source), (event, digest))
    days = await _days(conn, named)
    new = [event for event, _ in rows if not event.event_id]
    for name, day in days.items():
        event = named[name][0]
        new.append(event if event.day == day else event._replace(day=day))
    return await insert_new(conn, new, tally)


async def _days(
    conn: Any, named: dict[tuple[int, str, str], tuple[Event, bytes]]
) -> dict[tuple[int, str, str], date]:
    """Identifiers whose events are not stored yet -> the day under which to store them."""
    if not named:
        return {}
    wanted = sorted(
        (project_id, event_id, source, digest, event.day, event.session_id)
        for (project_id, event_id, source), (event, digest) in named.items()
    )
    found = await conn.fetch(STORE_IDS, *(list(column) for column in zip(*wanted, strict=True)))
    return {(row[0], row[1], row[2]): row[3] for row in found}


def _row(project_id: int, packing: bytes, place: int, event: IncomingEvent, received_us: int) -> Event:
    event_id = _short_id(clean_text(event.event_id))
    source = clean_text(event.source)
    key = (
        named_key(project_id, source, event_id)
        if event_id
        else placed_key(project_id, packing, received_us, place)
    )
    return Event(
        project_id=project_id,
        day=day_of(received_us // 1000),
        session_id=clean_text(event.session_id or "")[:SESSION_CHARS],
        key=key,
        source=source,
        category=clean_text(event.category)[:TEXT_CHARS],
        name=clean_text(event.name)[:TEXT_CHARS],
        at_us=clamp_us(event.at_us),
        device_us=clamp_us(event.device_us),
        arrival=arrival_of(received_us, place),
        data=event.data,
        user_id=user_key(clean_text(event.user_id)),
        event_id=event_id,
    )


def _short_id(event_id: str) -> str:
    """Identifiers that are too long for a key are stood for by their hash."""
    if len(event_id) <= ID_CHARS:
        return event_id
    return "sha256:" + hashlib.sha256(event_id.encode()).hexdigest()
