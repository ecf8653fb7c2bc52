"""The power fails under load: what was acknowledged had been synced, and what had not been synced does no harm."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
from pathlib import Path

import pytest

from storage.journal_sealer import OPEN_FOLDER, Sealer
from storage.objects_local import open_local
from storage.segment_keys import SegmentNames
from tests.faults.on_s3 import town_on_s3
from tests.faults.power import Power
from tests.faults.town import LONG, Town, new_town
from tests.faults.witness import Witness

CUTS = 30 if LONG else 2

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the witness looks through /proc")


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_a_file_that_was_renamed_keeps_one_of_its_names(tmp_path, names) -> None:
    """What every journaling file system grants, whichever folder is looked at first."""
    seen = set()
    for seed in range(40):
        disk = tmp_path / str(seed)
        before, after = (disk / name / "file" for name in names)
        for path in (before, after):
            path.parent.mkdir(parents=True)
        before.write_bytes(b"synced")
        power = Power(disk)
        before.rename(after)
        power.cut([], random.Random(seed))
        seen.add((before.exists(), after.exists()))
        assert {path.read_bytes() for path in (before, after) if path.exists()} == {b"synced"}
    assert len(seen) > 1


async def _put(root: Path) -> Path:
    async with open_local(root) as objects:
        await objects.put("a/b/key", b"acknowledged")
    return root / "a/b/key"


async def _open_segment(root: Path) -> Path:
    async with open_local(root) as objects:
        sealer = Sealer(objects, SegmentNames(lambda: 0), largest_bytes=1000, sealed=lambda *_: None)
        await asyncio.to_thread(sealer.new_segment)
    (path,) = (root / OPEN_FOLDER).iterdir()
    return path


@pytest.mark.parametrize(("made", "write"), [("root/a/b", _put), (f"root/{OPEN_FOLDER}", _open_segment)])
async def test_folders_that_somebody_else_made_and_did_not_sync_hold_what_is_written(
    tmp_path, monkeypatch, made, write
) -> None:
    for seed in range(10):
        disk = tmp_path / str(seed)
        disk.mkdir()
        power = Power(disk)
        (disk / made).mkdir(parents=True)  # its maker was killed
        with (
            contextlib.closing(Witness(power.variables["POWER_WITNESS"])) as witness,
            monkeypatch.context() as patch,
        ):
            patch.setattr(os, "fsync", witness.synced)
            path = await write(disk / "root")
        power.cut([], random.Random(seed))
        assert path.exists()


@pytest.mark.crash
@pytest.mark.timeout(1800 if LONG else 400)
async def test_power_cuts_lose_nothing_that_was_acknowledged(tmp_path) -> None:
    power = Power(tmp_path)
    # small segments: the witness copies a file whenever it is synced
    with new_town(tmp_path, **power.variables, PLAYHEAD_SEGMENT_TARGET_BYTES="200000") as town:
        await town.build()
        dice = random.Random(town.seed)
        async with town.load(phones=4) as load:
            for _ in range(CUTS):
                await load.more(150)
                await asyncio.sleep(dice.random())
                await _cut(power, town, dice)
            await load.more(50)
        seen = await town.judge()
        print(f"{power.lost} blocks, lengths and entries were lost")
        assert power.lost and seen["messages"] > 100


@pytest.mark.crash
@pytest.mark.timeout(1800 if LONG else 400)
async def test_power_cuts_while_the_store_is_away_leave_the_spool_whole(tmp_path) -> None:
    power = Power(tmp_path)
    async with town_on_s3(tmp_path, **power.variables) as (town, _, store):
        dice = random.Random(town.seed)
        async with town.load(phones=4) as load:
            await load.until(messages=50)
            store.away = True
            store.cut()
            for _ in range(CUTS):
                await load.more(100)
                await _cut(power, town, dice)
            store.away = False
        await town.judge()


@pytest.mark.crash
@pytest.mark.timeout(400)
async def test_a_program_that_does_not_sync_is_found_out(tmp_path) -> None:
    """The test above can fail."""
    power = Power(tmp_path, fsync=False)
    with new_town(tmp_path, **power.variables, PLAYHEAD_SEGMENT_TARGET_BYTES="200000") as town:
        await town.build()
        async with town.load(phones=4) as load:
            await load.more(100)
            await _cut(power, town, random.Random(town.seed))
            await load.more(10)
        with pytest.raises(AssertionError, match=r'"J[15]"'):
            await town.judge(patience_s=10, fresh=False)


async def _cut(power: Power, town: Town, dice: random.Random) -> None:
    """In a thread: a cut rewrites files, and processes take their time to start."""
    await asyncio.to_thread(power.cut, town.processes, dice)
    for process in town.processes:
        await asyncio.to_thread(process.start)
