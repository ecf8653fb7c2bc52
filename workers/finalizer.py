"""A quiet session's parts to one recording; late data runs it again: same material, same bytes, higher version."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import structlog

from events import Event, arrival_of, clamp_us, day_of, mobile_key, summaries
from events import store as event_store
from messages import Limits
from playhead.errors import PlayheadError, Unavailable
from playhead.settings import Settings
from sessions import issues as issue_store
from sessions import parts as part_store
from sessions import posters
from sessions import recording as recordings
from sessions import store as session_store
from sessions import terms as term_store
from sessions.building import Built, build, counts_of, objects_of
from sessions.facts import attribute_terms
from sessions.gathering import Gathered, Gatherer
from sessions.model import Session
from sessions.parts import Part
from storage import doomed
from storage.objects import ObjectStore
from storage.postgres import Database, until_unhindered
from workers.harvest import start_terms

log = structlog.get_logger()

T = TypeVar("T")

RETRY_MS = 30_000
AWAY_MS = 5_000

CLAIM = """
UPDATE sessions SET claimed_until_ms = $1 + $2, attempts = attempts + 1
WHERE (project_id, session_id) IN (
    SELECT project_id, session_id FROM sessions
    WHERE due_ms <= $1 AND claimed_until_ms <= $1 AND (attempts = 0 OR $4)
    ORDER BY due_ms LIMIT $3 FOR UPDATE SKIP LOCKED
)
RETURNING project_id, session_id
"""
RENEW = """
UPDATE sessions SET claimed_until_ms = $3 WHERE project_id = $1 AND session_id = $2 AND claimed_until_ms > $4
"""
LOCK = """
SELECT recording FROM sessions WHERE project_id = $1 AND session_id = $2 FOR UPDATE
"""
# What arrived while the recording was made keeps the session due.
RECORDED = """
UPDATE sessions SET recording = $3, recording_name = $20, claimed_until_ms = 0, attempts = 0,
    due_ms = CASE WHEN revision_no = $4 THEN NULL ELSE due_ms END,
    messages = $5, events = $6, clicks = $7, swipes = $8, inputs = $9, views = $10, network = $11,
    network_errors = $12, logs = $13, crashes = $14, frames = $15,
    user_id = CASE WHEN $16 <> '' THEN $16 ELSE user_id END,
    anonymous_id = CASE WHEN $17 <> '' THEN $17 ELSE anonymous_id END,
    metadata = $18, issue_types = $19
WHERE project_id = $1 AND session_id = $2
"""
LATER = """
UPDATE sessions SET due_ms = $3, claimed_until_ms = 0, attempts = least(attempts, $5)
WHERE project_id = $1 AND session_id = $2 AND attempts = $4
"""
# A store that is away is not the session's fault: the attempt does not count, however long it lasts.
PUT_BACK = """
UPDATE sessions SET due_ms = $3, claimed_until_ms = 0, attempts = greatest(attempts - 1, 0)
WHERE project_id = $1 AND session_id = $2 AND attempts = $4
"""
#: a session that ended its worker this often waits for new data before it is tried again
MAX_ATTEMPTS = 3
#: one that failed this often, on a full disk for example, is tried again now and then
SELDOM_MS = 1_800_000


class RecordingFailed(PlayheadError):
    """A session could not be recorded; it was put off."""

    code = "recording_failed"


class Finalizer:
    """Makes recordings of sessions that are due."""

    def __init__(
        self,
        *,
        settings: Settings,
        clock: Callable[[], int],
        db: Database,
        objects: ObjectStore,
        watch: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._db = db
        self._objects = objects
        self._watch = watch
        self._claim_ms = int(settings.claim_timeout_s * 1000)
        self._gatherer = Gatherer(objects, Limits.of(settings))

    async def claim(self, limit: int, *, tried: bool = True) -> list[tuple[int, int]]:
        """(project_id, session_id) of sessions that are due, taken for this worker; `tried`: before, too."""
        rows = await self._db.fetch(CLAIM, self._clock(), self._claim_ms, limit, tried)
        return [(row[0], row[1]) for row in rows]

    async def renew(self, project_id: int, session_id: int) -> None:
        """Keep a claimed session for as long as a claim lasts from now, unless that has run out."""
        now_ms = self._clock()
        await self._db.execute(RENEW, project_id, session_id, now_ms + self._claim_ms, now_ms)

    async def finalize(self, project_id: int, session_id: int) -> int:
        """Make one session's recording -> its version (0: nothing done). Failures put it off.

        Raises Unavailable (it will be tried again), RecordingFailed.
        """
        async with self._db.transaction(isolation="repeatable_read") as conn:
            found = await session_store.get_many(conn, [(project_id, session_id)])
            parts = await part_store.of_session(conn, project_id, session_id)
        session = found.get((project_id, session_id))
        if session is None:
            return 0
        if session.attempts > MAX_ATTEMPTS:
            log.error("recording_given_up", session=session_id, attempts=session.attempts)
            await self._db.execute(LATER, project_id, session_id, None, session.attempts, 0)
            return 0
        name = f"{session.recording + 1}-{secrets.token_hex(4)}"
        try:
            version = await self._finalize(session, parts, name)
        except Exception as problem:
            pause_ms = RETRY_MS * session.attempts if session.attempts < MAX_ATTEMPTS else SELDOM_MS
            if isinstance(problem, Unavailable):
                await self._check_stores(session)  # raises if one is away: the session is not to blame
                pause_ms = min(pause_ms, AWAY_MS if session.attempts == 1 else RETRY_MS)
            log.warning("recording_failed", session=session_id, error=type(problem).__name__)
            due_ms = self._clock() + pause_ms
            await self._db.execute(LATER, project_id, session_id, due_ms, session.attempts, MAX_ATTEMPTS - 1)
            version = -1
        if version <= 0:  # what was written belongs to nobody
            await doomed.add(self._db, recordings.prefix(project_id, session_id, name), self._clock())
        if version < 0:
            raise RecordingFailed
        return version

    async def _check_stores(self, session: Session) -> None:
        """Raises Unavailable unless database and object store answer; the attempt does not count then."""
        try:
            await self._db.check()
            await self._objects.check()
        except Unavailable:
            key, due_ms = (session.project_id, session.session_id), self._clock() + AWAY_MS
            with contextlib.suppress(Unavailable):  # if it is the database, the claim runs out by itself
                await self._db.execute(PUT_BACK, *key, due_ms, session.attempts)
            raise

    async def _finalize(self, session: Session, parts: Sequence[Part], name: str) -> int:
        key = (session.project_id, session.session_id)
        gathered = Gathered()
        try:
            if session.recording:
                await self._gatherer.add_recording(
                    gathered, *key, session.recording_name, pictures=session.frames_dropped_ms is None
                )
            known = gathered.unreadable
            await self._gatherer.add_parts(gathered, parts, late=bool(session.recording), tolerant=True)
            if gathered.unreadable > known:
                log.error("parts_unreadable", session=session.session_id, parts=gathered.unreadable - known)
            if session.frames_dropped_ms is not None:
                gathered.material.pictures.clear()
            # In a thread: an hour's session takes a second, which segments would have to wait.
            built = await self._in_thread(build, session, gathered.material, gathered)
            prefix = recordings.prefix(*key, name)
            made = objects_of(built, gathered.material, self._settings.frames_object_bytes)
            while (object_ := await self._in_thread(next, made, None)) is not None:
                part, content = object_
                await self._objects.put(prefix + part, content)
            with self._watch():
                poster = await posters.poster_of(gathered.material)
            if poster is not None:
                await self._objects.put(prefix + posters.NAME, poster)
            return await until_unhindered(lambda: self._commit(session, parts, built, name))
        finally:
            gathered.material.close()

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        with self._watch():
            return await asyncio.to_thread(work, *arguments)

    async def _commit(self, session: Session, parts: Sequence[Part], built: Built, name: str) -> int:
        project_id, session_id = session.project_id, session.session_id
        counts = counts_of(built)
        version = session.recording + 1
        making_room = session.frames_dropped_ms is not None and session.frames > 0
        async with self._db.transaction() as conn:
            row = await conn.fetchrow(LOCK, project_id, session_id)
            if row is None:  # erased meanwhile
                await doomed.add(conn, recordings.prefix(project_id, session_id), self._clock())
                return 0
            if row["recording"] != session.recording:  # another worker was quicker
                return 0
            await conn.execute(
                RECORDED, project_id, session_id, version, session.revision_no,
                *(counts[name] for name in COUNTED),
                built.summary.user_id, built.summary.anonymous_id, built.summary.metadata,
                sorted({finding.type for finding in built.findings}),
                name,
            )  # fmt: skip
            await part_store.delete(conn, project_id, session_id, parts)
            await term_store.replace(
                conn, project_id, session_id, session.started_ms, all_terms(session, built)
            )
            await self._events(conn, session, built)
            await issue_store.replace(conn, session, built.findings, user=built.summary.user_id)
            if session.recording:
                old = recordings.prefix(project_id, session_id, session.recording_name)
                keep_ms = 0 if making_room else int(self._settings.recording_keep_s * 1000)
                await doomed.add(conn, old, self._clock() + keep_ms)
        if session.recording and making_room:
            await doomed.delete_prefix(self._objects, old)
        return version

    async def _events(self, conn: Any, session: Session, built: Built) -> None:
        """Issue events for the findings of now, and corrected times by the session's final clock offset."""
        offset_us = (session.clock_offset_ms or 0) * 1000
        day = day_of(session.started_ms)
        await event_store.delete_issues(conn, session.project_id, str(session.session_id))
        await event_store.insert_new(
            conn,
            [
                Event(
                    project_id=session.project_id,
                    day=day,
                    session_id=str(session.session_id),
                    key=mobile_key(session.session_id, finding.key, 0),
                    source="mobile",
                    category="issue",
                    name=finding.type,
                    at_us=clamp_us(finding.at_ms * 1000 + offset_us),
                    device_us=clamp_us(finding.at_ms * 1000),
                    arrival=arrival_of((session.last_received_ms or session.started_ms) * 1000, place),
                    user_id="",
                    event_id="",
                    data={"type": finding.type, "title": finding.title, **finding.detail},
                )
                for place, finding in enumerate(built.findings)
            ],
            summaries.Tally(),
        )
        await event_store.correct_times(conn, session.project_id, str(session.session_id), day, offset_us)
        await summaries.recount(conn, session.project_id, [str(session.session_id)])


COUNTED = (
    "messages", "events", "clicks", "swipes", "inputs", "views", "network", "network_errors", "logs",
    "crashes", "frames",
)  # fmt: skip


def all_terms(session: Session, built: Built) -> list[tuple[str, str]]:
    """Everything a session can be found by: who and what it is first, since the number of the others is bounded."""
    summary = built.summary
    users = [("user_id", user) for user in (*summary.users, session.user_id)]
    users += [("anonymous_id", user) for user in (*summary.anonymous_users, session.anonymous_id)]
    metadata = [(f"metadata.{key}", value) for key, value in summary.metadata.items()]
    issues = [("issue", finding.type) for finding in built.findings]
    return [*start_terms(session), *attribute_terms([*users, *metadata, *issues]), *summary.terms]
