"""Builds the levels of projects, API keys and sign-ins for one process."""

from __future__ import annotations

from collections.abc import Callable

from cache import Bus, Cache, Lives
from playhead.settings import Settings
from projects.api_keys import ApiKeys
from projects.cached import CachedProjects
from projects.service import ProjectService
from projects.shares import Shares
from projects.sign_ins import SignIns
from storage.postgres import Database


async def open_projects(
    settings: Settings, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int]
) -> tuple[ProjectService, ApiKeys]:
    """Both services, listening on `bus` for what other processes change."""
    lives = _lives(settings)
    cached = CachedProjects(db, cache, bus, clock, lives)
    api_keys = ApiKeys(db, cache, bus, clock, lives)
    await cached.start()
    await api_keys.start()
    return ProjectService(db, cached, clock), api_keys


async def open_sign_ins(
    settings: Settings,
    db: Database,
    cache: Cache,
    bus: Bus | None,
    clock: Callable[[], int],
    *,
    api_keys: ApiKeys,
    admin_key: str,
) -> tuple[SignIns, Shares]:
    """Sign-ins to the player and links to replays, listening on `bus` for those that end in other processes."""
    ttl_ms = settings.sign_in_ttl_h * 3_600_000
    lives = _lives(settings)
    shares = Shares(db, cache, bus, clock, lives)
    sign_ins = SignIns(
        db,
        cache,
        bus,
        clock,
        lives,
        api_keys=api_keys,
        shares=shares,
        admin_key=admin_key,
        ttl_ms=ttl_ms,
    )
    await shares.start()
    await sign_ins.start()
    return sign_ins, shares


def _lives(settings: Settings) -> Lives:
    return Lives(
        ttl_ms=int(settings.cache_ttl_s * 1000),
        negative_ttl_ms=int(settings.cache_negative_ttl_s * 1000),
        entries=settings.cache_entries,
    )
