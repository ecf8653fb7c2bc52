"""Users known to a project, by number: SQL beside what it answers. Source: interface section 5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.postgres import Database

PUT = """
INSERT INTO project_users (project_id, user_id, username)
SELECT $1, * FROM unnest($2::bigint[], $3::text[])
ON CONFLICT (project_id, user_id) DO UPDATE SET username = excluded.username
"""
NAME = "SELECT username FROM project_users WHERE project_id = $1 AND user_id = $2"
LIST = """
SELECT user_id, username FROM project_users WHERE project_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class ProjectUser:
    """One user of the team's own numbering."""

    user_id: int
    username: str


async def put(db: Database, project_id: int, users: Iterable[ProjectUser]) -> None:
    """Adds users or renames them; the last of several with one number wins."""
    names = {user.user_id: user.username for user in users}
    ids = sorted(names)  # in one order everywhere, so that two writers cannot lock each other out
    await db.execute(PUT, project_id, ids, [names[each] for each in ids])


async def name_of(db: Database, project_id: int, user_id: int) -> str | None:
    """A user's name, None if there is no such user."""
    name: str | None = await db.fetchval(NAME, project_id, user_id)
    return name


async def page(db: Database, project_id: int, *, after: int, limit: int) -> list[ProjectUser]:
    """Users by number, from beyond `after`."""
    rows = await db.fetch(LIST, project_id, after, limit)
    return [ProjectUser(row["user_id"], row["username"]) for row in rows]
