"""Values by which sessions can be found, as somebody types: what exists in the inverted index, a few at a time.

Each value is one probe of an index that jumps to the next, so the cost follows what is asked for, not how many
sessions have a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from playhead.errors import Detail, ValidationFailed
from sessions.facts import TERM_CHARS
from sessions.search import FACETS
from storage.postgres import Database

METADATA: Final = "metadata"
#: sessions of a value are counted up to here
MAX_COUNT: Final = 100
#: keys of metadata that are looked through
MAX_KEYS: Final = 500
#: projects that are looked through where none is named
MAX_PROJECTS: Final = 50

_LAST: Final = "\U0010ffff"  # after everything that begins with the prefix, by code points

# $1 projects, $2 facet, $3 prefix, $4 limit, $5 most to count
VALUES: Final = f"""
WITH wanted AS (
    SELECT p AS project_id, lower($3) COLLATE "C" AS low, (lower($3) || '{_LAST}') COLLATE "C" AS high
    FROM unnest($1::int[]) p
)
SELECT each.value, counted.count FROM wanted w CROSS JOIN LATERAL (
    WITH RECURSIVE found AS (
        (SELECT lower(f.value) COLLATE "C" AS folded, f.value FROM facet_values f
         WHERE f.project_id = w.project_id AND f.facet = $2
         AND lower(f.value) COLLATE "C" >= w.low AND lower(f.value) COLLATE "C" < w.high
         ORDER BY lower(f.value) COLLATE "C", f.value LIMIT 1)
        UNION ALL
        SELECT after.folded, after.value FROM found CROSS JOIN LATERAL (
            SELECT lower(f.value) COLLATE "C" AS folded, f.value FROM facet_values f
            WHERE f.project_id = w.project_id AND f.facet = $2
            AND (lower(f.value) COLLATE "C", f.value) > (found.folded, found.value)
            AND lower(f.value) COLLATE "C" < w.high
            ORDER BY lower(f.value) COLLATE "C", f.value LIMIT 1
        ) after
    )
    SELECT value FROM found LIMIT $4
) each CROSS JOIN LATERAL (
    SELECT count(*) FROM (
        SELECT FROM facets f WHERE f.project_id = w.project_id AND f.facet = $2 AND f.value = each.value LIMIT $5
    ) hits
) counted
"""
# Names of facets are few and known but for those of metadata, which lie between these two whatever the collation.
KEYS: Final = """
SELECT each.facet FROM unnest($1::int[]) p CROSS JOIN LATERAL (
    WITH RECURSIVE found AS (
        (SELECT f.facet FROM facet_values f WHERE f.project_id = p AND f.facet > 'metadata' AND f.facet < 'n'
         ORDER BY f.facet LIMIT 1)
        UNION ALL
        SELECT after.facet FROM found CROSS JOIN LATERAL (
            SELECT f.facet FROM facet_values f WHERE f.project_id = p AND f.facet > found.facet AND f.facet < 'n'
            ORDER BY f.facet LIMIT 1
        ) after
    )
    SELECT facet FROM found LIMIT $2
) each
"""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A value that exists; `count`: sessions that have it, counted up to MAX_COUNT, none for keys of metadata."""

    value: str
    count: int | None


async def suggest(
    db: Database, project_ids: Sequence[int], field: str, prefix: str, limit: int
) -> list[Suggestion]:
    """Values of a filter of the list (`metadata`: keys; `metadata.KEY`: its values) that begin with `prefix`.

    Whatever their case, in alphabetical order. Raises ValidationFailed for a field that is no filter.
    """
    projects = list(project_ids)[:MAX_PROJECTS]
    if field == METADATA:
        return await _keys(db, projects, prefix, limit)
    rows = await db.fetch(VALUES, projects, facet_of(field), prefix[:TERM_CHARS], limit, MAX_COUNT)
    counts: dict[str, int] = {}
    for value, count in rows:
        counts[value] = min(MAX_COUNT, counts.get(value, 0) + count)
    ordered = sorted(counts, key=lambda value: (value.lower(), value))
    return [Suggestion(value, counts[value]) for value in ordered[:limit]]


def facet_of(field: str) -> str:
    """The facet behind a filter's name. Raises ValidationFailed."""
    kind, dot, key = field.partition(".")
    if kind == METADATA and dot and key:
        return f"{METADATA}.{key[:TERM_CHARS]}"
    if field == "url":
        return "url"
    if field not in FACETS:
        names = ", ".join([*FACETS, "url", METADATA, f"{METADATA}.KEY"])
        raise ValidationFailed(details=[Detail("field", "invalid_value", f"one of {names}")])
    return FACETS[field]


async def _keys(db: Database, projects: list[int], prefix: str, limit: int) -> list[Suggestion]:
    start = prefix.lower()
    found = {row[0].partition(".")[2] for row in await db.fetch(KEYS, projects, MAX_KEYS)}
    keys = sorted((key for key in found if key.lower().startswith(start)), key=lambda key: (key.lower(), key))
    return [Suggestion(key, None) for key in keys[:limit]]
