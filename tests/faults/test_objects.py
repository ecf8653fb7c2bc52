"""The object store goes away, is slow, refuses: the spool takes over, whoever asks is told, every picture is there."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.faults.on_s3 import town_on_s3
from tests.faults.town import LONG, ROOT, WARM, Town
from tests.servers import S3Server

AWAY_S = 600 if LONG else 6
SLOW_S = 60 if LONG else 6
SLOW_BYTES_PER_S = 1_000


@pytest.mark.crash
@pytest.mark.timeout(1800 if LONG else 400)
async def test_a_store_that_is_away_then_slow_costs_nothing_and_nobody_waits(tmp_path) -> None:
    async with town_on_s3(tmp_path) as (town, _, store):
        async with town.load(4) as load:
            await load.until(messages=WARM)
            await town.remember()
            store.away = True
            store.cut()
            before = load.statuses("batch")[200]
            await asyncio.sleep(AWAY_S)
            assert load.statuses("batch")[200] > before
            assert await _says(town, "objects") != ""
            store.away = False
            await load.more(100)
            store.bytes_per_s = SLOW_BYTES_PER_S
            before = load.statuses("batch")[200]
            await asyncio.sleep(SLOW_S)
            assert load.statuses("batch")[200] > before
            store.bytes_per_s = 0
        assert set(load.statuses("batch")) | set(load.statuses("images")) == {200}
        await town.judge(patience_s=600 if LONG else 90)


@pytest.mark.crash
@pytest.mark.timeout(400)
async def test_a_store_that_refuses_the_key_is_told_everywhere_and_nothing_is_lost(tmp_path) -> None:
    async with town_on_s3(tmp_path) as (town, server, _):
        async with town.load(4) as load:
            await load.until(messages=WARM)
            await town.remember()
            server.secret_key = "rotated-without-telling-anybody"
            await asyncio.to_thread(_restart, server)
            await load.more(100)  # into the spool
            async with town.client() as client:
                metrics = (await client.get("/metrics")).text
            assert 'playhead_dependency_up{dependency="objects"} 0.0' in metrics
            assert "storage refuses writes (403" in await _says(town, "objects")
            doctor = await asyncio.to_thread(_doctor, town)
            (finding,) = [each for each in doctor["findings"] if each["name"] == "object store"]
            assert finding["state"] == "fail" and "storage refuses writes (403" in finding["detail"]
            assert "rights" in finding["mend"]
            del server.secret_key  # the class's
            await asyncio.to_thread(_restart, server)
            await load.more(50)
        assert set(load.statuses("batch")) | set(load.statuses("images")) == {200}
        await town.judge()


@pytest.mark.crash
@pytest.mark.timeout(400)
async def test_a_full_spool_refuses_and_goes_on_when_the_store_is_back(tmp_path) -> None:
    async with town_on_s3(tmp_path, PLAYHEAD_SPOOL_MAX_BYTES="200000") as (town, _, store):
        async with town.load(4) as load:
            await load.until(messages=WARM)
            await town.remember()
            store.away = True
            store.cut()
            deadline = time.monotonic() + 120
            while not load.statuses()[503]:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            store.away = False
            await load.more(100)
        assert set(load.statuses()) == {200, 202, 503}
        await town.judge()


def _restart(server: S3Server) -> None:
    server.stop()
    server.start()


async def _says(town: Town, dependency: str) -> str:
    """What `/readyz` tells about a dependency that is down, within a minute."""
    deadline = time.monotonic() + 60
    async with town.client() as client:
        while time.monotonic() < deadline:
            told = (await client.get("/readyz")).json()["dependencies"][dependency]
            if told["state"] == "down":
                return str(told["detail"])
            await asyncio.sleep(0.5)
    raise AssertionError(f"{dependency} is not told to be down")


def _doctor(town: Town) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "playhead", "doctor", "--json"],
        cwd=ROOT, env=town.process_environment, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert done.returncode == 1
    return dict(json.loads(done.stdout))
