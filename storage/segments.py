"""The index of the journal: which segments there are, who works on them, which can go.

A segment's row follows its bytes: it is added when the segment is sealed, or by the sweep if that did not happen.
Claims expire, so a dead worker holds nothing up; a claim's token fences off a worker that comes back too late.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from playhead.errors import DatabaseUnavailable, Malformed, ObjectMissing
from playhead.telemetry import gauge, logger
from storage import ledger
from storage.notices import notify
from storage.objects import ObjectInfo, ObjectStore
from storage.postgres import Database
from storage.segment_file import Entry, SegmentSummary, read_directory, read_records, summarize, tail_length
from storage.segment_keys import JOURNAL_PREFIX, created_ms, hour_prefix, is_name

log = logger("storage.segments")
_unindexed = gauge("playhead_journal_unindexed_segments")

CHANNEL = "playhead_segments"
HOUR_MS = 3_600_000
#: a sweep looks this far back, but at everything the first time and then every hour
SWEEP_BACK_MS = 2 * HOUR_MS
SWEEP_ALL_MS = HOUR_MS
SWEEP_READS = 8  # directories read at once
TAIL_BYTES = 64_000
PAGE = 500
#: rows of released segments stay this long, so that a late listing does not bring them back
TOMBSTONE_MS = 48 * HOUR_MS
#: a record that was begun this often and never ended kills workers
FATAL_BEGINNINGS = 2

ADD = """
INSERT INTO segments (segment_key, created_ms, bytes, records, ordered, accepted)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::int[], $5::boolean[], $6::jsonb[])
ON CONFLICT DO NOTHING RETURNING segment_key
"""
CLAIM = """
WITH free AS (
    SELECT segment_key, claim AS held, bytes FROM segments s
    WHERE state = 'pending' AND claimed_until_ms <= $1 AND (attempts = 0 OR $5)
      AND (NOT ordered OR NOT EXISTS (
          SELECT 1 FROM segments older WHERE older.state = 'pending' AND older.segment_key < s.segment_key))
    ORDER BY segment_key LIMIT $2 FOR UPDATE SKIP LOCKED
), picked AS (
    SELECT segment_key, held FROM (
        SELECT segment_key, held, sum(bytes) OVER (ORDER BY segment_key) - bytes AS before FROM free) f
    WHERE before < $6
)
UPDATE segments s SET claim = $3, claimed_until_ms = $1 + $4, attempts = attempts + 1
FROM picked WHERE s.segment_key = picked.segment_key
RETURNING s.segment_key, s.bytes, s.records, s.attempts, s.progress, s.ordered, picked.held IS NOT NULL
"""
HOLDERS = (
    "SELECT DISTINCT split_part(claim, ':', 1) FROM segments WHERE state = 'pending' AND claim IS NOT NULL"
)
FREE = """
UPDATE segments SET claimed_until_ms = 0
WHERE state = 'pending' AND split_part(claim, ':', 1) = ANY($1) AND claimed_until_ms > $2 RETURNING 1
"""
FINISH = """
UPDATE segments SET state = 'done', done_ms = $3, claim = NULL, accepted = '{}', summed = true
WHERE (segment_key, claim) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND state = 'pending' RETURNING 1
"""
ADVANCE = """
UPDATE segments SET progress = $3, last_error = NULL, claimed_until_ms = $5,
    accepted = jsonb_set(accepted, ARRAY[$4::text], to_jsonb((accepted ->> $4::text)::bigint - 1))
WHERE segment_key = $1 AND claim = $2 AND state = 'pending' AND progress = $3 - 1 RETURNING 1
"""
# One that is locked is just being finished, and nobody can claim it: it holds up the renewal of no other one.
RENEW = """
UPDATE segments SET claimed_until_ms = $3 WHERE segment_key IN (
    SELECT segment_key FROM segments
    WHERE (segment_key, claim) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND state = 'pending'
    FOR UPDATE SKIP LOCKED
)
"""
FAIL = """
UPDATE segments SET claim = NULL, claimed_until_ms = $3,
    last_error = CASE WHEN last_error LIKE 'record %' THEN last_error ELSE $4 END -- which one was begun
WHERE segment_key = $1 AND claim = $2
"""
GIVE_BACK = """
UPDATE segments SET claim = NULL, claimed_until_ms = $3, attempts = greatest(attempts - 1, 0),
    last_error = CASE WHEN last_error LIKE 'record %' THEN NULL ELSE last_error END
WHERE segment_key = $1 AND claim = $2
"""
BEGINNING = "SELECT last_error FROM segments WHERE segment_key = $1 AND claim = $2"
BEGIN = """
UPDATE segments SET last_error = $3, claimed_until_ms = $4 WHERE segment_key = $1 AND claim = $2
"""
KNOWN = "SELECT segment_key, state FROM segments WHERE segment_key = ANY($1)"
RELEASE = """
UPDATE segments SET state = 'released', done_ms = $2 WHERE segment_key IN (
    SELECT segment_key FROM segments s
    WHERE state = 'done' AND NOT EXISTS (SELECT 1 FROM parts p WHERE p.segment_key = s.segment_key)
    ORDER BY done_ms LIMIT $1 FOR UPDATE SKIP LOCKED
) RETURNING segment_key
"""
OLD_TOMBSTONES = "SELECT segment_key FROM segments WHERE state = 'released' AND done_ms < $1 LIMIT $2"
FORGET = "DELETE FROM segments WHERE state = 'released' AND segment_key = ANY($1)"
WAITING = "SELECT count(*), min(created_ms) FROM segments WHERE state = 'pending'"


@dataclass(frozen=True, slots=True)
class Claim:
    """One segment in a worker's hands; `attempts` counts this one, `progress` the records done one by one.
    `ordered`: everything older had ended before. `orphaned`: whoever had it before ended, or hung, with it in hand.
    """

    key: str
    bytes: int
    records: int
    attempts: int
    progress: int
    token: str
    ordered: bool = False
    orphaned: bool = False

    @property
    def untried(self) -> bool:
        """Whether nobody has begun it before."""
        return self.attempts == 1 and not self.progress


def _held(claims: Sequence[Claim]) -> tuple[list[str], list[str]]:
    """(keys, tokens) of claims."""
    return [claim.key for claim in claims], [claim.token for claim in claims]


class SegmentIndex:
    """SQL of `segments`; every method raises DatabaseUnavailable, those that read segments StorageUnavailable."""

    def __init__(
        self, db: Database, objects: ObjectStore, clock: Callable[[], int], *, claim_timeout_s: float = 60.0
    ) -> None:
        self._db = db
        self._objects = objects
        self._clock = clock
        self._claim_ms = int(claim_timeout_s * 1000)
        self._sweep_all_at = 0  # ms
        self._unreadable: set[str] = set()

    async def add(self, summaries: Iterable[SegmentSummary]) -> int:
        """Give segments their rows, count their records as accepted, wake workers -> how many were new."""
        rows = sorted({s.key: s for s in summaries}.values(), key=lambda summary: summary.key)
        if not rows:
            return 0
        columns = [
            [s.key for s in rows], [s.created_ms for s in rows], [s.bytes for s in rows],
            [s.records for s in rows], [s.ordered for s in rows],
            [{str(p): n for p, n in s.accepted.items()} for s in rows],
        ]  # fmt: skip
        async with self._db.transaction() as conn:
            new = {row[0] for row in await conn.fetch(ADD, *columns)}
            counts: Counter[tuple[int, str]] = Counter()
            for summary in rows:
                if summary.key in new:
                    counts.update({(project, "accepted"): n for project, n in summary.accepted.items()})
            await ledger.add(conn, counts)
            if new:
                await notify(conn, CHANNEL)
        return len(new)

    async def claim(
        self, limit: int, worker: str, *, tried: bool = True, enough_bytes: int = 1 << 60
    ) -> list[Claim]:
        """Take the oldest pending segments that nobody holds, without those that were `tried` before if not wanted.

        Up to `limit`, but no more once they hold `enough_bytes`. An ordered one waits for everything older.
        """
        token = f"{worker}:{secrets.token_hex(8)}"
        rows = await self._db.fetch(CLAIM, self._clock(), limit, token, self._claim_ms, tried, enough_bytes)
        claims = [Claim(row[0], row[1], row[2], row[3], row[4], token, row[5], row[6]) for row in rows]
        return sorted(claims, key=lambda claim: claim.key)

    async def renew(self, claims: Sequence[Claim]) -> None:
        """Keep claims, those that were lost aside, for as long as new ones would last."""
        if claims:
            await self._db.execute(RENEW, *_held(claims), self._clock() + self._claim_ms)

    async def free(self, ended: Callable[[str], bool]) -> int:
        """Free the claims of workers that have `ended`, by name, before their time -> how many.

        Wrong about a worker that lives: its segment is processed twice, which is harmless.
        """
        names = [row[0] for row in await self._db.fetch(HOLDERS) if ended(row[0])]
        return len(await self._db.fetch(FREE, names, self._clock())) if names else 0

    async def finish(self, conn: Any, *claims: Claim) -> bool:
        """Mark segments done inside the caller's transaction; False: a claim was lost, roll back."""
        return len(await conn.fetch(FINISH, *_held(claims), self._clock())) == len(claims)

    async def advance(self, conn: Any, claim: Claim, progress: int, project_id: int) -> bool:
        """Record `progress - 1` has ended, inside the caller's transaction; False: the claim was lost."""
        until_ms = self._clock() + self._claim_ms
        return bool(await conn.fetchval(ADVANCE, claim.key, claim.token, progress, str(project_id), until_ms))

    async def begin_record(self, claim: Claim, place: int) -> str | None:
        """Note that this record is begun on its own -> why not, if it was begun before and never ended."""
        note = await self._db.fetchval(BEGINNING, claim.key, claim.token)
        seen = 0
        if note and note.startswith(f"record {place} begun "):
            seen = int(note.rsplit(" ", 1)[1])
        if seen >= FATAL_BEGINNINGS:
            return "ended the worker"
        until_ms = self._clock() + self._claim_ms
        await self._db.execute(BEGIN, claim.key, claim.token, f"record {place} begun {seen + 1}", until_ms)
        return None

    async def fail(self, claim: Claim, reason: str) -> None:
        """Give the segment back after a failure; the next try comes a little later each time."""
        pause_ms = min(200 * 2**claim.attempts, 10_000)
        await self._db.execute(FAIL, claim.key, claim.token, self._clock() + pause_ms, reason[:200])

    async def give_back(self, claim: Claim, *, pause_s: float = 0) -> None:
        """Give the segment back untouched, to be taken at once or after `pause_s`: the segment is not to blame."""
        until_ms = self._clock() + int(pause_s * 1000) if pause_s else 0  # at once, whatever our clock says
        await self._db.execute(GIVE_BACK, claim.key, claim.token, until_ms)

    async def waiting(self) -> tuple[int, int | None]:
        """(pending segments, when the oldest of them was made, ms)."""
        row = await self._db.fetchrow(WAITING)
        return int(row[0]), row[1]

    async def sweep(self) -> int:
        """Index segments that have no row, delete released ones that are still there -> how many were indexed.

        Looks at the last hours; at the whole journal the first time, every hour, and after `sweep_all`.
        """
        now_ms = self._clock()
        whole = now_ms >= self._sweep_all_at
        found = 0
        async for page in self._pages("" if whole else hour_prefix(now_ms - SWEEP_BACK_MS)):
            states = {row[0]: row[1] for row in await self._db.fetch(KNOWN, [info.key for info in page])}
            new = [info for info in page if info.key not in states and info.key not in self._unreadable]
            for some in (new[at : at + SWEEP_READS] for at in range(0, len(new), SWEEP_READS)):
                summaries = await asyncio.gather(*map(self._summary, some))
                found += await self.add(summary for summary in summaries if summary)
            await self._objects.delete([key for key, state in states.items() if state == "released"])
        if whole:
            self._sweep_all_at = now_ms + SWEEP_ALL_MS
        return found

    def sweep_all(self) -> None:
        """Have the next sweep look at the whole journal."""
        self._sweep_all_at = 0

    async def _pages(self, after: str) -> AsyncIterator[list[ObjectInfo]]:
        page: list[ObjectInfo] = []
        async for info in self._objects.list(JOURNAL_PREFIX, after=after):
            if is_name(info.key.rpartition("/")[2]):
                page.append(info)
            if len(page) == PAGE:
                yield page
                page = []
        if page:
            yield page

    async def _summary(self, info: ObjectInfo) -> SegmentSummary | None:
        """A segment's summary from its directory; None if it is gone meanwhile or holds nothing readable."""
        try:
            entries = await self._entries(info)
        except ObjectMissing:
            return None
        except Malformed as problem:
            self._unreadable.add(info.key)
            log.error("segment_unreadable", key=info.key, reason=str(problem))
            return None
        return summarize(info.key, created_ms(info.key), info.bytes, entries)

    async def _entries(self, info: ObjectInfo) -> Sequence[Entry]:
        try:
            tail = await self._objects.get(info.key, start=-TAIL_BYTES)
            if (needed := tail_length(tail)) > len(tail):
                tail = await self._objects.get(info.key, start=-needed)
            return read_directory(tail, info.bytes)
        except Malformed:  # damaged at its end: its records may still be found
            return [entry for entry, _ in read_records(await self._objects.get(info.key))]

    async def release(self) -> int:
        """Delete the segments that no recording needs any more -> how many.

        The rows stay for a while as tombstones; should deleting fail, the sweep or their end repeats it.
        """
        released = 0
        while keys := [row[0] for row in await self._db.fetch(RELEASE, PAGE, self._clock())]:
            await self._objects.delete(keys)
            released += len(keys)
        before_ms = self._clock() - TOMBSTONE_MS
        while keys := [row[0] for row in await self._db.fetch(OLD_TOMBSTONES, before_ms, PAGE)]:
            await self._objects.delete(keys)
            await self._db.execute(FORGET, keys)
        return released


class IndexQueue:
    """Takes summaries from the journal and gives them to the index, again and again while the database is away.

    Bounded: the oldest make room, and the next sweep finds them. Never blocks the journal.
    """

    BATCH = 200
    FIRST_PAUSE_S = 0.2
    LAST_PAUSE_S = 5.0

    def __init__(self, index: SegmentIndex, *, max_waiting: int = 10_000) -> None:
        self._index = index
        self._waiting: deque[SegmentSummary] = deque(maxlen=max_waiting)
        self._some = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Segments that are durable and have no row yet."""
        return len(self._waiting)

    async def add(self, summary: SegmentSummary) -> None:
        """Take one summary; returns at once."""
        if len(self._waiting) == self._waiting.maxlen:
            self._index.sweep_all()
        self._waiting.append(summary)
        _unindexed.set(len(self._waiting))
        self._idle.clear()
        self._some.set()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="index-queue")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), 5.0)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause_s = self.FIRST_PAUSE_S
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                batch = [self._waiting[n] for n in range(min(self.BATCH, len(self._waiting)))]
                try:
                    await self._index.add(batch)
                except Exception as problem:
                    level = log.warning if isinstance(problem, DatabaseUnavailable) else log.error
                    level("index_waits", segments=len(self._waiting), error=type(problem).__name__)
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, self.LAST_PAUSE_S)
                    continue
                pause_s = self.FIRST_PAUSE_S
                done = {summary.key for summary in batch}
                while self._waiting and self._waiting[0].key in done:
                    self._waiting.popleft()
            _unindexed.set(0)
            self._idle.set()
