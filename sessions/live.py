"""Sessions that are still growing, put together from their parts on the fly and kept between requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from messages import Limits
from playhead.errors import NotFound, ObjectMissing
from sessions import parts as part_store
from sessions import store as session_store
from sessions.building import Built, build
from sessions.gathering import Gathered, Gatherer
from sessions.model import Session
from sessions.recording import FORMATS
from sessions.recording_index import FrameIndex
from storage.objects import ObjectStore
from storage.postgres import Database

#: sessions kept between requests
KEPT = 6
#: a part can be gone between reading its row and its bytes: it is in the recording then
ATTEMPTS = 4

Key = tuple[int, int]


@dataclass(slots=True)
class Live:
    """One session as of `revision_no`."""

    revision_no: int
    gathered: Gathered
    built: Built
    frames: FrameIndex


@dataclass(slots=True)
class _Seat:
    """Where a session is kept; one request at a time brings it up to date."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    live: Live | None = None

    def clear(self) -> None:
        if self.live is not None:
            self.live.gathered.material.close()
            self.live = None


class LiveSessions:
    """Assembles sessions; what was put together before is only added to."""

    def __init__(self, db: Database, objects: ObjectStore, limits: Limits) -> None:
        self._db = db
        self._gatherer = Gatherer(objects, limits)
        self._seats: OrderedDict[Key, _Seat] = OrderedDict()

    def close(self) -> None:
        """Give back all temporary files."""
        while self._seats:
            self._seats.popitem()[1].clear()

    def forget(self, session: Session) -> None:
        """Drop a session that is erased."""
        seat = self._seats.pop((session.project_id, session.session_id), None)
        if seat is not None:
            seat.clear()

    async def get(self, session: Session) -> Live:
        """The session at least as new as `session`. Raises NotFound when it is gone."""
        key = (session.project_id, session.session_id)
        seat = self._seats.setdefault(key, _Seat())
        self._seats.move_to_end(key)
        async with seat.lock:
            if seat.live is None or seat.live.revision_no < session.revision_no:
                await self._update(key, seat)
            assert seat.live is not None
            live = seat.live
        self._evict()
        return live

    def _evict(self) -> None:
        for key in list(self._seats)[: max(len(self._seats) - KEPT, 0)]:
            if not self._seats[key].lock.locked():
                self._seats.pop(key).clear()

    async def _update(self, key: Key, seat: _Seat) -> None:
        for attempt in range(ATTEMPTS):
            async with self._db.transaction(isolation="repeatable_read", readonly=True) as conn:
                fresh = (await session_store.get_many(conn, [key])).get(key)
                parts = await part_store.of_session(conn, *key)
            if fresh is None:
                raise NotFound("no such replay")
            # A newer recording can hold parts that came and went unseen.
            if seat.live is not None and seat.live.gathered.recording != fresh.recording_name:
                seat.clear()
            gathered = seat.live.gathered if seat.live is not None else Gathered()
            try:
                if fresh.recording and not gathered.recording:
                    await self._gatherer.add_recording(gathered, *key, fresh.recording_name)
                last = attempt == ATTEMPTS - 1
                await self._gatherer.add_parts(gathered, parts, late=fresh.recording > 0, tolerant=last)
            except BaseException as problem:
                gathered.material.close()
                seat.live = None
                if isinstance(problem, ObjectMissing) and attempt < ATTEMPTS - 1:
                    continue
                raise
            # In a thread: an hour's session takes a second, which appends would have to wait.
            built, frames = await asyncio.to_thread(_assemble, fresh, gathered)
            seat.live = Live(fresh.revision_no, gathered, built, frames)
            return


def _assemble(session: Session, gathered: Gathered) -> tuple[Built, FrameIndex]:
    pictures = gathered.material.sorted_pictures()
    places = ((p.at_ms, 0, p.offset, p.length, FORMATS.index(p.format)) for p in pictures)
    built = build(session, gathered.material, gathered)
    return built, FrameIndex(places, session.clock_offset_ms or 0)
