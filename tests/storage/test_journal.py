"""The journal on local files: durable means durable, in order, bounded, and back after a full disk."""

import asyncio
import contextlib
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from playhead.errors import Malformed, Overloaded, StorageUnavailable
from storage.journal import Record
from storage.segment_file import read_directory, salvage, summarize
from storage.segment_keys import SegmentNames, created_ms, hour_prefix
from tests.storage.journals import opened, record, until


def once(numbers) -> Counter[int]:
    return Counter(dict.fromkeys(numbers, 1))


def open_files(folder: Path) -> list[Path]:
    return list((folder / "objects/journal-open").glob("*"))


@contextlib.contextmanager
def files_end_at(bytes_):
    """The kernel refuses to let a file of this process grow past `bytes_`, as a full disk would."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


async def test_what_was_appended_is_found_in_sealed_segments_and_told_to_the_index(tmp_path):
    async with opened(tmp_path) as j:
        assert await j.append(range(300)) == list(range(300))
        assert j.journal.stats().inflight_bytes == 0
    assert open_files(tmp_path) == []
    async with opened(tmp_path) as again:
        assert await again.stored() == once(range(300))
        keys = [info.key async for info in again.objects.list("journal/")]
        assert keys == [summary.key for summary in j.told]
        for summary in j.told:
            data = await again.objects.get(summary.key)
            entries = read_directory(data, len(data))
            assert summary == summarize(summary.key, created_ms(summary.key), len(data), entries)
    assert again.told == []


async def test_an_idle_journal_seals_by_itself_and_then_sleeps(tmp_path):
    async with opened(tmp_path, segment_max_age_ms=100) as j:
        await j.append(range(1))
        await until(lambda: j.told, 3)
        await asyncio.sleep(0.2)
        before = resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.sleep(0.5)
        after = resource.getrusage(resource.RUSAGE_SELF)
        assert after.ru_nvcsw - before.ru_nvcsw < 20  # a thread that polls would wake more often
        await j.append(range(1, 2))
        await until(lambda: len(j.told) == 2, 3)


async def test_segments_are_sealed_at_their_target_size(tmp_path):
    async with opened(tmp_path, segment_target_bytes=100_000, segment_max_age_ms=60_000) as j:
        for number in range(40):
            await j.append(range(number, number + 1), size=10_000)
    assert [summary.records for summary in j.told] == [10, 10, 10, 10]
    assert all(100_000 <= summary.bytes < 120_000 for summary in j.told)
    assert [summary.key for summary in j.told] == sorted(summary.key for summary in j.told)


async def test_a_record_larger_than_a_segment_or_the_bound_is_taken(tmp_path):
    async with opened(tmp_path, segment_target_bytes=1000, journal_inflight_bytes=5000) as j:
        assert await j.append(range(2), size=30_000_000) == [0]
        assert await j.append(range(2, 3), size=100) == [2]
    async with opened(tmp_path) as again:
        assert await again.stored() == once([0, 2])


async def test_too_much_in_flight_is_refused_and_what_was_taken_is_kept(tmp_path):
    async with opened(tmp_path, journal_inflight_bytes=100_000) as j:
        answers = await asyncio.gather(
            *(j.journal.append(record(number, size=10_000)) for number in range(50)), return_exceptions=True
        )
        taken = [number for number, answer in enumerate(answers) if answer is None]
        assert 5 <= len(taken) < 50
        assert {type(answer) for answer in answers} == {type(None), Overloaded}
        assert await j.append(range(100, 101)) == [100]
    async with opened(tmp_path) as again:
        assert await again.stored() == once([*taken, 100])


async def test_a_sender_that_leaves_disturbs_nobody(tmp_path):
    async with opened(tmp_path) as j:
        tasks = [asyncio.create_task(j.journal.append(record(number))) for number in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        assert answers[1::2] == [None] * 25
        await until(lambda: j.journal.stats().inflight_bytes == 0)
    async with opened(tmp_path) as again:
        assert not once(range(1, 50, 2)) - await again.stored()


async def test_a_failing_index_holds_up_nothing(tmp_path):
    async def away(_summary):
        raise ConnectionError("no database")

    async with opened(tmp_path, index=away, segment_max_age_ms=20) as j:
        for number in range(20):
            assert await j.append(range(number, number + 1)) == [number]
            await asyncio.sleep(0.01)
    assert j.told == []
    async with opened(tmp_path) as again:
        assert await again.stored() == once(range(20))


async def test_meta_that_cannot_be_packed_fails_its_sender_alone(tmp_path):
    async with opened(tmp_path) as j:
        bad = Record("batch", 1, 1, 1, {"x": object()}, b"")
        answers = await asyncio.gather(
            j.journal.append(record(1)), j.journal.append(bad), return_exceptions=True
        )
        assert answers[0] is None and isinstance(answers[1], ValueError)
        assert j.journal.stats().inflight_bytes == 0


async def test_a_closed_journal_takes_nothing(tmp_path):
    async with opened(tmp_path) as j:
        pass
    with pytest.raises(StorageUnavailable):
        await j.journal.append(record(1))


async def test_a_file_that_cannot_grow_is_sealed_and_the_next_one_goes_on(tmp_path):
    async with opened(tmp_path, segment_max_age_ms=60_000) as j:
        kept: list[int] = []
        with files_end_at(1_200_000):
            for number in range(60):
                kept += await j.append(range(number, number + 1), size=100_000)
                await asyncio.sleep(0.01)
        assert 10 < len(kept) < 60
    assert len(j.told) > 1
    async with opened(tmp_path) as again:
        assert await again.stored() == once(kept)  # and nothing of what was refused


async def test_a_full_disk_refuses_and_goes_on_without_a_restart_once_there_is_room(tmp_path):
    async with opened(tmp_path, segment_max_age_ms=20) as j:
        kept = await j.append(range(10))
        await until(lambda: j.told)
        with files_end_at(1000):  # not even a new file
            while got := await j.append(range(len(kept), len(kept) + 5)):  # the file made in advance
                kept += got
                await asyncio.sleep(0.05)
            for number in range(10):
                with pytest.raises(StorageUnavailable, match="cannot be written"):
                    await j.journal.append(record(1000 + number))
                await asyncio.sleep(0.02)
            assert j.journal.stats().storage_away
        await until(lambda: j.append(range(2000, 2001)), 5)
        assert not j.journal.stats().storage_away
    async with opened(tmp_path) as again:
        assert await again.stored() == once([*kept, 2000])


async def test_sealing_that_fails_is_repeated(tmp_path):
    async with opened(tmp_path, segment_max_age_ms=20) as j:
        await until(lambda: open_files(tmp_path))
        obstacle = tmp_path / "objects/journal"
        obstacle.write_text("not a folder")
        assert await j.append(range(5)) == list(range(5))  # durable all the same
        await until(lambda: j.journal.stats().unsealed_segments)
        await asyncio.sleep(0.3)
        assert j.told == []
        obstacle.unlink()
        await until(lambda: j.told)
        assert await j.stored() == once(range(5))


async def test_open_files_of_living_processes_are_left_alone(tmp_path):
    async with opened(tmp_path, segment_max_age_ms=60_000) as one:
        assert await one.append(range(10)) == list(range(10))
        async with opened(tmp_path) as two:
            assert await two.journal.recover_orphans() == 0
            assert await two.append(range(10, 20)) == list(range(10, 20))
        assert await one.append(range(20, 30)) == list(range(20, 30))
    async with opened(tmp_path) as again:
        assert await again.stored() == once(range(30))


CHILD = """
import asyncio, os, pathlib, sys
from tests.storage.journals import opened
async def main():
    async with opened(pathlib.Path(sys.argv[1]), segment_max_age_ms=60_000) as j:
        await j.append(range(10))
        os.kill(os.getpid(), 9)
asyncio.run(main())
"""


@pytest.fixture
def torn(tmp_path):
    """The open file that a killed process left, with ten records, and where they end."""
    child = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], check=False)
    assert child.returncode == -signal.SIGKILL
    ends = {path: salvage(path.read_bytes()).end for path in open_files(tmp_path)}
    return max(ends.items(), key=lambda item: item[1])


@pytest.mark.parametrize(
    ("cut", "tail", "whole"),
    [
        (0, b"", 10),
        (0, b"\0" * 100_000, 10),
        (0, random.Random(1).randbytes(100_000), 10),
        (1, b"", 9),
        (1, b"\xff" * 5000, 9),
        (300, b"\0" * 5000, 8),
    ],
)
async def test_a_dead_process_s_open_file_is_sealed_with_its_whole_records(tmp_path, torn, cut, tail, whole):
    path, end = torn
    path.write_bytes(path.read_bytes()[: end - cut] + tail)
    async with opened(tmp_path) as j:
        assert await j.stored() == once(range(whole))
        await until(lambda: j.told)
        assert [summary.records for summary in j.told] == [whole]
    assert open_files(tmp_path) == []


def test_names_grow_even_when_the_clock_steps_back():
    times = iter([1_700_000_000_000, 1_600_000_000_000, 1_700_000_000_001])
    names = SegmentNames(lambda: next(times))
    made = [names.next() for _ in range(3)]
    assert [ms for ms, _ in made] == [1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_001]
    assert [key for _, key in made] == sorted({key for _, key in made})
    assert made[0][1].startswith("journal/2023/11/14/22/1700000000000-")
    assert hour_prefix(1_700_000_000_000) == "journal/2023/11/14/22/"
    assert created_ms(made[2][1]) == 1_700_000_000_001
    for wrong in ("journal/x.seg", "journal/2023/11/14/22/../x", ""):
        with pytest.raises(Malformed):
            created_ms(wrong)
