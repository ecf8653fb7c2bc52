"""Races, damage and hostile values: nothing acknowledged is lost, nothing stands in the way of the rest."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import asdict, replace
from typing import Any

import orjson
import pytest

from messages import encode, encode_batch, frame_bytes
from messages.schema import MobileClickEvent, MobileCrash, MobileEvent, MobileUserID
from playhead.errors import StorageUnavailable
from sessions import erasure
from sessions.ids import MAX_ID
from sessions.search import ReplayFilters
from storage import dead_letters, doomed
from storage.objects import probe
from tests.flows.rig import NOW_MS, USER, open_rig
from tests.flows.test_processing import multipart, upload
from workers import runner
from workers.finalizer import SELDOM_MS, Finalizer, RecordingFailed
from workers.runner import Worker


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


def taps(at_ms: int, count: int = 3) -> list[bytes]:
    """Framed taps a second apart."""
    return [encode(MobileClickEvent(f"b{n}", 1, 2), timestamp=at_ms + n * 1000) for n in range(count)]


async def names(rig, session_id: int) -> list[str]:
    page = await rig.services.replays.messages(await rig.session(session_id), limit=1000)
    return [str(m.fields.get("Label") or m.fields.get("Name")) for m in page.messages]


class Slow:
    """An object store whose writes wait until they may go on."""

    def __init__(self, objects) -> None:
        self._objects = objects
        self.reached = asyncio.Event()
        self.go = asyncio.Event()

    def __getattr__(self, name):
        return getattr(self._objects, name)

    async def put(self, key, body, **options):
        self.reached.set()
        await self.go.wait()
        return await self._objects.put(key, body, **options)


async def test_two_workers_that_record_one_session_at_once_lose_nothing(rig) -> None:
    services = rig.services
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS, 2))
    await rig.work()
    slow = Slow(services.objects)
    late = Finalizer(settings=services.settings, clock=rig.clock, db=services.db, objects=slow)
    first = asyncio.create_task(late.finalize(rig.project_id, session_id))
    await slow.reached.wait()
    await rig.batch(session_id, taps(NOW_MS + 5000, 3), index=2)
    await rig.work()
    assert await rig.record(session_id) == 1
    slow.go.set()
    assert await first == 0
    await services.segments.release()
    await doomed.carry_out(services.db, services.objects, rig.clock() + 1)
    assert len(await names(rig, session_id)) == 5
    assert (await rig.session(session_id)).messages == 5


class Trickling:
    """An object store that answers a worker at last: its reads or writes wait until they may go on."""

    def __init__(self, objects, what: str) -> None:
        self._objects = objects
        self._what = what
        self.go = asyncio.Event()

    def __getattr__(self, name):
        method = getattr(self._objects, name)

        async def late(*arguments, **options):
            await self.go.wait()
            return await method(*arguments, **options)

        return late if name == self._what else method


@pytest.mark.parametrize(("what", "table"), [("get", "segments"), ("put", "sessions")])
async def test_a_store_that_is_slow_costs_no_worker_its_claim(postgres_dsn, tmp_path, what, table) -> None:
    async with open_rig(postgres_dsn, tmp_path, claim_timeout_s=1) as rig:
        services = rig.services
        session_id = await rig.start()
        await rig.batch(session_id, taps(NOW_MS))
        if table == "sessions":
            await rig.work()
        store = Trickling(services.objects, what)
        worker = asyncio.create_task(Worker(replace(services, objects=store)).run())
        attempts = f"SELECT max(attempts) FROM {table}"
        while not await services.db.fetchval(attempts):
            rig.clock.now_ms += 100
            await asyncio.sleep(0.05)
        for _ in range(40):  # in hand for four times as long as a claim lasts
            rig.clock.now_ms += 100
            await asyncio.sleep(0.1)
            assert not worker.done()
        if table == "segments":
            for claim in await services.segments.claim(9, "other"):
                assert claim.untried
                await services.segments.give_back(claim)
        else:
            assert await rig.finalizer.claim(1) == []
        assert await services.db.fetchval(attempts) == 1
        store.go.set()
        while not await services.db.fetchval("SELECT max(recording) FROM sessions"):
            rig.clock.now_ms += 100
            await asyncio.sleep(0.05)
        assert len(await names(rig, session_id)) == 3
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_a_lock_that_others_hold_is_no_segment_s_fault(postgres_dsn, tmp_path) -> None:
    async with open_rig(postgres_dsn, tmp_path, database_timeout_s=1) as rig:
        services = rig.services
        session_id = await rig.start()
        await rig.work()
        await rig.batch(session_id, taps(NOW_MS))
        async with services.db.transaction() as conn:
            await conn.execute("LOCK TABLE events IN SHARE MODE")  # as making an index does
            for _ in range(6):
                with contextlib.suppress(AssertionError):
                    await rig.work(tries=20)
                rig.clock.now_ms += 20_000
            rows = await services.db.fetch(
                "SELECT attempts, last_error FROM segments WHERE state = 'pending'"
            )
            assert [tuple(row) for row in rows] == [(0, None)]
        await rig.work()
        balance = await rig.balance()
        assert (balance.stored, balance.quarantined, balance.difference) == (2, 0, 0)


async def test_a_new_worker_leaves_what_was_tried_before_alone_for_some_time(
    postgres_dsn, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(runner, "SETTLED_S", 1.5)
    async with open_rig(postgres_dsn, tmp_path) as rig:
        await rig.start()
        while not (tried := await rig.services.segments.claim(9, "ended")):
            rig.clock.now_ms += 10
            await asyncio.sleep(0.01)
        await rig.services.segments.fail(tried[0], "failed")
        rig.clock.now_ms += 60_000
        state = "SELECT min(state), max(attempts) FROM segments"
        began = time.monotonic()
        worker = asyncio.create_task(Worker(rig.services).run())
        while time.monotonic() < began + 1:
            assert tuple(await rig.services.db.fetchrow(state)) == ("pending", 1)
            await asyncio.sleep(0.05)
        while tuple(await rig.services.db.fetchrow(state)) != ("done", 2):
            rig.clock.now_ms += 50
            await asyncio.sleep(0.05)
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


class Failing:
    """An object store that refuses large writes: all (away) or only those of recordings (a disk that is full)."""

    def __init__(self, objects, refused: str) -> None:
        self._objects = objects
        self._refused = refused

    def __getattr__(self, name):
        return getattr(self._objects, name)

    async def put(self, key, body, **options):
        if key.startswith(self._refused):
            raise StorageUnavailable("no room")
        return await self._objects.put(key, body, **options)

    async def check(self) -> None:
        await probe(self)


@pytest.mark.parametrize(("refused", "problem"), [("", StorageUnavailable), ("recordings/", RecordingFailed)])
async def test_a_session_is_recorded_after_an_outage_however_long(rig, refused, problem) -> None:
    services = rig.services
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS))
    await rig.work()
    store = Failing(services.objects, refused)
    hindered = Finalizer(settings=services.settings, clock=rig.clock, db=services.db, objects=store)
    for _ in range(9):
        rig.clock.now_ms += SELDOM_MS + 1
        assert await hindered.claim(1) == [(rig.project_id, session_id)]
        with pytest.raises(problem):
            await hindered.finalize(rig.project_id, session_id)
    rig.clock.now_ms += SELDOM_MS + 1
    assert await rig.finalizer.claim(1) == [(rig.project_id, session_id)]
    assert await rig.record(session_id) == 1
    assert (await rig.session(session_id)).attempts == 0


async def test_a_session_that_ends_its_workers_is_left_alone_until_new_data_comes(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS))
    await rig.work()
    for _ in range(3):
        rig.clock.now_ms += 120_000
        assert await rig.finalizer.claim(1)  # and the worker is killed
    rig.clock.now_ms += 120_000
    assert await rig.finalizer.claim(1, tried=False) == []
    assert await rig.finalizer.claim(1)
    assert await rig.record(session_id) == 0
    rig.clock.now_ms += 10 * SELDOM_MS
    assert await rig.finalizer.claim(1) == []
    await rig.batch(session_id, taps(NOW_MS + 9000), index=3)
    await rig.work()
    rig.clock.now_ms += 10 * SELDOM_MS
    assert await rig.finalizer.claim(1)
    assert await rig.record(session_id) == 1


async def test_an_index_beyond_all_bounds_can_be_recorded_and_read(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS), index=2**64 - 1)
    await rig.work()
    await rig.services.replays.timeline(await rig.session(session_id))
    assert await rig.record(session_id) == 1
    assert len(await names(rig, session_id)) == 3


async def test_times_at_the_end_of_all_numbers_can_be_read(rig) -> None:
    session_id = await rig.start(device_ms=NOW_MS - 5000)
    await rig.batch(
        session_id, [encode(MobileCrash("E", "r", "s"), timestamp=2**64 - 1)], meta_ms=NOW_MS - 1000
    )
    await rig.work()
    for _ in ("live", "ready"):
        session = await rig.session(session_id)
        page = await rig.services.replays.messages(session)
        orjson.dumps([asdict(message) for message in page.messages])
        orjson.dumps((await rig.services.replays.get(session)).as_json("shop"))
        await rig.record(session_id)


async def test_a_part_whose_bytes_are_gone_costs_only_itself(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS, 2))
    await rig.work()
    await rig.services.objects.delete([f.key async for f in rig.services.objects.list("journal/")])
    await rig.batch(session_id, taps(NOW_MS + 5000, 3), index=2)
    await rig.work()
    assert len(await names(rig, session_id)) == 3
    assert await rig.record(session_id) == 1
    assert await _lacks(rig, session_id) == {"late_parts": 0, "unreadable_parts": 1}
    await rig.batch(session_id, taps(NOW_MS + 9000, 1), index=5)
    await rig.work()
    assert await rig.record(session_id) == 2
    assert await _lacks(rig, session_id) == {"late_parts": 1, "unreadable_parts": 1}


async def _lacks(rig, session_id: int) -> dict[str, int]:
    """What the recording says of parts."""
    complete = (await rig.services.replays.get(await rig.session(session_id))).as_json()["completeness"]
    return {name: complete[name] for name in ("late_parts", "unreadable_parts")}


async def test_every_user_of_a_rich_session_still_finds_it_when_it_is_recorded(rig) -> None:
    session_id = await rig.start()
    users = [encode(MobileUserID(user), timestamp=NOW_MS + n) for n, user in enumerate(("ana", "bob"))]
    await rig.batch(
        session_id, [*users, *[encode(MobileEvent(f"e{n}", ""), timestamp=NOW_MS + n) for n in range(450)]]
    )
    await rig.work()
    await rig.record(session_id)
    for user in ("ana", "bob"):
        page = await rig.services.replays.page(ReplayFilters(facets={"user_id": user}), [rig.project_id])
        assert [s.session_id for s in page.sessions] == [session_id], user
    assert (await rig.session(session_id)).user_id == "bob"


async def test_rows_written_while_a_session_was_erased_are_swept(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS))
    await rig.append("batch", session_id, b"\xff" * 9)
    await rig.work()
    db = rig.services.db
    await db.execute(erasure.MARK, rig.project_id, session_id, rig.clock())
    await erasure.sweep(db, rig.clock())
    await doomed.carry_out(db, rig.services.objects, rig.clock())
    for table in ("sessions", "events", "facets", "parts", "received", "dead_letters"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert [f.key async for f in rig.services.objects.list("dead-letters/")] == []


async def test_nothing_of_an_erased_or_unrecorded_session_is_kept_as_a_dead_letter(rig) -> None:
    erased, unrecorded = await rig.start(), await rig.start()
    await rig.work()
    await rig.services.replays.delete(await rig.session(erased))
    for body in (b"\xff" * 9, encode_batch(0, NOW_MS, [*taps(NOW_MS), frame_bytes(93, NOW_MS, b"\xff")])):
        await rig.append("batch", erased, body)
        await rig.append("batch", unrecorded, body, meta={"dnr": True})
    await rig.work()
    assert await rig.services.db.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert [f.key async for f in rig.services.objects.list("dead-letters/")] == []
    balance = await rig.balance()
    assert (balance.expired, balance.difference) == (4, 0)


async def test_erasing_while_the_store_is_away_is_made_up_for(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS))
    await rig.work()
    await rig.record(session_id)
    services = rig.services
    session = await rig.session(session_id)

    class Away:
        def list(self, prefix):
            raise StorageUnavailable("away")

    away: Any = Away()
    await erasure.erase_session(services.db, away, session, rig.clock())
    assert [f.key async for f in services.objects.list("recordings/")]
    await doomed.carry_out(services.db, services.objects, rig.clock())
    assert [f.key async for f in services.objects.list("recordings/")] == []


async def test_a_hash_named_picture_goes_with_the_last_session_that_showed_it(rig) -> None:
    sessions = [await rig.start(), await rig.start()]
    body, meta = multipart([("file", "icon", b"\xff\xd8\xfficon")])
    for session_id in sessions:
        await rig.append("images", session_id, body, meta=meta)
    await rig.work()
    for session_id, left in zip(sessions, (1, 0), strict=True):
        await rig.services.replays.delete(await rig.session(session_id))
        await doomed.carry_out(rig.services.db, rig.services.objects, rig.clock())
        assert await rig.services.db.fetchval("SELECT count(*) FROM images") == left
        assert len([f.key async for f in rig.services.objects.list("images/")]) == left


async def test_records_that_damage_has_made_unfindable_have_a_fate(rig) -> None:
    session_id = await rig.start()
    for number in range(4):
        await rig.batch(session_id, taps(NOW_MS + number * 9000), index=number * 3)
    objects = rig.services.objects
    for _ in range(200):
        if (await rig.services.segments.waiting())[0] and not rig.services.journal.stats().unsealed_segments:
            break
        await asyncio.sleep(0.01)
    info = max([f async for f in objects.list("journal/")], key=lambda found: found.bytes)
    data = bytearray(await objects.get(info.key))
    half = len(data) // 2
    data[half : half + 60] = bytes(60)
    data[-40:] = bytes(40)
    await objects.put(info.key, bytes(data))
    await rig.work()
    balance = await rig.balance()
    assert balance.quarantined >= 1 and balance.difference == 0
    letters = await dead_letters.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert letters


async def test_an_archive_named_beyond_all_sessions_stays_with_its_token(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS))
    body, meta = upload(f"{MAX_ID + 1}-1.tar.gz", [NOW_MS])
    await rig.append("stray", session_id, body, meta={**meta, "uid": USER})
    await rig.work()
    assert (await rig.session(session_id)).frames == 1


async def test_a_connection_that_is_cut_once_blames_no_record(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS))
    db = rig.services.db
    for _ in range(300):
        if (await rig.services.segments.waiting())[0]:
            break
        await asyncio.sleep(0.01)
    await db.execute("UPDATE segments SET attempts = 5")
    await db.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    for _ in range(6):
        with contextlib.suppress(Exception):
            await rig.work(tries=20)
        rig.clock.now_ms += 20_000
    assert (await rig.session(session_id)).clicks == 3
    balance = await rig.balance()
    assert (balance.quarantined, balance.difference) == (0, 0)


async def test_pages_of_a_growing_session_neither_skip_nor_repeat(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, taps(NOW_MS + 10_000, 4), index=10)
    await rig.work()
    replays = rig.services.replays
    page = await replays.messages(await rig.session(session_id), limit=2)
    seen = [m.timestamp_ms for m in page.messages]
    await rig.batch(session_id, taps(NOW_MS, 3), index=0)
    await rig.work()
    for recorded in (False, True):
        rest = await replays.messages(await rig.session(session_id), limit=10, cursor=page.next_cursor)
        times = seen + [m.timestamp_ms for m in rest.messages]
        assert len(times) == len(set(times)) == 4, recorded
        await rig.record(session_id)


async def test_the_picture_asked_for_is_the_one_served_while_earlier_ones_arrive(rig) -> None:
    session_id = await rig.start()
    body, meta = upload(f"{session_id}-0.tar.gz", [NOW_MS + 5000])
    await rig.append("images", session_id, body, meta=meta)
    await rig.work()
    stale = await rig.session(session_id)
    await rig.services.replays.frames(stale)
    body, meta = upload(f"{session_id}-1.tar.gz", [NOW_MS + 1000])
    await rig.append("images", session_id, body, meta=meta)
    await rig.work()
    at_ms = NOW_MS + 5000 + (stale.clock_offset_ms or 0)
    expected = (b"\xff\xd8\xff%d" % (NOW_MS + 5000), "jpeg")
    for session in (stale, await rig.session(session_id)):
        assert await rig.services.replays.frame(session, at_ms) == expected


async def test_a_partly_unreadable_record_can_be_tried_again(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, [*taps(NOW_MS), frame_bytes(93, NOW_MS, b"\xff\xff")])
    await rig.work()
    (letter,) = await dead_letters.page(rig.services.db, project_ids=None, before=None, limit=10)
    services = rig.services
    await dead_letters.retry(
        services.db, services.objects, services.journal, letter.dead_letter_id, now_ms=rig.clock()
    )
    rig.appended += 1
    await rig.work()
    balance = await rig.balance()
    assert (balance.stored, balance.duplicate, balance.difference) == (3, 0, 0)
    await rig.record(session_id)
    assert len(await names(rig, session_id)) == 3
