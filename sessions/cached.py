"""The cache level of sessions: those at rest. Live ones change all the time and come from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Final

import orjson

from cache import Bus, Cache, LayeredCache, Lives
from sessions import store
from sessions.model import COLUMNS, Session
from storage.postgres import Database

LIFE_MS: Final = 10_000  # long enough for all requests of one visit to a replay
ABSENCE_MS: Final = 1_000  # a session appears as soon as its start record is processed
ANY_PROJECT: Final = "*"


class SessionCodec:
    """Sessions as JSON."""

    def encode(self, value: Session) -> bytes:
        """Session -> JSON."""
        return orjson.dumps(asdict(value))

    def decode(self, data: bytes) -> Session:
        """JSON -> Session; KeyError for another version's columns."""
        values = orjson.loads(data)
        values = {name: values[name] for name in COLUMNS}
        values["issue_types"] = tuple(values["issue_types"])
        return Session(**values)


class CachedSessions:
    """Answers from the cache where it can, from the store where it must."""

    def __init__(
        self, db: Database, cache: Cache, bus: Bus | None, clock: Callable[[], int], entries: int
    ) -> None:
        self._db = db
        self._held: LayeredCache[Session] = LayeredCache(
            "session",
            load=self._load,
            codec=SessionCodec(),
            shared=cache,
            clock=clock,
            bus=bus,
            lives=Lives(ttl_ms=LIFE_MS, negative_ttl_ms=ABSENCE_MS, entries=entries),
            keep=lambda session: not session.live,
        )

    async def start(self) -> None:
        """Listens for changes by other processes."""
        await self._held.start()

    async def get(self, project_id: int, session_id: int) -> Session | None:
        """One session."""
        return await self._held.get(f"{project_id}:{session_id}")

    async def find(self, session_id: int) -> Session | None:
        """The session of this id in whatever project."""
        return await self._held.get(f"{ANY_PROJECT}:{session_id}")

    async def forget(self, keys: Iterable[tuple[int, int]]) -> None:
        """These (project id, session id) changed: no process may serve what it held."""
        names = [f"{place}:{key[1]}" for key in keys for place in (key[0], ANY_PROJECT)]
        await self._held.invalidate(*names)

    async def _load(self, key: str) -> Session | None:
        project, _, session = key.partition(":")
        if project == ANY_PROJECT:
            return await store.find(self._db, int(session))
        return await store.get(self._db, int(project), int(session))
