"""A segment's records opened: what nobody may keep ends here, the rest is decoded, bounded in time and memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from events import incoming
from messages import Limits
from playhead.errors import Malformed, TooMuch
from projects.service import ProjectService
from sessions import store as session_store
from sessions.facts import layout_of
from sessions.model import Session, new_session
from storage.ledger import Fate
from storage.postgres import Database
from storage.segment_file import ERASED as BLANKED
from storage.segment_file import ORDERED_KINDS
from workers.harvest import Item, SessionKey
from workers.reading import read_batch, read_images

DAY_MS: Final = 86_400_000
#: so long decoding keeps the event loop: then the other segment in hand may send its next statement
TURN_S: Final = 0.002

ERASED = """
SELECT project_id, session_id FROM erased_sessions
WHERE (project_id, session_id) IN (SELECT * FROM unnest($1::int[], $2::bigint[]))
"""


async def erased(source: Any, keys: set[SessionKey]) -> set[SessionKey]:
    """Those of the sessions that were erased; `source` is a pool or a connection."""
    if not keys:
        return set()
    ordered = sorted(keys)
    rows = await source.fetch(ERASED, [k[0] for k in ordered], [k[1] for k in ordered])
    return {(row[0], row[1]) for row in rows}


class Opener:
    """Opens records of several segments at once and knows how much they hold in memory together."""

    def __init__(
        self, *, db: Database, projects: ProjectService, limits: Limits, clock: Callable[[], int]
    ) -> None:
        self._db = db
        self._projects = projects
        self._limits = limits
        self._clock = clock
        self._held_bytes = 0  # unpacked
        self._closed = asyncio.Event()

    async def open(self, items: Sequence[Item]) -> None:
        """Decode every record; end those that are unreadable or not to be kept. `close` follows, whatever happens.

        Raises TooMuch when more than one record is at hand and all that is open is too large.
        """
        while len(items) > 1 and self._held_bytes > self._limits.max_unpacked_bytes // 2:
            self._closed.clear()  # large segments take turns
            await self._closed.wait()
        for item in items:
            if item.fate is None and item.record.kind in ("expired", BLANKED):
                item.end(Fate.EXPIRED, "too late")
        await self._check_projects(items)
        await self._check_owners(items)
        waiting = [item for item in items if item.fate is None]
        sessions = await session_store.get_many(
            self._db, {i.target for i in waiting if i.record.kind != incoming.KIND}
        )
        starts = {i.target: i for i in waiting if i.record.kind == "start"}
        began = time.perf_counter()
        for item in waiting:
            if time.perf_counter() - began > TURN_S:
                await asyncio.sleep(0)
                began = time.perf_counter()
            self._read(item, sessions, starts)
            self._held_bytes += item.unpacked_bytes
            if self._held_bytes > self._limits.max_unpacked_bytes * 2 and len(items) > 1:
                raise TooMuch("segments unpack to too much at once")

    def close(self, items: Sequence[Item]) -> None:
        """Their content is no longer held."""
        self._held_bytes -= sum(item.unpacked_bytes for item in items)
        self._closed.set()

    async def _check_projects(self, items: Sequence[Item]) -> None:
        for project_id in {item.record.project_id for item in items}:
            project = await self._projects.find_by_id(project_id)
            cutoff = self._clock() - project.retention_days * DAY_MS if project else 0
            for item in items:
                if item.fate is None and item.record.project_id == project_id:
                    session_id = item.record.session_id
                    if project is None:
                        item.end(Fate.EXPIRED, "no such project")
                    elif session_id is not None and new_session(project_id, session_id).started_ms < cutoff:
                        item.end(Fate.EXPIRED, "older than the retention")

    async def _check_owners(self, items: Sequence[Item]) -> None:
        """What nobody may keep is not even read, unless it may belong to another session than the token's."""
        own = [i for i in items if i.fate is None and i.record.kind not in ORDERED_KINDS]
        for item in own:
            if item.record.meta.get("dnr"):
                item.end(Fate.EXPIRED, "not to be recorded")
        gone = await erased(self._db, {item.target for item in own})
        for item in own:
            if item.fate is None and item.target in gone:
                item.erased = [item.target[1]]
                item.end(Fate.EXPIRED, "erased")

    def _read(self, item: Item, sessions: dict[SessionKey, Session], starts: dict[SessionKey, Item]) -> None:
        record = item.record
        try:
            if record.kind in ("batch", "late"):
                session = sessions.get(item.target)
                start = starts.get(item.target)
                platform = (
                    str(record.meta.get("plt", ""))
                    or (session.platform if session else "")
                    or (str(start.record.meta.get("platform", "")) if start else "")
                )
                legacy = record.meta.get("layout") == "legacy"
                item.reading = read_batch(record, layout_of(platform, legacy), self._limits)
            elif record.kind in ("images", "stray"):
                item.reading = read_images(record, self._limits)
            elif record.kind == incoming.KIND:
                item.events = incoming.unpack(record.body)
            elif record.kind != "start":
                item.end(Fate.QUARANTINED, f"unknown kind {record.kind[:40]}")
        except Malformed as problem:
            item.end(Fate.QUARANTINED, str(problem)[:200])
