"""SQL of facets: the terms by which sessions are found, and their values, each once (facet_values).

Triggers on facets add to `facet_values` and note in `loose_values` what a session lost; `purge` deletes those of them
that no session has any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from playhead.errors import DatabaseUnavailable
from storage.postgres import Database, hindered

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

# jumps from project to project
LOOSE: Final = """
WITH RECURSIVE found AS (
    (SELECT project_id FROM loose_values ORDER BY project_id LIMIT 1)
    UNION ALL
    SELECT l.project_id FROM found CROSS JOIN LATERAL (
        SELECT project_id FROM loose_values WHERE project_id > found.project_id ORDER BY project_id LIMIT 1
    ) l
)
SELECT project_id FROM found
"""
# Who adds or removes terms holds it shared until the commit (the triggers take it), so what is seen here is final.
LOCK: Final = "SELECT pg_advisory_xact_lock(-1, $1)"
#: writers queue behind a lock that is waited for, so not for long
PATIENCE: Final = "SET LOCAL lock_timeout = '1s'"
# the inner SELECT probes for each value instead of reading all facets
PURGE: Final = """
WITH taken AS (
    DELETE FROM loose_values WHERE project_id = $1
    AND ctid = ANY(ARRAY(SELECT ctid FROM loose_values WHERE project_id = $1 LIMIT $2))
    RETURNING facet, value
), unused AS (
    DELETE FROM facet_values v USING taken l
    WHERE v.project_id = $1 AND v.facet = l.facet AND v.value = l.value AND (
        SELECT true FROM facets f WHERE f.project_id = $1 AND f.facet = l.facet AND f.value = l.value LIMIT 1
    ) IS NULL
)
SELECT count(*) FROM taken
"""
PURGED: Final = 1_000

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


async def purge(db: Database, only: int | None = None) -> None:
    """Delete values that no session has any more, of all projects or of one. What is busy is left for the next time."""
    for project_id in [only] if only is not None else [row[0] for row in await db.fetch(LOOSE)]:
        more = True
        while more:
            try:
                async with db.transaction() as conn:
                    await conn.execute(PATIENCE)
                    await conn.execute(LOCK, project_id)
                    more = await conn.fetchval(PURGE, project_id, PURGED) == PURGED
            except DatabaseUnavailable as problem:
                if not hindered(problem):
                    raise
                more = False
