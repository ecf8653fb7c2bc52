"""A disk that fills up: what the SDKs are told, which pictures go first, and what stays."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from events import day_of
from events.incoming import KIND, IncomingEvent, pack
from messages import encode
from messages.schema import MobileClickEvent, MobileCrash
from playhead.errors import NotFound
from sessions import store as session_store
from storage.disk import Level
from storage.migrate import drop_event_partition, ensure_event_partitions
from tests.flows.rig import NOW_MS, Rig, open_rig
from tests.flows.test_processing import upload
from tests.servers import small_volume
from workers import disk_space, retention, silence

DISK_BYTES = 48_000_000
PICTURES = 8
PICTURE_BYTES = 250_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A volume of DISK_BYTES of its own."""
    with small_volume(tmp_path / "small", DISK_BYTES) as folder:
        yield folder


async def recorded(rig: Rig, *, crash: bool = False, pictures: int = PICTURES) -> int:
    """A session with pictures, recorded, its segments released."""
    at_ms = rig.clock.now_ms
    session_id = await rig.start()
    last = encode(MobileCrash("E", "r", "0"), timestamp=at_ms + 9) if crash else b""
    await rig.batch(session_id, [encode(MobileClickEvent("Buy", 1, 2), timestamp=at_ms), last])
    times = [at_ms + number for number in range(pictures)]
    body, meta = upload(f"{session_id}-0.tar.gz", times, b"\xff\xd8\xff" + os.urandom(PICTURE_BYTES))
    await rig.append("images", session_id, body, meta=meta)
    await rig.work()
    await rig.record(session_id)
    await rig.services.segments.release()
    rig.clock.now_ms += 60_000
    return session_id


async def pictures_of(rig: Rig, session_id: int) -> int:
    return len(await rig.services.replays.frames(await rig.session(session_id)))


async def test_the_least_valuable_pictures_go_first_and_only_as_many_as_needed(
    postgres_dsn: str, tmp_path: Path, small_disk: Path
) -> None:
    room = {"objects_url": f"file://{small_disk}/objects", "disk_headroom_bytes": 10**18}
    async with open_rig(postgres_dsn, tmp_path, **room, disk_reserve_bytes=1_000_000) as rig:
        disk = rig.services.disk
        crashed = await recorded(rig, crash=True)
        pinned = await recorded(rig)
        await rig.services.replays.pin(await rig.session(pinned), pinned=True)
        assert await disk_space.make_room(rig.services, rig.finalizer) == 0
        plain = [await recorded(rig) for _ in range(9)]
        messages = [await rig.objects_of(each) for each in (crashed, *plain)]
        usage = disk.usage()
        assert usage is not None
        (small_disk / "filler").write_bytes(bytes(int(usage.total * 0.94) - usage.used))
        disk._until = 0.0  # look now
        assert disk.level() >= Level.HIGH
        dropped = await disk_space.make_room(rig.services, rig.finalizer)
        assert 0 < dropped < len(plain)
        assert [await pictures_of(rig, each) > 0 for each in plain] == [
            number >= dropped for number in range(len(plain))
        ]
        assert await pictures_of(rig, crashed) == await pictures_of(rig, pinned) == PICTURES
        usage = disk.usage()
        assert usage is not None
        assert disk.marks.excess(usage) == 0
        assert [(await rig.objects_of(each))["messages"] for each in (crashed, *plain)] == [
            each["messages"] for each in messages
        ]
        view = await rig.services.replays.get(await rig.session(plain[0]))
        assert view.completeness is not None
        assert view.completeness["frames_dropped_ms"] == rig.clock()
        assert view.counts["frames"] == 0
        assert view.as_json()["status"] == "ready"


async def test_cleaning_up_works_on_a_disk_without_a_free_byte(
    postgres_dsn: str, tmp_path: Path, small_disk: Path
) -> None:
    room = {"objects_url": f"file://{small_disk}/objects", "disk_headroom_bytes": 10**18}
    async with open_rig(postgres_dsn, tmp_path, **room, disk_reserve_bytes=2_000_000) as rig:
        session_id = await recorded(rig)
        await disk_space.make_room(rig.services, rig.finalizer)
        with (small_disk / "filler").open("wb", buffering=0) as filler, pytest.raises(OSError):
            while filler.write(bytes(4096)) == 4096:
                pass
        rig.services.disk._until = 0.0
        assert rig.services.disk.level() is Level.HARD
        assert await disk_space.make_room(rig.services, rig.finalizer) == 1
        assert await pictures_of(rig, session_id) == 0
        assert (await rig.session(session_id)).clicks == 1


async def test_late_pictures_of_a_session_that_lost_its_own_do_not_come_back(
    postgres_dsn: str, tmp_path: Path
) -> None:
    async with open_rig(postgres_dsn, tmp_path) as rig:
        await rig.services.db.execute("UPDATE projects SET frame_retention_days = 3")
        session_id = await recorded(rig, pictures=2)
        young = await recorded(rig, pictures=2)
        await rig.services.db.execute(
            "UPDATE sessions SET started_ms = started_ms - $2 WHERE session_id = $1", session_id, 4 * DAY_MS
        )
        await disk_space.drop_old_frames(rig.services, rig.finalizer)
        assert [await pictures_of(rig, each) for each in (session_id, young)] == [0, 2]
        body, meta = upload(f"{session_id}-9.tar.gz", [NOW_MS + 5000])
        await rig.append("images", session_id, body, meta=meta)
        await rig.work()
        await rig.record(session_id)
        assert await pictures_of(rig, session_id) == 0
        assert (await rig.balance()).pending == 0


async def test_retention_keeps_what_is_pinned_with_its_events(postgres_dsn: str, tmp_path: Path) -> None:
    async with open_rig(postgres_dsn, tmp_path) as rig:
        db, today = rig.services.db, day_of(NOW_MS)
        names = await ensure_event_partitions(db, today=today)
        kept, gone = await recorded(rig, pictures=1), await recorded(rig, pictures=1)
        at_us = rig.clock() * 1000
        linked = IncomingEvent(
            source="json", category="orders", name="Paid", at_us=at_us, device_us=at_us, session_id=str(kept)
        )
        await rig.append(KIND, None, pack([linked]))
        await rig.work()
        before = await events_of(rig, kept)
        assert {"click", "orders"} <= {category for category, _ in before}
        assert await events_of(rig, gone)
        await rig.services.replays.pin(await rig.session(kept), pinned=True)
        rig.clock.now_ms += 40 * DAY_MS
        for _ in range(2):
            await retention.remove_expired(db, rig.services.objects, rig.clock())
            assert await events_of(rig, kept) == before
        assert await events_of(rig, gone) == []
        left = {row[0] for row in await db.fetch("SELECT tableoid::regclass::text FROM events")}
        assert left == {"events_rest"}
        assert not left & set(names)
        assert await db.fetchval("SELECT count(*) FROM pg_class WHERE relname = ANY($1)", names) == 0
        assert await pictures_of(rig, kept) == 1
        with pytest.raises(NotFound):
            await rig.session(gone)
        await rig.services.replays.pin(await rig.session(kept), pinned=False)
        await retention.remove_expired(db, rig.services.objects, rig.clock())
        assert await events_of(rig, kept) == []


async def test_who_is_pinned_while_its_day_is_being_dropped_keeps_its_events(
    postgres_dsn: str, tmp_path: Path
) -> None:
    async with open_rig(postgres_dsn, tmp_path) as rig:
        db = rig.services.db
        names = await ensure_event_partitions(db, today=day_of(NOW_MS))
        kept, gone = await recorded(rig), await recorded(rig)
        before = await events_of(rig, kept)
        assert before and await events_of(rig, gone)
        (day,) = {row[0] for row in await db.fetch("SELECT tableoid::regclass::text FROM events")}
        assert day in names
        session = await rig.session(kept)
        query = f"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '{day}'::regclass"
        async with db.transaction() as reader:
            await reader.fetchval(f"SELECT count(*) FROM {day}")
            dropping = asyncio.create_task(drop_event_partition(db, day, retention.PINNED))
            while not await db.fetchval(query):
                assert not dropping.done()
                await asyncio.sleep(0.01)
            await rig.services.replays.pin(session, pinned=True)
        await dropping
        assert await events_of(rig, kept) == before
        assert await events_of(rig, gone) == []


async def test_who_is_pinned_while_old_sessions_go_one_by_one_stays(
    postgres_dsn: str, tmp_path: Path
) -> None:
    async with open_rig(postgres_dsn, tmp_path) as rig:
        db = rig.services.db
        first, second, gone = [await recorded(rig, pictures=1) for _ in range(3)]
        before = [await events_of(rig, each) for each in (first, second)]
        rig.clock.now_ms += 40 * DAY_MS
        async with db.transaction() as conn:
            await session_store.set_pinned(conn, rig.project_id, first, pinned=True)
            removing = asyncio.create_task(retention.remove_expired(db, rig.services.objects, rig.clock()))
            while not await db.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                assert not removing.done()
                await asyncio.sleep(0.01)
            await rig.services.replays.pin(await rig.session(second), pinned=True)
        assert await removing == 1
        assert [await events_of(rig, each) for each in (first, second)] == before
        assert all([await pictures_of(rig, each) for each in (first, second)])
        with pytest.raises(NotFound):
            await rig.session(gone)


async def events_of(rig: Rig, session_id: int) -> list[tuple[str, str]]:
    """Category and name of the session's events."""
    query = "SELECT category, name FROM events WHERE session_id = $1 ORDER BY arrival, event_key"
    return [(row[0], row[1]) for row in await rig.services.db.fetch(query, str(session_id))]


async def test_a_project_is_silent_when_sessions_begin_but_nothing_comes(
    postgres_dsn: str, tmp_path: Path
) -> None:
    async with open_rig(postgres_dsn, tmp_path) as rig:
        hour_ms = NOW_MS - NOW_MS % HOUR_MS
        insert = (
            "INSERT INTO sessions (project_id, session_id, started_ms, known, messages)"
            " SELECT $1, $2::bigint + n, $3::bigint, true, $4 FROM generate_series(1, $5::int) n"
        )
        rows = rig.services.db
        await rows.execute(insert, rig.project_id, 1000, hour_ms - 7 * DAY_MS - 1, 5, 30)
        for turn, (heard, starts, silent) in enumerate(((30, 30, False), (5, 30, True), (5, 10, False))):
            await rows.execute("DELETE FROM sessions WHERE session_id >= 2000")
            await rows.execute(insert, rig.project_id, 2000, hour_ms - 1, 5, heard)
            await rows.execute(insert, rig.project_id, 3000, hour_ms - 1, 0, starts - heard)
            found = await silence.silent_projects(rows, NOW_MS)
            assert found == (["shop"] if silent else []), turn
