"""Reading recorded sessions: from the recording when it is whole, else put together from parts on the fly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
import xxhash

from messages import Layout as Layout
from messages import Limits
from playhead.errors import NotFound, ObjectMissing
from sessions import erasure, recording, splicing
from sessions import store as session_store
from sessions import terms as term_store
from sessions.building import counts_of
from sessions.live import Live, LiveSessions
from sessions.message_pages import Cursor, MessagePage, MessageView, Pager, Row, Wanted, corrected, views_of
from sessions.model import Session
from sessions.posters import Poster, Posters
from sessions.recording import StoredFrame
from sessions.recording_index import FrameIndex, RecordingIndex, RecordingIndexes
from sessions.search import Page, ReplayFilters, search
from sessions.service import SessionService
from sessions.timeline import Collected, timeline_of
from sessions.view import ReplayView, view_of
from storage import dead_letters
from storage.objects import ObjectStore
from storage.postgres import Database

#: a replaced recording can go while it is read; the row names the newer one
ATTEMPTS = 4
#: a first picture that comes so soon is what a session opens with; the player's SOON_MS
OPENS_WITHIN_MS = 3_000

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opening:
    """The picture that is seen first; `device_ms`: its time by the device's clock, as in the timeline's `frames`."""

    content: bytes
    format: str
    device_ms: int


@dataclass(frozen=True, slots=True)
class TimelineBytes:
    """gzip JSON; `final` when nothing is on its way any more."""

    content: bytes
    etag: str
    final: bool


def _steady(
    read: Callable[Concatenate[Replays, Session, P], Awaitable[T]],
) -> Callable[Concatenate[Replays, Session, P], Awaitable[T]]:
    """Read again, by the row of now, when the recording was replaced meanwhile."""

    @wraps(read)
    async def steady(self: Replays, session: Session, /, *args: P.args, **more: P.kwargs) -> T:
        for _ in range(ATTEMPTS):
            try:
                return await read(self, session, *args, **more)
            except ObjectMissing:
                session = await self._fresh(session)
        raise NotFound("this recording is gone")

    return steady


class Replays:
    """The read side of sessions. `session` arguments come from `find`, which scopes them to projects."""

    def __init__(
        self,
        *,
        db: Database,
        objects: ObjectStore,
        limits: Limits,
        clock: Callable[[], int],
        sessions: SessionService,
    ) -> None:
        self._db = db
        self._objects = objects
        self._clock = clock
        self._sessions = sessions
        self._live = LiveSessions(db, objects, limits)
        self._indexes = RecordingIndexes(objects)
        self._posters = Posters(db, objects, limits)

    async def close(self) -> None:
        """Give back the temporary files of live sessions, end what is being read."""
        self._live.close()
        await self._indexes.close()
        await self._posters.close()

    async def page(self, filters: ReplayFilters, project_ids: Sequence[int] | None) -> Page:
        """One page of sessions that match."""
        return await search(self._db, filters, project_ids)

    async def find(self, session_id: int, project_ids: Sequence[int] | None) -> Session:
        """A session of one of these projects (none: any). Raises NotFound, the same for foreign and absent."""
        if project_ids is not None and len(project_ids) == 1:
            session = await self._sessions.get(project_ids[0], session_id)
        else:
            session = await self._sessions.find(session_id)
        if session is None or (project_ids is not None and session.project_id not in project_ids):
            raise NotFound("no such replay")
        return session

    @_steady
    async def get(self, session: Session) -> ReplayView:
        """Everything about one replay; a live one's counters are exact, from its parts."""
        if not session.live:
            rows = await session_store.issues_of(self._db, session.project_id, session.session_id)
            return view_of(
                session,
                rows,
                await self._with_quarantined(session, (await self._index(session)).completeness),
            )
        live = await self._live.get(session)
        found = [
            {"type": f.type, "at_ms": f.at_ms, "title": f.title, "detail": f.detail}
            for f in live.built.findings
        ]
        complete = await self._with_quarantined(session, live.built.completeness)
        return view_of(session, found, complete, counts=counts_of(live.built), summary=live.built.summary)

    @_steady
    async def messages(
        self,
        session: Session,
        *,
        types: frozenset[int] | None = None,
        from_ms: int | None = None,
        to_ms: int | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> MessagePage:
        """Messages in recording order; times are corrected ones, both ends included."""
        offset = session.clock_offset_ms or 0
        wanted = Wanted(types, from_ms, to_ms)
        start = Cursor.read(cursor) if cursor is not None else None
        live = await self._live.get(session) if session.live else None
        index = None if live is not None else await self._index(session)
        layout = live.built.layout if live is not None else Layout(index.layout) if index else Layout.IOS
        pager = Pager(wanted, offset, layout, limit, start)
        if live is not None:
            for place, entry in enumerate(live.built.entries):
                if pager.take(Row(place, entry.type, entry.timestamp, entry.body)):
                    break
        elif index is not None:
            await self._take_blocks(session, index, pager)
        return MessagePage(pager.found, pager.next_cursor)

    async def _take_blocks(self, session: Session, index: RecordingIndex, pager: Pager) -> None:
        """Only the blocks that can hold what the page needs are read."""
        key = _prefix(session) + "messages"
        place = 0
        for block in index.blocks:
            first, place = place, place + block.size
            span = corrected(block.first_ms, pager.offset_ms), corrected(block.last_ms, pager.offset_ms)
            before = pager.cursor is not None and block.last_ms < pager.cursor.timestamp
            if before or pager.wanted.outside(*span):
                continue
            content = await self._objects.get(key, start=block.offset, length=block.length)
            for number, frame in enumerate(recording.read_block(content), first):
                if pager.take(Row(number, frame.type, frame.timestamp, frame.body)):
                    return

    async def blocks(self, session: Session) -> AsyncGenerator[list[MessageView]]:
        """All messages in recording order, some thousand at a time. Raises NotFound, also in the middle."""
        offset_ms = session.clock_offset_ms or 0
        if session.live:
            live = await self._live.get(session)
            entries, layout = live.built.entries, live.built.layout
            for first in range(0, len(entries), recording.BLOCK_MESSAGES):
                chunk = entries[first : first + recording.BLOCK_MESSAGES]
                rows = [Row(place, e.type, e.timestamp, e.body) for place, e in enumerate(chunk, first)]
                yield await asyncio.to_thread(views_of, rows, offset_ms, layout)
            return
        index = await self._index(session)
        first = 0
        for block in index.blocks:
            key = _prefix(session) + "messages"
            content = await self._objects.get(key, start=block.offset, length=block.length)
            yield await asyncio.to_thread(_read_block, content, first, offset_ms, Layout(index.layout))
            first += block.size

    @_steady
    async def album(self, session: Session) -> FrameIndex:
        """Where all pictures lie, by corrected time."""
        return await self._frame_index(session, await self._live.get(session) if session.live else None)

    @_steady
    async def frames(self, session: Session) -> FrameIndex:
        """All pictures by corrected time."""
        live = await self._live.get(session) if session.live else None
        return await self._frame_index(session, live)

    @_steady
    async def frame(self, session: Session, at_ms: int, *, by_device: bool = False) -> tuple[bytes, str]:
        """One picture's bytes and format; `by_device`: its time is the device's clock. Raises NotFound."""
        live = await self._live.get(session) if session.live else None
        index = await self._frame_index(session, live)
        found = index.find_by_device(at_ms) if by_device else index.find(at_ms)
        if found is None:
            raise NotFound("no frame at that time")
        if live is not None:
            return live.gathered.material.content(found.offset, found.length), found.format
        return await self._stored(session, found), found.format

    @_steady
    async def opening(self, session: Session, at_ms: int | None) -> Opening | None:
        """What is seen first of a session at rest: the picture that its screen showed `at_ms` after its start, else
        its first one if that was taken soon; none if there is no such picture.
        """
        if session.live:
            return None
        index = (await self._index(session)).frames
        moment_ms = session.started_ms + (OPENS_WITHIN_MS if at_ms is None else at_ms)
        found = index.shown_at(moment_ms) if at_ms is not None or not index else index[0]
        if found is None or found.at_ms > moment_ms:
            return None
        content = await self._stored(session, found)
        return Opening(content, found.format, found.at_ms - (session.clock_offset_ms or 0))

    async def shown_at(self, session: Session, at_ms: int) -> int:
        """The corrected time of the last picture not after this one. Raises NotFound."""
        found = (await self.album(session)).shown_at(at_ms)
        if found is None:
            raise NotFound("no frame at that time")
        return found.at_ms

    @_steady
    async def poster(self, session: Session) -> Poster:
        """A small picture of the last screen. Raises NotFound."""
        found = await self._posters.live(session) if session.live else None
        if found is None and session.recording:
            found = await self._posters.recorded(session, (await self._index(session)).frames)
        if found is None:
            raise NotFound("no picture of this replay")
        return found

    async def _stored(self, session: Session, frame: StoredFrame) -> bytes:
        key = f"{_prefix(session)}frames-{frame.object_no}"
        return await self._objects.get(key, start=frame.offset, length=frame.length)

    async def _frame_index(self, session: Session, live: Live | None) -> FrameIndex:
        return live.frames if live is not None else (await self._index(session)).frames

    async def users(self, session: Session) -> list[str]:
        """Every user id that the session's messages named, as it is found by."""
        return await term_store.values_of(self._db, session.project_id, session.session_id, "user_id")

    @_steady
    async def timeline(
        self, session: Session, project_key: str | None = None, collected: Collected | None = None
    ) -> TimelineBytes:
        """What the player loads at once; `project_key` is shown in it, `collected` put among its tracks."""
        view = await self.get(session)
        collected = collected or Collected()
        members = {
            "replay": view.as_json(project_key),
            "collected": {"truncated": collected.truncated},
        }
        own = orjson.dumps(members), collected.as_track(session.clock_offset_ms or 0)
        if session.live:
            live = await self._live.get(session)
            content = await asyncio.to_thread(_live_timeline, live, *own)
        else:
            stored = await self._objects.get(_prefix(session) + "timeline")
            content = await asyncio.to_thread(splicing.splice, stored, *own)
        return TimelineBytes(content, xxhash.xxh3_128_hexdigest(content), not session.live)

    async def pin(self, session: Session, *, pinned: bool) -> Session:
        """Pin a session or let it go -> as it is now. Raises NotFound."""
        await session_store.set_pinned(self._db, session.project_id, session.session_id, pinned)
        await self._sessions.changed([(session.project_id, session.session_id)])
        return await self._fresh(session)

    async def delete(self, session: Session) -> bool:
        """Erase a session: rows now, objects now, late data is dropped from here on -> whether it was there."""
        self._live.forget(session)
        there = await erasure.erase_session(self._db, self._objects, session, self._clock())
        await self._sessions.changed([(session.project_id, session.session_id)])
        return there

    async def _with_quarantined(self, session: Session, complete: dict[str, Any]) -> dict[str, Any]:
        """Completeness of a recording, with the number of records that never came into it."""
        waiting = await dead_letters.waiting(self._db, session.project_id, session.session_id)
        return {**complete, "quarantined": waiting}

    async def _index(self, session: Session) -> RecordingIndex:
        return await self._indexes.get(_prefix(session), session.clock_offset_ms or 0)

    async def _fresh(self, session: Session) -> Session:
        found = await session_store.find(self._db, session.session_id, [session.project_id])
        if found is None:
            raise NotFound("no such replay")
        return found


def _read_block(content: bytes, first: int, offset_ms: int, layout: Layout) -> list[MessageView]:
    rows = (
        Row(place, f.type, f.timestamp, f.body)
        for place, f in enumerate(recording.read_block(content), first)
    )
    return views_of(rows, offset_ms, layout)


def _live_timeline(live: Live, members: bytes, track: bytes) -> bytes:
    pictures = live.gathered.material.sorted_pictures()
    stored = [StoredFrame(p.at_ms, 0, p.offset, p.length, p.format) for p in pictures]
    timeline = timeline_of(live.built.decoded, stored, live.built.findings, live.built.completeness)
    return splicing.compress(splicing.insert(orjson.dumps(timeline), members, track))


def _prefix(session: Session) -> str:
    return recording.prefix(session.project_id, session.session_id, session.recording_name)
