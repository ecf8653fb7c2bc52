"""Transactions that write the same sessions wait for each other in one order; where they do not, nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg
import pytest

from messages import encode
from messages.schema import MobileCrash, MobileEvent
from sessions import terms
from sessions.ids import started_ms
from tests.flows.rig import NOW_MS, open_rig
from workers.finalizer import LOCK

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database() AND pid <> pg_backend_pid()
"""
PART = """
INSERT INTO parts (project_id, session_id, segment_key, record, kind, body_offset, body_length, received_ms)
VALUES ($1, $2, $3, 0, 'batch', 0, 0, 0)
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


@pytest.fixture
async def other(postgres_dsn):
    """A connection of somebody else."""
    conn = await asyncpg.connect(postgres_dsn)
    yield conn
    await conn.close()


@contextlib.asynccontextmanager
async def processing(rig, other):
    """The worker processes what was appended and waits for a row that `other` has; it ends with the block."""
    work = asyncio.create_task(rig.work())
    while not await other.fetchval(WAITING):
        assert not work.done(), "nothing was waited for"
        await asyncio.sleep(0.01)
        # in a transaction the first look is remembered
        await other.execute("SELECT pg_stat_clear_snapshot()")
    yield
    await asyncio.wait_for(work, 60)


async def attempts(rig) -> int:
    """The most that any segment was tried."""
    return int(await rig.services.db.fetchval("SELECT max(attempts) FROM segments"))


def named(name: str, at_ms: int = NOW_MS) -> list[bytes]:
    """One event."""
    return [encode(MobileEvent(name, "{}"), timestamp=at_ms)]


async def test_sessions_come_before_terms_as_in_the_finalizer(rig, other) -> None:
    """The finalizer has the session and writes a value that the batch brings, too."""
    session_id = await rig.start()
    await rig.work()
    await rig.batch(session_id, named("bought"))
    async with other.transaction():
        await other.execute(LOCK, rig.project_id, session_id)
        async with processing(rig, other):
            new = [("event", "bought"), ("issue", "anr")]
            await terms.replace(other, rig.project_id, session_id, started_ms(session_id), new)
            await other.execute("COMMIT; BEGIN")
    assert await other.fetchval(DEADLOCKS) == 0
    assert (await rig.session(session_id)).events == 1
    assert await attempts(rig) == 1


async def test_a_segment_with_late_files_locks_its_sessions_in_one_order(rig, other) -> None:
    """The batch is of the later session, the late file, which is written after it, of the earlier one."""
    first = await rig.start()
    second = await rig.start(at_ms=NOW_MS + 1, user_uuid="somebody-else")
    await rig.work()
    await rig.batch(second, named("bought", NOW_MS + 5), uid="somebody-else")
    crash = encode(MobileCrash("E", "r", "0 App main"), timestamp=NOW_MS + 3)
    await rig.append("late", first, crash, meta={"plt": "ios"})
    async with other.transaction():
        await other.execute(LOCK, rig.project_id, first)
        async with processing(rig, other):
            await other.execute(LOCK, rig.project_id, second)
            await other.execute("COMMIT; BEGIN")
    assert await other.fetchval(DEADLOCKS) == 0
    assert ((await rig.session(first)).crashes, (await rig.session(second)).events) == (1, 1)
    assert await attempts(rig) == 1


async def test_a_segment_ended_for_the_sake_of_another_is_tried_again_at_once(
    postgres_dsn, tmp_path, other
) -> None:
    """Somebody locks in no order that we know: the server ends ours; nothing counts against the segment."""
    name = await other.fetchval("SELECT current_database()")
    await other.execute(f"ALTER DATABASE {name} SET deadlock_timeout = '3s'")
    async with open_rig(postgres_dsn, tmp_path) as rig:
        session_id = await rig.start()
        await rig.work()
        await rig.batch(session_id, named("bought"))
        async with other.transaction():
            await other.execute("SET LOCAL deadlock_timeout = '60s'")
            await other.execute(LOCK, rig.project_id, session_id)
            async with processing(rig, other):
                # it has the part and waits for the session; we have the session and wait for the part
                segment = await other.fetchval("SELECT segment_key FROM segments WHERE state = 'pending'")
                await other.execute(PART, rig.project_id, session_id, segment)
                await other.execute("ROLLBACK; BEGIN")
        session = await rig.session(session_id)
        assert (session.events, session.messages) == (1, 1)
        balance = await rig.balance()
        assert (balance.stored, balance.difference) == (2, 0)
        assert await attempts(rig) == 1
