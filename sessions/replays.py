"""Reading recorded sessions: from the recording when it is whole, else put together from parts on the fly."""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import xxhash

from messages import Layout as Layout
from messages import Limits, decode, fields, name_of
from playhead.errors import Detail, Malformed, NotFound, ObjectMissing, ValidationFailed
from sessions import erasure, recording
from sessions import store as session_store
from sessions.building import counts_of, with_replay
from sessions.live import Live, LiveSessions
from sessions.model import Session
from sessions.recording import Manifest, StoredFrame
from sessions.search import Page, ReplayFilters, search
from sessions.service import SessionService
from sessions.timeline import timeline_of
from sessions.view import ReplayView, view_of
from storage.objects import ObjectStore
from storage.postgres import Database

#: manifests kept between requests
MANIFESTS_KEPT = 256
#: a replaced recording can go while it is read; the row names the newer one
ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message as the API shows it: place in the recording, wire names, both clocks in ms."""

    index: int
    type: int
    name: str
    timestamp_ms: int
    device_timestamp_ms: int
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Messages by time; `next_cursor` is none at the end."""

    messages: list[MessageView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """One picture: corrected time (ms, unique within the session), size, format."""

    at_ms: int
    bytes: int
    format: str


@dataclass(frozen=True, slots=True)
class TimelineBytes:
    """gzip JSON; `final` when nothing is on its way any more."""

    content: bytes
    etag: str
    final: bool


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
        self._manifests: OrderedDict[tuple[int, int, int], Manifest] = OrderedDict()

    def close(self) -> None:
        """Give back the temporary files of live sessions."""
        self._live.close()

    async def page(self, filters: ReplayFilters, project_ids: Sequence[int] | None) -> Page:
        """One page of sessions that match."""
        return await search(self._db, filters, project_ids)

    async def find(self, session_id: int, project_ids: Sequence[int] | None) -> Session:
        """A session of one of these projects (none: any). Raises NotFound, the same for foreign and absent."""
        session = await session_store.find(self._db, session_id, project_ids)
        if session is None:
            raise NotFound("no such replay")
        return session

    async def get(self, session: Session) -> ReplayView:
        """Everything about one replay; a live one's counters are exact, from its parts."""
        if not session.live:
            rows = await session_store.issues_of(self._db, session.project_id, session.session_id)
            return view_of(session, rows, (await self._manifest(session)).completeness)
        live = await self._live.get(session)
        found = [
            {"type": f.type, "at_ms": f.at_ms, "title": f.title, "detail": f.detail}
            for f in live.built.findings
        ]
        return view_of(
            session, found, live.built.completeness, counts=counts_of(live.built), summary=live.built.summary
        )

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
        start = _message_cursor(cursor)
        offset = session.clock_offset_ms or 0
        found: list[MessageView] = []
        async for view in self._walk(session, start, from_ms, to_ms, offset, types):
            if len(found) == limit:
                return MessagePage(found, str(view.index))
            found.append(view)
        return MessagePage(found, None)

    async def _walk(
        self, session: Session, start: int, from_ms: int | None, to_ms: int | None, offset: int,
        types: frozenset[int] | None,
    ) -> Any:  # fmt: skip
        if session.live:
            built = (await self._live.get(session)).built
            rows = ((place, at, message) for place, at, message in built.decoded if place >= start)
            layout = built.layout
        else:
            manifest = await self._manifest(session)
            layout = Layout(manifest.layout)
            async for view in self._walk_blocks(session, manifest, start, from_ms, to_ms, offset, types):
                yield view
            return
        for place, at_ms, message in rows:
            if _wanted(message.TYPE, at_ms + offset, types, from_ms, to_ms):
                yield _message_view(place, message, at_ms, offset, layout)

    async def _walk_blocks(
        self, session: Session, manifest: Manifest, start: int, from_ms: int | None, to_ms: int | None,
        offset: int, types: frozenset[int] | None,
    ) -> Any:  # fmt: skip
        key = recording.prefix(session.project_id, session.session_id, session.recording) + "messages"
        layout = Layout(manifest.layout)
        place = 0
        for block in manifest.blocks:
            first, place = place, place + block.size
            outside = (from_ms is not None and block.last_ms + offset < from_ms) or (
                to_ms is not None and block.first_ms + offset > to_ms
            )
            if place <= start or outside:
                continue
            content = await self._objects.get(key, start=block.offset, length=block.length)
            for number, frame in enumerate(recording.read_block(content), first):
                at_ms = frame.timestamp
                if number < start or not _wanted(frame.type, at_ms + offset, types, from_ms, to_ms):
                    continue
                try:
                    message = decode(frame.type, frame.body, layout)
                except Malformed:
                    continue
                yield _message_view(number, message, at_ms, offset, layout)

    async def frames(self, session: Session) -> list[FrameInfo]:
        """All pictures by corrected time."""
        return [FrameInfo(at_ms, f.length, f.format) for at_ms, f in await self._frame_index(session)]

    async def frame(self, session: Session, at_ms: int) -> tuple[bytes, str]:
        """One picture's bytes and format. Raises NotFound."""
        for _ in range(ATTEMPTS):
            index = dict(await self._frame_index(session))
            found = index.get(at_ms)
            if found is None:
                raise NotFound("no frame at that time")
            if session.live:
                material = (await self._live.get(session)).gathered.material
                placed = material.sorted_pictures()[list(index).index(at_ms)]
                return material.picture_bytes(placed), found.format
            prefix = recording.prefix(session.project_id, session.session_id, session.recording)
            try:
                key = f"{prefix}frames-{found.object_no}"
                return await self._objects.get(key, start=found.offset, length=found.length), found.format
            except ObjectMissing:
                session = await self._again(session)
        raise NotFound("this recording is gone")

    async def _frame_index(self, session: Session) -> list[tuple[int, StoredFrame]]:
        """(corrected time, picture) by time; of several at one millisecond each later one moves to the next free."""
        offset = session.clock_offset_ms or 0
        if session.live:
            pictures = (await self._live.get(session)).gathered.material.sorted_pictures()
            stored = [StoredFrame(p.at_ms, 0, p.offset, p.length, p.format) for p in pictures]
        else:
            stored = (await self._manifest(session)).frames
        index: list[tuple[int, StoredFrame]] = []
        last = -(2**63)
        for frame in stored:
            last = max(last + 1, frame.at_ms + offset)
            index.append((last, frame))
        return index

    async def timeline(self, session: Session, project_key: str | None = None) -> TimelineBytes:
        """What the player loads at once; `project_key` is shown in it."""
        view = await self.get(session)
        shown = view.as_json(project_key)
        if session.live:
            live = await self._live.get(session)
            content = await asyncio.to_thread(_live_timeline, live, shown)
        else:
            prefix = recording.prefix(session.project_id, session.session_id, session.recording)
            stored = await self._objects.get(prefix + "timeline")
            content = await asyncio.to_thread(lambda: _packed(gzip.decompress(stored), shown))
        return TimelineBytes(content, xxhash.xxh3_128_hexdigest(content), not session.live)

    async def delete(self, session: Session) -> None:
        """Erase a session: rows now, objects now, late data is dropped from here on."""
        self._live.forget(session)
        await erasure.erase_session(self._db, self._objects, session, self._clock())
        await self._sessions.changed([(session.project_id, session.session_id)])

    async def _manifest(self, session: Session) -> Manifest:
        key = (session.project_id, session.session_id, session.recording)
        found = self._manifests.get(key)
        if found is None:
            content = await self._objects.get(recording.prefix(*key) + "manifest")
            found = self._manifests[key] = Manifest.from_bytes(content)
        self._manifests.move_to_end(key)
        while len(self._manifests) > MANIFESTS_KEPT:
            self._manifests.popitem(last=False)
        return found

    async def _again(self, session: Session) -> Session:
        return await self.find(session.session_id, [session.project_id])


def _live_timeline(live: Live, shown: dict[str, Any]) -> bytes:
    pictures = live.gathered.material.sorted_pictures()
    stored = [StoredFrame(p.at_ms, 0, 0, p.length, p.format) for p in pictures]
    timeline = timeline_of(live.built.decoded, stored, live.built.findings, live.built.completeness)
    return _packed(orjson.dumps(timeline), shown)


def _packed(timeline: bytes, shown: dict[str, Any]) -> bytes:
    return gzip.compress(with_replay(timeline, shown), compresslevel=1, mtime=0)


def _wanted(
    type: int, at_ms: int, types: frozenset[int] | None, from_ms: int | None, to_ms: int | None
) -> bool:
    return (
        (types is None or type in types)
        and (from_ms is None or at_ms >= from_ms)
        and (to_ms is None or at_ms <= to_ms)
    )


def _message_view(place: int, message: Any, at_ms: int, offset: int, layout: Layout) -> MessageView:
    name = name_of(message.TYPE, layout) if not hasattr(message, "NAME") else message.NAME
    return MessageView(place, message.TYPE, name or "", at_ms + offset, at_ms, fields(message))


def _message_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 12:
        raise ValidationFailed(details=[Detail("cursor", "invalid_value", "not a cursor of this list")])
    return int(cursor)
