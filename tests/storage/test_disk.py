"""Levels of a disk by property, and the reserve on a real folder."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from playhead.settings import Settings
from storage.disk import Disk, Level, Marks, Usage, open_disk, usage_of

MARKS = Marks(80, 90, 97, headroom=10**18)
GB = 1_000_000_000


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=50))
def test_levels_follow_the_marks_and_fall_only_with_slack(permille: list[int]) -> None:
    now = Level.OK
    for used in permille:
        now = MARKS.level(Usage(used, 1000), now)
        assert (now is Level.HARD) or used < 970
        assert (now >= Level.HIGH) or used < 900
        assert (now >= Level.SOFT) or used < 800
        assert (now < Level.HARD) or used >= 960
        assert (now < Level.HIGH) or used >= 890
        assert (now < Level.SOFT) or used >= 790


def test_what_is_freed_is_enough_to_leave_the_level() -> None:
    usage = Usage(950, 1000)
    left = usage._replace(used=usage.used - MARKS.excess(usage))
    assert MARKS.level(left, Level.HIGH) is Level.SOFT
    assert MARKS.excess(left) == 0


def test_a_large_volume_with_room_is_never_full() -> None:
    marks = Marks(80, 90, 97, headroom=16 * GB)
    large = 10_000 * GB
    assert marks.level(Usage(large - 17 * GB, large), Level.OK) is Level.OK
    assert marks.level(Usage(large - 16 * GB, large), Level.OK) is Level.SOFT
    assert marks.level(Usage(large - 8 * GB, large), Level.OK) is Level.HIGH
    assert marks.level(Usage(large - 2 * GB, large), Level.OK) is Level.HARD


def test_the_reserve_takes_its_space_and_gives_it_back(tmp_path: Path) -> None:
    objects = tmp_path / "objects"
    objects.mkdir()
    disk = Disk(objects, Marks(100, 100, 100, headroom=1), reserve_bytes=3_000_000)
    disk.hold_reserve()
    (reserve,) = [path for path in tmp_path.iterdir() if path != objects]
    assert reserve.stat().st_blocks * 512 >= 3_000_000
    disk.hold_reserve()
    assert disk.give_reserve()
    assert not disk.give_reserve()
    assert [path.name for path in tmp_path.iterdir()] == ["objects"]


def test_no_reserve_where_it_would_fill_the_disk(tmp_path: Path) -> None:
    free = usage_of(tmp_path).total - usage_of(tmp_path).used
    disk = Disk(tmp_path / "objects", Marks(100, 100, 100, headroom=1), reserve_bytes=free * 2)
    (tmp_path / "objects").mkdir()
    disk.hold_reserve()
    assert [path.name for path in tmp_path.iterdir()] == ["objects"]


def test_objects_on_s3_are_not_governed(tmp_path: Path) -> None:
    disk = open_disk(Settings(data_dir=tmp_path, objects_url="s3://bucket/prefix"))
    assert not disk.governed
    assert disk.level() is Level.OK
    assert disk.usage() is None
    assert not disk.give_reserve()
    assert open_disk(Settings(data_dir=tmp_path)).governed
