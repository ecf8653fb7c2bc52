"""SQL of facets: the terms by which sessions are found."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

INSERT_NEW = """
INSERT INTO facets (project_id, facet, value, started_ms, session_id)
SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
ON CONFLICT DO NOTHING
"""
# The finalizer knows all terms: what the live view guessed wrong (an earlier user id) goes.
REPLACE = """
WITH wanted AS (SELECT * FROM unnest($4::text[], $5::text[]) AS w(facet, value)),
gone AS (
    DELETE FROM facets f WHERE project_id = $1 AND session_id = $2
    AND NOT EXISTS (SELECT 1 FROM wanted w WHERE w.facet = f.facet AND w.value = f.value)
)
INSERT INTO facets (project_id, facet, value, started_ms, session_id)
SELECT $1, facet, value, $3, $2 FROM wanted ON CONFLICT DO NOTHING
"""

VALUES_OF = """
SELECT value FROM facets WHERE project_id = $1 AND session_id = $2 AND facet = $3 ORDER BY value
"""

#: (project_id, facet, value, started_ms, session_id)
Row = tuple[int, str, str, int, int]


async def insert(conn: Any, rows: Iterable[Row]) -> None:
    """Add terms inside the caller's transaction, in key order so that writers do not lock each other out."""
    ordered = sorted(rows)
    if ordered:
        await conn.execute(INSERT_NEW, *(list(column) for column in zip(*ordered, strict=True)))


async def replace(
    conn: Any, project_id: int, session_id: int, started_ms: int, terms: Iterable[tuple[str, str]]
) -> None:
    """Make `terms` the session's only terms."""
    ordered = sorted(set(terms))
    await conn.execute(
        REPLACE, project_id, session_id, started_ms, [t[0] for t in ordered], [t[1] for t in ordered]
    )


async def values_of(source: Any, project_id: int, session_id: int, facet: str) -> list[str]:
    """What a session is found by under one facet."""
    return [row[0] for row in await source.fetch(VALUES_OF, project_id, session_id, facet)]
