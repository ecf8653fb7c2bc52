"""Builds what the event service works with in one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cache import Bus, Cache, Lives
from events.ids import EventIds, MadeIds
from events.judging import SOURCE
from events.schemas import Schemas
from playhead.settings import Settings
from storage.postgres import Database


@dataclass(frozen=True, slots=True)
class EventService:
    """Schemas of categories, claims on identifiers, identifiers made up."""

    schemas: Schemas
    ids: EventIds
    made_ids: MadeIds


async def open_events(
    settings: Settings,
    db: Database,
    cache: Cache,
    bus: Bus | None,
    clock: Callable[[], int],
    keys: Sequence[str],
) -> EventService:
    """Listening on `bus` for schemas that other processes change; `keys` seal identifiers, the first signs."""
    lives = Lives(
        ttl_ms=int(settings.cache_ttl_s * 1000),
        negative_ttl_ms=int(settings.cache_negative_ttl_s * 1000),
        entries=settings.cache_entries,
    )
    schemas = Schemas(db, cache, bus, clock, lives)
    await schemas.start()
    return EventService(schemas, EventIds(db, SOURCE), MadeIds(keys))
