"""Projects as others see them: who exists, who may be made, what a change becomes.

service (decides) ── cached (by key, by id, in memory and Redis) ── store (SQL)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playhead.errors import NotFound
from projects import store, users
from projects.cached import CachedProjects
from projects.changes import KEY_PATTERN, ProjectChanges, ProjectCreate, changed, made
from projects.model import Project
from projects.users import ProjectUser
from storage.postgres import Database

_MAX_ID = 2**31 - 1


class ProjectService:
    """Reads come from the cache, writes go to the store and make every process forget."""

    def __init__(self, db: Database, cached: CachedProjects, clock: Callable[[], int]) -> None:
        self._db = db
        self._cached = cached
        self._clock = clock

    async def by_key(self, key: str, *, inactive: bool = False) -> Project:
        """The project of this key; an inactive one only if wanted. Raises NotFound, DatabaseUnavailable."""
        project = await self._cached.by_key(key) if KEY_PATTERN.fullmatch(key) else None
        if project is None or not (project.active or inactive):
            raise NotFound("no project with this key")
        return project

    async def by_id(self, project_id: int) -> Project:
        """The project of this id, active or not. Raises NotFound, DatabaseUnavailable."""
        project = await self.find_by_id(project_id)
        if project is None:
            raise NotFound("no project with this id")
        return project

    async def find_by_id(self, project_id: int) -> Project | None:
        """The project of this id, active or not, or None. Raises DatabaseUnavailable."""
        return await self._cached.by_id(project_id) if 0 < project_id <= _MAX_ID else None

    async def list(self) -> list[Project]:
        """All projects, oldest first, never from the cache."""
        return await store.list_all(self._db)

    async def create(self, wanted: ProjectCreate) -> Project:
        """A new project. Raises Conflict if its key is taken."""
        project = await store.insert(self._db, made(wanted, self._clock()))
        await self._cached.forget(project)  # its absence may be held
        return project

    async def update(self, key: str, changes: ProjectChanges) -> Project:
        """Changes a project, for all processes at once. Raises NotFound, ValidationFailed."""
        project = await store.change(self._db, key, lambda old: changed(old, changes, self._clock()))
        if project is None:
            raise NotFound("no project with this key")
        await self._cached.forget(project)
        return project

    async def erase(self, project: Project) -> None:
        """Ends a project for all processes at once; everything that it has goes in the background."""
        await store.erase(self._db, project.project_id, self._clock())
        await self._cached.forget(project)

    async def user_name(self, project_id: int, user_id: int) -> str | None:
        """The name of a user known to the project, or None. Raises DatabaseUnavailable."""
        return await self._cached.user_name(project_id, user_id)

    async def put_users(self, project_id: int, known: Sequence[ProjectUser]) -> None:
        """Adds users known to the project or renames them, for all processes at once."""
        await users.put(self._db, project_id, known)
        await self._cached.forget_users(project_id, [user.user_id for user in known])

    async def users(self, project_id: int, *, after: int = 0, limit: int = 1000) -> Sequence[ProjectUser]:
        """Users known to the project by number, from beyond `after`, never from the cache."""
        return await users.page(self._db, project_id, after=after, limit=limit)

    async def frequent_images(self, project_id: int) -> tuple[str, ...]:
        """At most 40 names for `imagesHashList`, by use, then recency; some seconds old.

        Source: spec/openreplay-mobile.md section 2.
        """
        return await self._cached.frequent_images(project_id)
