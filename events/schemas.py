"""Schemas of a project's categories: kept in Postgres; what each process holds of them is held_schemas.py.

Source: spec/event-service.md 6.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from events.checking import parse_schema
from events.held_schemas import LEASE_S, Checkers, HeldSchemas, Schema
from playhead.errors import NotFound, Unprocessable
from storage.postgres import Database

MAX_SCHEMAS: Final = 1_000

ALL = "SELECT category, version, schema FROM event_schemas WHERE project_id = $1 ORDER BY category"
ONE = "SELECT category, version, schema FROM event_schemas WHERE project_id = $1 AND category = $2"
PUT = """
INSERT INTO event_schemas AS s (project_id, category, version, schema) VALUES ($1, $2, 1, $3)
ON CONFLICT (project_id, category) DO UPDATE SET version = s.version + 1, schema = excluded.schema
RETURNING category, version, schema
"""
DELETE = "DELETE FROM event_schemas WHERE project_id = $1 AND category = $2 RETURNING version"
COUNT = "SELECT count(*) FROM event_schemas WHERE project_id = $1 AND category <> $2"


class Schemas:
    """Reads for checking come from what this process holds, everything else from the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held = HeldSchemas(db)

    async def close(self) -> None:
        """Ends what is under way."""
        await self._held.close()

    async def checkers(self, project_id: int) -> Checkers:
        """All of a project's. Raises DatabaseUnavailable where they were never read."""
        return await self._held.of(project_id)

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
        """Set a category's schema; version 1 says that it is new. Binds in every process when this returns.

        Raises Unprocessable (`invalid_schema`), TooLarge.
        """
        text = await asyncio.to_thread(parse_schema, body, value)
        async with self._db.transaction() as conn:
            if await conn.fetchval(COUNT, project_id, category) >= MAX_SCHEMAS:
                raise Unprocessable(f"a project has at most {MAX_SCHEMAS} schemas", code="too_many_schemas")
            row = await conn.fetchrow(PUT, project_id, category, text)
        await asyncio.sleep(LEASE_S)  # until no process holds what was before
        return Schema(*row)

    async def delete(self, project_id: int, category: str) -> None:
        """Remove a category's schema, in every process when this returns. Raises NotFound."""
        if await self._db.fetchval(DELETE, project_id, category) is None:
            raise NotFound("this category has no schema")
        await asyncio.sleep(LEASE_S)  # until no process holds what was before
