"""The cache level of projects: snapshots by key and by id, and each project's frequent images."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from cache import Bus, Cache, LayeredCache, Lives
from projects import store
from projects.model import Project
from storage.postgres import Database

FREQUENT_IMAGES = 40  # spec/openreplay-mobile.md section 2


class ProjectCodec:
    """Projects as JSON."""

    def encode(self, value: Project) -> bytes:
        """Project -> JSON."""
        return value.to_json()

    def decode(self, data: bytes) -> Project:
        """JSON -> Project."""
        return Project.from_json(data)


class NamesCodec:
    """Lists of names as JSON."""

    def encode(self, value: tuple[str, ...]) -> bytes:
        """Names -> JSON."""
        return orjson.dumps(value)

    def decode(self, data: bytes) -> tuple[str, ...]:
        """JSON -> names."""
        return tuple(orjson.loads(data))


class CachedProjects:
    """Answers from the cache where it can, from the store where it must."""

    def __init__(
        self, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int], lives: Lives
    ) -> None:
        self._db = db
        self._projects: LayeredCache[Project] = LayeredCache(
            "project",
            load=self._load,
            codec=ProjectCodec(),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=lives,
        )
        self._images: LayeredCache[tuple[str, ...]] = LayeredCache(
            "images",
            load=lambda project_id: store.frequent_images(db, int(project_id), FREQUENT_IMAGES),
            codec=NamesCodec(),
            shared=cache,
            clock=clock,
            lives=lives,
        )

    async def start(self) -> None:
        """Listens for changes by other processes."""
        await self._projects.start()

    async def by_key(self, key: str) -> Project | None:
        """The project of this key, active or not."""
        return await self._projects.get_and_refresh(f"key:{key}")

    async def by_id(self, project_id: int) -> Project | None:
        """The project of this id, active or not."""
        return await self._projects.get_and_refresh(f"id:{project_id}")

    async def frequent_images(self, project_id: int) -> tuple[str, ...]:
        """Names of the pictures used most."""
        return await self._images.get_and_refresh(str(project_id)) or ()

    async def forget(self, project: Project) -> None:
        """The project was made or changed: no process may serve what it held."""
        await self._projects.invalidate(f"key:{project.project_key}", f"id:{project.project_id}")

    async def _load(self, key: str) -> Project | None:
        kind, _, value = key.partition(":")
        return await (store.by_key(self._db, value) if kind == "key" else store.by_id(self._db, int(value)))
