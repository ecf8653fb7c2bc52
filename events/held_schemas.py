"""What checks events in this process, of each project that lately sent some: never older than LEASE_S.

A change of a schema is answered LEASE_S after it is committed: whoever was told of it finds it bind in every process,
without the processes knowing one another. One statement per half lease asks Postgres whether anything changed.
While the database is away, or does not answer within PATIENCE_S, what is known goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from events.checking import Checker, checker_of
from playhead import telemetry
from playhead.errors import Unavailable
from storage.postgres import Database

LEASE_S: Final = 0.25
PATIENCE_S: Final = 1.0
#: a project that sent nothing for so long is forgotten
KEPT_S: Final = 60.0

ALL = (
    "SELECT category, version, schema, xmin::text FROM event_schemas WHERE project_id = $1 ORDER BY category"
)
# Every row written has a transaction number that no other had, so the numbers in order say which rows there are.
STAMPS = """
SELECT project_id, md5(string_agg(xmin::text, ',' ORDER BY category)) FROM event_schemas
WHERE project_id = ANY($1::int[]) GROUP BY project_id
"""

_log = telemetry.logger("events.held_schemas")


@dataclass(frozen=True, slots=True)
class Schema:
    """One row; `text` is the schema as JSON."""

    category: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Checkers:
    """What checks a project's events, by category."""

    schemas: Mapping[str, Schema]

    def of(self, category: str) -> Checker | None:
        """The category's checker, compiled when first asked for; none if it has no schema."""
        schema = self.schemas.get(category)
        return checker_of(schema.text) if schema is not None else None


@dataclass(slots=True)
class _Held:
    """One project's; it was so at `sure_s` (monotonic), when `stamp` was the database's."""

    checkers: Checkers
    stamp: str
    sure_s: float
    used_s: float


class HeldSchemas:
    """One per process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: dict[int, _Held] = {}
        self._looking: asyncio.Task[None] | None = None
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._away = False

    async def of(self, project_id: int) -> Checkers:
        """A project's, as they are or were less than LEASE_S ago. Raises DatabaseUnavailable if never read."""
        asked_s = monotonic()
        while True:
            held = self._held.get(project_id)
            if held is None:
                await self._first(project_id)
                continue
            held.used_s = asked_s
            if asked_s < held.sure_s + LEASE_S / 2:
                return held.checkers
            looking = self._look_again()
            if asked_s < held.sure_s + LEASE_S or self._away:
                return held.checkers
            done, _ = await asyncio.wait((looking,), timeout=PATIENCE_S)
            self._away = self._away or not done

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = [*self._reading.values(), *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _first(self, project_id: int) -> None:
        """Read a project's, once for all who wait; who leaves does not stop it."""
        task = self._reading.get(project_id)
        if task is None:
            task = self._reading[project_id] = asyncio.create_task(self._read(project_id))
            task.add_done_callback(lambda _: self._reading.pop(project_id))
        await asyncio.wait((task,))
        task.result()

    def _look_again(self) -> asyncio.Task[None]:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="look for changed schemas")
        return self._looking

    async def _look(self) -> None:
        """Read again what changed; what did not is sure from now on."""
        began_s = monotonic()
        self._held = {key: held for key, held in self._held.items() if held.used_s > began_s - KEPT_S}
        try:
            stamps = dict(await self._db.fetch(STAMPS, list(self._held)))
            for project_id, held in list(self._held.items()):
                if held.stamp == stamps.get(project_id, ""):
                    held.sure_s = max(held.sure_s, began_s)
                else:
                    await self._read(project_id)
        except Unavailable:
            if not self._away:
                _log.warning("schemas_not_looked_up")
            self._away = True
        else:
            self._away = False

    async def _read(self, project_id: int) -> None:
        began_s = monotonic()
        rows = await self._db.fetch(ALL, project_id)
        checkers = Checkers({row[0]: Schema(row[0], row[1], row[2]) for row in rows})
        stamp = hashlib.md5(",".join(row[3] for row in rows).encode(), usedforsecurity=False).hexdigest()
        self._held[project_id] = _Held(checkers, stamp if rows else "", began_s, began_s)
