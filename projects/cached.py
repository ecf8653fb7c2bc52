"""The cache level of projects: snapshots by key and by id, and each project's frequent images."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import orjson

from cache import Bus, Cache, LayeredCache, Lives
from projects import store, users
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


class TextCodec:
    """Texts as they are."""

    def encode(self, value: str) -> bytes:
        """Text -> UTF-8."""
        return value.encode()

    def decode(self, data: bytes) -> str:
        """UTF-8 -> text."""
        return data.decode()


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
        self._users: LayeredCache[str] = LayeredCache(
            "project_user",
            load=self._load_user,
            codec=TextCodec(),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=lives,
        )

    async def start(self) -> None:
        """Listens for changes by other processes."""
        await self._projects.start()
        await self._users.start()

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

    async def user_name(self, project_id: int, user_id: int) -> str | None:
        """The name of a user known to the project."""
        return await self._users.get_and_refresh(f"{project_id}:{user_id}")

    async def forget_users(self, project_id: int, user_ids: Iterable[int]) -> None:
        """These users were added or renamed."""
        await self._users.invalidate(*(f"{project_id}:{user_id}" for user_id in user_ids))

    async def _load_user(self, key: str) -> str | None:
        project_id, _, user_id = key.partition(":")
        return await users.name_of(self._db, int(project_id), int(user_id))

    async def _load(self, key: str) -> Project | None:
        kind, _, value = key.partition(":")
        return await (store.by_key(self._db, value) if kind == "key" else store.by_id(self._db, int(value)))
