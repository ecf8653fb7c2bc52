"""Builds the levels of projects and API keys for one process."""

from __future__ import annotations

from collections.abc import Callable

from cache import Bus, Cache, Lives
from playhead.settings import Settings
from projects.api_keys import ApiKeys
from projects.cached import CachedProjects
from projects.service import ProjectService
from storage.postgres import Database


async def open_projects(
    settings: Settings, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int]
) -> tuple[ProjectService, ApiKeys]:
    """Both services, listening on `bus` for what other processes change."""
    lives = Lives(
        ttl_ms=int(settings.cache_ttl_s * 1000),
        negative_ttl_ms=int(settings.cache_negative_ttl_s * 1000),
        entries=settings.cache_entries,
    )
    cached = CachedProjects(db, cache, bus, clock, lives)
    api_keys = ApiKeys(db, cache, bus, clock, lives)
    await cached.start()
    await api_keys.start()
    return ProjectService(db, cached, clock), api_keys
