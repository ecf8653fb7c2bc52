"""The index of a recording between requests: pictures found by time, read once, bounded in memory."""

from __future__ import annotations

import asyncio

import pytest

from http_service.models import WholeListQuery
from http_service.whole_lists import page_of
from playhead.errors import ObjectMissing
from sessions.recording import Manifest, StoredFrame
from sessions.recording_index import FrameIndex, RecordingIndex, RecordingIndexes
from storage.objects_local import LocalObjects, open_local


def manifest_of(frames: int) -> bytes:
    stored = [StoredFrame(1000 * n, n // 100, 30_000 * (n % 100), 30_000 + n, "jpeg") for n in range(frames)]
    return Manifest("ios", [], stored, [], {"frames": frames}, {}).to_bytes()


def test_each_picture_has_a_time_of_its_own() -> None:
    times = [-5, 10, 10, 10, 11, 13, 13, 2**63 - 1, 2**63 - 1]
    index = FrameIndex([(at, 0, place, 1, place % 4) for place, at in enumerate(times)], 100)
    found = [frame.at_ms for frame in index]
    assert found[:7] == [95, 110, 111, 112, 113, 114, 115]
    assert found[7] < found[8]
    for place, at_ms in enumerate(found):
        picture = index.find(at_ms)
        assert picture is not None and picture.offset == place
    assert [frame.format for frame in index][:5] == ["jpeg", "webp", "png", "avif", "jpeg"]
    for absent in (-(2**70), -5, 94, 96, 116, 2**70):
        assert index.find(absent) is None
    assert FrameIndex([], 0).find(0) is None


def test_it_says_what_the_manifest_says() -> None:
    content = manifest_of(250)
    index, manifest = RecordingIndex.from_bytes(content, 0), Manifest.from_bytes(content)
    assert list(index.frames) == manifest.frames
    assert (index.layout, index.completeness) == (manifest.layout, manifest.completeness)


@pytest.fixture
async def objects(tmp_path):
    async with open_local(tmp_path / "objects") as made:
        yield made


async def test_it_is_read_once_for_all_and_forgotten_by_size(objects: LocalObjects) -> None:
    for number in range(10):
        await objects.put(f"r/{number}/manifest", manifest_of(1000))
    one = RecordingIndex.from_bytes(manifest_of(1000), 0).bytes
    indexes = RecordingIndexes(objects, max_bytes=3 * one)
    found = await asyncio.gather(*(indexes.get("r/0/", 0) for _ in range(20)))
    assert all(each is found[0] for each in found)
    await objects.delete(["r/0/manifest"])
    assert await indexes.get("r/0/", 0) is found[0]
    for number in range(1, 10):
        await indexes.get(f"r/{number}/", 0)
        assert indexes.held.held_bytes <= 3 * one
    assert len(indexes.held) == 3
    with pytest.raises(ObjectMissing):
        await indexes.get("r/0/", 0)
    with pytest.raises(ObjectMissing):  # a failure is not held
        await indexes.get("r/0/", 0)
    await objects.put("r/0/manifest", manifest_of(5))
    assert len((await indexes.get("r/0/", 0)).frames) == 5
    moved = await indexes.get("r/0/", 7)  # another clock, other times
    assert moved.frames.at_ms[0] == 7
    await indexes.close()


@pytest.mark.parametrize("later_ms", [-250, 0, 250])
def test_pages_go_on_at_the_same_picture_while_the_correction_moves(later_ms):
    frames = [(at, 0, 0, 1, 0) for at in (1_000, 1_200, 1_200, 1_400)]
    first, second = FrameIndex(frames, 500), FrameIndex(frames, 500 + later_ms)
    _, cursor = page_of(list(first), first.places(), WholeListQuery(limit=1, cursor=None))
    rest, _ = page_of(list(second), second.places(), WholeListQuery(limit=None, cursor=cursor))
    assert [each.at_ms - 500 - later_ms for each in rest] == [1_200, 1_201, 1_400]
