"""SQL of projects: the truth behind the cache. Reads and writes; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg

from playhead.errors import Conflict
from projects.model import COLUMNS, Project
from storage.postgres import Database

_ALL = ", ".join(COLUMNS)
_WRITTEN = [name for name in COLUMNS if name != "project_id"]

BY_KEY = f"SELECT {_ALL} FROM projects WHERE project_key = $1"
BY_ID = f"SELECT {_ALL} FROM projects WHERE project_id = $1"
LIST = f"SELECT {_ALL} FROM projects ORDER BY project_id"
INSERT = f"""
INSERT INTO projects ({", ".join(_WRITTEN)})
VALUES ({", ".join(f"${place}" for place in range(1, len(_WRITTEN) + 1))}) RETURNING {_ALL}
"""
UPDATE = f"""
UPDATE projects SET {", ".join(f"{name} = ${place}" for place, name in enumerate(_WRITTEN, 2))}
WHERE project_id = $1 RETURNING {_ALL}
"""
ERASE = """
WITH gone AS (DELETE FROM projects WHERE project_id = $1 RETURNING project_id, project_key)
INSERT INTO erased_projects (project_id, project_key, erased_ms) SELECT project_id, project_key, $2 FROM gone
"""
# names may repeat: two pictures under one name count together
FREQUENT_IMAGES = """
SELECT name FROM images WHERE project_id = $1
GROUP BY name ORDER BY sum(uses) DESC, max(used_ms) DESC, name LIMIT $2
"""


async def by_key(db: Database, key: str) -> Project | None:
    """The project of this key, active or not."""
    return _project(await db.fetchrow(BY_KEY, key))


async def by_id(db: Database, project_id: int) -> Project | None:
    """The project of this id, active or not."""
    return _project(await db.fetchrow(BY_ID, project_id))


async def list_all(db: Database) -> list[Project]:
    """All projects, oldest first."""
    return [Project.from_row(row) for row in await db.fetch(LIST)]


async def insert(db: Database, project: Project) -> Project:
    """Stores a new project -> with its id. Raises Conflict if the key is taken."""
    try:
        row = await db.fetchrow(INSERT, *_values(project))
    except asyncpg.UniqueViolationError:
        raise Conflict(f"there is a project with the key {project.project_key!r} already") from None
    return Project.from_row(row)


async def change(db: Database, key: str, decide: Callable[[Project], Project]) -> Project | None:
    """Replaces a project by what `decide` makes of it, one change at a time; None if there is none."""
    async with db.transaction() as conn:
        project = _project(await conn.fetchrow(BY_KEY + " FOR UPDATE", key))
        if project is None:
            return None
        return Project.from_row(await conn.fetchrow(UPDATE, project.project_id, *_values(decide(project))))


async def erase(db: Database, project_id: int, now_ms: int) -> None:
    """Deletes the project with its API keys and leaves a mark; workers delete the rest."""
    await db.execute(ERASE, project_id, now_ms)


async def frequent_images(db: Database, project_id: int, limit: int) -> tuple[str, ...]:
    """Names of the pictures used by most sessions, then most recently."""
    return tuple(row[0] for row in await db.fetch(FREQUENT_IMAGES, project_id, limit))


def _project(row: Any) -> Project | None:
    return None if row is None else Project.from_row(row)


def _values(project: Project) -> list[Any]:
    row = project.to_row()
    return [row[name] for name in _WRITTEN]
