"""From the journal to rows and recordings: each record to one fate, everything there once, late data in its place."""

from __future__ import annotations

import asyncio
import contextlib
import io
import random
import tarfile

import pytest

from messages import encode, encode_batch, frame_bytes
from messages.schema import (
    MobileClickEvent,
    MobileCrash,
    MobileEvent,
    MobileLog,
    MobileMetadata,
    MobileNetworkCall,
    MobileUserAnonymousID,
    MobileUserID,
    MobileViewComponentEvent,
)
from sessions.search import ReplayFilters
from storage import dead_letters
from tests.flows.rig import NOW_MS, Rig, open_rig


@pytest.fixture
async def rig(postgres_dsn, tmp_path):
    async with open_rig(postgres_dsn, tmp_path) as made:
        yield made


def told(at_ms: int, count: int = 3) -> list[bytes]:
    """A few framed messages from `at_ms` on."""
    return [
        frame
        for number in range(count)
        for frame in (
            encode(MobileClickEvent(f"b{number}", 1, 2), timestamp=at_ms + number * 10),
            encode(MobileLog("info", f"line {number}"), timestamp=at_ms + number * 10 + 1),
        )
    ]


async def test_a_session_is_read_back_as_it_was_sent(rig) -> None:
    session_id = await rig.start(device_name="iPhone 15")
    framed = [
        encode(MobileUserID("ana"), timestamp=NOW_MS),
        encode(MobileMetadata("plan", "pro"), timestamp=NOW_MS + 1),
        encode(MobileViewComponentEvent("Cart", "CartView", True), timestamp=NOW_MS + 2),
        encode(MobileNetworkCall("request", "GET", "/a?b=1", "{}", "[]", 500, 12), timestamp=NOW_MS + 3),
        encode(MobileLog("error", "no"), timestamp=NOW_MS + 4),
        encode(MobileCrash("E", "r", "0 App main"), timestamp=NOW_MS + 5),
    ]
    await rig.batch(session_id, framed, packed=True)
    await rig.work()
    replays = rig.services.replays
    for expected in ("live", "ready"):
        session = await rig.session(session_id)
        view = (await replays.get(session)).as_json("shop")
        assert view["status"] == expected
        assert view["user"]["id"] == "ana"
        assert view["metadata"] == {"plan": "pro"}
        assert view["device"]["name"] == "iPhone 15"
        expected_counts = {
            "messages": 6,
            "views": 1,
            "network": 1,
            "network_errors": 1,
            "logs": 1,
            "crashes": 1,
        }
        assert {name: view["counts"][name] for name in expected_counts} == expected_counts
        assert [issue["type"] for issue in view["issues"]] == ["crash"]
        page = await replays.messages(session)
        assert [m.name for m in page.messages] == [
            "MobileUserID", "MobileMetadata", "MobileViewComponentEvent", "MobileNetworkCall", "MobileLog",
            "MobileCrash",
        ]  # fmt: skip
        assert [m.index for m in page.messages] == list(range(6))
        assert page.messages[3].fields["Status"] == 500
        await rig.record(session_id)


async def test_the_same_batch_five_times_counts_once(rig) -> None:
    session_id = await rig.start()
    for _ in range(5):
        await rig.batch(session_id, told(NOW_MS))
    await rig.work()
    session = await rig.session(session_id)
    assert (session.clicks, session.logs, session.messages) == (3, 3, 6)
    balance = await rig.balance()
    assert (balance.accepted, balance.stored, balance.duplicate, balance.difference) == (6, 2, 4, 0)


async def test_a_batch_twice_in_one_body_counts_once(rig) -> None:
    """spec/openreplay-mobile.md 9.2: a message is told from equal ones by its place within its batch."""
    session_id = await rig.start()
    taps = [message for message in told(NOW_MS) if message[0] == MobileClickEvent.TYPE]
    await rig.append("batch", session_id, encode_batch(0, NOW_MS, taps) + encode_batch(9, NOW_MS + 5, taps))
    await rig.work()
    for _ in ("live", "ready"):
        session = await rig.session(session_id)
        assert (session.clicks, session.messages) == (3, 3)
        assert len((await rig.services.replays.messages(session)).messages) == 3
        await rig.record(session_id)


async def test_long_names_of_users_are_kept(rig) -> None:
    """spec/openreplay-mobile.md 5.5: a user id has 8000 characters at most; a search term is shorter."""
    session_id = await rig.start()
    user, visitor = "u" * 9000, "v" * 300
    framed = [
        encode(MobileUserID(user), timestamp=NOW_MS),
        encode(MobileUserAnonymousID(visitor), timestamp=NOW_MS + 1),
    ]
    await rig.batch(session_id, framed)
    await rig.work()
    for _ in ("live", "ready"):
        session = await rig.session(session_id)
        assert (session.user_id, session.anonymous_id) == (user[:8000], visitor)
        filters = ReplayFilters(facets={"user_id": user})
        found = await rig.services.replays.page(filters, (rig.project_id,))
        assert [each.session_id for each in found.sessions] == [session_id]
        await rig.record(session_id)


async def test_a_retry_in_a_new_grouping_counts_once_when_recorded(rig) -> None:
    session_id = await rig.start()
    messages = told(NOW_MS, 10)
    await rig.batch(session_id, messages[:12])
    await rig.batch(session_id, messages[6:], index=30)
    await rig.work()
    assert (await rig.session(session_id)).clicks == 10
    await rig.record(session_id)
    session = await rig.session(session_id)
    assert (session.clicks, session.logs, session.messages) == (10, 10, 20)


async def test_any_order_gives_the_same_recording_byte_for_byte(rig) -> None:
    def batches(rng: random.Random) -> list[tuple[int, list[bytes]]]:
        messages = told(NOW_MS, 40)
        made = [(i, messages[i : i + 8]) for i in range(0, len(messages), 8)]
        rng.shuffle(made)
        return made

    contents = []
    for seed in range(3):
        session_id = await rig.start()
        rng = random.Random(seed)
        late: list[tuple[int, list[bytes]]] = []
        for index, framed in batches(rng):
            if rng.random() < 0.3:
                late.append((index, framed))
            else:
                await rig.batch(session_id, framed, index=index)
        await rig.work()
        await rig.record(session_id)
        for index, framed in late:
            await rig.batch(session_id, framed, index=index)
            await rig.work()
            await rig.record(session_id)
        objects = await rig.objects_of(session_id)
        contents.append((objects["messages"], objects["indexes"]))
    assert contents[0] == contents[1] == contents[2]


async def test_data_after_the_recording_reopens_the_session(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, told(NOW_MS))
    await rig.work()
    rig.clock.now_ms += 2_000
    assert (rig.project_id, session_id) in await rig.finalizer.claim(10)
    assert await rig.record(session_id) == 1
    assert not (await rig.session(session_id)).live
    await rig.batch(session_id, told(NOW_MS + 60_000), index=6)
    await rig.work()
    assert (await rig.session(session_id)).live
    rig.clock.now_ms += 5_000
    assert await rig.finalizer.claim(10)
    assert await rig.record(session_id) == 2
    session = await rig.session(session_id)
    assert session.messages == 12
    assert len((await rig.services.replays.messages(session)).messages) == 12


async def test_a_batch_of_a_session_never_started_makes_one(rig) -> None:
    session_id = rig.ids.new(NOW_MS)
    await rig.batch(session_id, told(NOW_MS))
    await rig.work()
    assert (await rig.session(session_id)).clicks == 3


async def test_the_start_may_come_after_the_data(rig) -> None:
    session_id = rig.ids.new(NOW_MS)
    await rig.batch(session_id, told(NOW_MS))
    await rig.work()
    rig.ids.new = lambda _: session_id
    await rig.start(device_name="iPhone 15", os="iOS")
    await rig.work()
    session = await rig.session(session_id)
    assert (session.device_name, session.os, session.clicks) == ("iPhone 15", "iOS", 3)


async def test_an_unreadable_batch_goes_to_the_dead_letters_and_its_neighbours_are_stored(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, told(NOW_MS))
    await rig.append("batch", session_id, b"\xff" * 40)
    await rig.append(
        "images", session_id, b"no multipart", meta={"content_type": "multipart/form-data; boundary=x"}
    )
    await rig.batch(session_id, told(NOW_MS + 5_000), index=6)
    await rig.work()
    assert (await rig.session(session_id)).clicks == 6
    letters = await dead_letters.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert sorted(letter.kind for letter in letters) == ["batch", "images"]
    assert all(letter.reason for letter in letters)
    record = await dead_letters.content(rig.services.objects, next(x for x in letters if x.kind == "batch"))
    assert record.body == b"\xff" * 40
    balance = await rig.balance()
    assert (balance.stored, balance.quarantined, balance.difference) == (3, 2, 0)
    for recorded in (False, True):
        if recorded:
            await rig.record(session_id)
        view = (await rig.services.replays.get(await rig.session(session_id))).as_json()
        assert view["completeness"]["quarantined"] == 2


async def test_a_dead_letter_can_be_retried_and_the_ledger_still_balances(rig) -> None:
    session_id = await rig.start()
    await rig.append("batch", session_id, b"\xff" * 40)
    await rig.work()
    (letter,) = await dead_letters.page(rig.services.db, project_ids=None, before=None, limit=10)
    services = rig.services
    await dead_letters.retry(
        services.db, services.objects, services.journal, letter.dead_letter_id, now_ms=rig.clock()
    )
    rig.appended += 1
    await rig.work()
    balance = await rig.balance()
    assert (balance.accepted, balance.quarantined, balance.difference) == (3, 2, 0)
    assert (
        await dead_letters.waiting(services.db, rig.project_id, session_id) == 1
    )  # the first is tried again


async def test_damaged_messages_cost_only_themselves_and_are_kept(rig) -> None:
    session_id = await rig.start()
    good = told(NOW_MS)
    await rig.batch(
        session_id,
        [*good[:2], frame_bytes(93, NOW_MS, b"\xff\xff"), frame_bytes(99, NOW_MS, b"x"), *good[2:]],
    )
    await rig.work()
    session = await rig.session(session_id)
    assert (session.clicks, session.messages) == (3, 6)
    (letter,) = await dead_letters.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert len(letter.detail["faults"]) == 2
    balance = await rig.balance()
    assert (balance.stored, balance.quarantined, balance.difference) == (2, 0, 0)


async def test_a_late_file_under_the_next_token_goes_to_the_session_it_belongs_to(rig) -> None:
    first = await rig.start(at_ms=NOW_MS)
    await rig.batch(first, told(NOW_MS))
    await rig.work()
    rig.clock.now_ms = NOW_MS + 600_000
    second = await rig.start()
    crash = encode(MobileCrash("E", "r", "0 App main"), timestamp=NOW_MS + 60_000)
    await rig.append(
        "late", second, crash, meta={"plt": "ios", "uid": "6a1c8f2e-0000-4000-8000-000000000001"}
    )
    await rig.work()
    assert (await rig.session(first)).crashes == 1
    assert (await rig.session(second)).crashes == 0


async def test_late_data_of_nobody_stays_with_its_token(rig) -> None:
    first = await rig.start(at_ms=NOW_MS)
    await rig.work()
    rig.clock.now_ms = NOW_MS + 600_000
    second = await rig.start()
    crash = encode(MobileCrash("E", "r", "0 App main"), timestamp=NOW_MS + 400_000)
    await rig.append("late", second, crash, meta={"plt": "ios"})
    await rig.work()
    assert ((await rig.session(first)).crashes, (await rig.session(second)).crashes) == (0, 1)


def upload(name: str, times: list[int], content: bytes = b"\xff\xd8\xff") -> tuple[bytes, dict[str, str]]:
    """A multipart body with one tar.gz of pictures."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for at_ms in times:
            data = content + str(at_ms).encode()
            entry = tarfile.TarInfo(f"{times[0]}_1_{at_ms}.jpeg")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return multipart([("batch", name, out.getvalue())])


def multipart(files: list[tuple[str, str, bytes]]) -> tuple[bytes, dict[str, str]]:
    parts = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: gzip\r\n\r\n%s\r\n'
        % (field.encode(), name.encode(), data)
        for field, name, data in files
    )
    return parts + b"--B--\r\n", {"content_type": "multipart/form-data; boundary=B"}


async def test_pictures_are_read_back_live_and_recorded(rig) -> None:
    session_id = await rig.start()
    body, meta = upload(f"{session_id}-0.tar.gz", [NOW_MS, NOW_MS + 1000, NOW_MS + 2000])
    await rig.append("images", session_id, body, meta=meta)
    await rig.append(
        "images",
        session_id,
        body.replace(b"--B", b"--C"),
        meta={"content_type": "multipart/form-data; boundary=C"},
    )
    await rig.work()
    replays = rig.services.replays
    for _ in ("live", "ready"):
        session = await rig.session(session_id)
        frames = await replays.frames(session)
        assert [f.at_ms - (session.clock_offset_ms or 0) for f in frames] == [
            NOW_MS,
            NOW_MS + 1000,
            NOW_MS + 2000,
        ]
        assert await replays.frame(session, frames[1].at_ms) == (b"\xff\xd8\xff%d" % (NOW_MS + 1000), "jpeg")
        await rig.record(session_id)
    assert (await rig.balance()).duplicate == 1


async def test_a_stray_archive_goes_to_the_session_in_its_name_if_it_is_the_same_device(rig) -> None:
    first, second = await rig.start(), await rig.start()
    stranger = await rig.start(user_uuid="6A1C8F2E-0000-4000-8000-00000000FFFF")
    for target, at_ms in ((first, NOW_MS), (stranger, NOW_MS + 5000)):
        body, meta = upload(f"{target}-{NOW_MS}.tar.gz", [at_ms])
        await rig.append("stray", second, body, meta={**meta, "uid": "6A1C8F2E-0000-4000-8000-000000000001"})
    await rig.work()
    frames = [(await rig.session(s)).frames for s in (first, second, stranger)]
    assert frames == [1, 1, 0]


async def test_hash_named_pictures_are_listed_by_use_over_sessions(rig) -> None:
    icons = [b"\xff\xd8\xff" + bytes([n]) * 9 for n in range(3)]
    for count, icon in zip((1, 3, 2), icons, strict=True):
        for _ in range(count):
            session_id = await rig.start()
            body, meta = multipart([("file", f"hash{icon[-1]}", icon)])
            await rig.append("images", session_id, body, meta=meta)
            await rig.append("images", session_id, body, meta=meta)
    await rig.work()
    names = await rig.services.projects.frequent_images(rig.project_id)
    assert list(names) == ["hash1", "hash2", "hash0"]


async def test_data_of_an_erased_session_is_counted_and_dropped(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, told(NOW_MS))
    await rig.work()
    await rig.record(session_id)
    await rig.services.replays.delete(await rig.session(session_id))
    await rig.batch(session_id, told(NOW_MS + 9_000), index=9)
    await rig.work()
    db = rig.services.db
    for table in ("sessions", "events", "facets", "parts", "issues", "received"):
        assert await db.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert [found.key async for found in rig.services.objects.list("recordings/")] == []
    balance = await rig.balance()
    assert (balance.expired, balance.difference) == (1, 0)


async def test_expired_unrecorded_and_homeless_records_are_counted(rig) -> None:
    session_id = await rig.start()
    await rig.append("expired", session_id, b"", meta={"route": "batch"})
    await rig.batch(session_id, told(NOW_MS), dnr=True)
    await rig.work()
    assert (await rig.session(session_id)).clicks == 0
    balance = await rig.balance()
    assert (balance.stored, balance.expired, balance.difference) == (1, 2, 0)


async def test_a_follow_up_session_takes_over_what_is_known_of_the_device(rig) -> None:
    first = await rig.start(device_name="Pixel 9", platform="android")
    await rig.work()
    follow = rig.ids.new(NOW_MS + 7_200_000)
    await rig.batch(follow, told(NOW_MS + 7_200_100), plt="android", continues=first)
    await rig.work()
    session = await rig.session(follow)
    assert (session.device_name, session.platform, session.continues) == ("Pixel 9", "android", first)


@pytest.mark.parametrize("device_ms", [1_000_000_000_000, 2_100_000_000_000, 1, 2**63, 2**64 - 1])
async def test_wrong_clocks_leave_order_and_a_lawful_duration(rig, device_ms) -> None:
    session_id = await rig.start(device_ms=min(device_ms, 2**62))
    framed = [
        encode(MobileEvent(f"e{n}", ""), timestamp=min(device_ms + n * 1000, 2**64 - 1)) for n in range(3)
    ]
    await rig.batch(session_id, framed, meta_ms=min(device_ms + 3000, 2**64 - 1), at_ms=NOW_MS + 3000)
    await rig.work()
    await rig.record(session_id)
    session = await rig.session(session_id)
    assert session.started_ms == NOW_MS
    assert 0 <= session.duration_ms <= 3_000
    page = await rig.services.replays.messages(session)
    assert {m.fields["Name"] for m in page.messages} == {"e0", "e1", "e2"}
    if device_ms < 2**60 and device_ms > 1:
        assert [m.timestamp_ms for m in page.messages] == [NOW_MS, NOW_MS + 1000, NOW_MS + 2000]


async def test_segments_are_released_when_their_sessions_are_recorded(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, told(NOW_MS))
    await rig.work()
    segments = rig.services.segments
    await segments.release()
    assert [found.key async for found in rig.services.objects.list("journal/")]
    await rig.record(session_id)
    await segments.release()
    assert [found.key async for found in rig.services.objects.list("journal/")] == []
    assert len((await rig.services.replays.messages(await rig.session(session_id))).messages) == 6


async def test_a_segment_whose_bytes_are_gone_ends_as_quarantined_and_holds_nothing_up(rig) -> None:
    session_id = await rig.start()
    for _ in range(200):
        if await rig.services.segments.waiting() != (0, None):
            break
        await asyncio.sleep(0.01)
    await rig.services.objects.delete([f.key async for f in rig.services.objects.list("journal/")])
    await rig.services.db.execute("UPDATE segments SET attempts = 3")
    await rig.batch(session_id, told(NOW_MS), kind="late")
    await rig.work()
    assert (await rig.session(session_id)).clicks == 3
    balance = await rig.balance()
    assert (balance.stored, balance.quarantined, balance.difference) == (1, 1, 0)


async def test_small_segments_are_processed_as_if_they_were_one(rig) -> None:
    session_id = await rig.start()
    await _segment_of_its_own(rig, 1)
    for number in range(12):
        await rig.batch(session_id, told(NOW_MS + number * 1000), index=number * 6)
        await _segment_of_its_own(rig, number + 2)
    await rig.work()
    assert (await rig.session(session_id)).clicks == 3 * 12
    transactions = await rig.services.db.fetchval("SELECT count(DISTINCT xmin::text) FROM segments")
    assert transactions == 1


async def test_of_small_segments_one_that_fails_costs_its_neighbours_nothing(rig) -> None:
    session_id = await rig.start()
    await _segment_of_its_own(rig, 1)
    poison = await rig.start(user_uuid="x")
    await _segment_of_its_own(rig, 2)
    for number in range(5):
        await rig.batch(session_id, told(NOW_MS + number * 1000), index=number * 6)
        await _segment_of_its_own(rig, number + 3)
    await rig.services.db.execute(
        f"ALTER TABLE sessions ADD CONSTRAINT poison CHECK (session_id <> {poison})"
    )
    await rig.worker.once()
    assert (await rig.session(session_id)).clicks == 3 * 5
    attempts = "SELECT count(*), max(attempts) FROM segments WHERE state = 'pending'"
    assert tuple(await rig.services.db.fetchrow(attempts)) == (1, 1)
    balance = await rig.balance()
    assert (balance.stored, balance.quarantined, balance.pending) == (6, 0, 1)


async def _segment_of_its_own(rig: Rig, segments: int) -> None:
    """What was appended is sealed and indexed, and so many segments there are."""
    for _ in range(500):
        if await rig.services.db.fetchval("SELECT count(*) FROM segments") == segments:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not sealed")


async def test_a_record_that_fails_is_put_aside_and_its_neighbours_go_on(rig) -> None:
    session_id = await rig.start()
    await rig.batch(session_id, told(NOW_MS))
    poison = await rig.start(user_uuid="x")
    # A value that the table refuses: what no input should be able to do, and still must not stop the others.
    await rig.services.db.execute(
        f"ALTER TABLE sessions ADD CONSTRAINT poison CHECK (session_id <> {poison})"
    )
    for _ in range(5):  # each failure puts the next try off
        with contextlib.suppress(AssertionError):
            await rig.work(tries=20)
        rig.clock.now_ms += 20_000
    await rig.work()
    assert (await rig.session(session_id)).clicks == 3
    (letter,) = await dead_letters.page(rig.services.db, project_ids=None, before=None, limit=10)
    assert (letter.session_id, letter.kind) == (poison, "start")
    balance = await rig.balance()
    assert (balance.stored, balance.quarantined, balance.difference) == (2, 1, 0)
    await rig.services.db.execute("ALTER TABLE sessions DROP CONSTRAINT poison")
    services = rig.services
    await dead_letters.retry(
        services.db, services.objects, services.journal, letter.dead_letter_id, now_ms=rig.clock()
    )
    rig.appended += 1
    await rig.work()
    assert (await rig.session(poison)).known


async def test_a_live_session_shows_what_came_and_was_recorded_between_two_looks(rig) -> None:
    session_id = await rig.start()
    replays = rig.services.replays
    for number in range(3):
        await rig.batch(session_id, told(NOW_MS + number * 1000), index=number * 6)
        await rig.work()
        if number != 1:
            page = await replays.messages(await rig.session(session_id))
            assert len(page.messages) == 6 * (number + 1)
        else:
            await rig.record(session_id)
