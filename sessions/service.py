"""Sessions as others see them.

    service (decides) ── cached (those at rest, in memory and Redis) ── store (SQL)

Data comes in by updates.apply_updates, inside the transaction that stores it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cache import Bus, Cache
from playhead.settings import Settings
from sessions import store
from sessions.cached import CachedSessions
from sessions.ids import MAX_ID, started_ms
from sessions.model import Session
from storage.postgres import Database


class SessionService:
    """Reads come from the cache where a session is at rest, else from the store."""

    def __init__(self, db: Database, cached: CachedSessions) -> None:
        self._db = db
        self._cached = cached

    async def get(self, project_id: int, session_id: int) -> Session | None:
        """One session of one project. Raises DatabaseUnavailable."""
        return await self._cached.get(project_id, session_id) if _possible(session_id) else None

    async def find(self, session_id: int) -> Session | None:
        """The session of this id in whatever project: for the admin. Raises DatabaseUnavailable."""
        return await self._cached.find(session_id) if _possible(session_id) else None

    async def get_fresh(self, project_id: int, session_id: int) -> Session | None:
        """One session as the database has it now, past all caches."""
        return await store.get(self._db, project_id, session_id) if _possible(session_id) else None

    async def previous_of(self, project_id: int, user_uuid: str, before_id: int) -> list[Session]:
        """At most 20 sessions of this user that started before session `before_id`, newest first.

        For late data: device_start_ms, device_first_ms, device_last_ms say which one a time belongs to.
        """
        return await store.earlier_of_user(self._db, project_id, user_uuid, started_ms(before_id))

    async def changed(self, keys: Iterable[tuple[int, int]]) -> None:
        """After the commit: these (project id, session id) were at rest, and are changed or gone."""
        await self._cached.forget(keys)


def _possible(session_id: int) -> bool:
    return 0 < session_id <= MAX_ID


async def open_sessions(
    settings: Settings, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int]
) -> SessionService:
    """The service of one process, listening on `bus` for what other processes change."""
    cached = CachedSessions(db, cache, bus, clock, settings.cache_entries)
    await cached.start()
    return SessionService(db, cached)
