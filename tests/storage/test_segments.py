"""The journal's index: no segment is lost, none is done twice, and nothing goes that is still needed."""

import asyncio
import contextlib
import random
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from playhead.errors import DatabaseUnavailable, ObjectMissing
from playhead.settings import load
from storage.objects import ObjectStore, open_objects
from storage.postgres import Database, open_pool
from storage.segment_file import Record, SegmentSummary, encode_segment, read_directory, summarize
from storage.segment_keys import SegmentNames, created_ms
from storage.segments import TOMBSTONE_MS, Claim, IndexQueue, SegmentIndex
from tests.storage.journals import Wire, now_ms, until

MINUTE_MS = 60_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = now_ms()

    def __call__(self) -> int:
        return self.now_ms


class Shelf:
    """A database, an object store, and an index on both, under a clock that the test moves."""

    def __init__(self, db: Database, objects: ObjectStore) -> None:
        self.db = db
        self.objects = objects
        self.clock = Clock()
        self.names = SegmentNames(self.clock)
        self.index = self.new_index()

    def new_index(self) -> SegmentIndex:
        return SegmentIndex(self.db, self.objects, self.clock)

    async def store(self, *kinds: str, project_id: int = 1, size: int = 10) -> SegmentSummary:
        """A segment that is durable and has no row."""
        self.clock.now_ms += 1
        _, key = self.names.next()
        data = encode_segment(
            [Record(kind, project_id, 7, 1, {}, bytes(size)) for kind in kinds or ("batch",)]
        )
        await self.objects.put(key, data)
        return summarize(key, created_ms(key), len(data), read_directory(data, len(data)))

    async def add(self, *kinds: str, **options: int) -> str:
        summary = await self.store(*kinds, **options)
        assert await self.index.add([summary]) == 1
        return summary.key

    async def claimed(self, limit: int = 10) -> list[str]:
        return [claim.key for claim in await self.index.claim(limit, "w")]

    async def finish(self, claim: Claim) -> bool:
        async with self.db.transaction() as conn:
            return await self.index.finish(conn, claim)

    async def accepted(self) -> dict[int, int]:
        rows = await self.db.fetch("SELECT project_id, count FROM ledger WHERE fate = 'accepted'")
        return {row[0]: row[1] for row in rows}

    async def row(self, key: str) -> Any:
        return await self.db.fetchrow("SELECT * FROM segments WHERE segment_key = $1", key)

    async def keys(self) -> list[str]:
        return [info.key async for info in self.objects.list("journal/")]

    async def need(self, key: str) -> None:
        """A recording that is still to be made needs the segment."""
        await self.db.execute(
            "INSERT INTO parts (project_id, session_id, segment_key, record, kind, body_offset, body_length,"
            " received_ms) VALUES (1, 7, $1, 0, 'batch', 0, 1, 1)",
            key,
        )


@pytest.fixture
async def shelf(postgres_dsn, tmp_path):
    settings = load({}, data_dir=tmp_path, database_url=postgres_dsn)
    async with open_pool(settings) as db, open_objects(settings) as objects:
        yield Shelf(db, objects)


async def test_adding_again_counts_once(shelf):
    first = await shelf.store("batch", "batch", project_id=1)
    second = await shelf.store("batch", project_id=2)
    assert await shelf.index.add([first, second, first]) == 2
    assert await shelf.index.add([second, first]) == 0
    assert await shelf.accepted() == {1: 2, 2: 1}
    row = await shelf.row(first.key)
    assert (row["bytes"], row["records"], row["accepted"]) == (first.bytes, 2, {"1": 2})


async def test_workers_are_woken(shelf):
    told = asyncio.Event()
    async with shelf.db.acquire() as conn:
        await conn.add_listener("playhead_segments", lambda *_: told.set())
        await shelf.add()
        await asyncio.wait_for(told.wait(), 5)
        await conn.remove_listener("playhead_segments", lambda *_: None)
        await conn.reset()


async def test_the_oldest_is_claimed_first_and_by_one_worker(shelf):
    keys = [await shelf.add() for _ in range(5)]
    assert await shelf.claimed(2) == keys[:2]
    assert await shelf.claimed(2) == keys[2:4]
    assert await shelf.claimed(2) == keys[4:]
    assert await shelf.claimed(2) == []


async def test_a_finished_segment_is_done_once(shelf):
    await shelf.add()
    (claim,) = await shelf.index.claim(1, "w")
    assert (claim.attempts, claim.progress, claim.records) == (1, 0, 1)
    assert await shelf.finish(claim)
    assert not await shelf.finish(claim)
    shelf.clock.now_ms += 10 * MINUTE_MS
    assert await shelf.claimed() == []


async def test_a_dead_worker_s_claim_expires_and_it_comes_back_too_late(shelf):
    key = await shelf.add()
    (lost,) = await shelf.index.claim(1, "dead")
    shelf.clock.now_ms += MINUTE_MS - 1
    assert await shelf.claimed() == []
    shelf.clock.now_ms += 1
    (new,) = await shelf.index.claim(1, "alive")
    assert new.key == key and new.attempts == 2
    assert not await shelf.finish(lost)
    await shelf.index.fail(lost, "late")
    await shelf.index.give_back(lost)
    async with shelf.db.transaction() as conn:
        assert not await shelf.index.advance(conn, lost, 1, 1)
    assert await shelf.finish(new)


async def test_what_was_tried_before_can_be_left_out(shelf):
    keys = [await shelf.add() for _ in range(2)]
    (claim,) = await shelf.index.claim(1, "w")
    await shelf.index.fail(claim, "ValueError")
    shelf.clock.now_ms += MINUTE_MS
    assert [each.key for each in await shelf.index.claim(9, "new", tried=False)] == keys[1:]
    assert [each.key for each in await shelf.index.claim(9, "old")] == keys[:1]


async def test_a_claim_can_be_kept_for_longer_but_not_after_it_was_lost(shelf):
    await shelf.add()
    (claim,) = await shelf.index.claim(1, "slow")
    shelf.clock.now_ms += MINUTE_MS - 1
    await shelf.index.renew([claim])
    shelf.clock.now_ms += MINUTE_MS - 1
    assert await shelf.claimed() == []
    shelf.clock.now_ms += 1
    (new,) = await shelf.index.claim(1, "quick")
    await shelf.index.fail(new, "ValueError")
    await shelf.index.renew([claim])
    shelf.clock.now_ms += MINUTE_MS - 1
    assert await shelf.claimed() == [claim.key]


async def test_a_claim_that_is_just_being_finished_holds_up_the_renewal_of_no_other(shelf):
    for _ in range(2):
        await shelf.add()
    finished, kept = claims = await shelf.index.claim(2, "busy")
    async with shelf.db.transaction() as conn:
        assert await shelf.index.finish(conn, finished)
        shelf.clock.now_ms += MINUTE_MS - 1
        await asyncio.wait_for(shelf.index.renew(claims), 5)
        shelf.clock.now_ms += MINUTE_MS - 1
        assert await shelf.claimed() == []
    assert await shelf.finish(kept)


async def test_what_a_worker_held_when_it_ended_is_free_before_its_time_and_known_as_such(shelf):
    keys = [await shelf.add() for _ in range(4)]
    await shelf.index.claim(1, "here-1")
    (alive,) = await shelf.index.claim(1, "here-2")
    (failed,) = await shelf.index.claim(1, "here-3")
    await shelf.index.fail(failed, "ValueError")
    assert await shelf.index.free(lambda name: name in ("here-1", "here-3")) == 1
    shelf.clock.now_ms += 1000
    claims = await shelf.index.claim(9, "w")
    assert [(claim.key, claim.orphaned) for claim in claims] == [
        (keys[0], True), (keys[2], False), (keys[3], False),
    ]  # fmt: skip
    assert await shelf.finish(alive)


async def test_small_segments_are_claimed_together_and_of_large_ones_no_more_than_enough(shelf):
    small = [await shelf.add() for _ in range(5)]
    large = [await shelf.add(size=10_000) for _ in range(3)]
    claims = await shelf.index.claim(7, "w", enough_bytes=10_000)
    assert [claim.key for claim in claims] == [*small, large[0]]
    async with shelf.db.transaction() as conn:
        assert await shelf.index.finish(conn, *claims)
    claims = await shelf.index.claim(7, "w", enough_bytes=1)
    assert [claim.key for claim in claims] == [large[1]]
    assert await shelf.claimed() == [large[2]]


async def test_what_a_worker_with_a_fast_clock_gives_back_is_free_at_once(shelf):
    key = await shelf.add()
    shelf.clock.now_ms += 10 * MINUTE_MS
    (claim,) = await shelf.index.claim(1, "early")
    await shelf.index.give_back(claim)
    shelf.clock.now_ms -= 10 * MINUTE_MS
    (again,) = await shelf.index.claim(1, "w")
    assert again.key == key and again.untried
    await shelf.index.give_back(again, pause_s=5)
    assert await shelf.claimed() == []
    shelf.clock.now_ms += 5000
    assert await shelf.claimed() == [key]


async def test_where_one_claim_of_several_is_lost_none_is_finished(shelf):
    keys = [await shelf.add() for _ in range(2)]
    claims = await shelf.index.claim(2, "slow")
    shelf.clock.now_ms += 2 * MINUTE_MS
    (_,) = await shelf.index.claim(1, "quick")
    with pytest.raises(RuntimeError, match="lost"):
        async with shelf.db.transaction() as conn:
            if not await shelf.index.finish(conn, *claims):
                raise RuntimeError("lost")
    assert [(await shelf.row(key))["state"] for key in keys] == ["pending", "pending"]
    await shelf.index.renew(claims)
    assert await shelf.claimed() == []


async def test_an_expired_claim_that_nobody_took_may_still_finish(shelf):
    await shelf.add()
    (claim,) = await shelf.index.claim(1, "slow")
    shelf.clock.now_ms += 10 * MINUTE_MS
    assert await shelf.finish(claim)


async def test_a_failure_is_noted_and_tried_again_later(shelf):
    key = await shelf.add()
    (claim,) = await shelf.index.claim(1, "w")
    await shelf.index.fail(claim, "ValueError")
    assert (await shelf.row(key))["last_error"] == "ValueError"
    assert await shelf.claimed() == []
    shelf.clock.now_ms += 1000
    (again,) = await shelf.index.claim(1, "w")
    assert again.attempts == 2
    await shelf.index.give_back(again)  # no fault of the segment's
    (third,) = await shelf.index.claim(1, "w")
    assert third.attempts == 2


async def test_an_ordered_segment_waits_for_everything_older_and_holds_up_nothing(shelf):
    old = await shelf.add()
    late = await shelf.add("batch", "late")
    new = await shelf.add()
    (first,) = await shelf.index.claim(1, "w")
    assert first.key == old
    assert await shelf.claimed() == [new]  # the old one is claimed but not done
    assert await shelf.finish(first)
    (second,) = await shelf.index.claim(1, "w")
    assert second.key == late
    stray = await shelf.add("stray")
    assert await shelf.claimed() == []
    assert await shelf.finish(second)
    shelf.clock.now_ms += MINUTE_MS
    (third,) = await shelf.index.claim(1, "w")
    assert third.key == new and await shelf.finish(third)
    assert await shelf.claimed() == [stray]


async def test_records_done_one_by_one_survive_the_worker(shelf):
    key = await shelf.add("batch", "batch", "batch")
    (claim,) = await shelf.index.claim(1, "w")
    shelf.clock.now_ms += MINUTE_MS // 2
    async with shelf.db.transaction() as conn:
        assert await shelf.index.advance(conn, claim, 1, 1)
        assert not await shelf.index.advance(conn, claim, 1, 1)
        assert not await shelf.index.advance(conn, claim, 3, 1)
    assert (await shelf.row(key))["accepted"] == {"1": 2}
    shelf.clock.now_ms += MINUTE_MS // 2
    assert await shelf.claimed() == []  # progress renews the claim
    shelf.clock.now_ms += MINUTE_MS
    (again,) = await shelf.index.claim(1, "w")
    assert again.progress == 1


async def test_a_record_that_ends_its_workers_is_found_out(shelf):
    await shelf.add("batch", "batch")
    for attempt in range(4):
        (claim,) = await shelf.index.claim(1, "w")
        reason = await shelf.index.begin_record(claim, 0)
        assert (reason is None) == (attempt < 2)
        shelf.clock.now_ms += 2 * MINUTE_MS  # the worker dies


async def test_a_store_that_is_away_is_not_held_against_a_record(shelf):
    await shelf.add("batch", "batch")
    for _ in range(5):
        (claim,) = await shelf.index.claim(1, "w")
        assert await shelf.index.begin_record(claim, 0) is None
        await shelf.index.give_back(claim)


async def test_the_sweep_finds_segments_without_a_row(shelf):
    known = await shelf.add()
    lost = [await shelf.store("batch", "late", project_id=n % 3 + 1) for n in range(20)]
    large = await shelf.store(*["batch"] * 2000, size=1)  # its directory is longer than one look
    await shelf.objects.put("journal/2020/01/01/00/notes.txt", b"not ours")
    assert await shelf.index.sweep() == 21
    assert await shelf.index.sweep() == 0
    assert (await shelf.row(known))["records"] == 1
    for summary in [*lost, large]:
        row = await shelf.row(summary.key)
        told = (row["created_ms"], row["bytes"], row["records"], row["ordered"])
        assert told == (summary.created_ms, summary.bytes, summary.records, summary.ordered)
    assert sum((await shelf.accepted()).values()) == 1 + 40 + 2000


async def test_a_sweep_looks_at_the_last_hours_and_every_hour_at_all(shelf):
    await shelf.index.sweep()
    shelf.clock.now_ms -= 200 * MINUTE_MS
    old = SegmentNames(shelf.clock).next()[1]
    shelf.clock.now_ms += 200 * MINUTE_MS
    await shelf.objects.put(old, encode_segment([Record("batch", 1, 1, 1, {}, b"")]))
    assert await shelf.index.sweep() == 0
    shelf.clock.now_ms += 61 * MINUTE_MS
    assert await shelf.index.sweep() == 1


async def test_damaged_segments_are_indexed_as_far_as_they_can_be_read(shelf):
    whole, torn, rubbish = [await shelf.store("batch", "batch") for _ in range(3)]
    data = await shelf.objects.get(torn.key)
    await shelf.objects.put(torn.key, data[: len(data) // 2])
    await shelf.objects.put(rubbish.key, bytes(300))
    assert await shelf.index.sweep() == 2
    assert (await shelf.row(whole.key))["records"] == 2
    assert (await shelf.row(torn.key))["records"] == 1
    assert await shelf.row(rubbish.key) is None
    assert await shelf.index.sweep() == 0


async def test_release_deletes_what_is_done_and_needed_by_nobody(shelf):
    done, needed, pending = [await shelf.add() for _ in range(3)]
    for claim in await shelf.index.claim(2, "w"):
        assert await shelf.finish(claim)
    await shelf.need(needed)
    assert await shelf.index.release() == 1
    assert await shelf.keys() == [needed, pending]
    with pytest.raises(ObjectMissing):
        await shelf.objects.get(done)
    await shelf.db.execute("DELETE FROM parts")
    assert await shelf.index.release() == 1
    assert await shelf.keys() == [pending]


async def test_a_released_segment_never_comes_back(shelf):
    summary = await shelf.store()
    data = await shelf.objects.get(summary.key)
    await shelf.index.add([summary])
    (claim,) = await shelf.index.claim(1, "w")
    assert await shelf.finish(claim)
    shelf.clock.now_ms += 5 * TOMBSTONE_MS  # its recording took its time
    assert await shelf.index.release() == 1
    await shelf.objects.put(summary.key, data)  # a PUT that was given up long ago arrives after all
    assert await shelf.new_index().sweep() == 0
    assert await shelf.keys() == []
    await shelf.objects.put(summary.key, data)
    shelf.clock.now_ms += TOMBSTONE_MS + 1
    await shelf.index.release()  # the tombstone goes, and takes what it covered with it
    assert await shelf.row(summary.key) is None and await shelf.keys() == []
    assert await shelf.new_index().sweep() == 0
    assert await shelf.accepted() == {1: 1}


async def test_the_queue_waits_for_the_database(shelf, postgres_dsn):
    place = urlsplit(postgres_dsn)
    wire = Wire(place.port or 0)
    await wire.mend()
    dsn = place._replace(netloc=place.netloc.replace(f":{place.port}", f":{wire.port}")).geturl()
    async with open_pool(load({}, database_url=dsn)) as db:
        index = SegmentIndex(db, shelf.objects, shelf.clock)
        async with IndexQueue(index) as queue:
            await queue.add(await shelf.store())
            await until(lambda: queue.waiting == 0)
            await wire.cut()
            for _ in range(50):
                await asyncio.wait_for(queue.add(await shelf.store()), 0.1)
            with pytest.raises(DatabaseUnavailable):
                await index.claim(1, "w")
            await asyncio.sleep(0.3)
            assert queue.waiting == 50
            await wire.mend()
            await until(lambda: queue.waiting == 0)
    await wire.cut()
    assert await shelf.accepted() == {1: 51}
    assert len(await shelf.claimed(100)) == 51


async def test_what_a_full_queue_drops_the_sweep_finds(shelf):
    await shelf.index.sweep()
    shelf.clock.now_ms -= 300 * MINUTE_MS
    shelf.names = SegmentNames(shelf.clock)
    old = [await shelf.store() for _ in range(30)]
    shelf.clock.now_ms += 300 * MINUTE_MS
    queue = IndexQueue(shelf.index, max_waiting=10)
    for summary in old:
        await queue.add(summary)
    assert queue.waiting == 10
    async with queue:
        await until(lambda: queue.waiting == 0)
    assert await shelf.index.sweep() == 20
    assert await shelf.accepted() == {1: 30}


async def test_under_dying_workers_every_segment_is_done_exactly_once(shelf):
    """Eight workers that finish, fail, give back, vanish, come back too late or lose their connection."""
    chance = random.Random(seed := random.randrange(2**32))
    print("seed", seed)
    await shelf.db.execute("CREATE TABLE effects (segment_key text)")
    total = 120
    left = total

    async def feed(index: SegmentIndex) -> None:
        for _ in range(total // 2):
            kinds = ["late"] if chance.random() < 0.2 else ["batch"] * chance.randrange(1, 4)
            summary = await shelf.store(*kinds)
            await asyncio.gather(*(index.add([summary]) for _ in range(chance.choice((0, 1, 2)))))
            if chance.random() < 0.2:
                await index.sweep()
        index.sweep_all()
        await index.sweep()

    async def effect(claim: Claim, *, die: bool = False) -> None:
        nonlocal left
        async with shelf.db.transaction() as conn:
            await conn.execute("INSERT INTO effects VALUES ($1)", claim.key)
            await asyncio.sleep(chance.random() * 0.01)
            if die:
                await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            if not await shelf.index.finish(conn, claim):
                raise LookupError("the claim was lost")
        left -= 1

    async def work(name: str) -> None:
        held: list[Claim] = []
        while left:
            shelf.clock.now_ms += chance.choice((0, 50, 2000))
            for claim in await shelf.index.claim(chance.randrange(1, 4), name):
                fate = chance.random()
                with contextlib.suppress(LookupError, DatabaseUnavailable):
                    if fate < 0.1:
                        await effect(claim, die=True)
                    elif fate < 0.2:
                        await shelf.index.fail(claim, "failed")
                    elif fate < 0.3:
                        await shelf.index.give_back(claim)
                    elif fate < 0.5:
                        held.append(claim)  # forgotten, or finished much later
                    else:
                        await effect(claim)
            if held and chance.random() < 0.3:
                with contextlib.suppress(LookupError):
                    await effect(held.pop(chance.randrange(len(held))))
            if chance.random() < 0.1:
                shelf.clock.now_ms += MINUTE_MS
            await asyncio.sleep(0)

    async with asyncio.timeout(100):
        await asyncio.gather(
            *(feed(shelf.new_index()) for _ in range(2)), *(work(f"w{number}") for number in range(8))
        )
    effects = Counter(row[0] for row in await shelf.db.fetch("SELECT segment_key FROM effects"))
    assert len(effects) == total and set(effects.values()) == {1}
    states = await shelf.db.fetch("SELECT DISTINCT state FROM segments")
    assert [row[0] for row in states] == ["done"]
    records = await shelf.db.fetchval("SELECT sum(records) FROM segments")
    assert await shelf.accepted() == {1: records}
