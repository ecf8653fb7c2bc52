"""Whether this process can do its work, dependency by dependency; asked often, looked up seldom."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Final

from http_service.models import DependencyOut, ReadyOut
from playhead import telemetry
from playhead.errors import PlayheadError
from storage.disk import Level

if TYPE_CHECKING:
    from playhead.wiring import Services

CHECK_TIMEOUT_S: Final = 3.0
KEPT_S: Final = 2.0
#: `playhead doctor` tells more
MEND: Final = {
    "database": "start Postgres, or check PLAYHEAD_DATABASE_URL; phones are served meanwhile",
    "objects": "check bucket, endpoint, AWS_* credentials and their rights, or the folder; see `journal`",
    "cache": "start Redis, or check PLAYHEAD_REDIS_URL; the database answers meanwhile",
    "journal": "bring the object store back, or give PLAYHEAD_DATA_DIR room for the spool; phones wait until then",
    "disk": "free some space, or lower the projects' retention_days",
}

_up = telemetry.gauge("playhead_dependency_up")


class Readiness:
    """`check` tells the state, at most KEPT_S old; any number of callers cause one look."""

    def __init__(self, services: Services, stopping: asyncio.Event) -> None:
        self._services = services
        self._stopping = stopping
        self._lock = asyncio.Lock()
        self._known: ReadyOut | None = None
        self._until = 0.0

    async def check(self) -> ReadyOut:
        """ready: all is up. degraded: what comes is still kept. unavailable: nothing can be kept.

        stopping: told to end, so that balancers send no more; what still comes is kept.
        """
        async with self._lock:
            if self._known is None or monotonic() >= self._until:
                self._known = await self._look()
                self._until = monotonic() + KEPT_S
            if self._stopping.is_set():
                return self._known.model_copy(update={"status": "stopping"})
            return self._known

    async def _look(self) -> ReadyOut:
        services = self._services
        database, objects, cache = await asyncio.gather(
            _state("database", services.db.check),
            _state("objects", services.objects.check),
            self._cache(),
        )
        journal = self._journal(objects)
        disk = self._disk()
        states = {"database": database, "objects": objects, "cache": cache, "journal": journal, "disk": disk}
        for name, found in states.items():
            if found.state == "down":
                states[name] = found.model_copy(update={"mend": MEND[name]})
        if journal.state == "down":
            return ReadyOut(status="unavailable", dependencies=states)
        down = any(each.state == "down" for each in states.values())
        return ReadyOut(status="degraded" if down else "ready", dependencies=states)

    async def _cache(self) -> DependencyOut:
        if not self._services.settings.redis_url:
            return DependencyOut(state="off", detail="memory alone")

        async def look() -> None:
            problem = await self._services.cache.check()
            if problem:
                raise PlayheadError(problem)

        return await _state("cache", look)

    def _disk(self) -> DependencyOut:
        """Down above the hard mark, where no session begins any more."""
        disk = self._services.disk
        if not disk.governed:
            return DependencyOut(state="off", detail="objects are elsewhere")
        usage, level = disk.usage(), disk.level()
        used = f"{usage.used / max(1, usage.total):.0%} used" if usage else ""
        return DependencyOut(state="down" if level is Level.HARD else "up", detail=used)

    def _journal(self, objects: DependencyOut) -> DependencyOut:
        """Down when nothing durable is possible: the store is away and the spool cannot stand in."""
        stats = self._services.journal.stats()
        settings = self._services.settings
        local = settings.objects_location.startswith("file:")
        spool_left = 0 if local else settings.spool_max_bytes - stats.spool_bytes
        away = objects.state == "down" or stats.storage_away
        if away and spool_left <= 0:
            return DependencyOut(state="down", detail=stats.last_error or objects.detail)
        if stats.spool_bytes:
            return DependencyOut(state="up", detail=f"{stats.spool_bytes} bytes wait in the spool")
        return DependencyOut(state="up")


async def _state(name: str, look: Callable[[], Awaitable[None]]) -> DependencyOut:
    try:
        await asyncio.wait_for(look(), CHECK_TIMEOUT_S)
    except TimeoutError:
        found = DependencyOut(state="down", detail=f"no answer within {CHECK_TIMEOUT_S:g} s")
    except PlayheadError as problem:
        found = DependencyOut(state="down", detail=str(problem))
    else:
        found = DependencyOut(state="up")
    _up.labels(name).set(found.state == "up")
    return found
