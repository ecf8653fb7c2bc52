"""Builds what the event service works with in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from events.ids import EventIds, MadeIds
from events.judging import SOURCE
from events.schemas import Schemas
from storage.postgres import Database


@dataclass(frozen=True, slots=True)
class EventService:
    """Schemas of categories, claims on identifiers, identifiers made up."""

    schemas: Schemas
    ids: EventIds
    made_ids: MadeIds


@asynccontextmanager
async def open_events(db: Database, keys: Sequence[str]) -> AsyncIterator[EventService]:
    """`keys` seal identifiers, the first signs."""
    schemas, ids = Schemas(db), EventIds(db, SOURCE)
    try:
        yield EventService(schemas, ids, MadeIds(keys))
    finally:
        await schemas.close()
        await ids.close()
