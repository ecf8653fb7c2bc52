"""The journal on S3: one PUT per segment while the store is well, the spool while it is not."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from playhead.errors import Overloaded, StorageUnavailable
from storage.segment_file import encode_segment
from storage.segment_keys import key_of
from storage.spool import Spool
from tests.storage.journals import Wire, opened, record, until


def once(numbers) -> Counter[int]:
    return Counter(dict.fromkeys(numbers, 1))


def spooled(folder: Path) -> list[Path]:
    return list((folder / "spool").glob("*/*.seg"))


@pytest.fixture
async def wire(s3):
    """The way to the store, to be cut and blocked."""
    wire = Wire(int(s3.endpoint_url.rpartition(":")[2]))
    await wire.mend()
    yield wire
    wire.free()
    await wire.cut()


@pytest.fixture
def store(s3, wire):
    """Settings of a store behind the wire."""
    s3.server.client().put_object(Bucket=s3.bucket, Key="first", Body=b"")  # the first one takes a second
    return {**s3.settings, "s3_endpoint_url": f"http://127.0.0.1:{wire.port}"}


async def test_records_that_come_together_are_one_object(tmp_path, store):
    async with opened(tmp_path, **store) as j:
        assert await j.append(range(200)) == list(range(200))
        assert len(j.told) == 1 and j.told[0].records == 200 and j.told[0].accepted == {1: 200}
        assert await j.append(range(200, 210)) == list(range(200, 210))
        assert await j.stored() == once(range(210))
    assert not (tmp_path / "spool").exists()


async def test_a_full_segment_does_not_wait_for_the_linger(tmp_path, store):
    async with opened(tmp_path, **store, linger_ms=60_000, segment_target_bytes=100_000) as j:
        sent = [asyncio.create_task(j.journal.append(record(number, size=9_500))) for number in range(45)]
        await until(lambda: sum(task.done() for task in sent) == 40, 10)
        assert [summary.records for summary in j.told] == [10, 10, 10, 10]
        await asyncio.sleep(0.1)
        assert not any(task.done() for task in sent[40:])
    await asyncio.gather(*sent)  # closing does not linger


async def test_too_much_in_flight_is_refused(tmp_path, store):
    async with opened(tmp_path, **store, journal_inflight_bytes=50_000) as j:
        answers = await asyncio.gather(
            *(j.journal.append(record(number, size=10_000)) for number in range(20)), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {type(None), Overloaded}
        assert await j.stored() == once(n for n, answer in enumerate(answers) if answer is None)


async def test_a_stopped_store_costs_nothing_but_the_spool(tmp_path, store, wire):
    async with opened(tmp_path, **store, linger_ms=10) as j:
        assert await j.append(range(10)) == list(range(10))
        await wire.cut()
        for number in range(10, 40):
            assert await j.append(range(number, number + 1)) == [number]
        stats = j.journal.stats()
        assert stats.storage_away and stats.last_error and len(spooled(tmp_path)) >= 29
        assert stats.spool_bytes == sum(path.stat().st_size for path in spooled(tmp_path))
        assert len(j.told) == 1  # the index hears of objects that exist
        await wire.mend()
        await until(lambda: not spooled(tmp_path) and not j.journal.stats().storage_away, 60)
        assert await j.stored() == once(range(40))
        assert sum(summary.records for summary in j.told) == 40
        assert j.journal.stats().spool_bytes == 0
        assert await j.append(range(40, 41)) == [40]
        assert not spooled(tmp_path)
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_silent_store_makes_only_the_first_wait(tmp_path, store, wire):
    async with opened(tmp_path, **store, linger_ms=10, put_timeout_s=1.0) as j:
        await j.append(range(1))
        await until(lambda: j.told and not j.journal.stats().storage_away)  # a first call may take a second
        wire.block()
        waits = []
        for number in range(1, 30):
            begun = time.monotonic()
            assert await j.append(range(number, number + 1)) == [number]
            waits.append(time.monotonic() - begun)
        assert 0.9 < waits[0] < 3
        assert max(waits[1:]) < 0.7
        wire.free()
        await until(lambda: not spooled(tmp_path) and not j.journal.stats().storage_away, 60)
        assert await j.stored() == once(range(30))


async def test_when_all_puts_hang_nobody_queues_behind_them(tmp_path, store, wire):
    async with opened(tmp_path, **store, linger_ms=5, put_timeout_s=4.0, journal_puts=1) as j:
        await j.append(range(1))
        wire.block()
        first = asyncio.create_task(j.append(range(1, 2)))
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        assert await j.append(range(2, 3)) == [2]  # by the spool, while the first still waits for its answer
        assert time.monotonic() - begun < 2 and not first.done()
        wire.free()
        assert await first == [1]
        await until(lambda: not spooled(tmp_path), 60)
        assert await j.stored() == once(range(3))


async def test_a_store_that_refuses_is_told_and_spooled(tmp_path, store, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    async with opened(tmp_path, **store, linger_ms=10) as j:
        assert await j.append(range(5)) == list(range(5))
        assert "403" in j.journal.stats().last_error
        assert spooled(tmp_path)


async def test_without_a_spool_a_dead_store_refuses_at_once_and_comes_back(tmp_path, store, wire):
    async with opened(tmp_path, **store, linger_ms=10, spool_max_bytes=0) as j:
        await wire.cut()
        for number in range(10):
            with pytest.raises(StorageUnavailable):
                await j.journal.append(record(number))
        begun = time.monotonic()
        with pytest.raises(StorageUnavailable):
            await j.journal.append(record(11))
        assert time.monotonic() - begun < 0.5
        await wire.mend()
        await until(lambda: not j.journal.stats().storage_away, 60)
        assert await j.append(range(20, 21)) == [20]
        assert (await j.stored())[20] == 1
    assert not (tmp_path / "spool").exists()


async def test_a_full_spool_refuses_and_takes_again_once_it_is_empty(tmp_path, store, wire):
    async with opened(tmp_path, **store, linger_ms=10, spool_max_bytes=60_000) as j:
        await wire.cut()
        kept = []
        for number in range(10):
            kept += await j.append(range(number, number + 1), size=10_000)
        assert kept == list(range(5))
        with pytest.raises(StorageUnavailable, match="spool is full"):
            await j.journal.append(record(99, size=10_000))
        assert sum(path.stat().st_size for path in spooled(tmp_path)) <= 60_000
        await wire.mend()
        await until(lambda: not spooled(tmp_path), 60)
        assert await j.append(range(10, 11), size=10_000) == [10]
        await until(lambda: not spooled(tmp_path), 60)
        assert await j.stored() == once([*kept, 10])


async def test_what_is_spooled_at_the_end_is_brought_up_by_the_next_process(tmp_path, store, wire):
    await wire.cut()
    async with opened(tmp_path, **store, linger_ms=10) as j:
        for number in range(10):
            assert await j.append(range(number, number + 1)) == [number]
    left = sum(path.stat().st_size for path in spooled(tmp_path))
    assert left and j.told == []
    async with opened(tmp_path, **store) as again:
        assert again.journal.stats().spool_bytes == left  # counted right from the start
        await wire.mend()
        await until(lambda: not spooled(tmp_path), 60)
        assert await again.stored() == once(range(10))
        assert sum(summary.records for summary in again.told) == 10


async def test_the_spool_of_a_living_process_is_left_alone(tmp_path, store, wire):
    await wire.cut()
    async with opened(tmp_path, **store, linger_ms=10) as one:
        assert await one.append(range(3)) == list(range(3))
        async with opened(tmp_path, **store) as two:
            assert await two.journal.recover_orphans() == 0
        assert len(spooled(tmp_path)) == 1


CHILD = """
import os, pathlib, sys
from storage.segment_file import encode_segment
from storage.spool import Spool
from tests.storage.journals import record
spool = Spool(pathlib.Path(sys.argv[1]), max_bytes=10**6)
for number in range(3):
    spool.add(f"journal/2023/11/14/22/170000000000{number}-ab-1.seg", [encode_segment([record(number)])])
(spool._own_folder() / "1700000000009-ab-1.seg.draft").write_bytes(b"half")
os.kill(os.getpid(), 9)
"""


def test_a_dead_process_s_spool_is_adopted_oldest_first_and_its_folder_removed(tmp_path):
    subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], check=False)
    spool, rival = Spool(tmp_path, max_bytes=10**6), Spool(tmp_path, max_bytes=10**6)
    assert spool.adopt() == 3 and rival.adopt() == 0 and spool.adopt() == 0
    items = spool.take(10)
    assert [item.name[:13] for item in items] == ["1700000000000", "1700000000001", "1700000000002"]
    assert items[0].key == "journal/2023/11/14/22/1700000000000-ab-1.seg"
    for item in items:
        summary, data = spool.read(item)
        assert summary.key == item.key and summary.records == 1 and summary.bytes == len(data)
        spool.remove(item)
    assert list(tmp_path.iterdir()) == []
    spool.close()
    rival.close()


async def test_a_spooled_segment_that_the_disk_has_damaged_holds_up_nobody(tmp_path, store):
    spool = Spool(tmp_path / "spool", max_bytes=10**6)
    names = [f"170000000000{number}-ab-1.seg" for number in range(3)]
    for number, name in enumerate(names):
        spool.add(key_of(name), [encode_segment([record(number), record(number + 10)])])
    spool.close()
    first, second, _ = sorted(spooled(tmp_path))
    first.write_bytes(bytes(500))
    second.write_bytes(second.read_bytes()[:-8])  # the trailer: the records are still found
    async with opened(tmp_path, **store) as j:
        await until(lambda: not spooled(tmp_path), 30)
        assert await j.stored() == once([1, 11, 2, 12])
    assert [path.suffix for path in (tmp_path / "spool").glob("*/*.damaged")] == [".damaged"]
