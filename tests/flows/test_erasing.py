"""Erasing sessions and projects: nothing is left in any store, the others are untouched, late data is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from events import erased_users
from events.incoming import KIND, IncomingEvent, pack
from http_service.erasing import erase_user, remains_of_users
from messages import encode
from messages.schema import MobileLog, MobileUserID
from playhead.errors import NotFound
from projects.changes import ProjectCreate
from sessions import erasure
from sessions.search import ReplayFilters
from storage import doomed, journal_clearing
from tests.flows.rig import NOW_MS, Rig, open_rig
from tests.flows.test_processing import told, upload
from tests.servers import S3
from tests.storage.journals import Wire
from workers import erasing

SECRET = "grandmother's maiden name"
AFTER_MS = 120_000  # what was pending is then older than the erasure by more than clocks differ


@pytest.fixture
async def rig(postgres_dsn: str, tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


def secrets(at_ms: int) -> list[bytes]:
    return [
        encode(MobileUserID(SECRET), timestamp=at_ms),
        encode(MobileLog("info", SECRET), timestamp=at_ms + 1),
    ]


async def all_bytes(rig: Rig) -> bytes:
    """Everything in the object store."""
    keys = [found.key async for found in rig.services.objects.list("")]
    return b"".join([await rig.services.objects.get(key) for key in keys])


async def finish(rig: Rig) -> None:
    """What workers do in the background after an erasure."""
    rig.clock.now_ms += AFTER_MS
    await erasing.erase(rig.services.db, rig.services.objects, rig.clock())
    await doomed.carry_out(rig.services.db, rig.services.objects, rig.clock())


async def test_nothing_is_left_of_a_session_whose_segments_others_still_need(rig: Rig) -> None:
    gone, other = await rig.start(), await rig.start()
    for session_id, framed in ((gone, secrets(NOW_MS)), (other, told(NOW_MS))):
        await rig.batch(session_id, framed)
    body, meta = upload(f"{gone}-0.tar.gz", [NOW_MS], b"\xff\xd8\xff" + SECRET.encode())
    await rig.append("images", gone, body, meta=meta)
    await rig.work()
    segments = {row[0] for row in await rig.services.db.fetch("SELECT segment_key FROM segments")}
    assert SECRET.encode() in await all_bytes(rig)

    await rig.services.replays.delete(await rig.session(gone))
    await finish(rig)
    await rig.services.segments.release()

    assert SECRET.encode() not in await all_bytes(rig)
    key = (rig.project_id, gone)
    assert await erasure.remains(rig.services.db, rig.services.objects, *key) == {}
    assert await journal_clearing.remains(rig.services.db, rig.services.objects, [key]) == {}
    assert {row[0] for row in await rig.services.db.fetch("SELECT segment_key FROM segments")} == segments
    assert await rig.record(other) == 1
    assert len((await rig.services.replays.messages(await rig.session(other))).messages) == len(told(NOW_MS))
    (report,) = await erasure.page(rig.services.db, project_ids=[rig.project_id], before=None, limit=10)
    assert report.removed["sessions"] == 1
    assert report.removed["events"] >= 1
    assert report.blanked >= 2  # the batch and the archive; a start may have been alone in its segment
    assert report.cleared_ms == rig.clock()


async def test_what_comes_later_is_counted_dropped_and_taken_out_of_the_journal(rig: Rig) -> None:
    gone, other = await rig.start(), await rig.start()
    await rig.work()
    await rig.services.replays.delete(await rig.session(gone))
    await finish(rig)
    await rig.batch(gone, secrets(NOW_MS))
    await rig.batch(other, told(NOW_MS))
    await rig.work()
    key = (rig.project_id, gone)
    await finish(rig)
    assert await erasure.remains(rig.services.db, rig.services.objects, *key) == {}
    assert await journal_clearing.remains(rig.services.db, rig.services.objects, [key]) == {}
    assert SECRET.encode() not in await all_bytes(rig)
    (report,) = await erasure.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert (report.late_records, (await rig.balance()).difference) == (1, 0)
    assert await rig.record(other) == 1


async def test_what_lay_in_the_spool_of_a_session_that_was_erased_meanwhile_goes_with_it(
    postgres_dsn: str, tmp_path: Path, s3: S3
) -> None:
    wire = Wire(int(s3.endpoint_url.rpartition(":")[2]))
    await wire.mend()
    store = s3.settings | {"s3_endpoint_url": f"http://127.0.0.1:{wire.port}", "put_timeout_s": 1.0}
    async with open_rig(postgres_dsn, tmp_path, **store, linger_ms=10) as rig:
        gone, other = await rig.start(), await rig.start()
        await rig.work()
        await wire.cut()
        await asyncio.gather(rig.batch(gone, secrets(NOW_MS)), rig.batch(other, told(NOW_MS)))
        assert any(SECRET.encode() in path.read_bytes() for path in (tmp_path / "spool").glob("*/*.seg"))
        await rig.services.replays.delete(await rig.session(gone))
        await wire.mend()
        await rig.work(tries=6000)
        await finish(rig)
        assert list((tmp_path / "spool").glob("*/*.seg")) == []
        assert SECRET.encode() not in await all_bytes(rig)
        key = (rig.project_id, gone)
        assert await erasure.remains(rig.services.db, rig.services.objects, *key) == {}
        assert await journal_clearing.remains(rig.services.db, rig.services.objects, [key]) == {}
        (report,) = await erasure.page(rig.services.db, project_ids=None, before=None, limit=10)
        assert (report.late_records, (await rig.balance()).difference) == (1, 0)
        assert await rig.record(other) == 1
    wire.free()
    await wire.cut()


async def test_who_comes_second_changes_no_report(rig: Rig) -> None:
    session_id = await rig.start()
    await rig.work()
    session = await rig.session(session_id)
    assert [await rig.services.replays.delete(session) for _ in range(2)] == [True, False]
    (report,) = await erasure.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert report.removed["sessions"] == 1


async def test_a_user_erased_while_a_session_of_theirs_is_pending_goes_with_it(rig: Rig) -> None:
    gone, other = await rig.start(), await rig.start()
    await rig.batch(gone, secrets(NOW_MS))
    await rig.batch(other, told(NOW_MS))
    await erase_user(rig.services, rig.project_id, SECRET)
    rig.clock.now_ms += AFTER_MS
    await rig.batch(gone, told(rig.clock()), index=1)
    back = await rig.start()
    await rig.batch(back, secrets(rig.clock()))
    await rig.work()
    await rig.record(gone)
    db = rig.services.db
    assert await erasure.remains_of_users(db) == [(rig.project_id, SECRET, gone)]

    await erasing.erase_sessions_of_users(rig.services)
    await finish(rig)
    assert await erasure.remains_of_users(db) == []
    assert await erasure.remains(db, rig.services.objects, rig.project_id, gone) == {}
    assert await journal_clearing.remains(db, rig.services.objects, [(rig.project_id, gone)]) == {}
    assert {row[0] for row in await db.fetch("SELECT session_id FROM sessions")} == {other, back}
    (report,) = await erased_users.page(db, 10)
    assert report.removed["sessions"] == 1


async def test_users_who_begin_alike_are_erased_one_by_one(rig: Rig) -> None:
    """Identifiers of one issuer may share their first hundreds of characters."""
    one, other = ("https://accounts.example/" + 300 * "x" + end for end in "12")
    sessions = {}
    for user in (one, other):
        sessions[user] = await rig.start()
        await rig.batch(sessions[user], [encode(MobileUserID(user), timestamp=NOW_MS)])
    await rig.work()
    for user in (one, other):
        await rig.record(sessions[user])
        page = await rig.services.replays.page(ReplayFilters(facets={"user_id": user}), (rig.project_id,))
        assert [each.session_id for each in page.sessions] == [sessions[user]]
    await erase_user(rig.services, rig.project_id, one)
    db = rig.services.db
    assert [row[0] for row in await db.fetch("SELECT session_id FROM sessions")] == [sessions[other]]
    assert await erasure.remains_of_users(db) == []


async def test_events_of_an_erased_user_go_out_of_segments_that_others_still_need(rig: Rig) -> None:
    session_id, at_us = await rig.start(), NOW_MS * 1000
    events = [
        IncomingEvent(
            source="segment", category="track", name="Buy", at_us=at_us, device_us=at_us, user_id=user_id
        )
        for user_id in (SECRET, "bob")
    ]
    await asyncio.gather(  # one segment
        rig.batch(session_id, told(NOW_MS)),
        *(rig.append(KIND, None, pack([each]), at_ms=NOW_MS + n) for n, each in enumerate(events)),
        rig.append(KIND, None, pack(events)),
    )
    await rig.work()
    db = rig.services.db
    await erase_user(rig.services, rig.project_id, SECRET)
    assert (await remains_of_users(rig.services))[1] == {(rig.project_id, SECRET): {"journal": 2}}
    await finish(rig)
    await rig.services.segments.release()
    assert SECRET.encode() not in await all_bytes(rig)
    assert await db.fetchval("SELECT count(*) FROM segments WHERE state = 'done'") == 1
    assert (await remains_of_users(rig.services))[1] == {}
    (report,) = await erased_users.page(db, 10)
    assert report.removed["journal"] == 2 and report.cleared_ms == rig.clock()

    late = pack(events)  # a process that was away has had it since before
    await asyncio.gather(
        rig.batch(session_id, told(NOW_MS), index=1), rig.append(KIND, None, late, at_ms=NOW_MS)
    )
    await rig.work()
    await finish(rig)
    assert SECRET.encode() not in await all_bytes(rig)
    assert [row[0] for row in await db.fetch("SELECT DISTINCT user_id FROM events WHERE name = 'Buy'")] == [
        "bob"
    ]
    assert await rig.record(session_id) == 1
    assert (await rig.balance()).difference == 0


async def test_the_journal_is_not_touched_before_what_was_pending_is_processed(rig: Rig) -> None:
    gone = await rig.start()
    await rig.work()
    session = await rig.session(gone)
    await rig.batch(gone, secrets(NOW_MS))
    while not (await rig.services.segments.waiting())[0]:
        await rig.services.segments.sweep()
    await rig.services.replays.delete(session)
    await erasing.erase(rig.services.db, rig.services.objects, rig.clock())
    (report,) = await erasure.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert report.cleared_ms is None
    await rig.work()
    await finish(rig)
    await rig.services.segments.release()
    assert SECRET.encode() not in await all_bytes(rig)


async def test_an_erased_project_leaves_only_the_balanced_ledger(rig: Rig) -> None:
    services = rig.services
    kept = await services.projects.create(ProjectCreate(name="Kept", key="kept"))
    mine, theirs = await rig.start(), await rig.start()
    await rig.batch(mine, secrets(NOW_MS))
    body, meta = upload(f"{mine}-0.tar.gz", [NOW_MS], b"\xff\xd8\xff" + SECRET.encode())
    await rig.append("images", mine, body, meta=meta)
    await rig.append("batch", mine, b"\xff" * 9)  # a dead letter
    await rig.append("start", theirs, b"{}", project_id=kept.project_id, meta={"platform": "ios"})
    await rig.work()
    await rig.record(mine)
    await services.api_keys.create(rig.project_id, "read")

    await services.projects.erase(await services.projects.by_key("shop"))
    with pytest.raises(NotFound):
        await services.projects.by_key("shop", inactive=True)
    await rig.batch(mine, secrets(NOW_MS + 50))
    await rig.work()
    await finish(rig)
    await finish(rig)

    tables = [row[0] for row in await services.db.fetch(erasing.TABLES)]
    assert {"sessions", "facets", "parts", "issues", "dead_letters", "api_keys"} <= set(tables)
    for table in tables:
        left = f"SELECT count(*) FROM {table} WHERE project_id = $1"
        assert await services.db.fetchval(left, rig.project_id) == 0, table
    assert SECRET.encode() not in await all_bytes(rig)
    assert await erasing.remains(services.db, services.objects, rig.project_id) == {}
    (report,) = await erasing.page(services.db, 10)
    assert report.project_key == "shop" and report.cleared_ms is not None and report.blanked >= 1
    stores = ("sessions", "events", "dead_letters", "objects")
    assert all(report.removed[store] >= 1 for store in stores), report.removed
    assert not any(store.startswith("events_") for store in report.removed)
    assert await services.db.fetchval("SELECT count(*) FROM sessions") == 1
    assert (await rig.balance()).difference == 0
    again = await services.projects.create(ProjectCreate(name="Shop", key="shop"))
    assert again.project_id != rig.project_id


async def test_what_a_worker_was_writing_while_its_user_was_erased_goes_later(rig: Rig) -> None:
    at_us = NOW_MS * 1000
    for user_id in ("ana", "bob"):
        made = IncomingEvent(
            source="segment", category="track", name="Buy", at_us=at_us, device_us=at_us, user_id=user_id
        )
        await rig.append(KIND, None, pack([made]))
    await rig.work()
    db = rig.services.db
    await db.execute(erased_users.MARK, rig.project_id, "ana", at_us + 1000)
    await rig.append(KIND, None, pack([replace(made, user_id="ana", name="Back")]), at_ms=NOW_MS + 1000)
    await rig.work()
    assert await erased_users.remains(db) == [(rig.project_id, "ana", 1)]
    await finish(rig)
    assert await erased_users.remains(db) == []
    assert [row[0] for row in await db.fetch("SELECT name || user_id FROM events ORDER BY arrival")] == [
        "Buybob",
        "Backana",
    ]
