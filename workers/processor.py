"""Journal to Postgres: one transaction for a segment or several small ones, every record to exactly one fate.

A segment that fails as a whole is tried again, then processed record by record, at once if it ended its worker: the
record that fails goes to the dead letters, its neighbours go on. Everything here may run twice, anywhere, in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import structlog

from events import erased_users, stored
from events import store as event_store
from events.summaries import Tally
from ingest.appends import named_session
from messages import Limits
from playhead.errors import Malformed, ObjectMissing, PlayheadError, TooMuch, Unavailable
from playhead.settings import Settings
from playhead.telemetry import counter
from projects.service import ProjectService
from sessions import erasure
from sessions import parts as part_store
from sessions import store as session_store
from sessions import terms as term_store
from sessions.model import Session, SessionStart
from sessions.service import SessionService
from sessions.updates import SessionUpdate, apply_updates
from storage import dead_letters, ledger
from storage.journal_clearing import NO_SESSION
from storage.ledger import Fate
from storage.objects import ObjectStore
from storage.postgres import Database, until_unhindered
from storage.segment_file import ORDERED_KINDS, Record, read_records
from storage.segments import Claim, SegmentIndex
from workers import named_images, opening
from workers.harvest import Item, Rows, SessionKey
from workers.known_terms import KnownTerms
from workers.opening import Opener
from workers.routing import Span, late_spans, same_device

log = structlog.get_logger()

NEW_BODIES = """
INSERT INTO received (project_id, session_id, digest)
SELECT DISTINCT * FROM unnest($1::int[], $2::bigint[], $3::bytea[]) AS r(p, s, d) ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING RETURNING project_id, session_id, digest
"""
LEFT = "SELECT segment_key, accepted FROM segments WHERE segment_key = ANY($1)"


class ClaimLost(PlayheadError):
    """Another worker took the segment over."""

    code = "claim_lost"


class Processor:
    """Processes claimed segments, several at once; holds no state that matters."""

    def __init__(
        self,
        *,
        settings: Settings,
        limits: Limits,
        clock: Callable[[], int],
        db: Database,
        objects: ObjectStore,
        segments: SegmentIndex,
        projects: ProjectService,
        sessions: SessionService,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._db = db
        self._objects = objects
        self._segments = segments
        self._sessions = sessions
        self._opener = Opener(db=db, projects=projects, limits=limits, clock=clock)
        self._known_terms = KnownTerms()

    async def handle_together(self, claims: Sequence[Claim]) -> Counter[tuple[str, Fate]]:
        """Process several segments as if they were one -> how many records of each kind met which fate.

        Raises whatever goes wrong, which then is for `handle` to find out: nothing has happened.
        """
        loaded = await asyncio.gather(*map(self._load, claims))
        items = [item for own in loaded for item in own]
        await self._process(claims, items)
        return Counter((item.record.kind, item.fate) for item in items if item.fate)

    async def handle(self, claim: Claim) -> Counter[tuple[str, Fate]]:
        """Process one claimed segment -> how many records of each kind met which fate.

        Raises Unavailable when a store is away (the claim is given back); any other failure is noted on the
        segment and decides how it is tried next.
        """
        try:
            try:
                items = await self._load(claim)
            except (ObjectMissing, Malformed) as problem:
                if claim.attempts <= self._settings.segment_attempts:
                    raise
                return await self._give_up(claim, problem)
            if claim.attempts > self._settings.segment_attempts or claim.progress or claim.orphaned:
                return await self._one_by_one(claim, items)
            if await self._is_too_much(claim, items):  # harmless one by one
                return await self._one_by_one(claim, await self._load(claim))
            return Counter((item.record.kind, item.fate) for item in items if item.fate)
        except (Unavailable, ClaimLost):
            raise
        except Exception as problem:
            log.warning(
                "segment failed", action="segment_failed", segment=claim.key, error=type(problem).__name__
            )
            await self._segments.fail(claim, type(problem).__name__)
            raise

    async def _is_too_much(self, claim: Claim, items: list[Item]) -> bool:
        """Process them at once; True, and nothing is held any more, if they are too large for that."""
        try:
            await self._process([claim], items)
        except TooMuch:
            items.clear()
            return True
        return False

    async def check_stores(self) -> None:
        """Raises Unavailable unless database and object store answer."""
        await self._db.check()
        await self._objects.check()

    async def _load(self, claim: Claim) -> list[Item]:
        data = await self._objects.get(claim.key)
        items: list[Item] = []
        for place, (entry, found) in enumerate(read_records(data)):
            if isinstance(found, Record):
                items.append(Item(claim.key, place, entry, found))
            else:
                hollow = Record(
                    entry.kind, entry.project_id, entry.session_id, entry.received_us, entry.meta, b""
                )
                items.append(
                    Item(claim.key, place, entry, hollow, fate=Fate.QUARANTINED, reason="damaged in storage")
                )
        return items

    async def _shortfall(
        self,
        conn: Any,
        claims: Sequence[Claim],
        items: Sequence[Item],
        reason: str = "damaged in storage",
    ) -> Counter[int]:
        """Records that were accepted and that damage has made unfindable, by project; they get a dead letter."""
        short: Counter[int] = Counter()
        found = Counter((item.segment_key, item.record.project_id) for item in items)
        for key, accepted in await conn.fetch(LEFT, [claim.key for claim in claims]):
            lost = +Counter({int(p): n - found[key, int(p)] for p, n in accepted.items()})
            await self._mourn(conn, key, lost, reason)
            short += lost
        return short

    async def _mourn(self, conn: Any, segment_key: str, lost: Counter[int], reason: str) -> None:
        """One dead letter per project for records of which nothing is left."""
        for project_id, count in lost.items():
            record = Record("segment", project_id, None, self._clock() * 1000, {}, b"")
            await dead_letters.add(
                conn, segment_key=segment_key, place=-project_id, record=record, reason=reason,
                detail={"records": count}, now_ms=self._clock(),
            )  # fmt: skip

    async def _give_up(self, claim: Claim, problem: PlayheadError) -> Counter[tuple[str, Fate]]:
        """End a segment of which nothing can be read: its records are quarantined, though no bytes are left."""
        async with self._db.transaction() as conn:
            left = await self._shortfall(conn, [claim], [], problem.code)
            if not await self._segments.finish(conn, claim):
                raise ClaimLost
            await ledger.add(conn, {(p, str(Fate.QUARANTINED)): count for p, count in left.items()})
        log.error("segment_lost", segment=claim.key, reason=problem.code)
        return Counter({("segment", Fate.QUARANTINED): left.total()})

    async def _one_by_one(self, claim: Claim, items: list[Item]) -> Counter[tuple[str, Fate]]:
        """Each record in a transaction of its own; what fails (or killed the worker before) is quarantined."""
        fates: Counter[tuple[str, Fate]] = Counter()
        for item in items[claim.progress :]:
            reason = await self._segments.begin_record(claim, item.place)
            try:
                if reason:
                    raise Malformed(reason)
                await self._process([claim], [item], last=item is items[-1])
            except (Unavailable, ClaimLost):  # a record that is begun and not ended twice is put aside
                raise
            except Exception as problem:
                log.warning("record failed", action="record_failed", segment=claim.key, record=item.place,
                            error=type(problem).__name__)  # fmt: skip
                failed = Item(claim.key, item.place, item.entry, item.record)
                failed.end(Fate.QUARANTINED, reason or f"failed: {type(problem).__name__}")
                await self._process([claim], [failed], last=item is items[-1])
                item.fate = Fate.QUARANTINED
            fates[item.record.kind, item.fate or Fate.QUARANTINED] += 1
            item.reading = item.events = None
        return fates

    async def _process(self, claims: Sequence[Claim], items: list[Item], *, last: bool | None = None) -> None:
        """All of `items` in one transaction. `last`: none for whole segments, else whether this record ends it."""
        try:
            await self._opener.open(items)
            opened = [item.state for item in items]

            async def commit() -> None:
                for item, state in zip(items, opened, strict=True):
                    item.state = state
                await self._commit(claims, items, last)

            await until_unhindered(commit)
        finally:
            self._opener.close(items)

    async def _commit(self, claims: Sequence[Claim], items: list[Item], last: bool | None) -> None:
        """Sessions are locked in the order of their keys, and before their terms, as whoever writes them does."""
        await self._keep_objects(items)
        written: list[tuple[Rows, dict[SessionKey, Session]]] = []
        tally = Tally()
        async with self._db.transaction() as conn:
            short = await self._shortfall(conn, claims, items) if last is not False else Counter[int]()
            if not await self._advance(conn, claims, items, last):
                raise ClaimLost
            told = [i for i in items if i.fate is None and i.events is not None]
            await self._write_events(conn, told, tally)
            # Late files and strays are routed by what the rest of the segment has written.
            for ordered in (False, True):
                group = [i for i in items if i.fate is None and (i.record.kind in ORDERED_KINDS) is ordered]
                if group:
                    async with self._as_written(conn, [rows for rows, _ in written]):
                        sessions = await self._routed(conn, group)
                    written.append((await self._write(conn, group, sessions, tally), sessions))
            terms = await self._write_sessions(conn, [rows for rows, _ in written])
            await named_images.insert(conn, items)
            buried = await self._bury(conn, items)
            dropped = [
                (i.record.project_id, session_id, i.segment_key, i.place)
                for i in items
                for session_id in i.erased
            ]
            await erasure.drop_late(conn, dropped)
            await tally.write(conn)
            fates = Counter((i.record.project_id, str(i.fate)) for i in items)
            fates.update({(project_id, str(Fate.QUARANTINED)): count for project_id, count in short.items()})
            await ledger.add(conn, fates)
        for kind in buried:
            counter("playhead_dead_letters_total").labels(kind).inc()
        await self._objects.delete(
            dead_letters.object_key(i.segment_key, i.place)
            for i in items
            if i.reading and i.reading.faults and i.fate not in (Fate.STORED, Fate.QUARANTINED)
        )
        for rows, sessions in written:
            await self._sessions.changed([k for k in rows.updates if k in sessions and not sessions[k].live])
        self._known_terms.add(terms)

    async def _keep_objects(self, items: Sequence[Item]) -> None:
        """Objects go before the rows that name them."""
        for item in items:
            if item.fate is Fate.QUARANTINED or (item.reading and item.reading.faults):
                await dead_letters.keep(self._objects, item.segment_key, item.place, item.record)
            for picture in item.reading.named if item.reading else ():
                await named_images.keep(self._objects, item.record.project_id, picture)

    @staticmethod
    @contextlib.asynccontextmanager
    async def _as_written(conn: Any, earlier: Sequence[Rows]) -> AsyncIterator[None]:
        """What is read inside sees the sessions as these rows leave them; they are not kept locked."""
        if not earlier:
            yield
            return
        savepoint = conn.transaction()
        await savepoint.start()
        await apply_updates(conn, _updates(earlier))
        yield
        await savepoint.rollback()  # after an error nothing is left to be rolled back but the whole

    async def _routed(self, conn: Any, items: list[Item]) -> dict[SessionKey, Session]:
        """Decide which sessions the records belong to -> those of them that there are."""
        sessions = await session_store.get_many(conn, {i.target for i in items})
        for item in items:
            await self._route(conn, item, sessions)
        touched = {(i.record.project_id, span.session_id) for i in items for span in i.spans}
        touched |= {key for i in items if (key := _continued(i))}
        sessions.update(await session_store.get_many(conn, touched - sessions.keys()))
        return sessions

    async def _write(
        self,
        conn: Any,
        items: list[Item],
        sessions: dict[SessionKey, Session],
        tally: Tally,
    ) -> Rows:
        """Write events and parts of what is new -> what is to be said of the sessions."""
        await self._drop_unwanted(conn, items)
        await self._mark_duplicates(conn, [item for item in items if item.fate is None])
        rows = self._rows([item for item in items if item.fate is Fate.STORED], sessions)
        events = [event for share in rows.shares for event in share.events]
        rows.count_events(await event_store.insert_new(conn, events, tally))
        await part_store.insert(conn, rows.parts)
        return rows

    async def _write_sessions(self, conn: Any, written: Sequence[Rows]) -> list[term_store.Row]:
        """Write sessions, then terms -> those that were not known.

        Late, since it keeps the rows of sessions from other segments until the commit, and of all sessions at once,
        so that they are locked in one order; terms after them, as the finalizer does.
        """
        failures = await apply_updates(conn, _updates(written))
        if failures:
            raise Malformed(f"session update: {failures[0].reason}")
        terms = self._new_terms(written)
        await term_store.insert(conn, terms)
        return terms

    @staticmethod
    async def _write_events(conn: Any, items: Sequence[Item], tally: Tally) -> None:
        """Events of all protocols but the mobile one; a record of which nothing is new is a duplicate."""
        rows = [
            stored.rows_of(i.record.project_id, i.record.body, i.events or (), i.record.received_us)
            for i in items
        ]
        users = {(event.project_id, event.user_id) for own in rows for event, _ in own if event.user_id}
        erased = await erased_users.erased_us(conn, users)
        kept = [
            [
                row
                for row in own
                if item.record.received_us > erased.get((row[0].project_id, row[0].user_id), -1)
            ]
            for item, own in zip(items, rows, strict=True)
        ]
        new = await stored.store(conn, [row for own in kept for row in own], tally)
        for item, told, own in zip(items, rows, kept, strict=True):
            if len(own) < len(told):
                item.erased = [NO_SESSION]  # its bytes go, too
            if told and not own:
                item.end(Fate.EXPIRED, "erased")
            else:
                fresh = not own or any(event.key in new for event, _ in own)
                item.end(Fate.STORED if fresh else Fate.DUPLICATE)

    async def _advance(
        self, conn: Any, claims: Sequence[Claim], items: list[Item], last: bool | None
    ) -> bool:
        if last is None:
            return bool(await self._segments.finish(conn, *claims))
        (claim,) = claims
        return await self._segments.advance(conn, claim, items[0].place + 1, items[0].record.project_id) and (
            not last or await self._segments.finish(conn, claim)
        )

    async def _route(self, conn: Any, item: Item, sessions: dict[SessionKey, Session]) -> None:
        """Decide which sessions the record's content belongs to."""
        record = item.record
        own_key = item.target
        own = sessions.get(own_key)
        item.spans = [Span(own_key[1])]
        user_uuid = str(record.meta.get("uid", "")) or (own.user_uuid if own else "")
        if record.kind == "late" and own is not None and user_uuid and item.reading is not None:
            earlier = await session_store.earlier_of_user(conn, own_key[0], user_uuid, own.started_ms)
            item.spans = late_spans(item.reading, own, earlier)
        elif record.kind == "stray":
            named = named_session(record.body)
            key = (own_key[0], named or 0)
            found = (await session_store.get_many(conn, {key})).get(key) if named else None
            if named and same_device(own, found, user_uuid):
                item.spans = [Span(named)]
        if record.meta.get("dnr"):
            item.spans = [span for span in item.spans if span.session_id != own_key[1]]
            if not item.spans:
                item.end(Fate.EXPIRED, "not to be recorded")

    async def _drop_unwanted(self, conn: Any, items: Sequence[Item]) -> None:
        keys = {(i.record.project_id, span.session_id) for i in items if i.fate is None for span in i.spans}
        erased = await opening.erased(conn, keys)
        for item in items:
            if item.fate is None and erased:
                spans, project_id = item.spans, item.record.project_id
                item.spans = [s for s in spans if (project_id, s.session_id) not in erased]
                item.erased = [s.session_id for s in spans if (project_id, s.session_id) in erased]
                if not item.spans:
                    item.end(Fate.EXPIRED, "erased")

    async def _mark_duplicates(self, conn: Any, items: Sequence[Item]) -> None:
        """The first record of each new body is stored, every other one is a duplicate."""
        bodies = [(*item.target, _digest(item)) for item in items]
        new: set[tuple[int, int, bytes]] = set()
        if bodies:
            columns = [list(column) for column in zip(*bodies, strict=True)]
            new = {tuple(row) for row in await conn.fetch(NEW_BODIES, *columns)}
        for item, body in zip(items, bodies, strict=True):
            item.end(Fate.STORED if body in new else Fate.DUPLICATE)
            new.discard(body)

    def _rows(self, items: Sequence[Item], sessions: dict[SessionKey, Session]) -> Rows:
        rows = Rows(quiet_ms=int(self._settings.session_quiet_s * 1000))
        offsets = {key: session.clock_offset_ms for key, session in sessions.items()}
        for item in sorted(items, key=lambda item: item.record.kind != "start"):
            if item.record.kind == "start":
                rows.add_start(item)
            elif item.record.kind in ("batch", "late"):
                rows.add_batch(item, offsets)
            else:
                rows.add_images(item)
            self._follow_up(rows, item, sessions)
        return rows

    @staticmethod
    def _follow_up(rows: Rows, item: Item, sessions: dict[SessionKey, Session]) -> None:
        key = _continued(item)
        if key is not None:
            rows.update(item.target).continues = key[1]
            if key in sessions:
                rows.add_follow_up(item.target, _start_of(sessions[key]))

    def _new_terms(self, written: Sequence[Rows]) -> list[term_store.Row]:
        found = (
            (project_id, facet, value, rows.updates[project_id, session_id].started_ms, session_id)
            for rows in written
            for (project_id, session_id), terms in rows.terms.items()
            for facet, value in terms
        )
        return [row for row in found if row not in self._known_terms]

    async def _bury(self, conn: Any, items: Sequence[Item]) -> list[str]:
        """Write dead letters -> their kinds."""
        kinds = []
        for item in items:
            faults = item.reading.faults if item.reading and item.fate is Fate.STORED else []
            if item.fate is Fate.QUARANTINED or faults:
                kinds.append(item.record.kind)
                await dead_letters.add(
                    conn,
                    segment_key=item.segment_key,
                    place=item.place,
                    record=item.record,
                    reason=item.reason or "partly unreadable",
                    detail={"faults": [list(fault) for fault in faults]} if faults else {},
                    now_ms=self._clock(),
                )
        return kinds


def _updates(written: Sequence[Rows]) -> list[SessionUpdate]:
    """All updates, in the order in which they are to be merged."""
    return [update for rows in written for update in rows.updates.values()]


def _continued(item: Item) -> SessionKey | None:
    """The session that this record's session follows up, if it does."""
    continued = item.record.meta.get("continues")
    return (item.record.project_id, continued) if isinstance(continued, int) else None


def _digest(item: Item) -> bytes:
    """Identity of a record's content; a dead letter tried again is not a duplicate of itself."""
    digest = (
        item.reading.digest if item.reading else b"start" + item.target[1].to_bytes(8, "little", signed=True)
    )
    retry = item.record.meta.get("retry")
    return digest if retry is None else digest + str(retry).encode()


def _start_of(session: Session) -> SessionStart:
    """What a follow-up session takes over from the one it continues; its own clock start stays unknown."""
    names = set(SessionStart.__dataclass_fields__) - {"info", "device_start_ms", "continues"}
    return SessionStart(
        **{name: getattr(session, name) for name in names},
        info=session.start_info,
        continues=session.session_id,
    )
