"""Schemas of a project's categories: kept in Postgres, held in every process, forgotten when one changes.

Source: spec/event-service.md 6.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cache import Bus, Cache, LayeredCache, Lives
from events.checking import Checker, checker_of, parse_schema
from playhead.errors import NotFound, Unprocessable
from storage.postgres import Database

MAX_SCHEMAS: Final = 1_000
#: a change is answered after the other processes had time to hear of it
HEARING_S: Final = 0.1

ALL = "SELECT category, version, schema FROM event_schemas WHERE project_id = $1 ORDER BY category"
ONE = "SELECT category, version, schema FROM event_schemas WHERE project_id = $1 AND category = $2"
PUT = """
INSERT INTO event_schemas AS s (project_id, category, version, schema) VALUES ($1, $2, 1, $3)
ON CONFLICT (project_id, category) DO UPDATE SET version = s.version + 1, schema = excluded.schema
RETURNING category, version, schema
"""
DELETE = "DELETE FROM event_schemas WHERE project_id = $1 AND category = $2 RETURNING version"
COUNT = "SELECT count(*) FROM event_schemas WHERE project_id = $1 AND category <> $2"


@dataclass(frozen=True, slots=True)
class Schema:
    """One row; `text` is the schema as JSON."""

    category: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Checkers:
    """What checks a project's events, by category."""

    schemas: Mapping[str, Schema]

    def of(self, category: str) -> Checker | None:
        """The category's checker, compiled when first asked for; none if it has no schema."""
        schema = self.schemas.get(category)
        return checker_of(schema.text) if schema is not None else None


class _Codec:
    def encode(self, value: Checkers) -> bytes:
        """Checkers -> JSON."""
        return orjson.dumps([[s.category, s.version, s.text] for s in value.schemas.values()])

    def decode(self, data: bytes) -> Checkers:
        """JSON -> Checkers."""
        return Checkers({row[0]: Schema(*row) for row in orjson.loads(data)})


class Schemas:
    """Reads for checking come from the cache, everything else from the database."""

    def __init__(
        self, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int], lives: Lives
    ) -> None:
        self._db = db
        self._held: LayeredCache[Checkers] = LayeredCache(
            "event_schemas",
            load=self._load,
            codec=_Codec(),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=lives,
        )

    async def start(self) -> None:
        """Listens for changes by other processes."""
        await self._held.start()

    async def checkers(self, project_id: int) -> Checkers:
        """All of a project's. Raises DatabaseUnavailable where they were never read."""
        return await self._held.get_and_refresh(str(project_id)) or Checkers({})

    async def list(self, project_id: int) -> list[Schema]:
        """All of a project's, by category."""
        return [Schema(*row) for row in await self._db.fetch(ALL, project_id)]

    async def get(self, project_id: int, category: str) -> Schema:
        """One. Raises NotFound."""
        row = await self._db.fetchrow(ONE, project_id, category)
        if row is None:
            raise NotFound("this category has no schema")
        return Schema(*row)

    async def put(self, project_id: int, category: str, body: bytes, value: Any) -> Schema:
        """Set a category's schema; version 1 says that it is new. Binds everywhere when this returns.

        Raises Unprocessable (`invalid_schema`), TooLarge.
        """
        text = await asyncio.to_thread(parse_schema, body, value)
        async with self._db.transaction() as conn:
            if await conn.fetchval(COUNT, project_id, category) >= MAX_SCHEMAS:
                raise Unprocessable(f"a project has at most {MAX_SCHEMAS} schemas", code="too_many_schemas")
            row = await conn.fetchrow(PUT, project_id, category, text)
        await self._tell(project_id)
        return Schema(*row)

    async def delete(self, project_id: int, category: str) -> None:
        """Remove a category's schema. Raises NotFound."""
        if await self._db.fetchval(DELETE, project_id, category) is None:
            raise NotFound("this category has no schema")
        await self._tell(project_id)

    async def _tell(self, project_id: int) -> None:
        await self._held.invalidate(str(project_id))
        await asyncio.sleep(HEARING_S)

    async def _load(self, project_id: str) -> Checkers:
        found = await self.list(int(project_id))
        return Checkers({schema.category: schema for schema in found})
